import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { TARGETS } from './targets.ts';

const USAGE = `npm run fuzz -- [--runs N] [--target NAME]... [--seed N]
  --runs    inputs per target, 1,000,000 where nothing is said
  --target  ${TARGETS.map(({ name }) => name).join(', ')}; all of them where nothing is said
  --seed    makes the same inputs again; a new one where nothing is said`;

/** Fuzzes the targets one after the other. Exit code 1: a law is broken; 2: the arguments are not understood. */
async function main(): Promise<number> {
  const { runs, seed, targets, isHelp } = readArguments();
  if (isHelp) {
    console.log(USAGE);
    return 0;
  }
  if (targets.length === 0) {
    console.error(USAGE);
    return 2;
  }
  console.log(`seed ${seed}, ${runs.toLocaleString('en')} inputs per target`);
  for (const target of targets) {
    const startedAt = performance.now();
    let shownAt = startedAt;
    const campaign = await runCampaign(target, {
      seed,
      runs,
      onProgress(done) {
        if (performance.now() - shownAt < 10_000) return;
        shownAt = performance.now();
        console.log(`${target.name}: ${done.toLocaleString('en')}`);
      },
    });
    const { counts, failure } = campaign;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    const figures = `${counts.accepted.toLocaleString('en')} accepted, ${counts.refused.toLocaleString('en')} refused`;
    console.log(`${target.name}: ${campaign.runs.toLocaleString('en')} inputs, ${figures}, ${seconds} s`);
    if (failure === undefined) continue;
    console.error(`${target.name} breaks a law at input ${failure.run} of seed ${seed}\n${failure.message}`);
    console.error(`as it was found: ${JSON.stringify(failure.found)}`);
    console.error(`reduced, for test/vectors/fuzz-seeds.json: ${JSON.stringify(failure.reduced)}`);
    return 1;
  }
  return 0;
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      target: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  const [runs, seed] = [Number(values.runs), Number(values.seed)];
  const named = values.target ?? TARGETS.map(({ name }) => name);
  const targets = named.flatMap((name) => TARGETS.filter((target) => target.name === name));
  const isUnderstood = Number.isSafeInteger(runs) && runs > 0 && Number.isSafeInteger(seed);
  const isHelp = values.help;
  return { runs, seed, targets: isUnderstood && targets.length === named.length ? targets : [], isHelp };
}

process.exitCode = await main();
