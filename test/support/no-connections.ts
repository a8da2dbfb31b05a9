import type { ConnectionTokenPorts } from '../../functions/handlers/credentials/connection-token.ts';

/** Ports of connections where nobody has one, nor a way to make one. */
export const NO_CONNECTIONS: ConnectionTokenPorts = {
  connections: { accessToken: async () => ({ ok: false, error: { reason: 'not_connected' } }) },
  sealer: async () => undefined,
};
