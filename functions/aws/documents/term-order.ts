import { weightOf } from '../../core/documents/ranking.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { LOOKS_AT_ONCE, lookAtAll } from './looks.ts';
import type { Named } from './matches.ts';
import { byPlace, comesBefore, type Order, type Place } from './order.ts';
import type { Posting } from './postings.ts';
import { findTermScopes, readTermScope, readTermScopes, type TermScope } from './term-scopes.ts';

/** Rows beyond the documents asked for that the first look at a scope takes, because some may be of an older version. */
const SPARE_ROWS = 20;

/** Rows of a term that a search looks at beyond the first ones of each scope, expired ones too. What it asks for and is not there counts as one. */
const MORE_ROWS = 2_000;

/** A look that was too short is made again with so many times its rows, and at least with as many more as one read unit has. */
const GROWTH = 8;
const FEWEST_MORE = 30;

/** A document that the index names. */
type Candidate = Named & Place;

/** A scope that has rows which were not read. */
type ShortScope = TermScope & { readonly next: Place };

/**
 * The documents that have one term, those with most of it first: the rows of each scope are in that order, and of no scope more are read than the
 * result may need. Where that is more than the first look at a scope took, it is looked at again from the first row on: an edit between two looks that
 * go on from each other would take a document from the rows of the second to those of the first.
 */
export async function orderOfTerm(
  table: ContextTable,
  pk: string,
  term: string,
  visible: { readonly scopes: readonly string[] | undefined; readonly limit: number },
): Promise<Result<Order, Unavailable>> {
  const rows = visible.limit + SPARE_ROWS;
  const opened = await (visible.scopes === undefined
    ? findTermScopes(table, pk, term, rows)
    : readTermScopes(table, pk, term, visible.scopes, rows));
  if (!opened.ok) return opened;
  let { scopes } = opened.value;
  let ranked = candidatesOf(scopes);
  const named = new Set<string>();
  let left = MORE_ROWS;

  // Those first that may have the best of what is left: what they have may settle that the others are not needed.
  const readOn = async (short: readonly ShortScope[]): Promise<Result<void, Unavailable>> => {
    const some = short.toSorted((one, other) => byPlace(one.next, other.next)).slice(0, LOOKS_AT_ONCE);
    const share = Math.ceil(left / some.length);
    const read = await lookAtAll(some, ({ prefix, rows }) =>
      readTermScope(table, pk, prefix, rows + moreThan(rows, share)),
    );
    if (!read.ok) return read;
    for (const [index, { rows }] of read.value.entries()) {
      left -= Math.max(1, rows - (some[index]?.rows ?? 0));
    }
    const byPrefix = new Map(read.value.map((scope) => [scope.prefix, scope]));
    scopes = scopes.map((scope) => byPrefix.get(scope.prefix) ?? scope);
    ranked = candidatesOf(scopes);
    return ok(undefined);
  };

  return ok({
    // There is nothing to weigh one term against, so that no score tells how many others have it.
    weights: new Map([[term, weightOf(1)]]),
    worthOf: mostOf,

    async next(count, last) {
      for (;;) {
        const candidates = ranked.filter(({ id }) => !named.has(id));
        const until = earlier(candidates[count - 1], last);
        const short = scopes
          .filter(isShort)
          .filter(({ next }) => until === undefined || comesBefore(next, until));
        if (short.length > 0 && left > 0) {
          const read = await readOn(short);
          if (!read.ok) return read;
          continue;
        }
        const best = candidates.slice(0, count);
        const better = last === undefined ? best : best.filter((candidate) => comesBefore(candidate, last));
        for (const { id } of better) named.add(id);
        return ok({ named: better, isComplete: opened.value.isComplete && short.length === 0 });
      }
    },
  });
}

function isShort(scope: TermScope): scope is ShortScope {
  return scope.next !== undefined;
}

/** How many rows more a look takes than the one before: what would leave little of its share had better take that too. */
function moreThan(rows: number, share: number): number {
  const added = Math.max(FEWEST_MORE, rows * (GROWTH - 1));
  return share < 2 * added ? share : added;
}

/** The documents of the rows that were read, each at the place of its best row: the others may be of an older version. */
function candidatesOf(scopes: readonly TermScope[]): readonly Candidate[] {
  const byDocument = Map.groupBy(
    scopes.flatMap(({ postings }) => postings),
    ({ id }) => id,
  );
  return Array.from(byDocument, ([id, postings]) => ({ id, postings, worth: mostOf(postings) })).sort(
    byPlace,
  );
}

function mostOf(postings: readonly Posting[]): number {
  return Math.max(...postings.map(({ count }) => count));
}

function earlier(one: Place | undefined, other: Place | undefined): Place | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return comesBefore(one, other) ? one : other;
}
