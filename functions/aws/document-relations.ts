import type { ContextCaller, NotFound, ReadOnly, RelationStore } from '../core/documents/ports.ts';
import {
  findDefinition,
  MAX_RELATIONS,
  type NewRelation,
  type Relation,
  type RelationNotes,
  toRelationId,
} from '../core/documents/relation.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable, Row, RowKey } from './context-table.ts';
import { newWrite } from './document-content.ts';
import { findHeads } from './document-heads.ts';
import { number, text, toExpiry, toPartition } from './document-rows.ts';

const RELATION_PREFIX = 'REL#';

const NOT_FOUND: { readonly ok: false; readonly error: NotFound } = err({ reason: 'not_found' });

/**
 * Relates two documents: a row under each of them first, then the relation, which is what counts. A process that dies in between leaves rows
 * that lead to nothing; the same relation made again finds them in place.
 */
export async function relate(
  table: ContextTable,
  caller: ContextCaller,
  relation: NewRelation,
  nowSeconds: number,
): ReturnType<RelationStore['relate']> {
  const { fromId, toId } = relation;
  const heads = await findHeads(table, caller, [fromId, toId]);
  if (!heads.ok) return heads;
  const from = heads.value.get(fromId)?.document;
  const to = heads.value.get(toId)?.document;
  if (from === undefined || to === undefined) return NOT_FOUND;
  if (caller.permissions !== 'write') return err({ reason: 'read_only' });
  const made: Relation = { ...relation, id: toRelationId(relation), createdAtSeconds: nowSeconds };
  const pk = toPartition(caller.orgId, caller.namespace);
  for (const id of [fromId, toId]) {
    const edges = await table.keys(pk, toEdgePrefix(id));
    if (!edges.ok) return edges;
    const others = edges.value.filter(({ sk }) => sk !== toEdgeKey(pk, id, made.id).sk);
    if (others.length >= MAX_RELATIONS) return err({ reason: 'relation_conflict', cause: 'too_many' });
  }
  const ends = [from.expiresAtSeconds, to.expiresAtSeconds].filter((one) => one !== null);
  const expiry = toExpiry({ expiresAtSeconds: ends.length === 0 ? null : Math.min(...ends) });
  const edges = [fromId, toId].map((id) => ({ ...toKeyRow(toEdgeKey(pk, id, made.id)), ...expiry }));
  const written = await table.writeAll(edges, []);
  if (!written.ok) return written;
  const write = newWrite();
  const put = await table.putNew({ ...toRelationRow(pk, made, write), ...expiry });
  if (!put.ok) return put;
  if (put.value) return ok(made);
  const standing = await table.get(toRelationKey(pk, made.id));
  if (!standing.ok) return standing;
  // The client repeats a put whose answer was lost: then the relation that stands is this one.
  if (standing.value?.['write']?.S === write) return ok(made);
  return err({ reason: 'relation_conflict', cause: 'exists' });
}

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
    const relations = await storedRelations(table, pk, id);
    if (!relations.ok) return relations;
    const others = await findHeads(
      table,
      caller,
      relations.value.flatMap(({ fromId, toId }) => [fromId, toId]),
    );
    if (!others.ok) return others;
    const seen = relations.value.filter(
      ({ fromId, toId }) => others.value.has(fromId) && others.value.has(toId),
    );
    found.set(
      id,
      seen.toSorted((one, other) => one.createdAtSeconds - other.createdAtSeconds),
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
  const pk = toPartition(caller.orgId, caller.namespace);
  const write = newWrite();
  const put = await table.putOver({ ...row, ...toRelationRow(pk, next, write) });
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
  if (!found.ok) return found;
  return removeRelations(table, toPartition(caller.orgId, caller.namespace), [found.value.relation]);
}

/** Does the relation that stands between these documents say the same? Not where none stands: then there are too many others. */
export async function standingRelation(
  table: ContextTable,
  caller: ContextCaller,
  relation: NewRelation,
): Promise<Result<{ readonly id: string; readonly isSame: boolean }, Unavailable>> {
  const id = toRelationId(relation);
  const row = await table.get(toRelationKey(toPartition(caller.orgId, caller.namespace), id));
  if (!row.ok) return row;
  if (row.value === undefined) return ok({ id, isSame: false });
  const { fromId, fromToNote, toFromNote } = fromRelationRow(row.value);
  const isSame =
    fromId === relation.fromId && fromToNote === relation.fromToNote && toFromNote === relation.toFromNote;
  return ok({ id, isSame });
}

/** Every relation that is stored under a document, whoever may see it. */
export async function storedRelations(
  table: ContextTable,
  pk: string,
  id: string,
): Promise<Result<readonly Relation[], Unavailable>> {
  const prefix = toEdgePrefix(id);
  const edges = await table.keys(pk, prefix);
  if (!edges.ok) return edges;
  const rows = await table.getAll(edges.value.map(({ sk }) => toRelationKey(pk, sk.slice(prefix.length))));
  if (!rows.ok) return rows;
  return ok(rows.value.flatMap((row) => (row === undefined ? [] : [fromRelationRow(row)])));
}

/** Removes relations, what counts first. */
export async function removeRelations(
  table: ContextTable,
  pk: string,
  relations: readonly Relation[],
): Promise<Result<void, Unavailable>> {
  const removed = await table.writeAll(
    [],
    relations.map(({ id }) => toRelationKey(pk, id)),
  );
  if (!removed.ok) return removed;
  const edges = relations.flatMap(({ id, fromId, toId }) => [
    toEdgeKey(pk, fromId, id),
    toEdgeKey(pk, toId, id),
  ]);
  return table.writeAll([], edges);
}

/** A relation that the caller sees both ends of, and may change. */
async function findRelation(
  table: ContextTable,
  caller: ContextCaller,
  relationId: string,
): Promise<Result<{ readonly relation: Relation; readonly row: Row }, NotFound | ReadOnly | Unavailable>> {
  const row = await table.get(toRelationKey(toPartition(caller.orgId, caller.namespace), relationId));
  if (!row.ok || row.value === undefined) return row.ok ? NOT_FOUND : row;
  const relation = fromRelationRow(row.value);
  const heads = await findHeads(table, caller, [relation.fromId, relation.toId]);
  if (!heads.ok) return heads;
  if (heads.value.size < 2) return NOT_FOUND;
  return caller.permissions === 'write' ? ok({ relation, row: row.value }) : err({ reason: 'read_only' });
}

function toRelationKey(pk: string, id: string): RowKey {
  return { pk, sk: `${RELATION_PREFIX}${id}` };
}

/** What the keys of all rows start with that lead from a document to its relations. */
export function toEdgePrefix(id: string): string {
  return `EDGE#${id}#`;
}

function toEdgeKey(pk: string, id: string, relationId: string): RowKey {
  return { pk, sk: `${toEdgePrefix(id)}${relationId}` };
}

function toKeyRow({ pk, sk }: RowKey): Row {
  return { pk: { S: pk }, sk: { S: sk } };
}

function toRelationRow(pk: string, relation: Relation, write: string): Row {
  const { fromToNote, toFromNote } = relation;
  return {
    ...toKeyRow(toRelationKey(pk, relation.id)),
    definition: { S: relation.definition.name },
    from_id: { S: relation.fromId },
    to_id: { S: relation.toId },
    from_to_note: fromToNote === null ? { NULL: true } : { S: fromToNote },
    to_from_note: toFromNote === null ? { NULL: true } : { S: toFromNote },
    created_at: { N: String(relation.createdAtSeconds) },
    write: { S: write },
  };
}

function fromRelationRow(row: Row): Relation {
  const definition = findDefinition(text(row, 'definition'));
  if (definition === undefined) throw new TypeError('stored row has an unknown `definition`');
  return {
    id: text(row, 'sk').slice(RELATION_PREFIX.length),
    definition,
    fromId: text(row, 'from_id'),
    toId: text(row, 'to_id'),
    fromToNote: row['from_to_note']?.S ?? null,
    toFromNote: row['to_from_note']?.S ?? null,
    createdAtSeconds: number(row, 'created_at'),
  };
}
