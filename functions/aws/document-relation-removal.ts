import type { Unavailable } from '../core/ports.ts';
import type { Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { edgesFrom, farKey, relationIdOf, toEdgeRows } from './document-relation-edges.ts';
import { isOf, toRelationKey } from './document-relation-rows.ts';
import { type DocumentHead, text } from './document-rows.ts';

/** Removes relations as they were read, what counts first; one that was made again since stays. */
export async function removeRelations(
  table: ContextTable,
  rows: readonly Row[],
): Promise<Result<void, Unavailable>> {
  const removed = await table.removeAsRead(rows);
  return removed.ok ? table.removeAsRead(rows.flatMap(toEdgeRows)) : removed;
}

/**
 * Removes the relations of a document that is gone, and what led to such from both ends. A relation is put before the rows that lead to it, so
 * where one of these leads to nothing, its relation was removed. What leads from the document goes last: by that the rest is found again.
 */
export async function removeRelationsOf(
  table: ContextTable,
  pk: string,
  head: DocumentHead,
): Promise<Result<void, Unavailable>> {
  const near = await edgesFrom(table, pk, head.document.id);
  if (!near.ok) return near;
  const far = await table.getAll(near.value.map(farKey).filter((key) => key !== undefined));
  if (!far.ok) return far;
  const found = await table.getAll(near.value.map((edge) => toRelationKey(pk, relationIdOf(edge))));
  if (!found.ok) return found;
  const rows = found.value.filter((row) => row !== undefined);
  const stay = new Set(rows.filter((row) => !isOf(row, head)).map((row) => relationIdOf(row)));
  const gone = rows.filter((row) => isOf(row, head));
  const removed = await table.removeAsRead(gone);
  if (!removed.ok) return removed;
  const isLoose = (edge: Row): boolean => !stay.has(relationIdOf(edge));
  const read = far.value.filter((edge) => edge !== undefined);
  // Rows of an earlier version do not say what is at their other end, but the relation does.
  const known = new Set([...near.value, ...read].map((edge) => text(edge, 'sk')));
  const unknown = gone.flatMap(toEdgeRows).filter((edge) => !known.has(text(edge, 'sk')));
  const unled = await table.removeAsRead([...read.filter(isLoose), ...unknown]);
  return unled.ok ? table.removeAsRead(near.value.filter(isLoose)) : unled;
}
