const HEADER_TEXT = /^[\t\x20-\x7e]*$/;
const SENTINEL = /^=\?base64\?(.*)\?=$/;
/** A sentinel to a reader that is less exact than the specification, also where its two marks share a character. */
const LIKE_A_SENTINEL = /^=\?base64\?(?:.*\?)?=$/i;

/**
 * May this stand in a header of the modern transport as it is (mcp 2026-07-28 §transports, RFC 9110 §5.5)? Beyond ASCII two readers take
 * the same bytes for two texts.
 */
export function isHeaderText(value: string): boolean {
  return HEADER_TEXT.test(value);
}

/**
 * Undoes the Base64 sentinel `=?base64?…?=` of the modern transport; other values stand for themselves.
 * Undefined where the sentinel holds something else than canonical Base64 of UTF-8, and where the value should have been encoded:
 * beyond printable ASCII, or like a sentinel to a laxer reader.
 */
export function decodeSentinel(value: string): string | undefined {
  if (!isHeaderText(value)) return undefined;
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return LIKE_A_SENTINEL.test(value) ? undefined : value;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
