import type { StepBudget } from './rules/text-program.ts';

/**
 * Does a path match a pattern of a service's allow-list? `*` stands for one segment's characters, `**` for any
 * characters across segments; everything else for itself. The path must be in one spelling: with an empty or dot segment, a
 * backslash, a semicolon, white space, a control character also where it is encoded, an encoded slash, dot, backslash or percent
 * sign, encoded bytes that are no UTF-8, or what some servers read as a dot segment (one that begins with `..` and an encoded semicolon,
 * question mark, hash or white space, or whose dots and slashes are others of Unicode) it matches nothing.
 */
export function matchesPath(pattern: string, path: string): boolean {
  return isPlainPath(path) && matchesParts(splitPattern(pattern), path) === true;
}

/** Slashes, with those that NFKC leaves as they are and that some readers fold to one: of fractions, of division, of sets, and the big ones. */
const SLASHES = /[/\\\u2044\u2215\u2216\u29f5\u29f8]/u;

/** Is this a path that every reader takes for the same one? */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || /[\\;\s\p{Cc}?#]|%(?:2[ef5]|5c|[01][0-9a-f]|7f)/iu.test(path)) return false;
  const decoded = decode(path);
  if (decoded === undefined) return false;
  const segments = path.slice(1).split('/');
  const isWhole = segments.every((segment, index) => segment !== '' || index === segments.length - 1);
  return isWhole && !decoded.normalize('NFKC').split(SLASHES).some(isLikeDots);
}

/**
 * To a server that cuts parameters (`..;x`), what it decodes as a query or fragment (`..%3F`), or blanks and marks
 * that are not seen (U+FE0F) off before it looks for dot segments. Some look for them where the blanks are in front.
 */
function isLikeDots(segment: string): boolean {
  return /^[\s\p{C}\p{DI}]*\.{1,2}(?:$|[\s\p{C}\p{DI};?#])/u.test(segment);
}

/** Undefined where the percent-encoded bytes are no UTF-8: an overlong form is a slash or a dot to some decoders, and an error to others. */
function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
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
 * Does the text match? What stands before the first star and behind the last one is compared first, and where every star crosses segments
 * each part is looked for once. Otherwise it is kept, for every length, whether the parts so far can stand for that much of the text: stars
 * times text, where a regular expression would try every way to share the text out among them. Undefined where the budget does not suffice.
 */
export function matchesParts(
  parts: readonly PatternPart[],
  text: string,
  budget: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY },
): boolean | undefined {
  const inner = [...parts];
  let begin = 0;
  let end = text.length;
  for (let part = inner[0]; part !== undefined && 'text' in part; part = inner[0]) {
    if (!text.startsWith(part.text, begin)) return false;
    begin += part.text.length;
    inner.shift();
  }
  if (inner.length === 0) return begin === end;
  for (let part = inner.at(-1); part !== undefined && 'text' in part; part = inner.at(-1)) {
    end -= part.text.length;
    if (end < begin || !text.startsWith(part.text, end)) return false;
    inner.pop();
  }
  const middle = text.slice(begin, end);
  // To look for a part is much cheaper for each character than to keep all lengths.
  budget.stepsLeft -= inner.length + Math.ceil(middle.length / 32);
  if (budget.stepsLeft < 0) return undefined;
  if (!hasInOrder(inner, middle)) return false;
  if (inner.every((part) => 'text' in part || part.crosses) || !middle.includes('/')) return true;
  if (inner.length === 1) return false;
  budget.stepsLeft -= inner.length * middle.length;
  return budget.stepsLeft < 0 ? undefined : matchesWithin(inner, middle);
}

function hasInOrder(parts: readonly PatternPart[], text: string): boolean {
  let from = 0;
  for (const part of parts) {
    if (!('text' in part)) continue;
    const found = text.indexOf(part.text, from);
    if (found < 0) return false;
    from = found + part.text.length;
  }
  return true;
}

function matchesWithin(parts: readonly PatternPart[], text: string): boolean {
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
