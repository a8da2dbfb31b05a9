import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRunTokenVerifier } from '../../verifier/index.ts';
import { makeKey, NOW_SECONDS, ORIGIN, TestIssuer, type TestKey } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
let server: Server;
let jwksUri: string;
let published: readonly TestKey[];
let answer: { readonly status: number; readonly text?: string } | undefined;
let looks = 0;
let asked: string[] = [];
let nowSeconds = NOW_SECONDS;

beforeAll(async () => {
  server = createServer((request, response) => {
    looks += 1;
    const url = new URL(request.url ?? '', 'http://localhost');
    asked.push(url.pathname + url.search);
    const purpose = url.searchParams.get('purpose');
    const wanted = published.filter((key) => purpose === null || key.published.purpose === purpose);
    const keys = wanted.map(({ published: { keyId, n, e } }) => ({
      kty: 'RSA',
      n,
      e,
      kid: keyId,
      alg: 'RS256',
      use: 'sig',
    }));
    response.writeHead(answer?.status ?? 200, answer?.status === 302 ? { location: '/elsewhere' } : {});
    response.end(answer?.text ?? JSON.stringify({ keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  jwksUri = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/jwks.json`;
});

afterAll(() => server.close());

beforeEach(() => {
  published = [issuer.access, issuer.identity];
  looks = 0;
  asked = [];
  nowSeconds = NOW_SECONDS;
});

afterEach(() => {
  answer = undefined;
});

const open = (service = 'charts') =>
  createRunTokenVerifier({ issuer: ORIGIN, service, jwksUri, clock: () => nowSeconds });

const runToken = (changes: Record<string, unknown> = {}, key = issuer.access) =>
  issuer.runToken(
    {
      aud: ['charts'],
      exp: NOW_SECONDS + 3600,
      services: { charts: { namespace: 'atlas', scope_filters: { session: 's-1' } } },
      ...changes,
    },
    key,
  );

const payloadOf = (compact: string) => Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString();

async function outcomeOf(authorization: string | null, verifier = open()): Promise<unknown> {
  const verified = await verifier.verify(authorization);
  return verified.ok ? verified.scope : verified.refusal.status;
}

const SCOPE = {
  orgId: 'acme',
  runId: 'run-1',
  clientId: 'coordinator',
  namespace: 'atlas',
  scopeFilters: { session: 's-1' },
  permissions: { read: true, write: true },
  expiresAtSeconds: NOW_SECONDS + 3600,
  claims: { namespace: 'atlas', scope_filters: { session: 's-1' } },
};

describe('a token', () => {
  test('opens its scope, as a header or bare, in either shape', async () => {
    const flat = runToken({
      aud: 'charts',
      services: undefined,
      namespace: 'atlas',
      scope_filters: { session: 's-1' },
    });
    for (const token of [runToken(), `Bearer ${runToken()}`, flat, `bearer ${flat}`]) {
      expect(await outcomeOf(token)).toEqual(SCOPE);
    }
  });

  test.for([
    [
      'without filters opens the whole namespace',
      { services: { charts: { namespace: 'atlas' } } },
      { scopeFilters: {} },
    ],
    [
      'to read does not open writing',
      { permissions: ['read'] },
      { permissions: { read: true, write: false } },
    ],
    [
      'without permissions opens both',
      { permissions: undefined },
      { permissions: { read: true, write: true } },
    ],
  ] as const)('%s', async ([, changes, scope]) => {
    expect(await outcomeOf(runToken(changes))).toMatchObject(scope);
  });

  test('hands out what is in the section of its service, in either shape, and nobody changes it', async () => {
    const section = { namespace: 'atlas', theme: 'dark', axes: [{ name: 'x', from: 1.5 }] };
    const both = { charts: section, maps: { namespace: 'atlas', tile: 'not of this service' } };
    for (const changes of [{ services: both }, { aud: 'charts', services: undefined, ...section }]) {
      const verified = await open().verify(runToken(changes));
      if (!verified.ok) throw new Error(verified.refusal.message);
      const { claims } = verified.scope;
      expect(claims).toEqual(section);
      expect([Object.isFrozen(claims), Object.isFrozen(claims['axes'])]).toEqual([true, true]);
    }
  });

  const charts = (section: unknown) => ({ services: { charts: section } });
  test.for<readonly [string, Record<string, unknown>, 401 | 403]>([
    ['for another service', { aud: ['maps'], services: { maps: { namespace: 'n' } } }, 403],
    ['whose audience leaves this service out', { aud: ['maps'] }, 403],
    ['without a namespace here', charts({}), 403],
    ['with a namespace that is a number', charts({ namespace: 7 }), 401],
    ['with a namespace with a #', charts({ namespace: 'a#b' }), 401],
    ['with filters that are a list', charts({ namespace: 'n', scope_filters: ['s'] }), 401],
    ['with filters that are null', charts({ namespace: 'n', scope_filters: null }), 401],
    ['with a filter that is a number', charts({ namespace: 'n', scope_filters: { a: 1 } }), 401],
    ['with a section that is a list', charts([]), 401],
    ['with services that are a list', { services: [] }, 401],
    ['in both shapes at once', { namespace: 'n' }, 401],
    [
      'in the flat shape for two services',
      { services: undefined, aud: ['charts', 'maps'], namespace: 'n' },
      401,
    ],
    ['without an audience', { aud: undefined }, 401],
    ['without an organisation', { org_id: undefined }, 401],
    ['without a client', { client_id: undefined }, 401],
    ['without a jti', { jti: undefined }, 401],
    ['of another issuer', { iss: 'https://evil.example.com' }, 401],
    ['of another kind', { token_kind: 'identity' }, 401],
    ['of no kind', { token_kind: undefined }, 401],
    ['with a run id with a colon', { sub: 'okta:sam' }, 401],
    ['with permissions to administer', { permissions: ['read', 'admin'] }, 401],
    ['with permissions as text', { permissions: 'read' }, 401],
    ['that is expired', { exp: NOW_SECONDS - 6, iat: NOW_SECONDS - 600 }, 401],
    ['that is not valid yet', { iat: NOW_SECONDS + 6 }, 401],
    ['that lives for two hours', { exp: NOW_SECONDS + 7200 }, 401],
    ['with an expiry as text', { exp: String(NOW_SECONDS + 60) }, 401],
    ['bound to a key', { cnf: { jkt: 'x' } }, 401],
  ])('%s is refused', async ([, changes, status]) => {
    expect(await outcomeOf(runToken(changes))).toBe(status);
  });

  test('within five seconds of its times is good', async () => {
    expect(await outcomeOf(runToken({ iat: NOW_SECONDS + 5 }))).toMatchObject({ namespace: 'atlas' });
    expect(await outcomeOf(runToken({ iat: NOW_SECONDS - 60, exp: NOW_SECONDS - 4 }))).toMatchObject({
      namespace: 'atlas',
    });
  });

  test.for([null, '', 'Bearer', 'Basic abc', 'Bearer a.b', 'Bearer a.b.c, Bearer d.e.f'])(
    '%j is none',
    async (header) => {
      expect(await outcomeOf(header)).toBe(401);
      expect(looks).toBe(0);
    },
  );

  test('that another key signed is refused', async () => {
    const stranger = makeKey('access');
    const forged = issuer.sign(
      JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: issuer.access.published.keyId }),
      JSON.stringify({}),
      stranger,
    );
    expect(await outcomeOf(forged)).toBe(401);
    expect(await outcomeOf(runToken({}, stranger))).toBe(401);
  });

  test('of access is refused', async () => {
    expect(await outcomeOf(issuer.accessToken({ token_kind: 'run' }))).toBe(401);
    expect(
      await outcomeOf(issuer.accessToken({ token_kind: 'run', aud: 'charts', namespace: 'atlas' })),
    ).toBe(401);
  });

  test('that the gateway made for an upstream is refused, whatever else is in it', async () => {
    const verifier = open();
    const members = fc.dictionary(
      fc.constantFrom(
        'aud',
        'services',
        'namespace',
        'scope_filters',
        'permissions',
        'sub',
        'act',
        'exp',
        'jti',
      ),
      fc.oneof(
        fc.constantFrom<unknown>(
          'charts',
          ['charts'],
          'atlas',
          { charts: { namespace: 'atlas' } },
          ['read'],
          'run',
        ),
        fc.jsonValue(),
      ),
    );
    await fc.assert(
      fc.asyncProperty(members, fc.constantFrom('JWT', 'at+jwt', 'jwt'), async (changes, typ) => {
        const header = JSON.stringify({ alg: 'RS256', typ, kid: issuer.identity.published.keyId });
        const payload = { ...JSON.parse(payloadOf(runToken())), ...changes, token_kind: 'identity' };
        const token = issuer.sign(header, JSON.stringify(payload), issuer.identity);
        expect(await outcomeOf(token, verifier)).toBe(401);
      }),
      { numRuns: 200 },
    );
  });

  test('that the gateway’s key signed is refused as any other key’s, even in the shape of a run’s', async () => {
    const origin = new URL(jwksUri).origin;
    const verifier = createRunTokenVerifier({ issuer: origin, service: 'charts', clock: () => nowSeconds });
    expect(await outcomeOf(runToken({ iss: origin }), verifier)).toEqual(SCOPE);
    expect(await outcomeOf(runToken({ iss: origin }, issuer.identity), verifier)).toBe(401);
    expect(new Set(asked)).toEqual(new Set(['/.well-known/jwks.json?purpose=access']));
  });
});

describe('the keys', () => {
  test('are read once for many requests at once', async () => {
    const verifier = open();
    await Promise.all(Array.from({ length: 20 }, () => outcomeOf(runToken(), verifier)));
    expect(looks).toBe(1);
  });

  test('are read again for a key that is new, and not for a thousand that are unknown', async () => {
    const verifier = open();
    await outcomeOf(runToken(), verifier);
    nowSeconds += 31;
    const rotated = makeKey('access');
    published = [rotated, ...published];
    expect(await outcomeOf(runToken({}, rotated), verifier)).toMatchObject({ namespace: 'atlas' });
    expect(looks).toBe(2);
    const unknown = runToken({}, makeKey('access'));
    for (let count = 0; count < 50; count += 1) expect(await outcomeOf(unknown, verifier)).toBe(401);
    expect(looks).toBe(2);
  });

  test('outlive an outage by an hour, and no longer', async () => {
    const verifier = open();
    await outcomeOf(runToken(), verifier);
    answer = { status: 500 };
    nowSeconds += 1800;
    expect(await outcomeOf(runToken(), verifier)).toMatchObject({ namespace: 'atlas' });
    nowSeconds += 1800;
    expect(await outcomeOf(runToken(), verifier)).toBe(503);
    answer = undefined;
    nowSeconds += 31;
    expect(await outcomeOf(runToken(), verifier)).toBe(401);
  });

  test.for([
    ['a failure', { status: 500 }],
    ['a redirect', { status: 302 }],
    ['no JSON', { status: 200, text: '<html>' }],
    ['no keys', { status: 200, text: '{}' }],
    ['100 KB', { status: 200, text: JSON.stringify({ keys: [], padding: 'x'.repeat(100_000) }) }],
  ] as const)('that are %s leave the service unavailable, and then are looked for again', async ([, bad]) => {
    const verifier = open();
    answer = bad;
    expect(await outcomeOf(runToken(), verifier)).toBe(503);
    answer = undefined;
    nowSeconds += 2;
    expect(await outcomeOf(runToken(), verifier)).toMatchObject({ namespace: 'atlas' });
  });

  test('of another algorithm or use are not taken', async () => {
    const { keyId, n, e } = issuer.access.published;
    for (const odd of [{ alg: 'RS512' }, { use: 'enc' }, { kty: 'EC' }, { kid: 7 }]) {
      answer = {
        status: 200,
        text: JSON.stringify({ keys: [{ kty: 'RSA', n, e, kid: keyId, alg: 'RS256', use: 'sig', ...odd }] }),
      };
      expect(await outcomeOf(runToken())).toBe(401);
    }
  });
});
