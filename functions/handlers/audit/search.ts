import type { AuditReader, FoundRecord } from '../../core/audit/audit-ports.ts';
import { type AuditQuery, matchesQuery } from '../../core/audit/query.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import { readRange } from './read-range.ts';

/** An answer to a query. `next` is where to go on; undefined where nothing follows that the query may find. */
export type SearchPage = {
  readonly records: readonly FoundRecord[];
  readonly next: string | undefined;
  /** Is that all there is now? What is still to come begins at `next`. */
  readonly isAll: boolean;
};

/** One answer looks at so many records, and is so large, at most; the next one goes on. */
const MAX_LOOKED_AT = 5_000;
const MAX_BYTES = 3_000_000;
const PAGE = 500;
/** A record is written within seconds of its instant: who goes on from the end begins so much before it. */
const LATE_MS = 10_000;
/** Clocks of writers may be ahead. */
const AHEAD_MS = 60_000;

/** Finds records of one organisation. `at` is where an earlier answer said to go on. */
export async function searchAudit(
  reader: AuditReader,
  query: AuditQuery & { readonly orgId: string },
  at: string | undefined,
  nowMs: number,
): Promise<Result<SearchPage, Unavailable>> {
  const { orgId, newestFirst, limit } = query;
  let from = newestFirst ? query.from : (at ?? query.from);
  let to = query.to ?? new Date(nowMs + AHEAD_MS).toISOString();
  if (newestFirst) to = at ?? to;
  const records: FoundRecord[] = [];
  let lookedAt = 0;
  let bytes = 0;
  for (;;) {
    const page = await readRange(reader, { orgId, from, to, newestFirst, limit: PAGE });
    if (!page.ok) return page;
    for (const found of page.value.records) {
      lookedAt += 1;
      if (!matchesQuery(found.record, query)) continue;
      records.push(found);
      bytes += JSON.stringify(found).length;
      const next = newestFirst ? found.key.sk : `${found.key.sk}!`;
      if (records.length === limit || bytes >= MAX_BYTES) return ok({ records, next, isAll: false });
    }
    const { next } = page.value;
    if (next === undefined) return ok({ records, next: toGoOn(query, from, nowMs), isAll: true });
    if (newestFirst) to = next;
    else from = next;
    if (lookedAt >= MAX_LOOKED_AT || page.value.records.length === 0)
      return ok({ records, next, isAll: false });
  }
}

/** Nothing follows what is past; what is still to come is found from shortly before now on. */
function toGoOn({ newestFirst, to }: AuditQuery, from: string, nowMs: number): string | undefined {
  if (newestFirst || to !== undefined) return undefined;
  const recent = new Date(nowMs - LATE_MS).toISOString();
  return from > recent ? from : recent;
}
