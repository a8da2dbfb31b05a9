/** What bytes leave in a Base64 text, wherever in the encoded data they stand. */
export type Base64Trace = {
  readonly characters: string;
  /** Does one more character after these hold some bits of theirs? */
  readonly isShared: boolean;
};

const CR = 0x0d;
const LF = 0x0a;
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x09]);
/** A wrapped text is indented by no more than this. */
const MAX_INDENT = 32;

/**
 * The characters that stand for these bytes alone, for each of the three places that they can begin at in a group, in the ordinary
 * alphabet and in that of URLs (RFC 4648 §4, §5). A character that holds bits of a neighbour too is left out at either end.
 */
export function base64Traces(bytes: Uint8Array): readonly Base64Trace[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const isShared = (offset + bytes.length) % 3 !== 0;
    const characters = encoded.slice(offset === 0 ? 0 : offset + 1, isShared ? -1 : undefined);
    return [...new Set([characters, toUrlAlphabet(characters)])].map((one) => ({
      characters: one,
      isShared,
    }));
  });
}

/** The same text in the alphabet of URLs. */
export function toUrlAlphabet(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}

/** Is it a character of either alphabet? */
export function isBase64(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z0-9+/_-]/.test(String.fromCharCode(byte));
}

/** A text without the line endings at which Base64 is wrapped. */
export type JoinedLines = {
  readonly bytes: Buffer;
  /** Where the byte at `index` was, which is one of `bytes`. */
  indexOf(index: number): number;
};

/** Joins lines, without their indentation; where a line is blank, nothing goes on over it, and the two endings of an event stay. */
export function joinLines(text: Buffer): JoinedLines {
  if (!(text.includes(LF) || text.includes(CR))) return { bytes: text, indexOf: (index) => index };
  const bytes = Buffer.allocUnsafe(text.length);
  const indexes = new Uint32Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = Number(text[at]);
    if (byte === LF || byte === CR) {
      const next = afterLineEnding(text, at);
      const isBlank = text[next] === LF || text[next] === CR;
      if (!isBlank) {
        at = next - 1;
        continue;
      }
    }
    bytes[length] = byte;
    indexes[length] = at;
    length += 1;
  }
  return { bytes: bytes.subarray(0, length), indexOf: (index) => Number(indexes[index]) };
}

function afterLineEnding(text: Buffer, at: number): number {
  let next = text[at] === CR && text[at + 1] === LF ? at + 2 : at + 1;
  const most = next + MAX_INDENT;
  while (next < most && BLANKS.has(text[next])) next += 1;
  return next;
}
