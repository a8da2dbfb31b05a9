import type { Document } from '../core/documents/document.ts';
import type { ContextCaller } from '../core/documents/ports.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row, RowKey } from './context-table.ts';
import { fromHeadRow, HEAD_PREFIX, toExpiry, toHeadKey, toPartition } from './document-rows.ts';
import { scopeRows, shortHash, toScope, visibleScopes } from './document-scopes.ts';

/** The scope of lists that have every document of a namespace. */
const EVERY_SCOPE = '*';

const ROWS_PER_LOOK = 250;

/** Says that every document of a namespace is in its lists. */
const COMPLETE = 'LISTS';

/** Puts a document into its lists: of its filters, and of each of its tags, there and in the whole namespace. */
export function addToLists(table: ContextTable, document: Document): Promise<Result<void, Unavailable>> {
  return table.writeAll([...scopeRows(document), ...toListRows(document)], []);
}

/** Puts a document back into its lists where a row of them is not there (any more). */
export async function keepInLists(
  table: ContextTable,
  document: Document,
): Promise<Result<void, Unavailable>> {
  const rows = await table.getAll(toListKeys(document));
  if (!rows.ok) return rows;
  return rows.value.includes(undefined) ? addToLists(table, document) : ok(undefined);
}

/** Takes a document out of its lists. */
export function removeFromLists(table: ContextTable, document: Document): Promise<Result<void, Unavailable>> {
  return table.writeAll([], toListKeys(document));
}

/**
 * After rows of lists were removed, by the names of a document: puts those of the document back that has its id by now. False where none
 * has; one that comes later looks for its rows itself.
 */
export async function keepNext(
  table: ContextTable,
  { id, scope }: Document,
): Promise<Result<boolean, Unavailable>> {
  const row = await table.get(toHeadKey(toPartition(scope.orgId, scope.namespace), id));
  if (!row.ok || row.value === undefined) return row.ok ? ok(false) : row;
  const listed = await addToLists(table, fromHeadRow(row.value).document);
  return listed.ok ? ok(true) : listed;
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

/** Puts documents into lists that were stored before there were any. It is done once for a namespace. */
async function completeLists(table: ContextTable, pk: string): Promise<Result<void, Unavailable>> {
  const known = await table.get({ pk, sk: COMPLETE });
  if (!known.ok || known.value !== undefined) return known.ok ? ok(undefined) : known;
  let after: string | undefined;
  do {
    const page = await table.page(pk, HEAD_PREFIX, after, ROWS_PER_LOOK);
    if (!page.ok) return page;
    const rows = page.value.rows.flatMap((row) => {
      const { document } = fromHeadRow(row);
      return [...scopeRows(document), ...toListRows(document)];
    });
    const unique = new Map(rows.map((row) => [row['sk']?.S, row]));
    const written = await table.writeAll([...unique.values()], []);
    if (!written.ok) return written;
    after = page.value.nextSortKey;
  } while (after !== undefined);
  return table.put({ pk: { S: pk }, sk: { S: COMPLETE } });
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
