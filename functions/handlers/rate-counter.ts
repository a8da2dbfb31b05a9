import type { RecordStore, StoredRecord, Unavailable } from '../core/ports.ts';
import { type RateLimit, type RateWindow, rateWindow } from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What counting needs. */
export type CountingPorts = { readonly records: RecordStore; readonly now: () => number };

/** Too often; the same may be tried again then. */
export type RateLimited = { readonly reason: 'rate_limited'; readonly retryAfterSeconds: number };

/** A count as it was read. */
export type Tally = {
  readonly limit: RateLimit;
  readonly window: RateWindow;
  readonly count: number;
  readonly record: StoredRecord | undefined;
};

/** Reads how often it has happened; `rate_limited` where that is as often as it may. */
export async function readTally(
  ports: CountingPorts,
  limit: RateLimit,
  subject: readonly string[],
): Promise<Result<Tally, Unavailable | RateLimited>> {
  return readWindow(ports, limit, rateWindow(limit, subject, Math.floor(ports.now() / 1000)));
}

/**
 * Counts one more. None is lost where many count at once: whoever loses a write reads again, and of those who write at once one succeeds,
 * so that it ends with the limit at the latest. `rate_limited` where others have used it up meanwhile.
 */
export async function countOne(
  ports: CountingPorts,
  tally: Tally,
): Promise<Result<void, Unavailable | RateLimited>> {
  const { limit, window, count, record } = tally;
  const text = String(count + 1);
  const written =
    record === undefined
      ? await ports.records.create(window.key, text, window.endsAtSeconds)
      : await ports.records.replace(window.key, record, text, window.endsAtSeconds);
  if (written.ok) return written;
  if (written.error.reason === 'unavailable') return err(written.error);
  const again = await readWindow(ports, limit, window);
  if (!again.ok) return again;
  // The window is over: it no longer matters how often it happened in there.
  return again.value.record === undefined ? ok(undefined) : countOne(ports, again.value);
}

async function readWindow(
  ports: CountingPorts,
  limit: RateLimit,
  window: RateWindow,
): Promise<Result<Tally, Unavailable | RateLimited>> {
  const read = await ports.records.read(window.key);
  if (!read.ok) return read;
  const count = Number(read.value?.text ?? 0);
  if (count < limit.max) return ok({ limit, window, count, record: read.value });
  const retryAfterSeconds = Math.max(1, window.endsAtSeconds - Math.floor(ports.now() / 1000));
  return err({ reason: 'rate_limited', retryAfterSeconds });
}
