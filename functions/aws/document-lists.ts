import type { Document } from '../core/documents/document.ts';
import type { ContextCaller } from '../core/documents/ports.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable, Row, RowKey } from './context-table.ts';
import { notedWrites } from './document-notes.ts';
import {
  type DocumentHead,
  fromHeadRow,
  HEAD_PREFIX,
  text,
  toExpiry,
  toHeadKey,
  toPartition,
} from './document-rows.ts';
import { scopeRows, shortHash, toScope, visibleScopes } from './document-scopes.ts';

/** The scope of lists that have every document of a namespace. */
const EVERY_SCOPE = '*';

const ROWS_PER_LOOK = 250;

/** Looks at lists that others change at the same time. */
const ATTEMPTS = 5;

/** Says that every document of a namespace is in its lists. */
const COMPLETE = 'LISTS';

/**
 * Puts a document into its lists: of its filters, and of each of its tags, there and in the whole namespace. A row says which write put it,
 * so that who removes one that it read takes none that was put since.
 */
export function addToLists(
  table: ContextTable,
  document: Document,
  write: string,
): Promise<Result<void, Unavailable>> {
  return table.writeAll(rowsOf({ document, write }), []);
}

/** Puts a document that is there back into its lists where a row of them is not as this write put it: somebody may be about to remove it. */
export async function keepInLists(
  table: ContextTable,
  document: Document,
  write: string,
): Promise<Result<void, Unavailable>> {
  const rows = await table.getAll(toListKeys(document));
  if (!rows.ok) return rows;
  const isKept = rows.value.every((row) => row?.['write']?.S === write);
  return isKept ? ok(undefined) : addToLists(table, document, write);
}

/**
 * Takes a document that is gone out of its lists, but for the rows that a create of one of its id put which is under way. Read in this order,
 * because a create has a note before its first row and until its head is there. What the write `ended` put is not under way, whatever is noted.
 * Rows that lead to the document which has the id now are put as they are of that one.
 */
export async function removeFromLists(
  table: ContextTable,
  document: Document,
  ended?: string,
): Promise<Result<void, Unavailable>> {
  const keys = toListKeys(document);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await table.getAll(keys);
    if (!found.ok) return found;
    const noted = await notedWrites(table, document);
    if (!noted.ok) return noted;
    const { orgId, namespace } = document.scope;
    const head = await table.get(toHeadKey(toPartition(orgId, namespace), document.id));
    if (!head.ok) return head;
    const next = head.value === undefined ? [] : rowsOf(fromHeadRow(head.value));
    const kept = new Map(next.map((row) => [text(row, 'sk'), row]));
    const isUnderWay = (write: string) => write !== ended && noted.value.has(write);
    const gone = found.value
      .filter((row) => row !== undefined)
      .filter((row) => !kept.has(text(row, 'sk')) && !isUnderWay(row['write']?.S ?? ''));
    const removed = await table.removeAsRead(gone);
    if (!removed.ok) return removed;
    const taken = keys.flatMap(({ sk }, index) => {
      const row = kept.get(sk);
      return row === undefined || found.value[index]?.['write']?.S === row['write']?.S ? [] : [row];
    });
    if (taken.length === 0) return ok(undefined);
    // And look again: that one may be gone by now as well.
    const put = await table.writeAll(taken, []);
    if (!put.ok) return put;
  }
  return err({ reason: 'unavailable', detail: 'context table: lists did not come to rest' });
}

/**
 * What the keys of rows start with that lead to all documents which the caller sees and which have the tag, each ending in an id; heads
 * themselves where that is the whole namespace.
 */
export async function listPrefixes(
  table: ContextTable,
  caller: ContextCaller,
  tag: string | undefined,
): Promise<Result<readonly string[], Unavailable>> {
  if (caller.scopeFilters.size === 0 && tag === undefined) return ok([HEAD_PREFIX]);
  const complete = await completeLists(table, toPartition(caller.orgId, caller.namespace));
  if (!complete.ok) return complete;
  const scopes = await visibleScopes(table, caller);
  if (!scopes.ok) return scopes;
  return ok((scopes.value ?? [EVERY_SCOPE]).map((scope) => toListPrefix(scope, tag)));
}

/**
 * Puts documents into lists that were stored before there were any, where no row is: it may be one of a document that has the id since. It is
 * done once for a namespace.
 */
async function completeLists(table: ContextTable, pk: string): Promise<Result<void, Unavailable>> {
  const known = await table.get({ pk, sk: COMPLETE });
  if (!known.ok || known.value !== undefined) return known.ok ? ok(undefined) : known;
  let after: string | undefined;
  do {
    const page = await table.page(pk, HEAD_PREFIX, after, ROWS_PER_LOOK);
    if (!page.ok) return page;
    const rows = new Map(
      page.value.rows.flatMap((row) => rowsOf(fromHeadRow(row))).map((row) => [text(row, 'sk'), row]),
    );
    const standing = await table.getAll([...rows.keys()].map((sk) => ({ pk, sk })));
    if (!standing.ok) return standing;
    for (const row of standing.value) rows.delete(row?.['sk']?.S ?? '');
    const written = await table.writeAll([...rows.values()], []);
    if (!written.ok) return written;
    after = page.value.nextSortKey;
  } while (after !== undefined);
  return table.put({ pk: { S: pk }, sk: { S: COMPLETE } });
}

/** Every row that leads to a document, as the write that made it puts them. */
function rowsOf({
  document,
  write,
  incarnation = write,
}: Pick<DocumentHead, 'document' | 'write'> & Partial<DocumentHead>): readonly Row[] {
  return [...scopeRows(document), ...toListRows(document)].map((row) => ({
    ...row,
    write: { S: incarnation },
  }));
}

function toListRows(document: Document): readonly Row[] {
  const expiry = toExpiry(document);
  return toListKeys(document).map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk }, ...expiry }));
}

function toListKeys({ id, tags, scope }: Document): readonly RowKey[] {
  const pk = toPartition(scope.orgId, scope.namespace);
  const own = toScope(scope.scopeFilters);
  const prefixes = [
    toListPrefix(own, undefined),
    ...tags.flatMap((tag) => [toListPrefix(own, tag), toListPrefix(EVERY_SCOPE, tag)]),
  ];
  return prefixes.map((prefix) => ({ pk, sk: `${prefix}${id}` }));
}

function toListPrefix(scope: string, tag: string | undefined): string {
  return `LIST#${scope}#${tag === undefined ? '' : shortHash(tag)}#`;
}
