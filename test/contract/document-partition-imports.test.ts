import { expect, test } from 'vitest';
import { newDocument } from '../support/context-callers.ts';
import type { IsCommand } from '../support/document-tables.ts';
import { documentWorld, relationBetween, touches } from '../support/document-world.ts';

/** Imports beside a delete of their partition: what they make stays as a whole, and of what went nothing is left. */

const world = documentWorld('partition-imports');
const { aDocument, caller, restore, rows, rowsLeft, storeOver, storeWith } = world;

const deletePartition = async (store = storeOver()): Promise<void> => {
  const deleted = await store.deletePartition(caller().orgId, caller().namespace);
  expect(deleted).toMatchObject({ value: { isComplete: true } });
};

async function makePartition(): Promise<void> {
  const partition = { name: caller().namespace, ttlSeconds: null };
  expect((await storeOver().createPartition(caller().orgId, partition)).ok).toBe(true);
}

const isThere = async ({ id }: { readonly id: string }) => (await storeOver().info(caller(), id)).ok;

const lookAtAll: IsCommand = (command, input) =>
  command === 'QueryCommand' && input.includes('":prefix":{"S":""}');

test('an import that lost, whose note stays, keeps nothing of the one that won in its lists', async () => {
  await makePartition();
  const document = aDocument();
  const slow = storeWith(touches('PutItem', 'DOC#'), async () => {
    expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
  });
  expect(await restore(document, slow.store)).toMatchObject({ value: { outcome: 'unchanged' } });
  await deletePartition();
  const left = (await rows()).filter((sk) => sk.includes(document.id));
  // And what names the rows of its index, should one of them come late.
  expect(left).toEqual([expect.stringMatching(/^INDEX#/), expect.stringMatching(/^PENDING#/)]);
  expect((await rowsLeft()).filter((sk) => sk.includes(document.id))).toEqual([]);
});

test.for(['one', 'both'] as const)(
  'of a relation whose documents went nothing is left, where %s of their ids come again while that is done',
  async (which) => {
    await makePartition();
    const [a, b] = [aDocument(), newDocument('b.txt')];
    for (const one of [a, b]) expect((await restore(one)).ok).toBe(true);
    const relation = relationBetween(a, b);
    expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
    const slow = storeWith(lookAtAll, async () => {
      for (const one of which === 'one' ? [a] : [a, b]) {
        expect(await restore(one)).toMatchObject({ value: { outcome: 'created' } });
      }
    });
    await deletePartition(slow.store);
    expect([slow.isDone(), await isThere(a), await isThere(b)]).toEqual([true, true, which === 'both']);
    expect((await rows()).filter((sk) => sk.includes(relation.id))).toEqual([]);
  },
);

test('a relation that is made while its partition is deleted stays, seen from both documents', async () => {
  await makePartition();
  const [a, b] = [aDocument(), newDocument('b.txt')];
  const relation = relationBetween(a, b, { note: 'new' });
  const slow = storeWith(lookAtAll, async () => {
    for (const one of [a, b]) expect((await restore(one)).ok).toBe(true);
    expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  });
  await deletePartition(slow.store);
  expect(slow.isDone()).toBe(true);
  expect([await world.notesAt(a), await world.notesAt(b)]).toEqual([['new'], ['new']]);
});
