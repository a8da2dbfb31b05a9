import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { assertionForm } from '../support/assertions.ts';
import { makeEcKey, makeRsaKey } from '../support/foreign-issuer.ts';
import { basic, type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { clientEntry, policyOf, scopeRule } from '../support/policies.ts';
import { type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const inline = makeEcKey();
const published = makeRsaKey();
const stranger = makeEcKey();
const signer = { auth: 'private_key_jwt', secretName: '', scopes: ['maps/read'] } as const;

let app: IssuerApp;
let keyServer: RecordingServer;

beforeAll(async () => {
  keyServer = await startRecordingServer((_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ keys: [published.published] }));
  });
  const jwksUri = `${keyServer.origin}/jwks`;
  app = await startIssuerApp(
    policyOf({
      scopes: [['maps/read', [scopeRule('*', ['initialize'])]]],
      clients: [
        clientEntry('courier', { scopes: ['maps/read'] }),
        clientEntry('poster', { auth: 'client_secret_post', scopes: ['maps/read'] }),
        clientEntry('signer', { ...signer, jwks: [inline.published] }),
        clientEntry('publisher', { ...signer, jwksUri, jwksUriPrivate: true }),
        clientEntry('walled', { ...signer, jwksUri }),
        clientEntry('keyed', { scopes: ['maps/read'], jwks: [inline.published] }),
        clientEntry('retired', { ...signer, jwks: [inline.published], disabled: true }),
        clientEntry('frozen', { ...signer, jwks: [inline.published], org: 'closed' }),
        clientEntry('app', { auth: 'none', secretName: '', grants: ['authorization_code', 'refresh_token'] }),
        clientEntry('old-app', { auth: 'none', secretName: '', disabled: true }),
      ],
      orgs: [
        { id: 'acme', suspended: false },
        { id: 'closed', suspended: true },
      ],
    }),
  );
});

afterAll(async () => {
  await app?.close();
  await keyServer?.close();
});

beforeEach(() => {
  app.records.length = 0;
  app.nowSeconds = NOW_SECONDS;
  app.revoked.length = 0;
  app.sourceIp = crypto.randomUUID();
});

const ask = (form: Readonly<Record<string, string>>, authorization?: string) =>
  app.post('/oauth/token', { grant_type: 'client_credentials', ...form }, authorization);

const errorOf = async (response: Response) => [response.status, JSON.parse(await response.text()).error];

describe('a client that signs', () => {
  test.for([
    ['with keys in the configuration', 'signer', inline],
    ['with keys that it publishes', 'publisher', published],
  ] as const)('%s gets a token', async ([, id, key]) => {
    const response = await ask(assertionForm(key, id));
    expect(response.status).toBe(200);
    const { access_token: token } = JSON.parse(await response.text());
    const verified = app.issuer.verify(token);
    expect(verified.ok && verified.value.claims).toMatchObject({ clientId: id, subject: id, orgId: 'acme' });
  });

  test('may name itself in the body too, and is no other there', async () => {
    expect((await ask({ client_id: 'signer', ...assertionForm(inline, 'signer') })).status).toBe(200);
    const lie = await ask({ client_id: 'publisher', ...assertionForm(inline, 'signer') });
    expect(await errorOf(lie)).toEqual([401, 'invalid_client']);
  });

  test.for<readonly [string, Changes]>([
    ['an audience of another', { aud: 'https://other.example.com' }],
    ['an audience in a list', { aud: [ORIGIN] }],
    ['the token endpoint as audience', { aud: `${ORIGIN}/oauth/token` }],
    ['another subject', { sub: 'courier' }],
    ['an end too far', { exp: NOW_SECONDS + 3600 }],
    ['no `jti`', { jti: undefined }],
  ])('is refused with %s, and the record says why', async ([, changes]) => {
    const response = await ask(assertionForm(inline, 'signer', changes));
    expect([response.headers.get('www-authenticate'), ...(await errorOf(response))]).toEqual([
      'Basic realm="sallyport"',
      401,
      'invalid_client',
    ]);
    expect(app.records).toMatchObject([
      { decision: 'deny', reason: expect.stringMatching(/^invalid_client: /) },
    ]);
  });

  test.for([
    [
      'courier',
      { client_id: 'courier', client_secret: 'courier-secret' },
      undefined,
      'invalid_client: method',
    ],
    ['poster', {}, basic('poster'), 'invalid_client: method'],
    ['courier', {}, basic('courier', 'wrong'), 'invalid_client'],
    ['ghost', {}, basic('ghost'), 'invalid_client'],
  ] as const)(
    'the record says where %s used another method than its own',
    async ([, form, header, reason]) => {
      expect(await errorOf(await ask(form, header))).toEqual([401, 'invalid_client']);
      expect(app.records.at(-1)?.reason).toBe(reason);
    },
  );

  test.for([
    ['of a disabled client', 'retired', inline],
    ['of a suspended organisation', 'frozen', inline],
    ['of a client with a secret', 'courier', inline],
    ['of a client with a secret, although it has a key', 'keyed', inline],
    ['of a public client', 'app', inline],
    ['of nobody', 'ghost', inline],
    ['with the key of another', 'signer', stranger],
    ['with a key from an address that is not allowed', 'walled', published],
  ] as const)('is refused: one %s', async ([, id, key]) => {
    const response = await ask(assertionForm(key, id));
    expect(await errorOf(response)).toEqual(
      id === 'walled' ? [503, 'temporarily_unavailable'] : [401, 'invalid_client'],
    );
  });

  test('uses an assertion once: of fifty at the same time one gets a token', async () => {
    const form = assertionForm(inline, 'signer');
    const responses = await Promise.all(Array.from({ length: 50 }, () => ask(form)));
    const statuses = responses.map(({ status }) => status);
    const ended = (status: number) => statuses.filter((each) => each === status).length;
    // A store that does not answer in time may have been the one to take it.
    const [won, outages] = [ended(200), ended(503)];
    expect(won).toBeLessThanOrEqual(1);
    expect(won + outages).toBeGreaterThanOrEqual(1);
    expect(won + outages + ended(401) + ended(429)).toBe(50);
    expect(app.records.filter(({ decision }) => decision === 'allow')).toHaveLength(won);
    expect(app.records.some(({ reason }) => reason === 'invalid_client: replayed')).toBe(true);
  });

  test('uses an assertion once for as long as it lives', async () => {
    const form = assertionForm(inline, 'signer', { exp: NOW_SECONDS + 300 });
    expect((await ask(form)).status).toBe(200);
    app.nowSeconds = NOW_SECONDS + 359;
    expect((await ask(form)).status).toBe(401);
    app.nowSeconds = NOW_SECONDS + 360;
    expect((await ask(form)).status).toBe(401);
    expect(app.records.map(({ reason }) => reason)).toEqual([
      'client_credentials',
      'invalid_client: replayed',
      'invalid_client: expired',
    ]);
  });

  test('uses one `jti` for different assertions no more often', async () => {
    expect((await ask(assertionForm(inline, 'signer', { jti: 'same' }))).status).toBe(200);
    expect((await ask(assertionForm(inline, 'signer', { jti: 'same', exp: NOW_SECONDS + 90 }))).status).toBe(
      401,
    );
  });

  test('revokes its token in the same way', async () => {
    const response = await ask(assertionForm(inline, 'signer'));
    const { access_token: token } = JSON.parse(await response.text());
    const revoked = await app.post('/oauth/revoke', { token, ...assertionForm(inline, 'signer') });
    expect(revoked.status).toBe(200);
    expect(app.revoked).toMatchObject([{ kind: 'jti', orgId: 'acme' }]);
  });
});

describe('a public client', () => {
  const code = {
    grant_type: 'authorization_code',
    code: 'x',
    redirect_uri: 'https://a.example/',
    code_verifier: 'y',
  };

  test('says who it is, and is believed no further', async () => {
    expect(await errorOf(await ask({ ...code, client_id: 'app' }))).toEqual([400, 'invalid_grant']);
    expect(await errorOf(await ask({ client_id: 'app' }))).toEqual([400, 'unauthorized_client']);
  });

  test.for([
    ['an unknown one', 'ghost'],
    ['a disabled one', 'old-app'],
    ['one that has a secret', 'courier'],
    ['one that posts a secret', 'poster'],
    ['one that signs', 'signer'],
  ] as const)('is refused: %s', async ([, id]) => {
    expect(await errorOf(await ask({ ...code, client_id: id }))).toEqual([401, 'invalid_client']);
  });

  test('has no secret, whatever it sends', async () => {
    const withSecret = { client_id: 'app', client_secret: 'app-secret' };
    expect(await errorOf(await ask({ ...code, ...withSecret }))).toEqual([401, 'invalid_client']);
    expect(await errorOf(await ask(code, basic('app')))).toEqual([401, 'invalid_client']);
  });
});

test('a client authenticates in the one way that is registered for it', async () => {
  expect((await ask({}, basic('courier'))).status).toBe(200);
  expect((await ask({ client_id: 'courier', client_secret: 'courier-secret' })).status).toBe(401);
  expect((await ask({ client_id: 'poster', client_secret: 'poster-secret' })).status).toBe(200);
  expect((await ask({}, basic('poster'))).status).toBe(401);
  const both = { ...assertionForm(inline, 'signer'), client_id: 'signer', client_secret: 'x' };
  expect(await errorOf(await ask(both))).toEqual([400, 'invalid_request']);
  expect(await errorOf(await ask(assertionForm(inline, 'signer'), basic('courier')))).toEqual([
    400,
    'invalid_request',
  ]);
});

test('a failure is answered no sooner than 250 ms after it was asked, whoever it is about; nothing else waits', async () => {
  const waited: number[] = [];
  const delay = app.ports.delay;
  Object.assign(app.ports, { delay: async (ms: number) => void waited.push(ms) });
  onTestFinished(() => void Object.assign(app.ports, { delay }));
  await ask({}, basic('courier', 'wrong'));
  await ask({}, basic('ghost'));
  await ask(assertionForm(stranger, 'signer'));
  await ask({ client_id: 'courier' });
  expect(waited).toEqual([250, 250, 250, 250]);
  for (let attempt = 0; attempt < 20; attempt += 1) await ask({}, basic('courier', 'wrong'));
  expect((await ask({}, basic('courier', 'wrong'))).status).toBe(429);
  expect(new Set(waited.splice(4))).toEqual(new Set([250]));
  await ask({}, basic('courier'));
  await ask({ client_id: 'x', client_secret: 'y' }, basic('courier'));
  app.secretFailure = 'unavailable';
  onTestFinished(() => {
    app.secretFailure = undefined;
  });
  expect((await ask({}, basic('courier'))).status).toBe(503);
  expect(waited).toHaveLength(4);
});

test('a failure that took longer is answered at once', async () => {
  const waited: number[] = [];
  const { delay, now } = app.ports;
  let calls = 0;
  Object.assign(app.ports, {
    delay: async (ms: number) => void waited.push(ms),
    now: () => now() + 200 * calls++,
  });
  onTestFinished(() => void Object.assign(app.ports, { delay, now }));
  await ask({}, basic('courier', 'wrong'));
  expect(waited).toEqual([0]);
});

test('a client whose secret is not there yet has none, whatever is compared in its place', async () => {
  const name = 'sallyport/prod/clients/courier';
  app.secrets.delete(name);
  onTestFinished(() => void app.secrets.set(name, 'courier-secret'));
  for (const secret of [
    'nobody-has-this-secret-and-it-opens-nothing',
    'undefined',
    '[secret]',
    'courier-secret',
  ]) {
    expect((await ask({}, basic('courier', secret))).status).toBe(401);
  }
});

describe('guessing', () => {
  /** One share of twenty alone; the others are like it. */
  const fixShare = () => {
    const { randomBytes } = app.ports;
    onTestFinished(() => void Object.assign(app.ports, { randomBytes }));
    Object.assign(app.ports, { randomBytes: (size: number) => Buffer.alloc(size) });
  };
  const guess = () => ask({}, basic('courier', 'wrong'));

  test('is answered 429 after twenty failures in a minute until it ends, and the right secret passes', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) statuses.push((await guess()).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    app.nowSeconds = NOW_SECONDS + 1;
    const limited = await guess();
    expect(await errorOf(limited)).toEqual([429, 'temporarily_unavailable']);
    expect(app.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'rate_limited' });
    const seconds = Number(limited.headers.get('retry-after'));
    expect(seconds).toBe(60 - ((NOW_SECONDS + 1) % 60));
    expect((await ask({}, basic('courier'))).status).toBe(200);
    app.nowSeconds += seconds;
    expect((await guess()).status).toBe(401);
  });

  test('ends after 600 more from everywhere, before anything is compared, for those alone who failed', async () => {
    app.nowSeconds = NOW_SECONDS + 600;
    fixShare();
    const before = app.secretsRead.length;
    for (let attempt = 0; attempt < 15; attempt += 1) await guess();
    await Promise.all(Array.from({ length: 40 }, guess));
    expect((app.secretsRead.length - before) / 4).toBe((300 + 600) / 20);
    expect((await ask({}, basic('courier'))).status).toBe(429);
    app.sourceIp = '198.51.100.10';
    expect((await ask({}, basic('courier'))).status).toBe(200);
  });

  test('from the addresses of one /64 is guessing from one', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 25; attempt += 1) {
      app.sourceIp = `2001:db8:0:1::${attempt}`;
      statuses.push((await guess()).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
  });

  test('at made-up clients leaves 300 counts a minute from one address, and locks no client out', async () => {
    app.nowSeconds = NOW_SECONDS + 1200;
    fixShare();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 18; attempt += 1) {
      statuses.push((await ask({}, basic(`ghost-${attempt}`))).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(300 / 20);
    expect(new Set(statuses.slice(15))).toEqual(new Set([429]));
    expect((await guess()).status).toBe(429);
    expect((await ask({}, basic('courier'))).status).toBe(200);
  });

  test('from elsewhere, or otherwise, or for another client locks nobody out', async () => {
    for (let attempt = 0; attempt < 21; attempt += 1) await guess();
    expect((await guess()).status).toBe(429);
    expect((await ask({ client_id: 'poster', client_secret: 'poster-secret' })).status).toBe(200);
    app.sourceIp = '198.51.100.9';
    expect((await ask({}, basic('courier'))).status).toBe(200);
  });

  test('of many at once is counted without a loss', async () => {
    const statuses = (await Promise.all(Array.from({ length: 30 }, guess))).map(({ status }) => status);
    const ended = (status: number) => statuses.filter((each) => each === status).length;
    // A store that does not answer in time may have counted: then one is 503 that might have been told that it failed.
    expect(ended(401)).toBeLessThanOrEqual(20);
    expect(ended(401) + ended(503)).toBeGreaterThanOrEqual(20);
    expect(ended(401) + ended(503) + ended(429)).toBe(30);
  });

  test('of a client that is not there is limited no less', async () => {
    for (let attempt = 0; attempt < 20; attempt += 1) await ask({}, basic('ghost'));
    expect((await ask({}, basic('ghost'))).status).toBe(429);
  });

  test('is not decided while nothing can be counted', async () => {
    const { read, count } = app.ports.counter;
    const down = () => Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' } as const));
    onTestFinished(() => void Object.assign(app.ports.counter, { read, count }));
    Object.assign(app.ports.counter, { read: down });
    expect((await ask({}, basic('courier'))).status).toBe(503);
    Object.assign(app.ports.counter, { read, count: down });
    expect((await guess()).status).toBe(503);
    expect((await ask({}, basic('courier'))).status).toBe(200);
  });
});

test('the replay of an assertion is refused while it cannot be looked up', async () => {
  const create = app.ports.records.create;
  const down = { reason: 'unavailable', detail: 'a test’s outage' } as const;
  Object.assign(app.ports.records, { create: () => Promise.resolve({ ok: false, error: down }) });
  onTestFinished(() => void Object.assign(app.ports.records, { create }));
  expect((await ask(assertionForm(inline, 'signer'))).status).toBe(503);
});

describe('the libraries of others', () => {
  const server = { issuer: ORIGIN, token_endpoint: `${ORIGIN}/oauth/token` };
  const fetchApp = (
    url: string,
    init: { method: string; headers: Headers | Record<string, string>; body?: unknown },
  ) =>
    app.fetch(new URL(url).pathname, { method: init.method, headers: init.headers, body: String(init.body) });

  test.for([
    ['signer', inline, 'ES256'],
    ['publisher', published, 'RS256'],
    ['publisher', published, 'PS256'],
  ] as const)(
    'openid-client signs as %s with %s',
    async ([
      id,
      {
        privateKey,
        published: { kid = '' },
      },
      alg,
    ]) => {
      app.nowSeconds = Math.floor(Date.now() / 1000);
      const key = await importForSigning(privateKey, alg);
      const configuration = new openid.Configuration(
        server,
        id,
        undefined,
        openid.PrivateKeyJwt({ key, kid }),
      );
      configuration[openid.customFetch] = (url, init) => fetchApp(url, { ...init, body: init.body });
      const granted = await openid.clientCredentialsGrant(configuration, { scope: 'maps/read' });
      expect(granted.scope).toBe('maps/read');
    },
  );

  test('oauth4webapi speaks for a public client', async () => {
    const client = { client_id: 'app' };
    const state = 'state-of-the-test';
    const answer = new URLSearchParams({ code: 'x', state, iss: ORIGIN });
    const parameters = oauth.validateAuthResponse(
      { ...server, authorization_response_iss_parameter_supported: true },
      client,
      answer,
      state,
    );
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      'https://a.example/',
      oauth.generateRandomCodeVerifier(),
      { [oauth.customFetch]: (url, init) => fetchApp(url, { ...init, body: init.body }) },
    );
    const failure = oauth.processAuthorizationCodeResponse(server, client, response);
    await expect(failure).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
  });
});

function importForSigning(key: import('node:crypto').KeyObject, alg: 'ES256' | 'RS256' | 'PS256') {
  const algorithm =
    alg === 'ES256'
      ? { name: 'ECDSA', namedCurve: 'P-256' }
      : { name: alg === 'RS256' ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS', hash: 'SHA-256' };
  return crypto.subtle.importKey('jwk', key.export({ format: 'jwk' }), algorithm, false, ['sign']);
}
