import type { ContextCaller, NotFound, ReadOnly, RelationStore } from '../core/documents/ports.ts';
import {
  type NewRelation,
  type Relation,
  type RelationNotes,
  toRelationId,
} from '../core/documents/relation.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable } from './context-table.ts';
import { findHeads } from './document-heads.ts';
import {
  findEnds,
  fromRelationRow,
  isOf,
  keyOf,
  removeRelations,
  type StoredRelation,
  storedRelations,
  toEdgeRows,
  toNotes,
  toRelationKey,
} from './document-relation-rows.ts';
import { toPartition } from './document-rows.ts';

const NOT_FOUND: { readonly ok: false; readonly error: NotFound } = err({ reason: 'not_found' });

/** The relations of documents, as far as the caller sees both ends. */
export async function relationsOf(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): ReturnType<RelationStore['relationsOf']> {
  const pk = toPartition(caller.orgId, caller.namespace);
  const found = new Map<string, readonly Relation[]>();
  const heads = await findHeads(table, caller, ids);
  if (!heads.ok) return heads;
  for (const id of heads.value.keys()) {
    const stored = await storedRelations(table, pk, id);
    if (!stored.ok) return stored;
    const others = await findHeads(
      table,
      caller,
      stored.value.flatMap(({ relation }) => [relation.fromId, relation.toId]),
    );
    if (!others.ok) return others;
    const seen = stored.value.filter(({ relation, row }) =>
      [relation.fromId, relation.toId].every((end) => {
        const head = others.value.get(end);
        return head !== undefined && isOf(row, head);
      }),
    );
    found.set(
      id,
      seen
        .map(({ relation }) => relation)
        .toSorted((one, other) => one.createdAtSeconds - other.createdAtSeconds),
    );
  }
  return ok(found);
}

/** Changes what is noted at a relation. */
export async function annotate(
  table: ContextTable,
  caller: ContextCaller,
  relationId: string,
  notes: Partial<RelationNotes>,
): ReturnType<RelationStore['annotate']> {
  const found = await findRelation(table, caller, relationId);
  if (!found.ok) return found;
  const { relation, row } = found.value;
  const next = { ...relation, ...notes };
  const put = await table.putInstead({ ...row, ...toNotes(next) }, row);
  if (!put.ok) return put;
  return put.value ? ok(next) : NOT_FOUND;
}

/** Takes a relation away, in both directions. */
export async function unrelate(
  table: ContextTable,
  caller: ContextCaller,
  relationId: string,
): ReturnType<RelationStore['unrelate']> {
  const found = await findRelation(table, caller, relationId);
  return found.ok ? removeRelations(table, [found.value.row]) : found;
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
  const edges = await table.getAll(toEdgeRows(row.value).map(keyOf));
  if (!edges.ok) return edges;
  if (edges.value.includes(undefined)) return NOT_FOUND;
  return caller.permissions === 'write' ? ok({ relation, row: row.value }) : err({ reason: 'read_only' });
}
