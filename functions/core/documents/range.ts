import { err, ok, type Result } from '../result.ts';
import type { Document } from './document.ts';
import { DOCUMENT_BOUNDS, type InvalidArgument, isIntegerIn, refuse } from './input.ts';
import { byteOffset } from './parts.ts';

/** Characters (Unicode code points) of a text, from `offset`, at most `limit` of them. */
export type CharacterRange = { readonly offset: number; readonly limit: number | undefined };

/** A part of a text document. `endChar` is the first character that is not in it. */
export type TextRange = {
  readonly document: Document;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly startChar: number;
  readonly endChar: number;
  readonly totalChars: number;
};

/** The document is not text (UTF-8), so it has no characters. */
export type NotText = { readonly reason: 'not_text' };

/** The range starts after the end of the text. */
export type RangeBeyondEnd = { readonly reason: 'range_beyond_end'; readonly totalChars: number };

/** Parses `{offset?, limit?}`; undefined where there is neither, which is all of the document. */
export function parseRange(fields: {
  readonly offset?: unknown;
  readonly limit?: unknown;
}): Result<CharacterRange | undefined, InvalidArgument> {
  const { offset, limit } = fields;
  if (offset === undefined && limit === undefined) return ok(undefined);
  const { characters } = DOCUMENT_BOUNDS;
  if (offset !== undefined && !isIntegerIn(offset, 0, characters)) {
    return refuse('offset', `must be a whole number from 0 to ${characters}`);
  }
  if (limit !== undefined && !isIntegerIn(limit, 1, characters)) {
    return refuse('limit', `must be a whole number from 1 to ${characters}`);
  }
  return ok({ offset: offset ?? 0, limit });
}

/** Where a range starts and ends in a text of so many characters. The very end is a range without characters. */
export function boundRange(
  { offset, limit }: CharacterRange,
  totalChars: number,
): Result<{ readonly startChar: number; readonly endChar: number }, RangeBeyondEnd> {
  if (offset > totalChars) return err({ reason: 'range_beyond_end', totalChars });
  const endChar = limit === undefined ? totalChars : Math.min(offset + limit, totalChars);
  return ok({ startChar: offset, endChar });
}

/** So many characters of UTF-8 text, after so many. */
export function cutCharacters(
  text: Uint8Array<ArrayBuffer>,
  skipChars: number,
  chars: number,
): Uint8Array<ArrayBuffer> {
  const start = byteOffset(text, skipChars);
  return text.subarray(start, byteOffset(text, chars, start));
}
