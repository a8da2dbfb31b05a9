import type { Json } from './json.ts';
import type { ClientEntry, Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import { type Claims, VerifiedToken } from './token.ts';
import { userScopes } from './user-grant.ts';
import { canonicalFilters, parseContextScope } from './visibility.ts';

/** Why a verified token stands for nobody any more. */
export type CallerRefusal = {
  readonly reason: 'unknown_client' | 'client_disabled' | 'org_mismatch' | 'org_suspended';
};

/**
 * The verified party of one request. Only {@link Caller.fromToken} makes one: the constructor is private, and
 * `Caller.is` refuses at run time what was cast.
 */
export class Caller {
  readonly #client: ClientEntry;
  readonly orgId: string;
  readonly subject: string;
  readonly kind: 'user' | 'agent';
  readonly clientId: string;
  /** What the token carries and the client may still have, in the token's order. */
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  readonly jti: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly audience: string;
  /** The token's context-store claims as they stand, none where the client has others by now; `core/visibility` judges them. */
  readonly context: { readonly namespace: Json | undefined; readonly scopeFilters: Json | undefined };

  private constructor(token: VerifiedToken, client: ClientEntry, policy: Policy) {
    const { claims } = token;
    this.#client = client;
    this.orgId = claims.orgId;
    this.subject = claims.subject;
    this.kind = claims.subject === claims.clientId ? 'agent' : 'user';
    this.clientId = claims.clientId;
    this.scopes =
      claims.idp === undefined || this.kind === 'agent'
        ? claims.scopes.filter((scope) => client.scopes.includes(scope))
        : scopesOfIdpUser(claims, client, policy);
    // A group that the configuration took from an agent since is gone; a user's groups are the identity provider's.
    this.groups =
      this.kind === 'agent' ? claims.groups.filter((group) => client.groups.includes(group)) : claims.groups;
    this.jti = claims.jti;
    this.issuedAtSeconds = claims.issuedAtSeconds;
    this.expiresAtSeconds = claims.expiresAtSeconds;
    this.audience = claims.audience;
    this.context = contextOf(claims, client);
  }

  static is(value: unknown): value is Caller {
    return typeof value === 'object' && value !== null && #client in value;
  }

  /**
   * The caller of a verified token under the running policy. In this order: the client belongs to the token's organisation, is
   * registered or of a class that is still admitted, is not disabled; the organisation is not suspended. Scopes that the client has
   * lost since are dropped. Does NOT check audience or revocation.
   *
   * @throws TypeError on a token that {@link VerifiedToken.verify} did not make
   */
  static fromToken(token: VerifiedToken, policy: Policy): Result<Caller, CallerRefusal> {
    if (!VerifiedToken.is(token)) throw new TypeError('a caller needs a verified token');
    const { clientId, orgId } = token.claims;
    const registeredOrg = policy.clients.get(clientId)?.org ?? orgId;
    if (registeredOrg !== orgId) return err({ reason: 'org_mismatch' });
    const client = policy.findClient(clientId, orgId);
    if (client === undefined) return err({ reason: 'unknown_client' });
    if (client.disabled) return err({ reason: 'client_disabled' });
    if (policy.isSuspended(client.org)) return err({ reason: 'org_suspended' });
    return ok(new Caller(token, client, policy));
  }

  /** Every scope that a new token of this client may carry. */
  get obtainableScopes(): readonly string[] {
    return this.#client.scopes;
  }

  /** The MCP server that this client is, where it is one calling out through the egress gateway. */
  get server(): string | undefined {
    return this.#client.server;
  }

  /** May this client have tokens for the whole gateway? */
  get isGatewayClient(): boolean {
    return this.#client.audience === 'gateway';
  }

  /** One string for this caller, equal for no other: for cache keys, sealed handles and connection pools. */
  get key(): string {
    return JSON.stringify([this.orgId, this.clientId, this.subject]);
  }
}

/**
 * The IdP knows nothing of what groups are mapped to, so the mapping is made here, with the running policy. Scopes of ours that the token
 * names narrow it; a token that names none asked for none in particular.
 */
function scopesOfIdpUser(claims: Claims, client: ClientEntry, policy: Policy): readonly string[] {
  const named = claims.scopes.filter((scope) => client.scopes.includes(scope));
  return userScopes(policy, client, claims.groups, named.length > 0 ? named : undefined);
}

/** An agent with an IdP's token has what its registration gives: the IdP says nothing of namespaces. A user has none. */
function contextOf(claims: Claims, client: ClientEntry): Caller['context'] {
  const none = { namespace: undefined, scopeFilters: undefined };
  if (claims.idp === undefined) {
    const { namespace, scopeFilters } = claims;
    return isStillGiven(claims, client) ? { namespace, scopeFilters } : none;
  }
  if (claims.subject !== claims.clientId) return none;
  const { namespace, scopeFilters } = client;
  const filters = scopeFilters === undefined ? undefined : new Map(Object.entries(scopeFilters));
  return { namespace, scopeFilters: filters };
}

/**
 * Does the client's registration still give what the token says of the context store? Malformed claims pass, to be refused as what
 * they are where they are used.
 */
function isStillGiven(claims: Claims, client: ClientEntry): boolean {
  const scope = parseContextScope(claims, 'read');
  if (!scope.ok) return true;
  const given = new Map(Object.entries(client.scopeFilters ?? {}));
  const isSameScope = canonicalFilters(scope.value.scopeFilters) === canonicalFilters(given);
  return scope.value.namespace === client.namespace && isSameScope;
}
