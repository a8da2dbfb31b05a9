import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, RowKey } from '../context-table.ts';
import { findPieces, removeParts, writeOfPiece } from './content.ts';
import { removeFromLists } from './lists.ts';
import { notedWrites } from './notes.ts';
import { removeRelationsOf } from './relation-removal.ts';
import { type DocumentHead, toHeadKey, toPartition } from './rows.ts';
import { findIndexLists, removeIndexLists, writeOfList } from './search-index.ts';

/**
 * Removes what is left of a document whose head is gone, and what writes that died left of it. Its id may be another document's by now, or
 * be about to: an import keeps ids, and a create that is repeated has the id of the first. What is of that one stays.
 * False where a list of the index stays of a write that may be under way.
 */
export async function removeRemains(
  table: ContextTable,
  head: DocumentHead,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  const { document, parts } = head;
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  const unrelated = await removeRelationsOf(table, pk, head);
  if (!unrelated.ok) return unrelated;
  // Those that are known first: finding them would be paid for by their size.
  const removed = await removeParts(table, head, parts);
  if (!removed.ok) return removed;
  const out = await removeFromLists(table, document);
  if (!out.ok) return out;
  // In this order: what is stored now has a note before its first row and until its head is there, so that one of the two is found.
  const pieces = await findPieces(table, document);
  if (!pieces.ok) return pieces;
  const lists = await findIndexLists(table, document);
  if (!lists.ok) return lists;
  const noted = await notedWrites(table, document);
  if (!noted.ok) return noted;
  const next = await table.get(toHeadKey(pk, document.id));
  // What is found goes with the document that has the id now.
  if (!next.ok || next.value !== undefined) return next.ok ? ok(true) : next;
  const without = (keys: readonly RowKey[], writeOf: (key: RowKey) => string) =>
    keys.filter((key) => !noted.value.has(writeOf(key)));
  const unlisted = await removeIndexLists(table, document, without(lists.value, writeOfList), {
    ended: head.write,
    nowSeconds,
  });
  if (!unlisted.ok) return unlisted;
  const cleared = await table.writeAll([], without(pieces.value, writeOfPiece));
  return cleared.ok ? unlisted : cleared;
}
