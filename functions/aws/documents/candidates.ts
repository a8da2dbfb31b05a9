import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { lookAtAll } from './looks.ts';
import { text } from './rows.ts';

/** Rows of each of many lists that are looked at first. */
const FIRST_ROWS = 8;

/** A list that was read to where it was asked to is asked for so many times as much then. */
const GROWTH = 4;

/** Who goes on asking has those read on at once that have less than so many times what each would give to the next look. */
const AHEAD = 4;

/** Rows past their expiry that are gone over one list after the other, beyond what is looked at in all; DynamoDB removes them late. */
const MAX_EXPIRED_ROWS = 1_000;

/** Rows per look at one of the lists where the look before found only such. */
const ROWS_AFTER_NOTHING = 100;

/**
 * Rows that are looked at in all of the lists together of which the first look found only such, and at least in each: fewer for a page that
 * takes fewer itself, and for no other one more than DynamoDB charges for anyway.
 */
const ROWS_OF_ALL = 500;
const FEWEST_ROWS = 10;
const ROWS_OF_A_UNIT = 32;

/** Rows whose keys start alike, and of which the next ones are here. */
type Source = {
  readonly prefix: string;
  found: Candidate[];
  after: string | undefined;
  /** Of the next look. */
  rows: number;
  /** Has nothing been found in it yet? */
  isBare: boolean;
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
  /** The prefixes with which no key starts, as far as was looked; none of those that were looked at from an id on. */
  empty(): readonly string[];
};

/**
 * The ids that end the keys which start with one of the prefixes, after this id; so many rows of a list are read at a time at most. All lists are
 * looked at once, however many there are: of many each gives little to a page, so little of each is read. Those that had only expired rows are
 * looked at once more, so that wherever much has expired a page comes forward. Then only the list is read on that the order needs next: what is
 * read of others beyond the place where a page pauses would be read again by the next page. Who goes on asking has those that run short read on
 * at once, because many do at about the same time.
 */
export function createCandidates(
  table: ContextTable,
  pk: string,
  prefixes: readonly string[],
  { afterId, rowsPerLook }: { readonly afterId: string | undefined; readonly rowsPerLook: number },
): Candidates {
  const share = Math.max(FIRST_ROWS, Math.ceil((2 * rowsPerLook) / prefixes.length));
  const sources: readonly Source[] = prefixes.map((prefix) => ({
    prefix,
    found: [],
    after: afterId === undefined ? undefined : `${prefix}${afterId}`,
    rows: Math.min(rowsPerLook, share),
    isBare: true,
    isDone: false,
  }));
  let isBegun = false;
  let left = MAX_EXPIRED_ROWS;
  const isEmpty = (source: Source): boolean => source.found.length === 0 && !source.isDone;
  /** Answers with the number of rows that had expired. */
  const refill = async (source: Source, rows: number): Promise<Result<number, Unavailable>> => {
    const page = await table.page(pk, source.prefix, source.after, rows);
    if (!page.ok) return page;
    source.found.push(...page.value.rows.map((row) => ({ id: idOf(source, text(row, 'sk')), row })));
    source.after = page.value.nextSortKey;
    source.rows = Math.min(rowsPerLook, source.rows * GROWTH);
    source.isBare &&= page.value.rows.length === 0;
    source.isDone = source.after === undefined;
    return ok(page.value.looked - page.value.rows.length);
  };
  /** The same of several, each by so many rows. */
  const refillAll = async (
    some: readonly Source[],
    rowsOf: (source: Source) => number,
  ): Promise<Result<number, Unavailable>> => {
    const expired = await lookAtAll(some, (source) => refill(source, rowsOf(source)));
    return expired.ok ? ok(expired.value.reduce((sum, one) => sum + one, 0)) : expired;
  };
  const begin = async (): Promise<Result<unknown, Unavailable>> => {
    isBegun = true;
    const looked = await refillAll(sources, ({ rows }) => rows);
    const empty = sources.filter(isEmpty);
    // One alone is read on anyway.
    if (!looked.ok || empty.length < 2) return looked;
    const fewest = Math.max(FEWEST_ROWS, Math.min(rowsPerLook, ROWS_OF_A_UNIT));
    const rows = Math.max(fewest, Math.floor(ROWS_OF_ALL / empty.length));
    return refillAll(empty, () => rows);
  };
  const goOn = async (limit: number): Promise<Result<unknown, Unavailable>> => {
    const few = (AHEAD * limit) / sources.length;
    const short = sources.filter(({ found, isDone }) => !isDone && found.length < few);
    if (short.length < 2 || left <= 0) return ok(undefined);
    const expired = await refillAll(short, ({ rows }) => rows);
    if (expired.ok) left -= expired.value;
    return expired;
  };
  return {
    async next(limit) {
      const ready = await (isBegun ? goOn(limit) : begin());
      if (!ready.ok) return ready;
      const found: Candidate[] = [];
      let isAfterNothing = false;
      while (found.length < limit) {
        const empty = lowest(sources.filter(isEmpty), reached);
        const first = lowest(
          sources.flatMap((source) => source.found.slice(0, 1)),
          ({ id }) => id,
        );
        if (empty !== undefined && (first === undefined || first.id > reached(empty))) {
          if (left <= 0) return ok({ found, pausedAt: reached(empty) });
          const rows = isAfterNothing ? Math.max(rowsPerLook, ROWS_AFTER_NOTHING) : empty.rows;
          const expired = await refill(empty, rows);
          if (!expired.ok) return expired;
          left -= expired.value;
          isAfterNothing = expired.value > 0;
          continue;
        }
        if (first === undefined) break;
        found.push(first);
        for (const source of sources) if (source.found[0]?.id === first.id) source.found.shift();
      }
      return ok({ found, pausedAt: undefined });
    },

    empty: () =>
      afterId === undefined
        ? sources.filter(({ isBare, isDone }) => isBare && isDone).map(({ prefix }) => prefix)
        : [],
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
