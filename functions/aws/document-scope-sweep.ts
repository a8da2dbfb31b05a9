import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { DocumentScope } from '../core/visibility.ts';
import type { ContextTable } from './context-table.ts';
import { newWrite } from './document-content.ts';
import { toListsPrefix } from './document-list-rows.ts';
import { readProgress } from './document-listed.ts';
import { notedScopes } from './document-notes.ts';
import { keyOf } from './document-relation-rows.ts';
import { HEAD_PREFIX, toPartition, tryHeadRow } from './document-rows.ts';
import { scopeRows, toScope } from './document-scopes.ts';

/** Rows of a scope's lists that are looked at; where all of so many have expired, it is left until DynamoDB has removed them. */
const ROWS_PER_LOOK = 25;

/** Documents that are looked at where lists may lack some. */
const DOCUMENTS_LOOKED_AT = 100;

/**
 * Removes the rows that lead to a set of filters which no document has any more. A create has a note before it names its filters and until its
 * document is in its lists, so looked at in this order it is in one of the two, or names them again and its rows stay. The note of the write `ended`
 * is of one that died. Until it is settled that every document is in its lists, the documents themselves are looked at, where those are not many.
 */
export async function sweepScope(
  table: ContextTable,
  scope: DocumentScope,
  ended?: string,
): Promise<Result<void, Unavailable>> {
  if (scope.scopeFilters.size === 0) return ok(undefined);
  const pk = toPartition(scope.orgId, scope.namespace);
  const own = toScope(scope.scopeFilters);
  // First what is there mostly.
  const before = await isInUse(table, pk, own);
  if (!before.ok || before.value) return before.ok ? ok(undefined) : before;
  const progress = await readProgress(table, pk);
  if (!progress.ok) return progress;
  const leading = await table.getAll(scopeRows({ scope }).map(keyOf));
  if (!leading.ok) return leading;
  const noted = await notedScopes(table, pk, ended);
  if (!noted.ok || noted.value.has(own)) return noted.ok ? ok(undefined) : noted;
  const since = await isInUse(table, pk, own);
  if (!since.ok || since.value) return since.ok ? ok(undefined) : since;
  if (!progress.value.isSettled) {
    const isNone = await isOfNoDocument(table, pk, own);
    if (!isNone.ok || !isNone.value) return isNone.ok ? ok(undefined) : isNone;
  }
  const removed = await table.removeAsRead(leading.value.filter((row) => row !== undefined));
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
