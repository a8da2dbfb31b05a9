import type { ContextCaller } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import type { Result } from '../../core/result.ts';
import type { ScopeFilters } from '../../core/visibility.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { number, text } from './rows.ts';
import { shortHash } from './scopes.ts';

/** As many as one query of DynamoDB gives: it ends at 1 MB. */
const EDGES_PER_LOOK = 10_000;

/** Where a relation is among those of a document. */
export type Place = {
  readonly relationId: string;
  readonly createdAtSeconds: number;
};

/**
 * What a row says that leads from a document to a relation: enough to know in which order the relations are, and which of them the caller cannot
 * see. Rows of an earlier version say neither: they come first, and the relation has to be looked at.
 */
export type Edge = Place & {
  /** Does the caller see the document at the other end, as far as the row says? False where it says nothing. */
  readonly isVisible: boolean;
};

/** What the keys of all rows start with that lead from a document to its relations. */
export function toEdgePrefix(id: string): string {
  return `EDGE#${id}#`;
}

/** The key of the row that leads from a document to one of its relations. */
export function toEdgeKey(pk: string, id: string, relationId: string): RowKey {
  return { pk, sk: `${toEdgePrefix(id)}${relationId}` };
}

/** The keys of the rows that lead from both documents to a relation. */
export function edgeKeys(row: Row): readonly [from: RowKey, to: RowKey] {
  const pk = text(row, 'pk');
  const id = relationIdOf(row);
  return [toEdgeKey(pk, text(row, 'from_id'), id), toEdgeKey(pk, text(row, 'to_id'), id)];
}

/** The rows that lead from both documents to a relation. They say which write made it, and what is at their other end. */
export function toEdgeRows(row: Row): readonly Row[] {
  const { write, created_at, expires_at, from_id, to_id, from_filters, to_filters } = row;
  const [from, to] = edgeKeys(row);
  return [
    { key: from, other: to_id, filters: to_filters },
    { key: to, other: from_id, filters: from_filters },
  ].map(({ key, other, filters }) => ({
    pk: { S: key.pk },
    sk: { S: key.sk },
    ...(other === undefined ? {} : { other }),
    ...(filters === undefined ? {} : { filters }),
    ...(created_at === undefined ? {} : { created_at }),
    ...(write === undefined ? {} : { write }),
    ...(expires_at === undefined ? {} : { expires_at }),
  }));
}

/** The row that leads to the same relation from its other end; undefined where an earlier version put the row. */
export function farKey(edge: Row): RowKey | undefined {
  const other = edge['other']?.S;
  return other === undefined ? undefined : toEdgeKey(text(edge, 'pk'), other, relationIdOf(edge));
}

/** The relation that a row leads to, or is. */
export function relationIdOf(row: Row): string {
  const sk = text(row, 'sk');
  return sk.slice(sk.lastIndexOf('#') + 1);
}

/** All rows that lead from a document to relations, whoever may see those. */
export function edgesFrom(
  table: ContextTable,
  pk: string,
  id: string,
): Promise<Result<readonly Row[], Unavailable>> {
  return table.all(pk, toEdgePrefix(id), EDGES_PER_LOOK);
}

/**
 * Of these rows those that lead to what the caller may see, oldest relation first: what its filters hide is not even looked at, so that
 * nobody pays for it. The heads of the documents decide.
 */
export function edgesFor(caller: ContextCaller, rows: readonly Row[]): readonly Edge[] {
  const wanted = digestFilters(caller.scopeFilters);
  return rows
    .filter((row) => {
      const filters = row['filters']?.L?.map(({ S }) => S);
      return (
        filters === undefined || filters.length === 0 || wanted.every((digest) => filters.includes(digest))
      );
    })
    .map((row) => ({
      relationId: relationIdOf(row),
      createdAtSeconds: row['created_at'] === undefined ? 0 : number(row, 'created_at'),
      // Who has no filters sees whatever is in the namespace.
      isVisible: wanted.length === 0 || row['filters'] !== undefined,
    }))
    .toSorted(byAge);
}

/** Oldest first, and of the same age by id. */
export function byAge(one: Place, other: Place): number {
  if (one.createdAtSeconds !== other.createdAtSeconds) return one.createdAtSeconds - other.createdAtSeconds;
  return one.relationId < other.relationId ? -1 : Number(one.relationId > other.relationId);
}

/** A document's filters, each as short as any: a row of a relation may have those of many names and long values. */
export function digestFilters(filters: ScopeFilters): readonly string[] {
  return Array.from(filters, (filter) => shortHash(JSON.stringify(filter)));
}
