import { missingScopes } from '../../core/granted-scopes.ts';
import type { Provider } from '../../core/provider.ts';
import { FORCE_AFTER_SECONDS, LAST_SECONDS, refreshDue } from '../../core/refresh-due.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { isOfEndpoint, type VaultedConnection } from '../../core/vaulted-connection.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import type { ConnectionFailure, Connections, ConnectionToken } from './connections.ts';
import { createRenewal, type Renewal, versionOf } from './renewal.ts';
import { createTokenLooks, type TokenLooks } from './token-looks.ts';
import type { Opened, Place, Vault } from './vault.ts';

/** A token that ends sooner would end under way. */
const USABLE_SECONDS = 5;

type Asked = { readonly place: Place; readonly provider: Provider };

/** What looks after tokens. */
type Parts = {
  readonly ports: ConnectionPorts;
  readonly vault: Vault;
  readonly renew: Renewal;
  readonly isRefused: TokenLooks;
};

/** Gives access tokens out of the vault, and has them refreshed (contract §7). */
export function createAccessTokens(ports: ConnectionPorts, vault: Vault): Connections['accessToken'] {
  const renew = createRenewal(ports, vault);
  const isRefused = createTokenLooks(ports);

  const refreshed = async (
    asked: Asked,
    opened: Opened,
    urgency: 'early' | 'now',
  ): Promise<Result<VaultedConnection, ConnectionFailure>> => {
    const renewed = await renew(asked, opened, urgency);
    if (renewed.ok || renewed.error.reason === 'not_connected') return renewed;
    const leftSeconds = leftOf(opened.vaulted, Math.floor(ports.now() / 1_000));
    return leftSeconds > USABLE_SECONDS ? ok(opened.vaulted) : renewed;
  };

  const refreshBeside = (asked: Asked, opened: Opened) =>
    renew(asked, opened, 'early').catch((error: unknown) => {
      const detail = error instanceof Error ? error.name : 'no error';
      const event = 'connection_refresh_failed';
      ports.log({ level: 'error', event, provider: asked.provider.name, refused: 'unclear', detail });
    });

  return async (owner, provider, { scopes, refused, waitUntil }) => {
    const asked: Asked = { place: { owner, provider: provider.name }, provider };
    const read = await vault.read(asked.place);
    if (!read.ok) return read;
    const opened = read.value;
    if (opened === undefined) return err({ reason: 'not_connected' });
    const { vaulted } = opened;
    if (vaulted.status === 'broken') return broken('its refresh token is taken no more');
    if (!isOfEndpoint(vaulted, provider))
      return broken('its tokens are another endpoint’s, or another client’s');
    const missing = missingScopes(provider, vaulted, scopes);
    if (missing.length > 0) return err({ reason: 'lacks_scopes', missing });
    if (refused !== undefined && refused === versionOf(vaulted))
      return afterRefusal({ ports, vault, renew, isRefused }, { ...asked, scopes }, opened);
    const nowSeconds = Math.floor(ports.now() / 1_000);
    const { brokenFromMs = Infinity } = opened.envelope;
    const planned = refreshDue(vaulted, nowSeconds, ports.random());
    // Nothing else would end the doubt of a token that has no end.
    const due = planned === 'no' && brokenFromMs <= ports.now() ? 'early' : planned;
    if (due === 'no') return ok(toToken(vaulted));
    if (vaulted.refreshToken === undefined) {
      const isOver = leftOf(vaulted, nowSeconds) <= 0;
      return isOver ? broken('it has expired and cannot be refreshed') : ok(toToken(vaulted));
    }
    // What is beside the call may end its token, or last longer than that lives.
    const isBeside = due === 'early' && leftOf(vaulted, nowSeconds) >= LAST_SECONDS;
    if (isBeside && waitUntil !== undefined) {
      waitUntil(refreshBeside(asked, opened));
      return ok(toToken(vaulted));
    }
    return toAnswer(await refreshed(asked, opened, due), provider, scopes);
  };
}

/**
 * An upstream has refused the present token. One that came a moment ago is not refreshed again, however often an upstream refuses it; of
 * one that cannot be refreshed the provider is asked.
 */
async function afterRefusal(
  { ports, vault, renew, isRefused }: Parts,
  { place, provider, scopes }: Asked & { readonly scopes: readonly string[] },
  opened: Opened,
): Promise<Result<ConnectionToken, ConnectionFailure>> {
  const { vaulted } = opened;
  if (vaulted.refreshToken !== undefined) {
    const ageSeconds = Math.floor(ports.now() / 1_000) - vaulted.refreshedAtSeconds;
    if (ageSeconds < FORCE_AFTER_SECONDS) return ok(toToken(vaulted));
    return toAnswer(await renew({ place, provider }, opened, 'now'), provider, scopes);
  }
  const isDead = await isRefused({ owner: place.owner, provider }, vaulted);
  if (isDead === false) return ok(toToken(vaulted));
  // Nobody can say where it cannot be asked: the next call tries it again.
  if (isDead === true) {
    const write = await vault.prepare(place);
    if (write.ok) await write.value(opened.record, { ...vaulted, status: 'broken' });
  }
  return broken('its token was refused and cannot be refreshed');
}

/** A refresh may bring fewer scopes than there were. */
function toAnswer(
  renewed: Result<VaultedConnection, ConnectionFailure>,
  provider: Provider,
  scopes: readonly string[],
): Result<ConnectionToken, ConnectionFailure> {
  if (!renewed.ok) return renewed;
  if (renewed.value.status === 'broken') return broken('its refresh token is taken no more');
  const missing = missingScopes(provider, renewed.value, scopes);
  return missing.length > 0 ? err({ reason: 'lacks_scopes', missing }) : ok(toToken(renewed.value));
}

function leftOf({ expiresAtSeconds = Infinity }: VaultedConnection, nowSeconds: number): number {
  return expiresAtSeconds - nowSeconds;
}

function toToken(vaulted: VaultedConnection): ConnectionToken {
  return { token: vaulted.accessToken, version: versionOf(vaulted), cloudIds: vaulted.cloudIds };
}

function broken(detail: string): Result<never, ConnectionFailure> {
  return err({ reason: 'broken', detail });
}
