import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { type LoginApp, startLoginApp } from '../support/login-app.ts';
import { ORIGIN } from '../support/test-issuer.ts';

const COOKIE = '__Host-sallyport_session';
const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));

let login: LoginApp;

beforeAll(async () => {
  login = await startLoginApp();
});
afterAll(() => login?.close());
beforeEach(() => {
  login.app.records.length = 0;
});

/** A browser in which somebody has just logged in, and the cookie that it has of that. */
async function signedIn() {
  const browser = login.agent();
  await login.login(browser);
  login.app.records.length = 0;
  return { browser, session: browser.cookies(ORIGIN).get(COOKIE) ?? '' };
}

describe('signing out', () => {
  test('is asked for on a page of its own, and ends the session for good', async () => {
    const { browser, session } = await signedIn();
    const page = await browser.open(`${ORIGIN}/logout`);
    expect([page.status, page.text]).toEqual([
      200,
      expect.stringMatching(/You are signed in here as <strong>/),
    ]);
    expect(page.headers.get('content-security-policy')).toContain(
      "form-action 'self'; frame-ancestors 'none'",
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(browser.cookies(ORIGIN).get(COOKIE)).toBe(session);
    const done = await browser.submit(page);
    expect([done.status, done.text]).toEqual([200, expect.stringMatching(/You are signed out/)]);
    expect(browser.cookies(ORIGIN).has(COOKIE)).toBe(false);
    expect(login.app.records).toMatchObject([
      { area: 'login', decision: 'allow', reason: 'signed_out', org_id: 'acme', kind: 'user' },
    ]);
    // Whoever kept the cookie has nothing of it.
    browser.setCookie(ORIGIN, COOKIE, session);
    expect((await browser.open(`${ORIGIN}/logout`)).text).toMatch(/Nobody is signed in/);
  });

  test('leaves other browsers signed in, and what applications were given', async () => {
    const [one, other] = [await signedIn(), await signedIn()];
    await one.browser.submit(await one.browser.open(`${ORIGIN}/logout`));
    expect((await other.browser.open(`${ORIGIN}/logout`)).text).toMatch(/You are signed in here/);
    expect(login.app.revoked).toEqual([]);
  });

  test('where nobody is signed in says so, and records nothing', async () => {
    const browser = login.agent();
    const page = await browser.open(`${ORIGIN}/logout`);
    expect([page.status, page.text]).toEqual([200, expect.not.stringContaining('<form')]);
    expect(login.app.records).toEqual([]);
  });

  test('twice at once ends it once, and both say so', async () => {
    const { browser } = await signedIn();
    const page = await browser.open(`${ORIGIN}/logout`);
    const both = await Promise.all([browser.submit(page), browser.submit(page)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
  });

  test.for<readonly [string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a site beside ours', { 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' }],
    ['a link', { 'sec-fetch-site': 'none' }],
    ['what does not say where it comes from', {}],
  ])('is not done for %s', async ([, headers]) => {
    const { browser, session } = await signedIn();
    const response = await login.app.fetch('/logout', {
      method: 'POST',
      headers: { ...headers, cookie: `${COOKIE}=${session}` },
    });
    const isRefused = headers['sec-fetch-site'] !== 'same-origin';
    expect([response.status, isRefused]).toEqual([403, true]);
    expect((await browser.open(`${ORIGIN}/logout`)).text).toMatch(/You are signed in here/);
  });

  test('is told as an outage where the session cannot be read or ended, and can be tried again', async () => {
    const { browser, session } = await signedIn();
    const { read, replace } = login.app.ports.records;
    onTestFinished(() => void Object.assign(login.app.ports.records, { read, replace }));
    const page = await browser.open(`${ORIGIN}/logout`);
    for (const broken of [{ read: down }, { read, replace: down }]) {
      Object.assign(login.app.ports.records, broken);
      expect((await browser.submit(page)).status).toBe(503);
    }
    Object.assign(login.app.ports.records, { read: down });
    expect((await browser.open(`${ORIGIN}/logout`)).status).toBe(503);
    Object.assign(login.app.ports.records, { read, replace });
    expect(browser.cookies(ORIGIN).get(COOKIE)).toBe(session);
    expect((await browser.submit(page)).status).toBe(200);
  });

  test('does not wait for its record', async () => {
    const { browser } = await signedIn();
    const { write } = login.app.ports.audit;
    onTestFinished(() => void Object.assign(login.app.ports.audit, { write }));
    Object.assign(login.app.ports.audit, { write: down });
    expect((await browser.submit(await browser.open(`${ORIGIN}/logout`))).text).toMatch(/You are signed out/);
  });

  test('shows a name as text', async () => {
    login.company.claims = { email: '<b>"Ann"</b>' };
    const { browser } = await signedIn();
    login.company.claims = {};
    expect((await browser.open(`${ORIGIN}/logout`)).text).toContain('&lt;b&gt;&quot;Ann&quot;&lt;/b&gt;');
  });
});
