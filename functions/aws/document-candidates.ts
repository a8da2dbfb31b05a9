import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { text } from './document-rows.ts';

/** Rows past their expiry that are gone over one list after the other, beyond what is looked at in all; DynamoDB removes them late. */
const MAX_EXPIRED_ROWS = 1_000;

/** Rows per look at one of the lists where the look before found only such. */
const ROWS_AFTER_NOTHING = 100;

/** Rows that are looked at in all of the lists together of which the first look found only such, and at least in each. */
const ROWS_OF_ALL = 500;
const FEWEST_ROWS = 10;

/** Lists that are looked at at once. */
const LOOKS_AT_ONCE = 16;

/** Rows whose keys start alike, and of which the next ones are here. */
type Source = {
  readonly prefix: string;
  found: Candidate[];
  after: string | undefined;
  isDone: boolean;
};

/** A document's id, and the row that led to it. */
export type Candidate = { readonly id: string; readonly row: Row };

/** Some ids. */
export type CandidateLook = {
  readonly found: readonly Candidate[];
  /** Where more has expired than is gone over at once: all that comes up to this id was looked at, and what comes after it was not. */
  readonly pausedAt: string | undefined;
};

/** Ids in their order, from several lists at once, each once. */
export type Candidates = {
  /** The next ones, at most so many; fewer at the end, or where it paused. */
  next(limit: number): Promise<Result<CandidateLook, Unavailable>>;
};

/**
 * The ids that end the keys which start with one of the prefixes, after this id; so many rows are read at a time. All lists are looked at once,
 * and those that had only expired rows once more, so that wherever much has expired a page comes forward. Then only the list is read on that the
 * order needs next: what is read of others beyond the place where a page pauses would be read again by the next page.
 */
export function createCandidates(
  table: ContextTable,
  pk: string,
  prefixes: readonly string[],
  { afterId, rowsPerLook }: { readonly afterId: string | undefined; readonly rowsPerLook: number },
): Candidates {
  const sources: readonly Source[] = prefixes.map((prefix) => ({
    prefix,
    found: [],
    after: afterId === undefined ? undefined : `${prefix}${afterId}`,
    isDone: false,
  }));
  let isBegun = false;
  let left = MAX_EXPIRED_ROWS;
  const isEmpty = (source: Source): boolean => source.found.length === 0 && !source.isDone;
  /** Answers with the number of rows that had expired. */
  const refill = async (source: Source, rows: number): Promise<Result<number, Unavailable>> => {
    const page = await table.page(pk, source.prefix, source.after, rows);
    if (!page.ok) return page;
    source.found = page.value.rows.map((row) => ({ id: idOf(source, text(row, 'sk')), row }));
    source.after = page.value.nextSortKey;
    source.isDone = source.after === undefined;
    return ok(page.value.looked - page.value.rows.length);
  };
  const refillAll = async (some: readonly Source[], rows: number): Promise<Result<void, Unavailable>> => {
    for (let at = 0; at < some.length; at += LOOKS_AT_ONCE) {
      const filled = await Promise.all(
        some.slice(at, at + LOOKS_AT_ONCE).map((source) => refill(source, rows)),
      );
      for (const one of filled) if (!one.ok) return one;
    }
    return ok(undefined);
  };
  const begin = async (): Promise<Result<void, Unavailable>> => {
    isBegun = true;
    const looked = await refillAll(sources, rowsPerLook);
    const empty = sources.filter(isEmpty);
    // One alone is read on anyway.
    if (!looked.ok || empty.length < 2) return looked;
    return refillAll(empty, Math.max(FEWEST_ROWS, Math.floor(ROWS_OF_ALL / empty.length)));
  };
  return {
    async next(limit) {
      const begun = isBegun ? ok(undefined) : await begin();
      if (!begun.ok) return begun;
      const found: Candidate[] = [];
      let rows = rowsPerLook;
      while (found.length < limit) {
        const empty = lowest(sources.filter(isEmpty), reached);
        const first = lowest(
          sources.flatMap((source) => source.found.slice(0, 1)),
          ({ id }) => id,
        );
        if (empty !== undefined && (first === undefined || first.id > reached(empty))) {
          if (left <= 0) return ok({ found, pausedAt: reached(empty) });
          const expired = await refill(empty, rows);
          if (!expired.ok) return expired;
          left -= expired.value;
          rows = expired.value === 0 ? rowsPerLook : Math.max(rowsPerLook, ROWS_AFTER_NOTHING);
          continue;
        }
        if (first === undefined) break;
        found.push(first);
        for (const source of sources) if (source.found[0]?.id === first.id) source.found.shift();
      }
      return ok({ found, pausedAt: undefined });
    },
  };
}

/** All of a list up to this id was looked at. */
function reached(source: Source): string {
  return idOf(source, source.after ?? source.prefix);
}

/** The first one by what is said of it. */
function lowest<T>(some: readonly T[], idOfOne: (one: T) => string): T | undefined {
  const [first, ...others] = some;
  return first && others.reduce((best, one) => (idOfOne(one) < idOfOne(best) ? one : best), first);
}

function idOf({ prefix }: Source, sortKey: string): string {
  return sortKey.slice(prefix.length);
}
