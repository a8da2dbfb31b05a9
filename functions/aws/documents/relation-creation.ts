import type { ContextCaller, NotFound, RelationConflict, RelationStore } from '../../core/documents/ports.ts';
import {
  MAX_RELATIONS,
  type NewRelation,
  type Relation,
  toRelationId,
} from '../../core/documents/relation.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { newWrite } from './content.ts';
import { edgeKeys, edgesFor, edgesFrom, relationIdOf, toEdgeRows } from './relation-edges.ts';
import { forgetRelation, noteRelation, sweepRelations } from './relation-notes.ts';
import { removeRelations } from './relation-removal.ts';
import {
  type Ends,
  findEnds,
  headKeys,
  isOf,
  isOfAll,
  isSameWrite,
  keyOf,
  toRelationRow,
} from './relation-rows.ts';
import { relationsOf } from './relations.ts';
import { toExpiry, toPartition } from './rows.ts';

/** Most relations of one document that are stored, whoever sees them: one that may see all has to be able to read them. */
export const MAX_STORED_RELATIONS = 10 * MAX_RELATIONS;

/** Looks at a relation that others make and remove at the same time. */
const ATTEMPTS = 5;

const NOT_FOUND: { readonly ok: false; readonly error: NotFound } = err({ reason: 'not_found' });

/**
 * Relates two documents: the relation first, then a row under each of them that leads to it. A process that dies in between leaves one that is
 * not there for anybody; the same relation made again takes its place, or another one removes it an hour later. An archived relation was made
 * at another time than that of the clock, and may be one of `most` that several callers made.
 */
export async function relate(
  table: ContextTable,
  caller: ContextCaller,
  relation: NewRelation,
  {
    clockSeconds,
    createdAtSeconds = clockSeconds,
    most = MAX_RELATIONS,
  }: { readonly clockSeconds: number; readonly createdAtSeconds?: number; readonly most?: number },
): ReturnType<RelationStore['relate']> {
  const ends = await findEnds(table, caller, relation);
  if (!ends.ok) return ends;
  if (ends.value === undefined) return NOT_FOUND;
  if (caller.permissions !== 'write') return err({ reason: 'read_only' });
  const made: Relation = { ...relation, id: toRelationId(relation), createdAtSeconds };
  const pk = toPartition(caller.orgId, caller.namespace);
  for (const id of [relation.fromId, relation.toId]) {
    const full = await isFull(table, caller, id, { besides: made.id, most });
    if (!full.ok) return full;
    if (full.value) return err({ reason: 'relation_conflict', cause: 'too_many' });
  }
  const row = { ...toRelationRow(pk, made, newWrite(), ends.value), ...earlierExpiry(ends.value) };
  const noted = await noteRelation(table, row, clockSeconds);
  if (!noted.ok) return noted;
  const put = await putRelation(table, row, ends.value);
  const led = put.ok ? await leadTo(table, row) : put;
  if (!led.ok && led.error.reason === 'unavailable') return led;
  // It is there or it is not: what cannot be cleared away now is found by the next relate.
  await forgetRelation(table, row);
  await sweepRelations(table, pk, clockSeconds);
  return led.ok ? ok(made) : led;
}

/**
 * Has a document as many relations as it may besides this one? Those count that the caller sees: what it is told says nothing of others. Only
 * where there may be so many are they looked at one by one.
 */
async function isFull(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
  { besides, most }: { readonly besides: string; readonly most: number },
): Promise<Result<boolean, Unavailable>> {
  const pk = toPartition(caller.orgId, caller.namespace);
  const edges = await edgesFrom(table, pk, id);
  if (!edges.ok) return edges;
  const others = edges.value.filter((edge) => relationIdOf(edge) !== besides);
  if (others.length >= MAX_STORED_RELATIONS) return ok(true);
  if (edgesFor(caller, others).length < most) return ok(false);
  const seen = await relationsOf(table, caller, [id]);
  if (!seen.ok) return seen;
  return ok((seen.value.get(id) ?? []).filter((one) => one.id !== besides).length >= most);
}

/**
 * Puts a relation where none is, or one of documents that are gone, or one that nothing leads to: whoever made that died, or is about to find
 * this one in its place.
 */
async function putRelation(
  table: ContextTable,
  row: Row,
  { from, to }: Ends,
): Promise<Result<void, NotFound | RelationConflict | Unavailable>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const put = await table.putNew(row);
    if (!put.ok || put.value) return put.ok ? ok(undefined) : put;
    const standing = await table.get(keyOf(row));
    if (!standing.ok) return standing;
    if (standing.value === undefined) continue;
    // The client repeats a put whose answer was lost: then the relation that stands is this one.
    if (isSameWrite(standing.value, row)) return ok(undefined);
    if (isOf(standing.value, from) && isOf(standing.value, to)) {
      const edges = await table.getAll(edgeKeys(row));
      if (!edges.ok) return edges;
      if (!edges.value.includes(undefined)) return err({ reason: 'relation_conflict', cause: 'exists' });
    }
    // Where it is not one of these documents, which of the two went: its, or these?
    const heads = await table.getAll(headKeys(row));
    if (!heads.ok) return heads;
    if (!isOfAll(row, heads.value)) return NOT_FOUND;
    const replaced = await table.putInstead(row, standing.value);
    if (!replaced.ok || replaced.value) return replaced.ok ? ok(undefined) : replaced;
  }
  return err({ reason: 'unavailable', detail: 'context table: a relation did not come to rest' });
}

/**
 * Puts the rows that lead to a relation, and takes it back where one of its documents went meanwhile: whoever deletes a document removes its
 * head first, and then what leads from it.
 */
async function leadTo(
  table: ContextTable,
  made: Row,
): Promise<Result<void, NotFound | RelationConflict | Unavailable>> {
  let row = made;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const put = await table.writeAll(toEdgeRows(row), []);
    if (!put.ok) return put;
    const found = await table.getAll([keyOf(row), ...headKeys(row)]);
    if (!found.ok) return found;
    const [standing, ...heads] = found.value;
    if (!isOfAll(row, heads)) {
      const removed = await removeRelations(table, [row]);
      return removed.ok ? NOT_FOUND : removed;
    }
    // Somebody saw it already, and took it away.
    if (standing === undefined) return table.removeAsRead(toEdgeRows(row));
    if (isSameWrite(standing, row)) {
      return row === made ? ok(undefined) : err({ reason: 'relation_conflict', cause: 'exists' });
    }
    row = standing;
  }
  return err({ reason: 'unavailable', detail: 'context table: a relation did not come to rest' });
}

/** A relation goes with the first of its documents. */
function earlierExpiry({ from, to }: Ends): Row {
  const ends = [from, to].map(({ document }) => document.expiresAtSeconds).filter((one) => one !== null);
  return toExpiry({ expiresAtSeconds: ends.length === 0 ? null : Math.min(...ends) });
}
