import { ok } from '../../functions/core/result.ts';
import type { ControlPorts } from '../../functions/handlers/control-ports.ts';

/** Ports of the connect pages for what is not about them: nobody is signed in in any browser, and nothing is connected. */
export const NO_CONNECTING: ControlPorts['connecting'] = {
  rulebook: { read: async () => ({ ok: false, error: { reason: 'unavailable', detail: 'no pages here' } }) },
  revocations: { isRevoked: async () => ok(false), revoke: async () => ok(undefined) },
  records: {
    create: async () => ok(undefined),
    read: async () => ok(undefined),
    replace: async () => ok(undefined),
  },
  connections: {
    accessToken: async () => ({ ok: false, error: { reason: 'not_connected' } }),
    find: async () => ok(undefined),
    list: async () => ok([]),
    connect: async () => ({ ok: false, error: { reason: 'refused', detail: 'no provider here' } }),
    disconnect: async () => ok({ revoked: false }),
  },
  sealer: async () => undefined,
  randomBytes: (size) => new Uint8Array(size),
};
