import {
  Client,
  StreamableHTTPClientTransport,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserAgent } from '../support/browser-agent.ts';
import { type ConnectCloud, startConnectCloud, userBrowser } from '../support/connect-cloud.ts';
import { type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

let upstream: ToolServers;
let api: RecordingServer;
let running: ConnectCloud;
let browser: BrowserAgent;
let token = '';

/** The server `dispatch` needs more of the carrier than `parcels`; `desk` calls the carrier's API by way of the gate. */
beforeAll(async () => {
  upstream = await startToolServers({ dispatch: ['send'], desk: ['look'] });
  api = await startRecordingServer((_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' }).end('{"parcel":"p-1"}');
  });
  const atCarrier = { mode: 'user_oauth', provider: 'carrier' };
  running = await startConnectCloud({
    servers: {
      dispatch: {
        url: upstream.urlOf('dispatch'),
        private: true,
        egress: { ...atCarrier, scopes: ['parcels.read', 'parcels.write'] },
      },
      desk: { url: upstream.urlOf('desk'), private: true, egress: { mode: 'identity' } },
    },
    services: {
      'carrier-api': {
        url: `${api.origin}/api/`,
        private: true,
        used_by: ['desk'],
        egress: atCarrier,
        allow: [{ method: 'GET', path: '/parcels/*' }],
      },
    },
    clients: {
      'desk-server': {
        org: 'acme',
        secret: { ref: 'sallyport/{stage}/clients/desk-server' },
        grants: ['client_credentials'],
        scopes: [],
        audience: 'gateway',
        server: 'desk',
      },
    },
  });
  browser = userBrowser();
  token = await running.userToken(browser, 'ada');
});
afterAll(async () => {
  await running?.close();
  await Promise.all([upstream?.close(), api?.close()]);
});
afterEach(() => call('/connections/carrier', 'DELETE'));

function call(path: string, method = 'GET'): Promise<Response> {
  return fetch(running.cloud.origin + path, { method, headers: { authorization: `Bearer ${token}` } });
}

/** The user opens what it was told to open, and agrees to all that is asked there. */
async function connectAt(url: string): Promise<string> {
  const page = await browser.open(url);
  return page.text + (await running.goThrough(browser, page, 'ada')).text;
}

async function connections(): Promise<readonly { readonly scopes: readonly string[] }[]> {
  return JSON.parse(await (await call('/connections')).text()).connections;
}

/** Connects what `parcels` needs: to read, and no more. */
async function connectForReading(): Promise<void> {
  const { url } = JSON.parse(await (await call('/connections/carrier', 'POST')).text());
  expect(await connectAt(url)).toContain('Carrier is connected');
  const [connection] = await connections();
  expect(connection?.scopes).toContain('parcels.read');
  expect(connection?.scopes).not.toContain('parcels.write');
}

const transportTo = (server: string) =>
  new StreamableHTTPClientTransport(new URL(`${running.cloud.origin}/${server}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });

describe('a server that needs a scope which the connection lacks', () => {
  test('in the stateless era: the user is asked within the call, agrees, and the call succeeds', async () => {
    await connectForReading();
    const client = new Client(
      { name: 'desk', version: '1' },
      { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    let connecting: Promise<string> | undefined;
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      connecting ??= connectAt(String(Reflect.get(params, 'url')));
      return { action: 'accept' };
    });
    await client.connect(transportTo('dispatch'));
    const result = await client.callTool({ name: 'send', arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: 'dispatch/send' }]);
    await client.close();
    const pages = await connecting;
    expect(pages).toContain('but not for all of this');
    expect(pages).toContain('Carrier is connected');
    // Nothing of what was granted before is lost by it.
    const [connection] = await connections();
    expect(connection?.scopes).toEqual(expect.arrayContaining(['parcels.read', 'parcels.write']));
  });

  test('in the initialize era: the call is an error with the URL, and succeeds afterwards', async () => {
    await connectForReading();
    const client = new Client({ name: 'desk', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(transportTo('dispatch'));
    const refused = await client.callTool({ name: 'send' }).catch((error: unknown) => error);
    if (!(refused instanceof UrlElicitationRequiredError)) throw refused;
    expect(await connectAt(refused.elicitations[0]?.url ?? '')).toContain('Carrier is connected');
    expect((await client.callTool({ name: 'send' })).content).toEqual([
      { type: 'text', text: 'dispatch/send' },
    ]);
    await client.close();
    const denied = running.cloud.audit().filter(({ server }) => server === 'dispatch');
    expect(denied.map(({ reason }) => reason)).toContain('connection_required: lacks_scopes at carrier');
  });
});

test('a server that calls an API for a user without a connection is told where its user makes one, and gets through then', async () => {
  const client = new Client({ name: 'desk', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(transportTo('desk'));
  await client.callTool({ name: 'look' });
  await client.close();
  const [, delegation = ''] = /^Bearer (.+)$/.exec(upstream.seen.at(-1)?.headers.authorization ?? '') ?? [];
  const headers = {
    authorization: `Bearer ${await running.cloud.token('desk-server')}`,
    'x-delegation': delegation,
  };
  const look = () => fetch(`${running.cloud.origin}/egress/carrier-api/parcels/p-1`, { headers });
  const refused = await look();
  expect([refused.status, refused.headers.get('content-type')]).toEqual([403, 'application/problem+json']);
  const problem = JSON.parse(await refused.text());
  expect(problem).toMatchObject({
    status: 403,
    code: 'failed_precondition',
    connect_url: expect.stringMatching(/\/connect\/carrier\?t=[A-Za-z0-9_-]+$/),
    request_id: expect.any(String),
  });
  expect(api.seen).toEqual([]);
  expect(await connectAt(problem.connect_url)).toContain('Carrier is connected');
  const answered = await look();
  expect([answered.status, await answered.text()]).toEqual([200, '{"parcel":"p-1"}']);
  const [, access = ''] = /^Bearer (.+)$/.exec(api.seen.at(-1)?.headers.authorization ?? '') ?? [];
  expect(running.carrier.given).toContain(access);
});
