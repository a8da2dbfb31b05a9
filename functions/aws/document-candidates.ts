import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { text } from './document-rows.ts';

/** Rows per look where the look before found none: all of it may be past its expiry, which DynamoDB removes late. */
const ROWS_AFTER_NOTHING = 250;

/** Rows past their expiry that are gone over, beyond the first look at each list. */
const MAX_EXPIRED_ROWS = 1_000;

/** Lists that are looked at at once. */
const LOOKS_AT_ONCE = 16;

/** Rows whose keys start alike, and of which the next ones are here. */
type Source = {
  readonly prefix: string;
  found: Candidate[];
  after: string | undefined;
  isRead: boolean;
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

/** The ids that end the keys which start with one of the prefixes, after this id; so many rows are read at a time. */
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
    isRead: false,
    isDone: false,
  }));
  let left = MAX_EXPIRED_ROWS;
  const isEmpty = (source: Source): boolean => source.found.length === 0 && !source.isDone;
  const refill = async (source: Source): Promise<Result<void, Unavailable>> => {
    // Each is read once, whatever the others cost, so that a page which pauses has come forward.
    for (let rows = rowsPerLook; isEmpty(source) && (left > 0 || !source.isRead); rows = ROWS_AFTER_NOTHING) {
      const page = await table.page(pk, source.prefix, source.after, rows);
      if (!page.ok) return page;
      source.found = page.value.rows.map((row) => ({ id: idOf(source, text(row, 'sk')), row }));
      source.after = page.value.nextSortKey;
      source.isRead = true;
      source.isDone = source.after === undefined;
      left -= page.value.looked - page.value.rows.length;
    }
    return ok(undefined);
  };
  const refillAll = async (): Promise<Result<void, Unavailable>> => {
    const empty = sources.filter(isEmpty);
    for (let at = 0; at < empty.length; at += LOOKS_AT_ONCE) {
      const filled = await Promise.all(empty.slice(at, at + LOOKS_AT_ONCE).map(refill));
      for (const one of filled) if (!one.ok) return one;
    }
    return ok(undefined);
  };
  return {
    async next(limit) {
      const found: Candidate[] = [];
      while (found.length < limit) {
        const filled = await refillAll();
        if (!filled.ok) return filled;
        const [pausedAt] = sources
          .filter(isEmpty)
          .map((source) => idOf(source, source.after ?? source.prefix))
          .sort();
        const [first] = sources
          .flatMap((source) => source.found.slice(0, 1))
          .sort((one, other) => (one.id < other.id ? -1 : 1));
        const isAfter = pausedAt !== undefined && (first === undefined || first.id > pausedAt);
        if (isAfter) return ok({ found, pausedAt });
        if (first === undefined) break;
        found.push(first);
        for (const source of sources) if (source.found[0]?.id === first.id) source.found.shift();
      }
      return ok({ found, pausedAt: undefined });
    },
  };
}

function idOf({ prefix }: Source, sortKey: string): string {
  return sortKey.slice(prefix.length);
}
