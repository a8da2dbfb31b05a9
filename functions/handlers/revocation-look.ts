import type { Policy } from '../core/policy.ts';
import type { RevocableToken, RevocationStore, Unavailable } from '../core/ports.ts';
import type { Result } from '../core/result.ts';
import { revocableTeams } from '../core/standing.ts';

/** What a look is about: a token, or what stands like one for a party (a login, a session, a run). `teams` are those that it names itself. */
export type Revocable = RevocableToken & { readonly groups?: readonly string[] };

/** Is it revoked, by any of its own names, or as one of a team that one of its parties is in? Every door asks here. */
export function lookForRevocation(
  revocations: RevocationStore,
  policy: Policy,
  revocable: Revocable,
  options?: { readonly fresh?: boolean },
): Promise<Result<boolean, Unavailable>> {
  const { groups = [] } = revocable;
  const teams = revocableTeams(policy, { ...revocable, groups });
  return revocations.isRevoked({ ...revocable, teams }, options);
}
