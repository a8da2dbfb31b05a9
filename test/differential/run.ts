import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Progress } from './worker.ts';

const USAGE = `npm run differential -- [--pairs N] [--seed N] [--processes N]
  --pairs      questions (who, what, when, under which policy) that both are asked; 10,000,000 where nothing is said
  --seed       makes the same worlds again; a new one where nothing is said
  --processes  one for each core where nothing is said`;

/** More than these would say the same again. */
const SHOWN = 10;

/**
 * Asks the decision and an evaluator that was written from the documentation the same questions, about random configurations. Exit
 * code 1: they do not agree; 2: the arguments are not understood. The last line is JSON.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '10000000' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      processes: { type: 'string', default: String(availableParallelism()) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [pairs, seed, processes] = [values.pairs, values.seed, values.processes].map(Number);
  const isUnderstood = [pairs, processes].every((one) => Number.isSafeInteger(one) && Number(one) > 0);
  if (!isUnderstood || pairs === undefined || processes === undefined || !Number.isSafeInteger(seed)) {
    console.error(USAGE);
    return 2;
  }
  const startedAt = performance.now();
  const sum = { seed, worlds: 0, pairs: 0, allowed: 0, disagreements: 0, seconds: 0 };
  const workers = Array.from({ length: processes }, () => fork(join(import.meta.dirname, 'worker.ts')));
  let shownAt = startedAt;
  const add = ({ pairs, allowed, disagreements }: Progress) => {
    sum.worlds += 1;
    sum.pairs += pairs;
    sum.allowed += allowed;
    for (const found of disagreements) {
      sum.disagreements += 1;
      if (sum.disagreements <= SHOWN) console.error(JSON.stringify(found));
    }
    if (performance.now() - shownAt < 10_000) return;
    shownAt = performance.now();
    console.log(`${sum.pairs.toLocaleString('en')} pairs, ${sum.disagreements} disagreements`);
  };
  const isDone = () => sum.pairs >= pairs;
  await Promise.all(
    workers.map((worker, first) => serve(worker, { seed, first, step: processes }, add, isDone)),
  );
  sum.seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(JSON.stringify(sum));
  return sum.disagreements > 0 ? 1 : 0;
}

/** Takes what a worker finds until there is enough. @throws Error where the worker ends before that */
async function serve(
  worker: ChildProcess,
  portion: object,
  add: (one: Progress) => void,
  isDone: () => boolean,
) {
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('exit', () => (isDone() ? resolve() : reject(new Error('a worker ended before its work'))));
  });
  worker.on('message', (progress: Progress) => {
    if (!isDone()) add(progress);
    if (isDone()) worker.kill();
  });
  worker.send(portion);
  await ended;
}

process.exitCode = await main();
