import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coarseRankOf, rankOf, readRank } from '../../../functions/aws/documents/rank.ts';

/** More than 4 MB hold of one word. */
const counts = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4_194_304 }));

test.for([
  [1, '9'],
  [2, '7'],
  [3, '6'],
  [4, '59999995'],
  [5, '59999994'],
  [22, '19999977'],
  [23, '09999976'],
  [4_194_304, '05805695'],
] as const)('of %d is %s', ([count, rank]) => {
  expect(rankOf(count)).toBe(rank);
});

test('a rank sorts before those of less, whichever version of the store gave them', () => {
  fc.assert(
    fc.property(counts, counts, (one, other) => {
      fc.pre(one > other);
      expect(`${rankOf(one)}#` < `${rankOf(other)}#`).toBe(true);
      expect(coarseRankOf(one) <= coarseRankOf(other)).toBe(true);
      if (coarseRankOf(one) !== coarseRankOf(other)) {
        expect(`${rankOf(one)}#` < `${coarseRankOf(other)}#`).toBe(true);
        expect(`${coarseRankOf(one)}#` < `${rankOf(other)}#`).toBe(true);
      }
    }),
  );
});

test('a rank says how often the word is there, and one of an older version how often at most', () => {
  fc.assert(
    fc.property(counts, (count) => {
      expect(readRank(rankOf(count))).toEqual({ most: count, isExact: true });
      const { most, isExact } = readRank(coarseRankOf(count));
      expect(most).toBeGreaterThanOrEqual(count);
      if (isExact) expect(most).toBe(count);
      else if (most !== Number.POSITIVE_INFINITY) expect(coarseRankOf(most)).toBe(coarseRankOf(count));
    }),
  );
});
