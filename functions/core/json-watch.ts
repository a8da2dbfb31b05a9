import { foldName } from './json.ts';

/** What is looked for at one place of a JSON text, and below it. */
export type Watched = {
  /** What is looked for in a member, by its folded name. */
  readonly member?: (name: string) => Watched | undefined;
  /** What is looked for in an item of an array. */
  readonly item?: () => Watched;
  /** Told of a string; undefined where it is too long, or cannot be read. */
  readonly text?: (text: string | undefined) => void;
  /** Told of what is a number, a literal, or nothing of JSON; undefined where it is too long. */
  readonly scalar?: (lexeme: string | undefined) => void;
};

/** Longer names, URLs and numbers than this are nobody's. */
const MAX_TOKEN_BYTES = 16_384;
/** No answer that is honest comes near it. */
const MAX_DEPTH = 4_096;
/** So much is looked through byte by byte, before it is searched. */
const SHORT_BYTES = 32;
const [TAB, LF, CR, SPACE, QUOTE, COMMA, COLON] = [9, 10, 13, 32, 34, 44, 58];
const [OPEN_ARRAY, BACKSLASH, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [91, 92, 93, 123, 125];
const PLAIN = /^[ !#-[\]-~]*$/;
/** Of a byte order mark, of which there may be any number before the text. */
const OF_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

type Place = 'start' | 'value' | 'item or end' | 'name or end' | 'name' | 'colon' | 'after' | 'whole';
type Container = { readonly isObject: boolean; readonly watched: Watched | undefined };
type Token = 'none' | 'name' | 'string' | 'scalar';

/**
 * Walks through a JSON text of any size as it passes, in whatever pieces, and tells of what stands where it is watched: each time, where a
 * member is there twice, under a name that differs in case as well. It keeps no more of the text than one name or value. What readers differ
 * about does not stop it: numbers, escapes and lone surrogates are not looked at elsewhere. Where it cannot go on it is `isLost`.
 */
export class JsonWatch {
  readonly #root: Watched;
  #place: Place = 'start';
  readonly #open: Container[] = [];
  #next: Watched | undefined;
  #token: Token = 'none';
  /** Somebody is to be told of the token. */
  #isKept = false;
  #pieces: Buffer[] = [];
  #tokenBytes = 0;
  #isEscaped = false;
  #isLost = false;

  constructor(root: Watched) {
    this.#root = root;
    this.#next = root;
  }

  /** This is no JSON, to the point to which it was walked through. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** All of one JSON text has passed. */
  get isWhole(): boolean {
    return this.#place === 'whole' && !this.#isLost;
  }

  /** Nothing has passed, or white space. */
  get isEmpty(): boolean {
    return this.#place === 'start' && !this.#isLost;
  }

  /** Begins with another text. */
  reset(): void {
    this.#place = 'start';
    this.#open.length = 0;
    this.#next = this.#root;
    this.#token = 'none';
    this.#pieces = [];
    this.#isEscaped = false;
    this.#isLost = false;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isLost) {
      if (this.#token === 'none') at = this.#between(bytes, at);
      else at = this.#token === 'scalar' ? this.#scalar(bytes, at) : this.#string(bytes, at);
    }
  }

  /** Nothing more comes: a number may end here. */
  end(): void {
    if (this.#token === 'scalar') this.#endToken();
  }

  /** Goes to where a token begins that takes more than a look, and gives the place of what is in it. */
  #between(bytes: Buffer, start: number): number {
    let at = start;
    for (let byte = bytes[at]; byte !== undefined; byte = bytes[at]) {
      const isSpace = byte === SPACE || byte === LF || byte === CR || byte === TAB;
      if (isSpace || (this.#place === 'start' && OF_MARK.includes(byte))) {
        at += 1;
      } else if (byte === QUOTE) {
        this.#beginToken(true);
        const end = this.#isLost ? -1 : endOfShort(bytes, at + 1);
        if (end === -1) return at + 1;
        this.#endToken(this.#isKept ? bytes.toString('utf8', at + 1, end - 1) : undefined);
        at = end;
      } else if (isOfScalar(byte)) {
        this.#beginToken(false);
        return at;
      } else {
        this.#structure(byte);
        if (this.#isLost) return at;
        at += 1;
      }
    }
    return at;
  }

  #structure(byte: number): void {
    const within = this.#open.at(-1);
    const place = this.#place;
    if (byte === COMMA && place === 'after') {
      this.#place = within?.isObject === true ? 'name' : 'value';
      this.#next = within?.isObject === true ? undefined : within?.watched?.item?.();
    } else if (byte === COLON && place === 'colon') {
      this.#place = 'value';
    } else if ((byte === OPEN_OBJECT || byte === OPEN_ARRAY) && this.#mayHaveValue()) {
      const isObject = byte === OPEN_OBJECT;
      this.#open.push({ isObject, watched: this.#next });
      this.#place = isObject ? 'name or end' : 'item or end';
      this.#next = isObject ? undefined : this.#next?.item?.();
      this.#isLost = this.#open.length > MAX_DEPTH;
    } else if (
      within !== undefined &&
      byte === (within.isObject ? CLOSE_OBJECT : CLOSE_ARRAY) &&
      (place === 'after' || place === (within.isObject ? 'name or end' : 'item or end'))
    ) {
      this.#open.pop();
      this.#endValue();
    } else {
      this.#isLost = true;
    }
  }

  #mayHaveValue(): boolean {
    return this.#place === 'value' || this.#place === 'item or end' || this.#place === 'start';
  }

  #endValue(): void {
    this.#place = this.#open.length === 0 ? 'whole' : 'after';
  }

  #beginToken(isString: boolean): void {
    const isName = isString && (this.#place === 'name' || this.#place === 'name or end');
    this.#isLost = !isName && !this.#mayHaveValue();
    const of = isName ? this.#open.at(-1)?.watched?.member : isString ? this.#next?.text : this.#next?.scalar;
    this.#token = isName ? 'name' : isString ? 'string' : 'scalar';
    this.#isKept = of !== undefined;
    this.#tokenBytes = 0;
  }

  #string(bytes: Buffer, start: number): number {
    let at = start;
    for (;;) {
      const quote = bytes.indexOf(QUOTE, at);
      const end = quote === -1 ? bytes.length : quote;
      let first = end;
      while (first > at && bytes[first - 1] === BACKSLASH) first -= 1;
      // An escape that began before all of this is part of it where nothing stands between.
      const isOdd = (end - first + (first === at && this.#isEscaped ? 1 : 0)) % 2 === 1;
      if (quote === -1) {
        this.#isEscaped = isOdd;
        this.#keep(bytes, start, bytes.length);
        return bytes.length;
      }
      this.#isEscaped = false;
      if (!isOdd) {
        this.#keep(bytes, start, quote);
        this.#endToken();
        return quote + 1;
      }
      at = quote + 1;
    }
  }

  #scalar(bytes: Buffer, start: number): number {
    let at = start;
    for (let byte = bytes[at]; byte !== undefined && isOfScalar(byte); byte = bytes[at]) at += 1;
    this.#keep(bytes, start, at);
    if (at < bytes.length) this.#endToken();
    return at;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    if (!this.#isKept) return;
    this.#tokenBytes += end - start;
    if (this.#tokenBytes <= MAX_TOKEN_BYTES) this.#pieces.push(bytes.subarray(start, end));
  }

  /** `short`: what is in a token of which nothing was kept before. */
  #endToken(short?: string): void {
    const token = this.#token;
    this.#token = 'none';
    const raw = short ?? this.#takeKept();
    const text = raw === undefined || token === 'scalar' ? raw : unquoted(raw);
    if (token === 'name') {
      this.#place = 'colon';
      this.#next = text === undefined ? undefined : this.#open.at(-1)?.watched?.member?.(foldName(text));
      // An escape that is none of JSON's is one to some readers.
      this.#isLost = raw !== undefined && text === undefined;
      return;
    }
    if (token === 'string') this.#next?.text?.(text);
    else this.#next?.scalar?.(text);
    this.#endValue();
  }

  #takeKept(): string | undefined {
    if (!this.#isKept) return undefined;
    const raw = this.#tokenBytes <= MAX_TOKEN_BYTES ? Buffer.concat(this.#pieces).toString() : undefined;
    this.#pieces = [];
    return raw;
  }
}

/** Behind a string of a few bytes that is all there and has no escape; −1 for another. */
function endOfShort(bytes: Buffer, start: number): number {
  for (let at = start; at < start + SHORT_BYTES; at += 1) {
    if (bytes[at] === QUOTE) return at + 1;
    if (bytes[at] === BACKSLASH) return -1;
  }
  return -1;
}

/** What is in a string, by its text between the quotes; undefined where that is none of JSON's. */
function unquoted(raw: string): string | undefined {
  if (PLAIN.test(raw)) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return undefined;
  }
}

/** Of a number or a literal: letters, digits, and what numbers have. */
function isOfScalar(byte: number): boolean {
  return (
    (byte >= 48 && byte <= 57) ||
    (byte >= 97 && byte <= 122) ||
    (byte >= 65 && byte <= 90) ||
    byte === 45 ||
    byte === 46 ||
    byte === 43
  );
}
