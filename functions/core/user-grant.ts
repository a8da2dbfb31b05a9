import { type GrantPlan, type OAuthRefusal, planLifetime, serverOfResource } from './grant.ts';
import type { ClientEntry, Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
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
      resource === origin
        ? `name the server: \`resource=${origin}/{server}/mcp\``
        : 'this resource is unknown';
    return err({ error: 'invalid_target', description });
  }
  const scopes = userScopes(policy, client, groups, request.scopes);
  if (scopes.length === 0) {
    return err({ error: 'invalid_scope', description: 'none of these scopes is granted to this user here' });
  }
  const fitting = fittingGroups(policy, groups);
  if (fitting === undefined) {
    const description = 'this user is in too many groups that something is forbidden to';
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
 * anything is forbidden to come first, and where they do not all fit there is no token (undefined): one without them would allow more. Then
 * come those that are mapped to something; of these, one that is left out only takes from the token.
 */
export function fittingGroups(policy: Policy, groups: readonly string[]): readonly string[] | undefined {
  if (Buffer.byteLength(JSON.stringify(groups)) <= MAX_GROUPS_BYTES) return groups;
  const rankOf = (group: string) => {
    const scopes = policy.scopesOfGroups([group]);
    if (scopes.some((scope) => policy.access.isDenying(scope))) return 0;
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
