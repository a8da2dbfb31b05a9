import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Disconnects } from '../../local/api-gateway/lambda-integration.ts';
import { type HeldServer, startHeldServer } from '../support/held-server.ts';
import { type StreamCloud, startStreamCloud } from '../support/stream-cloud.ts';

const MEGABYTE = 1024 * 1024;
const SSE = { 'content-type': 'text/event-stream' };
const EVENT = 'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}\n\n';

/** Each bound alone is short enough to be waited for. */
const TIMEOUTS = {
  patient: { silence: '60s', call: '60s' },
  silence: { silence: '500ms', call: '60s' },
  pace: { silence: '2s', call: '60s' },
  call: { silence: '60s', call: '2s' },
};

let upstream: HeldServer;

beforeAll(async () => {
  upstream = await startHeldServer();
});
afterAll(() => upstream?.close());

describe.for<Disconnects>(['reported', 'unreported'])('with disconnects %s', (disconnects) => {
  let cloud: StreamCloud;

  beforeAll(async () => {
    const entry = (timeout: object) => ({ url: upstream.url, private: true, timeout });
    cloud = await startStreamCloud(
      { assemblyDir: inject('assemblyDirectory'), disconnects, maxEnvironments: 1 },
      {
        servers: {
          ...Object.fromEntries(Object.entries(TIMEOUTS).map(([name, timeout]) => [name, entry(timeout)])),
          keyed: { ...entry(TIMEOUTS.call), egress: { mode: 'service_account' } },
        },
      },
    );
    await expectNextCall();
  });
  afterAll(() => cloud?.close());

  /** A call that has reached the upstream. `outcomes`: what was recorded since. */
  type Reached = { readonly held: ServerResponse; readonly outcomes: () => readonly string[] };

  /** The environment is the call's by then, so the calls before it are over and recorded. */
  async function reached(): Promise<Reached> {
    const held = await upstream.next();
    const earlier = cloud.outcomes().length;
    return { held, outcomes: () => cloud.outcomes().slice(earlier) };
  }

  /** Calls a server, and sends the head and one event of its answer. */
  async function begin(server: string): Promise<Reached & { readonly client: IncomingMessage }> {
    const answered = cloud.call(server);
    const call = await reached();
    call.held.writeHead(200, SSE).write(EVENT);
    return { ...call, client: await answered };
  }

  /** There is one environment: a call goes through once it is free, and the count of threads says whether it lived. */
  async function expectNextCall(): Promise<void> {
    const answered = cloud.call('patient');
    const held = await upstream.next();
    held.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":5,"result":{}}');
    expect(JSON.parse(await text(await answered))).toMatchObject({ id: 5, result: {} });
  }

  /** What happens in `during` leaves the environment as it was. */
  async function onOneEnvironment(during: () => Promise<void>): Promise<void> {
    const before = cloud.workers.length;
    await during();
    await expectNextCall();
    expect(cloud.workers.length).toBe(before);
  }

  test('the head of an answer comes before its first event', async () => {
    const answered = cloud.call('patient');
    const held = await upstream.next();
    held.writeHead(200, SSE).flushHeaders();
    const client = await answered;
    expect(client.statusCode).toBe(200);
    held.end(EVENT);
    expect(await text(client)).toBe(EVENT);
  });

  test.for<readonly [string, (held: ServerResponse) => void]>([
    ['hangs up', (held) => void held.destroy()],
    ['resets', (held) => void held.socket?.resetAndDestroy()],
    ['stops speaking HTTP', (held) => void held.socket?.end('zz\r\n')],
    ['falls silent', () => {}],
  ])('an upstream that %s in the middle fails the stream and nothing else', async ([, fail]) => {
    await onOneEnvironment(async () => {
      const { client, held, outcomes } = await begin('silence');
      fail(held);
      const whole = await text(client);
      expect(whole.startsWith(EVENT)).toBe(true);
      const [, data = ''] = whole.slice(EVENT.length).split('data: ');
      expect(JSON.parse(data)).toMatchObject({ jsonrpc: '2.0', id: 5, error: { code: -31003 } });
      await expect.poll(outcomes).toEqual(['failed']);
    });
  });

  test('a client that reads nothing ends with its call', async () => {
    await onOneEnvironment(async () => {
      // With a credential the answer is looked through, without one it is not.
      const { client, held, outcomes } = await begin(disconnects === 'reported' ? 'keyed' : 'call');
      offer(held, 200 * MEGABYTE);
      await once(held, 'close');
      expect(held.writableFinished).toBe(false);
      // 5 s are left to the client in which to hear of it.
      await expect.poll(outcomes, { timeout: 10_000 }).toEqual(['failed']);
      await expect(text(client)).rejects.toThrow('aborted');
    });
  });

  if (disconnects === 'reported') {
    test('an upstream is read no faster than the client reads, which is no silence', async () => {
      await onOneEnvironment(async () => {
        const { client, held } = await begin('pace');
        const offered = 128 * MEGABYTE;
        const { taken, done } = offer(held, offered);
        const stopped = await untilStill(taken, 600);
        expect(stopped).toBeLessThan(64 * MEGABYTE);
        // Longer than an upstream may be silent.
        await wait(2_500);
        expect(taken()).toBe(stopped);
        let received = 0;
        for await (const chunk of client) received += chunk.length;
        await done;
        expect(received).toBe(EVENT.length + offered);
      });
    });

    test.for<readonly [string, (client: IncomingMessage, held: ServerResponse) => Promise<void>]>([
      ['between two events', async () => {}],
      [
        'while it does not read',
        async (_, held) => {
          await untilStill(offer(held, 200 * MEGABYTE).taken, 300);
        },
      ],
    ])('a client that leaves %s ends the call at once', async ([, before]) => {
      await onOneEnvironment(async () => {
        const { client, held, outcomes } = await begin('patient');
        await before(client, held);
        const closed = once(held, 'close');
        client.destroy();
        await closed;
        expect(held.writableFinished).toBe(false);
        await expect.poll(outcomes).toEqual(['abandoned']);
      });
    });

    test('a client that leaves before the answer ends the call at once', async () => {
      await onOneEnvironment(async () => {
        const leaving = cloud.start('patient');
        const held = await upstream.next();
        const closed = once(held, 'close');
        leaving.destroy();
        await closed;
        expect(held.headersSent).toBe(false);
      });
    });
  } else {
    test('a client that leaves does not end the call: what it asked for is done', async () => {
      await onOneEnvironment(async () => {
        const { client, held, outcomes } = await begin('patient');
        client.destroy();
        // More than fits on the way: it leaves because it is read.
        await offer(held, 64 * MEGABYTE).done;
        await expect.poll(outcomes).toEqual(['complete']);
      });
    });

    test('the call of a client that left ends when the upstream falls silent', async () => {
      await onOneEnvironment(async () => {
        const { client, held, outcomes } = await begin('silence');
        const closed = once(held, 'close');
        client.destroy();
        await closed;
        await expect.poll(outcomes).toEqual(['failed']);
      });
    });

    test('the call of a client that left ends at the bound of the call, however much the upstream has to say', async () => {
      await onOneEnvironment(async () => {
        const { client, held, outcomes } = await begin('call');
        const talking = setInterval(() => void held.write(EVENT), 20);
        const closed = once(held, 'close');
        client.destroy();
        await closed;
        clearInterval(talking);
        await expect.poll(outcomes).toEqual(['failed']);
      });
    });

    test('the call of a client that left before the answer goes on', async () => {
      await onOneEnvironment(async () => {
        const leaving = cloud.start('patient');
        const { held, outcomes } = await reached();
        leaving.destroy();
        held.writeHead(200, SSE).end(EVENT);
        await expect.poll(outcomes).toEqual(['complete']);
      });
    });
  }
});

/** Writes comments for as long as they are taken, and ends. `taken` counts what has left for the network, or is the next to. */
function offer(
  held: ServerResponse,
  bytes: number,
): { readonly taken: () => number; readonly done: Promise<void> } {
  const block = Buffer.alloc(64 * 1024, ':');
  block.write('\n\n', block.length - 2);
  let taken = 0;
  function* blocks() {
    for (; taken < bytes; taken += block.length) yield block;
  }
  return { taken: () => taken, done: pipeline(blocks(), held).catch(() => {}) };
}

/** What it counts to, once it has not counted on for a while. */
async function untilStill(count: () => number, stillMs: number): Promise<number> {
  for (let before = -1; before !== count(); await wait(stillMs)) before = count();
  return count();
}
