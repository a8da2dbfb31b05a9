import { MAX_DOCUMENT_BYTES, replaceContent } from '../../core/documents/document.ts';
import { applyEdit, type Edit } from '../../core/documents/edit.ts';
import { isText, planSplice } from '../../core/documents/parts.ts';
import type { ContextCaller, DocumentStore } from '../../core/documents/ports.ts';
import { checkVersion, type Precondition } from '../../core/documents/precondition.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { readParts } from './content.ts';
import { findHead } from './heads.ts';
import { type Lost, storeNext } from './next.ts';
import type { DocumentHead } from './rows.ts';

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
  const checked = checkVersion(precondition, head.value.document);
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
  return storeNext(table, caller, head, document, {
    before: [],
    after: [],
    middle: content,
    content,
    nowSeconds,
  });
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
  const next = { before, after, middle, content, nowSeconds };
  const stored = await storeNext(table, caller, head, document, next);
  return stored.ok ? ok({ document: stored.value, outcome }) : stored;
}
