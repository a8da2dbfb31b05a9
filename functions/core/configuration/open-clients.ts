import { openClassOf, parseClientIdUrl } from '../client-id.ts';
import { DEFAULT_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS } from '../grant.ts';
import { admits, openClientEntry, type Registration } from '../open-client.ts';
import type { ClientEntry } from '../policy.ts';
import { readScopeList, type ScopeNames } from './client-scopes.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/**
 * Reads an entry of `clients.yml` for a client that the configuration does not register: one with a metadata document, or one that
 * registered itself. It binds the client to one organisation and says what it may have, or disables it; everything else is the client's own.
 */
export function readOpenClient(
  id: string,
  client: YamlReader,
  known: {
    readonly registration: Registration;
    readonly names: ScopeNames;
    readonly readOrg: (org: YamlReader | undefined) => string;
  },
  warnings: ConfigurationProblem[],
): ClientEntry | undefined {
  const { registration } = known;
  const url = openClassOf(id) === 'document' ? parseClientIdUrl(id, registration.allowPrivate) : undefined;
  if (url?.ok === false)
    return client.problem(`this client id is no URL of a metadata document: ${url.error}`);
  const members = client.members('org', 'display_name', 'scopes', 'audience', 'token_ttl', 'disabled');
  const disabled = members.disabled?.boolean() ?? false;
  if (!disabled && !admits(registration, id)) {
    client.warn('this client gets no token: `registration` does not admit it', warnings);
  }
  const scopes =
    members.scopes === undefined ? registration.scopes : readScopeList(members.scopes, known.names);
  return {
    ...openClientEntry(id, scopes),
    org: known.readOrg(members.org),
    displayName: members.display_name?.string(),
    audience: members.audience?.oneOf('resource', 'gateway') ?? 'resource',
    tokenTtlSeconds:
      members.token_ttl?.integer(MIN_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS) ?? DEFAULT_LIFETIME_SECONDS,
    disabled,
  };
}
