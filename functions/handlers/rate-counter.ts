import type { Counter, LimitCounter, Unavailable } from '../core/ports.ts';
import { type RateLimit, type RateLimited, type RateWindow, rateWindow } from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What counting needs. `now` is in milliseconds since the epoch. */
export type CountingPorts = { readonly counter: Counter; readonly now: () => number };

/** The same where several things count one request. */
export type LimitPorts = CountingPorts & { readonly counter: LimitCounter };

/** Beyond its window a count is kept this long: clocks of two functions differ. */
const KEPT_SECONDS = 60;

/** Counts one more; `rate_limited` where it has happened as often as it may, however many count at once. */
export function countOne(
  ports: CountingPorts,
  limit: RateLimit,
  subject: readonly string[],
): Promise<Result<void, Unavailable | RateLimited>> {
  const nowSeconds = Math.floor(ports.now() / 1000);
  return countIn(ports, rateWindow(limit, subject, nowSeconds), limit.max, nowSeconds);
}

/** One of the counts that something needs: in a window, no more than so many. */
export type Count = { readonly window: RateWindow; readonly max: number };

/**
 * Counts one more in each, one after another. Where one refuses, those before it get back what they counted, so that what is refused uses
 * up nothing; until then it may keep another one out, so those that most share come last.
 */
export async function countEach(
  ports: LimitPorts,
  counts: readonly Count[],
  nowSeconds: number,
): Promise<Result<void, Unavailable | RateLimited>> {
  for (const [index, { window, max }] of counts.entries()) {
    const counted = await countIn(ports, window, max, nowSeconds);
    if (counted.ok) continue;
    await Promise.all(counts.slice(0, index).map((one) => ports.counter.takeBack(one.window.id)));
    return counted;
  }
  return ok(undefined);
}

async function countIn(
  ports: CountingPorts,
  window: RateWindow,
  max: number,
  nowSeconds: number,
): Promise<Result<void, Unavailable | RateLimited>> {
  // A token is taken for some seconds after it ends, and its count must still stand then.
  const counted = await ports.counter.count(window.id, max, window.endsAtSeconds + KEPT_SECONDS);
  if (counted.ok) return counted;
  return counted.error.reason === 'unavailable' ? err(counted.error) : rateLimited(window, nowSeconds);
}

/** Looks without counting: `rate_limited` where {@link countOne} would be, were it asked now. */
export async function checkRate(
  ports: CountingPorts,
  limit: RateLimit,
  subject: readonly string[],
): Promise<Result<void, Unavailable | RateLimited>> {
  const nowSeconds = Math.floor(ports.now() / 1000);
  const window = rateWindow(limit, subject, nowSeconds);
  const read = await ports.counter.read(window.id);
  if (!read.ok) return read;
  return read.value < limit.max ? ok(undefined) : rateLimited(window, nowSeconds);
}

function rateLimited(window: RateWindow, nowSeconds: number): Result<never, RateLimited> {
  return err({ reason: 'rate_limited', retryAfterSeconds: Math.max(1, window.endsAtSeconds - nowSeconds) });
}
