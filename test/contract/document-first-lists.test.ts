import { expect, test } from 'vitest';
import { newDocument } from '../support/context-callers.ts';
import { documentWorld, LONG_TEXT, touches } from '../support/document-world.ts';
import { expectWhole } from '../support/whole-documents.ts';

/** The first list of a namespace, which puts what is there into lists, amid a delete of a document that has the same id or filters. */

const world = documentWorld('lists');
const { aDocument, caller, fresh, listed, remove, restore, storeOver, storeWith } = world;

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
  const query = { filename: undefined, tags: ['t'], limit: 10, offset: 0, cursor: undefined };
  const slow = storeWith(
    touches('Query', 'DOC#'),
    async () => {
      expect((await remove(document)).ok).toBe(true);
      expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
    },
    'after',
  );
  expect(await slow.store.list(caller(), query)).toMatchObject({ ok: true });
  expect(slow.isDone()).toBe(true);
  world.pass(61);
  expect(await listed(['t'])).toEqual([document.id]);
});
