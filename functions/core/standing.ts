import type { Viewer } from './item.ts';
import type { Policy } from './policy.ts';
import { type HeldRole, PLATFORM_ADMIN } from './role.ts';
import { membership, type TeamScope, type TokenStanding, teamScope } from './team-claim.ts';

/** A subject, and the groups that vouch for more than its name does. */
export type Party = { readonly orgId: string; readonly subject: string; readonly groups: readonly string[] };

/** What the two layers know of a caller: the teams that its token stands for, and the roles that it holds. */
export type Standing = TeamScope & {
  /** Those for the whole organisation, and those of a team that the token stands for. */
  readonly roles: readonly HeldRole[];
};

/** The standing of a party by a token of its. */
export function standingOf(
  policy: Policy,
  party: Party,
  token: { readonly standing: TokenStanding; readonly claim: readonly string[] | undefined },
  nowSeconds: number,
): Standing {
  const held = policy.roles.of(party, nowSeconds);
  const scope = teamScope(policy.teams, { ...party, isPlatformAdmin: isPlatformAdmin(held) }, token);
  const roles = held.filter(({ team }) => team === undefined || scope.teams.includes(team));
  return { ...scope, roles };
}

/** A party as the configuration has it, before any token says less. */
export function viewerOf(policy: Policy, party: Party, nowSeconds: number): Viewer {
  const held = policy.roles.of(party, nowSeconds);
  const teams = membership(policy.teams, { ...party, isPlatformAdmin: isPlatformAdmin(held) });
  return { orgId: party.orgId, subject: party.subject, teams, isPublicOnly: false };
}

/**
 * The teams by which a token can be revoked: those that its parties are in by the configuration, and those that it names itself, known or
 * not. A client is in those of its groups too, whatever groups the token carries. `actors` are looked at as the subject is: revoking a
 * team ends what its agents hold about others too. A `platform_admin` is in every team by that role, and to be revoked by none for it: it
 * is nobody's member, and one revoked team would end what administers all others.
 */
export function revocableTeams(
  policy: Policy,
  token: Party & { readonly actors?: readonly string[]; readonly teams?: readonly string[] | undefined },
): readonly string[] {
  const { orgId, subject, groups, actors = [], teams = [] } = token;
  const ofParty = (id: string, own: readonly string[]) =>
    policy.teams.of(orgId, id, [...own, ...(policy.findClient(id, orgId)?.groups ?? [])]);
  const ofActors = actors.flatMap((actor) => ofParty(actor, []));
  const named = [...teams, ...policy.teams.expand(orgId, teams)];
  return [...new Set([...ofParty(subject, groups), ...ofActors, ...named])];
}

function isPlatformAdmin(held: readonly HeldRole[]): boolean {
  return held.some(({ role, team }) => role === PLATFORM_ADMIN && team === undefined);
}
