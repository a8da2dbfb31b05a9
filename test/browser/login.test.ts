import { createHash } from 'node:crypto';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agreeAtProvider, openPage } from '../support/browser-page.ts';
import { CHROMIUM, launchChromium } from '../support/chromium.ts';
import { findWeakContrast } from '../support/contrast.ts';
import { type LoginCloud, startLoginCloud } from '../support/login-cloud.ts';
import { listenWeb, type WebListener } from '../support/web-listener.ts';

const VERIFIER = 'v'.repeat(43);
const SCHEME_REDIRECT = 'com.example.desk:/callback';

describe.runIf(CHROMIUM !== undefined)('in Chromium', () => {
  let running: LoginCloud;
  let chromium: Browser;
  /** The application to which codes go, and a site of somebody else. */
  let app: WebListener;
  let elsewhere: WebListener;
  let foreignPage = '';

  beforeAll(async () => {
    const titled = (text: string) => new Response(text, { headers: { 'content-type': 'text/html' } });
    app = await listenWeb(() => Promise.resolve(titled('<title>back at the application</title>')));
    elsewhere = await listenWeb(() => Promise.resolve(titled(foreignPage)));
    running = await startLoginCloud({
      clients: {
        'scheme-app': {
          org: 'acme',
          auth: 'none',
          grants: ['authorization_code'],
          scopes: ['desk/read'],
          redirect_uris: [SCHEME_REDIRECT],
        },
      },
    });
    chromium = await launchChromium();
  });
  afterAll(async () => {
    await chromium?.close();
    await Promise.all([app?.close(), elsewhere?.close()]);
    await running?.close();
  });

  function authorizeUrl(changes: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'desk-app',
      redirect_uri: `http://127.0.0.1:${app.port}/callback`,
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      resource: `${running.cloud.origin}/prices/mcp`,
      state: 'client-state',
      ...changes,
    });
    return `${running.cloud.origin}/oauth/authorize?${query}`;
  }

  const open = (options: BrowserContextOptions = {}) => openPage(chromium, options);

  async function logIn(page: Page, user = 'ada'): Promise<void> {
    await page.getByRole('button', { name: 'Allow and sign in with Company' }).click();
    await agreeAtProvider(page, user);
  }

  test('a user consents, logs in, and the application gets its code; without a script', async () => {
    const { page, context, complaints } = await open({ javaScriptEnabled: false });
    await page.goto(authorizeUrl());
    await logIn(page);
    await page.waitForURL(/:\d+\/callback\?code=/);
    expect(await page.title()).toBe('back at the application');
    const answer = Object.fromEntries(new URL(page.url()).searchParams);
    expect(answer).toEqual({ code: expect.any(String), state: 'client-state', iss: running.cloud.origin });
    const cookies = (await context.cookies()).filter(({ name }) => name.startsWith('__Host-'));
    expect(
      cookies
        .map(({ name, httpOnly, secure, sameSite, path }) => [name, httpOnly, secure, sameSite, path])
        .sort(),
    ).toEqual([
      ['__Host-sallyport_browser', true, true, 'Lax', '/'],
      ['__Host-sallyport_session', true, true, 'Lax', '/'],
    ]);
    expect(complaints).toEqual([]);
  });

  test('the form may lead through the provider and on to the application in one go', async () => {
    const { page, context, complaints } = await open();
    await page.goto(authorizeUrl());
    await logIn(page);
    await page.waitForURL(/:\d+\/callback\?code=/);
    // With the session at the provider alone there is no page on the way any more: one chain of redirects that begins with our form.
    await context.clearCookies({ name: '__Host-sallyport_session' });
    await page.goto(authorizeUrl({ state: 'second' }));
    await page.getByRole('button', { name: 'Allow and sign in with Company' }).click();
    await page.waitForURL(/:\d+\/callback\?code=.*state=second/);
    await page.goto(authorizeUrl({ state: 'third' }));
    await page.getByRole('button', { name: 'Allow as ada@company.example' }).click();
    await page.waitForURL(/:\d+\/callback\?code=.*state=third/);
    expect(complaints).toEqual([]);
  });

  test('the form may lead to an application of its own scheme', async () => {
    const { page, complaints } = await open();
    await page.goto(authorizeUrl({ client_id: 'scheme-app', redirect_uri: SCHEME_REDIRECT }));
    // Nothing on this machine opens such links, so that the browser stays where it is; what it says of the way there is what counts.
    await page.getByRole('button', { name: 'Do not allow' }).click({ noWaitAfter: true });
    const isDenied = () =>
      running.cloud
        .audit()
        .some(({ reason, client_id }) => reason === 'access_denied: user' && client_id === 'scheme-app');
    await expect.poll(isDenied).toBe(true);
    await page.waitForTimeout(300);
    expect(complaints).toEqual([]);
  });

  test('no other site can frame the page', async () => {
    const { page } = await open();
    foreignPage = `<iframe src="${authorizeUrl().replaceAll('&', '&amp;')}"></iframe>`;
    for (const host of ['localhost', '127.0.0.1']) {
      await page.goto(`http://${host}:${elsewhere.port}/`);
      const [, frame] = page.frames();
      await frame?.waitForLoadState().catch(() => {});
      expect(await frame?.getByRole('button').count()).toBe(0);
    }
  });

  test.for(['localhost', '127.0.0.1'])(
    'a page at %s cannot answer for the user, not even with a ticket that it has seen',
    async (host) => {
      const { page } = await open();
      await page.goto(authorizeUrl());
      const ticket = await page.locator('input[name=ticket]').inputValue();
      foreignPage = `<form method="post" action="${running.cloud.origin}/oauth/consent">
      <input name="ticket" value="${ticket}"><button name="answer" value="idp:company">Win a prize</button></form>`;
      await page.goto(`http://${host}:${elsewhere.port}/`);
      const answered = page.waitForResponse((response) => response.url().endsWith('/oauth/consent'));
      await page.getByRole('button').click();
      expect((await answered).status()).toBe(403);
      await page.waitForLoadState();
      expect(await page.title()).toContain('This did not come from our page');
    },
  );

  test('an answer that was begun in another browser logs nobody in', async () => {
    const attacker = await open();
    let stolen = '';
    attacker.page.on('request', (request) => {
      if (request.url().startsWith(`${running.cloud.origin}/oauth/callback/`)) stolen = request.url();
    });
    await attacker.page.goto(authorizeUrl());
    await logIn(attacker.page);
    await attacker.page.waitForURL(/:\d+\/callback\?code=/);
    expect(stolen).toContain('state=');
    const victim = await open();
    await victim.page.goto(stolen);
    expect(await victim.page.title()).toContain('This is not the browser that began');
    expect((await victim.context.cookies()).filter(({ name }) => name.includes('session'))).toEqual([]);
  });

  const PAGES = [
    ['the question', () => authorizeUrl()],
    [
      'the question of somebody unknown',
      () =>
        authorizeUrl({
          scope: 'desk/read',
          resource: `${running.cloud.origin}/a_server_with_a_name_that_is_long_and_has_no_place_to_break_it/mcp`,
        }),
    ],
    ['a refusal', () => authorizeUrl({ client_id: 'ghost' })],
  ] as const;

  describe.for(PAGES)('%s', ([, url]) => {
    test('is laid out as it is meant, by the one style sheet that it allows', async () => {
      const { page, complaints } = await open();
      await page.goto(url());
      expect(
        await page
          .locator('main')
          .evaluate((main) => Reflect.get(globalThis, 'getComputedStyle')(main).borderRadius),
      ).toBe('12px');
      expect(complaints).toEqual([]);
    });

    test('has a language, a title, one heading, and a name for every control', async () => {
      const { page } = await open();
      await page.goto(url());
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await page.title()).toMatch(/ – Sallyport$/);
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      expect(await page.getByRole('main').count()).toBe(1);
      for (const button of await page.getByRole('button').all()) {
        expect((await button.textContent())?.trim()).not.toBe('');
        expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
      }
    });

    test.for(['light', 'dark'] as const)('can be read in %s', async (colorScheme) => {
      const { page } = await open({ colorScheme });
      await page.goto(url());
      expect(await page.evaluate(findWeakContrast)).toEqual([]);
    });

    test.for([320, 1280])('fits a screen of %i pixels', async (width) => {
      const { page } = await open({ viewport: { width, height: 640 } });
      await page.goto(url());
      const scrollWidth = await page.evaluate(
        () => Reflect.get(globalThis, 'document').documentElement.scrollWidth,
      );
      expect(scrollWidth).toBeLessThanOrEqual(width);
    });
  });

  test('can be answered by the keyboard, and shows where it is', async () => {
    const { page } = await open();
    await page.goto(authorizeUrl());
    const focused: string[] = [];
    for (let step = 0; step < 2; step += 1) {
      await page.keyboard.press('Tab');
      focused.push((await page.locator(':focus').textContent()) ?? '');
      const outline = await page
        .locator(':focus')
        .evaluate((element) => Reflect.get(globalThis, 'getComputedStyle')(element).outlineStyle);
      expect(outline).toBe('solid');
    }
    expect(focused).toEqual(['Allow and sign in with Company', 'Do not allow']);
    await page.keyboard.press('Enter');
    await page.waitForURL(/callback\?error=access_denied/);
  });
});
