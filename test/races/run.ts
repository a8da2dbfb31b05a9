import { parseArgs } from 'node:util';
import { ATTEMPTS, openRaces, PROCESSES } from './campaign.ts';
import { KINDS } from './kinds.ts';

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
    options: { rounds: { type: 'string', default: '10000' }, kind: { type: 'string', multiple: true } },
  });
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
    const startedAt = performance.now();
    let [done, broken, inconclusive] = [0, 0, 0];
    while (done < rounds) {
      const races = await openRaces();
      const tally = await races.run(kind, Math.min(CHUNK, rounds - done)).finally(() => races.close());
      done += tally.rounds;
      broken += tally.broken.length;
      inconclusive += tally.inconclusive;
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      console.log(
        `${kind.name}: ${done} rounds, ${broken} without exactly one success, ${inconclusive} lost to an outage, ${seconds} s`,
      );
    }
    if (broken > 0) exitCode = 1;
  }
  return exitCode;
}

process.exitCode = await main();
