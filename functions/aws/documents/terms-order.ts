import { scoreOf, weightOf } from '../../core/documents/ranking.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { byPlace, comesBefore, type Order } from './order.ts';
import { type Posting, readPostings } from './postings.ts';

/**
 * The documents that have some of several terms, by their scores. How much a term says is how few documents have it, and a document with a little of
 * each may be the best: so all rows of all of them are read before the first document is named, up to a bound.
 */
export async function orderOfTerms(
  table: ContextTable,
  pk: string,
  terms: readonly string[],
  scopes: readonly string[] | undefined,
): Promise<Result<Order, Unavailable>> {
  const found = await Promise.all(terms.map((term) => readPostings(table, pk, term, scopes)));
  const all: Posting[] = [];
  const weights = new Map<string, number>();
  let isComplete = true;
  for (const [index, one] of found.entries()) {
    if (!one.ok) return one;
    const documents = new Set(one.value.postings.map(({ id }) => id));
    weights.set(terms[index] ?? '', weightOf(documents.size));
    isComplete &&= one.value.isComplete;
    all.push(...one.value.postings);
  }
  const worthOf = (postings: readonly Posting[]) => scoreOf(onePerTerm(postings), weights);
  const candidates = Array.from(
    Map.groupBy(all, ({ id }) => id),
    ([id, postings]) => ({
      id,
      postings,
      worth: worthOf(postings),
    }),
  ).sort(byPlace);
  let at = 0;
  return ok({
    weights,
    worthOf,
    async next(count, last) {
      const best = candidates.slice(at, at + count);
      const named = last === undefined ? best : best.filter((candidate) => comesBefore(candidate, last));
      at += named.length;
      return ok({ named, isComplete });
    },
  });
}

/** Of rows of the same term, of which one may be of an older version, the one with most of it. */
function onePerTerm(postings: readonly Posting[]): readonly Posting[] {
  const best = new Map<string, Posting>();
  for (const posting of postings) {
    if ((best.get(posting.term)?.count ?? 0) < posting.count) best.set(posting.term, posting);
  }
  return [...best.values()];
}
