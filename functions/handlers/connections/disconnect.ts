import { clientBasic } from '../../core/client-basic.ts';
import type { ConnectionOwner } from '../../core/connection.ts';
import { isJsonObject, stringMember } from '../../core/json.ts';
import { namedError } from '../../core/oauth-error.ts';
import type { Provider } from '../../core/provider.ts';
import { authenticateAt, refusesClient } from '../../core/provider-token.ts';
import { err, ok } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import { isOfEndpoint, type VaultedConnection } from '../../core/vaulted-connection.ts';
import type { JsonAnswer } from '../json-call.ts';
import type { Asking } from './asking.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import type { Connections, GoneProvider } from './connections.ts';
import { callProvider } from './provider-call.ts';
import { withClientSecret } from './provider-secret.ts';
import type { Vault } from './vault.ts';

const ATTEMPTS = 5;
/** For all that the provider is asked, however often somebody writes in between. */
const REVOKE_MS = 15_000;

/**
 * Revokes at the provider where it can, then forgets; forgets also where the provider does not answer, and what does not open any more. A
 * refresh that comes between the two is revoked as well, and one that is still under way where it ends.
 */
export async function disconnect(
  ports: ConnectionPorts,
  vault: Vault,
  { owner, provider }: { readonly owner: ConnectionOwner; readonly provider: Provider | GoneProvider },
): ReturnType<Connections['disconnect']> {
  const place = { owner, provider: provider.name };
  const untilMs = ports.now() + REVOKE_MS;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const opened = await vault.read(place);
    // What may open in a moment may be revoked then.
    if (!opened.ok && opened.error.isUnreadable !== true) return opened;
    const record = await vault.peek(place);
    if (!record.ok) return record;
    if (record.value === undefined || (opened.ok && opened.value === undefined))
      return ok({ revoked: false });
    const revoked =
      opened.ok &&
      opened.value !== undefined &&
      !('isGone' in provider) &&
      (await revoke(ports, { owner, provider, untilMs }, opened.value.vaulted));
    const isAsRead = !opened.ok || opened.value?.record.revision === record.value.revision;
    const forgotten = isAsRead ? await vault.forget(place, record.value) : undefined;
    if (forgotten?.ok === true) return ok({ revoked });
    if (forgotten !== undefined && forgotten.error.reason === 'unavailable') return err(forgotten.error);
  }
  return err({ reason: 'unavailable', detail: 'others write the connection all the time' });
}

/** Revokes the tokens of a connection at its provider, where it can; says whether it has. */
export async function revoke(
  ports: ConnectionPorts,
  of: Asking,
  vaulted: VaultedConnection,
): Promise<boolean> {
  const { provider } = of;
  // Another host than the one that gave them is told of no token.
  if (provider.revocation === undefined || !isOfEndpoint(vaulted, provider)) return false;
  const { style, url } = provider.revocation;
  const asked = await withClientSecret(
    ports,
    of,
    (secret) => callProvider(ports, of, { url, ...revocationRequest(provider, secret, vaulted) }),
    // Slack knows no client there, only the token.
    (answer) => style !== 'slack' && answer.ok && refusesClient(answer.value.status, answer.value.body),
  );
  const answer = asked.ok ? asked.value : asked;
  const detail = answer.ok ? refusalIn(answer.value) : answer.error.detail;
  if (detail === undefined) return true;
  ports.log({ level: 'warn', event: 'revocation_failed', provider: provider.name, detail });
  return false;
}

/** Undefined where it is revoked. */
function refusalIn({ status, body }: JsonAnswer): string | undefined {
  // Slack answers 200 to everything.
  const isRefused = isJsonObject(body) && body.get('ok') === false;
  if (status >= 200 && status < 300 && !isRefused) return undefined;
  return `status ${status}, ${namedError(stringMember(body, 'error'))}`;
}

function revocationRequest(
  provider: Provider,
  secret: Secret | undefined,
  { accessToken, refreshToken }: VaultedConnection,
): Omit<Parameters<typeof callProvider>[2], 'url'> {
  if (provider.revocation?.style === 'github' && secret !== undefined) {
    const text = JSON.stringify({ access_token: accessToken.reveal() });
    const headers = [['authorization', clientBasic(provider.clientId, secret)]] as const;
    return { method: 'DELETE', headers, body: { type: 'application/json', text } };
  }
  if (provider.revocation?.style === 'slack') {
    return { method: 'POST', headers: [['authorization', `Bearer ${accessToken.reveal()}`]] };
  }
  // Whose refresh token is revoked has no access any more (RFC 7009 §2.1).
  const form = new URLSearchParams(
    refreshToken === undefined
      ? { token: accessToken.reveal(), token_type_hint: 'access_token' }
      : { token: refreshToken.reveal(), token_type_hint: 'refresh_token' },
  );
  const headers = authenticateAt(provider, secret, form);
  return {
    method: 'POST',
    headers,
    body: { type: 'application/x-www-form-urlencoded', text: form.toString() },
  };
}
