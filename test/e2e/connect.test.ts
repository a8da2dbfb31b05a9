import {
  Client,
  StreamableHTTPClientTransport,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UrlElicitationRequiredError as UrlElicitationRequiredErrorV1 } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../cli/terminal.ts';
import type { BrowserAgent } from '../support/browser-agent.ts';
import { type ConnectCloud, startConnectCloud, userBrowser } from '../support/connect-cloud.ts';
import { startCommand } from '../support/started-command.ts';

let running: ConnectCloud;
let browser: BrowserAgent;
let token = '';
let ownToken = '';

beforeAll(async () => {
  running = await startConnectCloud();
  browser = userBrowser();
  token = await running.userToken(browser, 'ada', 'parcels');
  ownToken = await running.userToken(browser, 'ada');
});
afterAll(() => running?.close());
afterEach(async () => {
  await call('/connections/carrier', 'DELETE');
  running.upstream.seen.length = 0;
});

const endpoint = () => new URL(`${running.cloud.origin}/parcels/mcp`);
const withToken = () => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

function call(path: string, method = 'GET'): Promise<Response> {
  const headers = { authorization: `Bearer ${ownToken}` };
  return fetch(running.cloud.origin + path, { method, headers });
}

/** The user opens what the client was told to open, in a browser, and does what is asked there. */
async function connectAt(url: string, user = 'ada', by = browser): Promise<string> {
  expect(url).toMatch(new RegExp(`^${running.cloud.origin}/connect/carrier\\?t=`));
  return (await running.goThrough(by, await by.open(url), user)).text;
}

/** A client of the stateless era that can have its user open a URL. */
const asking = () =>
  new Client(
    { name: 'desk', version: '1' },
    { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );

const messagesSeen = () =>
  running.upstream.seen.map(({ body }) => String(Reflect.get(JSON.parse(body), 'method')));

const lastAuthorization = () => running.upstream.seen.at(-1)?.headers.authorization;

describe('a call that lacks a connection asks for it, and succeeds once there is one', () => {
  test('SDK 2.x in the stateless era: asked within the call, which waits for the user', async () => {
    const client = asking();
    const asked: unknown[] = [];
    let connecting: Promise<string> | undefined;
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      asked.push(params);
      // Clients agree as soon as the user has, and send the request again at once.
      connecting ??= connectAt(String(Reflect.get(params, 'url')));
      return { action: 'accept' };
    });
    await client.connect(new StreamableHTTPClientTransport(endpoint(), withToken()));
    const result = await client.callTool({ name: 'track', arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: 'parcels/track' }]);
    await client.close();
    expect(await connecting).toContain('Carrier is connected');
    expect(asked[0]).toEqual({
      mode: 'url',
      message: 'Connect your account at Carrier: this call is made in your name there.',
      url: expect.stringContaining('/connect/carrier?t='),
    });
    const [, access = ''] = /^Bearer (.+)$/.exec(lastAuthorization() ?? '') ?? [];
    expect(access).toMatch(/^[A-Za-z0-9_-]{43}$/);
    // What was between us and the client is none of the server's business.
    expect(running.upstream.seen.map(({ body }) => body).join()).not.toMatch(/requestState|inputResponses/);
  });

  test('SDK 2.x in the stateless era: who declines is not asked again', async () => {
    const client = asking();
    let asked = 0;
    client.setRequestHandler('elicitation/create', () => {
      asked += 1;
      return { action: 'decline' };
    });
    await client.connect(new StreamableHTTPClientTransport(endpoint(), withToken()));
    await expect(client.callTool({ name: 'track', arguments: {} })).rejects.toMatchObject({
      code: -31002,
      data: { reason: 'failed_precondition', url: expect.stringContaining('/connect/carrier?t=') },
    });
    expect([asked, messagesSeen()]).toEqual([1, ['server/discover']]);
    await client.close();
  });

  test('SDK 2.x in the initialize era: tools are there, and a call is an error with the URL', async () => {
    const client = new Client({ name: 'desk', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(new StreamableHTTPClientTransport(endpoint(), withToken()));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['track']);
    const refused = await client.callTool({ name: 'track' }).catch((error: unknown) => error);
    if (!(refused instanceof UrlElicitationRequiredError)) throw refused;
    // Nobody acts in what came before the call, and it went without a credential.
    expect(messagesSeen()).toEqual(['initialize', 'notifications/initialized', 'tools/list']);
    expect(running.upstream.seen.map(({ headers }) => headers.authorization)).toEqual(
      Array(3).fill(undefined),
    );
    const [asked] = refused.elicitations;
    expect(await connectAt(asked?.url ?? '')).toContain('Carrier is connected');
    expect((await client.callTool({ name: 'track' })).content).toEqual([
      { type: 'text', text: 'parcels/track' },
    ]);
    // The connection ends while the client is connected: the next call asks again, by the same URL.
    await call('/connections/carrier', 'DELETE');
    const again = await client.callTool({ name: 'track' }).catch((error: unknown) => error);
    if (!(again instanceof UrlElicitationRequiredError)) throw again;
    expect(again.elicitations).toEqual(refused.elicitations);
    await connectAt(asked?.url ?? '');
    expect((await client.callTool({ name: 'track' })).isError).toBeFalsy();
    await client.close();
  });

  test('SDK 1.x: the same', async () => {
    const client = new ClientV1({ name: 'desk', version: '1' });
    await client.connect(new TransportV1(endpoint(), withToken()));
    const refused = await client.callTool({ name: 'track' }).catch((error: unknown) => error);
    if (!(refused instanceof UrlElicitationRequiredErrorV1)) throw refused;
    expect(refused.elicitations).toMatchObject([
      { mode: 'url', elicitationId: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/) },
    ]);
    await connectAt(refused.elicitations[0]?.url ?? '');
    expect((await client.callTool({ name: 'track' })).content).toEqual([
      { type: 'text', text: 'parcels/track' },
    ]);
    await client.close();
  });

  test('the record says that it was denied, and why', async () => {
    const client = new ClientV1({ name: 'desk', version: '1' });
    await client.connect(new TransportV1(endpoint(), withToken()));
    await expect(client.callTool({ name: 'track' })).rejects.toThrow(UrlElicitationRequiredErrorV1);
    await client.close();
    const denied = running.cloud
      .audit()
      .filter(({ reason }) => String(reason).startsWith('connection_required'));
    expect(denied.at(-1)).toMatchObject({
      decision: 'deny',
      reason: 'connection_required: not_connected at carrier',
      subject: 'company:ada',
      server: 'parcels',
      method: 'tools/call',
      name: 'track',
    });
  });
});

describe('on the command line', () => {
  test('a user logs in, connects, sees it, and ends it', async () => {
    const at = ['--origin', running.cloud.origin];
    const loggingIn = startCommand(['login', '--client', 'cli', '--no-browser', ...at]);
    await expect.poll(() => loggingIn.notes.at(-1), { timeout: 30_000 }).toMatch(/^http/);
    await running.goThrough(browser, await browser.open(loggingIn.notes.at(-1) ?? ''), 'ada');
    expect(await loggingIn.ended).toBe(0);
    const env = { SALLYPORT_TOKEN: loggingIn.out.join() };
    const connecting = startCommand(['connect', 'carrier', '--no-browser', ...at], env);
    await expect.poll(() => connecting.notes.at(-1), { timeout: 30_000 }).toMatch(/^http/);
    await connectAt(connecting.notes.at(-1) ?? '');
    expect(await connecting.ended).toBe(0);
    expect(connecting.out.join()).toMatch(/^carrier is connected as ada since/);
    expect((await run(['connections', ...at], { env })).out).toMatch(/^carrier {2}connected as ada since/);
    expect((await run(['disconnect', 'carrier', ...at], { env })).out).toContain('the provider has ended it');
    expect((await run(['connections', ...at], { env })).out).toBe('carrier  not connected');
  });
});

describe('a user’s own connections', () => {
  test('are made by the URL that a program is given, listed, and ended at the carrier too', async () => {
    const begun = await call('/connections/carrier', 'POST');
    const { url } = JSON.parse(await begun.text());
    expect(await connectAt(url)).toContain('Carrier is connected');
    const listed = await call('/connections');
    expect(await listed.json()).toEqual({
      connections: [
        {
          provider: 'carrier',
          status: 'active',
          account: expect.objectContaining({ id: 'ada' }),
          scopes: expect.arrayContaining(['parcels.read']),
          connected_at: expect.any(Number),
          refreshed_at: expect.any(Number),
        },
      ],
      providers: [{ name: 'carrier', display_name: 'Carrier' }],
    });
    const before = running.carrier.revoked.length;
    expect(await (await call('/connections/carrier', 'DELETE')).json()).toEqual({ revoked: true });
    expect(running.carrier.revoked.length).toBeGreaterThan(before);
    expect((await call('/connections/carrier', 'DELETE')).status).toBe(404);
    const words = running.cloud.audit().filter(({ area }) => area === 'connection');
    expect(words.map(({ method, event, reason }) => [method, event, reason])).toEqual(
      expect.arrayContaining([
        ['connect', 'decision', 'connect'],
        ['connect', 'outcome', 'connected'],
        ['disconnect', 'decision', 'disconnect'],
      ]),
    );
    const everything = JSON.stringify(running.cloud.audit()) + running.cloud.logOf('control');
    for (const secret of running.carrier.given) expect(everything).not.toContain(secret);
  });

  test('are nobody else’s: the link of one user connects nothing for another', async () => {
    const { url } = JSON.parse(await (await call('/connections/carrier', 'POST')).text());
    const bob = userBrowser();
    await running.userToken(bob, 'bob');
    const page = await bob.open(url);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('for somebody else')]);
  });

  test('stay the account that they are: another one is refused until they end', async () => {
    const { url } = JSON.parse(await (await call('/connections/carrier', 'POST')).text());
    expect(await connectAt(url)).toContain('Carrier is connected');
    // In another browser of the same user somebody else is signed in at the carrier.
    const other = userBrowser();
    await running.userToken(other, 'ada');
    const page = await other.open(`${running.cloud.origin}/connect/carrier`);
    const asked = await other.submit(page, (text) => text === 'Connect again');
    const end = await running.goThrough(other, asked, 'bob');
    expect([end.status, end.text]).toEqual([409, expect.stringContaining('This is another account')]);
    expect(await (await call('/connections')).json()).toMatchObject({
      connections: [{ account: { id: 'ada' } }],
    });
  });
});
