/** One stored piece of a document's content. `key` says where it is; `chars` is null where the piece is not text, or nobody counted. */
export type Part = { readonly key: string; readonly bytes: number; readonly chars: number | null };

/** A piece that is still to be stored. */
export type NewPart = { readonly content: Uint8Array; readonly chars: number | null };

/** Most bytes of content in one piece. It is also about what a small edit rewrites, and few enough pieces for one batch read. */
export const PART_BYTES = 65_536;

/** More pieces than this beyond twice the fewest possible, and a splice rewrites them all. */
const SPARE_PARTS = 8;

/**
 * Cuts content into pieces of at most {@link PART_BYTES}, never inside a character: content is text exactly where every piece
 * is. Empty content has no piece.
 */
export function splitContent(content: Uint8Array): readonly NewPart[] {
  const parts: NewPart[] = [];
  for (let start = 0; start < content.length; ) {
    const end = characterStart(content, Math.min(start + PART_BYTES, content.length));
    const piece = content.subarray(start, end);
    parts.push({ content: piece, chars: countCharacters(piece) });
    start = end;
  }
  return parts;
}

/** What a splice keeps of the old pieces, and the range of old bytes that has to be stored again. */
export type Splice = {
  readonly before: readonly Part[];
  readonly after: readonly Part[];
  readonly startByte: number;
  readonly endByte: number;
};

/**
 * The pieces that stay when the bytes from `startByte` to `endByte` are replaced by `newBytes` others. Pieces that only touch the
 * range are rewritten too where they would leave crumbs; where many edits left crumbs anyway, everything is.
 */
export function planSplice(
  parts: readonly Part[],
  range: { readonly startByte: number; readonly endByte: number; readonly newBytes: number },
): Splice {
  const ends: number[] = [];
  for (const { bytes } of parts) ends.push((ends.at(-1) ?? 0) + bytes);
  const total = ends.at(-1) ?? 0;
  const newTotal = total - (range.endByte - range.startByte) + range.newBytes;
  const isCrumbled = parts.length > 2 * Math.ceil(newTotal / PART_BYTES) + SPARE_PARTS;
  if (isCrumbled || parts.length === 0) return { before: [], after: [], startByte: 0, endByte: total };
  const holder = ends.findIndex((end) => end > range.startByte);
  const first = holder < 0 ? parts.length - 1 : holder;
  const last = Math.max(
    first,
    ends.findIndex((end) => end >= range.endByte),
  );
  const startByte = ends[first - 1] ?? 0;
  const middle = Number(ends[last]) - startByte + newTotal - total;
  const next = middle < PART_BYTES / 2 ? Math.min(last + 1, parts.length - 1) : last;
  return {
    before: parts.slice(0, first),
    after: parts.slice(next + 1),
    startByte,
    endByte: Number(ends[next]),
  };
}

/** The pieces that hold the characters from `startChar` to `endChar`; undefined where the pieces were not counted or are not text. */
export function findCharacters(
  parts: readonly Part[],
  startChar: number,
  endChar: number,
): { readonly parts: readonly Part[]; readonly skipChars: number } | undefined {
  const found: Part[] = [];
  let skipChars = 0;
  let at = 0;
  for (const part of parts) {
    if (part.chars === null) return undefined;
    const end = at + part.chars;
    if (end > startChar && at < endChar) {
      if (found.length === 0) skipChars = startChar - at;
      found.push(part);
    }
    at = end;
  }
  return { parts: found, skipChars };
}

/** Characters (Unicode code points) of UTF-8; null where the bytes are not UTF-8. */
export function countCharacters(bytes: Uint8Array): number | null {
  if (!isText(bytes)) return null;
  let count = 0;
  for (const byte of bytes) if (!isContinuation(byte)) count += 1;
  return count;
}

/** Is this well-formed UTF-8? */
export function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Where the character number `character` of UTF-8 text starts, counted on from `fromByte`; the length of the text where it has fewer. */
export function byteOffset(text: Uint8Array, character: number, fromByte = 0): number {
  let left = character;
  for (let index = fromByte; index < text.length; index += 1) {
    if (isContinuation(text[index])) continue;
    if (left === 0) return index;
    left -= 1;
  }
  return text.length;
}

/** The last start of a character at or before `index`, at most three bytes back. */
function characterStart(content: Uint8Array, index: number): number {
  if (index === content.length) return index;
  for (let back = 0; back < 4; back += 1) {
    if (!isContinuation(content[index - back])) return index - back;
  }
  return index;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
