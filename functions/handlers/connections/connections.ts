import type { Connection, ConnectionOwner } from '../../core/connection.ts';
import type { Invocation } from '../../core/invocation.ts';
import type { Unavailable } from '../../core/ports.ts';
import type { Provider } from '../../core/provider.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import { isOfEndpoint, shownConnection } from '../../core/vaulted-connection.ts';
import { createAccessTokens } from './access-tokens.ts';
import { connect } from './connect.ts';
import { connectedNames } from './connected-names.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import { disconnect } from './disconnect.ts';
import { createVault, type VaultFailure } from './vault.ts';

/** An access token that is good now, and the Atlassian sites that it opens. `version` names it, and tells nothing of it. */
export type ConnectionToken = {
  readonly token: Secret;
  readonly version: string;
  readonly cloudIds: readonly string[];
};

/** Why a connection gives no token. All but `unavailable` end when its owner connects. `detail` is for the operator. */
export type ConnectionFailure =
  | { readonly reason: 'not_connected' }
  | { readonly reason: 'broken'; readonly detail: string }
  | { readonly reason: 'lacks_scopes'; readonly missing: readonly string[] }
  | Unavailable;

/**
 * Why nothing was connected. `refused`: the provider takes the code or our client no more, or answers what cannot be read;
 * `other_account`: the connection that there is is another account's, `connected` by name. `detail` is for the operator.
 */
export type ConnectFailure =
  | { readonly reason: 'refused'; readonly detail: string }
  | { readonly reason: 'other_account'; readonly connected: string; readonly detail: string }
  | Unavailable;

/** What the callback of a provider brings, and what was asked for. */
export type ConnectRequest = {
  readonly code: string;
  readonly codeVerifier: string;
  /** As in the authorization request. */
  readonly redirectUri: string;
  /** What was asked for: granted where the provider's answer says nothing (RFC 6749 §5.1). */
  readonly scopes: readonly string[];
};

/** A provider that is none of the owner's any more: off, or another organisation's. */
export type GoneProvider = { readonly name: string; readonly isGone: true };

/**
 * The vaulted connections of users (contract §7). Every method is about the owner that it is given and nobody else; that the owner is
 * who asks has been verified. Writes no audit record: the `decision` of the call or of the change is durable before.
 */
export type Connections = {
  /**
   * An access token with these scopes, refreshed where it is about to expire. `refused` is the version that an upstream has just answered
   * 401 to: where it is still the present one it is refreshed, unless it came a moment ago; the same version once more means that the
   * 401 stands. One refresh at a time, in however many processes. Where the token lives for a minute more nobody waits for its refresh,
   * which keeps the invocation alive by `waitUntil`; absent: it is waited for.
   */
  accessToken(
    owner: ConnectionOwner,
    provider: Provider,
    need: {
      readonly scopes: readonly string[];
      readonly refused?: string | undefined;
      readonly waitUntil?: Invocation['waitUntil'] | undefined;
    },
  ): Promise<Result<ConnectionToken, ConnectionFailure>>;
  find(
    owner: ConnectionOwner,
    provider: Provider | GoneProvider,
  ): Promise<Result<Connection | undefined, VaultFailure>>;
  /**
   * Those at the providers that there are, in their order, and then those at others, which are gone by now. One that does not open is
   * `broken`, with nothing known of it.
   */
  list(
    owner: ConnectionOwner,
    providers: readonly Provider[],
  ): Promise<Result<readonly Connection[], Unavailable>>;
  /** Redeems the code, asks for the account, and stores; a connection of another account stays as it is. */
  connect(
    owner: ConnectionOwner,
    provider: Provider,
    request: ConnectRequest,
  ): Promise<Result<Connection, ConnectFailure>>;
  /**
   * Forgets the connection, and says whether the provider has revoked it: false where it has no way to, did not answer, or is gone. A
   * connection that was not there is forgotten already.
   */
  disconnect(
    owner: ConnectionOwner,
    provider: Provider | GoneProvider,
  ): Promise<Result<{ readonly revoked: boolean }, Unavailable>>;
};

/** Connections over the vault. */
export function createConnections(ports: ConnectionPorts): Connections {
  const vault = createVault(ports);

  const find: Connections['find'] = async (owner, provider) => {
    const opened = await vault.read({ owner, provider: provider.name });
    if (!opened.ok || opened.value === undefined) return opened.ok ? ok(undefined) : opened;
    const { vaulted, envelope } = opened.value;
    const shown = shownConnection(provider.name, vaulted);
    const isDoubted = envelope.brokenFromMs !== undefined && envelope.brokenFromMs <= ports.now();
    const isUsable = !isDoubted && !('isGone' in provider) && isOfEndpoint(vaulted, provider);
    return ok(isUsable ? shown : { ...shown, status: 'broken' });
  };

  return {
    accessToken: createAccessTokens(ports, vault),
    find,

    async list(owner, providers) {
      const names = await connectedNames(ports, owner);
      if (!names.ok) return names;
      const gone = names.value
        .filter((name) => !providers.some((provider) => provider.name === name))
        .map((name) => ({ name, isGone: true }) as const);
      const found = await Promise.all(
        [...providers, ...gone].map(async (provider) => ({ provider, one: await find(owner, provider) })),
      );
      const connections: Connection[] = [];
      for (const { provider, one } of found) {
        if (!one.ok && one.error.isUnreadable !== true) return one;
        const connection = one.ok ? one.value : unreadable(provider.name);
        if (connection !== undefined) connections.push(connection);
      }
      return ok(connections);
    },

    connect: (owner, provider, request) => connect(ports, vault, { owner, provider }, request),
    disconnect: (owner, provider) => disconnect(ports, vault, { owner, provider }),
  };
}

function unreadable(provider: string): Connection {
  return {
    provider,
    account: undefined,
    scopes: [],
    status: 'broken',
    connectedAtSeconds: 0,
    refreshedAtSeconds: 0,
  };
}
