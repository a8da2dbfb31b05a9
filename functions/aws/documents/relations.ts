import type { ContextCaller, NotFound, ReadOnly, RelationStore } from '../../core/documents/ports.ts';
import { type NewRelation, type RelationNotes, toRelationId } from '../../core/documents/relation.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { newWrite } from './content.ts';
import { edgeKeys } from './relation-edges.ts';
import { noteUnrelating } from './relation-notes.ts';
import { eachOf, readRelations } from './relation-reads.ts';
import { removeRelations } from './relation-removal.ts';
import {
  findEnds,
  fromRelationRow,
  isOf,
  keyOf,
  NOTES,
  type StoredRelation,
  toChangedNote,
  toRelationKey,
  toRelations,
} from './relation-rows.ts';
import { toPartition } from './rows.ts';

const NOT_FOUND: { readonly ok: false; readonly error: NotFound } = err({ reason: 'not_found' });

/** The relations of documents, as far as the caller sees both ends. */
export async function relationsOf(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): ReturnType<RelationStore['relationsOf']> {
  const seen = await seenRelations(table, caller, ids);
  return seen.ok ? ok(eachOf(seen.value, toRelations)) : seen;
}

/** The same, with the rows that they are. */
export async function seenRelations(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): Promise<Result<ReadonlyMap<string, readonly StoredRelation[]>, Unavailable>> {
  const found = await readRelations(table, caller, ids);
  return found.ok ? ok(eachOf(found.value, ({ stored }) => stored)) : found;
}

/**
 * Changes what is noted at a relation, and nothing of a note that is not given. Of two that change the same note at once either may be the
 * later one, but each is done once: the client repeats what is not answered.
 */
export async function annotate(
  table: ContextTable,
  caller: ContextCaller,
  relationId: string,
  notes: Partial<RelationNotes>,
): ReturnType<RelationStore['annotate']> {
  const found = await findRelation(table, caller, relationId);
  if (!found.ok) return found;
  const revision = newWrite();
  let { row } = found.value;
  let left = NOTES.filter(({ name }) => notes[name] !== undefined);
  const done = () => ok({ ...fromRelationRow(row), ...notes });
  // Each time that it is not done, somebody has changed one of them.
  for (let attempt = 0; attempt <= NOTES.length; attempt += 1) {
    if (left.length === 0) return done();
    const changes = left.map((note) =>
      Object.entries(toChangedNote(note, notes[note.name] ?? null, revision)),
    );
    const set = Object.fromEntries(changes.flat());
    const put = await table.setAsRead(
      row,
      set,
      left.map((note) => note.revision),
    );
    if (!put.ok || put.value) return put.ok ? done() : put;
    const standing = await table.get(keyOf(row));
    if (!standing.ok) return standing;
    if (standing.value?.['write']?.S !== row['write']?.S || standing.value === undefined) return NOT_FOUND;
    const before = row;
    row = standing.value;
    if (left.some((note) => row[note.revision]?.S === revision)) return done();
    // What somebody else has noted meanwhile is the later one.
    left = left.filter((note) => row[note.revision]?.S === before[note.revision]?.S);
  }
  return err({
    reason: 'unavailable',
    detail: 'context table: the notes of a relation did not come to rest',
  });
}

/** Takes a relation away, in both directions. It is noted first: who dies meanwhile leaves what the next relate an hour later removes. */
export async function unrelate(
  table: ContextTable,
  caller: ContextCaller,
  [relationId, nowSeconds]: readonly [string, number],
): ReturnType<RelationStore['unrelate']> {
  const found = await findRelation(table, caller, relationId);
  if (!found.ok) return found;
  const { row } = found.value;
  const note = await noteUnrelating(table, row, nowSeconds);
  if (!note.ok) return note;
  const removed = await removeWhole(table, row);
  // It is gone: what cannot be cleared away now is found by the next relate.
  if (removed.ok) await table.delete(note.value);
  return removed;
}

async function removeWhole(table: ContextTable, row: Row): Promise<Result<void, Unavailable>> {
  const removed = await removeRelations(table, [row]);
  if (!removed.ok) return removed;
  // Who made one of these before and lost may have put what leads to it last, and died.
  const led = await table.getAll(edgeKeys(row));
  if (!led.ok || led.value.every((edge) => edge === undefined)) return led.ok ? removed : led;
  const again = await table.get(keyOf(row));
  if (!again.ok || again.value !== undefined) return again.ok ? removed : again;
  return table.removeAsRead(led.value.filter((edge) => edge !== undefined));
}

/** Does the relation that stands between these documents say the same? Not where none stands: then there are too many others. */
export async function standingRelation(
  table: ContextTable,
  caller: ContextCaller,
  relation: NewRelation,
): Promise<Result<{ readonly id: string; readonly isSame: boolean }, Unavailable>> {
  const id = toRelationId(relation);
  const found = await findRelation(table, { ...caller, permissions: 'write' }, id);
  if (!found.ok) {
    return found.error.reason === 'unavailable' ? err(found.error) : ok({ id, isSame: false });
  }
  const { fromId, fromToNote, toFromNote } = found.value.relation;
  const isSame =
    fromId === relation.fromId && fromToNote === relation.fromToNote && toFromNote === relation.toFromNote;
  return ok({ id, isSame });
}

/** A relation that the caller sees both ends of, and may change. */
async function findRelation(
  table: ContextTable,
  caller: ContextCaller,
  relationId: string,
): Promise<Result<StoredRelation, NotFound | ReadOnly | Unavailable>> {
  const row = await table.get(toRelationKey(toPartition(caller.orgId, caller.namespace), relationId));
  if (!row.ok || row.value === undefined) return row.ok ? NOT_FOUND : row;
  const relation = fromRelationRow(row.value);
  const ends = await findEnds(table, caller, relation);
  if (!ends.ok) return ends;
  if (ends.value === undefined) return NOT_FOUND;
  const { from, to } = ends.value;
  if (!isOf(row.value, from) || !isOf(row.value, to)) return NOT_FOUND;
  // Where nothing leads to it, who made it died or is about to.
  const edges = await table.getAll(edgeKeys(row.value));
  if (!edges.ok) return edges;
  if (edges.value.includes(undefined)) return NOT_FOUND;
  return caller.permissions === 'write' ? ok({ relation, row: row.value }) : err({ reason: 'read_only' });
}
