import { foldName } from '../json.ts';
import { matchesParts, type PatternPart, splitPattern } from '../path-pattern.ts';

/** Those whose names a pattern may stand for. */
export type PatternParty = { readonly orgId: string; readonly subject: string; readonly clientId: string };

/** A pattern of URIs that is ready to be compared; a claim is filled in when it is. */
export type ResourcePattern = readonly (PatternPart | { readonly claim: keyof PatternParty })[];

const CLAIMS: ReadonlyMap<string, keyof PatternParty> = new Map([
  ['{org_id}', 'orgId'],
  ['{subject}', 'subject'],
  ['{client_id}', 'clientId'],
]);

/** Characters by which a name could reach beyond the place where it stands. */
const REACHING = /[/\\*%?#{}\s\p{Cc}]|^\.{1,2}$|\.\./u;

/** A scheme, and the slashes behind it: readers differ in how many there are. */
const SCHEME = /^([^/?#]*:)(\/{0,3})/;

/** Takes a pattern apart: `*` within a segment, `**` across, `{org_id}`, `{subject}`, `{client_id}`, everything else for itself. */
export function readyPattern(pattern: string): ResourcePattern {
  return pattern.split(/(\{[a-z_]+\})/).flatMap((piece): ResourcePattern => {
    const claim = CLAIMS.get(piece);
    return claim === undefined ? splitPattern(piece) : [{ claim }];
  });
}

/**
 * Does a grant of this pattern cover a URI? It is compared as it is written. A URI that some reader takes for another one (dot segments,
 * backslashes, an encoded dot, slash, backslash or percent sign, control characters, encoded bytes that are no UTF-8) is covered by none,
 * and a pattern that stands for a name which could reach beyond its place (`/`, `*`, `%`, `..` and their like) covers nothing.
 */
export function coversResource(pattern: ResourcePattern, uri: string, party: PatternParty): boolean {
  if (hasTwoReadings(uri)) return false;
  const parts: PatternPart[] = [];
  for (const part of pattern) {
    if (!('claim' in part)) {
      parts.push(part);
      continue;
    }
    const name = party[part.claim];
    if (name === '' || REACHING.test(name)) return false;
    parts.push({ text: name });
  }
  return matchesParts(parts, uri);
}

/**
 * Does a deny of this pattern forbid a URI? Whatever may be another spelling of what it names is forbidden too: upper case, encoded
 * characters, a query or a fragment behind it, slashes at its end and behind its scheme, an empty segment, of `http` and `https` a user, a
 * default port or a dot at the end of the host, and all that {@link coversResource} takes for nothing. What a grant of it covers it forbids.
 * A name that could reach beyond its place stands for anything.
 */
export function forbidsResource(pattern: ResourcePattern, uri: string, party: PatternParty): boolean {
  if (
    coversResource(pattern, uri, party) ||
    hasTwoReadings(uri) ||
    uri
      .replace(SCHEME, '')
      .replace(/[?#].*$/su, '')
      .includes('//')
  )
    return true;
  const parts = pattern.map((part): PatternPart => {
    if (!('claim' in part)) return 'text' in part ? { text: fold(part.text) } : part;
    const name = party[part.claim];
    return name === '' || REACHING.test(name) ? { crosses: true } : { text: fold(name) };
  });
  return spellingsOf(uri).some((spelling) => matchesParts(parts, spelling));
}

/**
 * Each once more as it is read without its fragment, its query, the slash at its end, what may be left out of its authority, and with any
 * slashes behind its scheme.
 */
function spellingsOf(uri: string): readonly string[] {
  // A star may end between a letter and its accent, so the letters stand as they are written, too.
  const whole = [uri, decodeURIComponent(uri)].flatMap((text) => [fold(text), foldLetters(text)]);
  const bare = whole.flatMap((text) => [text, text.replace(/#.*$/su, ''), text.replace(/[?#].*$/su, '')]);
  const ended = [...new Set(bare.flatMap((text) => [text, text.replace(/\/$/, '')]))];
  const hosted = [...new Set(ended.flatMap(authoritiesOf))];
  const slashed = (text: string) =>
    ['$1', '$1/', '$1//', '$1///'].map((begin) => text.replace(SCHEME, begin));
  return [...new Set(hosted.flatMap(slashed))];
}

/** A user before the host, a dot at its end and the port of the scheme lead to where they lead without them (RFC 3986 §6.2.3). */
const AUTHORITY = /^(https?):(\/*)([^/?#]*)(.*)$/su;

function authoritiesOf(text: string): readonly string[] {
  const [, scheme, slashes, authority, rest] = AUTHORITY.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return [text];
  const port = scheme === 'http' ? '80' : '443';
  const host = authority.replace(/^.*@/su, '');
  const other = /:0*([0-9]*)$/u.exec(host)?.[1];
  const bare = host.replace(/:[0-9]*$/u, '').replace(/\.$/, '');
  const isDefault = other === undefined || other === '' || other === port;
  const ends = isDefault ? ['', `:${port}`] : [`:${other}`];
  const hosts = ends.flatMap((end) => [`${bare}${end}`, `${bare}.${end}`]);
  return [text, ...[host, ...hosts].map((one) => `${scheme}:${slashes}${one}${rest}`)];
}

function fold(text: string): string {
  return foldLetters(text.normalize('NFC'));
}

/** A sigma is another letter at the end of a word, and where a word ends a pattern does not say. */
function foldLetters(text: string): string {
  return foldName(text).replaceAll('ς', 'σ');
}

function hasTwoReadings(uri: string): boolean {
  if (/[\\\s\p{Cc}]|%(?:2[ef5]|5c|[01][0-9a-f]|7f)/iu.test(uri)) return true;
  try {
    decodeURIComponent(uri);
  } catch {
    return true;
  }
  return uri.split(/[/?#]/).some((segment) => segment === '.' || segment === '..');
}
