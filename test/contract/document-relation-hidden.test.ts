import { expect, test } from 'vitest';
import type { DocumentHead } from '../../functions/aws/documents/rows.ts';
import { contextCaller } from '../support/context-callers.ts';
import { relatedDocuments } from '../support/related-documents.ts';

/** What a caller is answered of relations says nothing of those that it does not see: neither how many pages there are, nor what is complete. */

type World = ReturnType<typeof relatedDocuments>;

const caller = contextCaller({ scopeFilters: { run: '1' } });
const LONG_NOTE = 'n'.repeat(2_048);

/** Some documents, with three relations of the first one that the caller sees. */
async function relatedWorld({
  documents = 2,
  isOld,
}: {
  readonly documents?: number;
  readonly isOld: boolean;
}) {
  const world = relatedDocuments();
  const near = await world.documents(documents);
  const ids = await world.relate(near.slice(0, 1), await world.documents(3, { run: '1' }), { isOld });
  return { world, near, ids };
}

/** All that is answered of these documents. */
async function answers({ store, pagesOf }: World, near: readonly DocumentHead[]) {
  const ids = near.map(({ document }) => document.id);
  const pages = await Promise.all([1, 2, 3, 500].map((limit) => pagesOf(ids[0] ?? '', limit, caller)));
  const some = await store.someRelationsOf(caller, ids);
  if (!some.ok) throw new Error(some.error.detail);
  const relations = Array.from(some.value.values(), (one) => [
    one.relations.map(({ id }) => id),
    one.isComplete,
  ]);
  return { pages, relations };
}

const inPages = (ids: readonly string[], limit: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(ids.length / limit) }, (_, index) =>
    ids.slice(index * limit, (index + 1) * limit),
  );

test.for([
  {
    what: 'fifty relations that an earlier version stored',
    hide: async (world: World, near: readonly DocumentHead[]) =>
      world.relate(near, await world.documents(50, { run: '2' }), { isOld: true }),
  },
  {
    what: 'as many of these as two answers have',
    hide: async (world: World, near: readonly DocumentHead[]) =>
      world.relate(near, await world.documents(2_100, { run: '2' }), { isOld: true }),
  },
  {
    what: 'such that say much',
    hide: async (world: World, near: readonly DocumentHead[]) =>
      world.relate(near, await world.documents(400, { run: '2' }), { isOld: true, note: LONG_NOTE }),
  },
  {
    what: 'relations of this version that say much',
    hide: async (world: World, near: readonly DocumentHead[]) =>
      world.relate(near, await world.documents(400, { run: '2' }), { note: LONG_NOTE }),
  },
  {
    what: 'rows of an earlier version that lead to nothing',
    hide: (world: World, [near]: readonly DocumentHead[]) => near && world.loosen(near, 1_000),
  },
])('$what that a caller does not see change nothing of what it is answered', async ({ hide }) => {
  for (const isOld of [false, true]) {
    const { world, near, ids } = await relatedWorld({ isOld });
    const before = await answers(world, near);
    expect(before.pages.map(([first]) => first?.length)).toEqual([1, 2, 3, 3]);
    for (const pages of before.pages) expect(pages.flat().toSorted()).toEqual(ids.toSorted());
    await hide(world, near);
    expect(await answers(world, near)).toEqual(before);
  }
});

test.for([
  { who: 'a run, to its own', by: caller, filters: { run: '1' } },
  { who: 'the namespace, to a run', by: contextCaller(), filters: { run: '1' } },
  { who: 'the namespace, as before', by: contextCaller(), filters: undefined },
])('what leads to nothing takes no place on a page (of $who)', async ({ by, filters }) => {
  const { world, near, ids } = await relatedWorld({ documents: 1, isOld: false });
  const [first] = near;
  if (first === undefined) throw new Error('no document');
  await world.loosen(first, 300, filters);
  for (const limit of [1, 2, 500]) {
    expect(await world.pagesOf(first.document.id, limit, by)).toEqual(inPages(ids, limit));
  }
});

test('however many relations of the documents before it a caller does not see, a document has its own', async () => {
  const { world, near, ids } = await relatedWorld({ documents: 31, isOld: false });
  const documents = [...near.slice(1), ...near.slice(0, 1)];
  for (const one of documents.slice(0, 21)) await world.loosen(one, 5_000, { run: '2' });
  const { relations } = await answers(world, documents);
  expect(relations).toEqual([...near.slice(1).map(() => [[], true]), [ids, true]]);
});

test('looks for a small page are few where the caller sees most of what an earlier version stored', async () => {
  const world = relatedDocuments();
  const near = await world.documents(1);
  await world.relate(near, await world.documents(400, { run: '1' }), { isOld: true });
  const { read } = await world.cost(() =>
    world.store.relationPage(caller, near[0]?.document.id ?? '', { limit: 5, cursor: undefined }),
  );
  expect(read).toBeLessThan(60);
});
