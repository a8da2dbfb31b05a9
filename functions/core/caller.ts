import { FOREIGN_CLOCK_TOLERANCE_SECONDS } from './foreign-token.ts';
import type { Json } from './json.ts';
import { findLiveClient, findParties, type PartyRefusal } from './parties.ts';
import type { ClientEntry, Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import type { HeldRole } from './role.ts';
import { RUNS_ISSUE } from './run.ts';
import { namespaceOf, type RunPermissions } from './run-request.ts';
import { ServiceRun } from './service-run.ts';
import { type Standing, standingOf } from './standing.ts';
import { type Claims, VerifiedToken } from './token.ts';
import { userScopes } from './user-grant.ts';
import {
  type ContextScope,
  canonicalFilters,
  isWithin,
  parseContextScope,
  type ScopeRefusal,
} from './visibility.ts';

/** Why a verified token stands for nobody any more. */
export type CallerRefusal = PartyRefusal;

/** What a token says of its caller, narrowed to what the running policy still gives. */
type CallerFacts = {
  readonly subject: string;
  readonly kind: Caller['kind'];
  readonly scopes: readonly string[];
  readonly obtainableScopes: readonly string[];
  readonly groups: readonly string[];
  readonly standing: Standing;
  readonly jti: string;
  readonly actors: readonly string[];
  readonly actorTokens: readonly string[];
  readonly maxUses?: number | undefined;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly endsAtSeconds: number;
  readonly audience: string;
  readonly context: Caller['context'];
  readonly run: ServiceRun | undefined;
  /** Lists of the scopes that the parties have a right to; read when a deny is looked at. */
  readonly entitlements: () => readonly (readonly string[])[];
  readonly under: Caller['under'];
};

/** A run sees what it was opened for, and no item besides. */
const RUN_STANDING: Standing = { teams: [], isPublicOnly: true, roles: [] };

const NO_CONTEXT: Caller['context'] = { namespace: undefined, scopeFilters: undefined };

/**
 * The verified party of one request. Only {@link Caller.fromToken} and {@link Caller.fromRun} make one: the constructor is
 * private, and `Caller.is` refuses at run time what was cast.
 */
export class Caller {
  readonly #client: ClientEntry;
  readonly #entitlements: CallerFacts['entitlements'];
  readonly #under: CallerFacts['under'];
  readonly #run: CallerFacts['run'];
  #entitled: ReadonlySet<string> | undefined;
  readonly orgId: string;
  readonly subject: string;
  readonly kind: 'user' | 'agent' | 'run';
  readonly clientId: string;
  /** What the token carries and the client may still have, in the token's order. */
  readonly scopes: readonly string[];
  /** Every scope that a new token of this client may carry, for a user those that its groups give; a run can obtain none. */
  readonly obtainableScopes: readonly string[];
  readonly groups: readonly string[];
  /** The teams that the token stands for, at this moment, with all that inherits from them (core/team-claim). */
  readonly teams: readonly string[];
  /** Does the token show nothing but what everyone in the organisation may see? */
  readonly isPublicOnly: boolean;
  /** Held at this moment; `core/may` says what they permit. */
  readonly roles: readonly HeldRole[];
  readonly jti: string;
  /** Those who act for the subject, the present one first. */
  readonly actors: readonly string[];
  /** The `jti` of the tokens by which they came to act. */
  readonly actorTokens: readonly string[];
  /** How many requests the token is good for; undefined: as many as there are. */
  readonly maxUses: number | undefined;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** `exp` itself, without the tolerance that `expiresAtSeconds` of an IdP's token has: what is made of the token ends by then. */
  readonly endsAtSeconds: number;
  readonly audience: string;
  /** The token's context-store claims as they stand, none where the client has others by now; `core/visibility` judges them. */
  readonly context: { readonly namespace: Json | undefined; readonly scopeFilters: Json | undefined };

  /** What a run may do; undefined for a caller that is none. */
  readonly runPermissions: RunPermissions | undefined;

  private constructor(client: ClientEntry, facts: CallerFacts) {
    this.#client = client;
    this.#entitlements = facts.entitlements;
    this.#under = facts.under;
    this.#run = facts.run;
    this.orgId = client.org;
    this.clientId = client.id;
    this.subject = facts.subject;
    this.kind = facts.kind;
    this.scopes = facts.scopes;
    this.obtainableScopes = facts.obtainableScopes;
    this.groups = facts.groups;
    this.teams = facts.standing.teams;
    this.isPublicOnly = facts.standing.isPublicOnly;
    this.roles = facts.standing.roles;
    this.jti = facts.jti;
    this.actors = facts.actors;
    this.actorTokens = facts.actorTokens;
    this.maxUses = facts.maxUses;
    this.issuedAtSeconds = facts.issuedAtSeconds;
    this.expiresAtSeconds = facts.expiresAtSeconds;
    this.endsAtSeconds = facts.endsAtSeconds;
    this.audience = facts.audience;
    this.context = facts.context;
    this.runPermissions = facts.run?.claims.permissions;
  }

  static is(value: unknown): value is Caller {
    return typeof value === 'object' && value !== null && #client in value;
  }

  /**
   * The caller of a verified token under the running policy: every party to it may still take part ({@link findParties}). Scopes
   * that one of them has lost since, also a client that it was delegated through, are dropped, of a user those that the groups in the token are mapped to no more. Teams and roles are those
   * of `nowSeconds`; without it, a role that ends some day is none. Does NOT check audience or revocation.
   *
   * @throws TypeError on a token that {@link VerifiedToken.verify} did not make
   */
  static fromToken(
    token: VerifiedToken,
    policy: Policy,
    nowSeconds = Number.POSITIVE_INFINITY,
  ): Result<Caller, CallerRefusal> {
    if (!VerifiedToken.is(token)) throw new TypeError('a caller needs a verified token');
    const { claims } = token;
    const parties = findParties(policy, claims);
    if (!parties.ok) return parties;
    const { client, agent, between } = parties.value;
    const isOfIdp = claims.idp !== undefined;
    const given = agent?.scopes ?? userScopes(policy, client, claims.groups, undefined);
    // A group that the configuration took from an agent since is gone; a user's groups are the identity provider's.
    const groups =
      agent === undefined ? claims.groups : claims.groups.filter((group) => agent.groups.includes(group));
    const { orgId, subject, standing, teams: claim } = claims;
    return ok(
      new Caller(client, {
        ...claims,
        kind: agent === undefined ? 'user' : 'agent',
        actors: claims.actors ?? [],
        actorTokens: claims.actorTokens ?? [],
        endsAtSeconds: claims.expiresAtSeconds - (isOfIdp ? FOREIGN_CLOCK_TOLERANCE_SECONDS : 0),
        scopes:
          isOfIdp && agent === undefined
            ? scopesOfIdpUser(claims, client, policy)
            : claims.scopes.filter(
                (scope) =>
                  given.includes(scope) && [client, ...between].every(({ scopes }) => scopes.includes(scope)),
              ),
        // A user who is asked again for what no group of theirs gives is asked without end.
        obtainableScopes: agent === undefined ? given : client.scopes,
        groups,
        standing: standingOf(policy, { orgId, subject, groups }, { standing, claim }, nowSeconds),
        context: contextOf(claims, client, agent),
        run: undefined,
        entitlements: () => [
          // What the client of a user may carry is for all of its users, and says nothing of this one.
          ...(agent === undefined ? [policy.scopesOfGroups(claims.groups)] : [agent.scopes, client.scopes]),
        ],
        under: (other, atSeconds) => Caller.fromToken(token, other, atSeconds),
      }),
    );
  }

  /**
   * A run as one service sees it. Its coordinator is looked at like the client of any token; a namespace
   * for which it may open no runs any more is gone, and with the scope `runs/issue` all of them. A run has no scopes.
   *
   * @throws TypeError on a run that was not made of a verified run token
   */
  static fromRun(run: ServiceRun, policy: Policy): Result<Caller, CallerRefusal> {
    if (!ServiceRun.is(run)) throw new TypeError('a caller needs a verified run');
    const { claims } = run;
    const client = findLiveClient(policy, claims.clientId, claims.orgId);
    if (!client.ok) return client;
    return ok(
      new Caller(client.value, {
        ...claims,
        subject: claims.runId,
        kind: 'run',
        actors: [],
        actorTokens: [],
        endsAtSeconds: claims.expiresAtSeconds,
        scopes: [],
        obtainableScopes: [],
        groups: [],
        standing: RUN_STANDING,
        audience: run.service,
        context: isRunStillGiven(run, client.value) ? run.context : NO_CONTEXT,
        run,
        entitlements: () => [client.value.scopes],
        under: (other) => Caller.fromRun(run, other),
      }),
    );
  }

  /**
   * Has the caller a right to a scope, whether or not its token carries it? Of a user, what the groups in the
   * token are mapped to; of an agent, what its registration gives, and that of the client that acts for it; of a run, what its coordinator's
   * gives. Denies hold by it: who leaves a scope out of a token escapes none of them.
   */
  isEntitledTo(scope: string): boolean {
    this.#entitled ??= new Set([this.scopes, ...this.#entitlements()].flat());
    return this.#entitled.has(scope);
  }

  /** Whom the same token stands for under another policy. Looks at what the factories look at, and no more. */
  under(policy: Policy, nowSeconds: number): Result<Caller, CallerRefusal> {
    return this.#under(policy, nowSeconds);
  }

  /** What of the context store the token opens, as far as the client may still have it. A run's was judged with its token. */
  get contextScope(): Result<ContextScope, ScopeRefusal> {
    const { orgId, context } = this;
    if (this.#run === undefined) return parseContextScope({ orgId, ...context }, 'write');
    return context.namespace === undefined ? err({ reason: 'no_namespace' }) : this.#run.scope;
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
    // A run may have the name of a client or of a user.
    const kind = this.kind === 'run' ? ['run'] : [];
    return JSON.stringify([this.orgId, this.clientId, this.subject, ...kind]);
  }
}

/**
 * The IdP knows nothing of what groups are mapped to, so the mapping is made here, with the running policy. Scopes of ours that the token
 * names narrow it, whether or not the client has them; a token that names none asked for none in particular.
 */
function scopesOfIdpUser(claims: Claims, client: ClientEntry, policy: Policy): readonly string[] {
  const isNarrowed = claims.scopes.some((scope) => policy.hasScope(scope) || client.scopes.includes(scope));
  return userScopes(policy, client, claims.groups, isNarrowed ? claims.scopes : undefined);
}

/** An agent with an IdP's token has what its registration gives: the IdP says nothing of namespaces. A user has none. */
function contextOf(claims: Claims, client: ClientEntry, agent: ClientEntry | undefined): Caller['context'] {
  if (claims.idp === undefined) {
    const { namespace, scopeFilters } = claims;
    return isStillGiven(claims, client, agent) ? { namespace, scopeFilters } : NO_CONTEXT;
  }
  if (agent === undefined) return NO_CONTEXT;
  const { namespace, scopeFilters } = client;
  const filters = scopeFilters === undefined ? undefined : new Map(Object.entries(scopeFilters));
  return { namespace, scopeFilters: filters };
}

/** May its coordinator still open runs for the namespace? A malformed one passes, to be refused as what it is where it is used. */
function isRunStillGiven({ section }: ServiceRun, client: ClientEntry): boolean {
  if (section === undefined || !client.scopes.includes(RUNS_ISSUE)) return false;
  const namespace = namespaceOf(section);
  return namespace === undefined || client.runNamespaces.includes(namespace);
}

/**
 * Does the client's registration still give what the token says of the context store? Of a token that was delegated, the registration of
 * the agent that it is about, and that of its client, if it has any, allow what may have been narrowed on the way. Malformed claims pass,
 * to be refused as what they are where they are used.
 */
function isStillGiven(claims: Claims, client: ClientEntry, agent: ClientEntry | undefined): boolean {
  const scope = parseContextScope(claims, 'read');
  if (!scope.ok) return true;
  const { namespace, scopeFilters } = scope.value;
  const filtersOf = (one: ClientEntry) => new Map(Object.entries(one.scopeFilters ?? {}));
  if (agent === undefined || agent === client) {
    const isSameScope = canonicalFilters(scopeFilters) === canonicalFilters(filtersOf(client));
    return namespace === client.namespace && isSameScope;
  }
  const giving = client.namespace === undefined ? [agent] : [agent, client];
  return giving.every((one) => one.namespace === namespace && isWithin(scopeFilters, filtersOf(one)));
}
