import { TestRunner, test } from 'vitest';
import type { ReadyTest } from './session-tests.ts';

type Trial = { readonly mutant: string; readonly tests?: readonly string[]; readonly hitLimit?: number };
type Outcome = { readonly killedBy?: string; readonly message?: string; readonly isStale?: boolean };

/** No test of its own: it keeps the worker of all others, asks each mutant of them, and ends when it is told to. */
test('mutants are tried until it is told to end', { timeout: 0 }, async () => {
  const channel = new BroadcastChannel('mutants');
  const ready = globalThis.sallyportReadyTests ?? new Map<string, ReadyTest>();
  const state = globalThis.__stryker__ ?? {};
  state.currentTestId = undefined;
  const covering = testsByMutant(state.mutantCoverage?.perTest ?? {});

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
      Object.assign(state, { activeMutant: mutant, hitCount: 0, hitLimit });
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
