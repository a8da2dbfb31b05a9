import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { connectUrl } from '../../functions/handlers/connect/link.ts';
import { type BrowserAgent, readForm, type Shown } from '../support/browser-agent.ts';
import {
  answerOf,
  askedAt,
  type ConnectApp,
  connectionOf,
  placeOf,
  startConnectApp,
} from '../support/connect-app.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const OWNER = { orgId: 'acme', subject: 'company:u-1' };
const PAGE = `${ORIGIN}/connect/track`;
const SESSION = '__Host-sallyport_session';
const BROWSER = '__Host-sallyport_browser';

let app: ConnectApp;

beforeAll(async () => {
  app = await startConnectApp();
});
afterAll(() => app?.close());
afterEach(() => {
  app.login.app.nowSeconds = NOW_SECONDS;
  app.login.app.records.length = 0;
  app.connected.length = 0;
  app.disconnected.length = 0;
  app.vault.clear();
  app.failure = undefined;
  app.isDown = false;
  app.isUnreadable = false;
});

async function signedIn(userId?: string): Promise<BrowserAgent> {
  const browser = app.agent();
  await app.signIn(browser, userId);
  return browser;
}

async function linkFor(subject = OWNER.subject, target: string | undefined = 'orders'): Promise<string> {
  const url = await connectUrl(app.ports, 'track', { ...OWNER, subject, target, clientId: 'desk' }, ORIGIN);
  if (!url.ok) throw new Error(url.error.detail);
  return url.value;
}

const press = (browser: BrowserAgent, page: Shown, words: RegExp) =>
  browser.submit(page, (text) => words.test(text));

/** Opens a page and agrees; what the browser was sent to the provider with. */
async function begin(browser: BrowserAgent, url = PAGE): Promise<URLSearchParams> {
  const sent = await press(browser, await browser.open(url), /^Connect at/);
  return askedAt(sent);
}

describe('a user connects', () => {
  test('alone: is asked, agrees, and comes back connected', async () => {
    const browser = await signedIn();
    const page = await browser.open(PAGE);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' https:;");
    expect(policy).toContain("frame-ancestors 'none'");
    for (const words of [
      'Connect your account at Track?',
      'track.example.net',
      'u-1@example.com',
      'read orders',
    ]) {
      expect(page.text).toContain(words);
    }
    expect(page.text).not.toContain('<script');
    const sent = await press(browser, page, /^Connect at Track/);
    expect(sent.url).toMatch(/^https:\/\/track\.example\.net\/authorize\?/);
    const asked = askedAt(sent);
    expect(Object.fromEntries(asked)).toEqual({
      response_type: 'code',
      client_id: 'track-client',
      redirect_uri: `${ORIGIN}/connect/track/callback`,
      scope: 'offline_access read:orders',
      state: expect.stringMatching(/^[A-Za-z0-9_-]{100,}$/),
      code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(app.connected).toEqual([]);
    const done = await browser.open(answerOf(asked));
    expect([done.url, done.status]).toEqual([PAGE, 200]);
    expect(done.text).toContain('Track is connected');
    expect(done.text).toContain('ada@track.example');
    expect(app.connected).toEqual([
      {
        owner: OWNER,
        request: {
          code: 'provider-code',
          codeVerifier: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
          redirectUri: `${ORIGIN}/connect/track/callback`,
          scopes: ['offline_access', 'read:orders'],
        },
      },
    ]);
    const about = {
      area: 'connection',
      method: 'connect',
      name: 'track',
      org_id: 'acme',
      subject: OWNER.subject,
      kind: 'user',
      decision: 'allow',
    };
    expect(app.login.app.records).toMatchObject([
      { ...about, event: 'decision', reason: 'connect', scopes: ['offline_access', 'read:orders'] },
      { ...about, event: 'outcome', reason: 'connected', duration_ms: 0 },
    ]);
    expect(JSON.stringify(app.login.app.records)).not.toContain('provider-code');
  });

  test('by a link: sees for which server and through which application, and is asked for its scopes', async () => {
    const browser = await signedIn();
    const url = await linkFor();
    const page = await browser.open(url);
    for (const words of ['<dt>Needed for</dt><dd>orders</dd>', '<dt>Asked through</dt><dd>Desk</dd>']) {
      expect(page.text).toContain(words);
    }
    const asked = await begin(browser, url);
    expect(asked.get('scope')).toBe('read:orders write:orders offline_access');
    const done = await browser.open(answerOf(asked));
    expect(done.url).toBe(url);
    expect(done.text).toContain('Track is connected');
    expect(app.login.app.records).toMatchObject([{ client_id: 'desk' }, { client_id: 'desk' }]);
  });

  test('who is not signed in is asked to, and comes back to the very page', async () => {
    const url = await linkFor();
    const browser = app.agent();
    const page = await browser.open(url);
    expect(new URL(page.url).pathname).toBe('/login');
    expect(readForm(page.text).fields['return_to']).toBe(url.slice(ORIGIN.length));
    app.login.company.claims = { sub: 'u-1' };
    const atIdp = await browser.submit(page);
    const back = await browser.open(app.login.company.answerTo(app.login.company.read(atIdp.url)));
    expect([back.url, back.status]).toEqual([url, 200]);
    expect(back.text).toContain('Connect your account at Track?');
  });

  test('a connection that lacks scopes is asked for with all that it has', async () => {
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track', { scopes: ['offline_access', 'other'] }));
    const browser = await signedIn();
    const page = await browser.open(await linkFor());
    expect(page.text).toContain('but not for all of this');
    const sent = await press(browser, page, /^Connect at/);
    expect(askedAt(sent).get('scope')).toBe('read:orders write:orders offline_access other');
  });

  test('a broken connection is said to be one, and asked for again', async () => {
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track', { status: 'broken' }));
    const browser = await signedIn();
    expect((await browser.open(PAGE)).text).toContain('does not accept the connection');
    expect((await begin(browser)).get('scope')).toBe('offline_access read:orders');
  });

  test('nothing, where no group of the user stands for anything', async () => {
    const stranger = app.agent();
    const page = await stranger.open(`${ORIGIN}/login?return_to=%2Fconnect`);
    app.login.company.claims = { sub: 'stranger', groups: ['visitors'] };
    const atIdp = await stranger.submit(page, (text) => /company login/.test(text));
    const end = await stranger.open(app.login.company.answerTo(app.login.company.read(atIdp.url)));
    expect([end.status, end.text]).toEqual([403, expect.stringContaining('no group of yours')]);
    expect(app.login.app.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'no_rights' });
    const at = await stranger.open(PAGE);
    expect([at.status, at.text]).toEqual([403, expect.not.stringContaining('<form')]);
  });

  test('nothing, where none of them does any more', async () => {
    const other = await startConnectApp();
    try {
      const browser = other.agent();
      await other.signIn(browser);
      const book = await other.ports.rulebook.read();
      if (book.ok) Object.assign(book.value.policy, { scopesOfGroups: () => [] });
      for (const path of ['/connect', '/connect/track', '/connect/no-such-provider']) {
        expect((await browser.open(ORIGIN + path)).status).toBe(403);
      }
    } finally {
      await other.close();
    }
  });

  test('nothing happens where the user does not want it', async () => {
    const browser = await signedIn();
    const page = await press(browser, await browser.open(PAGE), /^Do not connect/);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('Nothing was connected')]);
    expect([app.connected, app.login.app.records]).toEqual([[], []]);
  });
});

describe('a user who is connected', () => {
  test('disconnects, and is told what the provider did', async () => {
    for (const [provider, words, outcome] of [
      ['track', 'has ended it', 'disconnected: revoked by the provider'],
      ['mail', 'could not be asked to end it', 'disconnected: forgotten here alone'],
    ] as const) {
      app.vault.set(placeOf(OWNER, provider), connectionOf(provider));
      const browser = await signedIn();
      const page = await browser.open(`${ORIGIN}/connect/${provider}`);
      const done = await press(browser, page, /^Disconnect/);
      expect([done.status, done.text]).toEqual([200, expect.stringContaining(words)]);
      expect(app.login.app.records).toMatchObject([
        { area: 'connection', decision: 'allow', reason: 'disconnect', method: 'disconnect', name: provider },
        { area: 'connection', event: 'outcome', reason: outcome, method: 'disconnect', name: provider },
      ]);
    }
    expect(app.disconnected).toEqual([OWNER, OWNER]);
  });

  test('sees all providers of the organisation, and no others', async () => {
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track'));
    app.vault.set(placeOf(OWNER, 'mail'), connectionOf('mail', { status: 'broken', account: undefined }));
    const { text } = await (await signedIn()).open(`${ORIGIN}/connect`);
    expect(text).toContain('connected (ada@track.example)');
    expect(text).toContain('broken: connect again');
    expect(text).not.toContain('eta-only');
    expect((await (await signedIn('u-2')).open(`${ORIGIN}/connect`)).text).not.toContain('ada@');
  });

  test('ends one that cannot be read any more, and can do nothing else with it', async () => {
    app.isUnreadable = true;
    const browser = await signedIn();
    const page = await browser.open(PAGE);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('cannot be read')]);
    expect(page.text).not.toMatch(/value="(?:connect|cancel)"/);
    expect((await press(browser, page, /^Disconnect/)).status).toBe(200);
    expect((await app.call('/connections/track', { method: 'DELETE' })).status).toBe(200);
    expect(app.disconnected).toEqual([OWNER, OWNER]);
  });

  test('ends one whose provider is gone, or another organisation’s, and can do nothing else with it', async () => {
    for (const name of ['ghost', 'beta-only']) {
      app.vault.set(placeOf(OWNER, name), connectionOf(name, { status: 'broken' }));
      const browser = await signedIn();
      const all = await browser.open(`${ORIGIN}/connect`);
      expect(all.text).toContain(`<a href="/connect/${name}">${name}</a><code>not used any more`);
      const page = await browser.open(`${ORIGIN}/connect/${name}`);
      expect(page.text).toContain('the provider was taken away here');
      expect(page.text).not.toMatch(/value="(?:connect|cancel)"/);
      expect((await press(browser, page, /^Disconnect/)).text).toContain(`${name} is disconnected`);
      // Others have nothing there, and see nothing.
      expect((await (await signedIn('u-2')).open(`${ORIGIN}/connect/${name}`)).status).toBe(404);
      expect((await browser.open(`${ORIGIN}/connect/${name}`)).status).toBe(404);
    }
    expect(app.disconnected).toEqual([OWNER, OWNER]);
  });

  test('ends it, and connects nothing, once no group stands for anything', async () => {
    const other = await startConnectApp();
    try {
      other.vault.set(placeOf(OWNER, 'track'), connectionOf('track'));
      const browser = other.agent();
      await other.signIn(browser);
      const before = await browser.open(PAGE);
      const asked = askedAt(await press(browser, await browser.open(PAGE), /^Connect again/));
      const book = await other.ports.rulebook.read();
      if (book.ok) Object.assign(book.value.policy, { scopesOfGroups: () => [] });
      // What was begun before does not go on.
      expect((await press(browser, before, /^Connect again/)).status).toBe(403);
      expect((await browser.open(answerOf(asked))).status).toBe(403);
      expect(other.connected).toEqual([]);
      // Also in a new sign-in it can be ended, and that alone.
      const anew = other.agent();
      await other.signIn(anew);
      const all = await anew.open(`${ORIGIN}/connect`);
      expect(all.text).toContain('not used any more');
      expect(all.text).not.toContain('Mail');
      const page = await anew.open(PAGE);
      expect(page.text).toContain('no group of yours stands for anything');
      expect(page.text).not.toMatch(/value="(?:connect|cancel)"/);
      expect((await press(anew, page, /^Disconnect/)).status).toBe(200);
      expect(other.disconnected).toEqual([OWNER]);
      expect((await anew.open(PAGE)).status).toBe(403);
    } finally {
      await other.close();
    }
  });

  test('another account does not take the place of the first', async () => {
    app.failure = { reason: 'other_account', connected: 'ada <b>', detail: 'x' };
    const browser = await signedIn();
    const page = await browser.open(answerOf(await begin(browser)));
    expect([page.status, page.text]).toEqual([409, expect.stringContaining('ada &lt;b&gt;')]);
    expect(app.login.app.records.at(-1)).toMatchObject({ event: 'outcome', reason: 'other_account: x' });
  });
});

describe('a link', () => {
  test('of another user asks nobody anything, and says so', async () => {
    const browser = await signedIn('mallory');
    const url = await linkFor();
    const page = await browser.open(url);
    expect([page.status, page.text]).toEqual([
      403,
      expect.stringContaining('This link is for somebody else'),
    ]);
    expect(page.text).toContain('mallory@example.com');
    expect(page.text).not.toMatch(/<form|u-1|orders/);
    expect(app.login.app.records).toMatchObject([
      { area: 'connection', decision: 'deny', reason: 'somebody_else', subject: 'company:mallory' },
    ]);
    const [, login = ''] = /href="(\/login[^"]*)"/.exec(page.text) ?? [];
    expect(new URL(login, ORIGIN).searchParams.get('return_to')).toBe(url.slice(ORIGIN.length));
  });

  test.for(['forged', 'A'.repeat(120), ''])('that was not made here leads nowhere: %j', async (t) => {
    const page = await (await signedIn()).open(`${PAGE}?t=${t}`);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('This link does not hold')]);
    expect(page.text).not.toContain('<form');
  });

  test('for another provider leads nowhere', async () => {
    const link = (await linkFor()).replace('/track', '/mail');
    expect((await (await signedIn()).open(link)).status).toBe(400);
  });

  test.for(['?t=a&t=b', '?t=a&x=y', '?return_to=%2F'])('with more in it leads nowhere: %s', async (query) => {
    expect((await (await signedIn()).open(PAGE + query)).status).toBe(400);
  });

  test('is the same for the same need, and no secret is in it', async () => {
    expect(await linkFor()).toBe(await linkFor());
    expect(await linkFor()).not.toBe(await linkFor('company:u-2'));
    expect(await linkFor()).not.toBe(await linkFor(undefined, 'maps'));
    const sealed = new URL(await linkFor()).searchParams.get('t') ?? '';
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toMatch(/u-1|acme|desk|orders/);
  });

  test('for a server whose connections are another provider’s by now needs what the provider’s entry says', async () => {
    const asked = await begin(await signedIn(), await linkFor(undefined, 'maps'));
    expect(asked.get('scope')).toBe('offline_access read:orders');
  });
});

describe('a provider', () => {
  test.for(['ghost', 'beta-only', 'Track', 'track%2e'])('%s is not there', async (name) => {
    const page = await (await signedIn()).open(`${ORIGIN}/connect/${name}`);
    expect([400, 404]).toContain(page.status);
    expect(page.text).not.toContain('<form');
  });

  test('is named to nobody who is not signed in', async () => {
    for (const name of ['track', 'ghost']) {
      const page = await app.agent().open(`${ORIGIN}/connect/${name}`);
      expect(new URL(page.url).pathname).toBe('/login');
    }
  });
});

describe('an answer of a provider', () => {
  const refused = async (browser: BrowserAgent, url: string, status: number, words: string) => {
    const page = await browser.open(url);
    expect([page.status, page.text]).toEqual([status, expect.stringContaining(words)]);
    expect(app.connected).toEqual([]);
  };

  test('is used once', async () => {
    const browser = await signedIn();
    const url = answerOf(await begin(browser));
    await browser.open(url);
    app.connected.length = 0;
    await refused(browser, url, 400, 'This was used already');
  });

  test('is used in time', async () => {
    const browser = await signedIn();
    const url = answerOf(await begin(browser));
    app.login.app.nowSeconds += 600;
    await refused(browser, url, 400, 'This took too long');
  });

  test.for([
    ['without a state', { state: undefined }],
    ['with a state of nobody', { state: 'A'.repeat(200) }],
  ] as const)('%s is none', async ([, changes]) => {
    const browser = await signedIn();
    await refused(browser, answerOf(await begin(browser), changes), 400, 'not the browser that began');
  });

  test('to what another browser began is none: the finisher is the starter', async () => {
    const victim = await signedIn();
    await victim.open(PAGE);
    const attacker = await signedIn('mallory');
    const url = answerOf(await begin(attacker));
    await refused(victim, url, 400, 'not the browser that began');
    // The attacker's own mark in the victim's browser does not help: the session is the victim's.
    victim.setCookie(ORIGIN, BROWSER, attacker.cookies(ORIGIN).get(BROWSER));
    await refused(victim, url, 400, 'changed meanwhile');
    // Nor does the victim's answer in the attacker's session.
    await refused(attacker, answerOf(await begin(await signedIn())), 400, 'not the browser');
  });

  test('to what was begun in an earlier session is none', async () => {
    const browser = await signedIn();
    const url = answerOf(await begin(browser));
    await app.signIn(browser);
    await refused(browser, url, 400, 'changed meanwhile');
    browser.setCookie(ORIGIN, SESSION, undefined);
    await refused(browser, url, 400, 'You are not signed in');
  });

  test('at another provider’s callback is none', async () => {
    const browser = await signedIn();
    const url = answerOf(await begin(browser));
    await refused(browser, url.replace('/track/', '/mail/'), 400, 'not the browser that began');
  });

  test('of a provider that names itself names it, whatever it says', async () => {
    const browser = await signedIn();
    const page = `${ORIGIN}/connect/mail`;
    for (const iss of [undefined, 'https://evil.example', 'https://mail.example.net/']) {
      await refused(browser, answerOf(await begin(browser, page), { iss }), 400, 'not complete');
      const denied = { iss, code: undefined, error: 'access_denied' };
      await refused(browser, answerOf(await begin(browser, page), denied), 400, 'not complete');
    }
    const honest = answerOf(await begin(browser, page), { iss: 'https://mail.example.net' });
    expect((await browser.open(honest)).text).toContain('Mail is connected');
  });

  test.for(['code', 'state', 'error', 'iss'])('with two of %s is none', async (name) => {
    const browser = await signedIn();
    const url = `${answerOf(await begin(browser), { error: 'x', iss: 'y' })}&${name}=z`;
    await refused(browser, url, 400, 'not complete');
  });

  test.for([
    [{ code: undefined, error: 'access_denied', error_description: '<img src=x>' }, 'provider access_denied'],
    [{ error: '"><script>alert(1)</script>' }, 'provider no known error code'],
    [{ code: undefined }, 'no_code'],
  ] as const)('that says no is told without its words: %j', async ([changes, cause]) => {
    const browser = await signedIn();
    const page = await browser.open(answerOf(await begin(browser), changes));
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('access was not given')]);
    expect(page.text).not.toMatch(/<img|<script|alert/);
    expect(app.login.app.records).toMatchObject([
      { area: 'connection', decision: 'deny', reason: `not_connected: ${cause}`, method: 'connect' },
    ]);
    expect(app.connected).toEqual([]);
  });

  test('of two tabs each connects, and neither can be answered twice', async () => {
    const browser = await signedIn();
    const [one, other] = [await begin(browser), await begin(browser)];
    expect((await browser.open(answerOf(one))).text).toContain('Track is connected');
    expect((await browser.open(answerOf(other))).text).toContain('Track is connected');
    expect(new Set(app.connected.map(({ request }) => request.codeVerifier)).size).toBe(2);
  });

  test('of a tab that asked for other scopes than are asked for now connects nothing', async () => {
    const browser = await signedIn();
    const url = answerOf(await begin(browser));
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track', { scopes: ['more'] }));
    await refused(browser, url, 400, 'changed meanwhile');
  });

  test.for([
    [{ reason: 'refused', detail: 'status 400, invalid_grant' }, 502, 'refused: status 400, invalid_grant'],
    [{ reason: 'unavailable', detail: 'timeout' }, 503, 'unavailable: timeout'],
  ] as const)('whose code brings nothing: %j', async ([failure, status, reason]) => {
    app.failure = failure;
    const browser = await signedIn();
    const page = await browser.open(answerOf(await begin(browser)));
    expect(page.status).toBe(status);
    expect(page.text).not.toContain('invalid_grant');
    expect(app.login.app.records.at(-1)).toMatchObject({ event: 'outcome', reason });
  });
});

describe('the form', () => {
  const post = async (
    browser: BrowserAgent,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const cookie = Array.from(browser.cookies(ORIGIN), ([name, value]) => `${name}=${value}`).join('; ');
    const own = { 'sec-fetch-site': 'same-origin', origin: ORIGIN };
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return app.call('/connect/track', {
      method: 'POST',
      headers: { cookie, ...type, ...(Object.keys(headers).length === 0 ? own : headers) },
      body: new URLSearchParams(fields),
    });
  };
  const ticketOf = (page: Shown) => readForm(page.text).fields['ticket'] ?? '';

  test.for<Readonly<Record<string, string>>>([
    { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    { 'sec-fetch-site': 'same-site', origin: ORIGIN },
    { origin: 'https://evil.example' },
    { 'x-nothing': '1' },
  ])('of another site is not taken, with a ticket either: %j', async (headers) => {
    const browser = await signedIn();
    const ticket = ticketOf(await browser.open(PAGE));
    const response = await post(browser, { ticket, answer: 'connect' }, headers);
    expect([response.status, response.headers.get('location')]).toEqual([403, null]);
  });

  test('of another user’s page is not taken', async () => {
    const ticket = ticketOf(await (await signedIn('u-2')).open(PAGE));
    const browser = await signedIn();
    await browser.open(PAGE);
    expect((await post(browser, { ticket, answer: 'disconnect' })).status).toBe(400);
    expect(app.disconnected).toEqual([]);
  });

  test('of a page that was shown before the user signed in again is not taken', async () => {
    const browser = await signedIn();
    const ticket = ticketOf(await browser.open(PAGE));
    await app.signIn(browser);
    expect((await post(browser, { ticket, answer: 'connect' })).status).toBe(400);
  });

  test('is answered once, and in time', async () => {
    const browser = await signedIn();
    const ticket = ticketOf(await browser.open(PAGE));
    expect((await post(browser, { ticket, answer: 'connect' })).status).toBe(303);
    expect((await post(browser, { ticket, answer: 'disconnect' })).status).toBe(400);
    expect(app.disconnected).toEqual([]);
    const late = ticketOf(await browser.open(PAGE));
    app.login.app.nowSeconds += 600;
    expect((await post(browser, { ticket: late, answer: 'connect' })).status).toBe(400);
  });

  test('is answered as it asks', async () => {
    const browser = await signedIn();
    const ticket = ticketOf(await browser.open(PAGE));
    expect((await post(browser, { ticket, answer: 'whatever' })).status).toBe(400);
    expect((await post(browser, { answer: 'connect' })).status).toBe(400);
    expect((await post(app.agent(), { ticket, answer: 'connect' })).status).toBe(400);
  });

  test('that shows what is not asked for any more leads nobody to the provider', async () => {
    const browser = await signedIn();
    const ticket = ticketOf(await browser.open(PAGE));
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track', { scopes: ['more'] }));
    expect((await post(browser, { ticket, answer: 'connect' })).status).toBe(400);
  });

  test('is at most 16 KB', async () => {
    const browser = await signedIn();
    expect((await post(browser, { ticket: 'x'.repeat(20_000) })).status).toBe(413);
  });

  test('does not take the state for a ticket, nor the ticket for a state', async () => {
    const browser = await signedIn();
    const asked = await begin(browser);
    expect((await post(browser, { ticket: asked.get('state') ?? '', answer: 'connect' })).status).toBe(400);
    const ticket = ticketOf(await browser.open(PAGE));
    expect((await browser.open(answerOf(asked, { state: ticket }))).status).toBe(400);
    expect(app.connected).toEqual([]);
  });
});

describe('an outage', () => {
  const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));

  test('of the vault shows no page, and changes nothing', async () => {
    const browser = await signedIn();
    const page = await browser.open(PAGE);
    const url = answerOf(await begin(browser));
    app.isDown = true;
    for (const path of ['/connect', '/connect/track']) {
      expect((await browser.open(ORIGIN + path)).status).toBe(503);
    }
    expect((await press(browser, page, /^Connect at/)).status).toBe(503);
    expect((await browser.open(url)).status).toBe(503);
    expect(app.connected).toEqual([]);
  });

  test('of the vault ends no connection', async () => {
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track'));
    const browser = await signedIn();
    const page = await browser.open(PAGE);
    app.isDown = true;
    app.login.app.records.length = 0;
    expect((await press(browser, page, /^Disconnect/)).status).toBe(503);
    expect(app.login.app.records.at(-1)).toMatchObject({
      event: 'outcome',
      reason: 'unavailable: a test’s outage',
    });
  });

  test('of the audit log redeems nothing and ends nothing', async () => {
    const broken = await startConnectApp({ audit: { write: down } });
    try {
      broken.vault.set(placeOf(OWNER, 'mail'), connectionOf('mail'));
      const browser = broken.agent();
      await broken.signIn(browser);
      const asked = askedAt(await press(browser, await browser.open(PAGE), /^Connect at/));
      expect((await browser.open(answerOf(asked))).status).toBe(503);
      const page = await browser.open(`${ORIGIN}/connect/mail`);
      expect((await press(browser, page, /^Disconnect/)).status).toBe(503);
      expect([broken.connected, broken.disconnected]).toEqual([[], []]);
    } finally {
      await broken.close();
    }
  });

  test.for([
    ['the sealing secret', { sealer: () => Promise.resolve(undefined) }],
    ['the policy', { rulebook: { read: down } }],
    ['revocations', { revocations: { isRevoked: down, revoke: down } }],
  ] as const)('of %s shows no page', async ([, changes]) => {
    const broken = await startConnectApp(changes);
    try {
      const browser = broken.agent();
      await broken.signIn(browser);
      for (const path of ['/connect/track', `/connect/track?t=${'a'.repeat(80)}`]) {
        expect((await browser.open(ORIGIN + path)).status).toBe(503);
      }
    } finally {
      await broken.close();
    }
  });

  test('of what is used once leads nobody anywhere', async () => {
    const broken = await startConnectApp();
    try {
      const browser = broken.agent();
      await broken.signIn(browser);
      const page = await browser.open(PAGE);
      Object.assign(broken.ports.records, { create: down });
      expect((await press(browser, page, /^Connect at/)).status).toBe(503);
    } finally {
      await broken.close();
    }
  });
});

describe('for programs', () => {
  test('a user’s own connections are listed, without a token', async () => {
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track'));
    const response = await app.call('/connections');
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await response.json()).toEqual({
      connections: [
        {
          provider: 'track',
          status: 'active',
          account: { id: 'a-1', name: 'ada@track.example' },
          scopes: ['offline_access', 'read:orders'],
          connected_at: NOW_SECONDS,
          refreshed_at: NOW_SECONDS,
        },
      ],
      providers: [
        { name: 'track', display_name: 'Track' },
        { name: 'mail', display_name: 'Mail' },
      ],
    });
    const other = await app.call('/connections', {}, { sub: 'company:u-2' });
    expect(await other.json()).toMatchObject({ connections: [] });
  });

  test('a page to open is given, for this user and the provider’s own scopes', async () => {
    const response = await app.call('/connections/track', { method: 'POST' });
    const url = String(Reflect.get(Object(await response.json()), 'url'));
    expect(url).toMatch(new RegExp(`^${PAGE}\\?t=`));
    expect((await begin(await signedIn(), url)).get('scope')).toBe('offline_access read:orders');
    expect((await (await signedIn('u-2')).open(url)).status).toBe(403);
  });

  test('a connection ends, and the record is before', async () => {
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track'));
    const response = await app.call('/connections/track', { method: 'DELETE' });
    expect([response.status, await response.json()]).toEqual([200, { revoked: true }]);
    expect(app.login.app.records).toMatchObject([
      { area: 'connection', decision: 'allow', reason: 'disconnect', name: 'track', client_id: 'desk' },
      { area: 'connection', event: 'outcome', reason: 'disconnected: revoked by the provider' },
    ]);
    expect(app.disconnected).toEqual([OWNER]);
  });

  test('a connection ends whose provider is another organisation’s by now, or off', async () => {
    for (const name of ['beta-only', 'ghost']) {
      app.vault.set(placeOf(OWNER, name), connectionOf(name));
      expect((await app.call(`/connections/${name}`, { method: 'DELETE' })).status).toBe(200);
      expect(app.vault.size).toBe(0);
    }
    const path = `/connections/${encodeURIComponent('no#name')}`;
    expect((await app.call(path, { method: 'DELETE' })).status).toBe(404);
  });

  test.for([
    ['DELETE', '/connections/track', {}, 404],
    ['DELETE', '/connections/ghost', {}, 404],
    ['DELETE', '/connections/beta-only', {}, 404],
    ['POST', '/connections/ghost', {}, 404],
    ['POST', '/connections/beta-only', {}, 404],
    ['GET', '/connections', { sub: 'desk' }, 403],
    ['POST', '/connections/track', { sub: 'desk' }, 403],
    ['DELETE', '/connections/mail', { sub: 'desk' }, 403],
  ] as const)('%s %s of %j is %i', async ([method, path, claims, status]) => {
    app.vault.set(placeOf({ ...OWNER, subject: 'company:u-2' }, 'track'), connectionOf('track'));
    const response = await app.call(path, { method }, claims);
    expect(response.status).toBe(status);
    expect(app.login.app.records).toMatchObject([{ area: 'connection', decision: 'deny' }]);
    expect(app.disconnected).toEqual([]);
  });

  test('who acts for a user by another token ends nothing', async () => {
    app.vault.set(placeOf(OWNER, 'track'), connectionOf('track'));
    const claims = { act: { sub: 'desk' } };
    expect((await app.call('/connections', {}, claims)).status).toBe(200);
    expect((await app.call('/connections/track', { method: 'DELETE' }, claims)).status).toBe(403);
    expect(app.disconnected).toEqual([]);
  });

  test('an outage of the vault is one', async () => {
    app.isDown = true;
    expect((await app.call('/connections')).status).toBe(503);
    expect((await app.call('/connections/track', { method: 'DELETE' })).status).toBe(503);
  });

  test('the pages take no token, and the rest takes nothing else', async () => {
    expect((await app.call('/connect')).status).toBe(303);
    const browser = await signedIn();
    expect((await browser.open(`${ORIGIN}/connections`)).status).not.toBe(200);
  });
});
