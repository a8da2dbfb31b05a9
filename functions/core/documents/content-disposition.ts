/** Path separators: a download must not be able to choose a folder. */
const PATH_SEPARATOR = /[/\\]/g;

/** Everything that a quoted `filename` of some parser could end at, decode or resolve. */
const UNSAFE_IN_FALLBACK = /[^A-Za-z0-9 ._()-]/gu;

/** RFC 8187 §3.2.1: `attr-char` has fewer marks than `encodeURIComponent` leaves alone. */
const MARKS = /['()*]/g;

/**
 * A `Content-Disposition` that offers the content as a download under its name (RFC 6266): an ASCII fallback, and the exact
 * name but for path separators. `filename` must be well-formed UTF-16.
 */
export function toAttachment(filename: string): string {
  const name = filename.replaceAll(PATH_SEPARATOR, '_');
  const fallback = name.replaceAll(UNSAFE_IN_FALLBACK, '_');
  const exact = encodeURIComponent(name).replaceAll(
    MARKS,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${fallback}"; filename*=UTF-8''${exact}`;
}
