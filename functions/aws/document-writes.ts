import { type Document, MAX_DOCUMENT_BYTES, replaceContent } from '../core/documents/document.ts';
import { applyEdit, type Edit } from '../core/documents/edit.ts';
import { isText, type Part, planSplice } from '../core/documents/parts.ts';
import type { ContextCaller, DocumentStore, NotFound } from '../core/documents/ports.ts';
import { checkVersion, type Precondition, type VersionConflict } from '../core/documents/precondition.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable } from './context-table.ts';
import { newWrite, readParts, removeParts, writeContent } from './document-content.ts';
import { findHead } from './document-heads.ts';
import { readIndex, removeIndex, writeIndex } from './document-index.ts';
import { type DocumentHead, toHeadRow } from './document-rows.ts';

/** Why nothing could be written: the head went, or it is another by now. */
type Lost = NotFound | VersionConflict;

/** The head of a document that the caller may write, in a version that the write is for. */
export async function findWritable(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
  precondition: Precondition,
): Promise<Result<DocumentHead, Lost | { readonly reason: 'read_only' } | Unavailable>> {
  const head = await findHead(table, caller, id);
  if (!head.ok) return head;
  if (head.value === undefined) return err({ reason: 'not_found' });
  if (caller.permissions !== 'write') return err({ reason: 'read_only' });
  const checked = checkVersion(precondition, head.value.document.version);
  return checked.ok ? ok(head.value) : checked;
}

/** Replaces the whole content of a document. */
export async function writeDocument(
  table: ContextTable,
  caller: ContextCaller,
  [id, content, precondition, nowSeconds]: readonly [string, Uint8Array, Precondition, number],
): ReturnType<DocumentStore['write']> {
  const found = await findWritable(table, caller, id, precondition);
  if (!found.ok) return found;
  const head = found.value;
  const document = replaceContent(head.document, content, nowSeconds);
  return storeNext(table, caller, head, document, { before: [], after: [], middle: content, content });
}

/** Edits a text document. Of its content, only the pieces that the edit touches are stored again. */
export async function editDocument(
  table: ContextTable,
  caller: ContextCaller,
  [id, edit, precondition, nowSeconds]: readonly [string, Edit, Precondition, number],
): ReturnType<DocumentStore['edit']> {
  const found = await findWritable(table, caller, id, precondition);
  if (!found.ok) return found;
  const head = found.value;
  const text = await readParts(table, head, head.parts);
  if (!text.ok) return text;
  // The pieces of a version go once it was replaced: what is not whole has been.
  if (text.value === undefined) return err({ reason: 'version_conflict' });
  if (!isText(text.value)) return err({ reason: 'not_text' });
  const edited = applyEdit(text.value, edit);
  if (!edited.ok) return edited;
  const { content, outcome } = edited.value;
  if (content.length > MAX_DOCUMENT_BYTES) return err({ reason: 'too_large' });
  const { before, after, startByte, endByte } = planSplice(head.parts, edited.value);
  const middle = content.subarray(startByte, endByte + content.length - text.value.length);
  const document = replaceContent(head.document, content, nowSeconds);
  const stored = await storeNext(table, caller, head, document, { before, after, middle, content });
  return stored.ok ? ok({ document: stored.value, outcome }) : stored;
}

/**
 * Stores new pieces, then the head that points at them in place of the one that was read, then removes the pieces that are in use no more.
 * A process that dies in between leaves pieces that nothing refers to; they go with the document.
 */
async function storeNext(
  table: ContextTable,
  caller: ContextCaller,
  head: DocumentHead,
  document: Document,
  next: {
    readonly before: readonly Part[];
    /** What is between them. */
    readonly middle: Uint8Array;
    readonly after: readonly Part[];
    /** All of it. */
    readonly content: Uint8Array;
  },
): Promise<Result<Document, Lost | Unavailable>> {
  const write = newWrite();
  const written = await writeContent(table, head, write, next.middle);
  if (!written.ok) return written;
  const before = await readIndex(table, document, head.write);
  if (!before.ok) return before;
  const index = await writeIndex(table, document, { write, content: next.content, before: before.value });
  if (!index.ok) return index;
  const parts = [...next.before, ...written.value, ...next.after];
  const put = await table.putNext(toHeadRow({ ...head, document, parts, write }), {
    version: head.document.version,
    write: head.write,
  });
  if (!put.ok) return put;
  if (!put.value) {
    const lost = await findLoss(table, caller, document.id, write);
    if (!lost.ok) return lost;
    if (lost.value !== undefined) {
      const added = index.value.filter((entry) => entry.write === write);
      const unlisted = await removeIndex(table, document, write, added);
      if (!unlisted.ok) return unlisted;
      const removed = await removeParts(table, head, written.value);
      return removed.ok ? err(lost.value) : removed;
    }
  }
  const kept = new Set(parts.map(({ key }) => key));
  const stale = head.parts.filter(({ key }) => !kept.has(key));
  // The write is done: what cannot be removed now goes with the document.
  await removeParts(table, head, stale);
  const inUse = new Set(index.value);
  const unused = before.value.filter((entry) => !inUse.has(entry));
  await removeIndex(table, document, head.write, unused);
  return ok(document);
}

/** Who was faster; undefined where it was this very write, which the client repeated because the answer to it was lost. */
async function findLoss(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
  write: string,
): Promise<Result<Lost | undefined, Unavailable>> {
  const standing = await findHead(table, caller, id);
  if (!standing.ok) return standing;
  if (standing.value === undefined) return ok({ reason: 'not_found' });
  return ok(standing.value.write === write ? undefined : { reason: 'version_conflict' });
}
