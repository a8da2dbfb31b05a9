import type { Counter, Unavailable } from '../core/ports.ts';
import { type RateLimit, type RateLimited, type RateWindow, rateWindow } from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What counting needs. `now` is in milliseconds since the epoch. */
export type CountingPorts = { readonly counter: Counter; readonly now: () => number };

/** Counts one more; `rate_limited` where it has happened as often as it may, however many count at once. */
export async function countOne(
  ports: CountingPorts,
  limit: RateLimit,
  subject: readonly string[],
): Promise<Result<void, Unavailable | RateLimited>> {
  const nowSeconds = Math.floor(ports.now() / 1000);
  const window = rateWindow(limit, subject, nowSeconds);
  const counted = await ports.counter.count(window.id, limit.max, window.endsAtSeconds);
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
  return err({ reason: 'rate_limited', retryAfterSeconds: window.endsAtSeconds - nowSeconds });
}
