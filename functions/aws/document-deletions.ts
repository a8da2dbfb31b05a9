import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, RowKey } from './context-table.ts';
import { newWrite } from './document-content.ts';
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

/**
 * Notes that a document's head is about to go, so that the rest is found where nobody comes to the end of it. Each delete has a note of its own:
 * one that is refused takes back no other's.
 */
export async function noteDeletion(
  table: ContextTable,
  head: DocumentHead,
  nowSeconds: number,
): Promise<Result<RowKey, Unavailable>> {
  const { orgId, namespace } = head.document.scope;
  const key = { pk: toPartition(orgId, namespace), sk: `${NOTE_PREFIX}${head.document.id}#${newWrite()}` };
  // Its pieces are found by their names: a note is small.
  const row = toHeadRow({ ...head, parts: [], claim: undefined });
  const since = { N: String(nowSeconds) };
  const put = await table.put({ ...row, pk: { S: key.pk }, sk: { S: key.sk }, since });
  return put.ok ? ok(key) : put;
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
