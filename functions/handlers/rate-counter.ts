import type { Counter, Unavailable } from '../core/ports.ts';
import {
  type RateLimit,
  type RateLimited,
  type RateWindow,
  rateWindow,
  wholeLife,
} from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What counting needs. `now` is in milliseconds since the epoch. */
export type CountingPorts = { readonly counter: Counter; readonly now: () => number };

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

/** Counts one more use of what may be used so many times until it ends; `rate_limited`, until then, where it has been. */
export function countUse(
  ports: CountingPorts,
  life: { readonly max: number; readonly endsAtSeconds: number },
  subject: readonly string[],
): Promise<Result<void, Unavailable | RateLimited>> {
  const nowSeconds = Math.floor(ports.now() / 1000);
  return countIn(ports, wholeLife(subject, life.endsAtSeconds), life.max, nowSeconds);
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
