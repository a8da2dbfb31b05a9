import type { Worker } from 'node:worker_threads';

/** What a thread holds, in bytes: its heap and the buffers outside of it, with what it no longer needs. */
export async function measureHeldBytes(worker: Worker): Promise<number> {
  const { used_heap_size: heap, external_memory: external } = await worker.getHeapStatistics();
  return heap + external;
}

/** What a thread holds and still needs, in bytes. Before a snapshot, and in no other way from outside, V8 collects whatever it can. */
export async function measureLiveBytes(worker: Worker): Promise<number> {
  const snapshot = await worker.getHeapSnapshot();
  for await (const _ of snapshot);
  return measureHeldBytes(worker);
}
