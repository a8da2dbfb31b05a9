import { expect, test } from 'vitest';
import { rankTest } from './rank-test.ts';

const steps = (count: number, shift = 0) => Array.from({ length: count }, (_, index) => index + shift);

test('two samples that are one tell nothing', () => {
  const { p, effect } = rankTest(steps(100), steps(100));
  expect([p, effect]).toEqual([expect.closeTo(1, 5), expect.closeTo(0, 10)]);
});

test('a sample that is above another throughout is told apart, in either direction', () => {
  expect(rankTest(steps(50, 100), steps(50))).toMatchObject({ effect: 1 });
  expect(rankTest(steps(50), steps(50, 100)).effect).toBe(-1);
  expect(rankTest(steps(50), steps(50, 100)).p).toBeLessThan(1e-15);
});

test('U, p and the effect are those of the textbook', () => {
  // The permeabilities of Hollander and Wolfe, by the normal approximation without a correction for continuity.
  const first = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const second = [1.15, 0.88, 0.9, 0.74, 1.21];
  const { p, effect } = rankTest(first, second);
  expect(effect).toBeCloseTo((2 * 35) / 50 - 1, 10);
  expect(p).toBeCloseTo(0.2207, 3);
});

test('equal values share their rank', () => {
  expect(rankTest([1, 1, 1], [1, 1, 2]).effect).toBeCloseTo(-1 / 3, 10);
});
