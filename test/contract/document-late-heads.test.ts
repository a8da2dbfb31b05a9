import { expect, test } from 'vitest';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { newDocument } from '../support/context-callers.ts';
import { type IsCommand, meddle, type When } from '../support/document-tables.ts';
import { documentWorld, relationBetween, touches } from '../support/document-world.ts';
import { expectWhole } from '../support/whole-documents.ts';

/** A head that is put once more after its document was deleted, and a delete that its create learns of although it is given up. */

const world = documentWorld('late');
const { aDocument, caller, listed, remove, restore, rows, rowsLeft, storeOver, storeWith } = world;
const isPutOfHead = touches('PutItem', 'DOC#');
const GONE = { ok: false, error: { reason: 'idempotency_conflict', cause: 'gone' } };

const died = async (): Promise<never> => {
  throw new Error('died');
};

/** The same again, as a client repeats it later. */
const again = (document: NewDocument): NewDocument => ({ ...document, id: newDocument('c').id });

const isThere = async ({ id }: NewDocument) => (await storeOver().info(caller(), id)).ok;

async function expectGone(document: NewDocument): Promise<void> {
  expect((await rowsLeft()).filter((sk) => sk.includes(document.id))).toEqual([]);
  expect([await isThere(document), await listed(), await listed(['t'])]).toEqual([false, [], []]);
}

/** Acts at the put of a head and fails at every command of this sort that comes after. */
function failingAfter(act: () => Promise<unknown>, isFailing: IsCommand, when: When = 'before') {
  let isAfter = false;
  const client = meddle(
    world.connect(),
    (command, input) => isAfter && !isPutOfHead(command, input) && isFailing(command, input),
    died,
  );
  return storeOver(
    meddle(
      client,
      (command, input) => !isAfter && isPutOfHead(command, input),
      async () => {
        await act();
        isAfter = true;
      },
      when,
    ),
  );
}

const ANYTHING: IsCommand = () => true;
const MARKS: IsCommand = (command) => command === 'UpdateItemCommand';

test('a head that comes after its delete goes, although its create died: one of a key that another create made', async () => {
  const document = aDocument({ idempotencyKey: 'k' });
  const repeatAndRemove = async () => {
    expect(await storeOver().create(caller(), again(document))).toMatchObject({ ok: true });
    expect(await remove(document)).toMatchObject({ ok: true });
  };
  await failingAfter(repeatAndRemove, ANYTHING).create(caller(), document);
  expect(await isThere(document)).toBe(true);
  await expectGone(document);
  expect(await storeOver().create(caller(), again(document))).toEqual(GONE);
});

test.for(['create', 'keyed create', 'import'] as const)(
  'a head that comes after its delete goes, although its create died: one that is put once more (%s)',
  async (kind) => {
    const document = aDocument(kind === 'keyed create' ? { idempotencyKey: 'k' } : {});
    const removed = async () => expect(await remove(document)).toMatchObject({ ok: true });
    const store = failingAfter(removed, ANYTHING, 'lost');
    await (kind === 'import' ? restore(document, store) : store.create(caller(), document));
    // Until then it is whole.
    await expectWhole(storeOver(), caller(), { id: document.id, content: String(document.content) });
    await expectGone(document);
  },
);

test('a head that comes after its delete goes with the next create of its key, which is told so', async () => {
  const document = aDocument({ idempotencyKey: 'k' });
  const repeatAndRemove = async () => {
    expect(await storeOver().create(caller(), again(document))).toMatchObject({ ok: true });
    expect(await remove(document)).toMatchObject({ ok: true });
  };
  const store = failingAfter(repeatAndRemove, MARKS);
  expect(await store.create(caller(), document)).toMatchObject({ error: { reason: 'unavailable' } });
  expect(await storeOver().create(caller(), again(document))).toEqual(GONE);
  expect(await isThere(document)).toBe(false);
  await expectGone(document);
});

test('a late head that somebody edits stays', async () => {
  const document = aDocument();
  const store = failingAfter(() => remove(document), ANYTHING, 'lost');
  await store.create(caller(), document);
  expect((await storeOver().write(caller(), document.id, Buffer.from('the last'), '*')).ok).toBe(true);
  await rowsLeft();
  await expectWhole(storeOver(), caller(), { id: document.id, content: 'the last' });
});

test('what a delete took goes at once where its create died long ago', async () => {
  const document = aDocument();
  await failingAfter(async () => {}, ANYTHING).create(caller(), document);
  world.pass(3_600);
  expect((await remove(document)).ok).toBe(true);
  expect((await rows()).filter((sk) => sk.startsWith('CHUNK#'))).toEqual([]);
});

/** What the delete of a child's parent does when its relation is taken away. */
const AT: Readonly<Record<string, IsCommand>> = {
  'before it marks': touches('PutItem', 'REMOVING#'),
  'after it marked': touches('UpdateItem', 'PENDING#'),
};

test.for(Object.keys(AT).flatMap((at) => [{}, { idempotencyKey: 'k' }].map((key) => [at, key] as const)))(
  'a child whose create is under way stays where it is taken from its parent while that is deleted, %s (%o)',
  async ([at, key]) => {
    const [parent, child] = [newDocument('p'), aDocument(key)];
    expect((await restore(parent)).ok).toBe(true);
    const relation = relationBetween(parent, child, { kind: 'parent-child' });
    const making = storeWith(
      isPutOfHead,
      async () => {
        expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
        const isIt = AT[at] ?? (() => false);
        const deleting = storeWith(isIt, async () => {
          expect((await storeOver().unrelate(caller(), relation.id)).ok).toBe(true);
        });
        expect(await remove(parent, deleting.store)).toEqual({ ok: true, value: [parent.id] });
        expect(deleting.isDone()).toBe(true);
      },
      'after',
    );
    expect(await making.store.create(caller(), child)).toMatchObject({ ok: true, value: { id: child.id } });
    await expectWhole(storeOver(), caller(), { id: child.id, content: String(child.content) });
    if (key.idempotencyKey !== undefined) {
      expect(await storeOver().create(caller(), again(child))).toMatchObject({ value: { id: child.id } });
    }
    expect((await rows()).filter((sk) => /^(?:PENDING|REMOVING)#/.test(sk))).toEqual([]);
  },
);

test('a delete that gives up takes back its own mark, and not that of another which goes on', async () => {
  const document = aDocument({ idempotencyKey: 'k' });
  const edit = () => storeOver().write(caller(), document.id, Buffer.from('new'), '*');
  const isDeleteOfHead = touches('DeleteItem', 'DOC#');
  const making = storeWith(
    isPutOfHead,
    async () => {
      const refused = storeWith(isDeleteOfHead, edit);
      const other = storeWith(isDeleteOfHead, async () => {
        expect(await refused.store.delete(caller(), document.id, new Set([1]))).toMatchObject({ ok: false });
      });
      expect(await remove(document, other.store)).toMatchObject({ ok: true });
    },
    'lost',
  );
  expect(await making.store.create(caller(), document)).toEqual(GONE);
  await expectGone(document);
});

test('a document that a repeated create was answered with has been there', async () => {
  const made = aDocument({ idempotencyKey: 'k' });
  const document = { ...made, description: { ...made.description, ttlSeconds: 60 } };
  await storeOver(meddle(world.connect(), MARKS, died)).create(caller(), document);
  expect(await storeOver().create(caller(), again(document))).toMatchObject({ ok: true });
  world.pass(60);
  const late = { ...again(document), nowSeconds: document.nowSeconds + 60 };
  expect(await storeOver().create(caller(), late)).toEqual(GONE);
});
