import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agreeAtProvider, openPage } from '../support/browser-page.ts';
import { CHROMIUM, launchChromium } from '../support/chromium.ts';
import { type ConnectCloud, startConnectCloud, userBrowser } from '../support/connect-cloud.ts';
import { findWeakContrast } from '../support/contrast.ts';
import { listenWeb, type WebListener } from '../support/web-listener.ts';

describe.runIf(CHROMIUM !== undefined)('in Chromium', () => {
  let running: ConnectCloud;
  let chromium: Browser;
  /** A site of somebody else. */
  let elsewhere: WebListener;
  let foreignPage = '';
  let token = '';
  let ownToken = '';

  beforeAll(async () => {
    const html = { headers: { 'content-type': 'text/html' } };
    elsewhere = await listenWeb(() => Promise.resolve(new Response(foreignPage, html)));
    running = await startConnectCloud();
    token = await running.userToken(userBrowser(), 'ada', 'parcels');
    ownToken = await running.userToken(userBrowser(), 'ada');
    chromium = await launchChromium();
  });
  afterAll(async () => {
    await chromium?.close();
    await elsewhere?.close();
    await running?.close();
  });
  afterEach(async () => {
    await api('DELETE');
  });

  function api(method: string): Promise<Response> {
    const headers = { authorization: `Bearer ${ownToken}` };
    return fetch(`${running.cloud.origin}/connections/carrier`, { method, headers });
  }

  async function connectUrl(): Promise<string> {
    const { url } = JSON.parse(await (await api('POST')).text());
    return url;
  }

  const open = (options: BrowserContextOptions = {}) => openPage(chromium, options);

  async function signIn(page: Page, user = 'ada'): Promise<void> {
    await page.getByRole('button', { name: 'Sign in with Company' }).click();
    await agreeAtProvider(page, user);
  }

  async function connect(page: Page, user = 'ada'): Promise<void> {
    await page.getByRole('button', { name: 'Connect at Carrier' }).click();
    await agreeAtProvider(page, user);
    await page.getByRole('heading', { name: 'Carrier is connected' }).waitFor();
  }

  test('a call asks, its user signs in, connects at a third party, and the call succeeds; without a script', async () => {
    const { page, complaints } = await open({ javaScriptEnabled: false });
    const client = new Client(
      { name: 'desk', version: '1' },
      { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    let isOpened = false;
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      if (!isOpened) {
        isOpened = true;
        await page.goto(String(Reflect.get(params, 'url')));
        await signIn(page);
        await connect(page);
      }
      return { action: 'accept' };
    });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    const endpoint = new URL(`${running.cloud.origin}/parcels/mcp`);
    await client.connect(new StreamableHTTPClientTransport(endpoint, { requestInit }));
    const result = await client.callTool({ name: 'track', arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: 'parcels/track' }]);
    await client.close();
    expect(complaints).toEqual([]);
  });

  test('a connection ends on its page, and with it the session by signing out', async () => {
    const { page, context, complaints } = await open();
    await page.goto(`${running.cloud.origin}/connect`);
    await signIn(page);
    await page.getByRole('link', { name: 'Carrier' }).click();
    await connect(page);
    await page.getByRole('link', { name: 'All your connections' }).click();
    expect(await page.getByRole('listitem').textContent()).toContain('connected (ada)');
    await page.getByRole('link', { name: 'Carrier' }).click();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('heading', { name: 'Carrier is disconnected' }).waitFor();
    expect(await page.getByRole('main').textContent()).toContain('has ended it');
    await page.getByRole('link', { name: 'All your connections' }).click();
    await page.getByRole('link', { name: 'Sign out' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign out?');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(
      (await context.cookies()).filter(({ name }) => name.startsWith('__Host-sallyport_session')),
    ).toEqual([]);
    await page.goto(`${running.cloud.origin}/connect`);
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(complaints).toEqual([]);
  });

  test('a page of another site signs nobody out', async () => {
    const { page, context } = await open();
    await page.goto(`${running.cloud.origin}/connect`);
    await signIn(page);
    await page.waitForURL(/\/connect$/);
    foreignPage = `<form method="post" action="${running.cloud.origin}/logout"><button>Win</button></form>`;
    await page.goto(`http://localhost:${elsewhere.port}/`);
    const answered = page.waitForResponse((response) => response.url().endsWith('/logout'));
    await page.getByRole('button').click();
    expect((await answered).status()).toBe(403);
    expect((await context.cookies()).some(({ name }) => name === '__Host-sallyport_session')).toBe(true);
  });

  test('a link of another user asks nothing, and offers to sign in as the right one', async () => {
    const url = await connectUrl();
    const { page } = await open();
    await page.goto(url);
    await signIn(page, 'bob');
    await page.getByRole('heading', { name: 'This link is for somebody else' }).waitFor();
    expect(await page.getByRole('button').count()).toBe(0);
    await page.getByRole('link', { name: 'sign in as the user that you are there' }).click();
    await page.getByRole('button', { name: 'Sign in as somebody else at Company' }).click();
    await agreeAtProvider(page, 'ada');
    await page.getByRole('heading', { name: 'Connect your account at Carrier?' }).waitFor();
  });

  test('an answer that was begun in another browser connects nothing', async () => {
    const attacker = await open();
    let stolen = '';
    attacker.page.on('request', (request) => {
      if (request.url().startsWith(`${running.cloud.origin}/connect/carrier/callback`))
        stolen = request.url();
    });
    await attacker.page.goto(`${running.cloud.origin}/connect/carrier`);
    await signIn(attacker.page, 'bob');
    await connect(attacker.page, 'bob');
    expect(stolen).toContain('code=');
    const victim = await open();
    await victim.page.goto(`${running.cloud.origin}/connect`);
    await signIn(victim.page);
    await victim.page.waitForURL(/\/connect$/);
    await victim.page.goto(stolen);
    expect(await victim.page.title()).toContain('This is not the browser that began');
    expect((await api('DELETE')).status).toBe(404);
  });

  test.for(['localhost', '127.0.0.1'])(
    'a page at %s neither frames the question nor answers it, not even with a ticket that it has seen',
    async (host) => {
      const { page } = await open();
      await page.goto(`${running.cloud.origin}/connect/carrier`);
      await signIn(page);
      const ticket = await page.locator('input[name=ticket]').inputValue();
      const action = `${running.cloud.origin}/connect/carrier`;
      foreignPage = `<iframe src="${action}"></iframe><form method="post" action="${action}">
      <input name="ticket" value="${ticket}"><button name="answer" value="connect">Win a prize</button></form>`;
      await page.goto(`http://${host}:${elsewhere.port}/`);
      const [, frame] = page.frames();
      await frame?.waitForLoadState().catch(() => {});
      expect(await frame?.getByRole('button').count()).toBe(0);
      const answered = page.waitForResponse(
        (response) => response.request().method() === 'POST' && response.url() === action,
      );
      await page.getByRole('button').click();
      expect((await answered).status()).toBe(403);
    },
  );

  test('every page has a language, a title, one heading, names for its controls, fits and can be read', async () => {
    const { page, complaints } = await open();
    const look = async (url: string) => {
      await page.goto(url);
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await page.title()).toMatch(/ – Sallyport$/);
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      for (const button of await page.getByRole('button').all()) {
        expect((await button.textContent())?.trim()).not.toBe('');
        expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
      }
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await page.evaluate(findWeakContrast)).toEqual([]);
      }
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 640 });
        const scrollWidth = await page.evaluate(
          () => Reflect.get(globalThis, 'document').documentElement.scrollWidth,
        );
        expect(scrollWidth).toBeLessThanOrEqual(width);
      }
    };
    const { origin } = running.cloud;
    await look(`${origin}/login?return_to=%2Fconnect`);
    await signIn(page);
    await page.waitForURL(/\/connect$/);
    await look(`${origin}/login?return_to=%2Fconnect%2Fcarrier`);
    await look(`${origin}/connect`);
    await look(await connectUrl());
    await connect(page);
    await look(`${origin}/connect/carrier`);
    await look(`${origin}/connect/carrier?t=forged`);
    expect(complaints).toEqual([]);
  });
});
