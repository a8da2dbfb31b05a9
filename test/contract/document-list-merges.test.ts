import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { contextCaller } from '../support/context-callers.ts';
import { listedWorld, type Stored } from '../support/listed-world.ts';

/** Pages over several lists at once, much of which has expired, or has no document any more. */

const theTeam = contextCaller({ scopeFilters: { team: 'a' }, permissions: 'read' });
const everyone = contextCaller({ permissions: 'read' });
const aRun = (run: number): ContextCaller => contextCaller({ scopeFilters: { team: 'a', run: String(run) } });

type World = Awaited<ReturnType<typeof listedWorld>>;

/** Every page of a list, by cursor. */
async function listed(world: World, by: ContextCaller, tags: readonly string[], limit: number, offset = 0) {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.store.list(by, {
      filename: undefined,
      tags,
      limit,
      offset: cursor === undefined ? offset : 0,
      cursor,
    });
    if (!page.ok) throw new Error(page.error.reason);
    ids.push(...page.value.documents.map(({ id }) => id));
    cursor = page.value.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

/** Every page of an export. */
async function walked(world: World, by: ContextCaller, limit: number) {
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await world.store.walk(by, after, limit);
    if (!page.ok) throw new Error(page.error.detail);
    const { documents, pausedAt } = page.value;
    ids.push(...documents.map(({ id }) => id));
    if (documents.length < limit && pausedAt === undefined) return ids;
    after = pausedAt ?? ids.at(-1);
  }
}

/** Documents of one set of filters: how many, from which second on, how far apart, and of how many in a hundred what became. */
const aSet = fc.record({
  count: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 100, max: 300 })),
  from: fc.integer({ min: 0, max: 2_000 }),
  every: fc.integer({ min: 0, max: 5 }),
  expired: fc.constantFrom(0, 20, 98, 100),
  lost: fc.constantFrom(0, 10),
  tagged: fc.constantFrom(0, 50, 100),
});

/** How many in a hundred have the tag that few have. */
const RARE = 4;

const isOf = (share: number, number: number): boolean => (number * 37) % 100 < share;

test('whatever has expired of whichever lists, every document comes once, in order, and the last page ends it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(aSet, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 8, max: 100 }),
      fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 250, max: 600 })),
      async (sets, limit, offset) => {
        const world = await listedWorld({ isSettled: true });
        const all: { readonly id: string; readonly tags: readonly string[] }[] = [];
        for (const [run, { count, from, every, expired, lost, tagged }] of sets.entries()) {
          const documents: Stored[] = Array.from({ length: count }, (_, number) => ({
            second: from + number * every,
            ...(isOf(expired, number) ? { ttlSeconds: 10 } : {}),
            tags: [...(isOf(tagged, number + 7) ? ['t'] : []), ...(isOf(RARE, number) ? ['rare'] : [])],
            isLost: isOf(lost, number + 3),
          }));
          const ids = await world.put(aRun(run), documents);
          for (const [number, { ttlSeconds, isLost = false, tags = [] }] of documents.entries()) {
            if (ttlSeconds !== undefined || isLost) continue;
            all.push({ id: ids[number] ?? '', tags });
          }
        }
        world.pass(10);
        const expected = (...tags: string[]) =>
          all
            .filter((one) => tags.every((tag) => one.tags.includes(tag)))
            .map(({ id }) => id)
            .toSorted();
        expect(await listed(world, theTeam, [], limit, offset)).toEqual(expected().slice(offset));
        expect(await listed(world, theTeam, ['t'], limit)).toEqual(expected('t'));
        expect(await listed(world, theTeam, ['t', 'rare'], limit)).toEqual(expected('t', 'rare'));
        expect(await listed(world, everyone, ['t'], limit)).toEqual(expected('t'));
        expect(await walked(world, theTeam, limit)).toEqual(expected());
      },
    ),
    { numRuns: 15, endOnFailure: true },
  );
}, 60_000);
