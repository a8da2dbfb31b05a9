import type { ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificate.ts';
import { type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

const MODERN = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
};
const PAGE = '<h1>Tomcat/8.0.1 at 10.9.8.7</h1><pre>at com.example.Secret(Secret.java:12)</pre>';
const page =
  (status: number, headers: Record<string, string> = {}) =>
  (answer: ServerResponse) =>
    void answer.writeHead(status, { 'content-type': 'text/html', server: 'Tomcat', ...headers }).end(PAGE);
const rpc = (status: number, error: object) => (answer: ServerResponse) =>
  void answer
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id: 7, error }));

/** Servers that are there, and what they answer to everything. */
const ANSWERS: Readonly<Record<string, (answer: ServerResponse) => void>> = {
  page400: page(400),
  page403: page(403),
  page404: page(404),
  page429: page(429, { 'retry-after': '7' }),
  page500: page(500),
  page503: page(503, { 'retry-after': '7' }),
  page200: page(200),
  rpc400: rpc(400, { code: -32021, message: 'capability missing', data: { required: ['sampling'] } }),
  rpc404: rpc(404, { code: -32601, message: 'no such method' }),
  moved: page(307, { location: 'http://169.254.169.254/latest/meta-data/' }),
  dripping: (answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => answer.write(' '), 20);
    answer.once('close', () => clearInterval(timer));
  },
  endless: (answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      if (!answer.destroyed && answer.write(' '.repeat(100_000))) setImmediate(more);
      else answer.once('drain', more);
    };
    more();
  },
};

let upstream: RecordingServer;
let secure: TlsServer;
let cloud: Sallyport;
let token: string;

beforeAll(async () => {
  upstream = await startRecordingServer(({ url }, answer) => ANSWERS[url.slice(1)]?.(answer));
  secure = createTlsServer(selfSigned('elsewhere.test'), (_, answer) => void answer.end());
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = secure.address() as AddressInfo;
  const timeout = { call: '1s', first_byte: '1s' };
  const answering = Object.keys(ANSWERS).map((name) => [
    name,
    { url: `${upstream.origin}/${name}`, private: true, timeout },
  ]);
  const agent = {
    grants: ['client_credentials'],
    scopes: ['everything'],
    audience: 'gateway',
    secret: { ref: 'sallyport/{stage}/clients/agent' },
  };
  cloud = await startSallyport({
    clients: ['agent'],
    config: {
      'scopes.yml': JSON.stringify({ everything: [{ server: '*', methods: ['all'], tools: ['all'] }] }),
      'servers.yml': JSON.stringify({
        servers: {
          ...Object.fromEntries(answering),
          inside: { url: `https://localhost:${port}/mcp`, timeout },
          untrusted: { url: `https://localhost:${port}/mcp`, private: true, timeout },
          unknown: { url: 'http://no-such-name.invalid/mcp', private: true, timeout },
        },
      }),
      'clients.yml': JSON.stringify({ clients: { agent } }),
    },
  });
  token = await cloud.token('agent');
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
  secure?.closeAllConnections();
  secure?.close();
});

type Era = 'modern' | 'legacy';

async function ask(server: string, era: Era, method: 'tools/call' | 'tools/list'): Promise<Response> {
  const isModern = era === 'modern';
  const name = method === 'tools/call' ? { name: 'run' } : {};
  return fetch(`${cloud.origin}/${server}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(isModern ? { 'mcp-protocol-version': MODERN, 'mcp-method': method } : {}),
      ...(isModern && method === 'tools/call' ? { 'mcp-name': 'run' } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method,
      params: isModern ? { ...name, _meta: META } : name,
    }),
  });
}

describe.each(['modern', 'legacy'] as const)('in the %s era,', (era) => {
  test.for<readonly [string, number]>([
    ['page400', 400],
    ['page403', 403],
    ['page404', 404],
    ['page429', 429],
    ['page500', 502],
    ['page503', 502],
    ['page200', 502],
    ['moved', 502],
    ['inside', 502],
    ['untrusted', 502],
    ['unknown', 502],
  ])(
    'a server that is %s is %i with an error of the protocol, and nothing of its own',
    async ([server, status]) => {
      for (const method of ['tools/call', 'tools/list'] as const) {
        const response = await ask(server, era, method);
        const text = await response.text();
        expect(response.status).toBe(status);
        expect(response.headers.get('content-type')).toBe('application/json');
        expect(JSON.parse(text)).toMatchObject({
          jsonrpc: '2.0',
          id: 7,
          error: { code: -31003, data: { request_id: response.headers.get('x-request-id') } },
        });
        const shown = `${text} ${JSON.stringify([...response.headers])}`;
        expect(shown).not.toMatch(
          /Tomcat|Secret|10\.9\.8\.7|169\.254|localhost|certificate|ENOTFOUND|no-such-name/,
        );
      }
    },
  );

  test('a refusal that names a time keeps it', async () => {
    const response = await ask('page429', era, 'tools/call');
    await response.text();
    expect(response.headers.get('retry-after')).toBe('7');
  });

  test.for<readonly [string, number, object]>([
    ['rpc400', 400, { code: -32021, message: 'capability missing', data: { required: ['sampling'] } }],
    ['rpc404', 404, { code: -32601, message: 'no such method' }],
  ])('an error of the protocol is the server’s own to give: %s', async ([server, status, error]) => {
    const response = await ask(server, era, 'tools/call');
    expect([response.status, await response.json()]).toEqual([status, { jsonrpc: '2.0', id: 7, error }]);
  });

  test.for(['dripping', 'endless'])('a list that is %s ends at a bound, without a list', async (server) => {
    const response = await ask(server, era, 'tools/list');
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ id: 7, error: { code: -31003 } });
  });

  test('an answer that never ends ends at the bound of the call, and never looks whole', async () => {
    const response = await ask('dripping', era, 'tools/call');
    await expect(response.text()).rejects.toThrow();
  });
});
