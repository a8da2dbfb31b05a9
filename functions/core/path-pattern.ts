/**
 * Does a path match a pattern of a service's allow-list? `*` stands for one segment's characters, `**` for any
 * characters across segments; everything else for itself. The path must be in one spelling: with an empty or dot segment, a
 * backslash, a semicolon, white space, a control character also where it is encoded, an encoded slash, dot, backslash or percent
 * sign, or encoded bytes that are no UTF-8 it matches nothing.
 */
export function matchesPath(pattern: string, path: string): boolean {
  return isPlainPath(path) && isMatch(pattern, path);
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

/**
 * Reads the pattern part by part and keeps, for every length, whether the parts so far can stand for that much of the path. Its time is
 * the pattern's stars times the path, where a regular expression would try every way to share the path out among them.
 */
function isMatch(pattern: string, path: string): boolean {
  let reached: readonly boolean[] = [true];
  for (const part of pattern.split(/(\*\*|\*)/)) {
    const next: boolean[] = [];
    for (let length = 0; length <= path.length; length += 1) {
      if (part === '*' || part === '**') {
        const isExtended = next[length - 1] === true && (part === '**' || path[length - 1] !== '/');
        next[length] = reached[length] === true || isExtended;
      } else {
        const before = length - part.length;
        next[length] = reached[before] === true && path.startsWith(part, before);
      }
    }
    reached = next;
  }
  return reached[path.length] === true;
}
