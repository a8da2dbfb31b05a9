import { openClassOf } from './client-id.ts';
import { type AcceptedIdp, type IdentityProvider, isAccepted, isAsserting } from './identity-provider.ts';
import { type Viewer, visible } from './item.ts';
import { admits, CLOSED_REGISTRATION, NO_ORG, openClientEntry, type Registration } from './open-client.ts';
import type { Perimeter } from './perimeter-list.ts';
import type { Provider } from './provider.ts';
import { type RoleBinding, type RoleEntry, Roles } from './role.ts';
import type { Limit } from './rules/limit.ts';
import type { Rule } from './rules/ready-rule.ts';
import type { DefaultRule, ScopeRule, ScopeSettings } from './rules/rule.ts';
import { RuleBook } from './rules/rule-book.ts';
import { isBuiltInScope } from './scope-words.ts';
import { type TeamEntry, Teams } from './team.ts';

/** What goes upstream (contract §7). */
export type EgressMode = 'none' | 'passthrough' | 'identity' | 'service_account' | 'user_oauth' | 'hybrid';

/** How a credential is put on: whose secret it is, and what stands in when that one is absent. */
export type Egress = {
  readonly mode: EgressMode;
  readonly key: 'client' | 'user';
  readonly fallback: 'none' | 'default';
  /** Where users connect, in `user_oauth` and `hybrid`. */
  readonly provider?: string;
  /** What their connections need; absent: what the provider's entry asks for. */
  readonly scopes?: readonly string[];
};

/** A registered MCP server inside the enterprise perimeter. `org` undefined: every organisation. */
export type ServerEntry = {
  readonly name: string;
  readonly url: string;
  readonly org: string | undefined;
  readonly private: boolean;
  readonly egress: Egress;
  /** Names, lower case, of the caller's headers that may travel. */
  readonly headers: readonly string[];
  readonly timeout: {
    readonly connectMs: number;
    readonly firstByteMs: number;
    readonly silenceMs: number;
    readonly callMs: number;
  };
  readonly getStream: boolean;
  readonly tokenTtlMaxSeconds: number | undefined;
  readonly visibility: string;
};

/** An HTTP API behind the egress gateway. */
export type ServiceEntry = {
  readonly name: string;
  readonly url: string;
  readonly org: string | undefined;
  readonly private: boolean;
  readonly egress: Egress;
  readonly headers: readonly string[];
  readonly timeout: ServerEntry['timeout'];
  readonly usedBy: readonly string[];
  /** As of a server; absent from what was stored before services had any, which were for their organisation. */
  readonly visibility?: string;
  readonly allow: readonly { readonly method: string; readonly path: string }[];
};

/** A registered OAuth client. `scopes` are the scopes it may have: its own list and those of its groups. */
export type ClientEntry = {
  readonly id: string;
  readonly org: string;
  /** What people are shown; undefined: the id. */
  readonly displayName: string | undefined;
  readonly auth: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  readonly secretName: string;
  readonly grants: readonly string[];
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  readonly audience: 'resource' | 'gateway';
  readonly tokenTtlSeconds: number;
  /** How many tokens each subject may make for itself in an hour through this client; absent: 10. */
  readonly vendedPerHour?: number;
  readonly namespace: string | undefined;
  readonly scopeFilters: Readonly<Record<string, string>> | undefined;
  readonly server: string | undefined;
  /** Where codes may be sent, compared exactly but for the port of a loopback address (RFC 8252 §7.3). */
  readonly redirectUris: readonly string[];
  /** Namespaces of the context store for which this client may open runs. */
  readonly runNamespaces: readonly string[];
  /** Where the keys of `private_key_jwt` are: inline, or at a URL. */
  readonly jwks: readonly Readonly<Record<string, string>>[];
  readonly jwksUri: string | undefined;
  /** May `jwksUri` be on a private or loopback address? */
  readonly jwksUriPrivate: boolean;
  /** Clients whose tokens this one may exchange for its own (RFC 8693). */
  readonly exchangeFrom: readonly string[];
  readonly disabled: boolean;
};

/**
 * The compiled configuration as it is stored: plain JSON, names in pairs so that no name meets a prototype. Its format is 2 where functions
 * that know only 1 would allow more than is written, so that they refuse it.
 */
export type Snapshot = {
  readonly format: 1 | 2 | 3;
  readonly scopes: readonly (readonly [string, readonly ScopeRule[]])[];
  /** Absent from what was stored before there were any. */
  readonly defaults?: readonly DefaultRule[];
  readonly scopeSettings?: readonly (readonly [string, ScopeSettings])[];
  readonly limits?: readonly Limit[];
  readonly uiScopes: readonly (readonly [string, readonly (readonly [string, readonly string[]])[]])[];
  readonly groups: readonly (readonly [string, readonly string[]])[];
  readonly servers: readonly ServerEntry[];
  readonly services: readonly ServiceEntry[];
  readonly clients: readonly ClientEntry[];
  /** Absent from what was stored before there was any. */
  readonly registration?: Registration;
  readonly orgs: readonly { readonly id: string; readonly suspended: boolean }[];
  /** Absent from what was stored before there were any. */
  readonly idps?: readonly IdentityProvider[];
  /** As before. */
  readonly providers?: readonly Provider[];
  readonly perimeter?: Perimeter;
  readonly teams?: readonly TeamEntry[];
  readonly roles?: readonly RoleEntry[];
  readonly roleBindings?: readonly RoleBinding[];
};

/** The server that the gateway itself provides. Its upstream is the context store function, so it has no URL. */
export const CONTEXT_STORE = 'context-store';

/** The running policy: a snapshot indexed by exact names. Immutable. */
export class Policy {
  readonly version: number;
  readonly servers: ReadonlyMap<string, ServerEntry>;
  readonly services: ReadonlyMap<string, ServiceEntry>;
  /** The clients of the configuration; {@link Policy.findClient} knows the open ones too. */
  readonly clients: ReadonlyMap<string, ClientEntry>;
  readonly registration: Registration;
  /** Where users log in. */
  readonly idps: ReadonlyMap<string, IdentityProvider>;
  /** Whose access tokens are taken at the gate, whether or not users log in there. */
  readonly acceptedIdps: readonly AcceptedIdp[];
  /** All that vouch for users: by a login, an access token or an assertion. */
  readonly vouchers: readonly IdentityProvider[];
  /** Where users connect accounts. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** Where servers and services may be; undefined: wherever their addresses are allowed. */
  readonly perimeter: Perimeter | undefined;
  readonly teams: Teams;
  readonly roles: Roles;
  /** The rules of scopes and defaults, and the limits. */
  readonly access: RuleBook;
  /** The organisations of the configuration, by id: suspended ones and those without a client too. */
  readonly orgs: ReadonlySet<string>;
  readonly #uiScopes: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;
  readonly #groups: ReadonlyMap<string, readonly string[]>;
  readonly #suspendedOrgs: ReadonlySet<string>;

  constructor(snapshot: Snapshot, version: number) {
    this.version = version;
    this.servers = new Map(snapshot.servers.map((server) => [server.name, server]));
    this.services = new Map(snapshot.services.map((service) => [service.name, service]));
    this.clients = new Map(snapshot.clients.map((client) => [client.id, client]));
    this.registration = snapshot.registration ?? CLOSED_REGISTRATION;
    const idps = snapshot.idps ?? [];
    this.idps = new Map(idps.filter(({ login }) => login !== false).map((idp) => [idp.name, idp]));
    this.acceptedIdps = idps.filter(isAccepted);
    this.vouchers = idps.filter((idp) => idp.login !== false || isAccepted(idp) || isAsserting(idp));
    this.providers = new Map((snapshot.providers ?? []).map((provider) => [provider.name, provider]));
    this.perimeter = snapshot.perimeter;
    this.teams = new Teams(snapshot.teams ?? []);
    this.roles = new Roles(snapshot.roles ?? [], snapshot.roleBindings ?? []);
    this.access = new RuleBook(snapshot);
    this.#uiScopes = new Map(
      snapshot.uiScopes.map(([scope, actions]) => [
        scope,
        new Map(actions.map(([action, targets]) => [action, new Set(targets)])),
      ]),
    );
    this.#groups = new Map(snapshot.groups);
    this.orgs = new Set(snapshot.orgs.map((org) => org.id));
    this.#suspendedOrgs = new Set(snapshot.orgs.filter((org) => org.suspended).map((org) => org.id));
  }

  /** What one scope grants on a server that there is; nothing for an unknown scope (formats §3.1: it is skipped). */
  rules(scope: string, server: string): readonly Rule[] {
    return server === CONTEXT_STORE || this.servers.has(server) ? this.access.grants(scope, server) : [];
  }

  /** Is this the name of a scope, of servers, of administration or built in? */
  hasScope(scope: string): boolean {
    return this.access.hasScope(scope) || this.#uiScopes.has(scope) || isBuiltInScope(scope);
  }

  /** The actions of a UI scope; none for a scope that is none. */
  uiActionsOf(scope: string): readonly string[] {
    return [...(this.#uiScopes.get(scope)?.keys() ?? [])];
  }

  /** Does a UI scope permit an action on a target, or on `all`? */
  permits(uiScope: string, action: string, target: string): boolean {
    const targets = this.#uiScopes.get(uiScope)?.get(action);
    return targets !== undefined && (targets.has('all') || targets.has(target));
  }

  /** The scopes of these groups, in the order of the groups, each once; an unknown group is mapped to nothing. */
  scopesOfGroups(groups: readonly string[]): readonly string[] {
    return [...new Set(groups.flatMap((group) => this.#groups.get(group) ?? []))];
  }

  isSuspended(orgId: string): boolean {
    return this.#suspendedOrgs.has(orgId);
  }

  /**
   * A client as one of an organisation: of the configuration, or an open one of a class that is admitted. Undefined where it is
   * unknown, not admitted any more, or another organisation's. Does NOT check whether it is disabled or the organisation suspended.
   */
  findClient(clientId: string, orgId: string): ClientEntry | undefined {
    const client =
      openClassOf(clientId) === undefined ? this.clients.get(clientId) : this.openClient(clientId);
    return client === undefined ? undefined : this.clientIn(client, orgId);
  }

  /**
   * What the policy says of an open client before anybody has logged in: its own entry where it has one, else what all of them may have,
   * in {@link NO_ORG}. Undefined where its class is not admitted. Does NOT say whether there is such a client.
   */
  openClient(clientId: string): ClientEntry | undefined {
    if (!admits(this.registration, clientId)) return undefined;
    return this.clients.get(clientId) ?? openClientEntry(clientId, this.registration.scopes);
  }

  /** This client as one of an organisation: an open one is whosever user has logged in; undefined where it is another's. */
  clientIn(client: ClientEntry, orgId: string): ClientEntry | undefined {
    if (client.org === orgId) return client;
    const isKnown = this.orgs.size === 0 || this.orgs.has(orgId);
    return client.org === NO_ORG && isKnown ? { ...client, org: orgId } : undefined;
  }

  /** Where users of an organisation may connect accounts, in the order of the file; nowhere for a suspended one. */
  providersOf(orgId: string): readonly Provider[] {
    if (this.isSuspended(orgId)) return [];
    return [...this.providers.values()].filter(({ org }) => org === undefined || org === orgId);
  }

  /** The provider whose connections an egress needs; undefined where it needs none, or the organisation's users have none there. */
  providerFor(egress: Egress, orgId: string): Provider | undefined {
    return this.providersOf(orgId).find(({ name }) => name === egress.provider);
  }

  /** Can a user of any organisation log in? */
  get hasLogin(): boolean {
    return [...this.idps.values()].some(({ org }) => !this.isSuspended(org));
  }

  /** Where the users of an organisation log in, in the order of the file; nowhere for a suspended one. */
  idpsOf(orgId: string): readonly IdentityProvider[] {
    return this.isSuspended(orgId) ? [] : [...this.idps.values()].filter(({ org }) => org === orgId);
  }

  /** Those whose assertions about users of an organisation are taken (ID-JAG); nobody's for a suspended one. */
  assertingIdpsOf(orgId: string): readonly IdentityProvider[] {
    return this.isSuspended(orgId)
      ? []
      : this.vouchers.filter((idp) => idp.org === orgId && isAsserting(idp));
  }

  /** Can an assertion about a user of any organisation be taken? */
  get hasAssertions(): boolean {
    return this.vouchers.some((idp) => !this.isSuspended(idp.org) && isAsserting(idp));
  }

  /**
   * Is there such a server for this party? One that it may not see, by {@link visible}, is as good as absent. The gateway's own is there
   * for everyone.
   */
  hasServer(name: string, viewer: Viewer): boolean {
    if (name === CONTEXT_STORE) return true;
    const server = this.servers.get(name);
    return server !== undefined && visible(viewer, { orgId: server.org, visibility: server.visibility });
  }

  /** Is there such a service for this party? See {@link Policy.hasServer}. */
  hasService(name: string, viewer: Viewer): boolean {
    const service = this.services.get(name);
    if (service === undefined) return false;
    return visible(viewer, { orgId: service.org, visibility: service.visibility ?? 'org' });
  }
}
