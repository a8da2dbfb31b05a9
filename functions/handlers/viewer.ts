import { secretMatches } from '../core/client-auth.ts';
import type { SecretStore } from '../core/ports.ts';
import { EDGE_HEADER, viewerAddress } from '../core/viewer-address.ts';

/** What telling viewers apart needs. `edgeSecret`: full name of the secret that our distribution sends; empty where there is none. */
export type ViewerPorts = { readonly secrets: SecretStore; readonly edgeSecret: string };

/**
 * Where a request comes from, for limits by address: the viewer before our distribution where the request proves that it came through it,
 * and otherwise, also where the secret cannot be read, the address that the connection to the API came from: then all who share an edge
 * share its limits.
 */
export async function sourceOf(ports: ViewerPorts, headers: Headers, sourceIp: string): Promise<string> {
  const presented = headers.get(EDGE_HEADER);
  if (presented === null || ports.edgeSecret === '') return sourceIp;
  const secret = await ports.secrets.read(ports.edgeSecret);
  if (!secret.ok || !secretMatches([presented], [secret.value.value])) return sourceIp;
  return viewerAddress(headers.get('x-forwarded-for'), sourceIp) ?? sourceIp;
}
