import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { basic, startIssuerApp } from '../support/issuer-app.ts';
import {
  agentOf,
  answerOf,
  authorizeUrl,
  type LoginApp,
  loginClient,
  REDIRECT,
  startLoginApp,
} from '../support/login-app.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { ORIGIN } from '../support/test-issuer.ts';

const FORM = 'application/x-www-form-urlencoded';
const GRANT = 'grant_type=client_credentials';
const ENDPOINTS = ['/oauth/token', '/oauth/revoke', '/oauth/introspect'] as const;

let login: LoginApp;

beforeAll(async () => {
  login = await startLoginApp(({ company, partner }) => ({
    clients: [
      loginClient('app'),
      loginClient('office', { auth: 'client_secret_basic', audience: 'gateway' }),
      clientEntry('courier', { scopes: ['maps/read', 'maps/execute'] }),
    ],
    idps: [company.entry, partner.entry],
  }));
});
afterAll(() => login?.close());

/** A form that the endpoint answers with 200 to `courier`. */
const goodForm = (path: (typeof ENDPOINTS)[number]) => (path === '/oauth/token' ? GRANT : 'token=x');

describe.for(ENDPOINTS)('at %s', (path) => {
  test('what nobody knows is passed over', async () => {
    const form = `${goodForm(path)}&audience_hint=x&__proto__=y&constructor=z&Grant_Type=password`;
    expect((await login.app.post(path, form, basic('courier'))).status).toBe(200);
  });

  test.for<readonly [string, string]>([
    ['twice', 'x=1&x=2'],
    ['twice with the same value', 'client_id=courier&client_id=courier'],
    ['twice, once encoded', 'toke%6e_type_hint=a&token_type_hint=a'],
  ])('a parameter that is there %s is refused', async ([, repeated]) => {
    const answer = await login.app.post(path, `${goodForm(path)}&${repeated}`, basic('courier'));
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('nothing is read from the URL: no secret, no assertion, no grant', async () => {
    const query = `?${goodForm(path)}&client_id=courier&client_secret=courier-secret`;
    const bare = await login.app.post(path + query, '');
    expect([bare.status, await bare.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    const known = await login.app.post(path + query, '', basic('courier'));
    expect([known.status, await known.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test.for(['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD'])('%s is no request', async (method) => {
    const query = `?${goodForm(path)}&client_id=courier&client_secret=courier-secret`;
    const answer = await login.app.fetch(path + query, {
      method,
      headers: { authorization: basic('courier') },
    });
    expect(answer.status).toBe(404);
  });

  test.for<readonly [string, string | undefined]>([
    ['JSON', 'application/json'],
    ['a form with files', 'multipart/form-data; boundary=x'],
    ['plain text', 'text/plain'],
    ['what only begins like a form', `${FORM}x`],
    ['nothing', undefined],
  ])('%s is no form', async ([, type]) => {
    const body = new TextEncoder().encode(goodForm(path));
    const headers = {
      authorization: basic('courier'),
      ...(type === undefined ? {} : { 'content-type': type }),
    };
    const answer = await login.app.fetch(path, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('a form may say in which characters it is', async () => {
    const headers = { authorization: basic('courier'), 'content-type': `${FORM}; charset=UTF-8` };
    const answer = await login.app.fetch(path, { method: 'POST', headers, body: goodForm(path) });
    expect(answer.status).toBe(200);
  });

  test.for<readonly [string, string, string | undefined]>([
    ['a wrong secret', '', basic('courier', 'wrong')],
    ['nobody', '', undefined],
    ['a client that is not there', '', basic('ghost')],
    ['a bearer', '', 'Bearer x'],
    [
      'a secret in the form, where it belongs into the header',
      '&client_id=courier&client_secret=courier-secret',
      undefined,
    ],
  ])('who is not let in is told how: %s', async ([, more, authorization]) => {
    const answer = await login.app.post(path, goodForm(path) + more, authorization);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="sallyport"']);
    expect(await answer.json()).toMatchObject({ error: 'invalid_client' });
  });

  test('two ways to authenticate are one too many, also where both are right', async () => {
    const form = `${goodForm(path)}&client_id=courier&client_secret=courier-secret`;
    const answer = await login.app.post(path, form, basic('courier'));
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test.for<readonly [string, number, () => Promise<Response>]>([
    ['what was asked for', 200, () => login.app.post(path, goodForm(path), basic('courier'))],
    ['a malformed request', 400, () => login.app.post(path, 'x=1&x=2', basic('courier'))],
    ['another media type', 400, () => login.app.fetch(path, { method: 'POST', body: '{}' })],
    ['a wrong secret', 401, () => login.app.post(path, goodForm(path), basic('courier', 'wrong'))],
    ['too much', 413, () => login.app.post(path, `x=${'y'.repeat(20_000)}`, basic('courier'))],
  ])('nobody keeps the answer to %s (%i)', async ([, status, ask]) => {
    const answer = await ask();
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'no-store']);
  });

  test('an outage says when to come back, and nothing of the request', async () => {
    const app = await startIssuerApp(policyOf(login.parts), {
      rulebook: { read: () => Promise.resolve(err({ reason: 'unavailable', detail: 'a table' })) },
    });
    try {
      const answer = await app.post(path, goodForm(path), basic('courier'));
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.json()).toEqual({
        error: 'temporarily_unavailable',
        error_description: 'a dependency is down; try again in a moment',
      });
    } finally {
      await app.close();
    }
  });
});

describe('scopes at the token endpoint', () => {
  const ask = async (scope: string) => {
    const answer = await login.app.post(
      '/oauth/token',
      { grant_type: 'client_credentials', scope },
      basic('courier'),
    );
    return [answer.status, await answer.json()];
  };

  test('that nobody has are left out, and the answer says what is left', async () => {
    expect(await ask('maps/read admin nonsense')).toMatchObject([200, { scope: 'maps/read' }]);
  });

  test.for(['nonsense', 'MAPS/READ', 'maps', 'maps/*', '*', 'maps/read,maps/execute'])(
    'of which none is left are refused: %s',
    async (scope) => {
      expect(await ask(scope)).toMatchObject([400, { error: 'invalid_scope' }]);
    },
  );
});

describe('an authorization request', () => {
  const open = (url: string) => login.agent().open(url);

  test('may have parameters that nobody knows', async () => {
    const page = await open(
      `${authorizeUrl({
        ...{ nonce: 'n', display: 'popup', max_age: '1', login_hint: 'ada', id_token_hint: 'x.y.z' },
        ...{ ui_locales: 'de', claims_locales: 'de', acr_values: '1', claims: '{"id_token":{}}' },
      })}&__proto__=z`,
    );
    expect([page.status, page.text.includes('name="ticket"')]).toEqual([200, true]);
  });

  test('may have no state, and gets none', async () => {
    const end = await login.login(login.agent(), { state: undefined });
    expect(answerOf(end)).toEqual({ code: expect.any(String), iss: ORIGIN });
  });

  test('names its scopes in any order', async () => {
    const end = await login.login(login.agent(), { scope: 'maps/execute maps/read' });
    expect(await login.storedCode(end.url)).toMatchObject({
      grant: { scopes: ['maps/read', 'maps/execute'] },
    });
  });

  test.for(['app', 'office'])(
    'without PKCE is refused, whether or not the client has a secret: %s',
    async (id) => {
      for (const changes of [
        { code_challenge: undefined, code_challenge_method: undefined },
        { code_challenge: undefined },
        { code_challenge_method: undefined },
        { code_challenge_method: 'plain' },
      ]) {
        const end = await open(authorizeUrl({ client_id: id, ...changes }));
        expect(answerOf(end)).toMatchObject({ error: 'invalid_request', iss: ORIGIN });
      }
      const page = await open(authorizeUrl({ client_id: id }));
      expect(page.status).toBe(200);
    },
  );

  test('is judged as a GET: a form of another site is led there, and nothing else asks for anything', async () => {
    const [path = '', body = ''] = authorizeUrl().slice(ORIGIN.length).split('?');
    const posted = await login.app.fetch(path, { method: 'POST', headers: { 'content-type': FORM }, body });
    expect([posted.status, posted.headers.getSetCookie()]).toEqual([303, []]);
    expect(posted.headers.get('location')).toBe(`${ORIGIN}${path}?${new URLSearchParams(body)}`);
    for (const method of ['PUT', 'HEAD']) {
      const init = { method, headers: { 'content-type': FORM }, ...(method === 'HEAD' ? {} : { body }) };
      const answer = await login.app.fetch(path, init);
      expect([method, answer.status === 200, answer.headers.get('location')]).toEqual([method, false, null]);
    }
  });

  test('has nothing fetched that it names: the provider is the first that is asked', async () => {
    const asked: string[] = [];
    const app = await startIssuerApp(policyOf(login.parts), {
      upstream: {
        send(request) {
          asked.push(request.url.href);
          return Promise.resolve(err({ reason: 'unreachable', detail: 'nothing is there' }));
        },
      },
    });
    onTestFinished(() => app.close());
    app.secrets.set('sallyport/prod/env/company', 'company-secret');
    const named = { jwks_uri: 'https://evil.example/jwks', logo_uri: 'https://evil.example/logo' };
    const refused = await agentOf(app).open(
      authorizeUrl({ ...named, request_uri: 'https://evil.example/object' }),
    );
    expect(answerOf(refused)).toMatchObject({ error: 'request_uri_not_supported' });
    const browser = agentOf(app);
    const atIdp = await browser.submit(await browser.open(authorizeUrl(named)));
    await browser.open(login.company.answerTo(login.company.read(atIdp.url)));
    expect(asked).toEqual([login.company.entry.tokenUrl]);
  });

  test.for<readonly [string, Readonly<Record<string, string>>]>([
    ['a line in a header', { state: 'a\r\nset-cookie: x=y' }],
    ['a line in a header, beside an error', { state: 'a\r\nset-cookie: x=y', response_type: 'token' }],
    ['a NUL', { state: 'a\0b', response_type: 'token' }],
  ])('whose state holds %s gets none of it back', async ([, changes]) => {
    const answer = await login.app.fetch(authorizeUrl(changes).slice(ORIGIN.length));
    expect(answer.status).toBe(303);
    expect(answer.headers.getSetCookie()).toEqual([]);
    const { searchParams } = new URL(answer.headers.get('location') ?? '');
    expect([searchParams.get('state'), searchParams.get('iss')]).toEqual([null, ORIGIN]);
  });

  test.for<readonly [string, Readonly<Record<string, string>>]>([
    ['the client', { client_id: '"><script>alert(1)</script>' }],
    ['the redirect URI', { redirect_uri: 'https://evil.example/"><script>alert(1)</script>' }],
    ['a redirect URI of the wrong scheme', { redirect_uri: 'javascript:alert(1)' }],
  ])('runs nothing that %s brought', async ([, changes]) => {
    const page = await open(authorizeUrl(changes));
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.text).not.toMatch(/<script|javascript:|evil\.example/);
  });
});

describe('nobody is sent anywhere else', () => {
  test('by what stands beside the ticket of the consent page', async () => {
    const browser = login.agent();
    const page = await browser.open(authorizeUrl());
    const atIdp = await browser.submit(page, () => true, {
      redirect_uri: 'https://evil.example/callback',
      client_id: 'office',
      scope: 'maps/read maps/execute admin',
      resource: ORIGIN,
      state: 'another',
      code_challenge: 'A'.repeat(43),
    });
    const end = await browser.open(login.company.answerTo(login.company.read(atIdp.url)));
    expect(end.url.startsWith(`${REDIRECT}?`)).toBe(true);
    expect(answerOf(end)).toMatchObject({ state: 'client-state', iss: ORIGIN });
    const stored = await login.storedCode(end.url);
    expect(JSON.stringify(stored)).not.toMatch(/evil|admin|AAAA/);
  });

  test('by an error of a provider, which brings neither its words nor its link', async () => {
    const browser = login.agent();
    const atIdp = await browser.submit(await browser.open(authorizeUrl()));
    const { state } = Object.fromEntries(new URL(atIdp.url).searchParams);
    const answer = new URLSearchParams({
      state: state ?? '',
      error: 'access_denied',
      error_description: 'call 0800-EVIL',
      error_uri: 'https://evil.example/help',
    });
    const end = await browser.open(`${ORIGIN}/oauth/callback/company?${answer}`);
    expect(answerOf(end)).toMatchObject({ error: 'access_denied', state: 'client-state', iss: ORIGIN });
    expect(end.url).not.toMatch(/evil/i);
  });

  test.for([
    '/oauth/authorize?redirect_uri=https://evil.example/',
    '/oauth/authorize?client_id=app&redirect_uri=https://evil.example/&response_type=code',
    '/oauth/callback/company?redirect_uri=https://evil.example/&error=access_denied',
    '/oauth/callback/company?code=x&state=https://evil.example/',
    '/oauth/callback/https:%2f%2fevil.example',
    '/oauth/callback/__proto__?code=x&state=y',
  ])('by %s', async (path) => {
    const answer = await login.app.fetch(path);
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(await answer.text()).not.toContain('evil.example');
  });
});

test.for<readonly [string, () => Response | Promise<Response>]>([
  ['never answers', () => new Promise<Response>(() => {})],
  [
    'begins an answer and never ends it',
    () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
  ],
])(
  'a provider that %s is waited for six seconds, and the client is told that it may go better',
  async ([, late]) => {
    const waits: number[] = [];
    const { upstream } = login.app.ports;
    const app = await startIssuerApp(policyOf(login.parts), {
      upstream: {
        send(request) {
          const { connectMs, firstByteMs, silenceMs, callMs } = request.timeout;
          waits.push(Math.max(connectMs, firstByteMs, silenceMs, callMs));
          // A sixtieth of the time says as much.
          const timeout = {
            connectMs,
            firstByteMs: firstByteMs / 60,
            silenceMs: silenceMs / 60,
            callMs: callMs / 60,
          };
          return upstream.send({ ...request, timeout });
        },
      },
    });
    onTestFinished(() => app.close());
    app.secrets.set('sallyport/prod/env/company', 'company-secret');
    login.company.answers.push(late);
    const browser = agentOf(app);
    const atIdp = await browser.submit(await browser.open(authorizeUrl()));
    const end = await browser.open(login.company.answerTo(login.company.read(atIdp.url)));
    expect(answerOf(end)).toMatchObject({
      error: 'temporarily_unavailable',
      state: 'client-state',
      iss: ORIGIN,
    });
    expect(waits).toEqual([6_000]);
  },
);

describe('what anybody may read', () => {
  test.for([
    ['/.well-known/oauth-protected-resource', ORIGIN],
    ['/.well-known/oauth-protected-resource/maps/mcp', `${ORIGIN}/maps/mcp`],
    ['/.well-known/oauth-protected-resource/secret/mcp', `${ORIGIN}/secret/mcp`],
    ['/.well-known/oauth-protected-resource/no-such/mcp', `${ORIGIN}/no-such/mcp`],
  ] as const)('the metadata of a resource names it as it was asked for: %s', async ([path, resource]) => {
    const answer = await login.app.fetch(path, { headers: { 'x-forwarded-host': 'evil.example' } });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { resource, authorization_servers: [ORIGIN], bearer_methods_supported: ['header'] },
    ]);
  });

  test.for(['Maps', 'a%2fb', '-', 'a.b', 'x'.repeat(64)])(
    'nothing is said of %j, which is no server',
    async (name) => {
      const answer = await login.app.fetch(`/.well-known/oauth-protected-resource/${name}/mcp`);
      expect(answer.status).toBe(404);
    },
  );
});
