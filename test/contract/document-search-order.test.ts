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
