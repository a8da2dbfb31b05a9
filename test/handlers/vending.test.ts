import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { claimsOf, identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const scopes = ['maps/read', 'maps/execute', 'tokens/issue'];
const policy = policyOf({
  groups: [['g', scopes]],
  idps: [identityProvider('corp')],
  scopes: [
    ['maps/read', [scopeRule('maps', ['initialize'])]],
    ['maps/execute', [scopeRule('maps', ['tools/call'])]],
  ],
  servers: [
    serverEntry('maps'),
    serverEntry('capped', { tokenTtlMaxSeconds: 100 }),
    serverEntry('rival', { org: 'rival' }),
  ],
  clients: [
    clientEntry('courier', { scopes: [...scopes, 'extra/read'], tokenTtlSeconds: 900, namespace: 'proj' }),
    clientEntry('broker', { scopes }),
    clientEntry('frugal', { scopes, vendedPerHour: 2 }),
    clientEntry('never', { scopes, vendedPerHour: 0 }),
    clientEntry('modest', { scopes, audience: 'resource' }),
  ],
});

let app: IssuerApp;

beforeEach(async () => {
  app = await startIssuerApp(policy);
});

afterEach(() => app.close());

const own = (changes: Changes = {}) =>
  app.issuer.accessToken({ scope: scopes.join(' '), namespace: 'proj', exp: NOW_SECONDS + 900, ...changes });

async function vend(body: unknown, token = own()) {
  const response = await app.fetch('/tokens', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = JSON.parse(await response.text());
  const { status, headers } = response;
  return { status, headers, answer, claims: claimsOf(answer.access_token ?? '.e30') };
}

describe('a caller makes itself a token', () => {
  test('with all of its scopes but the one that makes tokens, where it asks for none', async () => {
    const { status, headers, answer, claims } = await vend({});
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(answer).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'maps/read maps/execute',
      warnings: [expect.stringMatching(/^public-only: /)],
    });
    expect(claims).toEqual({
      iss: ORIGIN,
      sub: 'courier',
      aud: ORIGIN,
      client_id: 'courier',
      scope: 'maps/read maps/execute',
      org_id: 'acme',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 900,
      jti: expect.stringMatching(/^j-1\.[0-9a-f-]{36}$/),
      parent_iat: NOW_SECONDS,
      namespace: 'proj',
    });
    expect(app.records).toMatchObject([
      { area: 'token', decision: 'allow', reason: 'tokens/issue', subject: 'courier', jti: claims['jti'] },
    ]);
  });

  test('narrower and shorter, for one server', async () => {
    const asked = { scopes: ['maps/read'], resource: `${ORIGIN}/maps/mcp`, ttl: 60 };
    const { claims } = await vend(asked);
    expect(claims).toMatchObject({ scope: 'maps/read', aud: `${ORIGIN}/maps/mcp`, exp: NOW_SECONDS + 60 });
    expect('namespace' in claims).toBe(false);
  });

  test('about the user for whom it acts', async () => {
    const { claims } = await vend({}, own({ sub: 'corp:sam', act: { sub: 'courier' }, groups: ['g'] }));
    expect(claims).toMatchObject({ sub: 'corp:sam', act: { sub: 'courier' }, groups: ['g'] });
  });

  test.for<readonly [string, unknown, Changes, number]>([
    ['its own token', {}, { exp: NOW_SECONDS + 120 }, 120],
    ['its own token, whatever it asks for', { ttl: 500 }, { exp: NOW_SECONDS + 120 }, 120],
    ['the cap', { ttl: 100_000 }, {}, 900],
    ['the bound of the server', { resource: `${ORIGIN}/capped/mcp` }, {}, 100],
  ])('that ends with %s', async ([, body, changes, seconds]) => {
    const { answer } = await vend(body, own(changes));
    expect(answer.expires_in).toBe(seconds);
  });

  test('that dies with its own', async () => {
    const { answer } = await vend({});
    const look = () =>
      app.ports.ingress.authenticate(
        new Headers({ authorization: `Bearer ${answer.access_token}` }),
        { kind: 'gateway' },
        ORIGIN,
      );
    expect((await look()).ok).toBe(true);
    const until = { beforeSeconds: NOW_SECONDS + 900, forgetAtSeconds: NOW_SECONDS + 999 };
    await app.ports.revocations.revoke({ orgId: 'acme', kind: 'jti', id: 'j-1', ...until });
    app.nowSeconds += 4;
    expect(await look()).toMatchObject({ ok: false, error: { reason: 'revoked' } });
  });

  test('that can make tokens again only where it asks for that, and not without end', async () => {
    let token = own();
    const statuses: number[] = [];
    for (let step = 0; step < 9; step += 1) {
      const made = await vend({ scopes }, token);
      statuses.push(made.status);
      token = made.answer.access_token ?? token;
    }
    expect(new Set(statuses)).toEqual(new Set([201, 400]));
    expect(statuses.indexOf(400)).toBeLessThan(8);
    expect((await vend({ scopes: ['maps/read'] }, token)).status).not.toBe(201);
  });
});

describe('a token for so many requests', () => {
  test('is for one server, and says so', async () => {
    const { status, claims } = await vend({ resource: `${ORIGIN}/maps/mcp`, max_uses: 3 });
    expect([status, claims['token_kind'], claims['max_uses'], claims['aud']]).toEqual([
      201,
      'counted',
      3,
      `${ORIGIN}/maps/mcp`,
    ]);
  });

  test.for([
    ['for every server', { max_uses: 3 }],
    ['for every server, by name', { resource: ORIGIN, max_uses: 3 }],
    ['for none', { resource: `${ORIGIN}/maps/mcp`, max_uses: 0 }],
    ['for a text', { resource: `${ORIGIN}/maps/mcp`, max_uses: '3' }],
    ['for nothing', { resource: `${ORIGIN}/maps/mcp`, max_uses: null }],
    ['for too many', { resource: `${ORIGIN}/maps/mcp`, max_uses: 1_000_000 }],
  ] as const)('is not made %s', async ([, body]) => {
    const { status, answer } = await vend(body);
    expect([status, answer.code]).toEqual([400, 'invalid_argument']);
  });

  test('makes no other', async () => {
    const { answer } = await vend({ resource: `${ORIGIN}/maps/mcp`, scopes, max_uses: 3 });
    expect((await vend({}, answer.access_token)).status).toBe(401);
  });
});

describe('no token is made', () => {
  test.for<readonly [string, unknown, Changes, number, string]>([
    ['for a scope that its own token lacks', { scopes: ['extra/read'] }, {}, 403, 'permission_denied'],
    ['for a scope that nobody has', { scopes: ['maps/read', 'ghost'] }, {}, 403, 'permission_denied'],
    ['without `tokens/issue`', {}, { scope: 'maps/read' }, 403, 'permission_denied'],
    [
      'with `tokens/issue` alone, where nothing is asked for',
      {},
      { scope: 'tokens/issue' },
      403,
      'permission_denied',
    ],
    ['for a server that is not there', { resource: `${ORIGIN}/gone/mcp` }, {}, 400, 'invalid_argument'],
    [
      'for a server of another organisation',
      { resource: `${ORIGIN}/rival/mcp` },
      {},
      400,
      'invalid_argument',
    ],
    ['for elsewhere', { resource: 'https://elsewhere.example.com/' }, {}, 400, 'invalid_argument'],
    ['for scopes that are no list', { scopes: 'maps/read' }, {}, 400, 'invalid_argument'],
    ['for teams that are no list', { teams: 'pilots' }, {}, 400, 'invalid_argument'],
    ['for teams that are objects', { teams: [{ id: 'pilots' }] }, {}, 400, 'invalid_argument'],
    ['for teams that are null', { teams: null }, {}, 400, 'invalid_argument'],
    ['for a team that it is not in', { teams: ['pilots'] }, {}, 403, 'permission_denied'],
    ['for no scopes', { scopes: [] }, {}, 400, 'invalid_argument'],
    ['for a time that is none', { ttl: 0 }, {}, 400, 'invalid_argument'],
    ['for part of a second', { ttl: 1.5 }, {}, 400, 'invalid_argument'],
    ['for a time in words', { ttl: '60' }, {}, 400, 'invalid_argument'],
    ['for something else', { subject: 'corp:ann' }, {}, 400, 'invalid_argument'],
    ['for a list', [], {}, 400, 'invalid_argument'],
    ['for what is no JSON', '{', {}, 400, 'invalid_argument'],
    ['for a member twice', '{"ttl":60,"ttl":900}', {}, 400, 'invalid_argument'],
    ['for more than can be read', { scopes: ['x'.repeat(20_000)] }, {}, 413, 'payload_too_large'],
    ['with a token for one server', {}, { aud: `${ORIGIN}/maps/mcp` }, 401, 'unauthenticated'],
    [
      'for a client of one server at a time',
      {},
      { client_id: 'modest', sub: 'modest' },
      401,
      'unauthenticated',
    ],
    ['with an expired token', {}, { iat: NOW_SECONDS - 900, exp: NOW_SECONDS - 300 }, 401, 'unauthenticated'],
  ])('%s', async ([, body, changes, status, code]) => {
    const refused = await vend(body, own(changes));
    expect([refused.status, refused.answer.code]).toEqual([status, code]);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(app.records.filter(({ decision }) => decision === 'allow')).toEqual([]);
  });

  test('when a dependency is down, and nothing is counted', async () => {
    const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));
    const { records, counter, ingress } = app.ports;
    for (const changes of [
      { counter: { ...counter, read: down } },
      { counter: { ...counter, count: down } },
      { audit: { write: down } },
      { signingKey: { ...app.ports.signingKey, sign: down } },
    ]) {
      const flaky = await startIssuerApp(policy, { records, counter, ingress, ...changes });
      try {
        const headers = { authorization: `Bearer ${own()}` };
        const response = await flaky.fetch('/tokens', { method: 'POST', headers, body: '{}' });
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
      } finally {
        await flaky.close();
      }
    }
    const statuses: number[] = [];
    for (let index = 0; index < 11; index += 1) statuses.push((await vend({})).status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(10);
  });
});

describe('ten tokens an hour', () => {
  test('for each subject through each client, refused ones not counted, and then not before the hour is over', async () => {
    for (let index = 0; index < 10; index += 1) {
      expect((await vend({ scopes: ['ghost'] })).status).toBe(403);
      expect((await vend({}, own({ jti: `j-${index}` }))).status).toBe(201);
    }
    const refused = await vend({});
    expect([refused.status, refused.answer.code]).toEqual([429, 'rate_limited']);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBe(3600 - (NOW_SECONDS % 3600));
    expect(app.records.at(-1)).toMatchObject({
      decision: 'deny',
      reason: 'rate_limited',
      subject: 'courier',
    });
    expect((await vend({}, own({ sub: 'corp:sam', groups: ['g'] }))).status).toBe(201);
    app.nowSeconds += seconds;
    const fresh = own({ iat: app.nowSeconds, exp: app.nowSeconds + 300 });
    expect((await vend({}, fresh)).status).toBe(201);
  });

  test('for the subject itself, whatever number one makes who acts for it', async () => {
    const delegated = own({ client_id: 'broker', act: { sub: 'broker' }, namespace: undefined });
    for (let index = 0; index < 10; index += 1) expect((await vend({}, delegated)).status).toBe(201);
    expect((await vend({}, delegated)).status).toBe(429);
    expect((await vend({})).status).toBe(201);
  });

  test('or as many as the entry of the client says', async () => {
    const make = async (id: string) =>
      (await vend({}, own({ sub: id, client_id: id, namespace: undefined }))).status;
    expect([await make('frugal'), await make('frugal'), await make('frugal')]).toEqual([201, 201, 429]);
    expect(await make('never')).toBe(429);
  });

  test('of thirty at once, ten', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => vend({})));
    const ended = (status: number) => answers.filter((answer) => answer.status === status).length;
    // A store that does not answer in time may have counted: then one is 503 that might have been made.
    const [made, outages] = [ended(201), ended(503)];
    expect(made).toBeLessThanOrEqual(10);
    expect(made + outages).toBeGreaterThanOrEqual(10);
    expect(made + outages + ended(429)).toBe(30);
  });
});
