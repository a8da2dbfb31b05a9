import { ok, type Result } from '../result.ts';
import { type ToolArguments, toSchema } from './arguments.ts';
import { isDocumentId } from './document.ts';
import { DOCUMENT_BOUNDS, type InvalidArgument, parseFields, refuse } from './input.ts';
import {
  isRelationId,
  MAX_RELATIONS,
  type NewRelation,
  parseNotes,
  parseRelation,
  RELATION_DEFINITIONS,
  type RelationNotes,
} from './relation.ts';
import { parseRelationQuery, type RelationQuery } from './relation-page.ts';

/** What `doc_link` shall do. */
export type LinkRequest =
  | { readonly mode: 'types' }
  | { readonly mode: 'list'; readonly documentId: string; readonly query: RelationQuery }
  | { readonly mode: 'create'; readonly relation: NewRelation }
  | { readonly mode: 'update'; readonly relationId: string; readonly notes: Partial<RelationNotes> }
  | { readonly mode: 'remove'; readonly relationId: string };

const NOTES = ['note', 'from_to_note', 'to_from_note'] as const;

const DOCUMENT_ID = { type: 'string', pattern: '^doc_[0-9a-f]{24}$' } as const;
const RELATION_ID = { type: 'string', pattern: '^rel_[0-9a-f]{24}$' } as const;
const NOTE = { type: ['string', 'null'], maxLength: 2048 } as const;

/** Arguments of `doc_link`: one of five modes, by which of the leading arguments there is. */
export const LINK_ARGUMENTS: ToolArguments<LinkRequest> = {
  schema: toSchema(
    {
      types: { type: 'boolean', const: true, description: 'List the types of relations that there are.' },
      list_of: { ...DOCUMENT_ID, description: 'List the relations of this document, oldest first.' },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_RELATIONS,
        description: `With \`list_of\`: relations per page, ${MAX_RELATIONS} by default.`,
      },
      cursor: {
        type: 'string',
        minLength: 1,
        maxLength: DOCUMENT_BOUNDS.cursorLength,
        description: 'With `list_of`: the `next_cursor` of the page before, for the page after it.',
      },
      create_from: { ...DOCUMENT_ID, description: 'Relate this document to `create_to`.' },
      create_to: { ...DOCUMENT_ID, description: 'The other document of a new relation.' },
      relation_type: {
        type: 'string',
        enum: RELATION_DEFINITIONS.map(({ name }) => name),
        description: 'With `create_from`: the type of the new relation.',
      },
      update_id: { ...RELATION_ID, description: 'Change the notes of this relation.' },
      note: { ...NOTE, description: 'The same as `from_to_note`.' },
      from_to_note: {
        ...NOTE,
        description: 'What the first document says about the second; null removes it.',
      },
      to_from_note: {
        ...NOTE,
        description: 'What the second document says about the first; null removes it.',
      },
      remove_id: { ...RELATION_ID, description: 'Remove this relation, in both directions.' },
    },
    [],
  ),
  parse: parseLinkRequest,
};

function parseLinkRequest(input: unknown): Result<LinkRequest, InvalidArgument> {
  const fields = parseFields(input, [
    'types',
    'list_of',
    'limit',
    'cursor',
    'create_from',
    'create_to',
    'relation_type',
    'update_id',
    'remove_id',
    ...NOTES,
  ]);
  if (!fields.ok) return fields;
  const {
    types,
    list_of,
    limit,
    cursor,
    create_from,
    create_to,
    relation_type,
    update_id,
    remove_id,
    ...notes
  } = fields.value;
  const isCreate = [create_from, create_to, relation_type].some((value) => value !== undefined);
  const modes = [types, list_of, update_id, remove_id].map((value) => value !== undefined);
  if ([...modes, isCreate].filter(Boolean).length !== 1) {
    return refuse(
      'types',
      'or `list_of`, or `create_from`, or `update_id`, or `remove_id` is required, and one of them only',
    );
  }
  if (list_of === undefined && (limit !== undefined || cursor !== undefined)) {
    return refuse(limit === undefined ? 'cursor' : 'limit', 'belongs to `list_of`');
  }
  const isNoted = Object.values(notes).some((value) => value !== undefined);
  if (isCreate) {
    const { note, ...named } = notes;
    if (note !== undefined && named.from_to_note !== undefined) {
      return refuse('note', 'is the same as `from_to_note`');
    }
    const relation = parseRelation({
      definition: relation_type,
      from_document_id: create_from,
      to_document_id: create_to,
      ...named,
      ...(note === undefined ? {} : { from_to_note: note }),
    });
    return relation.ok ? ok({ mode: 'create', relation: relation.value }) : asNamedHere(relation);
  }
  if (update_id !== undefined) {
    if (!isId(update_id)) return refuse('update_id', MUST_BE_ID);
    const parsed = parseNotes(notes);
    return parsed.ok ? ok({ mode: 'update', relationId: update_id, notes: parsed.value }) : parsed;
  }
  if (isNoted) return refuse('note', 'belongs to a relation that is made or updated');
  if (list_of !== undefined) {
    if (typeof list_of !== 'string' || !isDocumentId(list_of)) {
      return refuse('list_of', 'must be `doc_` and 24 hexadecimal digits');
    }
    const query = parseRelationQuery({ limit, cursor });
    return query.ok ? ok({ mode: 'list', documentId: list_of, query: query.value }) : query;
  }
  if (remove_id === undefined)
    return types === true ? ok({ mode: 'types' }) : refuse('types', 'must be true');
  return isId(remove_id) ? ok({ mode: 'remove', relationId: remove_id }) : refuse('remove_id', MUST_BE_ID);
}

const MUST_BE_ID = 'must be `rel_` and 24 hexadecimal digits';

function isId(value: unknown): value is string {
  return typeof value === 'string' && isRelationId(value);
}

/** The refusal under the name that the argument has in the tool. */
function asNamedHere({ error }: { readonly error: InvalidArgument }): ReturnType<typeof refuse> {
  const names = new Map([
    ['definition', 'relation_type'],
    ['from_document_id', 'create_from'],
    ['to_document_id', 'create_to'],
  ]);
  return refuse(names.get(error.field) ?? error.field, error.message.replace(/^`[^`]*` /, ''));
}
