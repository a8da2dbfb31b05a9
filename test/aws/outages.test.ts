import { describe, expect, test } from 'vitest';
import { createOutages, type Outages } from '../../functions/aws/outages.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import { err, ok } from '../../functions/core/result.ts';

const down = (detail: string) => Promise.resolve(err({ reason: 'unavailable', detail } as const));
const request = new Request('https://gateway.example.com/');
const answer = (status: number) => new Response(null, { status });
const invocation = (requestId: string): Invocation => ({
  requestId,
  origin: 'https://gateway.example.com',
  sourceIp: '192.0.2.1',
  signal: new AbortController().signal,
  waitUntil: () => {},
});

function start() {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const outages = createOutages((entry) => lines.push(entry));
  const serve = (requestId: string, work: (outages: Outages) => Promise<Response>) =>
    outages.around({ fetch: () => work(outages) }).fetch(request, invocation(requestId));
  return { lines, outages, serve };
}

describe('a request that ends in 503', () => {
  test('says what failed, each once, of what was asked for it alone', async () => {
    const { lines, outages, serve } = start();
    const store = outages.watch({ read: down });
    const ask = outages.watch(down);
    let others = () => {};
    const first = serve('one', async () => {
      await store.read('table');
      await new Promise<void>((resolve) => {
        others = resolve;
      });
      await store.read('table');
      await ask('queue');
      return answer(503);
    });
    await serve('two', async () => {
      await store.read('bucket');
      others();
      return answer(503);
    });
    await first;
    expect(lines).toEqual([
      { level: 'error', event: 'unavailable', request_id: 'two', detail: 'bucket' },
      { level: 'error', event: 'unavailable', request_id: 'one', detail: 'table; queue' },
    ]);
  });

  test('says what is missing only where nothing was down', async () => {
    const { lines, outages, serve } = start();
    const read = outages.watch((name: string) =>
      Promise.resolve(name === '' ? ok(name) : err({ reason: name, detail: `it is ${name}` })),
    );
    const fail = (requestId: string, ...names: string[]) =>
      serve(requestId, async () => {
        for (const name of names) await read(name);
        return answer(503);
      });
    await fail('a', 'missing', 'denied', '');
    await fail('b', 'missing', 'conflict');
    await fail('c', 'conflict');
    expect(lines.map(({ detail }) => detail)).toEqual([
      'it is denied',
      'it is missing',
      expect.stringContaining('no dependency failed here'),
    ]);
  });

  test('that said so itself is not said again; what only warned is', async () => {
    const { lines, serve } = start();
    await serve('one', async ({ log }) => {
      log({ level: 'error', event: 'signing_failed' });
      return answer(503);
    });
    await serve('two', async ({ log }) => {
      log({ level: 'warn', event: 'slow' });
      return answer(503);
    });
    expect(lines.map(({ event }) => event)).toEqual(['signing_failed', 'slow', 'unavailable']);
  });
});

test('any other answer says nothing, whatever failed', async () => {
  const { lines, outages, serve } = start();
  const read = outages.watch(down);
  for (const status of [200, 401, 500, 504]) {
    await serve('one', async () => {
      await read('table');
      return answer(status);
    });
  }
  await read('outside of a request');
  expect(lines).toEqual([]);
});

test('an authorizer that cannot say says why', async () => {
  const { lines, outages } = start();
  const read = outages.watch(down);
  const about = {
    requestId: 'one',
    origin: 'https://gateway.example.com',
    method: 'GET',
    path: '/',
    headers: new Headers(),
    repeatedHeaders: [],
    queryNames: [],
  };
  const verdicts = ['unauthorized', 'unavailable'] as const;
  for (const verdict of verdicts) {
    await outages.aroundAuthorizer(async () => {
      await read('table');
      return { verdict };
    })(about);
  }
  expect(lines).toEqual([{ level: 'error', event: 'unavailable', request_id: 'one', detail: 'table' }]);
});

test('what is watched is what it was, and what it throws stays its own', async () => {
  const { outages, serve } = start();
  const port = outages.watch({
    limit: 3,
    at: (key: string) => `${key}!`,
    fail: () => Promise.reject(new Error('bug')),
  });
  expect([port.limit, port.at('a')]).toEqual([3, 'a!']);
  await expect(serve('one', async () => answer(await port.fail()))).rejects.toThrow('bug');
});
