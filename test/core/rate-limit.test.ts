import { expect, test } from 'vitest';
import { rateWindow, wholeLife } from '../../functions/core/rate-limit.ts';

const LIMIT = { name: 'minute', max: 5, windowSeconds: 60 };

test.for<readonly [now: number, first: number, end: number]>([
  [0, 0, 60],
  [59, 0, 60],
  [60, 60, 120],
  [119, 60, 120],
  [1_795_276_801, 1_795_276_800, 1_795_276_860],
])('the window of second %i begins at %i and ends at %i', ([now, first, end]) => {
  const window = rateWindow(LIMIT, ['acme', 'kim'], now);
  expect(window.endsAtSeconds).toBe(end);
  expect(rateWindow(LIMIT, ['acme', 'kim'], first)).toEqual(window);
  expect(rateWindow(LIMIT, ['acme', 'kim'], first - 1).id).not.toBe(window.id);
});

test.for([
  ['another limit', { ...LIMIT, name: 'hour' }, ['acme', 'kim'], 60],
  ['another subject', LIMIT, ['acme', 'sam'], 60],
  ['a subject of the same letters', LIMIT, ['acmek', 'im'], 60],
  ['the next window', LIMIT, ['acme', 'kim'], 120],
] as const)('a count is apart from that of %s', ([, limit, subject, now]) => {
  expect(rateWindow(limit, subject, now).id).not.toBe(rateWindow(LIMIT, ['acme', 'kim'], 60).id);
});

test('whose count it is stands nowhere in its name', () => {
  expect(rateWindow(LIMIT, ['acme', 'kim'], 60).id).toMatch(/^minute\.1\.[A-Za-z0-9_-]{43}$/);
  expect(wholeLife(['acme', 'kim'], 60).id).toMatch(/^uses\.[A-Za-z0-9_-]{43}$/);
});

test('what may be used so many times has one window, which ends when it does', () => {
  expect(wholeLife(['acme', 'token-1'], 500).endsAtSeconds).toBe(500);
  expect(wholeLife(['acme', 'token-1'], 500).id).toBe(wholeLife(['acme', 'token-1'], 900).id);
  expect(wholeLife(['acme', 'token-2'], 500).id).not.toBe(wholeLife(['acme', 'token-1'], 500).id);
});
