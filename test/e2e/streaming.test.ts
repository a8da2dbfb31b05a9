import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectLegacy, connectV1 } from '../support/clients.ts';
import { type HeldServer, startHeldServer } from '../support/held-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { startSessionServer } from '../support/tool-server.ts';

const ACCEPT = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

let cloud: Sallyport;
let sessions: Awaited<ReturnType<typeof startSessionServer>>;
let manual: HeldServer;

beforeAll(async () => {
  sessions = await startSessionServer();
  manual = await startHeldServer();
  const servers = {
    sessions: { url: sessions.url, private: true },
    listening: { url: sessions.url, private: true, get_stream: true },
    manual: { url: manual.url, private: true, timeout: { silence: '1s', first_byte: '2s' } },
  };
  const rules = Object.keys(servers).map((server) => ({ server, methods: ['all'], tools: ['all'] }));
  const clients = Object.fromEntries(
    ['one', 'two'].map((id) => [
      id,
      {
        grants: ['client_credentials'],
        scopes: ['all/execute'],
        audience: 'gateway',
        secret: { ref: `sallyport/{stage}/clients/${id}` },
      },
    ]),
  );
  cloud = await startSallyport({
    clients: ['one', 'two'],
    config: {
      'scopes.yml': JSON.stringify({ 'all/execute': rules }),
      'servers.yml': JSON.stringify({ servers }),
      'clients.yml': JSON.stringify({ clients }),
    },
  });
});
afterAll(async () => {
  await cloud?.close();
  await sessions?.close();
  await manual?.close();
});

async function bearer(clientId: string): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await cloud.token(clientId)}` };
}

async function callManual(signal?: AbortSignal): Promise<Response> {
  return fetch(`${cloud.origin}/manual/mcp`, {
    method: 'POST',
    headers: { ...(await bearer('one')), ...ACCEPT },
    body: '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"wait"}}',
    ...(signal === undefined ? {} : { signal }),
  });
}

function event(id: number): string {
  return `data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":${id}}}\n\n`;
}

test.for([
  { label: 'SDK 1.x', connect: connectV1 },
  { label: 'SDK 2.x, initialize era', connect: connectLegacy },
])('$label: a session works, and the client never sees the id of the server behind', async ({ connect }) => {
  const client = await connect(`${cloud.origin}/sessions/mcp`, await bearer('one'));
  const first = await client.callTool('whoami');
  const second = await client.callTool('whoami');
  expect(first.text).toMatch(/^upstream-/);
  expect(second).toEqual(first);
  await client.close();
});

async function openSession(clientId: string, server: string): Promise<string> {
  const response = await fetch(`${cloud.origin}/${server}/mcp`, {
    method: 'POST',
    headers: { ...(await bearer(clientId)), ...ACCEPT },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    }),
  });
  await response.text();
  expect(response.status).toBe(200);
  return response.headers.get('mcp-session-id') ?? '';
}

test('a session of one caller is unknown to another, on every method and on another server', async () => {
  const session = await openSession('one', 'listening');
  expect(session).not.toContain('upstream-');
  const ask = async (clientId: string, server: string, method: string) => {
    const response = await fetch(`${cloud.origin}/${server}/mcp`, {
      method,
      headers: { ...(await bearer(clientId)), ...ACCEPT, 'mcp-session-id': session },
      ...(method === 'POST' ? { body: '{"jsonrpc":"2.0","id":2,"method":"ping"}' } : {}),
    });
    await response.body?.cancel();
    return response.status;
  };
  for (const method of ['POST', 'GET', 'DELETE']) expect(await ask('two', 'listening', method)).toBe(404);
  expect(await ask('one', 'sessions', 'POST')).toBe(404);
  expect(await ask('one', 'listening', 'POST')).toBe(200);
  expect(await ask('one', 'listening', 'GET')).toBe(200);
  expect(await ask('one', 'listening', 'DELETE')).toBe(200);
  expect(await ask('one', 'listening', 'POST')).toBe(404);
});

test('the standalone GET stream is there only where the entry says so', async () => {
  const headers = { ...(await bearer('one')), accept: 'text/event-stream' };
  const response = await fetch(`${cloud.origin}/sessions/mcp`, { headers });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST');
});

test('an event reaches the client before the server sends the next one', async () => {
  const answered = callManual();
  const upstream = await manual.next();
  upstream.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(1));
  const reader = (await answered).body?.getReader();
  for (let id = 1; id <= 3; id += 1) {
    const { value } = (await reader?.read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe(event(id));
    if (id < 3) upstream.write(event(id + 1));
  }
  upstream.end();
  expect(await reader?.read()).toMatchObject({ done: true });
});

test('a client that leaves ends the call behind', async () => {
  const leaving = new AbortController();
  const answered = callManual(leaving.signal);
  const upstream = await manual.next();
  upstream.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(1));
  const response = await answered;
  await response.body?.getReader().read();
  const closed = once(upstream, 'close');
  leaving.abort();
  await closed;
  expect(upstream.writableFinished).toBe(false);
});

test('a stream that breaks off or falls silent ends with an error that the client can read', async () => {
  for (const fail of [(upstream: ServerResponse) => upstream.destroy(), () => {}]) {
    const answered = callManual();
    const upstream = await manual.next();
    upstream.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(1));
    const response = await answered;
    fail(upstream);
    const text = await response.text();
    expect(text.startsWith(event(1))).toBe(true);
    const last = text.trimEnd().split('\n').at(-1)?.slice('data: '.length) ?? '';
    expect(JSON.parse(last)).toMatchObject({ jsonrpc: '2.0', id: 5, error: { code: -31003 } });
  }
  expect((await callHealth()).status).toBe(200);
});

test('half an answer never looks like the whole, and the next call goes through', async () => {
  const answered = callManual();
  const broken = await manual.next();
  broken.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":"2.0","id":5,"result":{');
  const response = await answered;
  // A small answer is held back until it is whole, a large one is not: either way its end is an error.
  const read = response.text();
  broken.destroy();
  await expect(read).rejects.toThrow();

  const again = callManual();
  const whole = await manual.next();
  whole.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":5,"result":{}}');
  expect(await (await again).json()).toMatchObject({ id: 5, result: {} });
});

test('a server that does not answer is 504, one that cannot be reached is 502, and neither says more', async () => {
  const answered = await callManual();
  expect(answered.status).toBe(504);
  const body = await answered.text();
  expect(JSON.parse(body)).toMatchObject({ id: 5, error: { code: -31003 } });
  expect(body).not.toContain('127.0.0.1');

  const requestId = answered.headers.get('x-request-id');
  const records = () => cloud.audit().filter((record) => record['request_id'] === requestId);
  await expect.poll(records).toMatchObject([
    { event: 'decision', decision: 'allow' },
    { event: 'outcome', decision: 'allow', reason: expect.stringMatching(/^timeout/) },
  ]);
});

function callHealth(): Promise<Response> {
  return fetch(`${cloud.origin}/healthz`);
}
