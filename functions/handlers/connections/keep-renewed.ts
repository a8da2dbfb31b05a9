import type { Unavailable } from '../../core/ports.ts';
import { mayStoreAgain } from '../../core/refresh-due.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { VaultedConnection } from '../../core/vaulted-connection.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import type { ConnectionFailure } from './connections.ts';
import type { Opened, Place, Vault, Writing } from './vault.ts';

const ATTEMPTS = 6;
const FIRST_WAIT_MS = 100;

/** What a holder has: the record with its lease, until when that lasts, and the way to write there, which asks for nothing but the table. */
export type Lease = { readonly leased: Opened; readonly untilMs: number; readonly write: Writing };

/**
 * Stores what a refresh has brought, before anybody uses it: a provider that gives another refresh token each time takes the one before no
 * more. Where the store fails it is tried again while the lease lasts, and not beyond: whoever holds the next one spends the refresh token
 * again that this one was given for. Where somebody else has written meanwhile, which the lease allows only after its holder stood still, the newer of the two is kept: another consent stands, a refresh that came later stands, and that a
 * refresh token was refused which this one has just replaced does not stand. Where the connection was forgotten meanwhile, what was brought
 * is revoked. Gives what is kept.
 */
export async function keepRenewed(
  ports: ConnectionPorts,
  vault: Vault,
  place: Place,
  { leased, untilMs, write }: Lease,
  renewed: VaultedConnection,
  revokeUnkept: () => Promise<unknown>,
): Promise<Result<VaultedConnection, ConnectionFailure>> {
  let previous = leased;
  let failure: Unavailable | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (failure !== undefined) {
      await ports.wait(FIRST_WAIT_MS * 2 ** attempt);
      if (!mayStoreAgain(ports.now(), untilMs)) break;
    }
    const written = await write(previous.record, renewed);
    if (written.ok) return ok(renewed);
    failure = undefined;
    if (written.error.reason === 'unavailable') {
      failure = written.error;
      continue;
    }
    const read = await vault.read(place);
    if (!read.ok) {
      failure = read.error.reason === 'unavailable' ? read.error : undefined;
      continue;
    }
    if (read.value === undefined) {
      await revokeUnkept();
      return err({ reason: 'not_connected' });
    }
    const { vaulted } = read.value;
    if (stands(vaulted, renewed)) return ok(vaulted);
    previous = read.value;
  }
  ports.log({ level: 'error', event: 'connection_refresh_lost', provider: place.provider });
  return err(failure ?? { reason: 'unavailable', detail: 'others write the connection all the time' });
}

/** Does what lies there stand, and not what was just brought? */
function stands(there: VaultedConnection, renewed: VaultedConnection): boolean {
  if (there.consentId !== renewed.consentId) return true;
  if (there.generation < renewed.generation) return false;
  // The refusal of a refresh token says nothing of the one that came after it.
  if (renewed.status === 'broken') return there.generation > renewed.generation || there.status === 'broken';
  return there.generation > renewed.generation || there.refreshedAtSeconds >= renewed.refreshedAtSeconds;
}
