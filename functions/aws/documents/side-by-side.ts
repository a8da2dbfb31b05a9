import type { Unavailable } from '../../core/ports.ts';
import type { Result } from '../../core/result.ts';
import { lookAtAll } from './looks.ts';

/** Rows of one request, and requests that are under way at once. */
const ROWS_PER_REQUEST = 100;
const REQUESTS_AT_ONCE = 4;

/** What requests for some of it each answer, in order; a few of them are under way at a time. */
export function sideBySide<T, R>(
  items: readonly T[],
  read: (some: readonly T[]) => Promise<Result<R, Unavailable>>,
): Promise<Result<readonly R[], Unavailable>> {
  const batches = Array.from({ length: Math.ceil(items.length / ROWS_PER_REQUEST) }, (_, index) =>
    items.slice(index * ROWS_PER_REQUEST, (index + 1) * ROWS_PER_REQUEST),
  );
  return lookAtAll(batches, read, REQUESTS_AT_ONCE);
}
