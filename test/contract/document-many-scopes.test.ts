import { expect, test, vi } from 'vitest';
import type { Row } from '../../functions/aws/context-table.ts';
import { toListPrefix } from '../../functions/aws/documents/list-rows.ts';
import { scopeRows, toScope } from '../../functions/aws/documents/scopes.ts';
import { contextCaller, newDocument } from '../support/context-callers.ts';
import { meddle } from '../support/document-tables.ts';
import { documentWorld, touches } from '../support/document-world.ts';

/** Searches of a team with very many runs: each of their sets of filters counts, and none that the caller does not see. */

/** Two thousand queries take long where the machine is busy. */
vi.setConfig({ testTimeout: 120_000 });

const world = documentWorld('many');
const { caller, connect, storeOver, tables } = world;

const SETS = 600;

const aRun = (run: number, team = 'a') =>
  contextCaller({ namespace: caller().namespace, scopeFilters: { team, run: String(run) } });
const theTeam = () => contextCaller({ namespace: caller().namespace, scopeFilters: { team: 'a' } });

/** The runs of the team, in the order in which they are asked; each has a document in its list. */
async function fill(): Promise<readonly ReturnType<typeof aRun>[]> {
  const runs = Array.from({ length: SETS }, (_, run) => aRun(run));
  await put(
    runs.flatMap((scope) => [
      ...scopeRows({ scope }),
      { sk: { S: `${toListPrefix(toScope(scope.scopeFilters), undefined)}${newDocument('x').id}` } },
    ]),
  );
  return runs.toSorted((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
}

const placeOf = (by: ReturnType<typeof aRun>): string => toScope(by.scopeFilters);

async function put(rows: readonly Row[]): Promise<void> {
  const opened = await tables()(caller());
  if (!opened.ok) throw new Error(opened.error.detail);
  const pk = { S: `${caller().orgId}#${caller().namespace}` };
  const written = await opened.value.writeAll(
    rows.map((row) => ({ ...row, pk })),
    [],
  );
  expect(written.ok).toBe(true);
}

/** Rows of a word in documents that are not there. */
function wordsIn(by: ReturnType<typeof aRun>, count: number): readonly Row[] {
  return Array.from({ length: count }, () => ({
    sk: { S: `TERM#wanted#${placeOf(by)}#9#${newDocument('x').id}#w` },
    n: { N: '1' },
    at: { S: '0' },
  }));
}

async function searched(store = storeOver()) {
  const found = await store.search(theTeam(), { terms: ['wanted'], limit: 10, includeRelations: false });
  if (!found.ok) throw new Error(found.error.detail);
  const { hits, isComplete } = found.value;
  return { ids: hits.map(({ document }) => document.id), isComplete, score: hits[0]?.score };
}

async function createIn(by: ReturnType<typeof aRun>): Promise<string> {
  const made = await storeOver().create(by, newDocument('a.txt', { content: Buffer.from('wanted') }));
  if (!made.ok) throw new Error(made.error.reason);
  return made.value.id;
}

/** A search, and how often it asked for the word. */
async function countedSearch() {
  let queries = 0;
  const client = meddle(connect(), touches('Query', 'TERM#wanted'), async () => {
    queries += 1;
  });
  return { ...(await searched(storeOver(client))), queries };
}

test('a rare word is found in whichever of very many sets it is', async () => {
  const [first = aRun(0), last = aRun(0)] = [(await fill()).at(0), (await fill()).at(-1)];
  const made = [await createIn(first), await createIn(last)];
  expect(await countedSearch()).toMatchObject({ ids: made.toSorted(), isComplete: true });
});

test('and by as many queries, however much there is that the caller does not see', async () => {
  const last = (await fill()).at(-1) ?? aRun(0);
  const made = await createIn(last);
  const before = await countedSearch();
  await put(wordsIn(aRun(0, 'b'), 2_100));
  expect(await countedSearch()).toEqual(before);
  // The set of the team's filters alone is asked too.
  expect(before).toMatchObject({ ids: [made], isComplete: true, queries: SETS + 1 });
});

test('of a word in very many documents of such sets each is asked, and few of them again', async () => {
  const runs = await fill();
  await put(runs.flatMap((run) => wordsIn(run, 4)));
  let asked = 0;
  const client = meddle(connect(), touches('Query', 'TERM#wanted#'), async () => {
    asked += 1;
  });
  expect(await searched(storeOver(client))).toMatchObject({ isComplete: false });
  expect(asked).toBeLessThan(SETS + 100);
});
