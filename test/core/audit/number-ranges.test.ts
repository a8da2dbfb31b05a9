import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRanges, writeRanges } from '../../../functions/core/audit/number-ranges.ts';

test.for([
  [[], ''],
  [[4], '4'],
  [[4, 5], '4-5'],
  [[20, 3, 5, 4], '3-5,20'],
  [[1, 3, 5], '1,3,5'],
] as const)('%j are written `%s`', ([numbers, text]) => {
  expect(writeRanges(numbers)).toBe(text);
});

test('what was written has exactly its numbers', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (numbers) => {
      const text = writeRanges(numbers);
      for (let number = 0; number <= 61; number += 1) {
        const isIn = readRanges(text).some(([from, to]) => from <= number && number <= to);
        expect(isIn).toBe(numbers.includes(number));
      }
    }),
  );
});

test.for([undefined, '', '0', '1-', '-3', '1,,2', '1 2', 'all', '1-99999999999', '*'])(
  '`%s` has no number',
  (text) => expect(readRanges(text)).toEqual([]),
);
