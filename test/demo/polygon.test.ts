import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { LoopbackServer } from '../../local/demo/loopback.ts';
import { startPolygon } from '../../local/demo/polygon.ts';

const Answer = z.object({
  account: z.string(),
  results: z.array(z.object({ t: z.number(), c: z.number() })),
});
const WEEK = '/v2/aggs/ticker/AAPL/range/1/day/2026-01-05/2026-01-09';

let polygon: LoopbackServer;

beforeAll(async () => {
  polygon = await startPolygon({
    port: 0,
    keys: new Map([
      ['key-a', 'a'],
      ['key-b', 'b'],
    ]),
  });
});

afterAll(() => polygon.close());

function get(path: string, key?: string): Promise<Response> {
  return fetch(polygon.origin + path, {
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
  });
}

async function load(path: string, key: string) {
  return Answer.parse(await (await get(path, key)).json());
}

test.for([undefined, 'key-c', ''])('a key that it does not know is refused: %o', async (key) => {
  const response = await get(WEEK, key);
  expect(response.status).toBe(401);
  expect(await response.json()).toEqual({ status: 'ERROR', error: 'Unknown API Key' });
});

test('the key may also come in the query, as Polygon allows', async () => {
  expect((await get(`${WEEK}?apiKey=key-a`)).status).toBe(200);
});

test('each key has its own data, the same at every call', async () => {
  const [a, again, b] = [await load(WEEK, 'key-a'), await load(WEEK, 'key-a'), await load(WEEK, 'key-b')];
  expect(a).toEqual(again);
  expect([a.account, b.account]).toEqual(['a', 'b']);
  expect(a.results).not.toEqual(b.results);
});

test('dates may be milliseconds', async () => {
  const inMs = `/v2/aggs/ticker/AAPL/range/1/day/${Date.UTC(2026, 0, 5)}/${Date.UTC(2026, 0, 9)}`;
  expect(await load(inMs, 'key-a')).toEqual(await load(WEEK, 'key-a'));
});

test('limit and sort are obeyed', async () => {
  const { results } = await load(`${WEEK}?limit=2&sort=desc`, 'key-a');
  expect(results.map(({ t }) => t)).toEqual([Date.UTC(2026, 0, 6), Date.UTC(2026, 0, 5)]);
});

test.for([
  [404, '/v3/reference/tickers'],
  [400, '/v2/aggs/ticker/AAPL/range/1/day/2026-01-09/2026-01-05'],
  [400, '/v2/aggs/ticker/AAPL/range/0/day/2026-01-05/2026-01-09'],
  [400, '/v2/aggs/ticker/AAPL/range/1/moon/2026-01-05/2026-01-09'],
  [400, '/v2/aggs/ticker/AAPL/range/1/day/soon/2026-01-09'],
  [400, `${WEEK}?limit=50001`],
] as const)('%i for %s', async ([status, path]) => {
  expect((await get(path, 'key-a')).status).toBe(status);
});
