import { stringList } from './compact-jws.ts';
import type { JsonObject } from './json.ts';
import type { Teams } from './team.ts';

/**
 * How a token came about, which says what its `teams` claim means. `session`: its holder authenticated for it, so that the configuration
 * is the authority. `api`: it was made from another token or asked for with `teams`, so that the claim is. `identity`: the gateway made
 * it for an upstream (contract §7), and it says what held then.
 */
export type TokenStanding = 'session' | 'api' | 'identity';

/** What a party may see beside what everyone of its organisation may. */
export type TeamScope = {
  /** With all that inherits from them. */
  readonly teams: readonly string[];
  /** Nothing but public items: not even its own private ones, and no permission `admin.*`. */
  readonly isPublicOnly: boolean;
};

/** Whom a token is about, for its teams. */
export type TeamSubject = {
  readonly orgId: string;
  readonly subject: string;
  readonly groups: readonly string[];
  /** Does it hold `platform_admin` for the whole organisation? Then it is in every team. */
  readonly isPlatformAdmin: boolean;
};

const PUBLIC_ONLY: TeamScope = { teams: [], isPublicOnly: true };

/**
 * The `teams` claim of a token, ours or an IdP's: an array of strings, or absent (`names` is undefined). Undefined where it is anything
 * else (null, a text, objects): such a token is refused, and never read as one without.
 */
export function readTeamsClaim(
  claims: JsonObject,
): { readonly names: readonly string[] | undefined } | undefined {
  if (!claims.has('teams')) return { names: undefined };
  const names = stringList(claims.get('teams'));
  return names === undefined ? undefined : { names };
}

/** The teams in which this subject is now, whatever a token says. */
export function membership(
  teams: Teams,
  { orgId, subject, groups, isPlatformAdmin }: TeamSubject,
): readonly string[] {
  return isPlatformAdmin ? teams.namesOf(orgId) : teams.of(orgId, subject, groups);
}

/**
 * The teams that a token stands for: never more than present membership. Names are compared after what inherits was added on both sides,
 * so that a token naming a child never regains the parent.
 *
 * | `teams` | `session` | `api` | `identity` |
 * |---|---|---|---|
 * | absent | all | public only | public only |
 * | `[]` | all | public only | none, its own private items |
 * | names | those of them it is in; none: public only | the same | the same |
 *
 * A platform administrator's `session` is in every team whatever it names. A malformed claim never comes here: the token is refused.
 */
export function teamScope(
  teams: Teams,
  subject: TeamSubject,
  token: { readonly standing: TokenStanding; readonly claim: readonly string[] | undefined },
): TeamScope {
  const { standing, claim } = token;
  const present = membership(teams, subject);
  const isWhole = claim === undefined || claim.length === 0;
  if (standing === 'session' && (isWhole || subject.isPlatformAdmin)) {
    return { teams: present, isPublicOnly: false };
  }
  if (isWhole)
    return standing === 'identity' && claim !== undefined ? { teams: [], isPublicOnly: false } : PUBLIC_ONLY;
  const named = new Set(teams.expand(subject.orgId, claim));
  const left = present.filter((team) => named.has(team));
  return left.length === 0 ? PUBLIC_ONLY : { teams: left, isPublicOnly: false };
}

/** Of the 8,192 bytes of a token. */
const MAX_TEAMS_BYTES = 2_000;

/** As many teams as a token can carry, the first ones; what is left out shows less. */
export function fittingTeams(teams: readonly string[]): readonly string[] {
  let bytes = 0;
  return teams.filter((team) => {
    bytes += Buffer.byteLength(team) + 3;
    return bytes <= MAX_TEAMS_BYTES;
  });
}
