import type { ContextCaller } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import { isWithin, type ScopeFilters } from '../../core/visibility.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { toPartition } from './rows.ts';
import { fromScopeRow, toScope, toScopePrefix } from './scopes.ts';

/** Rows of each of a caller's filters at first, and then. */
const FIRST_ROWS = 16;
const ROWS_PER_LOOK = 500;

/** The places of all documents that the caller sees; undefined where those are all of the namespace. */
export async function visibleScopes(
  table: ContextTable,
  caller: ContextCaller,
): Promise<Result<readonly string[] | undefined, Unavailable>> {
  const sets = await visibleSets(table, caller);
  return sets.ok ? ok(sets.value?.map(toScope)) : sets;
}

/** The sets of filters of all documents that the caller sees, first that of none; undefined where those are all of the namespace. */
export async function visibleSets(
  table: ContextTable,
  caller: ContextCaller,
): Promise<Result<readonly ScopeFilters[] | undefined, Unavailable>> {
  if (caller.scopeFilters.size === 0) return ok(undefined);
  const rows = await readFewest(table, caller);
  if (!rows.ok) return rows;
  const sets = rows.value.map(fromScopeRow).filter((filters) => isWithin(filters, caller.scopeFilters));
  return ok([new Map(), ...sets]);
}

/** Whatever is visible has all of the caller's filters, so the rows under any one of them name it: they are read of the one that has the fewest. */
async function readFewest(
  table: ContextTable,
  { orgId, namespace, scopeFilters }: ContextCaller,
): Promise<Result<readonly Row[], Unavailable>> {
  const pk = toPartition(orgId, namespace);
  const all: { readonly prefix: string; readonly rows: Row[]; after: string | undefined }[] = [];
  for (const filter of scopeFilters) all.push({ prefix: toScopePrefix(filter), rows: [], after: undefined });
  for (let limit = FIRST_ROWS; ; limit = ROWS_PER_LOOK) {
    const pages = await Promise.all(all.map(({ prefix, after }) => table.page(pk, prefix, after, limit)));
    for (const [index, one] of all.entries()) {
      const page = pages[index];
      if (page === undefined) continue;
      if (!page.ok) return page;
      one.rows.push(...page.value.rows);
      one.after = page.value.nextSortKey;
    }
    const read = all.find(({ after }) => after === undefined);
    if (read !== undefined) return ok(read.rows);
  }
}
