import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row, RowKey } from './context-table.ts';
import { sweepNotes } from './document-note-sweep.ts';
import { keyOf, removeRelations, toEdgeRows } from './document-relation-rows.ts';
import { text } from './document-rows.ts';

/** What the sort keys of notes start with. */
const NOTE_PREFIX = 'RELATING#';

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
  return sweepNotes(table, { pk, prefix: NOTE_PREFIX, nowSeconds }, async (note) => {
    const row = { ...note, sk: { S: text(note, 'relation') } };
    const edges = await table.getAll(toEdgeRows(row).map(keyOf));
    if (!edges.ok) return edges;
    // What leads to it at both ends is whole: somebody may rely on it by now. Else it goes as this write made it.
    return edges.value.includes(undefined) ? removeRelations(table, [row]) : ok(undefined);
  });
}

function toNoteKey(row: Row): RowKey {
  const { pk, sk } = keyOf(row);
  return { pk, sk: `${NOTE_PREFIX}${sk.slice(sk.indexOf('#') + 1)}#${text(row, 'write')}` };
}
