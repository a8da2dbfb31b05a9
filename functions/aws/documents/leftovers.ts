import type { Document } from '../../core/documents/document.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { removePieces } from './content.ts';
import { removeLate } from './late-heads.ts';
import { advanceLists } from './list-completion.ts';
import { removeFromLists } from './lists.ts';
import { type Creation, forgetCreation, leaveCreation, sweepCreations } from './notes.ts';
import { type DocumentHead, fromHeadRow, toHeadKey, toPartition } from './rows.ts';
import {
  fromListRow,
  type IndexEntry,
  readIndex,
  removeEntries,
  removeIndex,
  toListKey,
} from './search-index.ts';

/** Looks at a document that others edit at the same time. */
const ATTEMPTS = 5;

/**
 * Removes what creates that died in this namespace left behind, and puts documents into lists that were stored before there were any: some of it
 * at a time. What cannot be done now is found again.
 */
export async function sweepLeftovers(
  table: ContextTable,
  { scope }: Document,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const pk = toPartition(scope.orgId, scope.namespace);
  const listed = await sweepCreations(table, pk, nowSeconds, (creation) =>
    removeStored(table, creation, nowSeconds),
  );
  return listed.ok ? advanceLists(table, pk, listed.value, nowSeconds) : listed;
}

/** Removes what a create stored whose document is not there, and its note. */
export async function removeLeftovers(
  table: ContextTable,
  creation: Creation,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const removed = await removeStored(table, creation, nowSeconds);
  return removed.ok ? forgetCreation(table, creation) : removed;
}

/**
 * Removes what a create stored whose id another document has. A put of its head that was sent twice may come once more when that one is gone: by its
 * note, which stays, it is found then. So may rows of its index, which its list names: that stays as long.
 */
export async function removeRefused(
  table: ContextTable,
  creation: Creation,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const left = await leaveCreation(table, creation);
  return left.ok ? removeStored(table, creation, nowSeconds, true) : left;
}

/**
 * Removes what a create stored whose document is not there, or came once more after it was deleted. What a write stored is under names that no
 * other write has, so whoever stores the document again is not disturbed.
 */
async function removeStored(
  table: ContextTable,
  { document, write }: Creation,
  nowSeconds: number,
  keepsList = false,
): Promise<Result<void, Unavailable>> {
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  const head = await table.get(toHeadKey(pk, document.id));
  if (!head.ok) return head;
  const found = head.value === undefined ? undefined : fromHeadRow(head.value);
  const late = found?.write === write ? await removeLate(table, found, nowSeconds) : ok(false);
  if (!late.ok) return late;
  const standing = late.value ? undefined : found;
  if (standing?.write !== write) {
    // A version that was edited since may use some of it.
    const pieces = await removePieces(table, { document }, write, standing?.parts ?? []);
    if (!pieces.ok) return pieces;
    const index = await readIndex(table, document, write);
    if (!index.ok) return index;
    const inUse = await readIndexInUse(table, standing);
    if (!inUse.ok) return inUse;
    const isUsed = new Set(inUse.value.map((entry) => `${entry.write}#${entry.rank}#${entry.term}`));
    const unused = index.value.filter((entry) => !isUsed.has(`${entry.write}#${entry.rank}#${entry.term}`));
    const unlisted = keepsList
      ? await removeEntries(table, document, unused)
      : await removeIndex(table, document, write, unused);
    if (!unlisted.ok) return unlisted;
  }
  return removeFromLists(table, document, write);
}

/**
 * The rows of the index that a document uses which was read, or a version of it that came since: of what was stored before it was read, that one
 * uses no others. None where there is no document, or its version was stored before there was an index.
 */
async function readIndexInUse(
  table: ContextTable,
  known: DocumentHead | undefined,
): Promise<Result<readonly IndexEntry[], Unavailable>> {
  let standing = known;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (standing === undefined) return ok([]);
    const { document, write }: DocumentHead = standing;
    const list = await table.get(toListKey(document, write));
    if (!list.ok) return list;
    if (list.value !== undefined) return ok(fromListRow(list.value));
    // The list of a version goes once there is a next one.
    const head = await table.get(
      toHeadKey(toPartition(document.scope.orgId, document.scope.namespace), document.id),
    );
    if (!head.ok) return head;
    standing = head.value === undefined ? undefined : fromHeadRow(head.value);
    if (standing?.write === write) return ok([]);
  }
  return err({ reason: 'unavailable', detail: 'context table: an edited document did not come to rest' });
}
