import type { Secret } from './secret.ts';

/** What stands where a secret was. */
const MASK = Buffer.from('[redacted]');
/** Shorter ones are no secrets, and taking every `ab` out of an answer would destroy it. */
const MIN_SECRET_BYTES = 4;

/**
 * Takes secrets out of what an upstream answers, for one that echoes the credential it was given (contract §7): as they were sent,
 * percent-encoded, as JSON spells them, also JSON within JSON, and in Base64, each as common libraries write it. Works on a stream in chunks of any size; only bytes that may be the beginning
 * of a secret are held back. Does NOT find a secret that the upstream has transformed in another way.
 */
export class Redactor {
  readonly #needles: readonly Buffer[];
  #held: Buffer = Buffer.alloc(0);

  constructor(secrets: readonly Secret[]) {
    const spellings = secrets
      .map((secret) => secret.reveal())
      .filter((value) => Buffer.byteLength(value) >= MIN_SECRET_BYTES)
      .flatMap(spellingsOf);
    this.#needles = [...new Set(spellings)]
      .map((spelling) => Buffer.from(spelling))
      .filter(({ length }) => length >= MIN_SECRET_BYTES)
      .sort((a, b) => b.length - a.length);
  }

  /** Is there nothing to take out? */
  get isIdle(): boolean {
    return this.#needles.length === 0;
  }

  /** The next chunk without the secrets in it; what may be the beginning of one comes with the next. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#held, chunk]);
    const places = this.#needles.map((needle) => ({ needle, start: bytes.indexOf(needle) }));
    const clean: Uint8Array[] = [];
    let at = 0;
    for (let first = nextOf(places, bytes, at); first !== undefined; first = nextOf(places, bytes, at)) {
      clean.push(bytes.subarray(at, first.start), MASK);
      at = first.start + first.needle.length;
    }
    const rest = bytes.subarray(at);
    const keep = this.#startOfUnfinished(rest);
    this.#held = Buffer.from(rest.subarray(keep));
    clean.push(rest.subarray(0, keep));
    return Buffer.concat(clean);
  }

  /** What was held back and turned out to be the beginning of nothing. */
  end(): Uint8Array {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }

  /** A whole text, which is no part of the stream, without the secrets in it. */
  text(value: string): string {
    return this.#needles.reduce((text, needle) => text.replaceAll(needle.toString(), MASK.toString()), value);
  }

  /** Where the longest end of `bytes` begins that is the beginning of a secret; its length where there is none. */
  #startOfUnfinished(bytes: Buffer): number {
    let earliest = bytes.length;
    for (const needle of this.#needles) {
      const [firstByte = 0] = needle;
      const from = Math.max(0, bytes.length - needle.length + 1);
      for (
        let at = bytes.indexOf(firstByte, from);
        at >= 0 && at < earliest;
        at = bytes.indexOf(firstByte, at + 1)
      ) {
        if (bytes.subarray(at).equals(needle.subarray(0, bytes.length - at))) earliest = at;
      }
    }
    return earliest;
  }
}

/** Where a spelling comes next; -1 where it does not. */
type Place = { readonly needle: Buffer; start: number };

/** The first spelling at or after `from`; of those that begin together the longest. Looks again only for what lies behind `from`. */
function nextOf(places: readonly Place[], bytes: Buffer, from: number): Place | undefined {
  let first: Place | undefined;
  for (const place of places) {
    if (place.start >= 0 && place.start < from) place.start = bytes.indexOf(place.needle, from);
    if (place.start >= 0 && (first === undefined || place.start < first.start)) first = place;
  }
  return first;
}

/** As it is, in a URL, in a JSON string, and in Base64 without its padding, which may run on into other text. Most are the same. */
function spellingsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    ...percentSpellingsOf(value),
    ...jsonSpellingsOf(value),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}

/** As `encodeURIComponent`, RFC 3986 §2.3 and HTML forms have it, with digits in either case. */
function percentSpellingsOf(value: string): readonly string[] {
  const component = encodeURIComponent(value);
  const reserved = component.replace(/[!'()*]/g, (one) => `%${hexOf(one).toUpperCase()}`);
  const form = new URLSearchParams([['', value]]).toString().slice('='.length);
  const spellings = [component, reserved, form];
  return [
    ...spellings,
    ...spellings.map((text) => text.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase())),
  ];
}

/** `JSON.stringify`, and libraries that keep HTML in mind: of PHP, Go, Java (Gson) and .NET. */
const JSON_WRITERS: readonly ((value: string) => string)[] = [
  writeJsonString,
  (value) => writeJsonString(value).replaceAll('/', '\\/'),
  (value) => writeJsonString(value).replace(/[&<>]/g, (one) => `\\u00${hexOf(one)}`),
  (value) => writeJsonString(value).replace(/[&<>=']/g, (one) => `\\u00${hexOf(one)}`),
  (value) =>
    writeJsonString(value).replace(/\\"|[&<>+'`]/g, (one) => `\\u00${hexOf(one.slice(-1)).toUpperCase()}`),
];

/** A tool that answers with the text of what an API answered has JSON in JSON, and once more where that API did the same. */
const MAX_JSON_DEPTH = 3;

function jsonSpellingsOf(value: string): readonly string[] {
  const spellings: string[] = [];
  let inner: readonly string[] = [value];
  for (let depth = 1; depth <= MAX_JSON_DEPTH; depth += 1) {
    inner = [...new Set(inner.flatMap((text) => JSON_WRITERS.map((write) => write(text))))];
    spellings.push(...inner);
  }
  return spellings;
}

function writeJsonString(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** Two hexadecimal digits for a printable ASCII character. */
function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16);
}
