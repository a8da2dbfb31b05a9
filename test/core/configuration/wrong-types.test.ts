import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SECRET = { ref: 'sallyport/{stage}/clients/c' };

/** A configuration that has each member in which a text stands, once. */
const WHOLE: Readonly<Record<string, unknown>> = {
  'scopes.yml': {
    'maps/use': [
      {
        server: 'maps',
        methods: ['tools/call'],
        tools: ['route'],
        prompts: ['plan'],
        resources: ['docs://**'],
        arguments: {
          route: { type: 'object', required: ['to'], properties: { to: { type: 'string', pattern: '^a$' } } },
        },
        when: {
          days: ['mon'],
          hours: '09:00-17:00',
          timezone: 'Europe/Berlin',
          not_before: '2026-12-01T00:00Z',
          not_after: '2027-12-01T00:00Z',
        },
      },
    ],
    Defaults: [{ org: 'acme', server: 'maps', methods: ['ping'] }],
    'UI-Scopes': { admin: { manage_policy: ['all'] } },
    group_mappings: { crew: ['maps/use'] },
    'Scope-Settings': { 'maps/use': { description: 'Uses the maps' } },
    'Scope-Documents': [
      {
        scope_name: 'documented',
        server_access: [{ server: 'maps', methods: ['ping'] }],
        group_mappings: ['crew'],
        ui_permissions: { list_service: ['all'] },
        description: 'Asks whether it is there',
      },
    ],
    Limits: [
      {
        per: ['tool'],
        requests: 1,
        window: '1m',
        server: 'maps',
        tools: ['route'],
        org: 'acme',
        scope: 'maps/use',
      },
    ],
  },
  'servers.yml': {
    servers: {
      maps: {
        url: 'https://maps.example.com/mcp',
        org: 'acme',
        egress: { mode: 'service_account', key: 'client', fallback: 'none' },
        headers: ['x-note'],
        timeout: { connect: '5s' },
        visibility: 'org',
      },
    },
  },
  'services.yml': {
    services: {
      ledger: {
        url: 'https://ledger.example.com',
        org: 'acme',
        headers: ['x-note'],
        used_by: ['maps'],
        visibility: 'org',
        allow: [{ method: 'GET', path: '/v1/**' }],
      },
    },
  },
  'orgs.yml': {
    orgs: {
      acme: {
        teams: { crew: { members: ['signer'], groups: ['crew'] }, watch: { parent: 'crew' } },
        roles: {
          keeper: { scope: 'team', permissions: ['tools.read'], inherits: ['viewer'], description: 'Keeps' },
        },
        role_bindings: [
          {
            role: 'keeper',
            team: 'crew',
            members: ['signer'],
            groups: ['crew'],
            expires_at: '2027-01-31T18:00:00Z',
          },
        ],
      },
    },
  },
  'clients.yml': {
    registration: { metadata_documents: true, scopes: ['maps/use'], hosts: ['app.example.com'] },
    clients: {
      signer: {
        org: 'acme',
        display_name: 'Signer',
        auth: 'private_key_jwt',
        jwks: { keys: [publicKey.export({ format: 'jwk' })] },
        grants: ['client_credentials'],
        scopes: ['maps/use'],
        groups: ['crew'],
        audience: 'gateway',
      },
      publisher: {
        org: 'acme',
        auth: 'private_key_jwt',
        jwks_uri: 'https://publisher.example.com/keys',
        grants: ['client_credentials'],
      },
      app: {
        org: 'acme',
        secret: SECRET,
        grants: ['authorization_code', 'token-exchange'],
        redirect_uris: ['https://app.example.com/callback'],
        exchange_from: ['signer'],
      },
    },
  },
  'idps.yml': {
    providers: {
      company: {
        org: 'acme',
        display_name: 'Company',
        client_id: 'c-1',
        issuer: 'https://id.example.com',
        auth_url: 'https://id.example.com/authorize',
        token_url: 'https://id.example.com/token',
        jwks_url: 'https://id.example.com/keys',
        scopes: ['openid'],
        username_claim: 'email',
        groups_claim: 'groups',
        token_auth: 'client_secret_basic',
        accept_access_tokens: { client_ids: ['signer'], audience: 'https://api.example.com' },
      },
    },
  },
};

function compile(configuration: Readonly<Record<string, unknown>>) {
  const files = Object.entries(configuration).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return compileConfiguration(new Map(files));
}

type Path = readonly (string | number)[];

/** Where texts stand below a value. */
function textsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value === 'string') return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => textsIn(member, [...path, name]));
}

/** The value with a number in one place. */
function withNumber(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return 7.5;
  if (Array.isArray(value))
    return value.map((item, index) => (index === step ? withNumber(item, rest) : item));
  return Object.fromEntries(
    Object.entries(Object(value)).map(([name, member]) => [
      name,
      name === step ? withNumber(member, rest) : member,
    ]),
  );
}

describe('a number where a text belongs is a problem of its own file, whatever the text would have meant', () => {
  test('and the texts are none', () => {
    const result = compile(WHOLE);
    expect(result.ok ? [] : result.error).toEqual([]);
  });

  test.for(textsIn(WHOLE).map((path) => [path.join(' › '), path] as const))('%s', ([, path]) => {
    const result = compile(Object.fromEntries(Object.entries(Object(withNumber(WHOLE, path)))));
    expect(result.ok ? [] : result.error.map(({ file }) => file)).toContain(path[0]);
  });
});
