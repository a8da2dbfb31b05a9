import { Random } from './random.ts';
import type { Counterexample, Target, Verdict } from './target.ts';

/** What some runs of a target came to. `failure` is the first one; nothing runs after it. */
export type Campaign = {
  readonly runs: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly failure?: Counterexample & { readonly run: number };
};

/** The chance of one run: seed, target and number name it, whatever else was run. */
export function chanceOf(target: Target, seed: number, run: number): Random {
  let hash = 0;
  for (const character of target.name) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return new Random(seed ^ hash, run);
}

/** Runs a target so many times, until something breaks. `onProgress` is called now and then with the runs so far. */
export async function runCampaign(
  target: Target,
  options: { readonly seed: number; readonly runs: number; readonly onProgress?: (runs: number) => void },
): Promise<Campaign> {
  const { seed, runs, onProgress = () => {} } = options;
  const counts = { accepted: 0, refused: 0 };
  for (let run = 0; run < runs; run += 1) {
    try {
      const verdict = target.attempt(chanceOf(target, seed, run));
      counts[verdict instanceof Promise ? await verdict : verdict] += 1;
    } catch {
      const counterexample = await target.reduce(chanceOf(target, seed, run));
      return { runs: run + 1, counts, failure: { ...counterexample, run } };
    }
    if (run % 4_096 === 4_095) onProgress(run + 1);
  }
  return { runs, counts };
}
