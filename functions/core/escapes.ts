import { codeOfEntity, MAX_ENTITY_BYTES } from './entities.ts';

/** Bytes as a reader understands them, and where each was written. */
export type Unescaped = {
  readonly bytes: Buffer;
  /** From here on an escape may be unfinished; the length where none is. An index into `bytes`. */
  readonly settled: number;
  /** Where the byte at `index` begins in the source, with its backslashes; for the length, where the unfinished rest begins. */
  startOf(index: number): number;
};

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const LETTER_U = 0x75;
const LETTER_X = 0x78;
/** So far one character may be written: a longer one is left as it stands, so that what waits for its end is bounded. */
const MAX_WRITTEN_BYTES = 128;
/** An escape that is open reaches over this many bytes at most: `\u` and four digits. */
const MAX_HEX_BYTES = 5;
/** Beside where a byte begins in the source, which is shorter than this: a `u` or `x` that opens an escape. */
const OPENER = 0x8000_0000;
/** Likewise: a backslash stands before this byte that is not of its own escape, and belongs to what comes of it. */
const ESCAPED = 0x4000_0000;
const START = 0x3fff_ffff;

/** What a byte does to what stands before it: nothing, ends a number, ends an entity, or opens an escape. */
const PLAIN = 0;
const HEX = 1;
const OPENS = 2;
const CLASSES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === BACKSLASH || byte === PERCENT || byte === SEMICOLON) return OPENS;
  return hexValue(byte) >= 0 ? HEX : PLAIN;
});

/** `\n` and its like (RFC 8259 §7). */
const CONTROLS: ReadonlyMap<number, number> = new Map(
  [...'b\bf\fn\nr\rt\t'.matchAll(/(.)(.)/gs)].map(([, letter = '', control = '']) => [
    letter.charCodeAt(0),
    control.charCodeAt(0),
  ]),
);

/**
 * Takes the escapes of JSON, URLs and HTML away, one in another to any depth, in one pass: `%XX`, `\uXXXX`, `\xXX`, `\n` and its like,
 * `&#…;` and the named entities of ASCII. Backslashes are gone from the result, whatever they stood for, but for long runs of them. It says what a text may mean to
 * some reader and is for comparing two texts that were both read so; it is not what any one reader makes of it.
 */
export function readEscapes(source: Buffer): Unescaped {
  const isPlain = !(source.includes(BACKSLASH) || source.includes(PERCENT) || source.includes(AMPERSAND));
  if (isPlain) return { bytes: source, settled: source.length, startOf: (index) => index };
  return new Reduction(source).read();
}

/** A text that is written byte by byte; where an escape ends, what it stands for takes its place and may end another one. */
class Reduction {
  readonly #source: Buffer;
  readonly #bytes: Buffer;
  readonly #starts: Uint32Array;
  #length = 0;
  /** Where backslashes begin that belong to what follows; -1 where none do. */
  #slashesAt = -1;
  /** One of them came of an escape. */
  #isDecoded = false;
  /** One as it is written stands behind that: it begins another escape, whose result is what the first belongs to. */
  #isDoubled = false;
  /** Up to this length a digit may end an escape. */
  #openUntil = -1;
  #at = 0;

  constructor(source: Buffer) {
    this.#source = source;
    this.#bytes = Buffer.allocUnsafe(source.length);
    this.#starts = new Uint32Array(source.length);
  }

  read(): Unescaped {
    const source = this.#source;
    const bytes = this.#bytes;
    const starts = this.#starts;
    let length = 0;
    for (let at = 0; at < source.length; at += 1) {
      const byte = Number(source[at]);
      const kind = CLASSES[byte];
      if (this.#slashesAt < 0 && (kind === PLAIN || (kind === HEX && length > this.#openUntil))) {
        bytes[length] = byte;
        starts[length] = at;
        length += 1;
      } else {
        this.#at = at;
        this.#length = length;
        this.#emit(byte, at);
        length = this.#length;
      }
    }
    this.#length = length;
    const restAt = this.#slashesAt >= 0 ? this.#slashesAt : source.length;
    return {
      bytes: bytes.subarray(0, length),
      settled: this.#settled(),
      startOf: (index) => (index < length ? Number(starts[index]) & START : restAt),
    };
  }

  #emit(byte: number, at: number): void {
    if (byte === BACKSLASH) {
      this.#addSlash(at);
      return;
    }
    const isEscaped = this.#slashesAt >= 0;
    const start = isEscaped ? this.#slashesAt : at;
    const isDoubled = isEscaped && this.#isDoubled;
    this.#slashesAt = -1;
    const opens = isEscaped && (byte === LETTER_U || byte === LETTER_X);
    const isWaiting = isDoubled || (isEscaped && (byte === PERCENT || byte === AMPERSAND));
    this.#put(
      (isEscaped ? CONTROLS.get(byte) : undefined) ?? byte,
      start + (opens ? OPENER : 0) + (isWaiting ? ESCAPED : 0),
    );
    if (opens || byte === PERCENT) this.#openUntil = this.#length + MAX_HEX_BYTES;
    else if (byte === SEMICOLON) this.#endEntity();
    else if (hexValue(byte) >= 0) this.#endNumber();
  }

  #addSlash(at: number): void {
    const isDecoded = at !== this.#at;
    const begins = this.#slashesAt < 0 || at - this.#slashesAt >= MAX_WRITTEN_BYTES;
    if (!begins) {
      this.#isDoubled ||= this.#isDecoded && !isDecoded;
      this.#isDecoded ||= isDecoded;
      return;
    }
    // So many belong to nothing.
    if (this.#slashesAt >= 0) this.#put(BACKSLASH, this.#slashesAt);
    this.#slashesAt = at;
    this.#isDecoded = isDecoded;
    this.#isDoubled = false;
  }

  #put(byte: number, start: number): void {
    this.#bytes[this.#length] = byte;
    this.#starts[this.#length] = start;
    this.#length += 1;
  }

  #is(flag: number, index: number): boolean {
    return (Number(this.#starts[index]) & flag) !== 0;
  }

  #endNumber(): void {
    const length = this.#length;
    const isPercent = length >= 3 && this.#bytes[length - 3] === PERCENT;
    const isByte = this.#bytes[length - 3] === LETTER_X && this.#is(OPENER, length - 3);
    if (isPercent || isByte) {
      const value = this.#hexBetween(length - 2, length);
      if (value >= 0) this.#replace(length - 3, [value]);
    } else if (this.#bytes[length - 5] === LETTER_U && this.#is(OPENER, length - 5)) {
      const value = this.#hexBetween(length - 4, length);
      if (value >= 0) this.#replace(length - 5, encodeUnit(value));
    }
  }

  #endEntity(): void {
    const end = this.#length - 1;
    const farthest = Math.max(0, end - MAX_ENTITY_BYTES);
    let from = end - 1;
    while (from >= farthest && this.#bytes[from] !== AMPERSAND) from -= 1;
    if (from < farthest) return;
    const name = this.#bytes.toString('latin1', from + 1, end);
    const code = codeOfEntity(name);
    if (code === undefined) return;
    this.#replace(from, code < 0x10000 ? encodeUnit(code) : Buffer.from(String.fromCodePoint(code)));
  }

  /** The number that the digits from here to there are; -1 where one of them is none. */
  #hexBetween(from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at += 1) {
      const digit = hexValue(Number(this.#bytes[at]));
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  #replace(from: number, value: ArrayLike<number>): void {
    const start = Number(this.#starts[from]) & START;
    if (this.#at - start >= MAX_WRITTEN_BYTES) return;
    if (this.#is(ESCAPED, from)) this.#escapeAgain(start);
    this.#length = from;
    const bytes = Array.from(value);
    if (bytes.length === 1) {
      for (const byte of bytes) this.#emit(byte, start);
      return;
    }
    for (const byte of bytes) this.#put(byte, start);
    this.#joinSurrogates();
  }

  /** What an escape stood for is escaped by the backslash before that. */
  #escapeAgain(start: number): void {
    this.#slashesAt = start;
    this.#isDecoded = true;
    this.#isDoubled = false;
  }

  /** Two surrogates, each written in three bytes, are one character in four. */
  #joinSurrogates(): void {
    const from = this.#length - 6;
    if (from < 0) return;
    if (!this.#isSurrogate(from, 0xa0) || !this.#isSurrogate(from + 3, 0xb0)) return;
    const bits = (at: number) =>
      ((this.#bytes.readUInt8(at + 1) & 0x0f) << 6) | (this.#bytes.readUInt8(at + 2) & 0x3f);
    const high = bits(from);
    const low = bits(from + 3);
    const start = Number(this.#starts[from]) & START;
    this.#length = from;
    for (const byte of Buffer.from(String.fromCodePoint(0x10000 + (high << 10) + low)))
      this.#put(byte, start);
  }

  #settled(): number {
    const open = this.#unfinishedEscape();
    // The first half of a surrogate pair waits for what comes next.
    return open >= 3 && this.#isSurrogate(open - 3, 0xa0) ? open - 3 : open;
  }

  /** Do the three bytes from here on begin as a surrogate does of the first (0xa0) or the second (0xb0) half? */
  #isSurrogate(from: number, half: number): boolean {
    return this.#bytes.readUInt8(from) === 0xed && (this.#bytes.readUInt8(from + 1) & 0xf0) === half;
  }

  /** From right to left: what is unfinished may be what another one ends with. */
  #unfinishedEscape(): number {
    let open = this.#length;
    // What is longer by now will be read as no character.
    const oldest = this.#source.length - MAX_WRITTEN_BYTES;
    const mayReach = (at: number) =>
      at >= 0 && at >= open - MAX_ENTITY_BYTES && (Number(this.#starts[at]) & START) > oldest;
    for (let at = open - 1; mayReach(at); at -= 1) {
      if (this.#isUnfinished(at, open)) open = at;
    }
    return open;
  }

  /** Does an escape begin here that goes on behind `end`? */
  #isUnfinished(at: number, end: number): boolean {
    const byte = this.#bytes[at];
    const digits = end - at - 1;
    if (byte === AMPERSAND) return /^[#0-9A-Za-z]*$/.test(this.#bytes.toString('latin1', at + 1, end));
    const isOpen = byte === PERCENT || this.#is(OPENER, at);
    return isOpen && digits < (byte === LETTER_U ? 4 : 2) && this.#hexBetween(at + 1, end) >= 0;
  }
}

/** A UTF-16 unit in UTF-8; a surrogate in three bytes, as it stands. */
function encodeUnit(unit: number): readonly number[] {
  if (unit < 0x80) return [unit];
  if (unit < 0x800) return [0xc0 | (unit >> 6), 0x80 | (unit & 0x3f)];
  return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
