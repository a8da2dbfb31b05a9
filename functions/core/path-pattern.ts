/**
 * Does a path match a pattern of a service's allow-list? `*` stands for one segment's characters, `**` for any
 * characters across segments; everything else for itself. The path must be in one spelling: with an empty or dot segment, a
 * backslash, a semicolon, an encoded slash, dot, backslash or percent sign, or encoded bytes that are no UTF-8 it matches
 * nothing.
 */
export function matchesPath(pattern: string, path: string): boolean {
  return isPlainPath(path) && toExpression(pattern).test(path);
}

/** Is this a path that every reader takes for the same one? */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || /[\\;\s?#]|%(?:2[ef5]|5c|00)/i.test(path)) return false;
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

function toExpression(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => {
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`, 's');
}
