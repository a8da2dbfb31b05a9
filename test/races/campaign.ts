import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startContextTable } from '../support/context-table.ts';
import { makeEcKey } from '../support/foreign-issuer.ts';
import type { Ending, Kind } from './kinds.ts';
import type { WorkerOrder, WorkerReport } from './worker.ts';
import { openWorld } from './world.ts';

/** Attempts at one and the same thing, at once. */
export const ATTEMPTS = 50;
/** Processes that they come from, beside the one that holds the table. */
export const PROCESSES = 4;
/** How often a round is prepared anew. */
const PREPARATIONS = 5;

/** What the rounds of one kind came to. */
export type Tally = {
  readonly rounds: number;
  /** Rounds that not exactly one attempt won, and that no outage explains, with how many won. */
  readonly broken: readonly number[];
  /** Rounds that nobody won because DynamoDB did not answer in time: its winner was told of an outage. */
  readonly inconclusive: number;
};

/** Processes over one table, ready to race. */
export type Races = {
  /** Runs rounds of a kind; `onRound` is told what they have come to so far. */
  run(kind: Kind, rounds: number, onRound?: (tally: Tally) => void): Promise<Tally>;
  close(): Promise<void>;
};

/** Starts them. `isBroken` takes the conditions out of the store. */
export async function openRaces(isBroken = false): Promise<Races> {
  const table = await startContextTable();
  const { port = 0 } = (await table.client.config.endpoint?.()) ?? {};
  const key = makeEcKey();
  const seed = { dynamoPort: port, tableName: table.tableName, foreignKey: key.published, isBroken };
  const world = await openWorld(seed);
  const workers = await Promise.all(Array.from({ length: PROCESSES }, () => startWorker({ seed })));
  return {
    async run(kind, rounds, onRound = () => {}) {
      const broken: number[] = [];
      const tally = { rounds: 0, broken, inconclusive: 0 };
      while (tally.rounds < rounds) {
        const prize = await prepare(kind, world, key);
        const shares = workers.map((worker, index) => order(worker, { prize, attempts: shareOf(index) }));
        count(tally, (await Promise.all(shares)).flatMap(endingsOf));
        onRound(tally);
      }
      return tally;
    },
    async close() {
      await Promise.all(workers.map(stop));
      await world.app.close();
      await table.close();
    },
  };
}

/** Of thousands of rounds on a busy machine some begin while the table does not answer in time: they begin again. */
async function prepare(
  kind: Kind,
  world: Awaited<ReturnType<typeof openWorld>>,
  key: ReturnType<typeof makeEcKey>,
  attemptsLeft = PREPARATIONS,
): ReturnType<Kind['prepare']> {
  try {
    return await kind.prepare(world, key);
  } catch (error) {
    if (attemptsLeft <= 1) throw error;
    return prepare(kind, world, key, attemptsLeft - 1);
  }
}

function count(
  tally: { rounds: number; broken: number[]; inconclusive: number },
  endings: readonly Ending[],
): void {
  const won = endings.filter((ending) => ending === 'won').length;
  tally.rounds += 1;
  if (won === 0 && endings.includes('outage')) tally.inconclusive += 1;
  else if (won !== 1) tally.broken.push(won);
}

/** Fifty in four: 13, 13, 12, 12. */
function shareOf(index: number): number {
  return Math.ceil((ATTEMPTS - index) / PROCESSES);
}

/** `ended` rejects when the process is gone. */
type Worker = { readonly child: ChildProcess; readonly ended: Promise<never> };

async function startWorker(first: WorkerOrder): Promise<Worker> {
  const child = fork(join(import.meta.dirname, 'worker.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('a worker ended')));
  ended.catch(() => {});
  const worker = { child, ended };
  await order(worker, first);
  return worker;
}

async function order({ child, ended }: Worker, what: WorkerOrder): Promise<WorkerReport> {
  const answered = once(child, 'message');
  child.send(what);
  const [report] = await Promise.race([answered, ended]);
  return report;
}

function endingsOf(report: WorkerReport): readonly Ending[] {
  return 'endings' in report ? report.endings : [];
}

async function stop({ child, ended }: Worker): Promise<void> {
  child.kill();
  await ended.catch(() => {});
}
