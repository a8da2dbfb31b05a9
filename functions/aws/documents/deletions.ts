import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { newWrite } from './content.ts';
import { toNote } from './note-sweep.ts';
import { keyOf } from './relation-rows.ts';
import { type DocumentHead, fromHeadRow, text, toHeadKey, toHeadRow, toPartition } from './rows.ts';

/** What the sort keys of notes start with. */
export const NOTE_PREFIX = 'REMOVING#';

/** The next word is the time, so that no later note hides an earlier; that of an older version sorts before. */
export function notesSince(seconds: number): string {
  return `${NOTE_PREFIX}since-${String(seconds).padStart(12, '0')}`;
}

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
  const sk = `${notesSince(nowSeconds)}#${id}#${newWrite()}`;
  const key = { pk: toPartition(scope.orgId, scope.namespace), sk };
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
 * Says of a delete that it was done. Its note stays until a later delete has looked once more: who began to write the document before that may
 * store what nobody finds any more, and die, and a put of its head that was sent twice may come once more.
 */
export async function noteDone(table: ContextTable, note: Row): Promise<Result<void, Unavailable>> {
  // Not put again: its whole partition may be deleted beside this, and have given it an end.
  const marked = await table.mark(keyOf(note), 'done', { BOOL: true });
  return marked.ok ? ok(undefined) : marked;
}

/** Was the delete done that a note is of? */
export function isDone(note: Row): boolean {
  return note['done'] !== undefined;
}

/** The document that a note is about. */
export function idOfDeletion(note: Row): string {
  return text(note, 'sk').split('#').at(-2) ?? '';
}

/** The head that a note is about, as far as it says what it was. */
export function headOfDeletion(note: Row): DocumentHead {
  const { sk } = toHeadKey(text(note, 'pk'), idOfDeletion(note));
  return fromHeadRow({ ...note, sk: { S: sk } });
}
