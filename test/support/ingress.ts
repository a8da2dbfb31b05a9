import type { Clock, Rulebook } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { createIngress, type Ingress } from '../../functions/handlers/ingress.ts';
import { NO_FOREIGN_KEYS } from './foreign-issuer.ts';
import { NOW_SECONDS } from './test-issuer.ts';

/** Ingress over one policy and its keys in memory, where nobody is revoked. */
export function ingressOver(rulebook: Rulebook, clock: Clock = () => NOW_SECONDS): Ingress {
  return createIngress({
    rulebook: { read: async () => ok(rulebook) },
    revocations: { isRevoked: async () => ok(false), revoke: async () => ok(undefined) },
    foreignKeys: NO_FOREIGN_KEYS,
    clock,
  });
}
