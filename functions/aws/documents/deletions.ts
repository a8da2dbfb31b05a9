import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { newWrite } from './content.ts';
import { sweepNotes, toNote } from './note-sweep.ts';
import { keyOf } from './relation-rows.ts';
import { removeRemains } from './remains.ts';
import { type DocumentHead, fromHeadRow, text, toHeadKey, toHeadRow, toPartition } from './rows.ts';

/** What the sort keys of notes start with. Their next word is the time, so that no later one hides an earlier; that of an older version sorts before. */
const NOTE_PREFIX = 'REMOVING#';
const NOTE_AT = `${NOTE_PREFIX}since-`;

/** How long a note is kept of a delete that was done, where no other delete comes. */
const DONE_KEPT_SECONDS = 30 * 86_400;

/**
 * Notes that a document's head is about to go, so that the rest is found where nobody comes to the end of it. Each delete has a note of its own:
 * one that is refused takes back no other's. It says no more of the document than by what the rest is found.
 */
export async function noteDeletion(
  table: ContextTable,
  head: DocumentHead,
  nowSeconds: number,
): Promise<Result<Row, Unavailable>> {
  const { id, scope } = head.document;
  const at = String(nowSeconds).padStart(12, '0');
  const key = { pk: toPartition(scope.orgId, scope.namespace), sk: `${NOTE_AT}${at}#${id}#${newWrite()}` };
  const nameless = { filename: '', contentType: '', metadata: new Map(), checksum: null, sizeBytes: 0 };
  const document = { ...head.document, ...nameless };
  const note = toNote(toHeadRow({ ...head, document, parts: [], claim: undefined }), key, nowSeconds);
  const put = await table.put(note);
  return put.ok ? ok(note) : put;
}

/** Takes the note back of a delete that is given up: the document stays. */
export function forgetDeletion(table: ContextTable, note: Row): Promise<Result<void, Unavailable>> {
  return table.delete(keyOf(note));
}

/**
 * Says of a delete that it was done. Its note stays: who began to write the document before that may store what nobody finds any more, and die, and
 * a put of its head that was sent twice may come once more.
 */
export function noteDone(
  table: ContextTable,
  note: Row,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const expires_at = { N: String(nowSeconds + DONE_KEPT_SECONDS) };
  return table.put({ ...note, done: { BOOL: true }, expires_at });
}

/** The document that a note is about. */
export function idOfDeletion(note: Row): string {
  return text(note, 'sk').split('#').at(-2) ?? '';
}

/**
 * Removes what deletes that died in this namespace left, and what came after those that did not: some of it at a time. What cannot be removed now
 * is found again.
 */
export function sweepDeletions(
  table: ContextTable,
  pk: string,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  return sweepNotes(table, { pk, prefix: NOTE_PREFIX, nowSeconds }, async (note) => {
    const key = toHeadKey(pk, idOfDeletion(note));
    const head = fromHeadRow({ ...note, sk: { S: key.sk } });
    const standing = await findSame(table, key, head);
    if (!standing.ok) return standing;
    if (standing.value === undefined) return removeRemains(table, head, nowSeconds);
    const { document, incarnation, write } = standing.value;
    // The delete died before the head; else the head came once more, and who edited it since keeps it.
    if (note['done'] === undefined || write !== incarnation) return ok(undefined);
    const removed = await table.deleteHead(key, incarnation, { version: document.version, write });
    const left = removed.ok ? await findSame(table, key, head) : removed;
    if (!left.ok) return left;
    return left.value === undefined ? removeRemains(table, head, nowSeconds) : ok(undefined);
  });
}

/** The head that stands, where it is of the same document. */
async function findSame(
  table: ContextTable,
  key: RowKey,
  { incarnation }: DocumentHead,
): Promise<Result<DocumentHead | undefined, Unavailable>> {
  const row = await table.get(key);
  if (!row.ok || row.value === undefined) return row.ok ? ok(undefined) : row;
  const head = fromHeadRow(row.value);
  return ok(head.incarnation === incarnation ? head : undefined);
}
