import { describe, expect, test } from 'vitest';
import {
  childrenOf,
  findDefinition,
  isRelationId,
  parseNotes,
  parseRelation,
  RELATION_DEFINITIONS,
  toRelationId,
  toWireRelation,
} from '../../../functions/core/documents/relation.ts';
import { LINK_ARGUMENTS } from '../../../functions/core/documents/relation-arguments.ts';

const A = `doc_${'a'.repeat(24)}`;
const B = `doc_${'b'.repeat(24)}`;
const R = `rel_${'c'.repeat(24)}`;
const base = { definition: 'related', from_document_id: A, to_document_id: B };

test('there are three kinds, and a child goes with its parent', () => {
  expect(RELATION_DEFINITIONS.map(({ name, cascade_delete }) => [name, cascade_delete])).toEqual([
    ['parent-child', true],
    ['related', false],
    ['predecessor-successor', false],
  ]);
});

describe('a relation', () => {
  test('has notes where they are given', () => {
    const definition = findDefinition('related');
    const notes = { from_to_note: 'x', to_from_note: null };
    expect(parseRelation({ ...base, ...notes })).toEqual({
      ok: true,
      value: { definition, fromId: A, toId: B, fromToNote: 'x', toFromNote: null },
    });
    expect(parseRelation(base)).toMatchObject({ ok: true, value: { fromToNote: null, toFromNote: null } });
  });

  test.for<[unknown, string]>([
    [[], 'arguments'],
    [{ ...base, definition: 'friend' }, 'definition'],
    [{ ...base, from_document_id: 'x' }, 'from_document_id'],
    [{ ...base, from_document_id: 7 }, 'from_document_id'],
    [{ ...base, to_document_id: undefined }, 'to_document_id'],
    [{ ...base, to_document_id: 'x' }, 'to_document_id'],
    [{ ...base, to_document_id: A }, 'to_document_id'],
    [{ ...base, from_to_note: 7 }, 'from_to_note'],
    [{ ...base, to_from_note: 'x'.repeat(2049) }, 'to_from_note'],
    [{ ...base, from_to_note: '\ud800' }, 'from_to_note'],
    [{ ...base, namespace: 'x' }, 'namespace'],
  ])('is refused: %j', ([input, field]) => {
    expect(parseRelation(input)).toMatchObject({ ok: false, error: { field } });
  });

  test('has the id of what it relates: the same both ways where it has no direction', () => {
    const idOf = (definition: string, from: string, to: string) => {
      const parsed = parseRelation({ definition, from_document_id: from, to_document_id: to });
      return parsed.ok ? toRelationId(parsed.value) : '';
    };
    expect(isRelationId(idOf('related', A, B))).toBe(true);
    expect(idOf('related', A, B)).toBe(idOf('related', B, A));
    expect(idOf('parent-child', A, B)).not.toBe(idOf('parent-child', B, A));
    expect(idOf('parent-child', A, B)).not.toBe(idOf('predecessor-successor', A, B));
    expect(isRelationId(`${R}0`)).toBe(false);
  });

  test('is shown by the names of the contract', () => {
    const parsed = parseRelation({ ...base, from_to_note: 'x' });
    if (!parsed.ok) throw new Error(parsed.error.message);
    expect(toWireRelation({ ...parsed.value, id: R, createdAtSeconds: 1_800_000_000 })).toEqual({
      id: R,
      definition: 'related',
      from_document_id: A,
      to_document_id: B,
      from_to_note: 'x',
      to_from_note: null,
      created_at: '2027-01-15T08:00:00.000Z',
    });
  });
});

describe('notes', () => {
  test.for<[unknown, unknown]>([
    [{ note: 'x' }, { fromToNote: 'x' }],
    [{ from_to_note: null }, { fromToNote: null }],
    [
      { to_from_note: 'x', note: null },
      { fromToNote: null, toFromNote: 'x' },
    ],
  ])('%j', ([input, value]) => {
    expect(parseNotes(input)).toEqual({ ok: true, value });
  });

  test.for<[unknown, string]>([
    [{}, 'note'],
    [7, 'arguments'],
    [{ note: 'x', from_to_note: 'y' }, 'note'],
    [{ note: 7 }, 'note'],
    [{ from_to_note: 7 }, 'from_to_note'],
    [{ to_from_note: 7 }, 'to_from_note'],
    [{ definition: 'related' }, 'definition'],
  ])('are refused: %j', ([input, field]) => {
    expect(parseNotes(input)).toMatchObject({ ok: false, error: { field } });
  });
});

describe('the arguments of doc_link', () => {
  const create = { create_from: A, create_to: B, relation_type: 'related' };
  test.for<[unknown, unknown]>([
    [{ types: true }, { mode: 'types' }],
    [create, { mode: 'create', relation: { fromId: A, toId: B, fromToNote: null } }],
    [{ ...create, note: 'x', to_from_note: 'y' }, { relation: { fromToNote: 'x', toFromNote: 'y' } }],
    [{ ...create, from_to_note: 'x' }, { relation: { fromToNote: 'x' } }],
    [
      { update_id: R, note: 'x' },
      { mode: 'update', relationId: R, notes: { fromToNote: 'x' } },
    ],
    [{ remove_id: R }, { mode: 'remove', relationId: R }],
    [{ list_of: A }, { mode: 'list', documentId: A, query: { limit: 500 } }],
    [
      { list_of: A, limit: 2, cursor: 'c' },
      { mode: 'list', documentId: A, query: { limit: 2, cursor: 'c' } },
    ],
  ])('%j', ([input, value]) => {
    expect(LINK_ARGUMENTS.parse(input)).toMatchObject({ ok: true, value });
  });

  test.for<[unknown, string]>([
    [null, 'arguments'],
    [{}, 'types'],
    [{ types: false }, 'types'],
    [{ types: true, remove_id: R }, 'types'],
    [{ ...create, update_id: R }, 'types'],
    [{ ...create, create_from: 'x' }, 'create_from'],
    [{ ...create, create_to: undefined }, 'create_to'],
    [{ ...create, relation_type: 'friend' }, 'relation_type'],
    [{ ...create, note: 'x', from_to_note: 'y' }, 'note'],
    [{ ...create, to_from_note: 7 }, 'to_from_note'],
    [{ update_id: 'x', note: 'y' }, 'update_id'],
    [{ update_id: 7, note: 'y' }, 'update_id'],
    [{ update_id: R }, 'note'],
    [{ remove_id: 'x' }, 'remove_id'],
    [{ remove_id: R, note: 'x' }, 'note'],
    [{ types: true, note: 'x' }, 'note'],
    [{ types: true, scope_filters: {} }, 'scope_filters'],
    [{ list_of: 'x' }, 'list_of'],
    [{ list_of: 7 }, 'list_of'],
    [{ list_of: A, limit: 0 }, 'limit'],
    [{ list_of: A, note: 'x' }, 'note'],
    [{ list_of: A, types: true }, 'types'],
    [{ types: true, limit: 1 }, 'limit'],
    [{ types: true, cursor: 'c' }, 'cursor'],
  ])('are refused: %j', ([input, field]) => {
    const refused = LINK_ARGUMENTS.parse(input);
    expect(refused).toMatchObject({ ok: false, error: { field } });
    expect(refused.ok ? '' : refused.error.message.startsWith(`\`${field}\` `)).toBe(true);
  });
});

test('the children of a document are those that its relations of such a kind lead to, from it alone', () => {
  const relation = (name: string, fromId: string, toId: string) => {
    const parsed = parseRelation({ definition: name, from_document_id: fromId, to_document_id: toId });
    if (!parsed.ok) throw new Error(parsed.error.message);
    return { ...parsed.value, id: R, createdAtSeconds: 0 };
  };
  const relations = [
    relation('parent-child', A, B),
    relation('parent-child', B, A),
    relation('related', A, `doc_${'d'.repeat(24)}`),
  ];
  expect(childrenOf({ id: A }, relations)).toEqual([B]);
});

test('a note is changed by either name of its own, and its absence is no change', () => {
  expect(parseNotes({ to_from_note: 'x' })).toEqual({ ok: true, value: { toFromNote: 'x' } });
  expect(parseNotes({ from_to_note: null, to_from_note: 'x' })).toEqual({
    ok: true,
    value: { fromToNote: null, toFromNote: 'x' },
  });
});
