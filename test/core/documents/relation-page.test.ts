import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findDefinition, toWireRelation } from '../../../functions/core/documents/relation.ts';
import {
  fairShare,
  parseRelationQuery,
  relationBytes,
} from '../../../functions/core/documents/relation-page.ts';

describe('what is asked of the relations of a document', () => {
  test.for([
    [{}, { limit: 500, cursor: undefined }],
    [
      { limit: 1, cursor: 'sealed' },
      { limit: 1, cursor: 'sealed' },
    ],
  ])('%j', ([input, value]) => expect(parseRelationQuery(input)).toEqual({ ok: true, value }));

  test.for([
    ['limit', { limit: 0 }],
    ['limit', { limit: 501 }],
    ['limit', { limit: '1' }],
    ['cursor', { cursor: '' }],
    ['cursor', { cursor: 1 }],
    ['offset', { offset: 1 }],
    ['namespace', { namespace: 'x' }],
    ['arguments', []],
  ])('is refused by its %s', ([field, input]) =>
    expect(parseRelationQuery(input)).toMatchObject({
      ok: false,
      error: { reason: 'invalid_argument', field },
    }),
  );
});

test('a relation has as many bytes as its answer', () => {
  const definition = findDefinition('related');
  if (definition === undefined) throw new Error('no such definition');
  const relation = {
    id: `rel_${'0'.repeat(24)}`,
    definition,
    fromId: 'a',
    toId: 'b',
    fromToNote: 'é\u0001',
    toFromNote: null,
    createdAtSeconds: 0,
  };
  expect(relationBytes(relation)).toBe(Buffer.from(JSON.stringify(toWireRelation(relation))).length);
});

test('a share is the largest that all may have: who has less has all of it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(50), { maxLength: 20 }),
      fc.integer({ min: 20, max: 200 }),
      (counts, total) => {
        const sumOf = (share: number) => counts.reduce((sum, count) => sum + Math.min(count, share), 0);
        const share = fairShare(counts, total);
        expect(sumOf(share)).toBeLessThanOrEqual(total);
        if (sumOf(share) < sumOf(Number.POSITIVE_INFINITY)) expect(sumOf(share + 1)).toBeGreaterThan(total);
      },
    ),
  );
  expect(fairShare([500, 500, 1], Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});
