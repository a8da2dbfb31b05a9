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
 * characters, a query or a fragment behind it, slashes at its end and behind its scheme, an empty segment, and all that {@link coversResource} takes for nothing.
 * A name that could reach beyond its place stands for anything.
 */
export function forbidsResource(pattern: ResourcePattern, uri: string, party: PatternParty): boolean {
  if (
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

/** Each once more as it is read without its fragment, its query, the slash at its end, and with any slashes behind its scheme. */
function spellingsOf(uri: string): readonly string[] {
  const whole = [uri, decodeURIComponent(uri)].map(fold);
  const bare = whole.flatMap((text) => [text, text.replace(/#.*$/su, ''), text.replace(/[?#].*$/su, '')]);
  const ended = [...new Set(bare.flatMap((text) => [text, text.replace(/\/$/, '')]))];
  const slashed = (text: string) =>
    ['$1', '$1/', '$1//', '$1///'].map((begin) => text.replace(SCHEME, begin));
  return [...new Set(ended.flatMap(slashed))];
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
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
