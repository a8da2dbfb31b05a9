import { matchesParts, type PatternPart, splitPattern } from '../path-pattern.ts';
import { fold, type ResourceUri, spellingsOfPattern } from './resource-uri.ts';
import type { StepBudget } from './text-program.ts';

/** Those whose names a pattern may stand for. */
export type PatternParty = { readonly orgId: string; readonly subject: string; readonly clientId: string };

type Parts = readonly (PatternPart | { readonly claim: keyof PatternParty })[];

/** A pattern of URIs that is ready to be compared; a claim is filled in when it is. */
export type ResourcePattern = {
  readonly written: Parts;
  /** What a deny compares with the spellings of a URI. */
  readonly folded: readonly Parts[];
};

const CLAIMS: ReadonlyMap<string, keyof PatternParty> = new Map([
  ['{org_id}', 'orgId'],
  ['{subject}', 'subject'],
  ['{client_id}', 'clientId'],
]);

/** Characters by which a name could reach beyond the place where it stands. */
const REACHING = /[/\\*%?#{}\s\p{Cc}]|^\.{1,2}$|\.\./u;

/** Takes a pattern apart: `*` within a segment, `**` across, `{org_id}`, `{subject}`, `{client_id}`, everything else for itself. */
export function readyPattern(pattern: string): ResourcePattern {
  const folded = spellingsOfPattern(pattern).map((spelling) =>
    partsOf(spelling).map((part) => ('text' in part ? { text: fold(part.text) } : part)),
  );
  return { written: partsOf(pattern), folded };
}

/**
 * Does a grant of this pattern cover a URI? It is compared as it is written. A URI that some reader takes for another one is covered by
 * none, and a pattern that stands for a name which could reach beyond its place (`/`, `*`, `%`, `..` and their like) covers nothing; nor
 * does one for which the budget does not suffice.
 */
export function coversResource(
  { written }: ResourcePattern,
  uri: ResourceUri,
  party: PatternParty,
  budget: StepBudget,
): boolean {
  if (uri.hasTwoReadings) return false;
  const parts: PatternPart[] = [];
  for (const part of written) {
    if (!('claim' in part)) {
      parts.push(part);
      continue;
    }
    const name = party[part.claim];
    if (name === '' || REACHING.test(name)) return false;
    parts.push({ text: name });
  }
  return matchesParts(parts, uri.text, budget) === true;
}

/**
 * Does a deny of this pattern forbid a URI? Whatever may be another spelling of what it names is forbidden too: upper case, encoded
 * characters, a query or a fragment behind it, parameters of its segments, slashes at its end and behind its scheme, of `http` and `https`
 * a user, a default port, a dot at the end of the host and another way to write it; and all that nobody can say what it names. What a grant
 * of it covers it forbids, and what the budget does not suffice for. A name that could reach beyond its place stands for anything.
 */
export function forbidsResource(
  pattern: ResourcePattern,
  uri: ResourceUri,
  party: PatternParty,
  budget: StepBudget,
): boolean {
  if (uri.isUnclear || coversResource(pattern, uri, party, budget)) return true;
  return pattern.folded.some((folded) => {
    const parts = folded.map((part): PatternPart => {
      if (!('claim' in part)) return part;
      const name = party[part.claim];
      return name === '' || REACHING.test(name) ? { crosses: true } : { text: fold(name) };
    });
    return uri.spellings.some((spelling) => matchesParts(parts, spelling, budget) !== false);
  });
}

function partsOf(pattern: string): Parts {
  return pattern.split(/(\{[a-z_]+\})/).flatMap((piece): Parts => {
    const claim = CLAIMS.get(piece);
    return claim === undefined ? splitPattern(piece) : [{ claim }];
  });
}
