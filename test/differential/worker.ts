import { compareWorld } from './compare.ts';
import { Production } from './production.ts';
import { shrink } from './shrink.ts';

/** What a worker is told: which worlds are its own. */
export type Portion = { readonly seed: number; readonly first: number; readonly step: number };

/** What came of one more world; a disagreement comes with what is left of its configuration when it has been reduced. */
export type Progress = {
  readonly pairs: number;
  readonly allowed: number;
  readonly disagreements: readonly unknown[];
};

process.once('message', ({ seed, first, step }: Portion) => {
  const production = new Production();
  let world = first;
  const next = () => {
    const { pairs, allowed, disagreements } = compareWorld(production, seed, world);
    const [found] = disagreements;
    const reduced = found === undefined ? [] : [shrink(production, found)];
    process.send?.({ pairs, allowed, disagreements: reduced } satisfies Progress);
    world += step;
    setImmediate(next);
  };
  next();
});
