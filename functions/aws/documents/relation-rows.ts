import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { ContextCaller } from '../../core/documents/ports.ts';
import { findDefinition, type NewRelation, type Relation } from '../../core/documents/relation.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { findHeads } from './heads.ts';
import { digestFilters } from './relation-edges.ts';
import { type DocumentHead, fromHeadRow, number, text, toHeadKey } from './rows.ts';

const RELATION_PREFIX = 'REL#';

/** A relation and the row that it is. */
export type StoredRelation = { readonly relation: Relation; readonly row: Row };

/** The relations without their rows. */
export function toRelations(stored: readonly StoredRelation[]): readonly Relation[] {
  return stored.map(({ relation }) => relation);
}

/** The two documents of a relation. */
export type Ends = { readonly from: DocumentHead; readonly to: DocumentHead };

/** The key of the row that a relation is. */
export function toRelationKey(pk: string, id: string): RowKey {
  return { pk, sk: `${RELATION_PREFIX}${id}` };
}

/** The key of a row. */
export function keyOf(row: Row): RowKey {
  return { pk: text(row, 'pk'), sk: text(row, 'sk') };
}

/** Did the same write put both rows? */
export function isSameWrite(one: Row, other: Row): boolean {
  return one['write']?.S === other['write']?.S;
}

/** A relation as a row. It is one of these documents, and not of others that get their ids. */
export function toRelationRow(pk: string, relation: Relation, write: string, { from, to }: Ends): Row {
  const sk = toRelationKey(pk, relation.id).sk;
  return {
    pk: { S: pk },
    sk: { S: sk },
    definition: { S: relation.definition.name },
    from_id: { S: relation.fromId },
    to_id: { S: relation.toId },
    ...Object.fromEntries(NOTES.map(({ name, attribute }) => [attribute, toText(relation[name])])),
    created_at: { N: String(relation.createdAtSeconds) },
    from_filters: toDigests(from),
    to_filters: toDigests(to),
    write: { S: write },
    ...(from.incarnation === undefined ? {} : { from_incarnation: { S: from.incarnation } }),
    ...(to.incarnation === undefined ? {} : { to_incarnation: { S: to.incarnation } }),
  };
}

/**
 * The notes of a relation, in which attribute each is, and in which the write is that changed it last. Rows whose notes nobody changed since they
 * were made have no such.
 */
export const NOTES = [
  { name: 'fromToNote', attribute: 'from_to_note', revision: 'from_to_revision' },
  { name: 'toFromNote', attribute: 'to_from_note', revision: 'to_from_revision' },
] as const;

/** A note as attributes of its relation, as this write changes it. */
export function toChangedNote(
  { attribute, revision }: (typeof NOTES)[number],
  note: string | null,
  write: string,
): Row {
  return { [attribute]: toText(note), [revision]: { S: write } };
}

/** What tells a document's filters, for the rows that lead to it. */
function toDigests({ document }: DocumentHead): AttributeValue {
  return { L: digestFilters(document.scope.scopeFilters).map((digest) => ({ S: digest })) };
}

function toText(note: string | null): AttributeValue {
  return note === null ? { NULL: true } : { S: note };
}

/** @throws TypeError where the row is not one that {@link toRelationRow} wrote */
export function fromRelationRow(row: Row): Relation {
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

/**
 * Is a relation one of this document, and not of another that has or had its id? Heads of an earlier version do not say which they are, and no
 * more do the relations of theirs.
 */
export function isOf(row: Row, { document, incarnation }: DocumentHead): boolean {
  const end = text(row, 'from_id') === document.id ? row['from_incarnation'] : row['to_incarnation'];
  return end?.S === incarnation;
}

/** The keys of the heads of a relation's documents. */
export function headKeys(row: Row): readonly RowKey[] {
  const { fromId, toId } = fromRelationRow(row);
  return [fromId, toId].map((id) => toHeadKey(text(row, 'pk'), id));
}

/** Is a relation one of both of these heads? */
export function isOfAll(row: Row, heads: readonly (Row | undefined)[]): boolean {
  return heads.every((head) => head !== undefined && isOf(row, fromHeadRow(head)));
}

/** Both documents, where the caller sees them. */
export async function findEnds(
  table: ContextTable,
  caller: ContextCaller,
  { fromId, toId }: NewRelation,
): Promise<Result<Ends | undefined, Unavailable>> {
  const heads = await findHeads(table, caller, [fromId, toId]);
  if (!heads.ok) return heads;
  const from = heads.value.get(fromId);
  const to = heads.value.get(toId);
  return ok(from === undefined || to === undefined ? undefined : { from, to });
}
