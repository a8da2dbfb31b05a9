/** The claims that a pattern may name. */
export type Named = { readonly org_id: string; readonly subject: string; readonly client_id: string };

/** Is a URI, or a template read as text, under a pattern of `resources`? */
export function isUnder(pattern: string, uri: string, named: Named): boolean {
  if (pattern === 'all' || pattern === '*') return true;
  if (isAmbiguous(uri)) return false;
  const filled = fill(pattern, named, 'nothing');
  return filled !== undefined && matches(filled, [...uri]);
}

/** Does a pattern of a deny forbid a URI? In every spelling, and with everything that some reader may take for it. */
export function isDeniedUnder(pattern: string, uri: string, named: Named): boolean {
  if (pattern === 'all' || pattern === '*') return true;
  const [path = ''] = uri.split(/[?#]/);
  if (isAmbiguous(uri) || /\/\//.test(path.replace(/^[^/]*:\/{0,3}/, ''))) return true;
  if (/^https?:/i.test(uri) && !URL.canParse(uri)) return true;
  const pieces = fill(pattern.toLowerCase(), named, 'anything');
  return pieces !== undefined && spellings(uri).some((one) => matches(pieces, [...one]));
}

/** The spellings of one URI: encoded or not, with and without what may stand at its end and after its scheme. */
function spellings(uri: string): string[] {
  const starts = [uri, decodeURIComponent(uri)].map((one) => one.toLowerCase());
  const called = starts.flatMap((one) =>
    /^https?:/.test(one) ? [one, one.replace(/^(https?:\/*)[^/?#]*/, `$1${new URL(uri).host}`)] : [one],
  );
  const plain = called.flatMap((one) => [one, one.replaceAll(/;[^/?#]*/g, '')]);
  const cut = plain.flatMap((one) => [one, one.replace(/#.*$/s, ''), one.replace(/[?#].*$/s, '')]);
  const ends = cut.flatMap((one) => [one, one.replace(/\/$/, '')]);
  return ends.flatMap((one) =>
    ['', '/', '//', '///'].map((slashes) => one.replace(/^([^/?#]*:)\/{0,3}/, `$1${slashes}`)),
  );
}

/** One of the characters of a pattern, or a wildcard. */
type Piece = { readonly literal: string } | 'within a segment' | 'across segments';

/** Takes a pattern apart. A claim is literal; one that could reach beyond its place makes a grant match nothing, and a deny anything. */
function fill(pattern: string, named: Named, reaching: 'nothing' | 'anything'): Piece[] | undefined {
  const pieces: Piece[] = [];
  const values = new Map(Object.entries(named));
  for (const part of pattern.split(/(\{[a-z_]+\}|\*\*|\*)/)) {
    const value = values.get(part.slice(1, -1));
    if (part === '*') pieces.push('within a segment');
    else if (part === '**') pieces.push('across segments');
    else if (part.startsWith('{') && value !== undefined) {
      const isReaching = /[/\\*%?#{}\s]|\.\./.test(value);
      if (isReaching && reaching === 'nothing') return undefined;
      if (isReaching) pieces.push('across segments');
      else
        pieces.push(
          ...[...value].map((character) => ({
            literal: reaching === 'anything' ? character.toLowerCase() : character,
          })),
        );
    } else pieces.push(...[...part].map((literal) => ({ literal })));
  }
  return pieces;
}

function matches(pieces: readonly Piece[], text: readonly string[]): boolean {
  const [piece, ...rest] = pieces;
  const [character, ...others] = text;
  if (piece === undefined) return character === undefined;
  if (typeof piece === 'object') return character === piece.literal && matches(rest, others);
  if (matches(rest, text)) return true;
  if (character === undefined || (character === '/' && piece === 'within a segment')) return false;
  return matches(pieces, others);
}

/** Could a server read it as another one than it looks like? */
function isAmbiguous(text: string): boolean {
  if (/[\\\s]|%2e|%2f|%5c|%25|%[01][0-9a-f]|%7f/i.test(text) || !isDecodable(text)) return true;
  const decoded = decodeURIComponent(text);
  if (text.length > 2_048 || /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(decoded)) return true;
  if (decoded.normalize('NFC') !== decoded.normalize('NFKC')) return true;
  const segments = decoded.split(/[/?#]/).map((segment) => segment.split(';')[0]);
  return segments.some((segment) => segment === '.' || segment === '..');
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
