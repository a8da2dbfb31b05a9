import { isScalar, isSeq, Lexer, parse, parseDocument } from 'yaml';

/** A variable that has no value and no default, and the line (from 1) that refers to it. */
export type MissingVariable = { readonly name: string; readonly line: number };

/** The text with its variables resolved. A reference that is `missing` stays there as text. */
export type Interpolated = { readonly text: string; readonly missing: readonly MissingVariable[] };

type Variables = Readonly<Record<string, string | undefined>>;
type Reference = {
  readonly start: number;
  readonly source: string;
  readonly value: string;
  readonly isMissing: boolean;
  readonly name: string;
};

/**
 * `${NAME}`, `${NAME:-default}`, and the `{stage}` of secret names, which is kept: it is here because YAML would read its
 * braces as a mapping inside `{ ref: sallyport/{stage}/… }`.
 */
export const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:\{stage\}|[^}\r\n])*))?\}|\{stage\}/g;

/** What the lexer adds to the text's own tokens: a scalar follows; a document begins; a flow collection ends. */
const SCALAR_FOLLOWS = '\u001f';
const OTHER_MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018']);

/**
 * Resolves `${NAME}` and `${NAME:-default}` in the scalars of a YAML text; the default also stands in for an empty
 * variable, as in a shell. Comments are left alone. A value can never change the structure of the document: where its
 * characters would, the scalar is written in double quotes. Lines keep their numbers, unless a value with line breaks
 * stands in a block scalar. Does not check that the text is valid YAML.
 */
export function interpolate(text: string, env: Variables): Interpolated {
  const references = findReferences(text, env);
  if (references.length === 0) return { text, missing: [] };
  const mask = unusedCharacter(text);
  const out: string[] = [];
  const missing: MissingVariable[] = [];
  let offset = 0;
  let isBlock = false;
  let isUnquoted = false;
  for (const token of new Lexer().lex(maskReferences(text, references, mask))) {
    if (token === SCALAR_FOLLOWS) {
      isUnquoted = true;
      continue;
    }
    if (OTHER_MARKS.has(token)) continue;
    const style = isUnquoted ? (isBlock ? 'block' : 'plain') : /^["']/.test(token) ? 'quoted' : 'other';
    isBlock = !isUnquoted && (isBlock || /^[|>]/.test(token));
    isUnquoted = false;
    const source = text.slice(offset, offset + token.length);
    const inside = references.filter((r) => r.start >= offset && r.start < offset + token.length);
    if (inside.length === 0 || style === 'other') out.push(source);
    else {
      out.push(substitute(style, source, token, offset, inside, mask));
      for (const { name, start } of inside.filter((r) => r.isMissing)) {
        missing.push({ name, line: text.slice(0, start).split('\n').length });
      }
    }
    offset += token.length;
  }
  return { text: out.join(''), missing };
}

function substitute(
  style: 'plain' | 'quoted' | 'block',
  source: string,
  token: string,
  offset: number,
  references: readonly Reference[],
  mask: string,
): string {
  if (style === 'block') {
    return splice(source, offset, references, (value, before) => {
      const indent = String(/(?:^|\n)([ \t]*)[^\n]*$/.exec(before)?.[1]);
      return value.replaceAll('\n', `\n${indent}`);
    });
  }
  const written = splice(source, offset, references, (value) => value);
  // In quotes, only these characters can end the scalar or begin an escape. Of a control character in plain text it depends on what
  // follows the scalar how it is read: a carriage return before the end of the line is part of that.
  const harmful = style === 'quoted' ? /["'\\\p{Cc}]/u : /\p{Cc}/u;
  const isSafe =
    references.every(({ value }) => !harmful.test(value)) && (style === 'quoted' || isPlain(written));
  return isSafe ? written : JSON.stringify(unmask(decode(token), references, mask));
}

/** Is this text one plain scalar wherever it stands, and read back as it is written? */
function isPlain(text: string): boolean {
  const document = parseDocument(`[${text}]`);
  if (document.errors.length > 0 || !isSeq(document.contents)) return false;
  const [item, ...rest] = document.contents.items;
  return rest.length === 0 && isScalar(item) && item.type === 'PLAIN' && item.source === text;
}

function decode(token: string): string {
  return String(parse(token, { schema: 'failsafe', logLevel: 'silent' }));
}

function splice(
  source: string,
  offset: number,
  references: readonly Reference[],
  write: (value: string, before: string) => string,
): string {
  let out = '';
  let end = 0;
  for (const reference of references) {
    out += source.slice(end, reference.start - offset);
    out += write(reference.value, out);
    end = reference.start - offset + reference.source.length;
  }
  return out + source.slice(end);
}

function unmask(decoded: string, references: readonly Reference[], mask: string): string {
  let out = decoded;
  let from = 0;
  for (const { source, value } of references) {
    const at = out.indexOf(mask, from);
    out = out.slice(0, at) + value + out.slice(at + source.length);
    from = at + value.length;
  }
  return out;
}

/** Masking keeps every offset, so the lexer's tokens can be cut from the original text. */
function maskReferences(text: string, references: readonly Reference[], mask: string): string {
  return splice(
    text,
    0,
    references.map((reference) => ({ ...reference, value: mask.repeat(reference.source.length) })),
    (value) => value,
  );
}

/** A character that the text does not have and that YAML reads as a letter. */
function unusedCharacter(text: string): string {
  let code = 0xe000;
  while (text.includes(String.fromCharCode(code))) code += 1;
  return String.fromCharCode(code);
}

function findReferences(text: string, env: Variables): Reference[] {
  return Array.from(text.matchAll(REFERENCE), (match) => {
    const [source, name, fallback] = match;
    const set = name !== undefined && Object.hasOwn(env, name) ? env[name] : undefined;
    const resolved = fallback === undefined ? set : set || fallback;
    return {
      start: match.index,
      source,
      name: name ?? '',
      value: resolved ?? source,
      isMissing: name !== undefined && resolved === undefined,
    };
  });
}
