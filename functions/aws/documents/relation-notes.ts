import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { newWrite } from './content.ts';
import { sweepNotes, toNote } from './note-sweep.ts';
import { relationIdOf, toEdgeRows } from './relation-edges.ts';
import { removeRelations } from './relation-removal.ts';
import { headKeys, isOfAll, isSameWrite, keyOf, NOTES } from './relation-rows.ts';
import { text } from './rows.ts';

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

/** Notes a relation that is about to be taken away, so that what leads to it is found where nobody comes to the end of it. Answers with the note's key. */
export async function noteUnrelating(
  table: ContextTable,
  row: Row,
  nowSeconds: number,
): Promise<Result<RowKey, Unavailable>> {
  const isNote = (name: string) => NOTES.some(({ attribute }) => attribute === name);
  const named = Object.fromEntries(Object.entries(row).filter(([name]) => !isNote(name)));
  // Each who takes it away has a note of its own, as has who makes it and may be at it still.
  const key = { pk: text(row, 'pk'), sk: `${RELATING_PREFIX}${relationIdOf(row)}#${newWrite()}` };
  const note = { ...toNote(named, key, nowSeconds), relation: { S: text(row, 'sk') } };
  const put = await table.put(note);
  return put.ok ? ok(key) : put;
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
    const led = others.slice(0, edges.length);
    const isWhole = !led.includes(undefined) && isOfAll(row, others.slice(edges.length));
    // What leads to it at both ends is whole: somebody may rely on it by now. Else it goes as this write made it.
    if (isSameWrite(standing, row)) return isWhole ? ok(undefined) : removeRelations(table, [row]);
    const own = led.filter((edge) => edge !== undefined).filter((edge) => isSameWrite(edge, row));
    return leadInstead(table, standing, own);
  });
}

/** Has what one write put under another one's relation lead to that. Where it goes meanwhile, what leads to it goes too. */
async function leadInstead(
  table: ContextTable,
  standing: Row,
  stale: readonly Row[],
): Promise<Result<void, Unavailable>> {
  const edges = toEdgeRows(standing);
  for (const one of stale) {
    const edge = edges.find(({ sk }) => sk?.S === one['sk']?.S);
    const put = edge === undefined ? ok(true) : await table.putInstead(edge, one);
    if (!put.ok) return put;
  }
  const again = await table.get(keyOf(standing));
  if (!again.ok) return again;
  const isThere = again.value !== undefined && isSameWrite(again.value, standing);
  return isThere ? ok(undefined) : table.removeAsRead(edges);
}

function toNoteKey(row: Row): RowKey {
  return { pk: text(row, 'pk'), sk: `${RELATING_PREFIX}${relationIdOf(row)}#${text(row, 'write')}` };
}
