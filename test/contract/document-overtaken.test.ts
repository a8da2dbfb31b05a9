import { expect, test } from 'vitest';
import { newDocument } from '../support/context-callers.ts';
import { documentWorld, LONG_TEXT, touches } from '../support/document-world.ts';
import { archived, expectWhole } from '../support/whole-documents.ts';

/** Creates that something overtakes between two of their steps. */

const world = documentWorld('overtaken');
const { aDocument, caller, listed, remove, restore, rowsLeft, storeOver, storeWith } = world;

const deletePartition = (store = storeOver()) => store.deletePartition(caller().orgId, caller().namespace);

async function makePartition(): Promise<void> {
  const partition = { name: caller().namespace, ttlSeconds: null };
  expect((await storeOver().createPartition(caller().orgId, partition)).ok).toBe(true);
}

test.for(['document', 'partition'] as const)(
  'of a create whose %s is deleted before it has come to its end, nothing is left',
  async (what) => {
    await makePartition();
    const document = aDocument();
    const gone = () => (what === 'document' ? remove(document) : deletePartition());
    const slow = storeWith(touches('DeleteItem', 'PENDING#'), async () => {
      expect(await gone()).toMatchObject({ ok: true });
    });
    expect((await slow.store.create(caller(), document)).ok).toBe(true);
    expect(slow.isDone()).toBe(true);
    expect((await storeOver().info(caller(), document.id)).ok).toBe(false);
    expect((await rowsLeft()).filter((sk) => sk.includes(document.id))).toEqual([]);
  },
);

test('an import that loses gives the rows of the document that won neither its end nor its name', async () => {
  const document = aDocument();
  await listed(['x']);
  const entry = archived(document);
  if (entry.type !== 'document') throw new Error('no document');
  const ending = { ...entry.document, expiresAtSeconds: entry.document.createdAtSeconds + 60 };
  const slow = storeWith(touches('BatchWriteItem', 'LIST#'), async () => {
    expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
  });
  const lost = await slow.store.restore(caller(), { type: 'document', document: ending });
  expect(slow.isDone()).toBe(true);
  expect(lost).toMatchObject({ ok: true, value: { outcome: 'unchanged' } });
  world.pass(61);
  await expectWhole(storeOver(), caller(), { id: document.id, content: LONG_TEXT });
  expect((await remove(document)).ok).toBe(true);
  expect((await rowsLeft()).filter((sk) => sk.includes(document.id))).toEqual([]);
});

test('a create that is repeated under its key while its partition is deleted makes one document, or none', async () => {
  let overtaken = 0;
  for (const prefix of ['DOC#', 'IDEMPOTENCY#']) {
    for (const command of ['UpdateItem', 'BatchWriteItem', 'DeleteItem']) {
      world.fresh();
      await makePartition();
      const document = aDocument({ idempotencyKey: 'k' });
      expect((await storeOver().create(caller(), document)).ok).toBe(true);
      const again = () => storeOver().create(caller(), { ...document, id: newDocument('c').id });
      const slow = storeWith(touches(command, prefix), again);
      expect(await deletePartition(slow.store)).toMatchObject({ ok: true });
      if (slow.isDone()) overtaken += 1;
      const first = (await listed())[0];
      const second = await again();
      expect(second.ok).toBe(true);
      expect(await listed()).toHaveLength(1);
      if (first !== undefined) expect(await listed()).toEqual([first]);
    }
  }
  expect(overtaken).toBeGreaterThan(2);
});
