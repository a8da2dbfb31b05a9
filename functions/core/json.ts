import { err, ok, type Result } from './result.ts';

/** A number as it was written. Its lexeme survives parsing and writing, so no digit is lost on the way through. */
export class JsonNumber {
  readonly lexeme: string;

  constructor(lexeme: string) {
    this.lexeme = lexeme;
  }

  toNumber(): number {
    return Number(this.lexeme);
  }
}

/** A JSON object as a map: no prototype, members in their order. */
export type JsonObject = ReadonlyMap<string, Json>;

/** A parsed JSON value. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

/** Why bytes are not the JSON that we accept; `at` is the offset in UTF-16 units, -1 where there is none. */
export type JsonRefusal = { readonly reason: 'json'; readonly detail: string; readonly at: number };

/** What JSON is held to, beside what {@link parseJson} refuses in any case. */
export type JsonOptions = {
  readonly maxDepth: number;
  /** Values of every kind, at every depth; 200,000 where nothing is said. A value in memory is many times its text. */
  readonly maxValues?: number;
  /** `keep` admits members that differ in case alone (answers of servers), never exact duplicates. */
  readonly caseVariants: 'refuse' | 'keep';
};

const MAX_VALUES = 200_000;

/** What a request is held to: depth 64, no case variants (contract §6). */
export const STRICT_JSON: JsonOptions = {
  maxDepth: 64,
  maxValues: MAX_VALUES,
  caseVariants: 'refuse',
};

/** What a server's answer is held to. */
export const ANSWER_JSON: JsonOptions = { maxDepth: 256, maxValues: 1_000_000, caseVariants: 'keep' };

/**
 * Parses exactly one JSON text (RFC 8259) and refuses what two parsers could read differently: a byte order mark, invalid
 * UTF-8, lone surrogates, duplicate members, members equal but for case (also `ſ`, `İ` and the Kelvin sign), nesting beyond
 * `maxDepth`, more than `maxValues`, bytes after the value. Numbers keep their lexeme. Sizes are the caller's to bound.
 */
export function parseJson(bytes: Uint8Array, options: JsonOptions = STRICT_JSON): Result<Json, JsonRefusal> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return err({ reason: 'json', detail: 'invalid UTF-8', at: -1 });
  }
  return parseJsonText(text, options);
}

/** {@link parseJson} for text that is already decoded. */
export function parseJsonText(text: string, options: JsonOptions = STRICT_JSON): Result<Json, JsonRefusal> {
  try {
    return ok(new Parser(text, options).document());
  } catch (error) {
    if (error instanceof Syntax) return err({ reason: 'json', detail: error.message, at: error.at });
    throw error;
  }
}

/**
 * Writes a value as compact JSON: members in their order, numbers by their lexemes. The line breaks of Unicode are escaped, for readers
 * of event streams and of lines that break lines there too.
 */
export function writeJson(value: Json): string {
  const text = write(value);
  // Outside strings JSON has none of them.
  return LINE_BREAK.test(text) ? text.replace(/[\u0085\u2028\u2029]/g, escapeUnit) : text;
}

function write(value: Json): string {
  if (value instanceof JsonNumber) return value.lexeme;
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (isJsonObject(value)) {
    return `{${Array.from(value, ([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Is the value an object? */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

/** Is the value an array? */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The string member `name` of an object; undefined where it is absent or of another type. */
export function stringMember(object: Json | undefined, name: string): string | undefined {
  const member = isJsonObject(object) ? object.get(name) : undefined;
  return typeof member === 'string' ? member : undefined;
}

/** The member `name` of an object; undefined where it is absent or the value is no object. */
export function member(object: Json | undefined, name: string): Json | undefined {
  return isJsonObject(object) ? object.get(name) : undefined;
}

/**
 * Equal for names that a case-insensitive reader takes for one another. `ẞ` gets to `ss` only by way of `ß`; `İ` is an `i` to readers
 * that fold letter by letter, with or without the dot that is left over. What is folded is its own folding.
 */
export function foldName(name: string): string {
  if (LOWER_CASE_ASCII.test(name)) return name;
  return name
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replace(/i\u0307+/g, 'i');
}

class Syntax extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const LINE_BREAK = /[\u0085\u2028\u2029]/;

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 names these as the ones that must be escaped
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const WHITE_SPACE = /[ \t\n\r]*/y;
const LOWER_CASE_ASCII = /^[ -@[-~]*$/;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

class Parser {
  readonly #text: string;
  readonly #options: JsonOptions;
  #at = 0;
  #valuesLeft: number;

  constructor(text: string, options: JsonOptions) {
    this.#text = text;
    this.#options = options;
    this.#valuesLeft = options.maxValues ?? MAX_VALUES;
  }

  document(): Json {
    if (this.#text.startsWith('\uFEFF')) this.#fail('byte order mark');
    this.#skipWhiteSpace();
    const value = this.#value(0);
    this.#skipWhiteSpace();
    if (this.#at !== this.#text.length) this.#fail('text after the value');
    return value;
  }

  #value(depth: number): Json {
    this.#valuesLeft -= 1;
    if (this.#valuesLeft < 0) this.#fail('too many values');
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#literal('true', true);
      case 'f':
        return this.#literal('false', false);
      case 'n':
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const members = new Map<string, Json>();
    // The foldings of names that are not their own; of all others `members` knows.
    let folded: Set<string> | undefined;
    if (this.#closes('}')) return members;
    do {
      this.#skipWhiteSpace();
      if (this.#text[this.#at] !== '"') this.#fail('a member name is expected');
      const name = this.#string();
      if (members.has(name)) this.#fail('duplicate member');
      const key = this.#options.caseVariants === 'refuse' ? foldName(name) : name;
      if (folded?.has(key) || (key !== name && members.has(key)))
        this.#fail('members that differ in case alone');
      if (key !== name) folded = (folded ?? new Set()).add(key);
      this.#skipWhiteSpace();
      if (this.#text[this.#at] !== ':') this.#fail('a colon is expected');
      this.#at += 1;
      this.#skipWhiteSpace();
      members.set(name, this.#value(depth));
    } while (this.#continues('}'));
    return members;
  }

  #array(depth: number): readonly Json[] {
    this.#enter(depth);
    const items: Json[] = [];
    if (this.#closes(']')) return items;
    do {
      this.#skipWhiteSpace();
      items.push(this.#value(depth));
    } while (this.#continues(']'));
    return items;
  }

  #enter(depth: number): void {
    if (depth > this.#options.maxDepth) this.#fail('nested too deep');
    this.#at += 1;
  }

  #closes(bracket: string): boolean {
    this.#skipWhiteSpace();
    if (this.#text[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #continues(bracket: string): boolean {
    if (this.#closes(bracket)) return false;
    if (this.#text[this.#at] !== ',') this.#fail('a comma or a closing bracket is expected');
    this.#at += 1;
    return true;
  }

  #string(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#match(PLAIN_CHARACTERS);
      const next = this.#text[this.#at];
      if (next === '"') break;
      if (next !== '\\') this.#fail('an unfinished string or a bare control character');
      value += this.#escape();
    }
    this.#at += 1;
    if (!value.isWellFormed()) this.#fail('lone surrogate');
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    const plain = ESCAPES.get(letter);
    if (plain !== undefined) {
      this.#at += 2;
      return plain;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('unknown escape');
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): JsonNumber {
    const lexeme = this.#match(NUMBER);
    if (lexeme === '') this.#fail('a value is expected');
    return new JsonNumber(lexeme);
  }

  #literal<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value is expected');
    this.#at += word.length;
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [matched = ''] = pattern.exec(this.#text) ?? [];
    this.#at += matched.length;
    return matched;
  }

  #skipWhiteSpace(): void {
    this.#match(WHITE_SPACE);
  }

  #fail(message: string): never {
    throw new Syntax(message, this.#at);
  }
}
