import { expect, test } from 'vitest';
import { newDocument } from '../support/context-callers.ts';
import { actAtWrite, dieAtWrite, type IsCommand, meddle } from '../support/document-tables.ts';
import { documentWorld, LONG_TEXT, relationBetween, touches } from '../support/document-world.ts';
import { expectWhole } from '../support/whole-documents.ts';

/** Partitions that several make at once, or that are deleted while they are made: what the directory says holds for their documents. */

const world = documentWorld('partitions');
const { aDocument, caller, pass, restore, rows, remove, storeOver, storeWith } = world;

const deletePartition = (store = storeOver()) => store.deletePartition(caller().orgId, caller().namespace);

const makePartition = (ttlSeconds: number | null, store = storeOver()) =>
  store.createPartition(caller().orgId, { name: caller().namespace, ttlSeconds });

/** When a document ends that is made now and does not say it; null for never. */
async function endOfNext(): Promise<number | null> {
  const made = await storeOver().create(caller(), newDocument('a.txt'));
  if (!made.ok) throw new Error(made.error.reason);
  return made.value.expiresAtSeconds;
}

test('who is refused a partition gives its lifetime to no document', async () => {
  let refused = 0;
  for (let at = 0, isThrough = false; !isThrough; at += 1) {
    world.fresh();
    const ends: (number | null)[] = [];
    const client = world.connect();
    let isFirst = false;
    const met = actAtWrite(client, at, async () => {
      isFirst = (await makePartition(null)).ok;
    });
    const isWrite: IsCommand = (command) => isFirst && /Put|Delete/.test(command);
    meddle(client, isWrite, async () => ends.push(await endOfNext()), 'after');
    const made = await makePartition(60, storeOver(client));
    isThrough = met.writes() <= at;
    expect(made.ok).toBe(!isFirst);
    if (!isFirst) continue;
    refused += 1;
    for (const end of [...ends, await endOfNext()]) expect(end).toBe(null);
  }
  expect(refused).toBeGreaterThan(0);
});

async function listed() {
  const found = await storeOver().listPartitions(caller().orgId);
  return found.ok ? found.value.filter(({ name }) => name === caller().namespace) : [];
}

test('nothing is left of a partition that is refused, or deleted while it is made', async () => {
  const { orgId, namespace } = caller();
  const remove = async () => {
    expect((await storeOver().deletePartition(orgId, namespace)).ok).toBe(true);
  };
  const slow = storeWith(touches('PutItem', 'SETTINGS'), remove);
  expect((await makePartition(60, slow.store)).ok).toBe(true);
  expect(slow.isDone()).toBe(true);
  expect(await listed()).toEqual([]);
  expect(await rows()).toEqual([]);
  expect(await endOfNext()).toBe(null);
});

test.for(['before', 'after'] as const)(
  'who makes a partition again that died %s any of its writes is told that it is there, and it is as it was said',
  async (when) => {
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      world.fresh();
      const client = world.connect();
      const death = dieAtWrite(client, at, when);
      await makePartition(60, storeOver(client));
      isThrough = death.writes() <= at;
      const isListed = (await listed()).length > 0;
      expect((await makePartition(isListed ? 30 : 60)).ok).toBe(!isListed);
      expect(await endOfNext()).toBe(newDocument('b').nowSeconds + 60);
    }
  },
);

test('a document that was deleted and imported again after a delete of its partition has read it stays whole', async () => {
  await makePartition(null);
  const document = aDocument();
  expect((await restore(document)).ok).toBe(true);
  const isDeleteOfHead: IsCommand = (command, input) =>
    /Delete|BatchWrite/.test(command) && input.includes(`"DOC#${document.id}`);
  const slow = storeWith(isDeleteOfHead, async () => {
    expect((await remove(document)).ok).toBe(true);
    expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
  });
  expect(await deletePartition(slow.store)).toMatchObject({ ok: true });
  expect(slow.isDone()).toBe(true);
  await expectWhole(storeOver(), caller(), { id: document.id, content: LONG_TEXT });
});

test('of a relation whose partition is deleted while it is made, and whose making dies then, nothing is left in the end', async () => {
  let left = 0;
  for (let at = 1; at <= 2; at += 1) {
    world.fresh();
    const two = async () => {
      const both = [aDocument(), newDocument('b.txt')] as const;
      for (const one of both) expect((await restore(one)).ok).toBe(true);
      return both;
    };
    await makePartition(null);
    const relation = relationBetween(...(await two()));
    const client = meddle(
      world.connect(),
      touches('PutItem', 'REL#'),
      deletePartition.bind(undefined, storeOver()),
    );
    dieAtWrite(client, at, 'after');
    await storeOver(client).relate(caller(), relation);
    const ofIt = async () => (await rows()).filter((sk) => sk.includes(relation.id));
    left += (await ofIt()).length;
    pass(3_600);
    await makePartition(null);
    expect((await storeOver().relate(caller(), relationBetween(...(await two())))).ok).toBe(true);
    expect(await ofIt()).toEqual([]);
  }
  expect(left).toBeGreaterThan(2);
});
