import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { startBulkStreams } from '../support/bulk-streams.ts';
import { measureHeldBytes, measureLiveBytes } from '../support/worker-memory.ts';

const MEGABYTE = 1024 * 1024;
const BYTES = 200 * MEGABYTE;
const WARM_UP_BYTES = 64 * MEGABYTE;
const SAMPLE_MS = 10;

/**
 * Answers of 200 MB through the whole local cloud, all of it in this process, with the upstream and the client: what the gateway's
 * environment holds at most, what it still needs in the end, and by how much the whole process grows.
 */
export async function measureMemory(assemblyDirectory: string): Promise<void> {
  const streams = await startBulkStreams(assemblyDirectory);
  try {
    const kinds: readonly (readonly [string, (bytes: number) => Promise<IncomingMessage>])[] = [
      ['events', (bytes) => streams.call('events', bytes)],
      ['events, each looked at', (bytes) => streams.call('events', bytes, 'searched')],
      ['through the egress gateway', (bytes) => streams.callService('bytes', bytes)],
    ];
    for (const [, open] of kinds) await drain(await open(WARM_UP_BYTES));
    console.log('\nan answer of 200 MB            MB/s   gateway MB: before   at most   process MB: growth');
    for (const [name, open] of kinds) {
      const before = await measureHeldBytes(streams.gateway);
      const residentBefore = process.memoryUsage.rss();
      const startedAt = performance.now();
      const answer = await open(BYTES);
      const peaks = await sampleWhile(drain(answer), [
        () => measureHeldBytes(streams.gateway),
        async () => process.memoryUsage.rss(),
      ]);
      const rate = (BYTES / MEGABYTE / (performance.now() - startedAt)) * 1_000;
      const [held = 0, resident = 0] = peaks;
      console.log(
        `${name.padEnd(29)}${rate.toFixed(0).padStart(6)}${megabytes(before).padStart(21)}${megabytes(held).padStart(10)}${megabytes(resident - residentBefore).padStart(21)}`,
      );
    }
    const live = await measureLiveBytes(streams.gateway);
    console.log(`what the gateway still needs after all of them   ${megabytes(live)} MB`);
  } finally {
    await streams.close();
  }
}

/** The largest of each figure until `work` is done. */
async function sampleWhile(
  work: Promise<void>,
  figures: readonly (() => Promise<number>)[],
): Promise<readonly number[]> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  let peaks = figures.map(() => 0);
  while (!isDone) {
    const now = await Promise.all(figures.map((figure) => figure()));
    peaks = peaks.map((peak, index) => Math.max(peak, now[index] ?? 0));
    await wait(SAMPLE_MS);
  }
  await done;
  return peaks;
}

async function drain(answer: IncomingMessage): Promise<void> {
  for await (const _ of answer);
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(0);
}
