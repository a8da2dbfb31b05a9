import { attempt, type Ending, type Prize } from './kinds.ts';
import { openWorld, type World, type WorldSeed } from './world.ts';

/** What a worker is told: its world first, then round after round. */
export type WorkerOrder = { readonly seed: WorldSeed } | { readonly prize: Prize; readonly attempts: number };

/** What it answers: that it is there, or how its attempts of the round ended. */
export type WorkerReport = { readonly isReady: true } | { readonly endings: readonly Ending[] };

let world: World | undefined;

process.on('message', (order: WorkerOrder) => {
  void follow(order).then((report) => process.send?.(report));
});

// Nobody waits for the rest when whoever gave the orders is gone.
process.on('disconnect', () => process.exit());

async function follow(order: WorkerOrder): Promise<WorkerReport> {
  if ('seed' in order) {
    world = await openWorld(order.seed);
    return { isReady: true };
  }
  const opened = world;
  if (opened === undefined) throw new Error('a round before the world');
  const attempts = Array.from({ length: order.attempts }, () => attempt(opened, order.prize));
  return { endings: await Promise.all(attempts) };
}
