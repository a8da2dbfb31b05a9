import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planClientCredentials, serverOfResource, type TokenRequest } from '../../functions/core/grant.ts';
import type { ClientEntry } from '../../functions/core/policy.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { rulesOf } from '../support/rules.ts';
import { ORIGIN } from '../support/test-issuer.ts';

const policy = policyOf({
  servers: [
    serverEntry('maps', { tokenTtlMaxSeconds: 300 }),
    serverEntry('mail'),
    serverEntry('vault', { org: 'rival' }),
  ],
});

const resourceClient = clientEntry('courier', {
  audience: 'resource',
  scopes: ['maps/read', 'maps/execute', 'mail/read'],
  groups: ['drivers'],
});
const gatewayClient: ClientEntry = { ...resourceClient, audience: 'gateway' };

function plan(client: ClientEntry, changes: Partial<TokenRequest> = {}) {
  return planClientCredentials(policy, client, { scope: undefined, resources: [], ...changes }, ORIGIN);
}

function errorOf(client: ClientEntry, changes: Partial<TokenRequest> = {}): string {
  const planned = plan(client, changes);
  return planned.ok ? `planned for ${planned.value.audience}` : planned.error.error;
}

const maps = `${ORIGIN}/maps/mcp`;

test('a token for one server is about the client itself', () => {
  expect(plan(resourceClient, { resources: [maps], scope: 'maps/read' })).toEqual({
    ok: true,
    value: {
      subject: 'courier',
      kind: 'agent',
      clientId: 'courier',
      orgId: 'acme',
      audience: maps,
      scopes: ['maps/read'],
      groups: ['drivers'],
      standing: 'session',
      lifetimeSeconds: 300,
      context: {},
    },
  });
});

describe('the resource', () => {
  test('is the origin for a gateway client that names none, and nothing for another', () => {
    expect(plan(gatewayClient)).toMatchObject({ value: { audience: ORIGIN } });
    expect(plan(gatewayClient, { resources: [ORIGIN] })).toMatchObject({ value: { audience: ORIGIN } });
    expect(errorOf(resourceClient)).toBe('invalid_target');
    expect(errorOf(resourceClient, { resources: [ORIGIN] })).toBe('invalid_target');
  });

  test.for(['maps', 'mail', 'context-store'])('may be the server %s for either', (name) => {
    const resource = `${ORIGIN}/${name}/mcp`;
    for (const client of [resourceClient, gatewayClient]) {
      expect(plan(client, { resources: [resource] })).toMatchObject({ value: { audience: resource } });
    }
  });

  test.for([
    ['a server of another organisation', [`${ORIGIN}/vault/mcp`]],
    ['a server that does not exist', [`${ORIGIN}/gone/mcp`]],
    ['two at once', [maps, `${ORIGIN}/mail/mcp`]],
    ['the same twice', [maps, maps]],
    ['a trailing slash', [`${maps}/`]],
    ['the origin with a slash', [`${ORIGIN}/`]],
    ['a query', [`${maps}?x=1`]],
    ['a fragment', [`${maps}#x`]],
    ['another case', [`${ORIGIN}/Maps/mcp`]],
    ['another case of the host', ['https://GATE.example.com/maps/mcp']],
    ['another scheme', ['http://gate.example.com/maps/mcp']],
    ['a longer host', ['https://gate.example.com.evil.example/maps/mcp']],
    ['a user', ['https://gate.example.com@evil.example/maps/mcp']],
    ['a dot segment', [`${ORIGIN}/x/../maps/mcp`]],
    ['an encoded letter', [`${ORIGIN}/%6Daps/mcp`]],
    ['a line feed', [`${maps}\n`]],
    ['a path below', [`${maps}/x`]],
    ['only the path', ['/maps/mcp']],
    ['the egress gateway', [`${ORIGIN}/egress/api`]],
    ['another site', ['https://rival.example.com']],
  ] as const)('is refused where it is %s', ([, resources]) => {
    expect(errorOf(gatewayClient, { resources })).toBe('invalid_target');
    expect(errorOf(resourceClient, { resources })).toBe('invalid_target');
  });

  test('is judged before the scopes', () => {
    expect(errorOf(resourceClient, { resources: ['x'], scope: 'nothing' })).toBe('invalid_target');
  });

  test('names a server in one form alone', () => {
    expect(serverOfResource(maps, ORIGIN)).toBe('maps');
    for (const other of [
      ORIGIN,
      `${ORIGIN}/`,
      `${ORIGIN}maps/mcp`,
      `${ORIGIN}//mcp`,
      `${ORIGIN}/-x/mcp`,
      '',
    ]) {
      expect(serverOfResource(other, ORIGIN)).toBe(undefined);
    }
  });
});

describe('scopes', () => {
  test('are all of the client’s where none are asked for', () => {
    expect(plan(gatewayClient)).toMatchObject({ value: { scopes: resourceClient.scopes } });
  });

  test('are those asked for that the client has', () => {
    expect(plan(gatewayClient, { scope: 'mail/read admin maps/read mail/read' })).toMatchObject({
      value: { scopes: ['maps/read', 'mail/read'] },
    });
  });

  test.for([
    'admin',
    'MAPS/read',
    'maps',
    'maps/*',
    '*',
    '',
    ' ',
    'maps/read ',
    ' maps/read',
    'maps/read  mail/read',
    'maps/read\tmail/read',
    'maps/read,mail/read',
    'a"b',
    'é',
  ])('%j are none', (scope) => {
    expect(errorOf(gatewayClient, { scope })).toBe('invalid_scope');
  });

  test('may be none for a client that has another reason to have a token', () => {
    const bare: ClientEntry = { ...gatewayClient, scopes: [] };
    expect(errorOf(bare)).toBe('invalid_scope');
    expect(plan({ ...bare, server: 'maps' })).toMatchObject({ value: { scopes: [] } });
    expect(plan({ ...bare, namespace: 'n' })).toMatchObject({ value: { scopes: [] } });
    expect(errorOf({ ...bare, server: 'maps' }, { scope: 'maps/read' })).toBe('invalid_scope');
  });

  test('never widen: granted ⊆ requested ∩ allowed', () => {
    const scope = fc.constantFrom<string>('a', 'b', 'c', 'd/read', 'A', '*');
    const list = fc.array(scope, { maxLength: 5 });
    fc.assert(
      fc.property(list, fc.option(list, { nil: undefined }), (allowed, requested) => {
        const planned = plan({ ...gatewayClient, scopes: allowed }, { scope: requested?.join(' ') });
        if (!planned.ok) return;
        const { scopes } = planned.value;
        expect(scopes.every((name) => allowed.includes(name) && (requested ?? allowed).includes(name))).toBe(
          true,
        );
        expect(allowed.every((name) => scopes.includes(name) || !(requested ?? allowed).includes(name))).toBe(
          true,
        );
        expect(scopes.length).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the lifetime', () => {
  test.for([
    ['that of the client', 450, `${ORIGIN}/mail/mcp`, 450],
    ['capped by the server', 900, maps, 300],
    ['the client’s where it is shorter than the server’s cap', 300, maps, 300],
    ['900 s at most', 5_000, `${ORIGIN}/mail/mcp`, 900],
    ['900 s at most for the context store', 5_000, `${ORIGIN}/context-store/mcp`, 900],
    ['the client’s for the origin', 900, ORIGIN, 900],
  ] as const)('is %s', ([, tokenTtlSeconds, resource, seconds]) => {
    expect(plan({ ...gatewayClient, tokenTtlSeconds }, { resources: [resource] })).toMatchObject({
      value: { lifetimeSeconds: seconds },
    });
  });
});

describe('the context store’s claims', () => {
  const scoped: ClientEntry = { ...gatewayClient, namespace: 'proj', scopeFilters: { session: 's-1' } };

  test('are in tokens that open it', () => {
    const claims = { namespace: 'proj', scope_filters: { session: 's-1' } };
    for (const resources of [[], [ORIGIN], [`${ORIGIN}/context-store/mcp`]]) {
      expect(plan(scoped, { resources })).toMatchObject({ value: { context: claims } });
    }
    expect(plan({ ...scoped, scopeFilters: undefined })).toMatchObject({
      value: { context: { namespace: 'proj' } },
    });
  });

  test('are in no other token', () => {
    expect(plan(scoped, { resources: [maps] })).toMatchObject({ value: { context: {} } });
    expect(plan({ ...gatewayClient, scopeFilters: { session: 's-1' } })).toMatchObject({
      value: { context: {} },
    });
  });
});

test('a token lives no longer than the strictest scope that it carries allows, nor than a server that a default opens', () => {
  const lifetimeOf = (text: string, scope: string) => {
    const capped = policyOf({
      servers: [serverEntry('maps', { tokenTtlMaxSeconds: 300 }), serverEntry('mail')],
      ...rulesOf(text),
    });
    const client = { ...gatewayClient, scopes: ['s', 't'] };
    const planned = planClientCredentials(capped, client, { scope, resources: [] }, ORIGIN);
    return planned.ok ? planned.value.lifetimeSeconds : planned.error.error;
  };
  const caps = 's: []\nt: []\nScope-Settings: { s: { token_ttl_max: 120 }, t: { description: Look } }';
  expect([lifetimeOf(caps, 's t'), lifetimeOf(caps, 's'), lifetimeOf(caps, 't')]).toEqual([120, 120, 600]);
  const ping = (org: string) => `t: []\nDefaults: [{ server: maps, org: ${org}, methods: [ping] }]`;
  expect([lifetimeOf(ping('acme'), 't'), lifetimeOf(ping('rival'), 't')]).toEqual([300, 600]);
});

test('a gateway token lives no longer than the strictest server that it opens allows', () => {
  const capped = policyOf({
    servers: [serverEntry('maps', { tokenTtlMaxSeconds: 300 }), serverEntry('mail')],
    scopes: [
      ['maps/read', [scopeRule('maps', ['tools/list'])]],
      ['mail/read', [scopeRule('mail', ['tools/list'])]],
    ],
  });
  const lifetimeOf = (scope: string) => {
    const request = { scope, resources: [] };
    const planned = planClientCredentials(capped, gatewayClient, request, ORIGIN);
    return planned.ok ? planned.value.lifetimeSeconds : planned.error.error;
  };
  expect(lifetimeOf('mail/read')).toBe(600);
  expect(lifetimeOf('maps/read mail/read')).toBe(300);
});
