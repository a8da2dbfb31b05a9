import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type BulkStreams, startBulkStreams } from '../support/bulk-streams.ts';
import { measureLiveBytes } from '../support/worker-memory.ts';

const MEGABYTE = 1024 * 1024;
const WARM_UP_BYTES = 20 * MEGABYTE;
/** More than the stages of an answer hold of it together, and far less than the answer. */
const HELD_BYTES = 16 * MEGABYTE;

let streams: BulkStreams;
let liveBefore: number;

beforeAll(async () => {
  streams = await startBulkStreams(inject('assemblyDirectory'));
  // What the code itself needs is there from here on.
  for (const how of ['plain', 'searched'] as const) {
    for (const bulk of ['events', 'event', 'json'] as const)
      await drain(await streams.call(bulk, WARM_UP_BYTES, how));
  }
  await drain(await streams.callService('bytes', WARM_UP_BYTES));
  liveBefore = await measureLiveBytes(streams.gateway);
});
afterAll(() => streams?.close());

/** Reads an answer to its end. `midway` is done once, when so many bytes have come, and nothing is read meanwhile. */
async function drain(
  answer: IncomingMessage,
  midway?: { readonly atBytes: number; readonly run: () => Promise<void> },
): Promise<number> {
  let [received, isDone] = [0, false];
  for await (const chunk of answer) {
    received += chunk.length;
    if (midway === undefined || isDone || received < midway.atBytes) continue;
    isDone = true;
    await midway.run();
  }
  return received;
}

describe('an answer of 200 MB', { timeout: 120_000 }, () => {
  test.for<readonly [string, (bytes: number) => Promise<IncomingMessage>]>([
    ['of events', (bytes) => streams.call('events', bytes)],
    ['of events that are looked at', (bytes) => streams.call('events', bytes, 'searched')],
    ['of an API', (bytes) => streams.callService('bytes', bytes)],
  ])('%s is in no memory', async ([, open]) => {
    let live = 0;
    const run = async () => {
      live = await measureLiveBytes(streams.gateway);
    };
    const received = await drain(await open(200 * MEGABYTE), { atBytes: 100 * MEGABYTE, run });
    expect(received).toBeGreaterThanOrEqual(200 * MEGABYTE);
    expect(live).toBeGreaterThan(0);
    expect(live - liveBefore).toBeLessThan(HELD_BYTES);
  });
});

describe('a single answer of 50 MB', () => {
  const BYTES = 50 * MEGABYTE;

  test.for(['event', 'json'] as const)('passes where nobody looks at it: %s', async (bulk) => {
    let live = 0;
    const run = async () => {
      live = await measureLiveBytes(streams.gateway);
    };
    const received = await drain(await streams.call(bulk, BYTES), { atBytes: BYTES / 2, run });
    expect(received).toBeGreaterThan(BYTES);
    expect(live).toBeGreaterThan(0);
    expect(live - liveBefore).toBeLessThan(HELD_BYTES);
  });

  test.for([
    ['event', 200, 'failed'],
    ['json', 502, 'unreadable_list'],
  ] as const)('that has to be looked at whole ends in an error: %s', async ([bulk, status, outcome]) => {
    const environments = streams.environments();
    const answer = await streams.call(bulk, BYTES, 'searched');
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    const [, , data = ''] = /^(event: message\ndata: )?(.*)/.exec(Buffer.concat(chunks).toString()) ?? [];
    expect([answer.statusCode, JSON.parse(data)]).toMatchObject([status, { id: 5, error: { code: -31003 } }]);
    await expect.poll(streams.lastOutcome).toBe(outcome);
    expect((await measureLiveBytes(streams.gateway)) - liveBefore).toBeLessThan(HELD_BYTES);
    // The environment that refused it serves the next.
    expect(await drain(await streams.call('events', MEGABYTE, 'searched'))).toBeGreaterThanOrEqual(MEGABYTE);
    expect(streams.environments()).toBe(environments);
  });
});
