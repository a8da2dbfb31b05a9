import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrowserAgent } from '../support/browser-agent.ts';
import {
  APP_REDIRECT,
  companyBrowser,
  type LoginCloud,
  logInAs,
  startLoginCloud,
} from '../support/login-cloud.ts';
import { secretOf } from '../support/sallyport.ts';
import { KeptLogin } from '../support/sdk-login.ts';

let running: LoginCloud;

beforeAll(async () => {
  running = await startLoginCloud({
    secretClients: {
      workbench: {
        org: 'acme',
        auth: 'client_secret_basic',
        secret: { ref: 'sallyport/{stage}/clients/workbench' },
        grants: ['authorization_code', 'refresh_token'],
        scopes: ['desk/read', 'desk/execute'],
        redirect_uris: [APP_REDIRECT],
        audience: 'gateway',
      },
    },
  });
});
afterAll(() => running?.close());

const endpoint = () => new URL(`${running.cloud.origin}/prices/mcp`);

/** The user logs in where the client was told to send it; the answer as the client gets it. */
async function answerOf(provider: KeptLogin, user: string): Promise<URLSearchParams> {
  const end = await logInAs(companyBrowser(), user, provider.authorizationUrl);
  return new URL(end.url).searchParams;
}

describe('an official client finds everything from the 401, its user logs in, and it calls a tool', () => {
  test('SDK 2.x', async () => {
    const authProvider = new KeptLogin('desk-app');
    const first = new StreamableHTTPClientTransport(endpoint(), { authProvider });
    await expect(new Client({ name: 'desk', version: '1.0.0' }).connect(first)).rejects.toThrow();
    const answer = await answerOf(authProvider, 'ada');
    expect(Object.fromEntries(answer)).toEqual({
      code: expect.any(String),
      state: 'the-state-of-the-client',
      iss: running.cloud.origin,
    });
    await first.finishAuth(answer);
    const client = new Client({ name: 'desk', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(endpoint(), { authProvider }));
    const called = await client.callTool({ name: 'latest', arguments: {} });
    expect(called.content).toEqual([{ type: 'text', text: 'prices/latest' }]);
    await client.close();
    expect(decodeJwt(authProvider.tokens()?.access_token ?? '')).toMatchObject({
      sub: 'company:ada',
      client_id: 'desk-app',
      org_id: 'acme',
      aud: endpoint().href,
      scope: 'desk/read desk/execute',
      groups: ['traders'],
      auth_time: expect.any(Number),
    });
  });

  test('SDK 1.x', async () => {
    const authProvider = new KeptLogin('desk-app');
    const first = new TransportV1(endpoint(), { authProvider });
    await expect(new ClientV1({ name: 'desk', version: '1.0.0' }).connect(first)).rejects.toThrow();
    await first.finishAuth((await answerOf(authProvider, 'ada')).get('code') ?? '');
    const client = new ClientV1({ name: 'desk', version: '1.0.0' });
    await client.connect(new TransportV1(endpoint(), { authProvider }));
    const called = await client.callTool({ name: 'latest', arguments: {} });
    expect(called.content).toEqual([{ type: 'text', text: 'prices/latest' }]);
    await client.close();
  });
});

/** openid-client as the party that asks; `clientId` decides how it authenticates. */
async function begin(clientId: 'desk-app' | 'workbench', parameters: Readonly<Record<string, string>> = {}) {
  const isPublic = clientId === 'desk-app';
  const auth = isPublic ? openid.None() : openid.ClientSecretBasic(secretOf(clientId));
  const configuration = await openid.discovery(new URL(running.cloud.origin), clientId, undefined, auth, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedState = openid.randomState();
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: APP_REDIRECT,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    ...(isPublic ? { resource: endpoint().href } : {}),
    ...parameters,
  });
  return {
    url: url.href,
    redeem: (answer: string) =>
      openid.authorizationCodeGrant(configuration, new URL(answer), { pkceCodeVerifier, expectedState }),
  };
}

describe('openid-client, which checks state and iss,', () => {
  test.for(['desk-app', 'workbench'] as const)('gets a token for a user through %s', async (clientId) => {
    const { url, redeem } = await begin(clientId);
    const end = await logInAs(companyBrowser(), 'bob', url);
    const tokens = await redeem(end.url);
    expect(tokens).toMatchObject({
      token_type: 'bearer',
      scope: 'desk/read',
      refresh_token: expect.any(String),
    });
    const audience = clientId === 'workbench' ? running.cloud.origin : endpoint().href;
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      sub: 'company:bob',
      aud: audience,
      groups: ['readers'],
    });
  });

  test('is told why a user of no group gets nothing', async () => {
    const { url, redeem } = await begin('desk-app');
    const end = await logInAs(companyBrowser(), 'eve', url);
    await expect(redeem(end.url)).rejects.toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('group_mappings'),
    });
  });

  test('is told when the user does not want it', async () => {
    const { url, redeem } = await begin('desk-app');
    const browser = companyBrowser();
    const end = await browser.submit(await browser.open(url), (text) => text === 'Do not allow');
    await expect(redeem(end.url)).rejects.toMatchObject({ error: 'access_denied' });
  });

  test('gets a second code in the same browser with consent alone', async () => {
    const browser = companyBrowser();
    await logInAs(browser, 'ada', (await begin('desk-app')).url);
    browser.visited.length = 0;
    const { url, redeem } = await begin('workbench', { scope: 'desk/read' });
    const page = await browser.open(url);
    expect(page.text).toContain('ada@company.example (Company)');
    const tokens = await redeem((await browser.submit(page)).url);
    expect(tokens.scope).toBe('desk/read');
    expect(browser.visited.every((visited) => visited.startsWith(running.cloud.origin))).toBe(true);
  });
});

describe('through the API as it is deployed', () => {
  test('a page keeps its headers and cookies, and a parameter that comes twice stays two', async () => {
    const { url } = await begin('desk-app');
    const page = await fetch(url);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-sallyport_browser=.*; Secure; HttpOnly; SameSite=Lax$/),
    ]);
    const twice = await fetch(`${url}&client_id=desk-app`, { redirect: 'manual' });
    expect([twice.status, twice.headers.get('location')]).toEqual([400, null]);
  });

  test('a host or a proxy that a request names changes nothing that is written', async () => {
    const { url } = await begin('desk-app');
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    expect(await (await fetch(url, { headers })).text()).not.toContain('evil.example');
    const denied = await fetch(`${url}&response_type=token`, { headers, redirect: 'manual' });
    expect(denied.headers.get('location')).toContain(`iss=${encodeURIComponent(running.cloud.origin)}`);
  });

  test('the records say who let whom in, and hold no code, no state and no token', async () => {
    const { url, redeem } = await begin('desk-app');
    const browser = companyBrowser();
    const end = await logInAs(browser, 'ada', url);
    const tokens = await redeem(end.url);
    const records = running.cloud.audit().filter(({ area }) => area === 'login');
    expect(records).toContainEqual(
      expect.objectContaining({
        decision: 'allow',
        reason: 'code_issued',
        subject: 'company:ada',
        client_id: 'desk-app',
      }),
    );
    const text = JSON.stringify(running.cloud.audit()) + running.cloud.logOf('issuer');
    const secrets = [
      tokens.access_token,
      new URL(end.url).searchParams.get('code'),
      ...browser.cookies(running.cloud.origin).values(),
      ...browser.visited.flatMap((visited) => new URL(visited).searchParams.get('code') ?? []),
      ...browser.visited.flatMap((visited) => new URL(visited).searchParams.get('code_challenge') ?? []),
    ];
    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

describe('without what it needs', () => {
  test('a store that takes nothing: the browser is told to try again, and led nowhere', async () => {
    const { url } = await begin('desk-app');
    const browser = companyBrowser();
    const page = await browser.open(url);
    await running.cloud.fault({ service: 'dynamodb', operation: 'PutItem', mode: 'error', duration_s: 20 });
    try {
      const shown = await browser.submit(page);
      expect([shown.status, shown.headers.get('location')]).toEqual([503, null]);
      expect(shown.text).toContain('Try again in a moment');
    } finally {
      await running.cloud.clearFaults();
    }
  });

  test('a provider that went away during the login: the client is told so', async () => {
    const { url } = await begin('desk-app');
    const callback = `${running.cloud.origin}/oauth/callback/`;
    let isHeld = true;
    const browser = new BrowserAgent(
      (at) => at.startsWith(APP_REDIRECT) || (isHeld && at.startsWith(callback)),
    );
    const held = await logInAs(browser, 'ada', url);
    expect(held.url.startsWith(callback)).toBe(true);
    running.idp.shut();
    isHeld = false;
    const end = await browser.open(held.url);
    running.idp.open(running.cloud.origin);
    expect(Object.fromEntries(new URL(end.url).searchParams)).toMatchObject({
      error: 'temporarily_unavailable',
      iss: running.cloud.origin,
    });
  });
});
