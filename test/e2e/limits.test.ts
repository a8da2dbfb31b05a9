import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

const run = promisify(execFile);
const CLIENTS = ['agent', 'busy', 'writer', 'free'];
const DAY = '1d';

let cloud: Sallyport;
let upstream: ToolServers;
const tokens = new Map<string, string>();

beforeAll(async () => {
  upstream = await startToolServers({ prices: ['latest'] });
  const client = (id: string) => ({
    grants: ['client_credentials'],
    scopes: ['desk/use'],
    audience: 'gateway',
    namespace: 'desk',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
  });
  cloud = await startSallyport({
    clients: CLIENTS,
    config: {
      'scopes.yml': JSON.stringify({
        'desk/use': [
          { server: 'prices', methods: ['initialize', 'ping', 'tools/call'], tools: ['latest'] },
          {
            server: 'context-store',
            methods: ['initialize', 'tools/call'],
            tools: ['doc_query', 'doc_info'],
          },
        ],
        Limits: [
          { per: ['client'], requests: 20, window: DAY, server: 'prices' },
          {
            per: ['client', 'tool'],
            requests: 3,
            window: DAY,
            server: 'context-store',
            tools: ['doc_query'],
          },
        ],
      }),
      'servers.yml': JSON.stringify({
        servers: { prices: { url: upstream.urlOf('prices'), private: true } },
      }),
      'clients.yml': JSON.stringify({ clients: Object.fromEntries(CLIENTS.map((id) => [id, client(id)])) }),
    },
  });
  for (const id of CLIENTS) tokens.set(id, await cloud.token(id));
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

/** A request in JSON-RPC with a token of a client. */
function call(client: string, server: string, method: string, params: object = {}): Promise<Response> {
  return fetch(`${cloud.origin}/${server}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.get(client)}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
}

/** Asks so many times at once from a process of its own; the statuses. */
const ASK = `
const [url, token, times] = process.argv.slice(1);
const ask = async () => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  });
  await response.text();
  return response.status;
};
console.log(JSON.stringify(await Promise.all(Array.from({ length: Number(times) }, ask))));`;

test('of fifty callers in five processes at once no more come through than may', async () => {
  const url = `${cloud.origin}/prices/mcp`;
  const processes = Array.from({ length: 5 }, async () => {
    const args = ['--input-type=module', '-e', ASK, url, tokens.get('busy') ?? '', '10'];
    return JSON.parse((await run(process.execPath, args)).stdout);
  });
  const statuses: number[] = (await Promise.all(processes)).flat();
  const ended = (status: number) => statuses.filter((each) => each === status).length;
  const limited = cloud
    .audit()
    .filter((record) => record['client_id'] === 'busy' && record['reason'] === 'rate_limited');
  // A store that answers late has counted: then one is 503 that might have been through.
  const [refused, down] = [ended(429), ended(503)];
  const through = statuses.length - refused - down;
  expect(statuses).toHaveLength(50);
  expect(through).toBeLessThanOrEqual(20);
  expect(through + down).toBeGreaterThanOrEqual(20);
  expect(limited.length).toBeLessThanOrEqual(refused);
}, 120_000);

describe('the context store', () => {
  const rest = (client: string) =>
    fetch(`${cloud.origin}/context/documents`, {
      headers: { authorization: `Bearer ${tokens.get(client)}` },
    });
  const mcp = (client: string) =>
    call(client, 'context-store', 'tools/call', { name: 'doc_query', arguments: {} });

  test('counts both doors as one, and another operation apart', async () => {
    expect((await rest('writer')).status).toBe(200);
    expect((await mcp('writer')).status).toBe(200);
    expect((await rest('writer')).status).toBe(200);
    const problem = await rest('writer');
    expect([problem.status, problem.headers.get('content-type')]).toEqual([429, 'application/problem+json']);
    expect(Number(problem.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problem.json()).toMatchObject({ code: 'rate_limited' });
    const message = await mcp('writer');
    expect(message.status).toBe(429);
    expect(Number(message.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await message.json()).toMatchObject({ id: 1, error: { data: { reason: 'rate_limited' } } });
    const headers = { authorization: `Bearer ${tokens.get('writer')}` };
    const other = await fetch(`${cloud.origin}/context/documents/doc_00000000000000000000000000/metadata`, {
      headers,
    });
    expect(other.status).toBe(404);
    expect((await rest('free')).status).toBe(200);
  });
});

test('while nothing can be counted, what is limited is refused with 503, and nothing else is', async () => {
  expect((await call('agent', 'prices', 'ping')).status).toBe(200);
  await cloud.fault({ service: 'dynamodb', operation: 'UpdateItem', mode: 'error' });
  try {
    const response = await call('agent', 'prices', 'ping');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    const document = await call('agent', 'context-store', 'tools/call', {
      name: 'doc_info',
      arguments: { id: 'doc_00000000000000000000000000' },
    });
    expect(document.status).toBe(200);
  } finally {
    await cloud.clearFaults();
  }
  expect((await call('agent', 'prices', 'ping')).status).toBe(200);
});
