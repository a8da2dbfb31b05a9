import { parseArgs } from 'node:util';
import { ATTEMPTS, openRaces, PROCESSES, type Tally } from './campaign.ts';
import { KINDS, type Kind } from './kinds.ts';

const USAGE = `npm run races -- [--rounds N] [--kind NAME]...
  --rounds  rounds of each kind, 10,000 where nothing is said
  --kind    ${KINDS.map(({ name }) => name).join(', ')}; all of them where nothing is said`;

/** A table and its processes serve this many rounds, so that a long run needs no more memory than a short one. */
const CHUNK = 250;

/**
 * Has fifty attempts at once, from several processes, redeem one and the same thing, round after round. Exit code 1: not exactly one
 * succeeded; 2: the arguments are not understood.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '10000' },
      kind: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const rounds = Number(values.rounds);
  const named = values.kind ?? KINDS.map(({ name }) => name);
  const kinds = KINDS.filter(({ name }) => named.includes(name));
  if (!Number.isSafeInteger(rounds) || rounds < 1 || kinds.length !== new Set(named).size) {
    console.error(USAGE);
    return 2;
  }
  console.log(`${ATTEMPTS} attempts at once from ${PROCESSES} processes, ${rounds} rounds of each kind`);
  let exitCode = 0;
  for (const kind of kinds) {
    const sum = await raceKind(kind, rounds);
    if (sum.broken > 0) exitCode = 1;
  }
  return exitCode;
}

/** Shows what it has come to now and then. */
async function raceKind(kind: Kind, rounds: number): Promise<{ readonly broken: number }> {
  const startedAt = performance.now();
  let shownAt = startedAt;
  const sum = { rounds: 0, broken: 0, inconclusive: 0 };
  const add = ({ rounds, broken, inconclusive }: Tally) => ({
    rounds: sum.rounds + rounds,
    broken: sum.broken + broken.length,
    inconclusive: sum.inconclusive + inconclusive,
  });
  const show = ({ rounds, broken, inconclusive }: typeof sum) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const figures = `${broken} without exactly one success, ${inconclusive} lost to an outage`;
    console.log(`${kind.name}: ${rounds} rounds, ${figures}, ${seconds} s`);
  };
  while (sum.rounds < rounds) {
    const races = await openRaces();
    const showSometimes = (tally: Tally) => {
      if (performance.now() - shownAt < 10_000) return;
      shownAt = performance.now();
      show(add(tally));
    };
    const chunk = Math.min(CHUNK, rounds - sum.rounds);
    const tally = await races.run(kind, chunk, showSometimes).finally(() => races.close());
    Object.assign(sum, add(tally));
  }
  show(sum);
  return sum;
}

process.exitCode = await main();
