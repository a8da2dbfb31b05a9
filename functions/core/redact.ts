import { type Base64Trace, base64Traces, isBase64, joinLines, toUrlAlphabet } from './base64-trace.ts';
import { readEscapes, type Unescaped } from './escapes.ts';
import type { Secret } from './secret.ts';

/** What stands where a secret was. */
const MASK = Buffer.from('[redacted]');
/** Shorter ones are no secrets, and taking every `ab` out of an answer would destroy it. */
const MIN_SECRET_BYTES = 4;
/** How digits stand beside each other where bytes are written one by one. */
const BETWEEN_HEX = [' ', ':', '-', ', ', ',', ' 0x', ', 0x', ',0x'];
const BETWEEN_NUMBERS = [',', ', ', ' '];
/** Longer ones are tokens of minutes, for each of which it would cost more than all the rest of a call. */
const MAX_LISTED_BYTES = 128;
/** What is left of a shorter one in the middle of Base64 or in hexadecimal digits is found in innocent data too. */
const MIN_TRACED_BYTES = 8;

/** Is a secret long enough to be found wherever it is written, in every spelling that is looked for? */
export function canHide(secret: Secret): boolean {
  return isTraced(secret.reveal());
}

/** What is looked for in a text. */
type Needle = { readonly bytes: Buffer; readonly isShared: boolean };

/** A text in which it is looked for, and where what is found there lies in the source. */
type Layer = {
  readonly bytes: Buffer;
  readonly needles: readonly Needle[];
  startOf(index: number): number;
  /** Where what ends before `index` ends. */
  endOf(index: number): number;
};

type Place = { readonly start: number; readonly end: number };

/**
 * Takes secrets out of what an upstream answers, for one that echoes the credential it was given (contract §7): as they were sent, escaped
 * for JSON, URLs and HTML, by whatever library and one in another; in Base64, alone or within other data, wrapped or not; in hexadecimal
 * digits, and byte by byte in these or as numbers. Works on a stream in chunks of any size; only bytes that may be the beginning of a secret are held back. Does NOT find a secret
 * that the upstream has transformed in another way.
 */
export class Redactor {
  readonly #verbatim: readonly Needle[];
  readonly #unescaped: readonly Needle[];
  readonly #base64: readonly Needle[];
  #held: Buffer = Buffer.alloc(0);

  constructor(secrets: readonly Secret[]) {
    const values = secrets
      .map((secret) => secret.reveal())
      .filter((value) => Buffer.byteLength(value) >= MIN_SECRET_BYTES);
    this.#verbatim = toNeedles(values.flatMap(verbatimSpellings));
    this.#unescaped = toNeedles(values.flatMap(unescapedSpellings));
    this.#base64 = toNeedles(values.flatMap(base64Spellings));
  }

  /** Is there nothing to take out? */
  get isIdle(): boolean {
    return this.#verbatim.length === 0;
  }

  /** The next chunk without the secrets in it; what may be the beginning of one comes with the next. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#held, chunk]);
    const { clean, keptFrom } = this.#clean(bytes, false);
    this.#held = Buffer.from(bytes.subarray(keptFrom));
    return clean;
  }

  /** What was held back, without the secrets in it. */
  end(): Uint8Array {
    const { clean } = this.#clean(this.#held, true);
    this.#held = Buffer.alloc(0);
    return clean;
  }

  /** A whole text, which is no part of the stream, without the secrets in it. */
  text(value: string): string {
    return this.#clean(Buffer.from(value), true).clean.toString();
  }

  /** The secrets from left to right, of those that begin together the longest, up to where one may have begun. */
  #clean(source: Buffer, isWhole: boolean): { readonly clean: Buffer; readonly keptFrom: number } {
    const unescaped = readEscapes(source);
    const layers = this.#layers(source, unescaped, isWhole);
    const searches = layers.flatMap((layer) =>
      layer.needles.map((needle) => new Search(layer, needle, isWhole)),
    );
    const opened = isWhole ? [] : openedIn(layers, unescaped);
    const clean: Buffer[] = [];
    let from = 0;
    for (;;) {
      const found = earliest(searches, from);
      const openAt = opened.find((start) => start >= from) ?? source.length;
      if (found === undefined || found.start >= openAt) {
        const keptFrom = isWhole ? source.length : Math.max(from, characterAt(unescaped, openAt));
        clean.push(source.subarray(from, keptFrom));
        return { clean: Buffer.concat(clean), keptFrom };
      }
      clean.push(source.subarray(from, found.start), MASK);
      from = found.end;
    }
  }

  #layers(source: Buffer, unescaped: Unescaped, isWhole: boolean): readonly Layer[] {
    const { startOf } = unescaped;
    const read = isWhole ? unescaped.bytes : unescaped.bytes.subarray(0, unescaped.settled);
    const joined = joinLines(read);
    return [
      { bytes: source, needles: this.#verbatim, startOf: (index) => index, endOf: (index) => index },
      { bytes: read, needles: this.#unescaped, startOf, endOf: startOf },
      {
        bytes: joined.bytes,
        needles: this.#base64,
        startOf: (index) => startOf(joined.indexOf(index)),
        endOf: (index) => startOf(joined.indexOf(index - 1) + 1),
      },
    ];
  }
}

/** Where one needle comes next. Looks on from where it was, so that a text is gone through once for each needle. */
class Search {
  readonly #layer: Layer;
  readonly #needle: Needle;
  readonly #isWhole: boolean;
  #found: Place | undefined;
  #at = -1;

  constructor(layer: Layer, needle: Needle, isWhole: boolean) {
    this.#layer = layer;
    this.#needle = needle;
    this.#isWhole = isWhole;
    this.#next();
  }

  /** Its first place that begins at or after `from`. */
  from(from: number): Place | undefined {
    while (this.#found !== undefined && this.#found.start < from) this.#next();
    return this.#found;
  }

  #next(): void {
    const { bytes, startOf, endOf } = this.#layer;
    this.#found = undefined;
    this.#at = bytes.indexOf(this.#needle.bytes, this.#at + 1);
    if (this.#at < 0) return;
    const end = this.#at + this.#needle.bytes.length;
    const isCut = this.#needle.isShared && end === bytes.length && !this.#isWhole;
    if (isCut) return;
    const withShared = this.#needle.isShared && isBase64(bytes[end]) ? end + 1 : end;
    this.#found = { start: startOf(this.#at), end: endOf(withShared) };
  }
}

function earliest(searches: readonly Search[], from: number): Place | undefined {
  let first: Place | undefined;
  for (const search of searches) {
    const place = search.from(from);
    if (place === undefined) continue;
    const isFirst =
      first === undefined ||
      place.start < first.start ||
      (place.start === first.start && place.end > first.end);
    if (isFirst) first = place;
  }
  return first;
}

/** Where in the source something begins whose end has not arrived, in order. */
function openedIn(layers: readonly Layer[], unescaped: Unescaped): readonly number[] {
  const starts = layers.flatMap((layer) =>
    layer.needles.flatMap((needle) => unfinished(layer.bytes, needle).map((index) => layer.startOf(index))),
  );
  if (unescaped.settled < unescaped.bytes.length) starts.push(unescaped.startOf(unescaped.settled));
  // After the last byte: where backslashes begin that belong to the next one.
  starts.push(unescaped.startOf(unescaped.bytes.length));
  return starts.sort((a, b) => a - b);
}

/** Where ends of `bytes` begin that are the beginning of a needle, or the whole of one that shares its next character. */
function unfinished(bytes: Buffer, { bytes: needle, isShared }: Needle): readonly number[] {
  const starts: number[] = [];
  let from = Math.max(0, bytes.length - needle.length + (isShared ? 0 : 1));
  for (const beginning of [needle.subarray(0, MIN_SECRET_BYTES), needle.subarray(0, 1)]) {
    for (let at = bytes.indexOf(beginning, from); at >= 0; at = bytes.indexOf(beginning, at + 1)) {
      if (bytes.subarray(at).equals(needle.subarray(0, bytes.length - at))) starts.push(at);
    }
    // A whole beginning has no place in the last bytes.
    from = Math.max(from, bytes.length - MIN_SECRET_BYTES + 1);
  }
  return starts;
}

/** Where the character that `at` lies in was begun to be written: what is kept is read again, from its first character on. */
function characterAt(unescaped: Unescaped, at: number): number {
  let low = 0;
  let high = unescaped.bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (unescaped.startOf(middle) <= at) low = middle;
    else high = middle - 1;
  }
  return unescaped.startOf(low);
}

/** As it is, and where it is long enough in hexadecimal digits and as a list. */
function verbatimSpellings(value: string): readonly Base64Trace[] {
  const bytes = Buffer.from(value);
  const plain = bytes.toString('latin1');
  if (!isTraced(value)) return [{ characters: plain, isShared: false }];
  const digits = bytes.toString('hex');
  const lists = bytes.length > MAX_LISTED_BYTES ? [] : listSpellings(bytes);
  const spellings = [plain, digits, digits.toUpperCase(), ...lists];
  return spellings.map((characters) => ({ characters, isShared: false }));
}

/** Byte by byte, in hexadecimal digits and in numbers. */
function listSpellings(bytes: Buffer): readonly string[] {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const upper = pairs.map((pair) => pair.toUpperCase());
  return [
    ...BETWEEN_HEX.flatMap((between) => [pairs.join(between), upper.join(between)]),
    ...BETWEEN_NUMBERS.map((between) => bytes.join(between)),
  ];
}

/** As it is when every escape is read; a form writes a space as a plus. */
function unescapedSpellings(value: string): readonly Base64Trace[] {
  const plain = readEscapes(Buffer.from(value)).bytes.toString('latin1');
  const spellings = [plain, plain.replaceAll(' ', '+')];
  return spellings.map((characters) => ({ characters, isShared: false }));
}

/** In Base64 as it is, in JSON, in a URL, and in Base64 once more. A short one alone, as the beginning of the data. */
function base64Spellings(value: string): readonly Base64Trace[] {
  const encoded = Buffer.from(value).toString('base64').replace(/=+$/, '');
  if (!isTraced(value)) {
    return [encoded, toUrlAlphabet(encoded)].map((characters) => ({ characters, isShared: false }));
  }
  const json = JSON.stringify(value).slice(1, -1);
  const spellings = new Set([
    value,
    json,
    json.replaceAll('/', '\\/'),
    encodeURIComponent(value.toWellFormed()),
    encoded,
  ]);
  return [...spellings].flatMap((spelling) => base64Traces(Buffer.from(spelling)));
}

function isTraced(value: string): boolean {
  return Buffer.byteLength(value) >= MIN_TRACED_BYTES;
}

/** Each once, of bytes in Latin-1; what is too short would be found everywhere. */
function toNeedles(traces: readonly Base64Trace[]): readonly Needle[] {
  const shared = new Map(traces.map(({ characters, isShared }) => [characters, isShared] as const));
  return Array.from(shared, ([characters, isShared]) => ({
    bytes: Buffer.from(characters, 'latin1'),
    isShared,
  })).filter(({ bytes }) => bytes.length >= MIN_SECRET_BYTES);
}
