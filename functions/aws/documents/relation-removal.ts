import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { lookAtAll } from './looks.ts';
import { edgesFrom, farKey, relationIdOf, toEdgePrefix, toEdgeRows } from './relation-edges.ts';
import { isOf, toRelationKey } from './relation-rows.ts';
import { type DocumentHead, text } from './rows.ts';

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
  const told = await tellOthers(table, near.value, gone);
  if (!told.ok) return told;
  const removed = await table.removeAsRead(gone);
  if (!removed.ok) return removed;
  const isLoose = (edge: Row): boolean => !stay.has(relationIdOf(edge));
  const read = [...near.value, ...far.value.filter((edge) => edge !== undefined)].filter(isLoose);
  // What the relation says of them too: rows of an earlier version do not say what is at their other end, and others may have been put right since.
  const led = new Map([...read, ...gone.flatMap(toEdgeRows)].map((edge) => [nameOf(edge), edge]));
  const isNear = (edge: Row): boolean => text(edge, 'sk').startsWith(toEdgePrefix(head.document.id));
  const unled = await table.removeAsRead([...led.values()].filter((edge) => !isNear(edge)));
  return unled.ok ? table.removeAsRead([...led.values()].filter(isNear)) : unled;
}

/**
 * Has what an earlier version put say what is at the other end, as these relations do: once they are removed, nothing else does to whoever comes
 * after one that died.
 */
async function tellOthers(
  table: ContextTable,
  near: readonly Row[],
  relations: readonly Row[],
): Promise<Result<void, Unavailable>> {
  const untold = near.filter((edge) => farKey(edge) === undefined);
  const whole = new Map(relations.flatMap(toEdgeRows).map((edge) => [text(edge, 'sk'), edge]));
  const led = await lookAtAll(
    untold.filter((edge) => whole.has(text(edge, 'sk'))),
    (edge) => table.putInstead(whole.get(text(edge, 'sk')) ?? edge, edge),
  );
  return led.ok ? ok(undefined) : led;
}

function nameOf(edge: Row): string {
  return `${text(edge, 'sk')} ${edge['write']?.S ?? ''}`;
}
