import { beforeAll, describe, expect, test } from 'vitest';
import type { DocumentQuery } from '../../functions/core/documents/input.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { contextCaller } from '../support/context-callers.ts';
import { listedWorld, many } from '../support/listed-world.ts';

/** What a page costs who sees very many sets of filters, on a table in memory that counts units as DynamoDB does. */

const aRun = (run: number): ContextCaller => contextCaller({ scopeFilters: { team: 'a', run: String(run) } });
const theTeam = contextCaller({ scopeFilters: { team: 'a' }, permissions: 'read' });

const A_PAGE: DocumentQuery = {
  filename: undefined,
  tags: [],
  limit: 100,
  offset: 0,
  cursor: undefined,
  includeRelations: false,
};

describe('of 24,000 documents in 200 sets of filters', () => {
  const SETS = 200;
  let world: Awaited<ReturnType<typeof listedWorld>>;
  beforeAll(async () => {
    world = await listedWorld({ isSettled: true });
    for (let run = 0; run < SETS; run += 1) await world.put(aRun(run), many(120));
  });

  test.for([
    ['a page of 100', 2_000, 350, (store) => store.list(theTeam, A_PAGE)],
    ['a page of 10', 2_000, 250, (store) => store.list(theTeam, { ...A_PAGE, limit: 10 })],
    ['a page of 1', 800, 230, (store) => store.list(theTeam, { ...A_PAGE, limit: 1 })],
    [
      'a page of 1 with a name',
      2_000,
      500,
      (store) => store.list(theTeam, { ...A_PAGE, limit: 1, filename: 'x' }),
    ],
    ['a page of an export', 2_000, 350, (store) => store.walk(theTeam, undefined, 101)],
  ] satisfies [string, number, number, (store: DocumentStore) => Promise<{ ok: boolean }>][])(
    '%s takes a query of each set, and at most %i rows and %i units',
    async ([, rows, units, act]) => {
      const cost = await world.costOf(() => act(world.store));
      expect(cost.rows).toBeLessThan(rows);
      expect(cost.read).toBeLessThan(units);
      expect(cost.queries).toBeGreaterThan(SETS);
      expect(cost.queries).toBeLessThan(SETS + 20);
    },
  );

  test('a page that finds nothing of 10,000 reads no more rows than there are', async () => {
    const none = { ...A_PAGE, limit: 1, filename: 'y' };
    const cost = await world.costOf(() => world.store.list(theTeam, none));
    expect(cost.rows).toBeLessThan(24_600);
    expect(cost.queries).toBeLessThan(4 * SETS);
    // Lists that run short are read on together, and not each when the order needs it.
    expect(cost.rounds).toBeLessThan(100);
  });
});

test('sets of filters that follow one another are read on one by one, by what there is of them', async () => {
  const world = await listedWorld({ isSettled: true });
  for (let run = 0; run < 100; run += 1) await world.put(aRun(run), many(40, { firstSecond: run * 40 }));
  const cost = await world.costOf(() => world.store.list(theTeam, A_PAGE));
  expect(cost.rows).toBeLessThan(100 * 8 + 400);
  expect(cost.queries).toBeLessThan(110);
});

describe('sets of filters without a document are swept by who lists', () => {
  const SETS = 200;

  /** So many that are all of documents which have expired. */
  async function expired({ isSettled }: { readonly isSettled: boolean }) {
    const world = await listedWorld({ isSettled });
    for (let run = 0; run < SETS; run += 1) await world.put(aRun(run), many(1, { ttlSeconds: 60 }));
    await world.put(contextCaller(), many(150, { value: 'v'.repeat(8_000) }));
    world.pass(86_400);
    return world;
  }

  test('some with each page, by one look at the notes, until few are left', async () => {
    const world = await expired({ isSettled: true });
    const first = await world.costOf(() => world.store.list(theTeam, A_PAGE));
    expect(first).toMatchObject({ notes: 1, write: 2 * 16 });
    for (let pages = 0; pages < 30; pages += 1) await world.costOf(() => world.store.list(theTeam, A_PAGE));
    expect(await world.scopeRows()).toBeLessThanOrEqual(2 * 32);
    const last = await world.costOf(() => world.store.list(theTeam, A_PAGE));
    expect(last).toMatchObject({ notes: 0, write: 0 });
    expect(last.queries).toBeLessThan(40);
  });

  test('and with each page of an export', async () => {
    const world = await expired({ isSettled: true });
    const walk = () => world.store.walk(theTeam, undefined, 101);
    expect(await world.costOf(walk)).toMatchObject({ notes: 1, write: 2 * 16 });
  });

  test('and not where it is not settled that lists have all: the next page would do it again for nothing', async () => {
    const world = await expired({ isSettled: false });
    for (let pages = 0; pages < 2; pages += 1) {
      const cost = await world.costOf(() => world.store.list(theTeam, { ...A_PAGE, limit: 1 }));
      expect(cost).toMatchObject({ notes: 0, write: 0 });
      expect(cost.queries).toBeLessThan(SETS + 5);
    }
  });

  test('and not those for which a create is noted', async () => {
    const world = await expired({ isSettled: true });
    for (let run = 0; run < SETS; run += 1) await world.note(aRun(run));
    const cost = await world.costOf(() => world.store.list(theTeam, { ...A_PAGE, limit: 1 }));
    expect(cost).toMatchObject({ notes: 1, write: 0 });
    expect(cost.queries).toBeLessThan(SETS + 5);
  });

  test('and not by who looks at a part of them', async () => {
    const world = await expired({ isSettled: true });
    const search = { terms: ['x'], limit: 10, includeRelations: false };
    const first = await world.store.list(contextCaller(), { ...A_PAGE, limit: 1 });
    const after = first.ok ? first.value.documents[0]?.id : undefined;
    for (const act of [
      () => world.store.list(theTeam, { ...A_PAGE, tags: ['x'] }),
      () => world.store.walk(theTeam, after, 101),
      () => world.store.search(theTeam, search),
    ]) {
      expect(await world.costOf(act)).toMatchObject({ notes: 0, write: 0 });
    }
  });

  test('and nothing is looked at for it where each has one', async () => {
    const world = await listedWorld({ isSettled: true });
    for (let run = 0; run < 40; run += 1) await world.put(aRun(run), many(1));
    const cost = await world.costOf(() => world.store.list(theTeam, { ...A_PAGE, limit: 1 }));
    expect(cost).toMatchObject({ notes: 0, write: 0 });
    expect(cost.queries).toBeLessThan(40 + 5);
  });
});
