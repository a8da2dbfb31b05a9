import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { DocumentScope } from '../../core/visibility.ts';
import type { ContextTable } from '../context-table.ts';
import { findPieces } from './content.ts';
import { toListKeys } from './list-rows.ts';
import { lookAtAll } from './looks.ts';
import { keyOf } from './relation-rows.ts';
import { type DocumentHead, text, toHeadKey } from './rows.ts';
import { scopeRows, toScope } from './scopes.ts';
import { findIndexLists } from './search-index.ts';

/**
 * Of documents whose deletes were done, the ids of those of which something is there all the same: a head, a piece, a row of a list, or a list of
 * the index. And each set of filters of others that rows lead to still.
 */
export async function findLate(
  table: ContextTable,
  pk: string,
  heads: readonly DocumentHead[],
): Promise<
  Result<{ readonly ids: ReadonlySet<string>; readonly scopes: readonly DocumentScope[] }, Unavailable>
> {
  const toKeys = ({ document }: DocumentHead) => [toHeadKey(pk, document.id), ...toListKeys(document)];
  const toScopeKeys = ({ document }: DocumentHead) => scopeRows(document).map(keyOf);
  const keys = heads.flatMap((head) => [...toKeys(head), ...toScopeKeys(head)]);
  const unique = new Map(keys.map((key) => [key.sk, key]));
  const looks = lookAtAll(heads, ({ document }) => isStored(table, document));
  const [rows, stored] = await Promise.all([table.getAll([...unique.values()]), looks]);
  if (!rows.ok) return rows;
  if (!stored.ok) return stored;
  const there = new Set(rows.value.flatMap((row) => (row === undefined ? [] : [text(row, 'sk')])));
  const isThere = ({ sk }: { readonly sk: string }): boolean => there.has(sk);
  const isLate = heads.map((head, index) => stored.value[index] === true || toKeys(head).some(isThere));
  // With what is late of a document, its filters are looked at.
  const led = heads.filter((head, index) => isLate[index] !== true && toScopeKeys(head).some(isThere));
  const scopes = new Map(led.map(({ document: { scope } }) => [toScope(scope.scopeFilters), scope]));
  const late = heads.filter((_, index) => isLate[index] === true);
  return ok({ ids: new Set(late.map(({ document }) => document.id)), scopes: [...scopes.values()] });
}

async function isStored(
  table: ContextTable,
  document: DocumentHead['document'],
): Promise<Result<boolean, Unavailable>> {
  const [pieces, lists] = await Promise.all([findPieces(table, document), findIndexLists(table, document)]);
  if (!pieces.ok) return pieces;
  return lists.ok ? ok(pieces.value.length > 0 || lists.value.length > 0) : lists;
}
