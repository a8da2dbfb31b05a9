import { openClassOf } from '../core/client-id.ts';
import type { ClientMetadata } from '../core/client-metadata.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { readRegisteredClient } from './registered-clients.ts';

/**
 * A client that may ask for tokens: of the configuration, by its metadata document, or one that registered itself. Undefined where it is
 * unknown, disabled, or of a class that is not admitted; what is not admitted is not looked for. An open client is of no organisation until
 * a user has logged in ({@link Policy.clientIn}), unless an entry of the configuration binds it to one. `sourceIp` is whose question it is.
 */
export async function findClient(
  ports: IssuerPorts,
  policy: Policy,
  clientId: string,
  sourceIp: string,
): Promise<Result<ClientEntry | undefined, Unavailable>> {
  const openClass = openClassOf(clientId);
  const entry = openClass === undefined ? policy.clients.get(clientId) : policy.openClient(clientId);
  if (entry === undefined || entry.disabled || policy.isSuspended(entry.org)) return ok(undefined);
  if (openClass === undefined) return ok(entry);
  const { allowPrivate } = policy.registration;
  const metadata =
    openClass === 'document'
      ? await ports.clientDocuments.read(clientId, { allowPrivate, sourceIp })
      : await readRegisteredClient(ports.records, clientId, { allowPrivate });
  if (!metadata.ok) return metadata;
  return ok(metadata.value && describe(entry, metadata.value, allowPrivate));
}

/** What the configuration gives an open client, and what it says of itself. */
function describe(entry: ClientEntry, metadata: ClientMetadata, allowPrivate: boolean): ClientEntry {
  return {
    ...entry,
    displayName: entry.displayName ?? metadata.clientName,
    auth: metadata.auth,
    grants: entry.grants.filter((grant) => metadata.grants.includes(grant)),
    redirectUris: metadata.redirectUris,
    jwks: metadata.jwks,
    jwksUri: metadata.jwksUri,
    jwksUriPrivate: allowPrivate,
  };
}
