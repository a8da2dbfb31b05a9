import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { text } from './document-rows.ts';

/** Rows per look where the look before found none: all of it may be past its expiry, which DynamoDB removes late. */
const ROWS_AFTER_NOTHING = 1_000;

/** Rows whose keys start alike, and of which the next ones are here. */
type Source = {
  readonly prefix: string;
  found: Candidate[];
  after: string | undefined;
  isDone: boolean;
};

/** A document's id, and the row that led to it. */
export type Candidate = { readonly id: string; readonly row: Row };

/** Ids in their order, from several lists at once, each once. */
export type Candidates = {
  /** The next ones, at most so many; fewer at the end alone. */
  next(limit: number): Promise<Result<readonly Candidate[], Unavailable>>;
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
    isDone: false,
  }));
  const refill = async (source: Source): Promise<Result<void, Unavailable>> => {
    for (let rows = rowsPerLook; source.found.length === 0 && !source.isDone; rows = ROWS_AFTER_NOTHING) {
      const page = await table.page(pk, source.prefix, source.after, rows);
      if (!page.ok) return page;
      source.found = page.value.rows.map((row) => ({ id: text(row, 'sk').slice(source.prefix.length), row }));
      source.after = page.value.nextSortKey;
      source.isDone = source.after === undefined;
    }
    return ok(undefined);
  };
  return {
    async next(limit) {
      const taken: Candidate[] = [];
      while (taken.length < limit) {
        const filled = await Promise.all(sources.map(refill));
        const failed = filled.find((one) => !one.ok);
        if (failed !== undefined) return failed;
        const [first] = sources
          .flatMap((source) => source.found.slice(0, 1))
          .sort((one, other) => (one.id < other.id ? -1 : 1));
        if (first === undefined) break;
        taken.push(first);
        for (const source of sources) if (source.found[0]?.id === first.id) source.found.shift();
      }
      return ok(taken);
    },
  };
}
