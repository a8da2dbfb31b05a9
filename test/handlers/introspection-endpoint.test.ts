import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { err, ok } from '../../functions/core/result.ts';
import { basic, type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { codeForm, identityProvider, putCode } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const user = {
  grants: ['authorization_code', 'refresh_token'],
  scopes: ['maps/read'],
  audience: 'resource',
} as const;
const parts = {
  scopes: [['maps/read', [scopeRule('*', ['initialize'])]]],
  groups: [['drivers', ['maps/read']]],
  servers: [serverEntry('maps'), serverEntry('mail')],
  idps: [identityProvider('corp')],
  clients: [
    clientEntry('desk', user),
    clientEntry('courier', {
      scopes: ['maps/read', 'runs/issue'],
      groups: ['drivers'],
      runNamespaces: ['proj'],
    }),
    clientEntry('other', { scopes: ['maps/read'] }),
    clientEntry('public', { ...user, auth: 'none' }),
    clientEntry('retired', { disabled: true }),
    clientEntry('maps-server', { server: 'maps' }),
    clientEntry('mail-server', { server: 'mail' }),
  ],
} as const;

let app: IssuerApp;
let policy = policyOf(parts);

beforeEach(async () => {
  policy = policyOf(parts);
  app = await startIssuerApp(policy, {
    rulebook: { read: () => Promise.resolve(ok({ policy, keys: app.issuer.keys })) },
  });
});

afterEach(() => app.close());

async function introspect(token: string, client: string, hint = {}) {
  const response = await app.post('/oauth/introspect', { token, ...hint }, basic(client));
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const INACTIVE = '{"active":false}';
const forMaps = (changes: Changes = {}) =>
  app.issuer.accessToken({
    aud: `${ORIGIN}/maps/mcp`,
    scope: 'maps/read lost/scope',
    groups: ['drivers', 'x'],
    ...changes,
  });

describe('about an active token', () => {
  test('its own client learns what it still gives', async () => {
    const { status, headers, text } = await introspect(forMaps(), 'courier');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(JSON.parse(text)).toEqual({
      active: true,
      iss: ORIGIN,
      sub: 'courier',
      aud: `${ORIGIN}/maps/mcp`,
      client_id: 'courier',
      scope: 'maps/read',
      org_id: 'acme',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 300,
      jti: 'j-1',
      token_kind: 'session',
      groups: ['drivers'],
      token_type: 'Bearer',
    });
    expect(app.records).toMatchObject([
      { area: 'token', method: 'introspect', decision: 'allow', client_id: 'courier', jti: 'j-1' },
    ]);
  });

  test('nobody learns of a namespace that the configuration took away', async () => {
    const context = { namespace: 'proj', scope_filters: { team: 'a' } };
    const given = { namespace: 'proj', scopeFilters: { team: 'a' } };
    const answers = [];
    for (const changes of [given, { ...given, namespace: 'other' }]) {
      const clients = parts.clients.map((one) => (one.id === 'courier' ? { ...one, ...changes } : one));
      policy = policyOf({ ...parts, clients });
      answers.push(JSON.parse((await introspect(forMaps(context), 'courier')).text));
    }
    expect(answers).toMatchObject([{ active: true, ...context }, { active: true }]);
    expect(Object.keys(answers[1])).not.toContain('namespace');
    expect(Object.keys(answers[1])).not.toContain('scope_filters');
  });

  test('the server that it is for learns the same', async () => {
    const own = await introspect(forMaps(), 'courier');
    expect((await introspect(forMaps(), 'maps-server')).text).toBe(own.text);
  });

  test('the server that an identity token is for learns who calls', async () => {
    const token = app.issuer.identityToken({
      aud: 'https://maps.internal.example.com/mcp',
      scope: 'maps/read',
    });
    expect(JSON.parse((await introspect(token, 'maps-server')).text)).toMatchObject({
      active: true,
      sub: 'courier',
      token_kind: 'identity',
      scope: 'maps/read',
    });
    for (const client of ['mail-server', 'courier']) {
      expect((await introspect(token, client)).text).toBe(INACTIVE);
    }
  });

  test.for(['refresh_token', 'access_token', 'x'])('a hint is no matter: %s', async (hint) => {
    const { text } = await introspect(forMaps(), 'courier', { token_type_hint: hint });
    expect(JSON.parse(text).active).toBe(true);
  });
});

describe('it is inactive', () => {
  test.for<readonly [string, () => string | Promise<string>, string]>([
    ['to another client', () => forMaps(), 'other'],
    ['to the server of another name', () => forMaps(), 'mail-server'],
    ['to a server, where it is for everything', () => forMaps({ aud: ORIGIN }), 'maps-server'],
    ['when it is expired', () => forMaps({ iat: NOW_SECONDS - 600, exp: NOW_SECONDS - 300 }), 'courier'],
    ['when its client is disabled', () => forMaps({ client_id: 'retired' }), 'maps-server'],
    ['when its client is gone', () => forMaps({ client_id: 'gone' }), 'maps-server'],
    ['when its organisation is another than its client’s', () => forMaps({ org_id: 'rival' }), 'maps-server'],
    ['when somebody else has signed it', () => `${forMaps().slice(0, -4)}AAAA`, 'courier'],
    ['when it is no token', () => 'abc', 'courier'],
    ['when it only looks like a refresh token', () => `YWNtZQ.${'A'.repeat(43)}.${'A'.repeat(43)}`, 'desk'],
  ])('%s', async ([, token, client]) => {
    const { status, text } = await introspect(await token(), client);
    expect([status, text]).toEqual([200, INACTIVE]);
    expect(app.records).toMatchObject([{ method: 'introspect', decision: 'deny', reason: 'inactive' }]);
  });

  test('from the moment of its revocation on', async () => {
    expect(JSON.parse((await introspect(forMaps(), 'maps-server')).text).active).toBe(true);
    await app.post('/oauth/revoke', { token: forMaps() }, basic('courier'));
    expect((await introspect(forMaps(), 'maps-server')).text).toBe(INACTIVE);
  });
});

describe('a refresh token', () => {
  async function login(): Promise<string> {
    const code = await putCode(
      { records: app.ports.records, nowSeconds: app.nowSeconds },
      { scopes: ['maps/read'] },
    );
    const response = await app.post('/oauth/token', codeForm(code), basic('desk'));
    return JSON.parse(await response.text()).refresh_token;
  }

  test('is active for its own client until it is used', async () => {
    const token = await login();
    expect(JSON.parse((await introspect(token, 'desk')).text)).toEqual({
      active: true,
      iss: ORIGIN,
      sub: 'corp:sam',
      client_id: 'desk',
      org_id: 'acme',
      scope: 'maps/read',
      exp: NOW_SECONDS + 7 * 24 * 3600,
    });
    expect((await introspect(token, 'other')).text).toBe(INACTIVE);
    const used = await app.post(
      '/oauth/token',
      { grant_type: 'refresh_token', refresh_token: token },
      basic('desk'),
    );
    const { refresh_token: next } = JSON.parse(await used.text());
    expect((await introspect(token, 'desk')).text).toBe(INACTIVE);
    // To look is not to use: the login goes on.
    expect(JSON.parse((await introspect(next, 'desk')).text).active).toBe(true);
    expect(app.revoked).toEqual([]);
  });

  test('is inactive when its identity provider is gone', async () => {
    const token = await login();
    policy = policyOf({ ...parts, idps: [] });
    expect((await introspect(token, 'desk')).text).toBe(INACTIVE);
  });
});

describe('a run token', () => {
  const open = async (body: Changes) => {
    const response = await app.fetch('/runs', {
      method: 'POST',
      headers: { authorization: `Bearer ${app.issuer.accessToken({ scope: 'runs/issue' })}` },
      body: JSON.stringify({ agent_name: 'a', ...body }),
    });
    return JSON.parse(await response.text());
  };

  test('tells a service its own section and no other', async () => {
    const services = { maps: { namespace: 'proj', layer: '1' }, mail: { namespace: 'proj', box: '2' } };
    const { service_token: token } = await open({ services });
    expect(JSON.parse((await introspect(token, 'maps-server')).text)).toMatchObject({
      active: true,
      aud: 'maps',
      services: { maps: { namespace: 'proj', layer: '1' } },
    });
    expect((await introspect(token, 'maps-server')).text).not.toContain('box');
    expect(JSON.parse((await introspect(token, 'courier')).text)).toMatchObject({ active: true, services });
    expect((await introspect(token, 'other')).text).toBe(INACTIVE);
  });

  test.for([
    ['other', { scopes: ['maps/read', 'runs/issue'], runNamespaces: ['proj-b'] }, ['mail']],
    ['no namespace', { scopes: ['maps/read', 'runs/issue'], runNamespaces: [] }, []],
    ['no runs', { scopes: ['maps/read'], runNamespaces: ['proj', 'proj-b'] }, []],
  ] as const)(
    'says nothing of a service whose namespace is gone, where its client is given %s',
    async ([, changes, left]) => {
      const clientsWith = (more: object) =>
        policyOf({
          ...parts,
          clients: parts.clients.map((one) => (one.id === 'courier' ? { ...one, ...more } : one)),
        });
      policy = clientsWith({ runNamespaces: ['proj', 'proj-b'] });
      const services = { maps: { namespace: 'proj' }, mail: { namespace: 'proj-b' } };
      const { service_token: token } = await open({ services });
      policy = clientsWith(changes);
      const shown = async (client: string) =>
        Object.keys(JSON.parse((await introspect(token, client)).text).services ?? {});
      expect(await shown('maps-server')).toEqual([]);
      expect(await shown('mail-server')).toEqual(left);
      expect(await shown('courier')).toEqual(left);
      expect((await introspect(token, 'maps-server')).text).toBe(INACTIVE);
    },
  );

  test('is inactive when its run is completed', async () => {
    const { service_token: token, run_id: id } = await open({ services: { maps: { namespace: 'proj' } } });
    const authorization = `Bearer ${app.issuer.accessToken({ scope: 'runs/issue' })}`;
    await app.fetch(`/runs/${id}/complete`, { method: 'POST', headers: { authorization } });
    expect((await introspect(token, 'maps-server')).text).toBe(INACTIVE);
  });
});

describe('who asks', () => {
  test.for<readonly [string, string | Record<string, string>, string | undefined, number, string]>([
    ['a wrong secret', 'token=x', basic('courier', 'wrong'), 401, 'invalid_client'],
    ['nobody', 'token=x', undefined, 401, 'invalid_client'],
    ['a public client', { token: 'x', client_id: 'public' }, undefined, 401, 'invalid_client'],
    ['without a token', 'x=y', basic('courier'), 400, 'invalid_request'],
    ['with two tokens', 'token=x&token=y', basic('courier'), 400, 'invalid_request'],
  ])('%s', async ([, form, authorization, status, error]) => {
    const response = await app.post('/oauth/introspect', form, authorization);
    expect([response.status, await response.json()]).toMatchObject([status, { error }]);
    expect(app.records).toMatchObject([{ decision: 'deny', reason: expect.stringContaining(error) }]);
  });

  test('during an outage is told so, and nothing of the token', async () => {
    const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));
    for (const changes of [
      { revocations: { ...app.ports.revocations, isRevoked: down } },
      { keys: { publish: down } },
      { audit: { write: down } },
    ]) {
      const flaky = await startIssuerApp(policy, { keys: app.ports.keys, ...changes });
      try {
        const response = await flaky.post('/oauth/introspect', { token: forMaps() }, basic('courier'));
        expect([response.status, await response.text()]).toEqual([503, expect.not.stringContaining('sub')]);
      } finally {
        await flaky.close();
      }
    }
  });
});
