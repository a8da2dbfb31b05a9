import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canary, findCanaries } from './canary.ts';
import { SPOILT_GATEWAYS } from './isolation/spoils.ts';
import { runIsolation } from './isolation.ts';
import { Random } from './random.ts';

const SEED = 20_261_121;

describe('240 callers of 20 organisations at once in one process', () => {
  test('no bytes of one request, secret or answer reach another', { timeout: 180_000 }, async () => {
    const report = await runIsolation({ requests: 3_000, seed: SEED, stepMs: 20 });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ leaks: 0, faults: 0, callers: 240, orgs: 20 });
    // What was looked at is enough to have seen something.
    expect(report.requests).toBeGreaterThan(3_000);
    expect(report.upstreamCalls).toBeGreaterThan(2_000);
    expect(report.aborted).toBeGreaterThan(100);
    expect(report.disturbed).toBeGreaterThan(100);
    expect(report.affected).toBeLessThan(report.requests / 100);
    for (const channel of ['answer', 'upstream', 'log', 'audit', 'lookup'] as const) {
      expect(report.seen.get(channel), channel).toBeGreaterThan(500);
    }
    for (const [purpose, count] of report.purposes) expect(count, purpose).toBeGreaterThan(3);
    expect(report.purposes.size).toBe(14);
  });
});

test('nor however many are under way, in however many environments, at whatever pace', {
  timeout: 180_000,
}, async () => {
  const setting = fc.record({
    seed: fc.nat(),
    orgs: fc.integer({ min: 2, max: 3 }),
    concurrency: fc.integer({ min: 1, max: 64 }),
    environments: fc.integer({ min: 1, max: 5 }),
    // While one look is under way everybody else moves the clock: with more, a look takes its 15 s and is an outage.
    stepMs: fc.integer({ min: 0, max: 100 }),
  });
  await fc.assert(
    fc.asyncProperty(setting, async (drawn) => {
      expect((await runIsolation({ requests: 100, ...drawn })).findings).toEqual([]);
    }),
    { numRuns: 10 },
  );
});

describe('the harness finds a gateway that', () => {
  test.for(SPOILT_GATEWAYS)('$name', async ({ spoil, finding }) => {
    const report = await runIsolation({ requests: 300, seed: SEED, orgs: 3, spoil: spoil() });
    expect(report.leaks + report.faults).toBeGreaterThan(0);
    expect(report.findings.map(({ what }) => what).join('\n')).toMatch(finding);
  });

  test('makes none of these mistakes to be without a finding', async () => {
    const report = await runIsolation({ requests: 300, seed: SEED, orgs: 3, spoil: {} });
    expect(report.findings).toEqual([]);
  });
});

describe('a canary', () => {
  test('is found with its kind and number, wherever it stands', () => {
    const text = `{"a":"x${canary('secret', 1_234)}y"}${canary('content', 36 ** 9 - 1)}`;
    expect(findCanaries(text)).toEqual([
      { kind: 'secret', id: 1_234 },
      { kind: 'content', id: 36 ** 9 - 1 },
    ]);
  });

  test('is not missed where it was cut in its midst', () => {
    const whole = canary('secret', 7);
    expect(() => findCanaries(`${whole.slice(0, 12)}[redacted]`)).toThrow('half a canary');
    expect(findCanaries(whole.slice(0, 12))).toEqual([]);
  });
});

test('chance can be had again, and differs from stream to stream', () => {
  const numbers = (seed: number, stream: number) => {
    const random = new Random(seed, stream);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(numbers(1, 2)).toEqual(numbers(1, 2));
  expect(numbers(1, 2)).not.toEqual(numbers(1, 3));
  expect(numbers(1, 2)).not.toEqual(numbers(2, 2));
});
