import { openClassOf, parseClientIdUrl } from '../core/client-id.ts';
import type { ClientMetadata } from '../core/client-metadata.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { readRegisteredClient } from './registered-clients.ts';

const MAX_LOGGED_CHARACTERS = 255;

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
  if (entry === undefined && openClass === 'document') reportDocument(ports, policy, clientId);
  if (entry === undefined || entry.disabled || policy.isSuspended(entry.org)) return ok(undefined);
  if (openClass === undefined) return ok(entry);
  const { allowPrivate } = policy.registration;
  const metadata =
    openClass === 'document'
      ? await ports.clientDocuments.read(clientId, { allowPrivate, sourceIp })
      : await readRegisteredClient(ports.records, clientId, { allowPrivate });
  if (!metadata.ok) return metadata;
  const described = metadata.value && describe(entry, metadata.value, allowPrivate);
  const registered = openClass === 'dynamic' ? metadata.value?.scopes : undefined;
  if (described === undefined || registered === undefined) return ok(described);
  return ok({ ...described, scopes: described.scopes.filter((scope) => registered.includes(scope)) });
}

/** Whoever sets up a client wonders why it is unknown; what it says of itself was not even looked for. */
function reportDocument(ports: IssuerPorts, { registration }: Policy, clientId: string): void {
  const url = parseClientIdUrl(clientId, registration.allowPrivate);
  const isOfMachine = !registration.allowPrivate && parseClientIdUrl(clientId, true).ok;
  const detail = url.ok
    ? '`registration` does not admit it'
    : `${url.error}${isOfMachine ? '; http on this machine takes `private: true` in `registration`' : ''}`;
  const client_id = clientId.slice(0, MAX_LOGGED_CHARACTERS);
  ports.log({ level: 'warn', event: 'client_document_refused', client_id, detail });
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
