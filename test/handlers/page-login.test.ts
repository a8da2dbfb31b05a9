import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { connectUrl } from '../../functions/handlers/connect/link.ts';
import type { BrowserAgent } from '../support/browser-agent.ts';
import { readForm } from '../support/browser-agent.ts';
import { type LoginApp, startLoginApp } from '../support/login-app.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const SESSION = '__Host-sallyport_session';
const BROWSER = '__Host-sallyport_browser';
const PAGE = '/connect/track';
const LOGIN = `${ORIGIN}/login?return_to=${encodeURIComponent(PAGE)}`;
const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));

let login: LoginApp;

beforeAll(async () => {
  login = await startLoginApp(({ company, partner }) => ({
    orgs: [
      { id: 'acme', suspended: false },
      { id: 'beta', suspended: false },
      { id: 'closed', suspended: true },
    ],
    idps: [
      company.entry,
      { ...partner.entry, org: 'beta' },
      { ...partner.entry, name: 'gone', org: 'closed' },
    ],
  }));
});
afterAll(() => login?.close());
afterEach(() => {
  login.app.nowSeconds = NOW_SECONDS;
  login.app.records.length = 0;
  login.company.redeemed.length = 0;
});

/** A browser of which every page of ours but the sign-in is somebody else's: `/connect` is another function's. */
function agent(): BrowserAgent {
  return login.agent();
}

/** Chooses the provider, and what the browser was sent to it with. */
async function begin(browser: BrowserAgent, url = LOGIN, button = /company login/) {
  const atIdp = await browser.submit(await browser.open(url), (text) => button.test(text));
  return login.company.read(atIdp.url);
}

describe('signing in for a page of ours', () => {
  test('asks where, goes there, begins a session and leads back; nothing is issued', async () => {
    const browser = agent();
    const page = await browser.open(LOGIN);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(readForm(page.text)).toMatchObject({
      action: '/login',
      method: 'post',
      fields: { return_to: PAGE },
      buttons: [
        { name: 'idp', value: 'company', text: 'Sign in with company login' },
        { name: 'idp', value: 'partner', text: 'Sign in with partner login' },
      ],
    });
    const asked = await begin(browser);
    expect(asked).toMatchObject({ redirectUri: `${ORIGIN}/oauth/callback/company` });
    expect(Object.fromEntries(asked.query)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
    });
    expect(asked.query.has('prompt')).toBe(false);
    const before = browser.visited.length;
    await browser.open(login.company.answerTo(asked));
    expect(browser.visited.slice(before).at(-1)).toBe(ORIGIN + PAGE);
    expect(browser.cookies(ORIGIN).get(SESSION)).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
    expect(login.app.records).toMatchObject([
      {
        area: 'login',
        decision: 'allow',
        reason: 'signed_in',
        org_id: 'acme',
        subject: 'company:u-1',
        kind: 'user',
        name: 'company',
      },
    ]);
    expect(login.company.redeemed).toHaveLength(1);
    expect(login.company.redeemed[0]?.form.get('redirect_uri')).toBe(`${ORIGIN}/oauth/callback/company`);
  });

  test('a session id that was there before is not the one that is there after', async () => {
    const browser = agent();
    browser.setCookie(ORIGIN, SESSION, `YWNtZQ.${'x'.repeat(43)}`);
    await browser.open(login.company.answerTo(await begin(browser)));
    expect(browser.cookies(ORIGIN).get(SESSION)).not.toContain('xxxx');
  });

  test('who is signed in may go on, or signs in again and proves it', async () => {
    const browser = agent();
    await browser.open(login.company.answerTo(await begin(browser)));
    const page = await browser.open(LOGIN);
    expect(page.text).toContain(`<a href="${PAGE}">Go on as ada@example.com</a>`);
    const asked = await begin(browser, LOGIN, /somebody else at company/);
    expect(asked.query.get('prompt')).toBe('login');
  });

  test('a sealed link offers the providers of its organisation alone', async () => {
    const link = { orgId: 'beta', subject: 'partner:u-2', target: 'maps', clientId: 'app' };
    const url = await connectUrl(login.app.ports, 'track', link, ORIGIN);
    if (!url.ok) throw new Error(url.error.detail);
    const returnTo = url.value.slice(ORIGIN.length);
    const page = await agent().open(`${ORIGIN}/login?return_to=${encodeURIComponent(returnTo)}`);
    expect(readForm(page.text).buttons.map(({ value }) => value)).toEqual(['partner']);
    expect(readForm(page.text).fields['return_to']).toBe(returnTo);
    const other = await agent().open(`${ORIGIN}/login?return_to=${encodeURIComponent(`${PAGE}?t=forged`)}`);
    expect(readForm(other.text).buttons.map(({ value }) => value)).toEqual(['company', 'partner']);
  });

  test('a link of an organisation without login leads to nobody', async () => {
    const link = { orgId: 'closed', subject: 'gone:u-2', target: undefined, clientId: 'app' };
    const url = await connectUrl(login.app.ports, 'track', link, ORIGIN);
    if (!url.ok) throw new Error(url.error.detail);
    const returnTo = encodeURIComponent(url.value.slice(ORIGIN.length));
    const page = await agent().open(`${ORIGIN}/login?return_to=${returnTo}`);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('Nobody can sign in here')]);
  });
});

describe('no other place', () => {
  test.for([
    '',
    '?return_to=',
    '?return_to=https%3A%2F%2Fevil.example%2F',
    '?return_to=%2F%2Fevil.example%2Fconnect',
    '?return_to=%2F%5Cevil.example',
    '?return_to=%2Foauth%2Fauthorize',
    `?return_to=${encodeURIComponent(PAGE)}&return_to=${encodeURIComponent(PAGE)}`,
  ])('is on a sign-in page: %s', async (query) => {
    const page = await agent().open(`${ORIGIN}/login${query}`);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('This link leads nowhere')]);
    expect(page.text).not.toContain('evil');
    expect(page.text).not.toContain('<form');
  });

  test('can be put into the form', async () => {
    const browser = agent();
    const page = await browser.open(LOGIN);
    const sent = await browser.submit(page, () => true, { return_to: 'https://evil.example/' });
    expect([sent.status, sent.text]).toEqual([400, expect.stringContaining('This link leads nowhere')]);
  });
});

describe('who did not begin', () => {
  test.for([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['nobody that says where it is from', {}, 403],
    ['a browser without our mark', { 'sec-fetch-site': 'same-origin', origin: ORIGIN }, 400],
  ] as const)('%s sends nobody to log in', async ([, headers, status]) => {
    const response = await login.app.fetch('/login', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ return_to: PAGE, idp: 'company' }),
    });
    expect([response.status, response.headers.get('location')]).toEqual([status, null]);
  });

  test.for(['ghost', 'gone', ''])('provider %j is none', async (idp) => {
    const browser = agent();
    const page = await browser.open(LOGIN);
    const response = await login.app.fetch('/login', {
      method: 'POST',
      headers: {
        'sec-fetch-site': 'same-origin',
        origin: ORIGIN,
        cookie: `${BROWSER}=${browser.cookies(ORIGIN).get(BROWSER)}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ ...readForm(page.text).fields, idp }),
    });
    expect(response.status).toBe(400);
  });

  test('an answer in another browser signs nobody in', async () => {
    const asked = await begin(agent());
    const victim = agent();
    await victim.open(LOGIN);
    const page = await victim.open(login.company.answerTo(asked));
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('not the browser that began')]);
    expect(victim.cookies(ORIGIN).has(SESSION)).toBe(false);
    expect(login.company.redeemed).toEqual([]);
  });

  test('an answer to another provider’s callback signs nobody in', async () => {
    const browser = agent();
    const answer = login.company
      .answerTo(await begin(browser))
      .replace('/callback/company', '/callback/partner');
    expect((await browser.open(answer)).status).toBe(400);
    expect(browser.cookies(ORIGIN).has(SESSION)).toBe(false);
  });

  test('an answer is used once, and in time', async () => {
    const browser = agent();
    const answer = login.company.answerTo(await begin(browser));
    await browser.open(answer);
    expect((await browser.open(answer)).text).toContain('This was used already');
    const late = login.company.answerTo(await begin(browser, LOGIN, /company/));
    login.app.nowSeconds += 601;
    expect((await browser.open(late)).text).toContain('This took too long');
  });
});

describe('an answer that says that nobody logged in', () => {
  test.for([
    [
      { code: undefined, error: 'access_denied', error_description: '<b>x</b>' },
      400,
      'access_denied: idp access_denied',
    ],
    [{ code: undefined, error: '<script>' }, 400, 'access_denied: idp no known error code'],
    [
      { code: undefined, error: 'temporarily_unavailable' },
      503,
      'temporarily_unavailable: idp temporarily_unavailable',
    ],
    [{ code: undefined, error: 'server_error' }, 502, 'server_error: idp server_error'],
    [{ code: undefined }, 502, 'server_error: no_code'],
  ] as const)('%j', async ([change, status, reason]) => {
    const browser = agent();
    const page = await browser.open(login.company.answerTo(await begin(browser), change));
    expect([page.status, browser.cookies(ORIGIN).has(SESSION)]).toEqual([status, false]);
    expect(page.text).not.toMatch(/<b>|<script/);
    expect(login.app.records).toMatchObject([{ area: 'login', decision: 'deny', reason, name: 'company' }]);
  });

  test('another issuer’s', async () => {
    const browser = agent();
    const answer = login.company.answerTo(await begin(browser), { iss: 'https://evil.example' });
    expect((await browser.open(answer)).status).toBe(400);
    expect(login.company.redeemed).toEqual([]);
  });

  test('a code that redeems to nothing', async () => {
    const browser = agent();
    login.company.answers.push(() => new Response('{"error":"invalid_grant"}', { status: 400 }));
    const page = await browser.open(login.company.answerTo(await begin(browser)));
    expect([page.status, page.text]).toEqual([502, expect.stringContaining('could not be signed in')]);
  });
});

describe('an outage', () => {
  const outage = async (changes: Parameters<typeof startLoginApp>[1]) => {
    const other = await startLoginApp(() => ({}), changes);
    return { other, [Symbol.asyncDispose]: () => other.close() };
  };

  test('of the record of the sign-in begins no session', async () => {
    await using broken = await outage({ audit: { write: down } });
    const browser = broken.other.agent();
    const atIdp = await browser.submit(await browser.open(LOGIN));
    const { company } = broken.other;
    const page = await browser.open(company.answerTo(company.read(atIdp.url)));
    expect([page.status, browser.cookies(ORIGIN).has(SESSION)]).toEqual([503, false]);
  });

  test('of the policy or the sealing secret shows no page that could not be answered', async () => {
    await using noPolicy = await outage({ rulebook: { read: down } });
    expect((await noPolicy.other.agent().open(LOGIN)).status).toBe(503);
    await using noSealer = await outage({ sealer: () => Promise.resolve(undefined) });
    const browser = noSealer.other.agent();
    expect((await browser.submit(await browser.open(LOGIN))).status).toBe(503);
    expect((await browser.open(`${LOGIN}%3Ft%3Dabc`)).status).toBe(503);
  });

  test('of the sessions is said before anybody is sent away', async () => {
    const browser = agent();
    await browser.open(login.company.answerTo(await begin(browser)));
    await using broken = await outage({
      records: { ...login.app.ports.records, read: down },
    });
    const other = broken.other.agent();
    other.setCookie(ORIGIN, SESSION, browser.cookies(ORIGIN).get(SESSION));
    expect((await other.open(LOGIN)).status).toBe(503);
  });

  test('of the setup: a client secret that is not there leads nobody to the provider', async () => {
    login.app.secrets.delete('sallyport/prod/env/company');
    const browser = agent();
    const page = await browser.submit(await browser.open(LOGIN));
    login.app.secrets.set('sallyport/prod/env/company', 'company-secret');
    expect([page.status, page.text]).toEqual([500, expect.stringContaining('not set up here')]);
  });
});
