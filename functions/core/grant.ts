import type { Viewer } from './item.ts';
import { type ClientEntry, CONTEXT_STORE, type Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import { isFor } from './rules/match.ts';
import { viewerOf } from './standing.ts';
import { NO_TEAMS } from './team.ts';
import { fittingTeams, type TeamScope } from './team-claim.ts';

/**
 * An error of the token endpoint (RFC 6749 §5.2, RFC 8707 §2). `description` is for the client's developer; `cause` is for the audit
 * record alone, where it says more than the client may know.
 */
export type OAuthRefusal = {
  readonly error:
    | 'invalid_request'
    | 'invalid_client'
    | 'invalid_grant'
    | 'unauthorized_client'
    | 'unsupported_grant_type'
    | 'unsupported_token_type'
    | 'invalid_scope'
    | 'invalid_target';
  readonly description: string;
  readonly cause?: string;
};

/** What a token request asks for, as it was sent. */
export type TokenRequest = {
  readonly scope: string | undefined;
  readonly resources: readonly string[];
  /** Names of teams, separated by a space, or `none`: the token shows their items and no other team's. Absent: all that the client is in. */
  readonly teams?: string | undefined;
};

/** What will be in the token. */
export type GrantPlan = {
  readonly subject: string;
  /** Is the subject a user, or a client on its own behalf? */
  readonly kind: 'user' | 'agent';
  readonly clientId: string;
  readonly orgId: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** `session`: the holder authenticated for it. Absent: what `teams` names is all that it may see beside what is public. */
  readonly standing?: 'session';
  readonly teams?: readonly string[];
  /** How many requests it is good for, of a token that is no `session`; undefined: as many as there are. */
  readonly maxUses?: number | undefined;
  readonly lifetimeSeconds: number;
  readonly context: Readonly<Record<string, unknown>>;
  /** When the user logged in (`auth_time`); undefined for a client's own token. */
  readonly authTimeSeconds?: number;
  /** Those who act for the subject, the present one first; nobody where it is absent. */
  readonly actors?: readonly string[];
  /** The `jti` of the tokens by which they came to act. */
  readonly actorTokens?: readonly string[];
  /** The login or the token that this one comes of; undefined for a client's own token. */
  readonly descent?: Descent;
};

/** What a token comes of: whatever revokes that revokes the token. */
export type Descent = {
  /** The family of a login, or the `jti` of a token (core/token-line). */
  readonly ancestor: string;
  /** Its age, which revocations by client, user or organisation go by. */
  readonly issuedAtSeconds: number;
};

/** The default and the cap of an access token's lifetime (contract §13), in seconds. */
export const DEFAULT_LIFETIME_SECONDS = 600;
export const MAX_LIFETIME_SECONDS = 900;
export const MIN_LIFETIME_SECONDS = 300;

const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Plans the token of a `client_credentials` grant (RFC 6749 §4.4) for a client that is authenticated and may use this grant. In
 * this order: the resource is one that it may have a token for (RFC 8707; none: `ORIGIN` for a gateway client, else
 * `invalid_target`), scopes and teams only narrow. Nothing left of a request for scopes is `invalid_scope`, a team that the client is not in
 * `invalid_request`.
 */
export function planClientCredentials(
  policy: Policy,
  client: ClientEntry,
  request: TokenRequest,
  origin: string,
  nowSeconds = Number.POSITIVE_INFINITY,
): Result<GrantPlan, OAuthRefusal> {
  const party = { orgId: client.org, subject: client.id, groups: client.groups };
  const whole = viewerOf(policy, party, nowSeconds);
  const teams = planTeams(whole.teams, request.teams);
  if (!teams.ok) return teams;
  const viewer = { ...whole, ...teams.value.scope };
  const audience = planAudience(policy, client, { resources: request.resources, viewer }, origin);
  if (!audience.ok) return audience;
  const scopes = planScopes(client, request.scope);
  if (!scopes.ok) return scopes;
  const server = serverOfResource(audience.value, origin);
  const opensContext = server === undefined || server === CONTEXT_STORE;
  return ok({
    subject: client.id,
    kind: 'agent',
    clientId: client.id,
    orgId: client.org,
    audience: audience.value,
    scopes: scopes.value,
    groups: client.groups,
    ...teams.value.claims,
    lifetimeSeconds: planLifetime(policy, client, server, scopes.value),
    context: opensContext ? contextClaims(client) : {},
  });
}

/** Does the token show nothing but what everyone in the organisation may see? Its receiver is told so. */
export function isPublicOnly({ standing, teams = [] }: GrantPlan): boolean {
  return standing !== 'session' && teams.length === 0;
}

/** The server whose MCP endpoint a resource is; undefined for `ORIGIN` itself or anything else. */
export function serverOfResource(resource: string, origin: string): string | undefined {
  const path = resource.startsWith(`${origin}/`) ? resource.slice(origin.length) : '';
  return /^\/([a-z0-9][a-z0-9_-]{0,62})\/mcp$/.exec(path)?.[1];
}

/** What is said of a resource that is none, or none for who asks: the same, whichever it is. */
export function unknownResource(origin: string): string {
  return `this resource is unknown; that of a server is ${origin}/{server}/mcp`;
}

/** The scopes of a `scope` parameter (RFC 6749 §3.3). */
export function splitScopes(scope: string): Result<readonly string[], OAuthRefusal> {
  const names = scope.split(' ');
  return names.every((name) => SCOPE_TOKEN.test(name))
    ? ok(names)
    : refuse('invalid_scope', 'scopes are separated by one space');
}

function planAudience(
  policy: Policy,
  client: ClientEntry,
  { resources, viewer }: { readonly resources: readonly string[]; readonly viewer: Viewer },
  origin: string,
): Result<string, OAuthRefusal> {
  const [resource] = resources;
  if (resources.length > 1) return refuse('invalid_target', 'ask for one `resource` at a time');
  if (resource === undefined || resource === origin) {
    return client.audience === 'gateway'
      ? ok(origin)
      : refuse('invalid_target', `name the server: \`resource=${origin}/{server}/mcp\``);
  }
  const server = serverOfResource(resource, origin);
  const reachable = server !== undefined && policy.hasServer(server, viewer);
  return reachable ? ok(resource) : refuse('invalid_target', unknownResource(origin));
}

/** What a request for teams leaves: of `none`, a token that shows what is public (a parameter without a value is as good as absent). */
function planTeams(
  present: readonly string[],
  requested: string | undefined,
): Result<
  { readonly claims: Pick<GrantPlan, 'standing' | 'teams'>; readonly scope: Partial<TeamScope> },
  OAuthRefusal
> {
  if (requested === undefined) return ok({ claims: { standing: 'session' }, scope: {} });
  const teams = requested === NO_TEAMS ? [] : [...new Set(requested.split(' '))];
  if (!teams.every((team) => present.includes(team)) || fittingTeams(teams).length < teams.length) {
    return refuse(
      'invalid_request',
      '`teams` is `none`, or names teams that this client is in, separated by a space',
    );
  }
  return ok({ claims: { teams }, scope: { teams, isPublicOnly: teams.length === 0 } });
}

function planScopes(client: ClientEntry, scope: string | undefined): Result<readonly string[], OAuthRefusal> {
  if (scope === undefined) {
    const hasReason =
      client.scopes.length > 0 || client.server !== undefined || client.namespace !== undefined;
    return hasReason ? ok(client.scopes) : refuse('invalid_scope', 'no scope is granted to this client');
  }
  const requested = splitScopes(scope);
  if (!requested.ok) return requested;
  const granted = client.scopes.filter((name) => requested.value.includes(name));
  return granted.length > 0
    ? ok(granted)
    : refuse('invalid_scope', 'none of these scopes is granted to this client');
}

/** The client's own lifetime under the caps of every server that the token will open and of every scope that it will carry, in seconds. */
export function planLifetime(
  policy: Policy,
  client: ClientEntry,
  server: string | undefined,
  scopes: readonly string[],
): number {
  const isOpened = (name: string) =>
    server === undefined
      ? scopes.some((scope) => policy.rules(scope, name).length > 0) ||
        policy.access.defaults(name).some((rule) => isFor(rule, client.org))
      : name === server;
  const caps = [
    ...[...policy.servers.values()].filter(({ name }) => isOpened(name)),
    ...scopes.map((scope) => policy.access.settingsOf(scope)),
  ].map(({ tokenTtlMaxSeconds }) => tokenTtlMaxSeconds ?? MAX_LIFETIME_SECONDS);
  return Math.min(client.tokenTtlSeconds, MAX_LIFETIME_SECONDS, ...caps);
}

function contextClaims(client: ClientEntry): Readonly<Record<string, unknown>> {
  if (client.namespace === undefined) return {};
  return {
    namespace: client.namespace,
    ...(client.scopeFilters === undefined ? {} : { scope_filters: client.scopeFilters }),
  };
}

function refuse(error: OAuthRefusal['error'], description: string): Result<never, OAuthRefusal> {
  return err({ error, description });
}
