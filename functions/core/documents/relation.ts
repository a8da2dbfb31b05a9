import { ok, type Result } from '../result.ts';
import { type Document, isDocumentId, sha256 } from './document.ts';
import { type InvalidArgument, parseFields, refuse } from './input.ts';

/** A kind of relation. A cascading one takes the document at its far end along when the near one is deleted. */
export type RelationDefinition = {
  readonly name: 'parent-child' | 'related' | 'predecessor-successor';
  readonly description: string;
  readonly from_role: string;
  readonly to_role: string;
  readonly cascade_delete: boolean;
};

/** Every kind of relation that there is (formats §1.0.7). */
export const RELATION_DEFINITIONS: readonly RelationDefinition[] = [
  {
    name: 'parent-child',
    description: 'The child belongs to the parent and is deleted with it.',
    from_role: 'parent',
    to_role: 'child',
    cascade_delete: true,
  },
  {
    name: 'related',
    description: 'The documents have to do with each other.',
    from_role: 'related',
    to_role: 'related',
    cascade_delete: false,
  },
  {
    name: 'predecessor-successor',
    description: 'The successor continues or replaces the predecessor.',
    from_role: 'predecessor',
    to_role: 'successor',
    cascade_delete: false,
  },
];

/** Most relations that one document may have. */
export const MAX_RELATIONS = 500;

/** Most documents that one delete takes along. */
export const MAX_CASCADE = 500;

const MAX_NOTE_LENGTH = 2048;

/** What each end says about the other; both are the model's to choose. */
export type RelationNotes = { readonly fromToNote: string | null; readonly toFromNote: string | null };

/** A relation to be. */
export type NewRelation = RelationNotes & {
  readonly definition: RelationDefinition;
  readonly fromId: string;
  readonly toId: string;
};

/** A relation of two documents. There is one of a kind between two documents, in each direction that the kind has. */
export type Relation = NewRelation & { readonly id: string; readonly createdAtSeconds: number };

/** A relation as callers see it. */
export type WireRelation = {
  readonly id: string;
  readonly definition: string;
  readonly from_document_id: string;
  readonly to_document_id: string;
  readonly from_to_note: string | null;
  readonly to_from_note: string | null;
  readonly created_at: string;
};

const RELATION_ID = /^rel_[0-9a-f]{24}$/;

/** Is this the form of a relation id? Says nothing about whether there is such a relation. */
export function isRelationId(value: string): boolean {
  return RELATION_ID.test(value);
}

/** The id that a relation has by what it relates: a second one of the same kind between the same documents is the same. */
export function toRelationId({ definition, fromId, toId }: NewRelation): string {
  const isSymmetric = definition.from_role === definition.to_role;
  const ends = isSymmetric ? [fromId, toId].sort() : [fromId, toId];
  return `rel_${sha256(JSON.stringify([definition.name, ...ends])).slice(0, 24)}`;
}

/** The relation as callers see it. */
export function toWireRelation(relation: Relation): WireRelation {
  return {
    id: relation.id,
    definition: relation.definition.name,
    from_document_id: relation.fromId,
    to_document_id: relation.toId,
    from_to_note: relation.fromToNote,
    to_from_note: relation.toFromNote,
    created_at: new Date(relation.createdAtSeconds * 1000).toISOString(),
  };
}

/** The kind of that name. */
export function findDefinition(name: unknown): RelationDefinition | undefined {
  return RELATION_DEFINITIONS.find((definition) => definition.name === name);
}

/** Parses `{definition, from_document_id, to_document_id, from_to_note?, to_from_note?}`. */
export function parseRelation(input: unknown): Result<NewRelation, InvalidArgument> {
  const fields = parseFields(input, [
    'definition',
    'from_document_id',
    'to_document_id',
    'from_to_note',
    'to_from_note',
  ]);
  if (!fields.ok) return fields;
  const definition = findDefinition(fields.value.definition);
  if (definition === undefined) {
    return refuse('definition', `must be one of ${RELATION_DEFINITIONS.map(({ name }) => name).join(', ')}`);
  }
  const { from_document_id: fromId, to_document_id: toId } = fields.value;
  if (typeof fromId !== 'string' || !isDocumentId(fromId)) return refuse('from_document_id', MUST_BE_ID);
  if (typeof toId !== 'string' || !isDocumentId(toId)) return refuse('to_document_id', MUST_BE_ID);
  if (fromId === toId) return refuse('to_document_id', 'must be another document than the first one');
  const fromToNote = parseNote('from_to_note', fields.value.from_to_note);
  if (!fromToNote.ok) return fromToNote;
  const toFromNote = parseNote('to_from_note', fields.value.to_from_note);
  if (!toFromNote.ok) return toFromNote;
  const notes = { fromToNote: fromToNote.value ?? null, toFromNote: toFromNote.value ?? null };
  return ok({ definition, fromId, toId, ...notes });
}

/**
 * Parses `{from_to_note?, to_from_note?}`, at least one of them; `note` is another name of the first. `null` takes a note away, an absent
 * one stays.
 */
export function parseNotes(input: unknown): Result<Partial<RelationNotes>, InvalidArgument> {
  const fields = parseFields(input, ['note', 'from_to_note', 'to_from_note']);
  if (!fields.ok) return fields;
  const { note, from_to_note: named, to_from_note: other } = fields.value;
  if (note !== undefined && named !== undefined) return refuse('note', 'is the same as `from_to_note`');
  if (note === undefined && named === undefined && other === undefined) return refuse('note', 'is required');
  const fromToNote = parseNote(
    note === undefined ? 'from_to_note' : 'note',
    note === undefined ? named : note,
  );
  if (!fromToNote.ok) return fromToNote;
  const toFromNote = parseNote('to_from_note', other);
  if (!toFromNote.ok) return toFromNote;
  return ok({
    ...(fromToNote.value === undefined ? {} : { fromToNote: fromToNote.value }),
    ...(toFromNote.value === undefined ? {} : { toFromNote: toFromNote.value }),
  });
}

/** The documents that go with `document` by one of its relations. */
export function childrenOf(
  document: Pick<Document, 'id'>,
  relations: readonly Relation[],
): readonly string[] {
  return relations
    .filter(({ definition, fromId }) => definition.cascade_delete && fromId === document.id)
    .map(({ toId }) => toId);
}

const MUST_BE_ID = 'must be `doc_` and 24 hexadecimal digits';

function parseNote(field: string, value: unknown): Result<string | null | undefined, InvalidArgument> {
  if (value === undefined || value === null) return ok(value);
  const isNote = typeof value === 'string' && value.length <= MAX_NOTE_LENGTH && value.isWellFormed();
  return isNote ? ok(value) : refuse(field, `must be text of at most ${MAX_NOTE_LENGTH} characters, or null`);
}
