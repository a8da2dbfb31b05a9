import type { LimitCounter } from '../../functions/core/ports.ts';

/** A counter where nothing is limited: asking it anything is the fault that a test of what limits cost looks for. */
export const UNASKED: LimitCounter = {
  count: () => Promise.reject(new Error('counted, and nothing is limited')),
  takeBack: () => Promise.reject(new Error('given back, and nothing is limited')),
  read: () => Promise.reject(new Error('read, and nothing is limited')),
};

/** Exact counts in memory, of one process, and how often it was asked to count. */
export function memoryCounter(): LimitCounter & { readonly counts: Map<string, number>; asked: number } {
  const counts = new Map<string, number>();
  return {
    counts,
    asked: 0,
    count(id, max) {
      this.asked += 1;
      const soFar = counts.get(id) ?? 0;
      if (soFar >= max) return Promise.resolve({ ok: false, error: { reason: 'used_up' } });
      counts.set(id, soFar + 1);
      return Promise.resolve({ ok: true, value: undefined });
    },
    takeBack(id) {
      const soFar = counts.get(id) ?? 0;
      if (soFar > 0) counts.set(id, soFar - 1);
      return Promise.resolve();
    },
    read: (id) => Promise.resolve({ ok: true, value: counts.get(id) ?? 0 }),
  };
}
