import type { Party } from './decide.ts';
import { findParties, type PartyRefusal } from './parties.ts';
import type { Policy } from './policy.ts';
import { ok, type Result } from './result.ts';
import { standingOf } from './standing.ts';
import { userScopes } from './user-grant.ts';

/** Who might call: what an administrator says of a caller. Absent: what the configuration gives. */
export type HypotheticalClaims = {
  readonly orgId: string;
  readonly clientId: string;
  /** The user who acts through the client, or a client; absent: the client itself. */
  readonly subject?: string;
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  readonly teams?: readonly string[];
};

/**
 * A party as a fresh token of its own would make it, by the configuration alone. It is no `Caller` and can be made none: no door takes it,
 * and `decide` refuses it; it is for those who explain decisions. Scopes only narrow, as a token's do.
 */
export function hypotheticalParty(
  policy: Policy,
  { orgId, clientId, subject = clientId, groups, scopes, teams: claim }: HypotheticalClaims,
  nowSeconds: number,
): Result<Party, PartyRefusal> {
  const parties = findParties(policy, { orgId, clientId, subject });
  if (!parties.ok) return parties;
  const { client, agent } = parties.value;
  const own = agent === undefined ? (groups ?? []) : agent.groups;
  const held = agent === undefined ? own : own.filter((group) => groups?.includes(group) ?? true);
  const given = agent === undefined ? userScopes(policy, client, held, undefined) : agent.scopes;
  const standing = standingOf(
    policy,
    { orgId, subject, groups: held },
    { standing: 'session', claim },
    nowSeconds,
  );
  const entitled = new Set([
    ...given,
    ...(agent === undefined ? policy.scopesOfGroups(held) : client.scopes),
  ]);
  return ok({
    orgId,
    subject,
    clientId,
    kind: agent === undefined ? 'user' : 'agent',
    scopes: given.filter((scope) => client.scopes.includes(scope) && (scopes?.includes(scope) ?? true)),
    obtainableScopes: agent === undefined ? given : client.scopes,
    teams: standing.teams,
    isPublicOnly: standing.isPublicOnly,
    context: { namespace: undefined, scopeFilters: undefined },
    runPermissions: undefined,
    isEntitledTo: (scope) => entitled.has(scope),
  });
}
