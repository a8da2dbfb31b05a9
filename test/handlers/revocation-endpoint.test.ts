import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { basic, type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { codeForm, identityProvider, putCode } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

const user = {
  grants: ['authorization_code', 'refresh_token'],
  scopes: ['maps/read'],
  audience: 'resource',
} as const;
const MAPS_URL = serverEntry('maps').url;
const policy = policyOf({
  scopes: [['maps/read', [scopeRule('*', ['initialize'])]]],
  groups: [['drivers', ['maps/read']]],
  servers: [serverEntry('maps')],
  idps: [identityProvider('corp')],
  clients: [
    clientEntry('desk', user),
    clientEntry('other', user),
    clientEntry('maps-server', { server: 'maps' }),
    clientEntry('courier', { scopes: ['maps/read', 'runs/issue'], runNamespaces: ['proj'] }),
  ],
});

let app: IssuerApp;

beforeEach(async () => {
  app = await startIssuerApp(policy);
});

afterEach(() => app.close());

async function login() {
  const code = await putCode({ records: app.ports.records, nowSeconds: app.nowSeconds });
  const response = await app.post('/oauth/token', codeForm(code), basic('desk'));
  const body = JSON.parse(await response.text());
  app.records.length = 0;
  return { access: String(body.access_token), refresh: String(body.refresh_token) };
}

function refresh(token: string): Promise<Response> {
  return app.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token }, basic('desk'));
}

async function isDead(token: string): Promise<boolean | undefined> {
  const verified = app.issuer.verify(token, app.nowSeconds);
  const look = verified.ok ? await app.ports.revocations.isRevoked(verified.value.claims) : undefined;
  return look?.ok ? look.value : undefined;
}

describe('a refresh token', () => {
  test.for<Readonly<Record<string, string>>>([
    {},
    { token_type_hint: 'refresh_token' },
    { token_type_hint: 'access_token' },
    { token_type_hint: 'x' },
  ])('is revoked with its login, whatever the hint: %j', async (hint) => {
    const { access, refresh: token } = await login();
    const response = await app.post('/oauth/revoke', { token, ...hint }, basic('desk'));
    expect([response.status, await response.text(), response.headers.get('cache-control')]).toEqual([
      200,
      '',
      'no-store',
    ]);
    expect((await refresh(token)).status).toBe(400);
    expect(await isDead(access)).toBe(true);
    expect(app.records[0]).toMatchObject({
      area: 'revocation',
      decision: 'allow',
      reason: 'revoked_by_its_client',
      subject: 'corp:sam',
    });
    expect(JSON.stringify(app.records)).not.toContain(token);
  });

  test('that was rotated is revoked as well, with what came after it', async () => {
    const first = await login();
    const next = JSON.parse(await (await refresh(first.refresh)).text()).refresh_token;
    await app.post('/oauth/revoke', { token: first.refresh }, basic('desk'));
    expect((await refresh(next)).status).toBe(400);
  });

  test('of another client is left alone', async () => {
    const { refresh: token } = await login();
    expect((await app.post('/oauth/revoke', { token }, basic('other'))).status).toBe(200);
    expect(app.revoked).toEqual([]);
    expect((await refresh(token)).status).toBe(200);
  });
});

test('an access token is revoked without its login', async () => {
  const { access, refresh: token } = await login();
  await app.post('/oauth/revoke', { token: access }, basic('desk'));
  expect(await isDead(access)).toBe(true);
  expect((await refresh(token)).status).toBe(200);
});

test('a run token is revoked by its coordinator alone', async () => {
  const opened = await app.fetch('/runs', {
    method: 'POST',
    headers: { authorization: `Bearer ${app.issuer.accessToken({ scope: 'runs/issue' })}` },
    body: JSON.stringify({ agent_name: 'a', context: { namespace: 'proj' } }),
  });
  const { service_token: token = '' } = JSON.parse(await opened.text());
  await app.post('/oauth/revoke', { token }, basic('other'));
  expect(app.revoked).toEqual([]);
  await app.post('/oauth/revoke', { token }, basic('courier'));
  expect(app.revoked).toMatchObject([{ kind: 'jti', orgId: 'acme', beforeSeconds: NOW_SECONDS + 3600 }]);
});

test('an access token is revoked while the logins cannot be read, and a refresh token is 503', async () => {
  const { access, refresh: token } = await login();
  const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));
  const flaky = await startIssuerApp(policy, { records: { ...app.ports.records, read: down } });
  try {
    expect((await flaky.post('/oauth/revoke', { token }, basic('desk'))).status).toBe(503);
    expect(flaky.revoked).toEqual([]);
    expect((await flaky.post('/oauth/revoke', { token: access }, basic('desk'))).status).toBe(200);
    expect(flaky.revoked).toHaveLength(1);
  } finally {
    await flaky.close();
  }
});

test('an outage is 503, never a token that is called revoked', async () => {
  const { access, refresh: token } = await login();
  const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));
  for (const changes of [
    { revocations: { ...app.ports.revocations, revoke: down } },
    { keys: { publish: down } },
    { counter: { ...app.ports.counter, read: down } },
  ]) {
    const flaky = await startIssuerApp(policy, {
      records: app.ports.records,
      keys: app.ports.keys,
      ...changes,
    });
    try {
      const statuses = [access, token].map(
        async (one) => (await flaky.post('/oauth/revoke', { token: one }, basic('desk'))).status,
      );
      expect(await Promise.all(statuses)).toContain(503);
      expect(flaky.revoked).toEqual([]);
    } finally {
      await flaky.close();
    }
  }
});

describe('every record of a client that was let in names the policy', () => {
  test.for<readonly [string, () => Promise<Readonly<Record<string, string>>>, string]>([
    ['about no token', async () => ({}), 'invalid_request'],
    ['about what is none', async () => ({ token: 'abc' }), 'bad_token: not_a_compact_jws'],
    [
      'about the token of another client',
      async () => ({ token: app.issuer.accessToken() }),
      'another_clients_token',
    ],
    ['about its own', async () => ({ token: (await login()).access }), 'revoked_by_its_client'],
    ['about its login', async () => ({ token: (await login()).refresh }), 'revoked_by_its_client'],
  ])('%s', async ([, make, reason]) => {
    const form = await make();
    await app.post('/oauth/revoke', form, basic('desk'));
    expect(app.records).toMatchObject([{ area: 'revocation', reason, policy_version: policy.version }]);
  });
});

describe('an identity token', () => {
  const identity = (audience: string) =>
    app.issuer.sign(
      app.issuer.header({}, app.issuer.identity),
      app.issuer.claims({ aud: audience, scope: 'maps/read', token_kind: 'identity' }),
      app.issuer.identity,
    );

  test('is a kind that cannot be revoked, which the server that it is for is told', async () => {
    const response = await app.post('/oauth/revoke', { token: identity(MAPS_URL) }, basic('maps-server'));
    expect([response.status, JSON.parse(await response.text()).error]).toEqual([
      400,
      'unsupported_token_type',
    ]);
    expect(app.records).toMatchObject([
      { area: 'revocation', decision: 'deny', reason: 'unsupported_token_type', client_id: 'maps-server' },
    ]);
    expect(app.revoked).toEqual([]);
  });

  test.for([
    ['for another server', 'maps-server', 'https://elsewhere.example.com/mcp'],
    ['shown by somebody else', 'courier', ''],
  ] as const)('%s is no token', async ([, client, audience]) => {
    const response = await app.post(
      '/oauth/revoke',
      { token: identity(audience || MAPS_URL) },
      basic(client),
    );
    expect(response.status).toBe(200);
    expect(app.revoked).toEqual([]);
  });
});
