import type { Secret } from './secret.ts';

/** What stands where a secret was. */
const MASK = Buffer.from('[redacted]');
/** Shorter ones are no secrets, and taking every `ab` out of an answer would destroy it. */
const MIN_SECRET_BYTES = 4;

/**
 * Takes secrets out of what an upstream answers, for one that echoes the credential it was given (contract §7): as they were sent,
 * percent-encoded, as JSON spells them, and in Base64. Works on a stream in chunks of any size; only bytes that may be the beginning
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
    const clean: Uint8Array[] = [];
    let at = 0;
    for (let found = this.#find(bytes, at); found !== undefined; found = this.#find(bytes, at)) {
      clean.push(bytes.subarray(at, found.start), MASK);
      at = found.end;
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

  /** The first secret at or after `from`; of those that begin together the longest. */
  #find(bytes: Buffer, from: number): { readonly start: number; readonly end: number } | undefined {
    let first: { readonly start: number; readonly end: number } | undefined;
    for (const needle of this.#needles) {
      const start = bytes.indexOf(needle, from);
      if (start >= 0 && (first === undefined || start < first.start)) {
        first = { start, end: start + needle.length };
      }
    }
    return first;
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

/** As it is, in a URL, in a JSON string, and in Base64 without its padding, which may run on into other text. */
function spellingsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}
