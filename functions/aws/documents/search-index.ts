import { gunzipSync, gzipSync } from 'node:zlib';
import type { Document } from '../../core/documents/document.ts';
import { isText } from '../../core/documents/parts.ts';
import { type Term, termsOf } from '../../core/documents/terms.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { coarseRankOf, rankOf } from './rank.ts';
import { toExpiry, toPartition } from './rows.ts';
import { shortHash, toScope } from './scopes.ts';

/** One row of the index that a version of a document uses: its term, its place by how often that is there, which write stored it, and a digest of it. */
export type IndexEntry = {
  readonly term: string;
  readonly rank: string;
  readonly write: string;
  readonly digest: string;
};

/**
 * Stores the index of a new version: first a list of all its rows, under the write that makes the version, then those rows that the version
 * before does not have. Until a head names that write, no search takes them for anything. A row that an older version stored stays as it is: an
 * edit stores no more than what it changes.
 */
export async function writeIndex(
  table: ContextTable,
  document: Document,
  next: {
    readonly write: string;
    readonly content: Uint8Array;
    readonly before: readonly IndexEntry[];
    readonly nowSeconds: number;
  },
): Promise<Result<readonly IndexEntry[], Unavailable>> {
  const text = isText(next.content) ? Buffer.from(next.content).toString('utf8') : undefined;
  const known = new Map(next.before.map((entry) => [`${entry.term}#${entry.rank}#${entry.digest}`, entry]));
  const added: Row[] = [];
  const entries = termsOf(document.filename, text).map((term): IndexEntry => {
    const digest = digestOf(term);
    const rank = rankOf(term.count);
    const standing =
      known.get(`${term.term}#${rank}#${digest}`) ??
      known.get(`${term.term}#${coarseRankOf(term.count)}#${digest}`);
    if (standing !== undefined) return standing;
    const entry = { term: term.term, rank, write: next.write, digest };
    added.push(toTermRow(document, entry, term));
    return entry;
  });
  const listed = await table.put(toListRow(document, next, entries));
  if (!listed.ok) return listed;
  const written = await table.writeAll(added, []);
  return written.ok ? ok(entries) : written;
}

/** The rows of the index that a version uses; none where the version was stored before there was an index. */
export async function readIndex(
  table: ContextTable,
  document: Document,
  write: string,
): Promise<Result<readonly IndexEntry[], Unavailable>> {
  const row = await table.get(toListKey(document, write));
  return row.ok ? ok(fromListRow(row.value)) : row;
}

/** Removes rows of the index, and after them the list that a write made of them: while one of them is left, it is found by the list. */
export async function removeIndex(
  table: ContextTable,
  document: Document,
  write: string,
  entries: readonly IndexEntry[],
): Promise<Result<void, Unavailable>> {
  const removed = await removeEntries(table, document, entries);
  return removed.ok ? table.writeAll([], [toListKey(document, write)]) : removed;
}

/** Removes rows of the index, and leaves the list that names them: by that they are found, should one of them come late. */
export function removeEntries(
  table: ContextTable,
  document: Document,
  entries: readonly IndexEntry[],
): Promise<Result<void, Unavailable>> {
  return table.writeAll(
    [],
    entries.map((entry) => toTermKey(document, entry)),
  );
}

/** The lists that writes made of the index of a document, those too of a write which died. */
export function findIndexLists(
  table: ContextTable,
  document: Document,
): Promise<Result<readonly RowKey[], Unavailable>> {
  return table.keys(partitionOf(document), toListPrefix(document.id));
}

/** The write that made a list. */
export function writeOfList({ sk }: RowKey): string {
  const [, , write = ''] = sk.split('#');
  return write;
}

/** Most seconds from when a write begins until all of its index is put: no function runs for so long. */
const WRITING_SECONDS = 900;

/**
 * Removes every row that lists of the index name, and the lists, but for those of another write than `ended` that may be under way: what that puts
 * yet is found by its list alone. False where such a list stays.
 */
export async function removeIndexLists(
  table: ContextTable,
  document: Document,
  lists: readonly RowKey[],
  { ended, nowSeconds }: { readonly ended: string; readonly nowSeconds: number },
): Promise<Result<boolean, Unavailable>> {
  const rows = await table.getAll(lists);
  if (!rows.ok) return rows;
  const keys = rows.value.flatMap(fromListRow).map((entry) => toTermKey(document, entry));
  const unique = new Map(keys.map((key) => [key.sk, key]));
  const removed = await table.writeAll([], [...unique.values()]);
  // An older version took the document's time for the write's, which an archive may have in the future.
  const isOver = (list: RowKey, row: Row | undefined): boolean =>
    writeOfList(list) === ended || Math.abs(nowSeconds - Number(row?.['since']?.N ?? 0)) >= WRITING_SECONDS;
  const over = lists.filter((list, index) => isOver(list, rows.value[index]));
  const unlisted = removed.ok ? await table.writeAll([], over) : removed;
  return unlisted.ok ? ok(over.length === lists.length) : unlisted;
}

/** What the keys of a term's rows start with: in every scope, or in one. */
export function toTermPrefix(term: string, scope?: string): string {
  return scope === undefined ? `TERM#${term}#` : `TERM#${term}#${scope}#`;
}

/** The document, its scope, the term and the write that a row of the index is of. */
export function readTermKey(sortKey: string): {
  readonly term: string;
  readonly scope: string;
  readonly rank: string;
  readonly id: string;
  readonly write: string;
} {
  const [, term = '', scope = '', rank = '', id = '', write = ''] = sortKey.split('#');
  return { term, scope, rank, id, write };
}

/** The key of the list of a version's rows. */
export function toListKey(document: Document, write: string): RowKey {
  return { pk: partitionOf(document), sk: `${toListPrefix(document.id)}${write}` };
}

/** The entries of a list; none of no list. */
export function fromListRow(row: Row | undefined): readonly IndexEntry[] {
  const bytes = row?.['bytes']?.B;
  if (bytes === undefined) return [];
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: our own writing, under a key that nothing else writes
  return JSON.parse(gunzipSync(bytes).toString('utf8')) as readonly IndexEntry[];
}

function toTermRow(document: Document, entry: IndexEntry, { count, positions }: Term): Row {
  const { pk, sk } = toTermKey(document, entry);
  return {
    pk: { S: pk },
    sk: { S: sk },
    n: { N: String(count) },
    at: { S: positions.join(' ') },
    ...toExpiry(document),
  };
}

/** The key of one row. */
export function toTermKey(document: Document, { term, rank, write }: IndexEntry): RowKey {
  const scope = toScope(document.scope.scopeFilters);
  return { pk: partitionOf(document), sk: `${toTermPrefix(term, scope)}${rank}#${document.id}#${write}` };
}

function toListRow(
  document: Document,
  { write, nowSeconds }: { readonly write: string; readonly nowSeconds: number },
  entries: readonly IndexEntry[],
): Row {
  const { pk, sk } = toListKey(document, write);
  const bytes = gzipSync(JSON.stringify(entries));
  const since = { N: String(nowSeconds) };
  return { pk: { S: pk }, sk: { S: sk }, bytes: { B: bytes }, since, ...toExpiry(document) };
}

function toListPrefix(id: string): string {
  return `INDEX#${id}#`;
}

function partitionOf({ scope }: Document): string {
  return toPartition(scope.orgId, scope.namespace);
}

function digestOf({ count, positions }: Term): string {
  return shortHash(`${count} ${positions.join(' ')}`).slice(0, 8);
}
