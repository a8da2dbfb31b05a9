import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Snapshot } from '../../functions/core/policy.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { IssuerPorts } from '../../functions/handlers/issuer-ports.ts';
import { readForm, type Shown } from '../support/browser-agent.ts';
import {
  answerOf,
  authorizeUrl,
  type LoginApp,
  loginClient,
  REDIRECT,
  startLoginApp,
} from '../support/login-app.ts';
import { policyOf } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const SCOPES = ['maps/read', 'maps/execute'];
let login: LoginApp;

beforeAll(async () => {
  login = await startLoginApp();
});
afterAll(() => login?.close());
beforeEach(() => {
  login.app.records.length = 0;
  login.app.nowSeconds = NOW_SECONDS;
  login.company.redeemed.length = 0;
  login.company.answers.length = 0;
  login.company.claims = {};
  login.company.header = {};
  login.app.secretFailure = undefined;
});

/** Another app, with a policy that can change while it runs. */
async function startChanging(
  more: Parameters<typeof startLoginApp>[0] = () => ({}),
  ports: Partial<IssuerPorts> = {},
) {
  const change: Partial<Snapshot> = {};
  let base: Partial<Snapshot> = {};
  const rulebook: IssuerPorts['rulebook'] = {
    read: () =>
      Promise.resolve(ok({ policy: policyOf({ ...base, ...change }), keys: login.app.issuer.keys })),
  };
  const started = await startLoginApp(more, { rulebook, ...ports });
  base = started.parts;
  onTestFinished(() => started.close());
  return { ...started, change: (parts: Partial<Snapshot>) => Object.assign(change, parts) };
}

describe('an honest login', () => {
  test('ends with a code for what was consented to and what the groups give', async () => {
    const browser = login.agent();
    const page = await browser.open(authorizeUrl({ scope: 'maps/execute' }));
    const atIdp = await browser.submit(page);
    const asked = login.company.read(atIdp.url);
    const answer = await browser.open(login.company.answerTo(asked, { iss: login.company.issuer }));

    expect(answerOf(answer)).toEqual({ code: expect.any(String), state: 'client-state', iss: ORIGIN });
    const stored = await login.storedCode(answer.url);
    expect(stored).toEqual({
      redeemedBy: undefined,
      grant: {
        clientId: 'app',
        redirectUri: REDIRECT,
        codeChallenge: new URL(authorizeUrl()).searchParams.get('code_challenge'),
        resource: `${ORIGIN}/maps/mcp`,
        scopes: ['maps/execute'],
        subject: 'company:u-1',
        groups: ['staff'],
        authTimeSeconds: NOW_SECONDS,
        family: expect.any(String),
        expiresAtSeconds: NOW_SECONDS + 60,
      },
    });
    expect(login.app.records).toMatchObject([
      {
        area: 'login',
        decision: 'allow',
        reason: 'consent_given',
        client_id: 'app',
        name: 'company',
        scopes: ['maps/execute'],
      },
      {
        area: 'login',
        decision: 'allow',
        reason: 'code_issued',
        org_id: 'acme',
        subject: 'company:u-1',
        kind: 'user',
        jti: stored?.grant.family,
      },
    ]);
  });

  test('asks the provider with state, nonce and PKCE, and redeems its code with what belongs to them', async () => {
    const browser = login.agent();
    const atIdp = await browser.submit(await browser.open(authorizeUrl()));
    const asked = login.company.read(atIdp.url);
    expect(atIdp.url.startsWith(`${login.company.issuer}/authorize?`)).toBe(true);
    expect(Object.fromEntries(asked.query)).toEqual({
      response_type: 'code',
      client_id: 'company-client',
      redirect_uri: `${ORIGIN}/oauth/callback/company`,
      scope: 'openid email',
      state: expect.stringMatching(/^[A-Za-z0-9_-]{100,900}$/),
      nonce: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      code_challenge_method: 'S256',
    });
    await browser.open(login.company.answerTo(asked));
    const [redeemed] = login.company.redeemed;
    const verifier = redeemed?.form.get('code_verifier') ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(asked.codeChallenge);
    expect(Object.fromEntries(redeemed?.form ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: 'idp-code',
      redirect_uri: asked.redirectUri,
      client_id: 'company-client',
      client_secret: 'company-secret',
      code_verifier: verifier,
    });
  });

  test('asks every time with other values, and tells none of them to records or pages', async () => {
    const browser = login.agent();
    const seen = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const page = await browser.open(authorizeUrl());
      const asked = login.company.read((await browser.submit(page)).url);
      const { ticket = '' } = readForm(page.text).fields;
      for (const value of [ticket, asked.state, asked.nonce, asked.codeChallenge]) seen.add(value);
      const answer = await browser.open(login.company.answerTo(asked));
      const text = JSON.stringify(login.app.records);
      const { code } = answerOf(answer);
      for (const value of [...seen, code, login.company.redeemed.at(-1)?.form.get('code_verifier')]) {
        expect(text).not.toContain(value);
      }
      browser.setCookie(ORIGIN, '__Host-sallyport_session', undefined);
    }
    expect(seen.size).toBe(12);
  });

  test('authenticates at the provider as it is configured', async () => {
    const started = await startChanging(({ company }) => ({
      idps: [{ ...company.entry, tokenAuth: 'client_secret_basic' }],
    }));
    started.app.secrets.set('sallyport/prod/env/company', 'p/w +&ä');
    await started.login(started.agent());
    const [redeemed] = started.company.redeemed;
    expect(redeemed?.form.has('client_secret')).toBe(false);
    const pair = Buffer.from(redeemed?.authorization?.replace('Basic ', '') ?? '', 'base64').toString();
    expect(pair).toBe('company-client:p%2Fw+%2B%26%C3%A4');
  });
});

describe('the consent page is answered', () => {
  type Forged = {
    cookie?: string | undefined;
    headers?: Record<string, string>;
    ticket?: string;
    type?: string;
  };
  async function post(
    page: Shown,
    browserCookie: string,
    { cookie = browserCookie, headers, ticket, type }: Forged,
  ) {
    const form = new URLSearchParams({
      ticket: ticket ?? readForm(page.text).fields['ticket'] ?? '',
      answer: 'idp:company',
    });
    return login.app.fetch('/oauth/consent', {
      method: 'POST',
      headers: {
        'content-type': type ?? 'application/x-www-form-urlencoded',
        ...(cookie === '' ? {} : { cookie }),
        ...(headers ?? { 'sec-fetch-site': 'same-origin', origin: ORIGIN }),
      },
      body: form.toString(),
    });
  }
  async function begin() {
    const browser = login.agent();
    const page = await browser.open(authorizeUrl());
    const [[name = '', value = ''] = []] = browser.cookies(ORIGIN);
    return { page, cookie: `${name}=${value}` };
  }

  test.for([
    ['says so', { 'sec-fetch-site': 'same-origin', origin: ORIGIN }],
    ['tells nobody where it comes from', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    ['sends no Origin', { 'sec-fetch-site': 'same-origin' }],
    ['is too old to say more', { origin: ORIGIN }],
  ] as const)('by a page of ours in a browser that %s', async ([, headers]) => {
    const { page, cookie } = await begin();
    const response = await post(page, cookie, { headers });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toContain(`${login.company.issuer}/authorize?`);
  });

  const other = `__Host-sallyport_browser=${'x'.repeat(43)}`;
  test.for([
    [
      'another site',
      { headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } },
      403,
      'not_from_our_page',
    ],
    [
      'a subdomain',
      { headers: { 'sec-fetch-site': 'same-site', origin: 'https://x.gate.example.com' } },
      403,
      'not_from_our_page',
    ],
    ['nobody', { headers: { 'sec-fetch-site': 'none' } }, 403, 'not_from_our_page'],
    [
      'a page that lies about its origin',
      { headers: { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' } },
      403,
      'not_from_our_page',
    ],
    [
      'an old browser at another site',
      { headers: { origin: 'https://evil.example' } },
      403,
      'not_from_our_page',
    ],
    ['an old browser in a sandbox', { headers: { origin: 'null' } }, 403, 'not_from_our_page'],
    ['what is no browser', { headers: {} }, 403, 'not_from_our_page'],
    ['a browser without its cookie', { cookie: '' }, 400, 'wrong_browser'],
    ['another browser', { cookie: other }, 400, 'wrong_browser'],
    ['a browser with two marks', { cookie: `${other}; ${other}` }, 400, 'wrong_browser'],
    ['a form without a ticket', { ticket: '' }, 400, 'wrong_browser'],
    ['a form with any ticket', { ticket: 'A'.repeat(400) }, 400, 'wrong_browser'],
    ['a body that is no form', { type: 'application/json' }, 400, 'wrong_browser'],
  ] as const)('not by %s', async ([, forged, status, reason]) => {
    const { page, cookie } = await begin();
    const response = await post(page, cookie, forged);
    expect([response.status, response.headers.get('location')]).toEqual([status, null]);
    expect(login.app.records).toMatchObject([{ decision: 'deny', reason }]);
  });

  test('not with a ticket of another browser, nor one that was changed', async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const ticket = readForm(theirs.page.text).fields['ticket'] ?? '';
    expect((await post(mine.page, mine.cookie, { ticket })).status).toBe(400);
    const own = readForm(mine.page.text).fields['ticket'] ?? '';
    for (const changed of [
      `${own}A`,
      own.slice(1),
      own.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    ]) {
      expect((await post(mine.page, mine.cookie, { ticket: changed })).status).toBe(400);
    }
    expect((await post(mine.page, mine.cookie, {})).status).toBe(303);
  });

  test('not after ten minutes, nor past 16 KB', async () => {
    const { page, cookie } = await begin();
    login.app.nowSeconds += 600;
    expect((await post(page, cookie, {})).status).toBe(400);
    expect(login.app.records).toMatchObject([{ reason: 'expired' }]);
    expect((await post(page, cookie, { ticket: 'x'.repeat(17_000) })).status).toBe(413);
  });

  test('once, however often it is sent at the same moment', async () => {
    const { page, cookie } = await begin();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(page, cookie, {})));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(9).fill(400)]);
    expect(login.app.records.filter(({ reason }) => reason === 'used')).toHaveLength(9);
  });

  test('with a denial, which is told to the client and goes nowhere else', async () => {
    const browser = login.agent();
    const answer = await browser.submit(
      await browser.open(authorizeUrl()),
      (text) => text === 'Do not allow',
    );
    expect(answerOf(answer)).toEqual({
      error: 'access_denied',
      error_description: 'the user has not allowed it',
      state: 'client-state',
      iss: ORIGIN,
    });
    expect(login.app.records).toMatchObject([
      { decision: 'deny', reason: 'access_denied: user', client_id: 'app' },
    ]);
  });

  test.for(['idp:ghost', 'idp:', 'session', 'approve', ''])('not with %j', async (answer) => {
    const browser = login.agent();
    const page = await browser.submit(await browser.open(authorizeUrl()), () => true, { answer });
    // The button that was pressed comes after the field.
    expect(page.url).toContain('/authorize?');
    const { cookie, page: fresh } = await begin();
    const { ticket = '' } = readForm(fresh.text).fields;
    const response = await login.app.fetch('/oauth/consent', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', cookie, origin: ORIGIN },
      body: new URLSearchParams({ ticket, answer }).toString(),
    });
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  test.for([
    ['the client is gone', { clients: [] }, 'unknown_client'],
    [
      'its redirect URI is another',
      { clients: [loginClient('app', { redirectUris: ['https://app.example.com/new'] })] },
      'redirect_uri',
    ],
    ['it may have more', { clients: [loginClient('app', { scopes: [...SCOPES, 'admin'] })] }, 'changed'],
    ['it may have less', { clients: [loginClient('app', { scopes: ['maps/read'] })] }, 'changed'],
    [
      'it may not log users in',
      { clients: [loginClient('app', { grants: ['client_credentials'] })] },
      'changed',
    ],
    ['the provider is gone', { idps: [] }, 'bad_request'],
    ['its organisation is suspended', { orgs: [{ id: 'acme', suspended: true }] }, 'unknown_client'],
  ] as const)('not when meanwhile %s', async ([, parts, reason]) => {
    const started = await startChanging();
    const browser = started.agent();
    const page = await browser.open(authorizeUrl());
    started.change(parts);
    const refused = await browser.submit(page);
    expect(refused.status).toBe(400);
    expect(started.app.records).toMatchObject([{ decision: 'deny', reason }]);
  });

  test('for what was asked for, when the client may have more besides', async () => {
    const started = await startChanging();
    const browser = started.agent();
    const page = await browser.open(authorizeUrl({ scope: 'maps/read' }));
    started.change({ clients: [loginClient('app', { scopes: [...SCOPES, 'admin'] })] });
    const answer = await browser.open(
      started.company.answerTo(started.company.read((await browser.submit(page)).url)),
    );
    expect((await started.storedCode(answer.url))?.grant.scopes).toEqual(['maps/read']);
  });
});

describe('the answer of a provider', () => {
  async function atProvider(browser = login.agent()) {
    const atIdp = await browser.submit(await browser.open(authorizeUrl()));
    return { browser, asked: login.company.read(atIdp.url) };
  }
  const ended = (page: Shown, status = 400) => {
    expect([page.status, page.headers.get('location')]).toEqual([status, null]);
    expect(page.url.startsWith(ORIGIN)).toBe(true);
  };

  test('in another browser leads nowhere: nobody is logged in as somebody else', async () => {
    const { asked } = await atProvider();
    for (const victim of [login.agent(), (await atProvider()).browser]) {
      ended(await victim.open(login.company.answerTo(asked)));
      expect(victim.cookies(ORIGIN).has('__Host-sallyport_session')).toBe(false);
    }
    expect(login.company.redeemed).toEqual([]);
  });

  test('is taken once, also when it comes ten times at the same moment', async () => {
    const { browser, asked } = await atProvider();
    const cookie = Array.from(browser.cookies(ORIGIN), ([name, value]) => `${name}=${value}`).join('; ');
    const path = login.company.answerTo(asked).slice(ORIGIN.length);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => login.app.fetch(path, { headers: { cookie } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(9).fill(400)]);
    expect(login.company.redeemed).toHaveLength(1);
    ended(await browser.open(login.company.answerTo(asked)));
  });

  test('comes within ten minutes', async () => {
    const { browser, asked } = await atProvider();
    login.app.nowSeconds += 599;
    const late = await atProvider();
    login.app.nowSeconds += 1;
    ended(await browser.open(login.company.answerTo(asked)));
    expect(login.app.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'expired', name: 'company' });
    login.company.claims = { iat: login.app.nowSeconds, exp: login.app.nowSeconds + 60 };
    login.company.read(`${login.company.issuer}/?${late.asked.query}`);
    expect(answerOf(await late.browser.open(login.company.answerTo(late.asked)))).toHaveProperty('code');
  });

  test.for([
    ['no state', { state: undefined }],
    ['any state', { state: 'A'.repeat(300) }],
    ['an issuer that is another', { iss: 'https://evil.example' }],
    ['an issuer that is nearly the same', { iss: 'ISSUER/' }],
  ] as const)('with %s leads nowhere, and its code is redeemed nowhere', async ([, changes]) => {
    const { browser, asked } = await atProvider();
    const parameters: Record<string, string | undefined> = { ...changes };
    if (parameters['iss'] === 'ISSUER/') parameters['iss'] = `${login.company.issuer}/`;
    ended(await browser.open(login.company.answerTo(asked, parameters)));
    expect(login.company.redeemed).toEqual([]);
  });

  test.for(['code', 'state', 'iss', 'error'])('with two %ss leads nowhere', async (name) => {
    const { browser, asked } = await atProvider();
    const url = login.company.answerTo(asked, {
      iss: login.company.issuer,
      error: name === 'error' ? 'x' : undefined,
    });
    const value = new URL(url).searchParams.get(name) ?? '';
    ended(await browser.open(`${url}&${new URLSearchParams({ [name]: value })}`));
    expect(login.company.redeemed).toEqual([]);
  });

  test('at the callback of another provider leads nowhere: a code is not carried to whom it does not belong', async () => {
    const { browser, asked } = await atProvider();
    const url = login.company.answerTo(asked).replace('/callback/company', '/callback/partner');
    ended(await browser.open(url));
    ended(await browser.open(url.replace('/callback/partner', '/callback/ghost')));
    expect([login.company.redeemed, login.partner.redeemed]).toEqual([[], []]);
    expect(login.app.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'wrong_browser' });
  });

  test('with the ticket of a consent page as state leads nowhere: nobody has consented', async () => {
    const browser = login.agent();
    const { ticket = '' } = readForm((await browser.open(authorizeUrl())).text).fields;
    ended(
      await browser.open(
        `${ORIGIN}/oauth/callback/company?${new URLSearchParams({ state: ticket, code: 'x' })}`,
      ),
    );
  });

  test('with a code of another login is not accepted: its id token has another nonce', async () => {
    const mine = await atProvider();
    const attackers = await atProvider();
    login.company.read(`${login.company.issuer}/?${attackers.asked.query}`);
    const answer = await mine.browser.open(login.company.answerTo(mine.asked));
    expect(answerOf(answer)).toMatchObject({ error: 'server_error', state: 'client-state', iss: ORIGIN });
    expect(login.app.records.at(-1)).toMatchObject({
      decision: 'deny',
      reason: 'server_error: bad_id_token: nonce',
    });
    expect(mine.browser.cookies(ORIGIN).has('__Host-sallyport_session')).toBe(false);
  });

  test.for([
    ['access_denied', 'access_denied'],
    ['login_required', 'access_denied'],
    ['temporarily_unavailable', 'temporarily_unavailable'],
    ['server_error', 'server_error'],
    ['"><script>alert(1)</script>', 'access_denied'],
  ] as const)('that is the error %j is told to the client in our own words', async ([error, told]) => {
    const { browser, asked } = await atProvider();
    const answer = await browser.open(
      login.company.answerTo(asked, { code: undefined, error, error_description: 'call +1 555 0100' }),
    );
    const members = answerOf(answer);
    expect(members).toMatchObject({ error: told, state: 'client-state', iss: ORIGIN });
    expect(answer.url).not.toMatch(/555|alert/);
    expect(login.company.redeemed).toEqual([]);
  });

  test('without a code is no login', async () => {
    const { browser, asked } = await atProvider();
    const answer = await browser.open(login.company.answerTo(asked, { code: undefined }));
    expect(answerOf(answer)).toMatchObject({ error: 'server_error' });
  });

  const json =
    (body: unknown, status = 200, headers = {}) =>
    () =>
      Response.json(body, { status, headers });
  test.for([
    ['an error', json({ error: 'invalid_grant' }, 400), 'server_error', 'token: status 400, invalid_grant'],
    [
      'an echo',
      json({ error: 'code-or-secret' }, 400),
      'server_error',
      'token: status 400, no known error code',
    ],
    [
      'an error with status 200',
      json({ error: 'bad_verification_code' }),
      'server_error',
      'token: status 200, bad_verification_code',
    ],
    ['a failure', json({}, 500), 'temporarily_unavailable', 'token: status 500, no known error code'],
    ['a page', () => new Response('<html>'), 'server_error', 'status 200, no JSON'],
    [
      'a page of failure',
      () => new Response('<html>', { status: 502 }),
      'temporarily_unavailable',
      'token: status 502, no known error code',
    ],
    [
      'a page of too many',
      () => new Response('<html>', { status: 429 }),
      'temporarily_unavailable',
      'token: status 429, no known error code',
    ],
    ['no id token', json({ access_token: 'x' }), 'server_error', 'bad_id_token: header'],
    ['an id token of another type', json({ id_token: 7 }), 'server_error', 'bad_id_token: header'],
    [
      'two id tokens',
      () => new Response('{"id_token":"a","id_token":"b"}'),
      'server_error',
      'status 200, no JSON',
    ],
    [
      'a redirect',
      () => new Response(null, { status: 307, headers: { location: '/token' } }),
      'temporarily_unavailable',
      'redirect: status 307',
    ],
    [
      'more than 64 KB',
      () => new Response(`{"x":"${'y'.repeat(70_000)}"}`),
      'temporarily_unavailable',
      /more than 64 KB/,
    ],
    ['an endless stream', () => new Response(endless()), 'temporarily_unavailable', /more than 64 KB/],
    [
      'an encoded answer',
      () => new Response('x', { headers: { 'content-encoding': 'gzip' } }),
      'server_error',
      'an encoded answer',
    ],
  ] as const)('whose token endpoint gives %s is no login', async ([, scripted, error, cause]) => {
    login.company.answers.push(scripted);
    const { browser, asked } = await atProvider();
    const answer = await browser.open(login.company.answerTo(asked));
    expect(answerOf(answer)).toMatchObject({ error, state: 'client-state', iss: ORIGIN });
    const reason = typeof cause === 'string' ? `${error}: ${cause}` : expect.stringMatching(cause);
    expect(login.app.records.at(-1)).toMatchObject({ decision: 'deny', reason });
    expect(browser.cookies(ORIGIN).has('__Host-sallyport_session')).toBe(false);
  });

  test.for(['timeout', 'unreachable', 'refused_address'] as const)(
    'that is %s is no login',
    async (reason) => {
      const started = await startChanging(() => ({}), {
        upstream: { send: () => Promise.resolve(err({ reason, detail: 'a test’s outage' })) },
      });
      const answer = await started.login(started.agent());
      expect(answerOf(answer)).toMatchObject({ error: 'temporarily_unavailable' });
      expect(answer.url).not.toContain('outage');
    },
  );

  test('whose keys cannot be had is no login', async () => {
    const detail = 'a test’s outage';
    const started = await startChanging(() => ({}), {
      foreignKeys: { find: () => Promise.resolve(err({ reason: 'unavailable', detail })) },
    });
    expect(answerOf(await started.login(started.agent()))).toMatchObject({
      error: 'temporarily_unavailable',
    });
  });

  test.for([
    ['in JSON', json({ error: 'invalid_client' }, 401)],
    ['in a page', () => new Response('<html>', { status: 401 })],
  ] as const)('that refuses our secret %s gets the new one, where there is one', async ([, refusal]) => {
    const { app, company } = login;
    const read = app.ports.secrets.read.bind(app.ports.secrets);
    const started = await startChanging(() => ({}), {
      secrets: {
        read(name, options) {
          if (name !== 'sallyport/prod/env/company') return read(name, options);
          const isNew = options?.fresh === true;
          app.secrets.set(name, isNew ? 'rotated' : 'stale');
          return read(name, options);
        },
      },
    });
    onTestFinished(() => void app.secrets.set('sallyport/prod/env/company', 'company-secret'));
    started.company.answers.push(refusal);
    expect(answerOf(await started.login(started.agent()))).toHaveProperty('code');
    expect(started.company.redeemed.map(({ form }) => form.get('client_secret'))).toEqual([
      'stale',
      'rotated',
    ]);
    expect(company.redeemed).toEqual([]);
  });

  test('that refuses the only secret there is is asked once', async () => {
    login.company.answers.push(json({ error: 'invalid_client' }, 401));
    const { browser, asked } = await atProvider();
    expect(answerOf(await browser.open(login.company.answerTo(asked)))).toMatchObject({
      error: 'server_error',
    });
    expect(login.company.redeemed).toHaveLength(1);
  });

  test.for(['missing', 'denied'] as const)(
    'is not where anybody is sent while our secret for it is %s',
    async (failure) => {
      const browser = login.agent();
      const page = await browser.open(authorizeUrl());
      login.app.secretFailure = failure;
      const answer = await browser.submit(page);
      expect([answer.status, answer.url.startsWith(ORIGIN)]).toEqual([500, true]);
      expect(answer.text).toContain('The setup of this identity provider is incomplete here');
      expect(login.app.records.at(-1)).toMatchObject({
        decision: 'deny',
        reason: 'incomplete',
        name: 'company',
      });
    },
  );

  test.for(['missing', 'denied', 'unavailable'] as const)(
    'is not asked for while our secret is %s',
    async (failure) => {
      const { browser, asked } = await atProvider();
      login.app.secretFailure = failure;
      const answer = await browser.open(login.company.answerTo(asked));
      const error = failure === 'unavailable' ? 'temporarily_unavailable' : 'server_error';
      expect(answerOf(answer)).toMatchObject({ error });
      expect(login.company.redeemed).toEqual([]);
    },
  );
});

function endless(): ReadableStream<Uint8Array> {
  const chunk = new TextEncoder().encode(`{"x":"${'y'.repeat(16_000)}`);
  return new ReadableStream({
    async pull(controller) {
      await setImmediate();
      controller.enqueue(chunk);
    },
  });
}

describe('an id token', () => {
  const half = (text: string) =>
    createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

  test.for([
    ['another issuer', { iss: 'https://evil.example' }, {}, 'issuer'],
    ['no issuer', { iss: undefined }, {}, 'issuer'],
    ['another audience', { aud: 'partner-client' }, {}, 'audience'],
    ['no audience', { aud: undefined }, {}, 'audience'],
    ['several audiences and no azp', { aud: ['company-client', 'other'] }, {}, 'azp'],
    ['another azp', { azp: 'other' }, {}, 'azp'],
    ['an azp that is no text', { azp: null }, {}, 'azp'],
    ['another nonce', { nonce: 'n' }, {}, 'nonce'],
    ['no nonce', { nonce: undefined }, {}, 'nonce'],
    ['no subject', { sub: undefined }, {}, 'sub'],
    ['an empty subject', { sub: '' }, {}, 'sub'],
    ['a number for a subject', { sub: 7 }, {}, 'sub'],
    ['a subject with a control character', { sub: 'u\n1' }, {}, 'sub'],
    ['a subject beyond 255 characters', { sub: 'u'.repeat(256) }, {}, 'sub'],
    ['a subject that is too long with its provider', { sub: 'u'.repeat(248) }, {}, 'sub'],
    ['no time of issue', { iat: undefined }, {}, 'iat'],
    ['a time that is past', { iat: NOW_SECONDS - 400, exp: NOW_SECONDS - 60 }, {}, 'expired'],
    ['no end', { exp: undefined }, {}, 'claims'],
    ['a time of issue to come', { iat: NOW_SECONDS + 61 }, {}, 'not_yet_valid'],
    ['the hash of another access token', { at_hash: half('other') }, {}, 'at_hash'],
    ['no signature', {}, { alg: 'none' }, 'header'],
    ['a secret for a key', {}, { alg: 'HS256' }, 'header'],
    ['an unknown key', {}, { kid: 'other' }, 'unknown_key'],
    ['another type', {}, { typ: 'at+jwt' }, 'type'],
  ] as const)('with %s logs nobody in', async ([, claims, header, detail]) => {
    login.company.claims = claims;
    login.company.header = header;
    const browser = login.agent();
    const answer = await login.login(browser);
    expect(answerOf(answer)).toMatchObject({ error: 'server_error', state: 'client-state', iss: ORIGIN });
    expect(login.app.records.at(-1)).toMatchObject({ reason: `server_error: bad_id_token: ${detail}` });
    expect(browser.cookies(ORIGIN).has('__Host-sallyport_session')).toBe(false);
  });

  test('of another provider logs nobody in', async () => {
    const { company, partner } = login;
    const browser = login.agent();
    const asked = company.read((await browser.submit(await browser.open(authorizeUrl()))).url);
    company.answers.push(() => Response.json({ id_token: partner.idToken(asked.nonce) }));
    expect(answerOf(await browser.open(company.answerTo(asked)))).toMatchObject({ error: 'server_error' });
  });

  test.for([
    ['our azp', { azp: 'company-client' }],
    ['several audiences and our azp', { aud: ['company-client', 'other'], azp: 'company-client' }],
    ['the hash of its access token', { at_hash: half('at-1') }],
    ['the longest subject', { sub: 'u'.repeat(247) }],
    ['a clock that is a minute off', { iat: NOW_SECONDS + 60 }],
  ] as const)('with %s logs in', async ([, claims]) => {
    login.company.claims = claims;
    expect(answerOf(await login.login(login.agent()))).toHaveProperty('code');
  });

  test('tells when the user logged in', async () => {
    login.company.claims = { auth_time: NOW_SECONDS - 3_000 };
    const stored = await login.storedCode((await login.login(login.agent())).url);
    expect(stored?.grant.authTimeSeconds).toBe(NOW_SECONDS - 3_000);
  });
});

describe('groups give scopes', () => {
  test.for([
    ['a list', ['guests', 'unknown'], ['maps/read']],
    ['one text', 'guests', ['maps/read']],
    ['several, each scope once', ['guests', 'staff', 'guests'], SCOPES],
  ] as const)('from %s', async ([, groups, scopes]) => {
    login.company.claims = { groups };
    const stored = await login.storedCode((await login.login(login.agent())).url);
    expect(stored?.grant.scopes).toEqual(scopes);
  });

  test.for([
    ['no claim', { groups: undefined }, /named no group of yours/],
    ['an empty list', { groups: [] }, /named no group of yours/],
    ['groups of nothing', { groups: ['visitors'] }, /no group of yours .* stands for a permission/],
    ['a list with a number', { groups: ['staff', 7] }, /named no group of yours/],
    ['a map', { groups: { staff: true } }, /named no group of yours/],
    ['a text of several', { groups: 'staff,guests' }, /stands for a permission/],
    ['the same in other letters', { groups: ['Staff'] }, /stands for a permission/],
    ['a group of objects', { groups: ['__proto__', 'constructor'] }, /stands for a permission/],
    ['a scope for a group', { groups: ['maps/read'] }, /stands for a permission/],
    [
      'too many groups for a token of Entra',
      { groups: undefined, _claim_names: { groups: 'src1' } },
      /more groups than/,
    ],
    ['too many groups for a token in a URL', { groups: undefined, hasgroups: true }, /more groups than/],
  ] as const)('and %s gives none', async ([, claims, words]) => {
    login.company.claims = claims;
    const browser = login.agent();
    const answer = await login.login(browser);
    expect(answerOf(answer)).toEqual({
      error: 'access_denied',
      error_description: expect.stringMatching(words),
      state: 'client-state',
      iss: ORIGIN,
    });
    expect(answerOf(answer)['error_description']).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(login.app.records.at(-1)).toMatchObject({
      reason: 'access_denied: no_scope_of_groups',
      subject: 'company:u-1',
    });
    expect(browser.cookies(ORIGIN).has('__Host-sallyport_session')).toBe(false);
  });

  test('and never more than was asked for', async () => {
    login.company.claims = { groups: ['guests'] };
    const browser = login.agent();
    const atIdp = await browser.submit(await browser.open(authorizeUrl({ scope: 'maps/execute' })));
    const answer = await browser.open(login.company.answerTo(login.company.read(atIdp.url)));
    expect(answerOf(answer)).toMatchObject({ error: 'access_denied' });
  });

  test.for([
    [true, ['maps/read']],
    [false, undefined],
    ['true', undefined],
    [undefined, undefined],
  ] as const)('an address is a group only where it is verified: %j', async ([email_verified, scopes]) => {
    const started = await startChanging(({ company }) => {
      const { proof } = company.entry;
      if (proof.kind !== 'id_token') throw new Error('no id token');
      return {
        groups: [['ada@example.com', ['maps/read']]],
        idps: [{ ...company.entry, proof: { ...proof, groupsClaim: 'email' } }],
      };
    });
    started.company.claims = { email_verified };
    const stored = await started.storedCode((await started.login(started.agent())).url);
    expect(stored?.grant.scopes).toEqual(scopes);
  });

  test.for([['secret'], ['no-such-server']])(
    'a server that the user may not know of is unknown: %s',
    async ([name]) => {
      const answer = await login.login(login.agent(), { resource: `${ORIGIN}/${name}/mcp` });
      expect(answerOf(answer)).toEqual({
        error: 'invalid_target',
        error_description: `this resource is unknown; that of a server is ${ORIGIN}/{server}/mcp`,
        state: 'client-state',
        iss: ORIGIN,
      });
    },
  );
});

describe('GitHub', () => {
  const start = () =>
    startChanging(({ company }) => ({
      groups: [['583231', ['maps/read']]],
      idps: [
        {
          ...company.entry,
          proof: { kind: 'github', userInfoUrl: `${company.issuer}/user`, groupsClaim: 'id' },
          scopes: ['read:user'],
        },
      ],
    }));

  test('says by its user endpoint who logged in, without nonce and issuer', async () => {
    const { login: run, agent, company, storedCode } = await start();
    const browser = agent();
    const atIdp = await browser.submit(await browser.open(authorizeUrl()));
    expect(company.read(atIdp.url).query.has('nonce')).toBe(false);
    const answer = await run(browser);
    const stored = await storedCode(answer.url);
    expect(stored?.grant).toMatchObject({
      subject: 'company:583231',
      groups: ['583231'],
      scopes: ['maps/read'],
    });
  });

  test.for([
    [{ login: 'octocat' }],
    [{ id: '583231', login: 'octocat' }],
    [{ id: 5.5, login: 'octocat' }],
    [{ id: 0, login: 'octocat' }],
    [{ id: 583231 }],
    [[]],
  ])('is not believed when it says %j', async ([user]) => {
    const { login: run, agent, company } = await start();
    company.user = user;
    expect(answerOf(await run(agent()))).toMatchObject({ error: 'server_error' });
  });
});

describe('a session', () => {
  const SESSION = '__Host-sallyport_session';

  test('begins with a login, under a new id every time, in a cookie for this host alone', async () => {
    const browser = login.agent();
    const atIdp = await browser.submit(await browser.open(authorizeUrl()));
    const path = login.company.answerTo(login.company.read(atIdp.url)).slice(ORIGIN.length);
    const planted = 'YWNtZQ.attackers-session-id-attackers-session-id-x';
    const cookie = Array.from(browser.cookies(ORIGIN), ([name, value]) => `${name}=${value}`).join('; ');
    const response = await login.app.fetch(path, { headers: { cookie: `${cookie}; ${SESSION}=${planted}` } });
    const [line = ''] = response.headers.getSetCookie();
    expect(line).toMatch(
      /^__Host-sallyport_session=YWNtZQ\.[A-Za-z0-9_-]{43}; Path=\/; Max-Age=28800; Secure; HttpOnly; SameSite=Lax$/,
    );
    expect(line).not.toContain(planted);
    const again = login.agent();
    await login.login(again);
    expect(again.cookies(ORIGIN).get(SESSION)).not.toBe(line.slice(line.indexOf('=') + 1, line.indexOf(';')));
  });

  test('spares the login, not the consent', async () => {
    const browser = login.agent();
    await login.login(browser);
    const id = browser.cookies(ORIGIN).get(SESSION);
    const redeemed = login.company.redeemed.length;
    const page = await browser.open(authorizeUrl({ state: 'second' }));
    expect(page.text).toContain('<dt>Signed in as</dt><dd>ada@example.com (company login)</dd>');
    expect(readForm(page.text).buttons.map(({ text }) => text)).toEqual([
      'Allow as ada@example.com',
      'Allow, as somebody else at company login',
      'Allow, as somebody else at partner login',
      'Do not allow',
    ]);
    const answer = await browser.submit(page);
    expect(answerOf(answer)).toEqual({ code: expect.any(String), state: 'second', iss: ORIGIN });
    expect((await login.storedCode(answer.url))?.grant).toMatchObject({
      subject: 'company:u-1',
      scopes: SCOPES,
    });
    expect([login.company.redeemed.length, browser.cookies(ORIGIN).get(SESSION)]).toEqual([redeemed, id]);
  });

  test.for([
    ['prompt=login', { prompt: 'login' }],
    ['prompt=select_account consent', { prompt: 'select_account consent' }],
  ] as const)('is passed over with %s, here and at the provider', async ([, changes]) => {
    const browser = login.agent();
    await login.login(browser);
    const page = await browser.open(authorizeUrl(changes));
    expect(page.text).not.toContain('Signed in as');
    const atIdp = await browser.submit(page);
    expect(login.company.read(atIdp.url).query.get('prompt')).toBe('login');
  });

  test('of a user whose name is long and not only of letters spares it as well', async () => {
    login.company.claims = { email: `${'a'.repeat(79)}😀 Ada` };
    const browser = login.agent();
    await login.login(browser);
    expect((await browser.open(authorizeUrl())).text).toContain(`Signed in as</dt><dd>${'a'.repeat(79)}😀 (`);
  });

  test('that cannot be read is none, and is replaced by a new login', async () => {
    const { records } = login.app.ports;
    let isUnreadable = true;
    const started = await startChanging(() => ({}), {
      records: {
        ...records,
        async read(key) {
          const read = await records.read(key);
          if (!isUnreadable || key.kind !== 'SESSION' || !read.ok || read.value === undefined) return read;
          return ok({ ...read.value, text: '{"displayName":"\\ud83d"}' });
        },
      },
    });
    const browser = started.agent();
    await started.login(browser);
    const page = await browser.open(authorizeUrl());
    expect([page.status, page.text.includes('Signed in as')]).toEqual([200, false]);
    const answer = await started.login(browser);
    expect(answerOf(answer)).toHaveProperty('code');
    isUnreadable = false;
    expect((await browser.open(authorizeUrl())).text).toContain('Signed in as');
  });

  test('of somebody else is left for another login', async () => {
    const browser = login.agent();
    await login.login(browser);
    const atIdp = await browser.submit(await browser.open(authorizeUrl()), (text) =>
      text.includes('somebody else'),
    );
    expect(login.company.read(atIdp.url).query.get('prompt')).toBe('login');
  });

  test('makes a request without a page ask for consent', async () => {
    const browser = login.agent();
    await login.login(browser);
    const answer = await browser.open(authorizeUrl({ prompt: 'none' }));
    expect(answerOf(answer)).toMatchObject({ error: 'consent_required' });
  });

  test('of another user than the one that was shown gives nothing', async () => {
    const browser = login.agent();
    await login.login(browser);
    const page = await browser.open(authorizeUrl());
    login.company.claims = { sub: 'u-2' };
    const other = login.agent();
    await login.login(other);
    browser.setCookie(ORIGIN, SESSION, other.cookies(ORIGIN).get(SESSION));
    const refused = await browser.submit(page);
    expect(refused.status).toBe(400);
    expect(login.app.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'changed' });
  });

  test.for([
    [
      'eight hours are over',
      () => {
        login.app.nowSeconds += 28_800;
      },
    ],
    ['its cookie is another', (browser) => browser.setCookie(ORIGIN, SESSION, `YWNtZQ.${'A'.repeat(43)}`)],
    [
      'its cookie names another organisation',
      (browser) =>
        browser.setCookie(
          ORIGIN,
          SESSION,
          browser.cookies(ORIGIN).get(SESSION)?.replace('YWNtZQ', 'Z2xvYmV4'),
        ),
    ],
  ] as const satisfies readonly (readonly [string, (browser: ReturnType<LoginApp['agent']>) => void])[])(
    'is over when %s',
    async ([, change]) => {
      const browser = login.agent();
      await login.login(browser);
      change(browser);
      const page = await browser.open(authorizeUrl());
      expect(page.status).toBe(200);
      expect(page.text).not.toContain('Signed in as');
    },
  );

  test.for([
    ['its provider is gone', (parts) => ({ idps: parts.idps?.slice(1) ?? [] })],
    [
      'its provider is another organisation’s',
      (parts) => ({
        idps: parts.idps?.map((idp, index) => (index === 0 ? { ...idp, org: 'globex' } : idp)) ?? [],
      }),
    ],
  ] as const satisfies readonly (readonly [string, (parts: Partial<Snapshot>) => Partial<Snapshot>])[])(
    'is over when %s',
    async ([, change]) => {
      const started = await startChanging();
      const browser = started.agent();
      await started.login(browser);
      expect((await browser.open(authorizeUrl())).text).toContain('Signed in as');
      started.change(change(started.parts));
      expect((await browser.open(authorizeUrl())).text).not.toContain('Signed in as');
    },
  );

  test('is over when its user is revoked, and holds nobody up while that cannot be known', async () => {
    let answer: Awaited<ReturnType<IssuerPorts['revocations']['isRevoked']>> = ok(false);
    const asked: unknown[] = [];
    const revocations: IssuerPorts['revocations'] = {
      isRevoked(token) {
        asked.push(token);
        return Promise.resolve(answer);
      },
      revoke: () => Promise.resolve(ok(undefined)),
    };
    const started = await startChanging(() => ({}), { revocations });
    const browser = started.agent();
    await started.login(browser);
    expect((await browser.open(authorizeUrl())).text).toContain('Signed in as');
    expect(asked.at(-1)).toMatchObject({
      orgId: 'acme',
      subject: 'company:u-1',
      clientId: 'app',
      issuedAtSeconds: NOW_SECONDS,
    });
    answer = ok(true);
    expect((await browser.open(authorizeUrl())).text).not.toContain('Signed in as');
    answer = err({ reason: 'unavailable', detail: 'a test’s outage' });
    expect((await browser.open(authorizeUrl())).status).toBe(503);
  });
});

describe('no record, no code', () => {
  test('an audit log that is down holds back consent and code alike', async () => {
    let isDown = true;
    const started = await startChanging(() => ({}), {
      audit: {
        write: () =>
          Promise.resolve(isDown ? err({ reason: 'unavailable', detail: 'a test’s outage' }) : ok(undefined)),
      },
    });
    const browser = started.agent();
    expect((await browser.submit(await browser.open(authorizeUrl()))).status).toBe(503);
    isDown = false;
    const atIdp = await browser.submit(await browser.open(authorizeUrl()));
    isDown = true;
    const page = await browser.open(started.company.answerTo(started.company.read(atIdp.url)));
    expect([page.status, page.headers.get('location')]).toEqual([503, null]);
    expect(browser.cookies(ORIGIN).has('__Host-sallyport_session')).toBe(false);
  });

  describe('an outage', () => {
    const down = err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
    async function startFailing() {
      const failing = new Set<string>();
      const { records } = login.app.ports;
      const started = await startChanging(() => ({}), {
        audit: { write: () => Promise.resolve(failing.has('audit') ? down : ok(undefined)) },
        records: {
          ...records,
          create: (key, ...rest) =>
            failing.has(key.kind) ? Promise.resolve(down) : records.create(key, ...rest),
        },
      });
      return { ...started, failing };
    }

    test.for(['audit', 'ONCE'])('of %s uses no consent up: it can be given again, once', async (part) => {
      const { agent, failing } = await startFailing();
      const browser = agent();
      const page = await browser.open(authorizeUrl());
      failing.add(part);
      const shown = await browser.submit(page);
      expect([shown.status, shown.text]).toEqual([503, expect.stringContaining('Nothing was lost')]);
      failing.clear();
      expect((await browser.submit(page)).url).toContain(`/authorize?`);
      expect((await browser.submit(page)).status).toBe(400);
    });

    test.for(['audit', 'CODE', 'ONCE'])('of %s uses no consent in a session up', async (part) => {
      const { agent, failing, login: run } = await startFailing();
      const browser = agent();
      await run(browser);
      const page = await browser.open(authorizeUrl());
      failing.add(part);
      const shown = await browser.submit(page);
      expect([shown.status, shown.text]).toEqual([503, expect.stringContaining('Nothing was lost')]);
      failing.clear();
      expect(answerOf(await browser.submit(page))).toHaveProperty('code');
      expect((await browser.submit(page)).status).toBe(400);
    });

    test.for([
      ['ONCE', 'Nothing was lost', 'code'],
      ['audit', 'go back to the application and start again', undefined],
      ['CODE', 'go back to the application and start again', undefined],
      ['SESSION', 'go back to the application and start again', undefined],
    ] as const)('of %s at the answer of a provider says what is left', async ([part, words, then]) => {
      const { agent, company, failing } = await startFailing();
      const browser = agent();
      const atIdp = await browser.submit(await browser.open(authorizeUrl()));
      const back = company.answerTo(company.read(atIdp.url));
      failing.add(part);
      const shown = await browser.open(back);
      expect([shown.status, shown.text]).toEqual([503, expect.stringContaining(words)]);
      expect(shown.text.includes('Nothing was lost')).toBe(then === 'code');
      failing.clear();
      const again = await browser.open(back);
      if (then === undefined) expect(again.status).toBe(400);
      else expect(answerOf(again)).toHaveProperty(then);
    });
  });

  test('of two answers in a session at the same moment one gets a code', async () => {
    const browser = login.agent();
    await login.login(browser);
    const page = await browser.open(authorizeUrl());
    const answers = await Promise.all([browser.submit(page), browser.submit(page)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([0, 400]);
    const issued = () => login.app.records.filter(({ reason }) => reason === 'code_issued').length;
    const before = issued();
    expect([(await browser.submit(page)).status, issued()]).toEqual([400, before]);
  });

  test.for(['ONCE', 'SESSION', 'CODE'])('so does a store that takes no %s', async (kind) => {
    const down = err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
    const { records } = login.app.ports;
    const started = await startChanging(() => ({}), {
      records: {
        ...records,
        create: (key, ...rest) => (key.kind === kind ? Promise.resolve(down) : records.create(key, ...rest)),
      },
    });
    const browser = started.agent();
    const page = await browser.submit(await browser.open(authorizeUrl()));
    const last =
      kind === 'ONCE' ? page : await browser.open(started.company.answerTo(started.company.read(page.url)));
    expect([last.status, last.headers.get('location')]).toEqual([503, null]);
  });
});
