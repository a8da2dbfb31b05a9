import { expect, test } from 'vitest';
import { LISTED } from '../../functions/aws/documents/listed.ts';
import { contextCaller, newDocument } from '../support/context-callers.ts';
import { first, type IsCommand, meddle } from '../support/document-tables.ts';
import { documentWorld, LONG_TEXT, touches } from '../support/document-world.ts';
import { storedBefore } from '../support/old-documents.ts';
import { expectWhole } from '../support/whole-documents.ts';

/** The first list of a namespace, which puts what is there into lists, amid a delete of a document that has the same id or filters. */

const world = documentWorld('lists');
const { aDocument, caller, connect, drop, fresh, listed, remove, restore, rows, storeOver, storeWith } =
  world;

/** A put of a row of a list, alone or in a batch. */
const putsListRow: IsCommand = (command, input) =>
  /^(?:PutItem|BatchWriteItem)Command$/.test(command) && input.includes('"LIST#');

/** A store, and how many of its commands were of this sort. */
function counted(isIt: IsCommand) {
  let count = 0;
  const client = meddle(connect(), isIt, async () => {
    count += 1;
  });
  return { store: storeOver(client), count: () => count };
}

/** Makes the namespace one whose documents an older version stored, which had no lists. */
async function unlist(): Promise<void> {
  const isOfLists = (sk: string) => /^(?:LIST|SCOPE)#/.test(sk);
  for (const sk of [LISTED, ...(await rows()).filter(isOfLists)]) await drop(sk);
}

const BY_TAG = { filename: undefined, tags: ['t'], limit: 10, offset: 0, cursor: undefined };

test('a document that is stored again, and listed for the first time, while one of its id is deleted stays in its lists', async () => {
  const document = aDocument();
  expect((await restore(document)).ok).toBe(true);
  const slow = storeWith(touches('DeleteItem', 'LIST#*'), async () => {
    expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
    expect(await listed(['t'])).toEqual([document.id]);
  });
  expect((await remove(document, slow.store)).ok).toBe(true);
  expect(slow.isDone()).toBe(true);
  await expectWhole(storeOver(), caller(), { id: document.id, content: LONG_TEXT });
});

test('a document that is made, and listed for the first time, while its partition is deleted is listed', async () => {
  const { orgId, namespace: name } = fresh({ run: '1' });
  expect((await storeOver().createPartition(orgId, { name, ttlSeconds: null })).ok).toBe(true);
  expect((await storeOver().create(caller(), newDocument('old.txt'))).ok).toBe(true);
  const document = aDocument();
  const slow = storeWith(touches('DeleteItem', 'SCOPE#'), async () => {
    expect((await storeOver().create(caller(), document)).ok).toBe(true);
    expect(await listed()).toEqual([document.id]);
  });
  expect(await slow.store.deletePartition(orgId, name)).toEqual({ ok: true, value: { isComplete: true } });
  expect(slow.isDone()).toBe(true);
  await expectWhole(storeOver(), caller(), { id: document.id, content: LONG_TEXT });
});

test('a first list that read a document before another of its id was stored leaves the rows of that one', async () => {
  const document = aDocument();
  const old = { ...document, description: { ...document.description, ttlSeconds: 60 } };
  expect((await storeOver().create(caller(), old)).ok).toBe(true);
  await unlist();
  const slow = storeWith(
    touches('Query', 'DOC#'),
    async () => {
      expect((await remove(document)).ok).toBe(true);
      expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
    },
    'after',
  );
  expect(await slow.store.list(caller(), BY_TAG)).toMatchObject({ ok: true });
  expect(slow.isDone()).toBe(true);
  world.pass(61);
  expect(await listed(['t'])).toEqual([document.id]);
});

test('of two first lists beside a delete and an import, the slower one takes no row of the new document for the old one’s', async () => {
  const document = aDocument();
  await restore(document);
  await unlist();
  let release = () => {};
  let arrive = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  // It has read which rows it removes, and comes to them when both lists are through.
  const deleting = storeWith(touches('DeleteItem', 'LIST#*'), async () => {
    expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
    arrive();
    await released;
  });
  let deleted: Promise<unknown> = Promise.resolve();
  const slow = storeWith(putsListRow, async () => {
    expect(await listed(['t'])).toEqual([document.id]);
    deleted = remove(document, deleting.store);
    await arrived;
  });
  expect(await slow.store.list(caller(), BY_TAG)).toMatchObject({ ok: true });
  release();
  await deleted;
  expect([slow.isDone(), deleting.isDone()]).toEqual([true, true]);
  await expectWhole(storeOver(), caller(), { id: document.id, content: LONG_TEXT });
});

test('a document that is deleted while it is first put into lists leaves no row in them', async () => {
  fresh({ run: '1' });
  const document = aDocument();
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  await unlist();
  const slow = storeWith(putsListRow, () => remove(document));
  expect(await slow.store.list(caller(), BY_TAG)).toMatchObject({ value: { documents: [] } });
  expect(slow.isDone()).toBe(true);
  expect((await rows()).filter((sk) => sk.includes(document.id))).toEqual([]);
});

test('a first list in a namespace that is new reads no more than it lists, however many documents there are', async () => {
  for (let number = 0; number < 60; number += 1) {
    const tags = number === 0 ? ['t'] : [];
    expect((await storeOver().create(caller(), aDocument({ tags, content: null }))).ok).toBe(true);
  }
  const heads = counted(touches('Query', 'DOC#'));
  expect(await heads.store.list(caller(), BY_TAG)).toMatchObject({ value: { documents: [{}] } });
  expect(heads.count()).toBe(0);
});

test('creates put what was stored before there were lists into them, some of it each', async () => {
  await storedBefore(world.tables(), caller(), 60, { tags: ['t'] });
  const found: number[] = [];
  for (let number = 0; number < 7; number += 1) {
    expect((await storeOver().create(caller(), aDocument({ content: null }))).ok).toBe(true);
    found.push((await rows()).filter((sk) => sk.startsWith('LIST#*')).length);
  }
  // Ten of those that were there each, and its own.
  expect(found).toEqual([11, 22, 33, 44, 55, 66, 67]);
  const heads = counted(touches('Query', 'DOC#'));
  expect((await heads.store.list(caller(), BY_TAG)).ok).toBe(true);
  expect(heads.count()).toBe(0);
});

test('a first list that died is gone on with where it was', async () => {
  const stored = await storedBefore(world.tables(), caller(), 300, { tags: ['t'] });
  let looks = 0;
  const dying = meddle(connect(), touches('Query', 'DOC#'), async () => {
    looks += 1;
    if (looks === 2) throw new Error('died');
  });
  expect((await storeOver(dying).list(caller(), BY_TAG)).ok).toBe(false);
  const heads = counted(touches('Query', 'DOC#'));
  const page = await heads.store.list(caller(), { ...BY_TAG, offset: 295 });
  expect(page.ok && page.value.documents.map(({ id }) => id)).toEqual(stored.slice(295));
  expect(heads.count()).toBe(1);
});

test('a namespace that an older version found to be all in its lists is read no more', async () => {
  const document = aDocument();
  await restore(document);
  await drop(LISTED);
  const opened = await world.tables()(caller());
  const pk = { S: `${caller().orgId}#${caller().namespace}` };
  expect(opened.ok && (await opened.value.put({ pk, sk: { S: 'LISTS' } })).ok).toBe(true);
  const heads = counted(touches('Query', 'DOC#'));
  expect(await heads.store.list(caller(), BY_TAG)).toMatchObject({
    value: { documents: [{ id: document.id }] },
  });
  expect(heads.count()).toBe(0);
  // And says so where its own creates see it.
  await drop('LISTS');
  expect((await heads.store.list(caller(), BY_TAG)).ok).toBe(true);
  expect(heads.count()).toBe(0);
});

test('a list of a namespace that nobody has stored anything in leaves nothing there', async () => {
  const reader = contextCaller({ ...caller(), permissions: 'read', scopeFilters: {} });
  expect(await storeOver().list(reader, BY_TAG)).toMatchObject({ value: { documents: [] } });
  const opened = await world.tables()(caller());
  const pk = `${caller().orgId}#${caller().namespace}`;
  expect(opened.ok && (await opened.value.keys(pk, ''))).toEqual({ ok: true, value: [] });
});

test('a document that is deleted while it is first put into lists leaves no row in them where not all of these can be put', async () => {
  fresh({ run: '1' });
  const document = aDocument();
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  await unlist();
  const isPut = touches('PutItem', 'LIST#');
  const removing = first(isPut);
  const failing = first((...command) => removing.wasMet() && isPut(...command));
  const client = meddle(
    meddle(connect(), removing, () => remove(document)),
    failing,
    async () => {
      throw new Error('no');
    },
  );
  expect((await storeOver(client).list(caller(), BY_TAG)).ok).toBe(false);
  expect(failing.wasMet()).toBe(true);
  expect((await rows()).filter((sk) => sk.includes(document.id))).toEqual([]);
});
