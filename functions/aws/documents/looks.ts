import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';

/** Looks at the table that one search, or one page of a list, makes at once. */
export const LOOKS_AT_ONCE = 16;

/** What looks at each of them answered, in their order, so many at a time; the first failure ends it. */
export async function lookAtAll<T, R>(
  all: readonly T[],
  look: (one: T) => Promise<Result<R, Unavailable>>,
  atOnce = LOOKS_AT_ONCE,
): Promise<Result<readonly R[], Unavailable>> {
  const answers: R[] = [];
  for (let at = 0; at < all.length; at += atOnce) {
    for (const answer of await Promise.all(all.slice(at, at + atOnce).map(look))) {
      if (!answer.ok) return answer;
      answers.push(answer.value);
    }
  }
  return ok(answers);
}
