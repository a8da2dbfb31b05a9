import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LEASE_MS,
  mayAskUntilMs,
  mayStoreAgain,
  REFRESH_MS,
  refreshDue,
  WRITE_MS,
} from '../../functions/core/refresh-due.ts';

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
      expect(endMs - mayAskUntilMs(endMs)).toBeGreaterThanOrEqual(2 * WRITE_MS);
    }),
  );
});

test('storing is over before the lease is, however long each write takes, and is tried twice at least', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: WRITE_MS }), { minLength: 6, maxLength: 6 }),
      (takesMs) => {
        let nowMs = mayAskUntilMs(LEASE_MS);
        let made = 0;
        for (const [attempt, ms] of takesMs.entries()) {
          if (attempt > 0) nowMs += 100 * 2 ** attempt;
          if (attempt > 0 && !mayStoreAgain(nowMs, LEASE_MS)) break;
          nowMs += ms;
          made += 1;
          expect(nowMs).toBeLessThanOrEqual(LEASE_MS);
        }
        expect(made).toBeGreaterThanOrEqual(2);
      },
    ),
  );
});
