import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';

/** Rows of one request, and requests that are under way at once. */
const ROWS_PER_REQUEST = 100;
const REQUESTS_AT_ONCE = 4;

/** What requests for some of it each answer, in order; a few of them are under way at a time. */
export async function sideBySide<T, R>(
  items: readonly T[],
  read: (some: readonly T[]) => Promise<Result<R, Unavailable>>,
): Promise<Result<readonly R[], Unavailable>> {
  const batches = Array.from({ length: Math.ceil(items.length / ROWS_PER_REQUEST) }, (_, index) =>
    items.slice(index * ROWS_PER_REQUEST, (index + 1) * ROWS_PER_REQUEST),
  );
  const answers: R[] = [];
  for (let at = 0; at < batches.length; at += REQUESTS_AT_ONCE) {
    for (const answer of await Promise.all(batches.slice(at, at + REQUESTS_AT_ONCE).map(read))) {
      if (!answer.ok) return answer;
      answers.push(answer.value);
    }
  }
  return ok(answers);
}
