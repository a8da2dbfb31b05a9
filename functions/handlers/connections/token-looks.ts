import type { ConnectionOwner } from '../../core/connection.ts';
import { isFresh } from '../../core/freshness.ts';
import type { Provider } from '../../core/provider.ts';
import { FORCE_AFTER_SECONDS, REFRESH_MS } from '../../core/refresh-due.ts';
import type { VaultedConnection } from '../../core/vaulted-connection.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import { isRefused } from './identify-account.ts';
import { versionOf } from './renewal.ts';

const MAX_HELD = 500;

type Look = { readonly askedAtSeconds: number; readonly answer: Promise<boolean | undefined> };

/** Does the provider itself refuse the access token of this owner? Undefined where it cannot be asked; false also where it does not answer. */
export type TokenLooks = (
  of: { readonly owner: ConnectionOwner; readonly provider: Provider },
  vaulted: VaultedConnection,
) => Promise<boolean | undefined>;

/**
 * Asks providers about access tokens: of one token once in {@link FORCE_AFTER_SECONDS} for all who want to know it, however often an
 * upstream refuses it, whatever the answer. A look that throws is none.
 */
export function createTokenLooks(ports: ConnectionPorts): TokenLooks {
  const looks = new Map<string, Look>();
  return ({ owner, provider }, vaulted) => {
    const key = JSON.stringify([owner.orgId, owner.subject, provider.name, versionOf(vaulted)]);
    const askedAtSeconds = Math.floor(ports.now() / 1_000);
    const known = looks.get(key);
    if (known !== undefined && isFresh(known.askedAtSeconds, FORCE_AFTER_SECONDS, askedAtSeconds)) {
      return known.answer;
    }
    const asking = { provider, owner, untilMs: ports.now() + REFRESH_MS };
    const answer = isRefused(ports, asking, vaulted.accessToken).catch((error: unknown) => {
      looks.delete(key);
      throw error;
    });
    looks.delete(key);
    looks.set(key, { askedAtSeconds, answer });
    for (const oldest of looks.keys()) {
      if (looks.size <= MAX_HELD) break;
      looks.delete(oldest);
    }
    return answer;
  };
}
