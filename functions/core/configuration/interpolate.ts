import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import { err, ok, type Result } from '../result.ts';
import { lineCounter } from './line-counter.ts';
import { parseYaml, type YamlError } from './yaml-events.ts';

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
 * braces as a mapping inside `{ ref: sallyport/{stage}/… }`. A default has no reference in it.
 */
export const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:\{stage\}|(?!\$\{)[^}\r\n])*))?\}|\{stage\}/g;

/** What stands in double quotes as an escape alone (YAML 1.2 §5.1), beyond what JSON escapes. */
const NOT_PRINTABLE = /[\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]/u;

/**
 * Resolves `${NAME}` and `${NAME:-default}` in the scalars of a YAML text; the default also stands in for an empty
 * variable, as in a shell. Comments are left alone. A value can never change the structure of the document: where its
 * characters would, the scalar is written in double quotes. Lines keep their numbers, unless a value with line breaks stands in a
 * block scalar, or a text of several lines has to be written in quotes. Where the text, its references taken for words, is no YAML,
 * the error is told, and nothing is resolved.
 */
export function interpolate(text: string, env: Variables): Result<Interpolated, YamlError> {
  const references = findReferences(text, env);
  if (references.length === 0) return ok({ text, missing: [] });
  const mask = unusedCharacter(text);
  const masked = maskReferences(text, references, mask);
  const parsed = parseYaml(masked);
  if (!parsed.ok) return parsed.error.message.includes(mask) ? err(misplaced(parsed.error.line)) : parsed;
  const lineAt = lineCounter(text);
  const name = parsed.value.flatMap(namesOf).find(([start, end]) => masked.slice(start, end).includes(mask));
  if (name !== undefined) return err(misplaced(lineAt(name[0])));
  let out = '';
  const missing: MissingVariable[] = [];
  let end = 0;
  let at = 0;
  for (const scalar of parsed.value.filter(isScalar)) {
    const inside: Reference[] = [];
    for (
      let next = references[at];
      next !== undefined && next.start < scalar.valueEnd;
      next = references[at]
    ) {
      if (next.start >= scalar.valueStart) inside.push(next);
      at += 1;
    }
    if (inside.length === 0) continue;
    const isQuoted = QUOTED.has(scalar.style);
    const from = isQuoted ? scalar.valueStart - 1 : scalar.valueStart;
    const written = substitute(text, masked, scalar, inside, mask);
    if (isBlock(scalar) && !isAsFarIn(written, masked.slice(scalar.valueStart, scalar.valueEnd))) {
      const message =
        'a value that begins with a space cannot begin a text of lines; write the text in quotes';
      return err({ line: lineAt(scalar.valueStart), message });
    }
    out += text.slice(end, from) + written;
    end = isQuoted ? scalar.valueEnd + 1 : scalar.valueEnd;
    for (const { name, start } of inside.filter((r) => r.isMissing)) {
      missing.push({ name, line: lineAt(start) });
    }
  }
  return ok({ text: out + text.slice(end), missing });
}

function misplaced(line: number): YamlError {
  return { line, message: 'write an anchor, an alias or a tag without variables' };
}

/** Where the anchor and the tag of a value stand, or the name of an alias. */
function namesOf(event: Event): readonly (readonly [start: number, end: number])[] {
  if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return [];
  const anchor = [event.anchorStart, event.anchorEnd] as const;
  return event.type === EVENT_ID.ALIAS ? [anchor] : [anchor, [event.tagStart, event.tagEnd]];
}

const QUOTED: ReadonlySet<number> = new Set([SCALAR_STYLE.SINGLE_QUOTED, SCALAR_STYLE.DOUBLE_QUOTED]);

function isScalar(event: Event): event is ScalarEvent {
  return event.type === EVENT_ID.SCALAR;
}

function isBlock({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK;
}

/** Does a text of lines begin as far in as it did? What is less far in than its beginning is no part of it. */
function isAsFarIn(written: string, before: string): boolean {
  const [, indentation] = FIRST_LINE.exec(written) ?? [];
  return indentation === undefined || indentation === FIRST_LINE.exec(before)?.[1];
}

/** The first line that is not blank, with its indentation. */
const FIRST_LINE = /^(?:[ \t]*\r?\n)*([ \t]*)[^ \t\r\n]/;

/** The scalar as it is written with its variables resolved, with its quotes. */
function substitute(
  text: string,
  masked: string,
  scalar: ScalarEvent,
  references: readonly Reference[],
  mask: string,
): string {
  const offset = scalar.valueStart;
  const source = text.slice(offset, scalar.valueEnd);
  const isQuoted = QUOTED.has(scalar.style);
  if (isBlock(scalar)) {
    let indentation = '';
    return splice(source, offset, references, (value, before) => {
      const lineStart = before.lastIndexOf('\n') + 1;
      if (lineStart > 0 || indentation === '') indentation = String(/^[ \t]*/.exec(before.slice(lineStart)));
      return value.replaceAll(/\r\n?|\n/g, `\n${indentation}`);
    });
  }
  const written = splice(source, offset, references, (value) => value);
  // In quotes, only these characters can end the scalar or begin an escape. Of a control character in plain text it depends on what
  // follows the scalar how it is read: a carriage return before the end of the line is part of that.
  const isPrintable = references.every(({ value }) => !NOT_PRINTABLE.test(value));
  const isSafe =
    isPrintable && (isQuoted ? references.every(({ value }) => !/["'\\]/.test(value)) : isPlain(written));
  if (!isSafe) return quote(unmask(getScalarValue(masked, scalar), references, mask));
  return isQuoted ? `${text.charAt(offset - 1)}${written}${text.charAt(scalar.valueEnd)}` : written;
}

/** Is this text one plain scalar wherever it stands, and read back as it is written? At the beginning of a line, dashes may begin a document. */
function isPlain(text: string): boolean {
  if (/^(?:---|\.\.\.)/.test(text)) return false;
  const parsed = parseYaml(`[${text}]`);
  if (!parsed.ok) return false;
  const scalars = parsed.value.filter(isScalar);
  const [scalar] = scalars;
  return (
    scalar?.style === SCALAR_STYLE.PLAIN &&
    // The document and the list begin and end.
    parsed.value.length === scalars.length + 4 &&
    scalars.length === 1 &&
    getScalarValue(`[${text}]`, scalar) === text
  );
}

function quote(value: string): string {
  const characters = Array.from(JSON.stringify(value), (character) =>
    NOT_PRINTABLE.test(character) ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character,
  );
  return characters.join('');
}

function splice(
  source: string,
  offset: number,
  references: readonly Reference[],
  /** Given what stands between the reference and the one before. */
  write: (value: string, before: string) => string,
): string {
  let out = '';
  let end = 0;
  for (const reference of references) {
    const before = source.slice(end, reference.start - offset);
    out += before + write(reference.value, before);
    end = reference.start - offset + reference.source.length;
  }
  return out + source.slice(end);
}

function unmask(decoded: string, references: readonly Reference[], mask: string): string {
  let out = '';
  let end = 0;
  for (const { source, value } of references) {
    const at = decoded.indexOf(mask, end);
    out += decoded.slice(end, at) + value;
    end = at + source.length;
  }
  return out + decoded.slice(end);
}

/** Masking keeps every offset, so what a scalar covers can be cut from the original text. */
function maskReferences(text: string, references: readonly Reference[], mask: string): string {
  return splice(
    text,
    0,
    references.map((reference) => ({ ...reference, value: mask.repeat(reference.source.length) })),
    (value) => value,
  );
}

/** A character that the text does not have and that YAML reads as a letter. */
export function unusedCharacter(text: string): string {
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
