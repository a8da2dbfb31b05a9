import { expect, test } from 'vitest';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { newDocument } from '../support/context-callers.ts';
import { dieAtWrite } from '../support/document-tables.ts';
import { documentWorld, touches } from '../support/document-world.ts';

/** Creates with an idempotency key that are repeated while the first is under way, and after the document is gone or over. */

const world = documentWorld('claims');
const { aDocument, caller, listed, pass, remove, rowsLeft, storeOver, storeWith } = world;
const isPutOfHead = touches('PutItem', 'DOC#');
const GONE = { ok: false, error: { reason: 'idempotency_conflict', cause: 'gone' } };

/** The same again, as a client repeats it later. */
const again = (document: NewDocument): NewDocument => ({
  ...document,
  id: newDocument('c').id,
  nowSeconds: document.nowSeconds,
});

async function expectGone(document: NewDocument): Promise<void> {
  expect((await storeOver().info(caller(), document.id)).ok).toBe(false);
  expect([await listed(), await listed(['t'])]).toEqual([[], []]);
  expect((await rowsLeft()).filter((sk) => sk.includes(document.id))).toEqual([]);
}

test('what a repetition made and was deleted does not come back by the first create, which was slow', async () => {
  const document = aDocument({ idempotencyKey: 'k' });
  const slow = storeWith(isPutOfHead, async () => {
    expect(await storeOver().create(caller(), again(document))).toMatchObject({ ok: true });
    expect(await remove(document)).toMatchObject({ ok: true });
  });
  expect(await slow.store.create(caller(), document)).toEqual(GONE);
  expect(slow.isDone()).toBe(true);
  await expectGone(document);
});

test('what the first create made and was deleted does not come back by a repetition, which was slow', async () => {
  const document = aDocument({ idempotencyKey: 'k' });
  const first = Promise.withResolvers<void>();
  const slow = storeWith(isPutOfHead, async () => {
    first.resolve();
    await made;
    expect(await remove(document)).toMatchObject({ ok: true });
  });
  const isHeld = Promise.withResolvers<void>();
  const one = storeWith(isPutOfHead, async () => {
    isHeld.resolve();
    await first.promise;
  });
  const made = one.store.create(caller(), document);
  await isHeld.promise;
  expect(await slow.store.create(caller(), again(document))).toEqual(GONE);
  expect(await made).toMatchObject({ ok: true });
  await expectGone(document);
});

test('who edits a document keeps it, although somebody who could not delete it had begun to', async () => {
  const document = aDocument({ idempotencyKey: 'k' });
  const edit = () => storeOver().write(caller(), document.id, Buffer.from('the last'), '*');
  const deleting = storeWith(touches('DeleteItem', 'DOC#'), edit);
  const { store } = storeWith(
    isPutOfHead,
    async () => {
      const deleted = await deleting.store.delete(caller(), document.id, new Set([1]));
      expect(deleted).toEqual({ ok: false, error: { reason: 'version_conflict' } });
    },
    'after',
  );
  expect((await store.create(caller(), document)).ok).toBe(true);
  const read = await storeOver().read(caller(), document.id);
  expect(read.ok && Buffer.from(read.value.content).toString()).toBe('the last');
  expect((await world.rows()).filter((sk) => /^(?:PENDING|REMOVING)#/.test(sk))).toEqual([]);
});

/** A document that lives for a minute. */
function aMinute(): NewDocument {
  const document = aDocument({ idempotencyKey: 'k' });
  return { ...document, description: { ...document.description, ttlSeconds: 60 } };
}

test('a create that is repeated once its document is over is told so', async () => {
  const document = aMinute();
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  pass(60);
  const late = { ...again(document), nowSeconds: document.nowSeconds + 60 };
  expect(await storeOver().create(caller(), late)).toEqual(GONE);
});

test('a create that died and is repeated once its document would be over makes it now, once', async () => {
  const document = aMinute();
  const client = world.connect();
  dieAtWrite(client, 1, 'before');
  expect((await storeOver(client).create(caller(), document)).ok).toBe(false);
  pass(60);
  const late = { ...again(document), nowSeconds: document.nowSeconds + 60 };
  for (const _ of [1, 2]) {
    const made = await storeOver().create(caller(), late);
    expect(made).toMatchObject({ ok: true, value: { expiresAtSeconds: document.nowSeconds + 120 } });
    expect(await listed()).toEqual([document.id]);
  }
});
