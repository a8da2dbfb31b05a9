import { expect, test } from 'vitest';
import { MAX_ANSWERED } from '../../functions/core/documents/relation-page.ts';
import { searchAnswer } from '../../functions/handlers/document-found.ts';
import { type ListedDocument, listPage } from '../../functions/handlers/document-page.ts';
import { contextCaller, newDocument } from '../support/context-callers.ts';
import { relatedDocuments } from '../support/related-documents.ts';

/** What answers have of relations is bounded, in what they say and in what they cost, however many relations documents have. */

const caller = contextCaller();
const LONG_NOTE = 'é'.repeat(2_048);
const query = { filename: undefined, tags: [], limit: 100, offset: 0, cursor: undefined };

type World = ReturnType<typeof relatedDocuments>;

async function listed({ store }: World, filename?: string): Promise<readonly ListedDocument[]> {
  const page = await listPage(
    store,
    caller,
    { ...query, filename, includeRelations: true },
    'https://x/context',
  );
  if (!page.ok) throw new Error(page.error.reason);
  return page.value.documents;
}

const countsOf = (documents: readonly ListedDocument[]) =>
  documents.map(({ relations, relations_complete: isComplete }) => [relations?.length, isComplete]);

test('a page of a hundred documents with five hundred relations each is bounded, and each document has as many as the others', async () => {
  const world = relatedDocuments();
  const [near, far] = [await world.documents(100), await world.documents(500)];
  await world.relate(near, far, { note: 'n'.repeat(100) });
  let documents: readonly ListedDocument[] = [];
  const { calls, read } = await world.cost(async () => {
    documents = await listed(world);
  });
  expect(countsOf(documents)).toEqual(documents.map(() => [20, false]));
  expect(JSON.stringify(documents).length).toBeLessThan(1_200_000);
  expect(calls).toBeLessThan(160);
  expect(read).toBeLessThan(7_000);
  // The oldest ones.
  const [, first] = documents[0]?.relations ?? [];
  expect(first?.to_document_id).toBe(far[1]?.document.id);
});

test.for([
  { what: 'a list', ask: (world: World) => listed(world, 'needle') },
  {
    what: 'a search',
    ask: async ({ store }: World) => {
      const request = { terms: ['needle'], limit: 100, includeRelations: true };
      const found = await searchAnswer(store, caller, request, 'https://x/context');
      if (!found.ok) throw new Error(found.error.reason);
      return found.value.results;
    },
  },
])('$what whose relations say much has no more bytes of them than an answer may', async ({ ask }) => {
  const world = relatedDocuments();
  const near = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const made = await world.store.create(caller, newDocument('needle'));
      if (!made.ok) throw new Error(made.error.reason);
      return world.headOf(made.value.id);
    }),
  );
  await world.relate(near, await world.documents(60), { note: LONG_NOTE });
  const documents = await ask(world);
  const bytes = documents.map(({ relations }) => Buffer.byteLength(JSON.stringify(relations)));
  expect(bytes.reduce((sum, one) => sum + one)).toBeLessThan(MAX_ANSWERED.bytes + 1_000);
  expect(countsOf(documents).map(([, isComplete]) => isComplete)).toEqual([false, false, false]);
  for (const one of bytes) expect(one).toBeGreaterThan(MAX_ANSWERED.bytes / 4);
});

test('a page of usual documents has all of their relations and says nothing else', async () => {
  const world = relatedDocuments();
  const [hub, ...others] = await world.documents(100);
  if (hub === undefined) throw new Error('no document');
  await world.relate([hub], others);
  let documents: readonly ListedDocument[] = [];
  const { calls } = await world.cost(async () => {
    documents = await listed(world);
  });
  expect(countsOf(documents)).toEqual([[99, undefined], ...others.map(() => [1, undefined])]);
  // The documents, their heads, what leads from each, the relations, the heads once more: what leads to them from the other end is known.
  expect(calls).toBe(1 + 1 + 100 + 1 + 1);
});

test.for([{ isOld: false }, { isOld: true }])(
  'pages of the relations of a document have each of them once, oldest first (as before: $isOld)',
  async ({ isOld }) => {
    const world = relatedDocuments();
    const [near, far] = [await world.documents(1), await world.documents(23)];
    const ids = await world.relate(near, far, { isOld });
    const id = near[0]?.document.id ?? '';
    for (const limit of [1, 10, 23, 500]) {
      const pages = await world.pagesOf(id, limit);
      expect(pages.length).toBe(Math.ceil(23 / limit));
      // What is stored of old says nothing of its age: it comes by its id, and is in order where it is on one page.
      const isInOrder = !isOld || limit >= 23;
      expect(isInOrder ? pages.flat() : pages.flat().toSorted()).toEqual(isInOrder ? ids : ids.toSorted());
    }
  },
);

test('a page of relations that say much ends early, and the next ones have the rest', async () => {
  const world = relatedDocuments();
  const [near, far] = [await world.documents(1), await world.documents(300)];
  const ids = await world.relate(near, far, { note: LONG_NOTE });
  const id = near[0]?.document.id ?? '';
  const { read } = await world.cost(() =>
    world.store.relationPage(caller, id, { limit: 500, cursor: undefined }),
  );
  expect(read).toBeLessThan(700);
  const pages = await world.pagesOf(id, 500);
  expect(pages.length).toBe(3);
  expect(pages.flat()).toEqual(ids);
});

test('what a document has many of is cut before what another has few of', async () => {
  const world = relatedDocuments();
  const [many, few] = [await world.documents(5, {}, 'near'), await world.documents(1, {}, 'near')];
  await world.relate(many, await world.documents(500));
  await world.relate(few, await world.documents(30));
  const documents = await listed(world, 'near');
  expect(countsOf(documents)).toEqual([...many.map(() => [394, false]), [30, undefined]]);
});

test('a page of documents with more relations than an answer goes through says so of those after that', async () => {
  const world = relatedDocuments();
  const crowded = await world.documents(20, {}, 'near');
  for (const one of crowded) await world.loosen(one, 5_000);
  const after = await world.documents(2, {}, 'near, after');
  await world.relate(after, await world.documents(1));
  const { calls } = await world.cost(async () => {
    expect(countsOf(await listed(world, 'near'))).toEqual([...crowded, ...after].map(() => [0, false]));
  });
  // The documents, their heads, what leads from each of the crowded ones, and as many of their relations as an answer may have.
  expect(calls).toBe(1 + 1 + 20 + 20);
  expect(countsOf(await listed(world, 'after'))).toEqual(after.map(() => [1, undefined]));
});

test.for([{ isOld: false }, { isOld: true }])(
  'relations that a caller does not see are not on its pages (as before: $isOld)',
  async ({ isOld }) => {
    const world = relatedDocuments();
    const near = await world.documents(1);
    const [own, hidden] = [await world.documents(3, { run: '1' }), await world.documents(40, { run: '2' })];
    const seen = await world.relate(near, own, { isOld });
    await world.relate(near, hidden, { isOld });
    const id = near[0]?.document.id ?? '';
    const run = contextCaller({ scopeFilters: { run: '1' } });
    expect((await world.pagesOf(id, 2, run)).flat().toSorted()).toEqual(seen.toSorted());
    if (!isOld) expect(await world.pagesOf(id, 3, run)).toEqual([seen]);
    expect((await world.pagesOf(id, 500)).flat()).toHaveLength(43);
    const of = await world.store.relationPage(run, hidden[0]?.document.id ?? '', {
      limit: 1,
      cursor: undefined,
    });
    expect(of).toEqual({ ok: false, error: { reason: 'not_found' } });
  },
);

test('who sees few of many relations pays for those few', async () => {
  const world = relatedDocuments();
  const near = await world.documents(1);
  await world.relate(near, await world.documents(2, { run: '2', team: 'a' }));
  const id = near[0]?.document.id ?? '';
  const reader = contextCaller({ scopeFilters: { run: '2' }, permissions: 'read' });
  const look = () => world.store.relationPage(reader, id, { limit: 500, cursor: undefined });
  const calls: number[] = [];
  for (let hidden = 0; hidden <= 450; hidden += 150) {
    const cost = await world.cost(look);
    expect(cost.write).toBe(0);
    calls.push(cost.calls);
    await world.relate(near, await world.documents(150, { run: '1' }), { note: LONG_NOTE });
  }
  // Its head, what leads from it, two relations, what leads to them, all heads.
  expect(calls).toEqual([5, 5, 5, 5]);
  expect((await world.cost(look)).read).toBeLessThan(60);
});
