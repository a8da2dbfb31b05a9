import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDocument, type Document } from '../core/documents/document.ts';
import type { ContextCaller, DocumentStore, NewDocument, NotFound, Seal } from '../core/documents/ports.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isVisible } from '../core/visibility.ts';
import { type ContextTable, createContextTable } from './context-table.ts';
import { type Claim, claimKey, fingerprintOf, markGone } from './document-claims.ts';
import { countChunks, readContent, removeContent, writeContent } from './document-content.ts';
import { listDocuments } from './document-list.ts';
import { type DocumentHead, fromHeadRow, toHeadKey, toHeadRow, toPartition } from './document-rows.ts';

/** The content version that a document is born with. */
const FIRST_VERSION = 1;

/** How often a read looks again when content was replaced or deleted under it. */
const READ_ATTEMPTS = 3;

const NOT_FOUND: { readonly ok: false; readonly error: NotFound } = err({ reason: 'not_found' });

/**
 * Documents in one DynamoDB table (keys `pk`, `sk`), single-item conditional writes only. A document is a head row and rows
 * of content; content is written before its head and removed after it, so a head never points at what is not whole. A
 * process that dies in between leaves content rows that nothing refers to.
 */
export function createDocumentStore(parts: {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly seal: Seal;
  readonly clock: Clock;
}): DocumentStore {
  const table = createContextTable(parts.client, parts.tableName, parts.clock);
  return {
    async create(caller, document) {
      if (caller.permissions !== 'write') return err({ reason: 'read_only' });
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
    },

    async info(caller, id) {
      const head = await findHead(table, caller, id);
      if (!head.ok) return head;
      return head.value === undefined ? NOT_FOUND : ok(head.value.document);
    },

    async read(caller, id) {
      for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
        const head = await findHead(table, caller, id);
        if (!head.ok) return head;
        if (head.value === undefined) return NOT_FOUND;
        const content = await readContent(table, head.value);
        if (!content.ok) return content;
        if (content.value !== undefined) return ok({ document: head.value.document, content: content.value });
      }
      return err({ reason: 'unavailable', detail: `context table: content of ${id} is not whole` });
    },

    list: (caller, query) => listDocuments(table, parts.seal, caller, query),

    async delete(caller, id) {
      const head = await findHead(table, caller, id);
      if (!head.ok) return head;
      if (head.value === undefined) return NOT_FOUND;
      if (caller.permissions !== 'write') return err({ reason: 'read_only' });
      const removed = await remove(table, head.value);
      return removed.ok ? ok([id]) : removed;
    },
  };
}

/** The head of a document that the caller sees. */
async function findHead(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
): Promise<Result<DocumentHead | undefined, Unavailable>> {
  const row = await table.get(toHeadKey(toPartition(caller.orgId, caller.namespace), id));
  if (!row.ok || row.value === undefined) return row.ok ? ok(undefined) : row;
  const head = fromHeadRow(row.value);
  return ok(isVisible(caller, head.document.scope) ? head : undefined);
}

/**
 * Writes content and then the head. A claim that stands gives the id and the birth time, so two repetitions write the same
 * rows and the first head wins.
 */
async function write(
  table: ContextTable,
  caller: ContextCaller,
  { id, nowSeconds, description, content }: NewDocument,
  claim: Claim | undefined,
): Promise<Result<Document, Unavailable>> {
  const birth = { id: claim?.id ?? id, nowSeconds: claim?.nowSeconds ?? nowSeconds, scope: caller };
  const document = createDocument(description, content, birth);
  const bytes = content ?? new Uint8Array();
  const head: DocumentHead = {
    document,
    version: FIRST_VERSION,
    chunks: countChunks(bytes),
    claim: claim?.sortKey,
  };
  const written = await writeContent(table, head, bytes);
  if (!written.ok) return written;
  const put = await table.putNew(toHeadRow(head));
  if (!put.ok) return put;
  if (put.value) return ok(document);
  const standing = await findHead(table, caller, document.id);
  if (!standing.ok) return standing;
  if (standing.value !== undefined) return ok(standing.value.document);
  return err({ reason: 'unavailable', detail: `context table: ${document.id} went while it was written` });
}

/** Removes the claim's promise, the head and the content, in this order. */
async function remove(table: ContextTable, head: DocumentHead): Promise<Result<void, Unavailable>> {
  const { document, claim } = head;
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  if (claim !== undefined) {
    const marked = await markGone(table, pk, claim);
    if (!marked.ok) return marked;
  }
  const beheaded = await table.delete(toHeadKey(pk, document.id));
  if (!beheaded.ok) return beheaded;
  return removeContent(table, head);
}
