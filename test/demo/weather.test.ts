import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWeather } from '../../local/demo/weather.ts';

let weather: Awaited<ReturnType<typeof startWeather>>;

beforeAll(async () => {
  weather = await startWeather({
    port: 0,
    keys: new Map([
      ['key-a', 'account-a'],
      ['key-b', 'account-b'],
    ]),
  });
});

afterAll(() => weather.close());

async function connect(key: string, mode: 'legacy' | 'auto' = 'auto') {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const requestInit = { headers: { 'x-api-key': key } };
  await client.connect(new StreamableHTTPClientTransport(new URL(weather.url), { requestInit }));
  return client;
}

test.for(['key-a', 'key-b'])('%s gets the weather of its account', async (key) => {
  const client = await connect(key);
  const result = await client.callTool({ name: 'forecast', arguments: { city: 'Lisbon' } });
  expect(JSON.stringify(result.content)).toContain(key.replace('key', 'account'));
  await client.close();
});

test('an unknown key is refused', async () => {
  await expect(connect('key-c')).rejects.toThrow();
});

test.for(['auto', 'legacy'] as const)('observations arrive one by one, negotiation %s', async (mode) => {
  const client = await connect('key-a', mode);
  const progress: (string | undefined)[] = [];
  const result = await client.callTool(
    { name: 'watch_weather', arguments: { city: 'Oslo', observations: 3, interval_ms: 1 } },
    { onprogress: ({ progress: at, total, message }) => progress.push(`${at}/${total} ${message}`) },
  );
  expect(progress).toHaveLength(3);
  expect(progress[0]).toMatch(/^1\/3 Oslo: /);
  expect(result.isError).toBeUndefined();
  await client.close();
});

test('the stream begins before the tool has ended', async () => {
  const left = new AbortController();
  const response = await fetch(weather.url, {
    method: 'POST',
    signal: left.signal,
    headers: {
      'x-api-key': 'key-a',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'watch_weather',
        arguments: { city: 'Oslo', observations: 30, interval_ms: 50 },
        _meta: { progressToken: 'p' },
      },
    }),
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const reader = response.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  expect(first).toContain('notifications/progress');
  expect(first).not.toContain('"result"');
  left.abort();
});
