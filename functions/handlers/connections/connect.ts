import type { ConnectionOwner } from '../../core/connection.ts';
import type { Provider } from '../../core/provider.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { shownConnection, type VaultedConnection } from '../../core/vaulted-connection.ts';
import type { CallFailure } from '../json-call.ts';
import type { Asking } from './asking.ts';
import { addConnectedName } from './connected-names.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import type { ConnectFailure, Connections, ConnectRequest } from './connections.ts';
import { findAccount, findCloudIds } from './identify-account.ts';
import { askForTokens } from './provider-call.ts';
import { isForgotten, type Vault } from './vault.ts';

const ATTEMPTS = 5;
/** For all that is asked, so that the function that asks is there to see the end of it. */
const CONNECT_MS = 20_000;

type Of = { readonly owner: ConnectionOwner; readonly provider: Provider };

/**
 * Redeems a code and puts what it brings into the vault. An account other than the one that is connected is refused, so that nobody is
 * led to put their account in the place of another, and so is one of which nobody can say that it is the same; what the provider gave for it is dropped, and not revoked: with many providers that
 * would end the grant of whoever is connected with it. So it is with tokens whose account could not be asked for in time: all of it is stored, or
 * nothing. What it will be sealed with is there before the code is redeemed.
 */
export async function connect(
  ports: ConnectionPorts,
  vault: Vault,
  of: Of,
  request: ConnectRequest,
): ReturnType<Connections['connect']> {
  const untilMs = ports.now() + CONNECT_MS;
  const listed = await addConnectedName(ports, of.owner, of.provider.name);
  if (!listed.ok) return listed;
  const place = { owner: of.owner, provider: of.provider.name };
  const write = await vault.prepare(place);
  if (!write.ok) return write;
  const redeemed = await redeem(ports, { ...of, untilMs }, request);
  if (!redeemed.ok) return redeemed;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const opened = await vault.read(place);
    if (!opened.ok) return opened;
    const there = opened.value?.vaulted;
    // Whose it is can be told: it was, and nobody says that it is another one's now.
    if (
      there?.account !== undefined &&
      of.provider.account !== undefined &&
      redeemed.value.account === undefined
    )
      return err({ reason: 'unavailable', detail: 'the provider does not say whose account it is' });
    if (there !== undefined && !isSameAccount(there, redeemed.value)) {
      const connected = there.account?.name ?? there.account?.id ?? 'an account without a name';
      return err({ reason: 'other_account', connected, detail: 'another account is connected' });
    }
    const previous = opened.value === undefined ? await vault.peek(place) : ok(opened.value.record);
    if (!previous.ok) return previous;
    // Somebody has connected in between: whose account that is has to be looked at.
    const isNew = opened.value === undefined && previous.value !== undefined && !isForgotten(previous.value);
    if (isNew) continue;
    const vaulted = { ...redeemed.value, generation: (there?.generation ?? 0) + 1 };
    const written = await write.value(previous.value, vaulted);
    if (written.ok) return ok(shownConnection(of.provider.name, vaulted));
    if (written.error.reason === 'unavailable') return err(written.error);
  }
  return err({ reason: 'unavailable', detail: 'others write the connection all the time' });
}

async function redeem(
  ports: ConnectionPorts,
  of: Asking,
  { code, codeVerifier, redirectUri, scopes }: ConnectRequest,
): Promise<Result<VaultedConnection, ConnectFailure>> {
  const tokens = await askForTokens(ports, of, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    ...(of.provider.pkce ? { code_verifier: codeVerifier } : {}),
  });
  if (!tokens.ok) return failed(tokens.error);
  const { accessToken, refreshToken, lifetimeSeconds, scopes: granted = scopes, isEcho } = tokens.value;
  const account = await findAccount(ports, of, accessToken, isEcho);
  if (!account.ok) return failed(account.error);
  const cloudIds = await findCloudIds(ports, of, accessToken);
  if (!cloudIds.ok) return failed(cloudIds.error);
  const nowSeconds = Math.floor(ports.now() / 1_000);
  return ok({
    consentId: Buffer.from(ports.randomBytes(12)).toString('base64url'),
    generation: 1,
    status: 'active',
    accessToken,
    refreshToken,
    expiresAtSeconds: lifetimeSeconds === undefined ? undefined : nowSeconds + lifetimeSeconds,
    granted,
    asked: scopes,
    account: account.value,
    cloudIds: cloudIds.value.filter((id) => !isEcho(id)),
    tokenUrl: of.provider.tokenUrl,
    clientId: of.provider.clientId,
    connectedAtSeconds: nowSeconds,
    refreshedAtSeconds: nowSeconds,
  });
}

/** By the provider's id; where that says nothing of either, by an Atlassian site that both open. */
function isSameAccount(there: VaultedConnection, now: VaultedConnection): boolean {
  if (there.account !== undefined || now.account !== undefined) return there.account?.id === now.account?.id;
  return there.cloudIds.some((id) => now.cloudIds.includes(id));
}

function failed({ isOutage, detail }: CallFailure): Result<never, ConnectFailure> {
  return err(isOutage ? { reason: 'unavailable', detail } : { reason: 'refused', detail });
}
