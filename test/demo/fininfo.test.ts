import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFininfo } from '../../local/demo/fininfo.ts';
import { startPolygon } from '../../local/demo/polygon.ts';
import { startGateway } from './gateway.ts';

const KEYS = new Map([
  ['analyst', 'key-of-the-analyst'],
  ['trader', 'key-of-the-trader'],
]);
const QUERY = {
  stock_ticker: 'AAPL',
  multiplier: 1,
  timespan: 'day',
  from_date: '2026-01-05',
  to_date: '2026-01-09',
};

let polygon: Awaited<ReturnType<typeof startPolygon>>;
let gateway: Awaited<ReturnType<typeof startGateway>>;
let fininfo: Awaited<ReturnType<typeof startFininfo>>;

beforeAll(async () => {
  polygon = await startPolygon({
    port: 0,
    keys: new Map(Array.from(KEYS, ([account, key]) => [key, account])),
  });
  gateway = await startGateway({ url: `${polygon.origin}/`, keys: KEYS });
});

beforeEach(async () => {
  gateway.egress.length = 0;
  gateway.answers.length = 0;
  Object.assign(gateway.state, { tokensIssued: 0, expiresIn: 600, jwks: 200 });
  await fininfo?.close();
  fininfo = await startFininfo({
    origin: gateway.origin,
    port: 0,
    clientId: 'fininfo-server',
    clientSecret: 'server-secret',
    retryDelayMs: 0,
  });
});

afterAll(async () => {
  await Promise.all([fininfo.close(), gateway.close(), polygon.close()]);
});

async function connect(token: string, mode: 'legacy' | 'auto' = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(fininfo.url), { authProvider: { token: async () => token } }),
  );
  return client;
}

async function call(args: object, tool = 'get_stock_aggregates', clientId = 'analyst') {
  const client = await connect(await gateway.mint(fininfo.url, { client_id: clientId, sub: clientId }));
  const result = await client.callTool({ name: tool, arguments: { ...args } });
  await client.close();
  return { ...result, text: result.content.map((part) => (part.type === 'text' ? part.text : '')).join('') };
}

describe('the stock data of the verified client', () => {
  test.for(['analyst', 'trader'])('%s gets the data of its own account', async (clientId) => {
    const { structuredContent } = await call(QUERY, 'get_stock_aggregates', clientId);
    expect(structuredContent).toMatchObject({ ticker: 'AAPL', account: clientId, resultsCount: 5 });
  });

  test('the server sends its own token and the caller’s identity, and never has a key', async () => {
    await call(QUERY);
    const [request] = gateway.egress;
    expect(request?.path).toBe(
      '/egress/polygon/v2/aggs/ticker/AAPL/range/1/day/2026-01-05/2026-01-09?adjusted=true&limit=5000',
    );
    expect(request?.headers.get('authorization')).toBe('Bearer own-1');
    expect(request?.headers.get('x-delegation')).toMatch(/^eyJ/);
    const sent = JSON.stringify([...(request?.headers ?? [])]) + request?.path;
    for (const key of KEYS.values()) expect(sent).not.toContain(key);
  });

  test('the table is for people', async () => {
    const { text } = await call({ ...QUERY, sort: 'desc', limit: 2 }, 'print_stock_data');
    expect(text.split('\n')).toHaveLength(4);
    expect(text).toMatch(/^AAPL: 2 bars \(account analyst\)\n/);
  });

  test('its own token is used until it is near its end', async () => {
    await call(QUERY);
    await call(QUERY);
    expect(gateway.state.tokensIssued).toBe(1);
    gateway.state.expiresIn = 20;
    gateway.answers.push(new Response(null, { status: 401 }));
    await call(QUERY);
    await call(QUERY);
    expect(gateway.state.tokensIssued).toBe(3);
  });
});

describe('an argument cannot leave its place in the path', () => {
  test.for([
    { stock_ticker: '../../../admin' },
    { stock_ticker: 'A/B' },
    { stock_ticker: 'A%2fB' },
    { stock_ticker: 'AAPL?apiKey=x' },
    { stock_ticker: '..' },
    { stock_ticker: '' },
    { from_date: '2026-01-05/../x' },
    { to_date: '05.01.2026' },
    { timespan: 'fortnight' },
    { limit: 50_001 },
    { multiplier: 0 },
    { sort: 'up' },
  ])('%o', async (changed) => {
    const { isError } = await call({ ...QUERY, ...changed });
    expect(isError).toBe(true);
    expect(gateway.egress).toEqual([]);
  });

  test('a currency pair keeps its colon', async () => {
    await call({ ...QUERY, stock_ticker: 'x:btcusd' });
    expect(gateway.egress[0]?.path).toContain('/ticker/X:BTCUSD/');
  });
});

describe('failures of the service', () => {
  const problem = (status: number) => Response.json({ detail: 'no credential for this client' }, { status });

  test.for([
    { answers: [503, 502], tries: 3, isError: undefined },
    { answers: [503, 502, 500], tries: 3, isError: true },
    { answers: [403], tries: 1, isError: true },
    { answers: [429], tries: 1, isError: true },
    { answers: [401], tries: 2, isError: undefined },
    { answers: [401, 401], tries: 2, isError: true },
  ])('$answers', async ({ answers, tries, isError }) => {
    gateway.answers.push(...answers.map(problem));
    const result = await call(QUERY);
    expect(result.isError).toBe(isError);
    expect(gateway.egress).toHaveLength(tries);
    if (isError)
      expect(result.text).toBe(`polygon answered ${answers.at(-1)}: no credential for this client`);
  });

  test('an answer in another shape is an error, not data', async () => {
    gateway.answers.push(Response.json({ hello: 'world' }));
    expect((await call(QUERY)).isError).toBe(true);
  });
});

describe('a request must carry an identity token of the gateway', () => {
  const now = Math.floor(Date.now() / 1000);
  const post = (headers: Record<string, string>) =>
    fetch(fininfo.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });

  test('the same request with a good token is answered', async () => {
    const token = await gateway.mint(fininfo.url);
    expect((await post({ authorization: `Bearer ${token}` })).status).toBe(200);
  });

  test.for([
    ['another audience', { aud: 'http://127.0.0.1:1/mcp' }, {}],
    ['another issuer', { iss: 'https://issuer.example.com' }, {}],
    ['expired', { iat: now - 400, exp: now - 100 }, {}],
    ['a life longer than 300 s', { exp: now + 3600 }, {}],
    ['a run token', { token_kind: 'run' }, {}],
    ['no org', { org_id: undefined }, {}],
    ['no client', { client_id: undefined }, {}],
    ['no kind', { token_kind: undefined }, {}],
    ['an access token', {}, { typ: 'at+jwt' }],
    ['a signature by another key', {}, { isForged: true }],
  ] as const)('%s is refused', async ([, claims, header]) => {
    const response = await post({
      authorization: `Bearer ${await gateway.mint(fininfo.url, { ...claims }, header)}`,
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test.for(['', 'Basic eDp5', 'Bearer a b', 'Bearer x'])('`%s` is refused', async (authorization) => {
    expect((await post({ authorization })).status).toBe(401);
  });

  test('no token is refused', async () => {
    expect((await post({})).status).toBe(401);
  });

  test('an unsigned token is refused', async () => {
    const [, claims] = (await gateway.mint(fininfo.url)).split('.');
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    expect((await post({ authorization: `Bearer ${header}.${claims}.` })).status).toBe(401);
  });

  test('keys that cannot be read close the door', async () => {
    gateway.state.jwks = 503;
    const response = await post({ authorization: `Bearer ${await gateway.mint(fininfo.url)}` });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).not.toBeNull();
  });

  test('a page that rebinds DNS is refused', async () => {
    const { port } = new URL(fininfo.url);
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example.com' };
      request({ host: '127.0.0.1', port, path: '/mcp', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

describe('both protocol eras', () => {
  test.for(['auto', 'legacy'] as const)('the official client, negotiation %s', async (mode) => {
    const client = await connect(await gateway.mint(fininfo.url), mode);
    expect(client.getProtocolEra()).toBe(mode === 'auto' ? 'modern' : 'legacy');
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(['get_stock_aggregates', 'print_stock_data']);
    const result = await client.callTool({ name: 'get_stock_aggregates', arguments: QUERY });
    expect(result.structuredContent).toMatchObject({ account: 'analyst' });
    await client.close();
  });

  test('the client of the 1.x SDK', async () => {
    const client = new OldClient({ name: 'test', version: '1' });
    const headers = { authorization: `Bearer ${await gateway.mint(fininfo.url)}` };
    await client.connect(new OldTransport(new URL(fininfo.url), { requestInit: { headers } }));
    const result = await client.callTool({ name: 'get_stock_aggregates', arguments: QUERY });
    expect(result.structuredContent).toMatchObject({ account: 'analyst' });
    await client.close();
  });
});
