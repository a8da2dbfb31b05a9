import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';
import type { Snapshot } from '../../../functions/core/policy.ts';
import { canary } from '../canary.ts';
import type { Client } from './party.ts';
import { BASE_SCOPES, type Target, toolsOf } from './target.ts';

const METHODS: readonly string[] = [
  'initialize',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/read',
];

/** The files of a configuration directory for these targets and clients: what {@link isGranted} says, as an author writes it. */
export function toConfiguration(
  servers: readonly Target[],
  services: readonly Target[],
  clients: readonly Client[],
): Readonly<Record<string, string>> {
  const files = {
    'orgs.yml': { orgs: Object.fromEntries(clients.map(({ org }) => [canary('org', org), {}])) },
    'idps.yml': {
      providers: Object.fromEntries(clients.map(({ org }) => [providerOf(org), toProvider(org)])),
    },
    'scopes.yml': {
      'UI-Scopes': {},
      group_mappings: { [USERS]: [...new Set(clients.flatMap(({ scopes }) => scopes))] },
      ...toScopes(servers),
    },
    'servers.yml': { servers: Object.fromEntries(servers.map((target) => [target.name, toEntry(target)])) },
    'services.yml': {
      services: Object.fromEntries(
        services.map((target) => [
          target.name,
          { ...toEntry(target), used_by: ['fin'], allow: [{ method: '*', path: '/v2/**' }] },
        ]),
      ),
    },
    'clients.yml': {
      clients: Object.fromEntries(clients.map((client) => [client.id, toClientEntry(client)])),
    },
  };
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, JSON.stringify(content)]));
}

/** Every user is in it; what a user may have is what the client may. */
export const USERS = 'everyone';

/** The identity provider of an organisation: part of the subjects of its users. */
export function providerOf(org: number): string {
  return `idp-${org}`;
}

function toProvider(org: number): Readonly<Record<string, unknown>> {
  const issuer = `https://${providerOf(org)}.example.com`;
  return {
    org: canary('org', org),
    client_id: 'gate',
    client_secret: `\${IDP_SECRET}`,
    auth_url: `${issuer}/authorize`,
    token_url: `${issuer}/token`,
    jwks_url: `${issuer}/keys`,
    issuer,
    scopes: ['openid'],
  };
}

/** Compiles a configuration as `apply` does. @throws Error where it has a problem */
export function compile(configuration: Readonly<Record<string, string>>): Snapshot {
  const compiled = compileConfiguration(new Map(Object.entries(configuration)));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error.slice(0, 5)));
  return compiled.value.snapshot;
}

function toScopes(servers: readonly Target[]): Readonly<Record<string, unknown>> {
  const shared = servers.filter(({ org }) => org === undefined);
  const rule = (server: string, tools: readonly string[]) => ({ server, methods: METHODS, tools });
  return Object.fromEntries([
    ...BASE_SCOPES.map((scope) => [scope, shared.map(({ name }) => rule(name, toolsOf(scope)))]),
    ...servers.flatMap(({ name, org }) =>
      org === undefined ? [] : [[canary('scope', org), [rule(name, ['*'])]]],
    ),
  ]);
}

function toEntry({ name, url, org, mode, key, fallback }: Target): Readonly<Record<string, unknown>> {
  return {
    url,
    ...(org === undefined ? {} : { org: canary('org', org) }),
    ...(url.startsWith('http:') ? { private: true } : {}),
    egress: { mode, ...(mode === 'service_account' ? { key, fallback } : {}) },
    ...(mode === 'passthrough' ? { headers: ['X-Provider-Id'] } : {}),
    ...(name === 'streams' ? { get_stream: true } : {}),
  };
}

function toClientEntry({ id, org, scopes, server }: Client): Readonly<Record<string, unknown>> {
  return {
    org: canary('org', org),
    secret: { ref: `sallyport/{stage}/clients/${id}` },
    grants: ['client_credentials'],
    audience: 'gateway',
    scopes,
    ...(server === undefined ? {} : { server }),
  };
}
