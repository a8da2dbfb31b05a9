import type { Document } from '../core/documents/document.ts';
import { type DocumentQuery, matchesQuery } from '../core/documents/input.ts';
import type { ContextCaller, DocumentPage, InvalidCursor, Seal } from '../core/documents/ports.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { canonicalFilters, isVisible } from '../core/visibility.ts';
import type { ContextTable } from './context-table.ts';
import { fromHeadRow, HEAD_PREFIX, toHeadKey, toPartition } from './document-rows.ts';

/** Rows per look, and looks per page: a list that matches little of much ends its page early, with a cursor. */
const ROWS_PER_LOOK = 250;
const LOOKS_PER_PAGE = 40;

/** Where a list goes on: after this document, and skipping so many more that match. */
type Position = { readonly afterId: string | undefined; readonly skip: number };

/**
 * One page of the documents that the caller sees and that match. A page looks one match ahead: a cursor means that there is
 * more, and where rows that the caller cannot see follow, it gets none.
 */
export async function listDocuments(
  table: ContextTable,
  seal: Seal,
  caller: ContextCaller,
  query: DocumentQuery,
): Promise<Result<DocumentPage, InvalidCursor | Unavailable>> {
  const start = openCursor(seal, caller, query);
  if (!start.ok) return start;
  const pk = toPartition(caller.orgId, caller.namespace);
  const toSortKey = (id: string) => toHeadKey(pk, id).sk;
  const documents: Document[] = [];
  let { skip } = start.value;
  let after = start.value.afterId === undefined ? undefined : toSortKey(start.value.afterId);
  for (let look = 0; look < LOOKS_PER_PAGE; look += 1) {
    const page = await table.page(pk, HEAD_PREFIX, after, ROWS_PER_LOOK);
    if (!page.ok) return page;
    for (const row of page.value.rows) {
      const { document } = fromHeadRow(row);
      if (!isVisible(caller, document.scope) || !matchesQuery(document, query)) continue;
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      if (documents.length === query.limit) {
        const afterId = documents.at(-1)?.id;
        return ok({ documents, nextCursor: sealCursor(seal, caller, query, { afterId, skip }) });
      }
      documents.push(document);
    }
    after = page.value.nextSortKey;
    if (after === undefined) return ok({ documents, nextCursor: undefined });
  }
  const afterId = after?.slice(HEAD_PREFIX.length);
  return ok({ documents, nextCursor: sealCursor(seal, caller, query, { afterId, skip }) });
}

function sealCursor(
  seal: Seal,
  caller: ContextCaller,
  query: DocumentQuery,
  { afterId, skip }: Position,
): string {
  return seal.seal(JSON.stringify([afterId, skip]), cursorContext(caller, query));
}

function openCursor(
  seal: Seal,
  caller: ContextCaller,
  query: DocumentQuery,
): Result<Position, InvalidCursor> {
  if (query.cursor === undefined) return ok({ afterId: undefined, skip: query.offset });
  const opened = seal.open(query.cursor, cursorContext(caller, query));
  if (opened === undefined) return err({ reason: 'invalid_cursor' });
  const position: unknown = JSON.parse(opened);
  const [afterId, skip] = Array.isArray(position) ? position : [];
  if (typeof afterId !== 'string' || typeof skip !== 'number') return err({ reason: 'invalid_cursor' });
  return ok({ afterId, skip });
}

/** A cursor is good for its caller, scope and query alone; the limit may change between pages. */
function cursorContext(caller: ContextCaller, query: DocumentQuery): string {
  const { orgId, namespace, callerKey } = caller;
  const filters = canonicalFilters(caller.scopeFilters);
  return JSON.stringify([
    'document-list',
    orgId,
    namespace,
    filters,
    callerKey,
    query.filename ?? null,
    query.tags,
  ]);
}
