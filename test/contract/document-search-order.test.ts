import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { scoreOf, weightOf } from '../../functions/core/documents/ranking.ts';
import { isVisible } from '../../functions/core/visibility.ts';
import { contextCaller } from '../support/context-callers.ts';
import { isThere, type Planted, plantedStore } from '../support/planted-words.ts';

/** Searches for one word, which read as much of the index as their results need: they find what reading all of it finds. */

vi.setConfig({ testTimeout: 120_000 });

/** What reading everything and sorting it finds. */
function evaluated(all: readonly Planted[], caller: ContextCaller, limit: number): readonly string[] {
  const sees = ({ scopeFilters }: Planted) => isVisible(caller, contextCaller({ scopeFilters }));
  return all
    .filter((one) => isThere(one) && sees(one))
    .toSorted((one, other) => other.count - one.count || (one.id < other.id ? -1 : 1))
    .slice(0, limit)
    .map(({ id }) => id);
}

async function searched(
  store: Awaited<ReturnType<typeof plantedStore>>['store'],
  by: ContextCaller,
  limit: number,
) {
  const found = await store.search(by, { terms: ['wanted'], limit, includeRelations: false });
  if (!found.ok) throw new Error(found.error.detail);
  const { hits, isComplete } = found.value;
  return { ids: hits.map(({ document }) => document.id), scores: hits.map(({ score }) => score), isComplete };
}

const everyone = contextCaller();
const theTeam = contextCaller({ scopeFilters: { team: 'a' } });

const setOf = (run: number): Record<string, string> =>
  run === 0 ? {} : { team: run % 4 === 0 ? 'b' : 'a', run: String(run) };

const counts = fc.oneof(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 4, max: 30 }),
  // The most of those that share a digit.
  fc.constantFrom(5, 7, 11),
  fc.constantFrom(90_000, 90_001),
);

const fates = fc.constantFrom<Planted['fate'][]>(
  'there',
  'edited',
  'shrunk',
  'grown',
  'lost',
  'dead',
  'expired',
);

/** More rows than a first look takes, with few different counts: so most are alike, in their count or in their rank. */
const plots = (runs: number) =>
  fc
    .record({
      few: fc.array(counts, { minLength: 1, maxLength: 4 }),
      fate: fc.array(fates, { minLength: 1, maxLength: 3 }),
      isOld: fc.array(fc.boolean(), { minLength: 1, maxLength: 2 }),
    })
    .chain(({ few, fate, isOld }) =>
      fc.uniqueArray(
        fc.record({
          id: fc.integer({ min: 0, max: 99_999 }).map((id) => `doc_${String(id).padStart(24, '0')}`),
          scopeFilters: fc.nat(runs).map(setOf),
          count: fc.constantFrom(...few),
          fate: fc.constantFrom('there' as const, ...fate),
          isOld: fc.constantFrom(...isOld),
        }),
        { selector: ({ id }) => id, minLength: 40, maxLength: 160 },
      ),
    );

test.for([
  ['one set of filters', 0],
  ['some sets', 3],
  ['many sets', 40],
] as const)('whatever there is in %s, a search finds what reading everything finds', async ([, runs]) => {
  await fc.assert(
    fc.asyncProperty(plots(runs), fc.integer({ min: 1, max: 12 }), async (all, limit) => {
      const { store } = await plantedStore(all);
      for (const by of [everyone, theTeam]) {
        const ids = evaluated(all, by, limit);
        const counts = new Map(all.map(({ id, count }) => [id, count]));
        const scores = ids.map((id) =>
          scoreOf(
            [{ term: 'wanted', count: counts.get(id) ?? 0, positions: [] }],
            new Map([['wanted', weightOf(1)]]),
          ),
        );
        expect(await searched(store, by, limit)).toEqual({ ids, scores, isComplete: true });
      }
    }),
    { numRuns: 100 },
  );
});

type Others = Pick<Planted, 'fate' | 'isOld'> & { readonly counts: readonly number[] };

/** In each of so many sets of filters so many documents, and behind their rows one that is there: the best of those whose rank is one digit. */
const behind = (runs: number, each: number, { counts, ...others }: Others): readonly Planted[] =>
  Array.from({ length: runs * (each + 1) }, (_, number): Planted => {
    const isLast = number >= runs * each;
    const of = {
      id: `doc_${String(number).padStart(24, '0')}`,
      scopeFilters: { team: 'a', run: String(number % runs) },
    };
    const count = counts[number % counts.length] ?? 1;
    if (!isLast) return { ...of, ...others, count };
    const last = others.isOld ? Math.max(...counts) + 1 + (number % 5) : Math.min(...counts);
    return { ...of, count: last, fate: 'there', isOld: others.isOld };
  });

const expired: Others = { fate: 'expired', isOld: false, counts: [1] };
const old: Others = { fate: 'there', isOld: true, counts: [23, 54, 40] };

/** Rows that are asked for and are not there take nothing from what a search looks at: all of these are a few hundred. */
test.for([
  ['expired', 11, 30, expired],
  ['expired', 20, 30, expired],
  ['expired', 50, 10, expired],
  ['expired', 64, 8, expired],
  ['of lost versions', 64, 8, { ...expired, fate: 'lost' }],
  ['of lost versions', 20, 30, { ...expired, fate: 'lost' }],
  ['of dead creates', 12, 30, { ...expired, fate: 'dead' }],
  ['of one-digit ranks', 11, 30, old],
  ['of one-digit ranks', 30, 30, old],
  ['of one-digit ranks', 64, 8, old],
] satisfies [string, number, number, Others][])(
  'behind rows that are %s, in %i sets with %i of them each, a search finds what is there',
  async ([, runs, each, others]) => {
    const all = behind(runs, each, others);
    const { store } = await plantedStore(all);
    for (const by of [everyone, theTeam]) {
      expect(await searched(store, by, 10)).toMatchObject({ ids: evaluated(all, by, 10), isComplete: true });
    }
  },
);

test('whatever is in front of it in whichever number of sets, a search finds what is there', async () => {
  const worlds = fc.record({
    runs: fc.integer({ min: 2, max: 28 }),
    each: fc.integer({ min: 1, max: 34 }),
    fate: fc.constantFrom<Planted['fate'][]>('there', 'expired', 'lost', 'dead'),
    isOld: fc.boolean(),
    counts: fc.array(counts, { minLength: 1, maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(worlds, fc.integer({ min: 1, max: 12 }), async ({ runs, each, ...others }, limit) => {
      const all = behind(runs, each, others);
      const { store } = await plantedStore(all);
      for (const by of [everyone, theTeam]) {
        expect(await searched(store, by, limit)).toMatchObject({
          ids: evaluated(all, by, limit),
          isComplete: true,
        });
      }
    }),
    { numRuns: 60 },
  );
});

test('behind 4,000 rows that have expired a search does not look at all of them, and says that there may be more', async () => {
  const { store, queries } = await plantedStore(behind(20, 200, expired));
  for (const by of [everyone, theTeam]) {
    const before = queries();
    expect(await searched(store, by, 10)).toMatchObject({ isComplete: false });
    expect(queries() - before).toBeLessThan(100);
  }
});

/** Documents that all have the word as often, so many in each of the runs of a team. */
const crowd = (runs: number, each: number): readonly Planted[] =>
  Array.from({ length: runs * each }, (_, number) => ({
    id: `doc_${number.toString(16).padStart(24, '0')}`,
    scopeFilters: runs === 1 ? setOf(0) : { team: 'a', run: String(number % runs) },
    count: 1 + (number % 7),
    fate: 'there',
    isOld: false,
  }));

test.for([
  ['one set of filters', 1, { ofAll: 2, ofTheTeam: 1 }],
  ['fifty sets', 50, { ofAll: 58, ofTheTeam: 51 }],
] as const)('a word in %s costs the same however many documents have it', async ([, runs, queries]) => {
  for (const each of [35, 105]) {
    const all = crowd(runs, each);
    const { store, ...counted } = await plantedStore(all);
    const found = { ids: evaluated(all, everyone, 10), isComplete: true };
    counted.units.read = 0;
    expect(await searched(store, everyone, 10)).toMatchObject(found);
    // Looks at the index, and the heads of those that are found.
    expect([counted.queries(), counted.units.read]).toEqual([queries.ofAll, queries.ofAll + 10]);
    expect(await searched(store, theTeam, 10)).toMatchObject(found);
    expect(counted.queries()).toBe(queries.ofAll + queries.ofTheTeam);
  }
});

test('who sees all of a namespace asks so many of very many sets of filters, and hears that there may be more', async () => {
  const all = crowd(300, 31);
  const { store, queries } = await plantedStore(all);
  const { ids, isComplete } = await searched(store, everyone, 10);
  expect([ids.length, isComplete]).toEqual([10, false]);
  expect(queries()).toBeLessThan(300);
  // Who names filters has all of them asked that it sees.
  expect(await searched(store, theTeam, 10)).toMatchObject({
    ids: evaluated(all, theTeam, 10),
    isComplete: true,
  });
});
