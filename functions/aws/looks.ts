import { isFresh, STALE_AFTER_SECONDS } from '../core/freshness.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What is looked at again and again. `maxAgeSeconds`: how old an answer may be before another look is taken. */
export type Looks<T> = { read(maxAgeSeconds: number): Promise<Result<T, Unavailable>> };

/**
 * Holds what a look found, one look at a time. A look counts from its beginning, an answer is judged at its end: none is 15 s old,
 * however long the look took and whatever came of it. `look` gets what is held.
 */
export function createLooks<T>(
  look: (held: T | undefined) => Promise<Result<T, Unavailable>>,
  clock: Clock,
): Looks<T> {
  let held: { readonly found: T; readonly lookedAtSeconds: number } | undefined;
  let underWay: Promise<Result<T, Unavailable>> | undefined;

  const refresh = async (): Promise<Result<T, Unavailable>> => {
    const lookedAtSeconds = clock();
    const found = await look(held?.found);
    if (found.ok) held = { found: found.value, lookedAtSeconds };
    if (held !== undefined && isFresh(held.lookedAtSeconds, STALE_AFTER_SECONDS, clock()))
      return ok(held.found);
    return found.ok ? err({ reason: 'unavailable', detail: 'the look took too long' }) : found;
  };

  return {
    read(maxAgeSeconds) {
      if (held !== undefined && isFresh(held.lookedAtSeconds, maxAgeSeconds, clock())) {
        return Promise.resolve(ok(held.found));
      }
      underWay ??= refresh().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}
