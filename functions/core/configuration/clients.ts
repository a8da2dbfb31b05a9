import { CLIENT_ID, openClassOf } from '../client-id.ts';
import { DEFAULT_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS } from '../grant.ts';
import type { Registration } from '../open-client.ts';
import type { ClientEntry, ServerEntry, Snapshot } from '../policy.ts';
import { readExchangeFrom, readGrants, readRedirectUris } from './client-grants.ts';
import { readClientKeys } from './client-keys.ts';
import { readGroupScopes, readScopeList, type ScopeNames, scopeNames } from './client-scopes.ts';
import { readOpenClient } from './open-clients.ts';
import { DEFAULT_ORG, IDENTIFIER, readOrganisation } from './orgs.ts';
import { readRegistration } from './registration.ts';
import type { ScopesFile } from './scopes.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** What the clients refer to. */
export type ClientReferences = ScopesFile & {
  readonly servers: readonly ServerEntry[];
  readonly orgs: Snapshot['orgs'];
};

/** What `clients.yml` holds. */
export type ClientsFile = { readonly clients: readonly ClientEntry[]; readonly registration: Registration };

const AUTH = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
const KEYS = [
  'org',
  'display_name',
  'auth',
  'secret',
  'jwks',
  'jwks_uri',
  'jwks_uri_private',
  'grants',
  'scopes',
  'groups',
  'audience',
  'token_ttl',
  'tokens_per_hour',
  'namespace',
  'scope_filters',
  'server',
  'disabled',
  'redirect_uris',
  'run_namespaces',
  'exchange_from',
] as const;
/** Of `POST /tokens`: one a second. */
const MAX_TOKENS_PER_HOUR = 3_600;
/** Keys of later capabilities: valid to write, and nothing is granted by them. */
const UNUSED = ['limits', 'teams'] as const;

/** Everything that is read before a client is. */
type Known = ClientReferences & {
  readonly names: ScopeNames;
  readonly registration: Registration;
  readonly clientIds: ReadonlySet<string>;
};

/** Reads `clients.yml`; scopes, servers, organisations and clients that it names must exist. */
export function readClients(
  file: YamlReader,
  references: ClientReferences,
  warnings: ConfigurationProblem[],
): ClientsFile {
  const { clients, registration: section } = file.members('clients', 'registration');
  const names = scopeNames(references);
  const registration = readRegistration(section, names, warnings);
  const entries = clients?.entries() ?? [];
  const clientIds = new Set(entries.map(([id]) => id));
  const known: Known = { ...references, names, registration, clientIds };
  const read = entries.flatMap(([id, client]) => {
    if (openClassOf(id) === undefined) return readClient(id, client, known, warnings) ?? [];
    const readOrgOf = (org: YamlReader | undefined) => readOrg(client, org, known.orgs);
    return readOpenClient(id, client, { registration, names, readOrg: readOrgOf }, warnings) ?? [];
  });
  return { clients: read, registration };
}

function readClient(
  id: string,
  client: YamlReader,
  known: Known,
  warnings: ConfigurationProblem[],
): ClientEntry | undefined {
  if (!CLIENT_ID.test(id)) {
    return client.problem('a client id has letters, digits and ._- (128 at most), or is an https URL');
  }
  const members = client.members(...KEYS, ...UNUSED);
  for (const name of UNUSED) {
    const value = members[name];
    const instead =
      name === 'teams'
        ? 'nothing is decided by `teams` here: name the client under `members` of a team in orgs.yml'
        : `nothing is granted by \`${name}\` yet`;
    if (value !== undefined && !value.isEmpty) value.warn(instead, warnings);
  }
  const auth = members.auth?.oneOf(...AUTH) ?? 'client_secret_basic';
  const grants = readGrants(client, auth, members.grants, warnings);
  const scopes = readScopeList(members.scopes, known.names);
  const groupScopes = readGroupScopes(members.groups, known.groups, known.names, warnings);
  const tokensPerHour = members.tokens_per_hour?.integer(0, MAX_TOKENS_PER_HOUR);
  return {
    id,
    org: readOrg(client, members.org, known.orgs),
    displayName: members.display_name?.string(),
    auth,
    secretName: readSecretName(client, auth, members.secret),
    ...readClientKeys(client, auth, members),
    grants,
    scopes: [...new Set([...scopes, ...groupScopes])],
    groups: members.groups?.strings() ?? [],
    audience: members.audience?.oneOf('resource', 'gateway') ?? 'resource',
    tokenTtlSeconds:
      members.token_ttl?.integer(MIN_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS) ?? DEFAULT_LIFETIME_SECONDS,
    ...(tokensPerHour === undefined ? {} : { vendedPerHour: tokensPerHour }),
    namespace: members.namespace === undefined ? undefined : readNamespace(members.namespace),
    scopeFilters: readFilters(members.scope_filters),
    server: readServer(members.server, known.servers),
    redirectUris: readRedirectUris(client, grants, members.redirect_uris, warnings),
    runNamespaces: (members.run_namespaces?.items() ?? []).flatMap((item) => readNamespace(item) ?? []),
    exchangeFrom: readExchangeFrom(grants, members.exchange_from, known.clientIds, warnings),
    disabled: members.disabled?.boolean() ?? false,
  };
}

function readSecretName(
  client: YamlReader,
  auth: ClientEntry['auth'],
  secret: YamlReader | undefined,
): string {
  const ref = secret?.members('ref').ref?.string();
  if (auth === 'private_key_jwt' || auth === 'none') {
    secret?.problem(`a client with \`auth: ${auth}\` has no secret`);
    return '';
  }
  if (ref === undefined) {
    client.problem('write where the secret is: `secret: { ref: sallyport/{stage}/clients/NAME }`');
  } else if (!ref.startsWith('sallyport/{stage}/clients/')) {
    secret?.problem('a client secret is under `sallyport/{stage}/clients/`');
  }
  return ref ?? '';
}

function readOrg(client: YamlReader, org: YamlReader | undefined, orgs: Snapshot['orgs']): string {
  if (org !== undefined) return readOrganisation(org, orgs) ?? DEFAULT_ORG;
  if (orgs.length > 1) client.problem('say which organisation: `org: acme`');
  return orgs[0]?.id ?? DEFAULT_ORG;
}

function readServer(server: YamlReader | undefined, servers: readonly ServerEntry[]): string | undefined {
  const name = server?.string();
  if (name === undefined || servers.some((known) => known.name === name)) return name;
  return server?.problem(`there is no server \`${name}\` in servers.yml`);
}

function readNamespace(namespace: YamlReader): string | undefined {
  const name = namespace.string();
  if (name === undefined || IDENTIFIER.test(name)) return name;
  return namespace.problem('a namespace has letters, digits and ._:@- (128 at most)');
}

function readFilters(filters: YamlReader | undefined): Readonly<Record<string, string>> | undefined {
  if (filters === undefined) return undefined;
  if (filters.isEmpty) return filters.problem('write `name: value` lines, or leave the key out');
  return Object.fromEntries(filters.entries().map(([name, value]) => [name, value.string() ?? '']));
}
