import { openClassOf, parseClientIdUrl } from './client-id.ts';
import type { ClientEntry } from './policy.ts';

/** Which clients are admitted although nobody entered them into the configuration, and what they may have. */
export type Registration = {
  /** Clients whose id is the https URL of a metadata document. */
  readonly metadataDocuments: boolean;
  /** Clients that register themselves (RFC 7591). */
  readonly dynamic: boolean;
  /** The scopes that such clients may have; a user's own scopes narrow them further. */
  readonly scopes: readonly string[];
  /** Hosts, with the port where it is not 443, whose documents are accepted; none listed: every public host. */
  readonly hosts: readonly string[];
  /** May documents be on private and loopback addresses? For a cloud on one machine. */
  readonly allowPrivate: boolean;
};

/** Nobody but the clients of the configuration. */
export const CLOSED_REGISTRATION: Registration = {
  metadataDocuments: false,
  dynamic: false,
  scopes: [],
  hosts: [],
  allowPrivate: false,
};

/** The organisation of an open client of which no user has logged in yet. No organisation is named so. */
export const NO_ORG = '-';

/** What an open client can ask for: it acts for users alone. */
export const OPEN_CLIENT_GRANTS: readonly string[] = ['authorization_code', 'refresh_token'];

const DEFAULT_LIFETIME_SECONDS = 600;

/** Does this registration admit a client of this id? Does NOT say whether there is one. */
export function admits(registration: Registration, clientId: string): boolean {
  switch (openClassOf(clientId)) {
    case undefined:
      return false;
    case 'dynamic':
      return registration.dynamic;
    case 'document': {
      const { metadataDocuments, hosts, allowPrivate } = registration;
      const url = parseClientIdUrl(clientId, allowPrivate);
      return metadataDocuments && url.ok && (hosts.length === 0 || hosts.includes(url.value.host));
    }
  }
}

/**
 * An open client as the configuration alone knows it: of no organisation, with what every such client may have. How it authenticates and
 * where codes may be sent is not in the configuration, so there is neither here.
 */
export function openClientEntry(clientId: string, scopes: readonly string[]): ClientEntry {
  return {
    id: clientId,
    org: NO_ORG,
    displayName: undefined,
    auth: 'none',
    secretName: '',
    grants: OPEN_CLIENT_GRANTS,
    scopes,
    groups: [],
    audience: 'resource',
    tokenTtlSeconds: DEFAULT_LIFETIME_SECONDS,
    namespace: undefined,
    scopeFilters: undefined,
    server: undefined,
    redirectUris: [],
    runNamespaces: [],
    jwks: [],
    jwksUri: undefined,
    jwksUriPrivate: false,
    exchangeFrom: [],
    disabled: false,
  };
}
