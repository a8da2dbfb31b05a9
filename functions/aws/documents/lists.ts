import type { Document } from '../../core/documents/document.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { leadingRows, toListKeys } from './list-rows.ts';
import { notedWrites } from './notes.ts';
import { fromHeadRow, text, toHeadKey, toPartition } from './rows.ts';
import { sweepScope } from './scope-sweep.ts';

/** Looks at lists that others change at the same time. */
const ATTEMPTS = 5;

/**
 * Puts a document into its lists: of its filters, and of each of its tags, there and in the whole namespace. A row says which write put it,
 * so that who removes one that it read takes none that was put since.
 */
export function addToLists(
  table: ContextTable,
  document: Document,
  write: string,
): Promise<Result<void, Unavailable>> {
  const { scopes, lists } = leadingRows({ document, write });
  return table.writeAll([...scopes, ...lists], []);
}

/** Puts a document that is there back into its lists where a row of them is not as this write put it: somebody may be about to remove it. */
export async function keepInLists(
  table: ContextTable,
  document: Document,
  write: string,
): Promise<Result<void, Unavailable>> {
  const rows = await table.getAll(toListKeys(document));
  if (!rows.ok) return rows;
  const isKept = rows.value.every((row) => row?.['write']?.S === write);
  return isKept ? ok(undefined) : addToLists(table, document, write);
}

/**
 * Takes a document that is gone out of its lists, but for the rows that a create of one of its id put which is under way. Read in this order,
 * because a create has a note before its first row and until its head is there. What the write `ended` put is not under way, whatever is noted.
 * Rows that lead to the document which has the id now are put as they are of that one. With the last document of its filters goes what leads to them.
 */
export async function removeFromLists(
  table: ContextTable,
  document: Document,
  ended?: string,
): Promise<Result<void, Unavailable>> {
  const keys = toListKeys(document);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await table.getAll(keys);
    if (!found.ok) return found;
    const noted = await notedWrites(table, document);
    if (!noted.ok) return noted;
    const { orgId, namespace } = document.scope;
    const head = await table.get(toHeadKey(toPartition(orgId, namespace), document.id));
    if (!head.ok) return head;
    const next = head.value === undefined ? [] : leadingRows(fromHeadRow(head.value)).lists;
    const kept = new Map(next.map((row) => [text(row, 'sk'), row]));
    const isUnderWay = (write: string) => write !== ended && noted.value.has(write);
    const gone = found.value
      .filter((row) => row !== undefined)
      .filter((row) => !kept.has(text(row, 'sk')) && !isUnderWay(row['write']?.S ?? ''));
    const removed = await table.removeAsRead(gone);
    if (!removed.ok) return removed;
    const taken = keys.flatMap(({ sk }, index) => {
      const row = kept.get(sk);
      return row === undefined || found.value[index]?.['write']?.S === row['write']?.S ? [] : [row];
    });
    if (taken.length === 0) return sweepScope(table, document.scope, ended);
    // And look again: that one may be gone by now as well.
    const put = await table.writeAll(taken, []);
    if (!put.ok) return put;
  }
  return err({ reason: 'unavailable', detail: 'context table: lists did not come to rest' });
}
