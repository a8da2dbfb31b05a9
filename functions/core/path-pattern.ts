/**
 * Does a path match a pattern of a service's allow-list? `*` stands for one segment's characters, `**` for any
 * characters across segments; everything else for itself. The path must be in one spelling: with an empty or dot segment, a
 * backslash, a semicolon, or an encoded slash, dot, backslash or percent sign it matches nothing.
 */
export function matchesPath(pattern: string, path: string): boolean {
  return isPlainPath(path) && toExpression(pattern).test(path);
}

/** Is this a path that every reader takes for the same one? */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || /[\\;\s?#]|%(?:2[ef5]|5c|00)/i.test(path)) return false;
  if (/%(?![0-9a-f]{2})/i.test(path)) return false;
  const segments = path.slice(1).split('/');
  return segments.every((segment, index) => {
    const isLast = index === segments.length - 1;
    return segment !== '.' && segment !== '..' && (segment !== '' || isLast);
  });
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
