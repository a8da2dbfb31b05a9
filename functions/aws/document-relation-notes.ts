import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row, RowKey } from './context-table.ts';
import { sweepNotes } from './document-note-sweep.ts';
import { headKeys, isOfAll, keyOf, removeRelations, toEdgeRows } from './document-relation-rows.ts';
import { text } from './document-rows.ts';

/** What the sort keys of notes of relations start with. */
export const RELATING_PREFIX = 'RELATING#';

/** Notes a relation that is about to be made, so that it is found where nobody comes to the end of it. */
export function noteRelation(
  table: ContextTable,
  row: Row,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const { pk, sk } = toNoteKey(row);
  return table.put({
    ...row,
    pk: { S: pk },
    sk: { S: sk },
    relation: { S: text(row, 'sk') },
    since: { N: String(nowSeconds) },
  });
}

/** Takes the note back: the relation is there as a whole, or nothing of it is. */
export function forgetRelation(table: ContextTable, row: Row): Promise<Result<void, Unavailable>> {
  return table.delete(toNoteKey(row));
}

/** Removes what whoever died while relating documents of this namespace left: some of it at a time. What cannot be removed now is found again. */
export function sweepRelations(
  table: ContextTable,
  pk: string,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  return sweepNotes(table, { pk, prefix: RELATING_PREFIX, nowSeconds }, async (note) => {
    const row = { ...note, sk: { S: text(note, 'relation') } };
    const edges = toEdgeRows(row);
    const found = await table.getAll([keyOf(row), ...edges.map(keyOf), ...headKeys(row)]);
    if (!found.ok) return found;
    const [standing, ...others] = found.value;
    // Somebody took it away, and what leads to it was put after that.
    if (standing === undefined) return table.removeAsRead(edges);
    const isWhole = !others.slice(0, edges.length).includes(undefined);
    // What leads to it at both ends is whole: somebody may rely on it by now. Else it goes as this write made it.
    return isWhole && isOfAll(row, others.slice(edges.length))
      ? ok(undefined)
      : removeRelations(table, [row]);
  });
}

function toNoteKey(row: Row): RowKey {
  const { pk, sk } = keyOf(row);
  return { pk, sk: `${RELATING_PREFIX}${sk.slice(sk.indexOf('#') + 1)}#${text(row, 'write')}` };
}
