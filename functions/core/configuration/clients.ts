import { DEFAULT_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS } from '../grant.ts';
import type { ClientEntry, ServerEntry, Snapshot } from '../policy.ts';
import { IDENTIFIER, readOrganisation } from './orgs.ts';
import type { ScopesFile } from './scopes.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** The one organisation of an installation that has no `orgs.yml`. */
export const DEFAULT_ORG = 'default';

/** Scopes that are not server scopes (contract §9). */
export const BUILT_IN_SCOPES = ['runs/issue', 'context/admin', 'tokens/issue'] as const;

/** What the clients refer to. */
export type ClientReferences = ScopesFile & {
  readonly servers: readonly ServerEntry[];
  readonly orgs: Snapshot['orgs'];
};

const CLIENT_ID = /^[A-Za-z0-9._-]{1,128}$/;
const AUTH = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
const GRANTS = [
  'client_credentials',
  'authorization_code',
  'refresh_token',
  'token-exchange',
  'jwt-bearer',
] as const;
/** Keys of later capabilities: valid to write, and nothing is granted by them. */
const UNUSED = ['jwks', 'jwks_uri', 'limits', 'teams'] as const;

/** Reads `clients.yml`; scopes, servers and organisations that it names must exist. */
export function readClients(
  file: YamlReader,
  references: ClientReferences,
  warnings: ConfigurationProblem[],
): readonly ClientEntry[] {
  const { clients } = file.members('clients');
  return (clients?.entries() ?? []).flatMap(
    ([id, value]) => readClient(id, value, references, warnings) ?? [],
  );
}

function readClient(
  id: string,
  client: YamlReader,
  references: ClientReferences,
  warnings: ConfigurationProblem[],
): ClientEntry | undefined {
  if (!CLIENT_ID.test(id)) return client.problem('a client id has letters, digits and ._- (128 at most)');
  const members = client.members(
    'org',
    'auth',
    'secret',
    'grants',
    'scopes',
    'groups',
    'audience',
    'token_ttl',
    'namespace',
    'scope_filters',
    'server',
    'disabled',
    'redirect_uris',
    'run_namespaces',
    ...UNUSED,
  );
  for (const name of UNUSED) {
    const value = members[name];
    if (value !== undefined && !value.isEmpty) value.warn(`nothing is granted by \`${name}\` yet`, warnings);
  }
  const auth = members.auth?.oneOf(...AUTH) ?? 'client_secret_basic';
  const ref = members.secret?.members('ref').ref?.string();
  const usesSecret = auth === 'client_secret_basic' || auth === 'client_secret_post';
  if (usesSecret && ref === undefined) {
    client.problem('write where the secret is: `secret: { ref: sallyport/{stage}/clients/NAME }`');
  }
  if (!usesSecret) {
    client.warn(`the client \`${id}\` cannot authenticate: \`${auth}\` is not built yet`, warnings);
  }
  if (ref !== undefined && !ref.startsWith('sallyport/{stage}/clients/')) {
    members.secret?.problem('a client secret is under `sallyport/{stage}/clients/`');
  }
  const groups = members.groups?.strings() ?? [];
  return {
    id,
    org: readOrg(client, members.org, references.orgs),
    auth,
    secretName: ref ?? '',
    grants: readGrants(client, members.grants, warnings),
    scopes: collectScopes(members.scopes, members.groups, references, warnings),
    groups,
    audience: members.audience?.oneOf('resource', 'gateway') ?? 'resource',
    tokenTtlSeconds:
      members.token_ttl?.integer(MIN_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS) ?? DEFAULT_LIFETIME_SECONDS,
    namespace: readNamespace(members.namespace),
    scopeFilters: readFilters(members.scope_filters),
    server: readServer(members.server, references.servers),
    redirectUris: members.redirect_uris?.strings() ?? [],
    runNamespaces: members.run_namespaces?.strings() ?? [],
    jwks: [],
    jwksUri: undefined,
    exchangeFrom: [],
    disabled: members.disabled?.boolean() ?? false,
  };
}

/** A client that can use no grant gets no token; that is rarely meant. */
function readGrants(
  client: YamlReader,
  grants: YamlReader | undefined,
  warnings: ConfigurationProblem[],
): readonly string[] {
  const read = (grants?.items() ?? []).flatMap((grant) => grant.oneOf(...GRANTS) ?? []);
  if (!read.includes('client_credentials')) {
    (grants ?? client).warn('this client gets no token: only `client_credentials` is built yet', warnings);
  }
  return read;
}

/** The client's own scopes, then those of its groups, each once. A group maps unknown names to nothing (formats §3.1). */
function collectScopes(
  scopes: YamlReader | undefined,
  groups: YamlReader | undefined,
  references: ClientReferences,
  warnings: ConfigurationProblem[],
): readonly string[] {
  const known = new Set<string>([
    ...references.scopes.map(([name]) => name),
    ...references.uiScopes.map(([name]) => name),
    ...BUILT_IN_SCOPES,
  ]);
  const collected = new Set<string>();
  for (const item of scopes?.items() ?? []) {
    const name = item.string();
    if (name === undefined) continue;
    if (known.has(name)) collected.add(name);
    else item.problem(`there is no scope \`${name}\`; scopes.yml defines them`);
  }
  const mappings = new Map(references.groups);
  for (const item of groups?.items() ?? []) {
    const mapped = mappings.get(item.string() ?? '');
    if (mapped === undefined) item.warn('this group is mapped to nothing in `group_mappings`', warnings);
    for (const name of mapped ?? []) if (known.has(name)) collected.add(name);
  }
  return [...collected];
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

function readNamespace(namespace: YamlReader | undefined): string | undefined {
  const name = namespace?.string();
  if (name === undefined || IDENTIFIER.test(name)) return name;
  return namespace?.problem('a namespace has letters, digits and ._:@- (128 at most)');
}

function readFilters(filters: YamlReader | undefined): Readonly<Record<string, string>> | undefined {
  if (filters === undefined) return undefined;
  if (filters.isEmpty) return filters.problem('write `name: value` lines, or leave the key out');
  return Object.fromEntries(filters.entries().map(([name, value]) => [name, value.string() ?? '']));
}
