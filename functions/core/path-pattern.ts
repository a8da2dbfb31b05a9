/**
 * Does a path match a pattern of a service's allow-list? `*` stands for one segment's characters, `**` for any
 * characters across segments; everything else for itself. The path must be in one spelling: with an empty or dot segment, a
 * backslash, a semicolon, white space, a control character also where it is encoded, an encoded slash, dot, backslash or percent
 * sign, or encoded bytes that are no UTF-8 it matches nothing.
 */
export function matchesPath(pattern: string, path: string): boolean {
  return isPlainPath(path) && matchesParts(splitPattern(pattern), path);
}

/** Is this a path that every reader takes for the same one? */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || /[\\;\s\p{Cc}?#]|%(?:2[ef5]|5c|[01][0-9a-f]|7f)/iu.test(path)) return false;
  if (!isUtf8(path)) return false;
  const segments = path.slice(1).split('/');
  return segments.every((segment, index) => {
    const isLast = index === segments.length - 1;
    return segment !== '.' && segment !== '..' && (segment !== '' || isLast);
  });
}

/** Are the percent-encoded bytes UTF-8? An overlong form is a slash or a dot to some decoders, and an error to others. */
function isUtf8(path: string): boolean {
  try {
    return decodeURIComponent(path) !== '';
  } catch {
    return false;
  }
}

/** A part of a pattern: text that stands for itself, or a star: any characters, of one segment or across segments. */
export type PatternPart = { readonly text: string } | { readonly crosses: boolean };

/** The parts of a pattern in which `*` and `**` are stars. */
export function splitPattern(pattern: string): readonly PatternPart[] {
  return pattern
    .split(/(\*\*|\*)/)
    .filter((part) => part !== '')
    .map((part) => (part === '*' || part === '**' ? { crosses: part === '**' } : { text: part }));
}

/**
 * Reads the pattern part by part and keeps, for every length, whether the parts so far can stand for that much of the text. Its time is
 * the pattern's stars times the text, where a regular expression would try every way to share the text out among them.
 */
export function matchesParts(parts: readonly PatternPart[], text: string): boolean {
  let reached: readonly boolean[] = [true];
  for (const part of parts) {
    const next: boolean[] = [];
    for (let length = 0; length <= text.length; length += 1) {
      if ('crosses' in part) {
        const isExtended = next[length - 1] === true && (part.crosses || text[length - 1] !== '/');
        next[length] = reached[length] === true || isExtended;
      } else {
        const before = length - part.text.length;
        next[length] = reached[before] === true && text.startsWith(part.text, before);
      }
    }
    reached = next;
  }
  return reached[text.length] === true;
}
