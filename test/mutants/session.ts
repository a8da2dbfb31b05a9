import { TestRunner, test } from 'vitest';
import type { ReadyTest } from './session-tests.ts';

type Trial = { readonly mutant: string; readonly tests?: readonly string[]; readonly hitLimit?: number };
type Outcome = { readonly killedBy?: string; readonly message?: string; readonly isStale?: boolean };

/** A loop that a mutant never leaves goes round so many times as often as the test did without it, and is cut. */
const MAX_TIMES_AS_OFTEN = 100;
/** A test that passes a place a few times may pass it more often for other reasons. */
const MIN_HIT_LIMIT = 10_000;

/** No test of its own: it keeps the worker of all others, asks each mutant of them, and ends when it is told to. */
test('mutants are tried until it is told to end', { timeout: 0 }, async () => {
  const channel = new BroadcastChannel('mutants');
  const ready = globalThis.sallyportReadyTests ?? new Map<string, ReadyTest>();
  const state = globalThis.__stryker__ ?? {};
  state.currentTestId = undefined;
  const perTest = state.mutantCoverage?.perTest ?? {};
  const covering = testsByMutant(perTest);
  // Of each test: Stryker's own limit is over all tests, and one that goes round a million times lets all others loop for minutes.
  const limitOf = (id: string, mutant: string, hitLimit: number | undefined): number | undefined => {
    const hits = perTest[id]?.[mutant];
    return hits === undefined ? hitLimit : Math.max(MIN_HIT_LIMIT, hits * MAX_TIMES_AS_OFTEN);
  };

  const failureOf = async ({ task }: ReadyTest): Promise<string | undefined> => {
    try {
      await TestRunner.getTestFn(task)();
      return undefined;
    } catch (error) {
      return String(error instanceof Error ? error.message : error);
    }
  };
  const tryMutant = async ({ mutant, tests, hitLimit }: Trial): Promise<Outcome> => {
    const asked = tests ?? covering.get(mutant) ?? [];
    const chosen = asked.flatMap((id) => ready.get(id) ?? []);
    if (chosen.length < asked.length) throw new Error('a test was run that is not at hand');
    for (const one of chosen.toSorted((a, b) => a.tookMs() - b.tookMs())) {
      const limit = limitOf(one.id, mutant, hitLimit);
      Object.assign(state, { activeMutant: mutant, hitCount: 0, hitLimit: limit });
      const message = await failureOf(one);
      state.activeMutant = undefined;
      if (message === undefined) continue;
      // What a mutant left behind in what tests share must not be taken for the next one's failure.
      return (await failureOf(one)) === undefined ? { killedBy: one.id, message } : { isStale: true };
    }
    return {};
  };

  await new Promise<void>((resolve) => {
    channel.onmessage = async ({ data }: MessageEvent) => {
      if (data.end === true) resolve();
      if (data.trial === undefined) return;
      const outcome = await tryMutant(data.trial).catch((error: unknown) => ({ fault: String(error) }));
      channel.postMessage({ outcome });
    };
    channel.postMessage({ isReady: true, tests: ready.size });
  });
  channel.close();
});

function testsByMutant(perTest: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  const covering = new Map<string, string[]>();
  for (const [id, hits] of Object.entries(perTest))
    for (const mutant of Object.keys(hits)) covering.set(mutant, [...(covering.get(mutant) ?? []), id]);
  return covering;
}
