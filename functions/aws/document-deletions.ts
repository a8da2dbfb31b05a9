import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, RowKey } from './context-table.ts';
import { sweepNotes } from './document-note-sweep.ts';
import { removeRemains } from './document-remains.ts';
import {
  type DocumentHead,
  fromHeadRow,
  HEAD_PREFIX,
  text,
  toHeadKey,
  toHeadRow,
  toPartition,
} from './document-rows.ts';

/** What the sort keys of notes start with. */
const NOTE_PREFIX = 'REMOVING#';

/** Notes that a document's head is about to go, so that the rest is found where nobody comes to the end of it. */
export function noteDeletion(
  table: ContextTable,
  head: DocumentHead,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const { pk, sk } = toNoteKey(head);
  // Its pieces are found by their names: a note is small.
  const row = toHeadRow({ ...head, parts: [], claim: undefined });
  return table.put({ ...row, pk: { S: pk }, sk: { S: sk }, since: { N: String(nowSeconds) } });
}

/** Takes the note back: all of the document is gone, or nothing is. */
export function forgetDeletion(table: ContextTable, head: DocumentHead): Promise<Result<void, Unavailable>> {
  return table.delete(toNoteKey(head));
}

/** Removes what deletes that died in this namespace left: some of it at a time. What cannot be removed now is found again. */
export function sweepDeletions(
  table: ContextTable,
  pk: string,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  return sweepNotes(table, { pk, prefix: NOTE_PREFIX, nowSeconds }, async (note) => {
    const [, id = ''] = text(note, 'sk').split('#');
    const head = fromHeadRow({ ...note, sk: { S: `${HEAD_PREFIX}${id}` } });
    const standing = await table.get(toHeadKey(pk, id));
    if (!standing.ok) return standing;
    // Where its head is there, the delete died before it.
    const isThere =
      standing.value !== undefined && fromHeadRow(standing.value).incarnation === head.incarnation;
    return isThere ? ok(undefined) : removeRemains(table, head);
  });
}

function toNoteKey({ document, write }: Pick<DocumentHead, 'document' | 'write'>): RowKey {
  const { orgId, namespace } = document.scope;
  return { pk: toPartition(orgId, namespace), sk: `${NOTE_PREFIX}${document.id}#${write}` };
}
