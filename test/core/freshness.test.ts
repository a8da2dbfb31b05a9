import { expect, test } from 'vitest';
import { isFresh } from '../../functions/core/freshness.ts';

test.for([
  ['at once', 100, true],
  ['within its time', 114, true],
  ['when its time is over', 115, false],
  ['long after', 1_000, false],
  ['before it was seen, because the clock was set back', 99, false],
] as const)('what was seen is fresh for so long: %s', ([, nowSeconds, expected]) => {
  expect(isFresh(100, 15, nowSeconds)).toBe(expected);
});
