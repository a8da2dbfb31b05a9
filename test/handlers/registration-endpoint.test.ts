import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CLOSED_REGISTRATION } from '../../functions/core/open-client.ts';
import { makeEcKey } from '../support/foreign-issuer.ts';
import { type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { type LoginApp, startLoginApp } from '../support/login-app.ts';
import { policyOf } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const REGISTRATION = { ...CLOSED_REGISTRATION, dynamic: true, scopes: ['maps/read'] };
const METADATA = {
  client_name: 'A Client',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

let login: LoginApp;
let app: IssuerApp;

beforeAll(async () => {
  login = await startLoginApp(() => ({ registration: REGISTRATION }));
  app = login.app;
});
afterAll(() => login?.close());

beforeEach(() => {
  app.records.length = 0;
  app.nowSeconds = NOW_SECONDS;
  app.sourceIp = crypto.randomUUID();
});

function register(
  metadata: unknown,
  headers: Readonly<Record<string, string>> = {},
  to = app,
): Promise<Response> {
  const body = typeof metadata === 'string' ? metadata : JSON.stringify(metadata);
  return to.fetch('/oauth/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

const bodyOf = async (response: Response) => JSON.parse(await response.text());
const idOf = async (response: Response): Promise<string> => (await bodyOf(response)).client_id;
const kept = (id: string) => app.ports.records.read({ kind: 'CLIENT', orgId: '-', id });

describe('a client that registers', () => {
  test('gets an id of our making, what it registered, and no secret', async () => {
    const response = await register({ ...METADATA, client_id: 'mine', scope: 'admin', software_id: 'x' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { client_id: id, ...rest } = await bodyOf(response);
    expect(id).toMatch(/^dyn\.[A-Za-z0-9_-]{32}$/);
    expect(rest).toEqual({ ...METADATA, client_id_issued_at: NOW_SECONDS });
    expect(app.records).toMatchObject([
      { area: 'registration', decision: 'allow', reason: 'registered', client_id: id },
    ]);
  });

  test.for([
    ['what of it is open', 'maps/read admin', 'maps/read'],
    ['nothing where nothing of it is', 'admin openid', undefined],
  ])('for scopes is told %s', async ([, scope, registered]) => {
    expect((await bodyOf(await register({ ...METADATA, scope }))).scope).toBe(registered);
  });

  test('is told what it did not say, and gets no more grants than it named', async () => {
    expect(await bodyOf(await register({ redirect_uris: ['https://app.example.com/cb'] }))).toMatchObject({
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
    });
  });

  test('may sign', async () => {
    const jwks = { keys: [makeEcKey().published] };
    const response = await register({ ...METADATA, token_endpoint_auth_method: 'private_key_jwt', jwks });
    expect(await bodyOf(response)).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', jwks });
  });

  test('is kept for 90 days', async () => {
    const id = await idOf(await register(METADATA));
    app.nowSeconds += 90 * 86_400 - 1;
    expect(await kept(id)).toMatchObject({ value: { expiresAtSeconds: NOW_SECONDS + 90 * 86_400 } });
    app.nowSeconds += 1;
    expect(await kept(id)).toEqual({ ok: true, value: undefined });
  });

  test('has an id that no other has, whatever it says', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, async () => idOf(await register(METADATA))));
    expect(new Set(ids).size).toBe(10);
  });

  test('is openid-client', async () => {
    const server = { issuer: ORIGIN, registration_endpoint: `${ORIGIN}/oauth/register` };
    const metadata = await (await app.fetch('/.well-known/oauth-authorization-server')).json();
    expect(metadata).toMatchObject(server);
    const configuration = await openid.dynamicClientRegistration(new URL(ORIGIN), METADATA, openid.None(), {
      algorithm: 'oauth2',
      [openid.customFetch]: (url, init) =>
        app.fetch(new URL(url).pathname, {
          ...init,
          body: init.body === undefined ? null : String(init.body),
        }),
    });
    expect(configuration.clientMetadata()).toMatchObject({ redirect_uris: METADATA.redirect_uris });
  });
});

describe('is refused, recorded, and not kept', () => {
  test.for<readonly [string, unknown, string]>([
    ['a redirect URI over http', { redirect_uris: ['http://app.example.com/'] }, 'invalid_redirect_uri'],
    ['no redirect URI', {}, 'invalid_redirect_uri'],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['a secret', { ...METADATA, client_secret: 'x' }, 'invalid_client_metadata'],
    [
      'a method with a secret',
      { ...METADATA, token_endpoint_auth_method: 'client_secret_basic' },
      'invalid_client_metadata',
    ],
    ['client_credentials', { ...METADATA, grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
    ['a list', [METADATA], 'invalid_client_metadata'],
    ['no JSON', 'client_name=x', 'invalid_client_metadata'],
    [
      'a member twice',
      '{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}',
      'invalid_client_metadata',
    ],
    ['nothing', '', 'invalid_client_metadata'],
  ])('%s', async ([, metadata, error]) => {
    const response = await register(metadata);
    expect([response.status, (await bodyOf(response)).error]).toEqual([400, error]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(app.records).toMatchObject([{ area: 'registration', decision: 'deny', reason: error }]);
  });

  test('another media type', async () => {
    const response = await register(METADATA, { 'content-type': 'text/plain' });
    expect([response.status, (await bodyOf(response)).error]).toEqual([400, 'invalid_client_metadata']);
  });

  test('more than 16 KB', async () => {
    const response = await register({ ...METADATA, pad: 'x'.repeat(16_384) });
    expect(response.status).toBe(413);
    expect(app.records).toMatchObject([{ decision: 'deny', reason: 'payload_too_large' }]);
  });
});

describe('how often one may register', () => {
  test('is twenty times an hour from one address, and the answer says until when', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 20; index += 1) statuses.push((await register(METADATA)).status);
    expect(new Set(statuses)).toEqual(new Set([201]));
    const limited = await register(METADATA);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([
      429,
      String(3_600 - (NOW_SECONDS % 3_600)),
    ]);
    expect(app.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'rate_limited' });
    app.sourceIp = 'elsewhere';
    expect((await register(METADATA)).status).toBe(201);
  });

  test('holds for many at once', async () => {
    app.nowSeconds += 3_600;
    const responses = await Promise.all(Array.from({ length: 25 }, () => register(METADATA)));
    const ended = (status: number) => responses.filter((response) => response.status === status).length;
    // A store that does not answer in time may have counted: then one is 503 that might have been registered.
    const [registered, outages] = [ended(201), ended(503)];
    expect(registered).toBeLessThanOrEqual(20);
    expect(registered + outages).toBeGreaterThanOrEqual(20);
    expect(registered + outages + ended(429)).toBe(25);
  });

  test('is twenty times an hour from one /64, and is not used up for others by it', async () => {
    app.nowSeconds += 7_200;
    const statuses: number[] = [];
    for (let index = 0; index < 210; index += 1) {
      app.sourceIp = `2001:db8:0:1::${index}`;
      statuses.push((await register(METADATA)).status);
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    app.sourceIp = '198.51.100.7';
    expect((await register(METADATA)).status).toBe(201);
  });

  test('is five thousand times an hour from everywhere', async () => {
    app.nowSeconds += 10_800;
    const { count } = app.ports.counter;
    onTestFinished(() => void Object.assign(app.ports.counter, { count }));
    const afterMany: typeof count = (id, max, forgetAtSeconds) =>
      count(id, id.startsWith('register.') ? max - 4_999 : max, forgetAtSeconds);
    Object.assign(app.ports.counter, { count: afterMany });
    expect((await register(METADATA)).status).toBe(201);
    expect((await register(METADATA)).status).toBe(429);
    app.nowSeconds += 3_600;
    expect((await register(METADATA)).status).toBe(201);
  });
});

describe('nothing is registered', () => {
  test('that is not recorded', async () => {
    const write = app.ports.audit.write;
    const down = { reason: 'unavailable', detail: 'a test’s outage' } as const;
    Object.assign(app.ports.audit, { write: () => Promise.resolve({ ok: false, error: down }) });
    onTestFinished(() => void Object.assign(app.ports.audit, { write }));
    const created: string[] = [];
    const create = app.ports.records.create;
    Object.assign(app.ports.records, {
      create: (...args: Parameters<typeof create>) => {
        created.push(args[0].kind);
        return create(...args);
      },
    });
    onTestFinished(() => void Object.assign(app.ports.records, { create }));
    expect((await register(METADATA)).status).toBe(503);
    expect(created).not.toContain('CLIENT');
  });

  test.for([
    ['where it is off, which it is unless somebody says otherwise', { registration: CLOSED_REGISTRATION }],
    ['where nobody can log in', { registration: REGISTRATION }],
  ] as const)('%s: there is no such route', async ([, parts]) => {
    const closed = await startIssuerApp(policyOf(parts));
    onTestFinished(() => closed.close());
    const response = await register(METADATA, {}, closed);
    const nothing = await closed.fetch('/oauth/no-such-thing', { method: 'POST' });
    expect([response.status, await response.text()]).toEqual([404, await nothing.text()]);
    const metadata = await bodyOf(await closed.fetch('/.well-known/oauth-authorization-server'));
    expect(Object.keys(metadata)).not.toContain('registration_endpoint');
  });
});
