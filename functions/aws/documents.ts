import { createDocument, type Document } from '../core/documents/document.ts';
import { countCharacters, findCharacters, isText } from '../core/documents/parts.ts';
import type {
  ContextCaller,
  DocumentStore,
  NewDocument,
  NotFound,
  Seal,
  StoredDocument,
} from '../core/documents/ports.ts';
import type { Precondition } from '../core/documents/precondition.ts';
import {
  boundRange,
  type CharacterRange,
  cutCharacters,
  type NotText,
  type RangeBeyondEnd,
  type TextRange,
} from '../core/documents/range.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable, ContextTables } from './context-table.ts';
import { type Claim, claimKey, fingerprintOf, markGone } from './document-claims.ts';
import { newWrite, readParts, removeContent, removeParts, writeContent } from './document-content.ts';
import { findHead } from './document-heads.ts';
import { listDocuments } from './document-list.ts';
import { type DocumentHead, toHeadKey, toHeadRow, toPartition } from './document-rows.ts';
import { editDocument, findWritable, writeDocument } from './document-writes.ts';

/** How often a read looks again when content was replaced or deleted under it. */
const READ_ATTEMPTS = 5;

const NOT_FOUND: { readonly ok: false; readonly error: NotFound } = err({ reason: 'not_found' });

/**
 * Documents in one DynamoDB table (keys `pk`, `sk`), single-item conditional writes only. A document is a head row and rows
 * of content; content is written before its head and removed after it, so a head never points at what is not whole. A
 * process that dies in between leaves content rows that nothing refers to.
 */
export function createDocumentStore(parts: {
  readonly tables: ContextTables;
  readonly seal: Seal;
  readonly clock: Clock;
}): DocumentStore {
  const { tables, seal, clock } = parts;
  /** Does it at the caller's part of the table. */
  const on = async <T, E>(
    caller: ContextCaller,
    act: (table: ContextTable) => Promise<Result<T, E>>,
  ): Promise<Result<T, E | Unavailable>> => {
    const table = await tables(caller);
    return table.ok ? act(table.value) : table;
  };
  return {
    create: async (caller, document) =>
      caller.permissions === 'write'
        ? on(caller, (table) => createOnce(table, caller, document))
        : err({ reason: 'read_only' }),

    info: (caller, id) => on(caller, (table) => describeDocument(table, caller, id)),

    read: (caller, id) => on(caller, (table) => readWhole(table, caller, id, (head) => readAll(table, head))),

    readRange: (caller, id, range) =>
      on(caller, (table) => readWhole(table, caller, id, (head) => readCharacters(table, head, range))),

    list: (caller, query) => on(caller, (table) => listDocuments(table, seal, caller, query)),

    write: (caller, id, content, precondition) =>
      on(caller, (table) => writeDocument(table, caller, [id, content, precondition, clock()])),

    edit: (caller, id, edit, precondition) =>
      on(caller, (table) => editDocument(table, caller, [id, edit, precondition, clock()])),

    delete: (caller, id, precondition) =>
      on(caller, (table) => deleteDocument(table, caller, id, precondition)),
  };
}

async function describeDocument(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
): ReturnType<DocumentStore['info']> {
  const head = await findHead(table, caller, id);
  if (!head.ok) return head;
  return head.value === undefined ? NOT_FOUND : ok(head.value.document);
}

/** Reads by the head as it stands, and again by the next one where the content was replaced or deleted meanwhile. */
async function readWhole<T, E>(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
  read: (head: DocumentHead) => Promise<Result<T | undefined, E>>,
): Promise<Result<T, E | NotFound | Unavailable>> {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
    const head = await findHead(table, caller, id);
    if (!head.ok) return head;
    if (head.value === undefined) return NOT_FOUND;
    const content = await read(head.value);
    if (!content.ok) return content;
    if (content.value !== undefined) return ok(content.value);
  }
  return err({ reason: 'unavailable', detail: `context table: content of ${id} is not whole` });
}

async function readAll(
  table: ContextTable,
  head: DocumentHead,
): Promise<Result<StoredDocument | undefined, Unavailable>> {
  const content = await readParts(table, head, head.parts);
  if (!content.ok || content.value === undefined) return content.ok ? ok(undefined) : content;
  return ok({ document: head.document, content: content.value });
}

/** The characters of a range, from the pieces that hold them; from all of them where they are not counted. */
async function readCharacters(
  table: ContextTable,
  head: DocumentHead,
  range: CharacterRange,
): Promise<Result<TextRange | undefined, NotText | RangeBeyondEnd | Unavailable>> {
  const { document } = head;
  const counts = head.parts.map(({ chars }) => chars);
  if (counts.includes(null)) {
    const content = await readParts(table, head, head.parts);
    if (!content.ok || content.value === undefined) return content.ok ? ok(undefined) : content;
    if (!isText(content.value)) return err({ reason: 'not_text' });
    const totalChars = countCharacters(content.value) ?? 0;
    const bound = boundRange(range, totalChars);
    if (!bound.ok) return bound;
    const { startChar, endChar } = bound.value;
    const cut = cutCharacters(content.value, startChar, endChar - startChar);
    return ok({ document, content: cut, startChar, endChar, totalChars });
  }
  const totalChars = counts.reduce<number>((sum, chars) => sum + (chars ?? 0), 0);
  const bound = boundRange(range, totalChars);
  if (!bound.ok) return bound;
  const { startChar, endChar } = bound.value;
  const held = findCharacters(head.parts, startChar, endChar);
  const content = await readParts(table, head, held?.parts ?? []);
  if (!content.ok || content.value === undefined) return content.ok ? ok(undefined) : content;
  const cut = cutCharacters(content.value, held?.skipChars ?? 0, endChar - startChar);
  return ok({ document, content: cut, startChar, endChar, totalChars });
}

async function createOnce(
  table: ContextTable,
  caller: ContextCaller,
  document: NewDocument,
): ReturnType<DocumentStore['create']> {
  if (document.idempotencyKey === undefined) return write(table, caller, document, undefined);
  const claim = await claimKey(table, caller, document, document.idempotencyKey);
  if (!claim.ok) return claim;
  if (claim.value.fingerprint !== fingerprintOf(document)) {
    return err({ reason: 'idempotency_conflict', cause: 'reused' });
  }
  const standing = await findHead(table, caller, claim.value.id);
  if (!standing.ok) return standing;
  if (standing.value !== undefined) return ok(standing.value.document);
  if (claim.value.isGone) return err({ reason: 'idempotency_conflict', cause: 'gone' });
  return write(table, caller, document, claim.value);
}

/**
 * Writes content and then the head. A claim that stands gives the id and the birth time, so of two repetitions the first head wins and
 * the content of the other goes again.
 */
async function write(
  table: ContextTable,
  caller: ContextCaller,
  { id, nowSeconds, description, content }: NewDocument,
  claim: Claim | undefined,
): Promise<Result<Document, Unavailable>> {
  const birth = { id: claim?.id ?? id, nowSeconds: claim?.nowSeconds ?? nowSeconds, scope: caller };
  const document = createDocument(description, content, birth);
  const write = newWrite();
  const parts = await writeContent(table, { document }, write, content ?? new Uint8Array());
  if (!parts.ok) return parts;
  const put = await table.putNew(toHeadRow({ document, parts: parts.value, write, claim: claim?.sortKey }));
  if (!put.ok) return put;
  if (put.value) return ok(document);
  const standing = await findHead(table, caller, document.id);
  if (!standing.ok) return standing;
  // The client repeats a put whose answer was lost: then the head that stands is this one.
  if (standing.value?.write === write) return ok(document);
  const removed = await removeParts(table, { document }, parts.value);
  if (!removed.ok) return removed;
  if (standing.value !== undefined) return ok(standing.value.document);
  return err({ reason: 'unavailable', detail: `context table: ${document.id} went while it was written` });
}

async function deleteDocument(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
  precondition: Precondition,
): ReturnType<DocumentStore['delete']> {
  const head = await findWritable(table, caller, id, precondition);
  if (!head.ok) return head;
  const removed = await remove(table, head.value, precondition !== '*');
  if (!removed.ok) return removed;
  if (removed.value) return ok([id]);
  const standing = await findHead(table, caller, id);
  // The client repeats a delete whose answer was lost: then there is no head.
  if (!standing.ok || standing.value === undefined) return standing.ok ? ok([id]) : standing;
  return err({ reason: 'version_conflict' });
}

/** Removes the claim's promise, the head and the content, in this order. False where the head is of another version by now. */
async function remove(
  table: ContextTable,
  head: DocumentHead,
  isVersioned: boolean,
): Promise<Result<boolean, Unavailable>> {
  const { document, claim } = head;
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  if (claim !== undefined) {
    const marked = await markGone(table, pk, claim);
    if (!marked.ok) return marked;
  }
  const key = toHeadKey(pk, document.id);
  if (isVersioned) {
    const beheaded = await table.deleteVersion(key, document.version);
    if (!beheaded.ok || !beheaded.value) return beheaded;
  } else {
    const beheaded = await table.delete(key);
    if (!beheaded.ok) return beheaded;
  }
  const removed = await removeContent(table, head);
  return removed.ok ? ok(true) : removed;
}
