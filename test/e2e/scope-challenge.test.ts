import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectLegacy } from '../support/clients.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

let cloud: Sallyport;
let upstream: ToolServers;

beforeAll(async () => {
  upstream = await startToolServers({ prices: ['latest', 'reset'], orders: ['find'] });
  const rule = { server: 'prices', methods: ['initialize', 'tools/list', 'tools/call'] };
  const client = (id: string, scopes: readonly string[]) => ({
    org: 'acme',
    grants: ['client_credentials'],
    scopes,
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
  });
  cloud = await startSallyport({
    clients: ['agent', 'outsider'],
    config: {
      'scopes.yml': JSON.stringify({
        'desk/read': [{ ...rule, methods: ['initialize', 'tools/list'] }],
        'desk/execute': [{ ...rule, tools: ['latest'] }],
        'other/read': [{ server: 'orders', methods: ['tools/list'] }],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          prices: { url: upstream.urlOf('prices'), private: true },
          orders: { url: upstream.urlOf('orders'), private: true },
        },
      }),
      'clients.yml': JSON.stringify({
        clients: {
          agent: client('agent', ['desk/read', 'desk/execute']),
          outsider: client('outsider', ['other/read']),
        },
      }),
    },
  });
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

async function callModern(token: string, tool: string): Promise<Response> {
  return fetch(`${cloud.origin}/prices/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': tool,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: tool,
        arguments: {},
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
}

test('a scope that the client may obtain is challenged, with everything that is needed to obtain it', async () => {
  const response = await callModern(await cloud.token('agent', { scope: 'desk/read' }), 'latest');
  expect(response.status).toBe(403);
  expect(response.headers.get('www-authenticate')).toBe(
    'Bearer error="insufficient_scope", scope="desk/execute", ' +
      `resource_metadata="${cloud.origin}/.well-known/oauth-protected-resource/prices/mcp"`,
  );
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(await response.json()).toMatchObject({ code: 'permission_denied', status: 403 });
});

test('the SDK client reads the challenge', async () => {
  const token = await cloud.token('agent', { scope: 'desk/read' });
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const url = new URL(`${cloud.origin}/prices/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  await expect(client.callTool({ name: 'latest', arguments: {} })).rejects.toThrow(/insufficient.scope|403/i);
  await client.close();
});

test('a tool that nobody can obtain is refused in words that a model can read', async () => {
  const response = await callModern(await cloud.token('agent'), 'reset');
  expect(response.status).toBe(200);
  const { result } = JSON.parse(await response.text());
  expect(result).toMatchObject({ isError: true, resultType: 'complete' });
  expect(result.content[0].text).toMatch(/^access denied/);
});

test('where the authorizer cannot see the need, the gateway names the scope instead', async () => {
  const token = await cloud.token('agent', { scope: 'desk/read' });
  const client = await connectLegacy(`${cloud.origin}/prices/mcp`, { authorization: `Bearer ${token}` });
  const { text, isError } = await client.callTool('latest');
  expect(isError).toBe(true);
  expect(text).toContain('`desk/execute`');
  await client.close();
});

test('no access to the server at all is 403 without a scope, and an unknown server is 404 whoever asks', async () => {
  const token = await cloud.token('outsider');
  const ask = (server: string) =>
    fetch(`${cloud.origin}/${server}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    });
  const refused = await ask('prices');
  expect(refused.status).toBe(403);
  expect(refused.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope"');
  const unknown = await ask('no-such-server');
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toMatchObject({ code: 'not_found', detail: 'there is nothing here' });
});

test('no token is 401 with a bare challenge, on a server that exists and on one that does not', async () => {
  for (const server of ['prices', 'no-such-server']) {
    const response = await fetch(`${cloud.origin}/${server}/mcp`, { method: 'POST' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  }
});
