import type { Connection, ConnectionOwner } from '../../core/connection.ts';
import type { Unavailable } from '../../core/ports.ts';
import type { Provider } from '../../core/provider.ts';
import type { Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';

/** An access token that is good now, and the Atlassian sites that it opens. */
export type ConnectionToken = {
  readonly token: Secret;
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

/**
 * The vaulted connections of users (contract §7). Every method is about the owner that it is given and nobody else; that the owner is
 * who asks has been verified. Writes no audit record: the `decision` of the call or of the change is durable before.
 */
export type Connections = {
  /**
   * An access token with these scopes, refreshed where it is about to expire. `fresh`: the one that it gave last was refused (401); it is
   * refreshed unless that has happened a moment ago. One refresh at a time, in however many processes.
   */
  accessToken(
    owner: ConnectionOwner,
    provider: Provider,
    need: { readonly scopes: readonly string[]; readonly fresh: boolean },
  ): Promise<Result<ConnectionToken, ConnectionFailure>>;
  find(owner: ConnectionOwner, provider: Provider): Promise<Result<Connection | undefined, Unavailable>>;
  /** Those at the providers that there are, in their order. */
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
   * Forgets the connection, and says whether the provider has revoked it: false where it has no way to, or did not answer. A
   * connection that was not there is forgotten already.
   */
  disconnect(
    owner: ConnectionOwner,
    provider: Provider,
  ): Promise<Result<{ readonly revoked: boolean }, Unavailable>>;
};
