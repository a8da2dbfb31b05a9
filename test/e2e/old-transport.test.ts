import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, SSEClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as SSEClientTransportV1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { openV2Modern, SDK_CLIENTS } from '../support/sdk-clients.ts';

const SERVER_TEXT =
  'the server behind does not take POST at its URL; it must speak Streamable HTTP: the HTTP+SSE transport of 2024-11-05 is not served';
const CLIENT_TEXT =
  'this method is not allowed here: POST to it (Streamable HTTP; the HTTP+SSE transport of 2024-11-05 is not served)';
const ACCEPT = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** What an old server answers to a POST where its stream is: a path of its own for each. */
const POST_ANSWERS: Readonly<Record<string, (answer: ServerResponse) => void>> = {
  refusing: (answer) => void answer.writeHead(405, { allow: 'GET' }).end('Method Not Allowed'),
  absent: (answer) => void answer.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Cannot POST</h1>'),
  streaming: (answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.write('event: endpoint\ndata: /messages?sessionId=of-the-server\n\n');
  },
};

let old: { readonly server: Server; readonly origin: string };
let cloud: Sallyport;
let bearer: { authorization: string };
const seen: string[] = [];

beforeAll(async () => {
  old = await startOldServer();
  const names = Object.keys(POST_ANSWERS);
  const entry = (name: string) => ({ url: `${old.origin}/${name}`, private: true });
  const secret = { ref: 'sallyport/{stage}/clients/agent' };
  const agent = { grants: ['client_credentials'], scopes: ['everything'], audience: 'gateway', secret };
  cloud = await startSallyport({
    clients: ['agent'],
    config: {
      'scopes.yml': JSON.stringify({ everything: [{ server: '*', methods: ['all'], tools: ['all'] }] }),
      'servers.yml': JSON.stringify({
        servers: {
          ...Object.fromEntries(names.map((name) => [name, entry(name)])),
          listening: { ...entry('refusing'), get_stream: true },
        },
      }),
      'clients.yml': JSON.stringify({ clients: { agent } }),
    },
  });
  bearer = { authorization: `Bearer ${await cloud.token('agent')}` };
});
afterAll(async () => {
  await cloud?.close();
  old?.server.closeAllConnections();
  old?.server.close();
});
beforeEach(() => {
  seen.length = 0;
});

/** A server of SDK 1.x on the HTTP+SSE transport. */
async function startOldServer(): Promise<typeof old> {
  const server = createServer((incoming, answer) => {
    const path = (incoming.url ?? '').slice(1);
    seen.push(`${incoming.method} ${path}`);
    if (incoming.method === 'POST') return void POST_ANSWERS[path]?.(answer);
    void new McpServer({ name: 'old', version: '1.0.0' }).connect(
      new SSEServerTransport('/messages', answer),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  return { server, origin: `http://127.0.0.1:${port}` };
}

describe('a server that speaks only HTTP+SSE', () => {
  test.for(
    SDK_CLIENTS.flatMap(({ label, open }) =>
      Object.keys(POST_ANSWERS).map((name) => ({ label, open, name })),
    ),
  )('and is $name to POST: $label hears what is wrong with it', async ({ open, name }) => {
    const failure = await open(`${cloud.origin}/${name}/mcp`, bearer).then(
      () => 'connected',
      (error) => `${error.message} ${error.cause?.message} ${error.data?.text}`,
    );
    // A client of the stateless era alone keeps to itself what it was answered.
    expect(failure).toMatch(
      open === openV2Modern ? /no fallback in pin mode|not served/ : /HTTP\+SSE.* is not served/,
    );
    expect(failure).not.toContain('sessionId');
  });

  test.for([
    ['refusing', 405],
    ['absent', 404],
    ['streaming', 200],
  ] as const)('and is %s to POST: the answer is one of the protocol', async ([name, status]) => {
    const response = await fetch(`${cloud.origin}/${name}/mcp`, {
      method: 'POST',
      headers: { ...bearer, ...ACCEPT },
      body: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}',
    });
    const text = await response.text();
    const error = {
      code: -31003,
      message: SERVER_TEXT,
      data: { request_id: response.headers.get('x-request-id') },
    };
    expect([response.status, JSON.parse(text.replace(/^event: message\ndata: /, ''))]).toEqual([
      status,
      { jsonrpc: '2.0', id: 1, error },
    ]);
  });

  test('is not listened to either: where it would tell where to POST, its stream ends', async () => {
    const response = await fetch(`${cloud.origin}/listening/mcp`, {
      headers: { ...bearer, accept: 'text/event-stream', 'mcp-protocol-version': '2025-11-25' },
    });
    const text = await response.text();
    expect(JSON.parse(text.replace(/^event: message\ndata: /, ''))).toMatchObject({
      id: null,
      error: { message: SERVER_TEXT },
    });
    const requestId = response.headers.get('x-request-id');
    const outcome = () =>
      cloud.audit().find((record) => record['request_id'] === requestId && record['event'] === 'outcome');
    await expect.poll(outcome).toMatchObject({ reason: 'old_transport', upstream_status: 200 });
  });
});

describe('a client that speaks only HTTP+SSE', () => {
  const requestInit = () => ({ headers: bearer });
  const eventSourceInit = () => ({
    fetch: (url: string | URL, init?: RequestInit) =>
      fetch(url, { ...init, headers: { ...bearer, accept: 'text/event-stream' } }),
  });
  const CLIENTS = [
    {
      label: 'SDK 1.x',
      connect: (url: URL) =>
        new ClientV1({ name: 'test', version: '1.0.0' }).connect(
          new SSEClientTransportV1(url, { requestInit: requestInit(), eventSourceInit: eventSourceInit() }),
        ),
    },
    {
      label: 'SDK 2.x',
      connect: (url: URL) =>
        new Client({ name: 'test', version: '1.0.0' }).connect(
          new SSEClientTransport(url, { requestInit: requestInit(), eventSourceInit: eventSourceInit() }),
        ),
    },
  ];

  test.for(CLIENTS.flatMap((client) => ['refusing', 'listening'].map((server) => ({ ...client, server }))))(
    '$label is told 405 at once, by a server that is $server too, which hears nothing of it',
    async ({ connect, server }) => {
      await expect(connect(new URL(`${cloud.origin}/${server}/mcp`))).rejects.toThrow(/405/);
      expect(seen).toEqual([]);
    },
  );

  test.for(['refusing', 'listening'])('reads what to use instead (%s)', async (server) => {
    const headers = { ...bearer, accept: 'text/event-stream' };
    const response = await fetch(`${cloud.origin}/${server}/mcp`, { headers });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await response.json()).toMatchObject({
      status: 405,
      code: 'invalid_argument',
      detail: CLIENT_TEXT,
    });
    expect(seen).toEqual([]);
  });

  test.for([
    ['GET', '/refusing/sse'],
    ['POST', '/refusing/sse'],
    ['POST', '/refusing/messages?sessionId=x'],
    ['POST', '/refusing/mcp/messages?sessionId=x'],
    ['GET', '/sse'],
  ])('finds nothing at its own addresses: %s %s', async ([method = '', path]) => {
    const body = method === 'POST' ? { body: '{}' } : {};
    const response = await fetch(`${cloud.origin}${path}`, {
      method,
      headers: { ...bearer, ...ACCEPT },
      ...body,
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
    expect(seen).toEqual([]);
  });
});
