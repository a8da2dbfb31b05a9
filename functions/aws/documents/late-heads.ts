import type { Document } from '../../core/documents/document.ts';
import type { IdempotencyConflict } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { type Claim, GONE, markMade } from './claims.ts';
import { findNote } from './notes.ts';
import { removeHead } from './removal.ts';
import { type DocumentHead, toPartition } from './rows.ts';

/**
 * Takes a head away that came after its document was deleted: its create did not come to its end, and that or its claim is marked. Only as it
 * was made: who edited it keeps it. False where it stays.
 */
export async function removeLate(
  table: ContextTable,
  head: DocumentHead,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  if (head.write !== head.incarnation) return ok(false);
  const note = await findNote(table, head);
  if (!note.ok) return note;
  if (note.value === undefined) return ok(false);
  const isMarked = note.value['gone'] !== undefined ? ok(true) : await isClaimMarked(table, head);
  if (!isMarked.ok || !isMarked.value) return isMarked;
  return removeHead(table, head, { nowSeconds, isOfVersion: true });
}

/** What a repeated create is answered with, of whose document this head stands. From now on its claim says that it has been there. */
export async function settleRepeat(
  table: ContextTable,
  head: DocumentHead,
  claim: Claim,
  nowSeconds: number,
): Promise<Result<Document, IdempotencyConflict | Unavailable>> {
  const { document } = head;
  if (!claim.isGone) {
    const made = claim.wasMade ? ok(true) : await markMade(table, partitionOf(head), claim.sortKey);
    if (!made.ok) return made;
    if (made.value) return ok(document);
  }
  const removed = await removeLate(table, head, nowSeconds);
  if (!removed.ok) return removed;
  return removed.value ? err(GONE) : ok(document);
}

async function isClaimMarked(table: ContextTable, head: DocumentHead): Promise<Result<boolean, Unavailable>> {
  if (head.claim === undefined) return ok(false);
  const claim = await table.get({ pk: partitionOf(head), sk: head.claim });
  return claim.ok ? ok(claim.value?.['gone'] !== undefined) : claim;
}

function partitionOf({ document }: DocumentHead): string {
  return toPartition(document.scope.orgId, document.scope.namespace);
}
