import type { ClientEntry, Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { IssuerPorts } from './issuer-ports.ts';

/** A client that may ask for tokens, wherever it is registered; undefined where it is unknown or may not. */
export function findClient(
  _ports: IssuerPorts,
  policy: Policy,
  clientId: string,
): Promise<Result<ClientEntry | undefined, Unavailable>> {
  const client = policy.clients.get(clientId);
  const isLive = client !== undefined && !client.disabled && !policy.isSuspended(client.org);
  return Promise.resolve(ok(isLive ? client : undefined));
}
