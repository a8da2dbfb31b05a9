import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { DocumentScope, ScopeFilters } from '../../core/visibility.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { newWrite } from './content.ts';
import { toListsPrefix } from './list-rows.ts';
import { readProgress } from './listed.ts';
import { notedScopes } from './notes.ts';
import { keyOf } from './relation-rows.ts';
import { HEAD_PREFIX, toPartition, tryHeadRow } from './rows.ts';
import { scopeRows, toScope } from './scopes.ts';

/** Rows of a scope's lists that are looked at; where all of so many have expired, it is left until DynamoDB has removed them. */
const ROWS_PER_LOOK = 25;

/** Documents that are looked at where lists may lack some. */
const DOCUMENTS_LOOKED_AT = 100;

/** Of more sets of filters than these, who reads them sweeps those that were found empty: one in eight of all, and so many at most. */
const SETS_UNSWEPT = 32;
const SWEPT_OF_EIGHT = 8;
const MAX_SWEPT = 16;

/**
 * Removes the rows that lead to a set of filters which no document has any more. The note of the write `ended` is of one that died. Until it is
 * settled that every document is in its lists, the documents themselves are looked at, where those are not many.
 */
export async function sweepScope(
  table: ContextTable,
  scope: DocumentScope,
  ended?: string,
): Promise<Result<void, Unavailable>> {
  if (scope.scopeFilters.size === 0) return ok(undefined);
  const pk = toPartition(scope.orgId, scope.namespace);
  // First what is there mostly.
  const before = await isInUse(table, pk, toScope(scope.scopeFilters));
  if (!before.ok || before.value) return before.ok ? ok(undefined) : before;
  const progress = await readProgress(table, pk);
  if (!progress.ok) return progress;
  return removeUnused(table, [scope], { pk, ended, isSettled: progress.value.isSettled });
}

/**
 * The same of some of the sets that a list has found empty, for what documents that expired have left goes where it costs those who read. Only
 * where all goes by the lists: whoever reads pays for it. What cannot be removed now is found again, at the cost of a look or two for all of them.
 *
 * @param sets how many sets there were in all
 */
export async function sweepSome(
  table: ContextTable,
  { orgId, namespace }: Omit<DocumentScope, 'scopeFilters'>,
  empty: readonly ScopeFilters[],
  sets: number,
): Promise<void> {
  const named = empty.filter(({ size }) => size > 0);
  if (sets <= SETS_UNSWEPT || named.length === 0) return;
  const pk = toPartition(orgId, namespace);
  const progress = await readProgress(table, pk);
  if (!progress.ok || !progress.value.isSettled) return;
  const count = Math.min(MAX_SWEPT, Math.ceil(sets / SWEPT_OF_EIGHT), named.length);
  const start = Math.floor(Math.random() * named.length);
  const some = [...named, ...named].slice(start, start + count);
  const scopes = some.map((scopeFilters) => ({ orgId, namespace, scopeFilters }));
  await removeUnused(table, scopes, { pk, ended: undefined, isSettled: true });
}

/** What is known of a namespace before sets of filters in it are swept. */
type Known = { readonly pk: string; readonly ended: string | undefined; readonly isSettled: boolean };

/**
 * A create has a note before it names its filters and until its document is in its lists, so looked at in this order it is in one of the two, or
 * names them again and its rows stay.
 */
async function removeUnused(
  table: ContextTable,
  scopes: readonly DocumentScope[],
  { pk, ended, isSettled }: Known,
): Promise<Result<void, Unavailable>> {
  const leading = await table.getAll(scopes.flatMap((scope) => scopeRows({ scope })).map(keyOf));
  if (!leading.ok) return leading;
  const noted = await notedScopes(table, pk, ended);
  if (!noted.ok) return noted;
  const rows = leading.value.filter((row) => row !== undefined);
  const unnoted = scopes.filter(({ scopeFilters }) => !noted.value.has(toScope(scopeFilters)));
  const removed = await Promise.all(
    unnoted.map((scope) => {
      const keys = new Set(scopeRows({ scope }).map((row) => keyOf(row).sk));
      const own = rows.filter((row) => keys.has(keyOf(row).sk));
      return removeRows(table, scope, { pk, isSettled, rows: own });
    }),
  );
  return removed.find((one) => !one.ok) ?? ok(undefined);
}

/** Removes the rows that lead to a set of filters, and puts them again where a document has come meanwhile. */
async function removeRows(
  table: ContextTable,
  scope: DocumentScope,
  { pk, isSettled, rows }: Omit<Known, 'ended'> & { readonly rows: readonly Row[] },
): Promise<Result<void, Unavailable>> {
  const own = toScope(scope.scopeFilters);
  const since = await isInUse(table, pk, own);
  if (!since.ok || since.value) return since.ok ? ok(undefined) : since;
  if (!isSettled) {
    const isNone = await isOfNoDocument(table, pk, own);
    if (!isNone.ok || !isNone.value) return isNone.ok ? ok(undefined) : isNone;
  }
  const removed = await table.removeAsRead(rows);
  if (!removed.ok) return removed;
  const after = await isInUse(table, pk, own);
  if (!after.ok || !after.value) return after.ok ? ok(undefined) : after;
  return table.writeAll(
    scopeRows({ scope }).map((row) => ({ ...row, write: { S: newWrite() } })),
    [],
  );
}

/** Has none of the documents of a namespace these filters? False where there are more documents than are looked at. */
async function isOfNoDocument(
  table: ContextTable,
  pk: string,
  own: string,
): Promise<Result<boolean, Unavailable>> {
  const page = await table.page(pk, HEAD_PREFIX, undefined, DOCUMENTS_LOOKED_AT);
  if (!page.ok) return page;
  const heads = page.value.rows.map(tryHeadRow).filter((head) => head !== undefined);
  const isOne = heads.some(({ document }) => toScope(document.scope.scopeFilters) === own);
  return ok(!isOne && page.value.nextSortKey === undefined);
}

/** May a document be in the lists of a scope? */
async function isInUse(table: ContextTable, pk: string, own: string): Promise<Result<boolean, Unavailable>> {
  const page = await table.page(pk, toListsPrefix(own), undefined, ROWS_PER_LOOK);
  return page.ok ? ok(page.value.rows.length > 0 || page.value.nextSortKey !== undefined) : page;
}
