import type { Document } from '../../core/documents/document.ts';
import { type DocumentQuery, matchesQuery } from '../../core/documents/input.ts';
import type {
  ContextCaller,
  DocumentPage,
  DocumentStore,
  InvalidCursor,
  Seal,
} from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { canonicalFilters, isVisible } from '../../core/visibility.ts';
import type { ContextTable } from '../context-table.ts';
import { type Candidate, type Candidates, createCandidates } from './candidates.ts';
import { findHeads } from './heads.ts';
import { type ListPrefixes, listPrefixes } from './list-prefixes.ts';
import { fromHeadRow, HEAD_PREFIX, toPartition } from './rows.ts';
import { sweepSome } from './scope-sweep.ts';

/** Documents per look, and looks per page: a list that matches little of much ends its page early, with a cursor. */
const DOCUMENTS_PER_LOOK = 250;
const LOOKS_PER_PAGE = 40;

/** Where a list goes on: after this document, and skipping so many more that match. */
type Position = { readonly afterId: string | undefined; readonly skip: number };

/**
 * One page of the documents that the caller sees and that match. What leads to them is the list of what is visible, or of the first tag
 * in it; their heads decide. A page looks one match ahead: a cursor means that there is more, and where documents that the caller cannot
 * see follow, it gets none. A page that went past very many documents which have expired ends there, with a cursor.
 */
export async function listDocuments(
  table: ContextTable,
  seal: Seal,
  caller: ContextCaller,
  query: DocumentQuery,
): Promise<Result<DocumentPage, InvalidCursor | Unavailable>> {
  const start = openCursor(seal, caller, query);
  if (!start.ok) return start;
  const lists = await listPrefixes(table, caller, query.tags[0]);
  if (!lists.ok) return lists;
  const { prefixes } = lists.value;
  const pk = toPartition(caller.orgId, caller.namespace);
  // Then nearly everything that a list leads to matches.
  const isExact = query.filename === undefined && query.tags.length <= 1;
  let { skip, afterId } = start.value;
  const rowsPerLook = isExact ? Math.min(query.limit + skip + 1, DOCUMENTS_PER_LOOK) : DOCUMENTS_PER_LOOK;
  const candidates = createCandidates(table, pk, prefixes, { afterId, rowsPerLook });
  const documents: Document[] = [];
  for (let look = 0; look < LOOKS_PER_PAGE; look += 1) {
    const wanted = isExact
      ? Math.min(query.limit - documents.length + skip + 1, DOCUMENTS_PER_LOOK)
      : DOCUMENTS_PER_LOOK;
    const found = await candidates.next(wanted);
    if (!found.ok) return found;
    if (look === 0) await sweepEmpty(table, caller, lists.value, candidates);
    const { found: looked, pausedAt } = found.value;
    const heads = await headsOf(table, caller, looked, prefixes);
    if (!heads.ok) return heads;
    for (const { id } of looked) {
      const document = heads.value.get(id)?.document;
      if (document === undefined || !matchesQuery(document, query)) continue;
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      if (documents.length === query.limit) {
        const last = documents.at(-1)?.id;
        return ok({ documents, nextCursor: sealCursor(seal, caller, query, { afterId: last, skip }) });
      }
      documents.push(document);
    }
    if (pausedAt === undefined && looked.length < wanted) return ok({ documents, nextCursor: undefined });
    afterId = pausedAt ?? looked.at(-1)?.id;
    if (pausedAt !== undefined) break;
  }
  return ok({ documents, nextCursor: sealCursor(seal, caller, query, { afterId, skip }) });
}

/** Documents that the caller sees, in the order of ids, after this one; fewer than `limit` at the end, or where very much has expired. */
export async function walkDocuments(
  table: ContextTable,
  caller: ContextCaller,
  afterId: string | undefined,
  limit: number,
): ReturnType<DocumentStore['walk']> {
  const lists = await listPrefixes(table, caller, undefined);
  if (!lists.ok) return lists;
  const { prefixes } = lists.value;
  const pk = toPartition(caller.orgId, caller.namespace);
  const candidates = createCandidates(table, pk, prefixes, { afterId, rowsPerLook: limit });
  const documents: Document[] = [];
  for (let look = 0; ; look += 1) {
    const wanted = limit - documents.length;
    const found = await candidates.next(wanted);
    if (!found.ok) return found;
    if (look === 0) await sweepEmpty(table, caller, lists.value, candidates);
    const { found: looked, pausedAt } = found.value;
    const heads = await headsOf(table, caller, looked, prefixes);
    if (!heads.ok) return heads;
    for (const { id } of looked) {
      const document = heads.value.get(id)?.document;
      if (document !== undefined) documents.push(document);
    }
    const isEnd = pausedAt !== undefined || looked.length < wanted;
    if (isEnd || documents.length === limit) return ok({ documents, pausedAt });
  }
}

/** Sweeps some of the sets of filters whose lists this read has found empty. */
function sweepEmpty(
  table: ContextTable,
  caller: ContextCaller,
  { sets }: ListPrefixes,
  candidates: Candidates,
): Promise<void> {
  const empty = candidates.empty().flatMap((prefix) => sets.get(prefix) ?? []);
  return sweepSome(table, caller, empty, sets.size);
}

/** The heads of those of the documents that the caller sees; the rows of a list of all heads are heads themselves. */
async function headsOf(
  table: ContextTable,
  caller: ContextCaller,
  found: readonly Candidate[],
  prefixes: readonly string[],
): ReturnType<typeof findHeads> {
  if (prefixes[0] !== HEAD_PREFIX) {
    return findHeads(
      table,
      caller,
      found.map(({ id }) => id),
    );
  }
  const heads = found.map(({ row }) => fromHeadRow(row));
  return ok(
    new Map(
      heads
        .filter(({ document }) => isVisible(caller, document.scope))
        .map((head) => [head.document.id, head]),
    ),
  );
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
