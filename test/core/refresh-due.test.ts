import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LEASE_MS, mayAskUntilMs, REFRESH_MS, refreshDue } from '../../functions/core/refresh-due.ts';

/** What is due of a token of an hour that came at 0. */
const dueAt = (nowSeconds: number, jitter = 0.5) =>
  refreshDue({ expiresAtSeconds: 3_600, refreshedAtSeconds: 0 }, nowSeconds, jitter);

describe('a token of an hour', () => {
  test.for([
    [0, 'no'],
    [3_300, 'no'],
    [3_301, 'early'],
    [3_540, 'early'],
    [3_541, 'now'],
    [3_600, 'now'],
    [9_999, 'now'],
  ] as const)('after %i s: %s', ([nowSeconds, due]) => {
    expect(dueAt(nowSeconds)).toBe(due);
  });

  test('is refreshed early at another moment by every call', () => {
    expect([dueAt(3_241, 1), dueAt(3_241, 0)]).toEqual(['early', 'no']);
    expect([dueAt(3_361, 0), dueAt(3_359, 0)]).toEqual(['early', 'no']);
  });
});

test('a token without an end is never due', () => {
  const token = { expiresAtSeconds: undefined, refreshedAtSeconds: 0 };
  expect(refreshDue(token, Number.MAX_SAFE_INTEGER, 1)).toBe('no');
});

test('a token is not due when it has just come, however short its life is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (life, jitter) => {
        const token = { expiresAtSeconds: 1_000 + life, refreshedAtSeconds: 1_000 };
        expect(refreshDue(token, 1_000, jitter)).toBe('no');
      },
    ),
  );
});

test('what is due once stays due', () => {
  const order = ['no', 'early', 'now'];
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 0, max: 12_000 }),
      fc.integer({ min: 0, max: 1_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (life, now, later, jitter) => {
        const token = { expiresAtSeconds: life, refreshedAtSeconds: 0 };
        const [first, second] = [now, now + later].map((at) => order.indexOf(refreshDue(token, at, jitter)));
        expect(second).toBeGreaterThanOrEqual(first ?? 0);
      },
    ),
  );
});

test('whoever holds a lease has asked long before it ends, with time to store what came of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (nowMs) => {
      const endMs = nowMs + LEASE_MS;
      expect(mayAskUntilMs(endMs)).toBe(nowMs + REFRESH_MS);
      // Six attempts at storing wait for 6.2 s between them.
      expect(endMs - mayAskUntilMs(endMs)).toBeGreaterThanOrEqual(12_000);
    }),
  );
});
