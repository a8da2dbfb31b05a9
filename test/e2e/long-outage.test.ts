import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerTool, type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

let cloud: Sallyport;
let upstream: RecordingServer;

beforeAll(async () => {
  upstream = await startRecordingServer((request, answer) => answerTool(request, answer, 'done'));
  cloud = await startSallyport({
    clients: ['agent'],
    config: {
      'scopes.yml': JSON.stringify({
        'UI-Scopes': {},
        group_mappings: {},
        tools: [{ server: 'alpha', methods: ['tools/call'], tools: ['read'] }],
      }),
      'servers.yml': JSON.stringify({ servers: { alpha: { url: upstream.origin, private: true } } }),
      'clients.yml': JSON.stringify({
        clients: {
          agent: {
            org: 'acme',
            secret: { ref: 'sallyport/{stage}/clients/agent' },
            grants: ['client_credentials'],
            scopes: ['tools'],
            audience: 'gateway',
          },
        },
      }),
    },
  });
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

async function call(token: string): Promise<number> {
  const response = await fetch(`${cloud.origin}/alpha/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}',
  });
  await response.text();
  return response.status;
}

test('while revocations and policy cannot be read, a token in use dies within 5 s, the issuer stops within 15 s', async () => {
  const token = await cloud.token('agent');
  expect(await call(token)).toBe(200);
  await cloud.fault({ service: 'dynamodb', table: 'AuthTable', mode: 'error' });
  await expect.poll(() => call(token), { timeout: 5_000, interval: 250 }).toBe(503);
  const reached = upstream.seen.length;
  await expect
    .poll(async () => (await cloud.fetchToken('agent')).status, { timeout: 17_000, interval: 500 })
    .toBe(503);
  expect(await call(token)).toBe(503);
  expect(upstream.seen.length).toBe(reached);

  await cloud.clearFaults();
  expect((await cloud.fetchToken('agent')).status).toBe(200);
  expect(await call(token)).toBe(200);
});
