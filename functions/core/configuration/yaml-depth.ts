import { Composer, type Document, Lexer, type LineCounter, type ParseOptions, Parser } from 'yaml';

/** What is deeper is nobody's configuration, and how deep a reader can follow depends on the machine. */
export const MAX_DEPTH = 64;

/**
 * The one document of a YAML text. Its tokens are looked at on their way to the parser, which follows any depth, and takes seconds for it: one
 * that nests brackets, or dashes in one line, deeper than {@link MAX_DEPTH} comes no further. `has_errors` where there is any, more than one
 * document among them. Fills `lines`.
 */
export function composeYaml(
  text: string,
  options: ParseOptions & { readonly version: '1.2' },
  lines: LineCounter,
): Document.Parsed | 'too_deep' | 'has_errors' {
  const depth = new Depth();
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const composer = new Composer(options);
  const documents: Document.Parsed[] = [];
  for (const token of new Lexer().lex(text)) {
    if (!depth.isBearable(token)) return 'too_deep';
    for (const part of parser.next(token)) documents.push(...composer.next(part));
  }
  for (const part of parser.end()) documents.push(...composer.next(part));
  documents.push(...composer.end(true, text.length));
  const [document, ...more] = documents;
  return document === undefined || more.length > 0 || document.errors.length > 0 ? 'has_errors' : document;
}

/** The line, from 1, on which a text nests deeper than may be; the last one where it does not. */
export function lineOfDepth(text: string): number {
  const depth = new Depth();
  let line = 1;
  for (const token of new Lexer().lex(text)) {
    if (!depth.isBearable(token)) return line;
    line += token.split('\n').length - 1;
  }
  return line;
}

/** How deep the tokens of a text have led so far. */
class Depth {
  #brackets = 0;
  #dashes = 0;

  /** Is it no deeper than may be after this token? */
  isBearable(token: string): boolean {
    if (token === '[' || token === '{') this.#brackets += 1;
    else if (token === ']' || token === '}') this.#brackets = Math.max(this.#brackets - 1, 0);
    if (token === '-' || token === '?') this.#dashes += 1;
    else if (this.#dashes > 0 && !isSpace(token) && !isProperty(token)) this.#dashes = 0;
    return this.#brackets <= MAX_DEPTH && this.#dashes <= MAX_DEPTH;
  }
}

function isSpace(token: string): boolean {
  return token.trim() === '' && !token.includes('\n');
}

/** A tag or an anchor stands before a value, and ends nothing. */
function isProperty(token: string): boolean {
  return token.startsWith('!') || token.startsWith('&');
}
