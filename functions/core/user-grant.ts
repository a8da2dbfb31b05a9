import {
  type GrantPlan,
  type OAuthRefusal,
  planLifetime,
  serverOfResource,
  unknownResource,
} from './grant.ts';
import type { ClientEntry, Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import { isFor } from './rules/match.ts';
import { viewerOf } from './standing.ts';

/** Of the 8,192 bytes of a token. */
const MAX_GROUPS_BYTES = 3_000;

/** A user who was authenticated by an identity provider, and the client through which a token is asked for. */
export type UserGrantRequest = {
  readonly subject: string;
  /** The organisation of the identity provider that authenticated the user. */
  readonly orgId: string;
  readonly groups: readonly string[];
  readonly authTimeSeconds: number;
  /** Undefined: every scope that the user may have through this client. */
  readonly scopes: readonly string[] | undefined;
  readonly resource: string | undefined;
};

/**
 * The scopes that a user of these groups may have through a client: requested ∩ allowed for the client ∩ mapped from the groups
 * (contract §4), in the order of the mapping.
 */
export function userScopes(
  policy: Policy,
  client: ClientEntry,
  groups: readonly string[],
  requested: readonly string[] | undefined,
): readonly string[] {
  return policy
    .scopesOfGroups(groups)
    .filter((scope) => client.scopes.includes(scope) && (requested?.includes(scope) ?? true));
}

/** Of a client's scopes those that grant anything on a server. */
export function scopesOn(policy: Policy, client: ClientEntry, server: string): readonly string[] {
  return client.scopes.filter((scope) => policy.rules(scope, server).length > 0);
}

/** Is there anything on this server that everybody in the organisation is granted? */
export function isForEverybody(policy: Policy, server: string, orgId: string): boolean {
  return policy.access.defaults(server).some((rule) => isFor(rule, orgId));
}

/**
 * The scopes that a login gives: {@link userScopes}, and of these, where the client named a server and no scopes, those that grant anything
 * there. Only a server that grants something to everybody, and nothing to these scopes, is reached with all of them.
 */
export function loginScopes(
  policy: Policy,
  client: ClientEntry,
  { orgId, groups }: Pick<UserGrantRequest, 'orgId' | 'groups'>,
  asked: { readonly scopes: readonly string[] | undefined; readonly server: string | undefined },
): readonly string[] {
  const { scopes, server } = asked;
  const all = userScopes(policy, client, groups, scopes);
  if (scopes !== undefined || server === undefined) return all;
  const here = scopesOn(policy, client, server);
  const own = all.filter((scope) => here.includes(scope));
  return own.length === 0 && isForEverybody(policy, server, orgId) ? all : own;
}

/**
 * Plans an access token about a user. In this order: the resource is a server that this user may know of, or `ORIGIN` for a
 * gateway client (none named: `ORIGIN` for such a client, else `invalid_target`); scopes only narrow, and none left is
 * `invalid_scope`. Does NOT check that the client may use the grant.
 */
export function planUserGrant(
  policy: Policy,
  client: ClientEntry,
  request: UserGrantRequest,
  origin: string,
  nowSeconds = Number.POSITIVE_INFINITY,
): Result<GrantPlan, OAuthRefusal> {
  const { subject, orgId, groups } = request;
  const resource = request.resource ?? origin;
  const server = serverOfResource(resource, origin);
  const isReachable =
    server !== undefined &&
    policy.hasServer(server, viewerOf(policy, { orgId, subject, groups }, nowSeconds));
  if (resource === origin ? client.audience !== 'gateway' : !isReachable) {
    const description =
      resource === origin ? `name the server: \`resource=${origin}/{server}/mcp\`` : unknownResource(origin);
    return err({ error: 'invalid_target', description });
  }
  const scopes = userScopes(policy, client, groups, request.scopes);
  if (scopes.length === 0) {
    return err({ error: 'invalid_scope', description: 'none of these scopes is granted to this user here' });
  }
  const fitting = fittingGroups(policy, groups);
  if (fitting === undefined) {
    const description = 'this user is in too many groups that something is forbidden to or limited for';
    return err({ error: 'invalid_scope', description });
  }
  return ok({
    subject,
    kind: 'user',
    clientId: client.id,
    orgId,
    audience: resource,
    scopes,
    groups: fitting,
    standing: 'session',
    lifetimeSeconds: planLifetime(policy, client, server, scopes),
    context: {},
    authTimeSeconds: request.authTimeSeconds,
  });
}

/**
 * As many groups as a token can carry: a provider may name hundreds, and a token that is too long would be refused everywhere. Those that
 * anything is forbidden to, or that a limit counts, come first, and where they do not all fit there is no token (undefined): one without
 * them would allow more. Then
 * come those that are mapped to something; of these, one that is left out only takes from the token.
 */
export function fittingGroups(policy: Policy, groups: readonly string[]): readonly string[] | undefined {
  if (Buffer.byteLength(JSON.stringify(groups)) <= MAX_GROUPS_BYTES) return groups;
  const rankOf = (group: string) => {
    const scopes = policy.scopesOfGroups([group]);
    if (scopes.some((scope) => policy.access.isDenying(scope) || policy.access.isLimited(scope))) return 0;
    return scopes.length > 0 || policy.teams.isGroupUsed(group) || policy.roles.isGroupUsed(group) ? 1 : 2;
  };
  const ranked = groups
    .map((group) => ({ group, rank: rankOf(group) }))
    .sort((one, other) => one.rank - other.rank);
  let bytes = 0;
  const fitting = ranked.filter(({ group }) => {
    bytes += Buffer.byteLength(JSON.stringify(group)) + 1;
    return bytes <= MAX_GROUPS_BYTES;
  });
  const isWhole = ranked.every(({ rank }, index) => rank > 0 || index < fitting.length);
  return isWhole ? fitting.map(({ group }) => group) : undefined;
}
