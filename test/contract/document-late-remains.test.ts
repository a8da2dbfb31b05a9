import { PutItemCommand, type PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { LISTED } from '../../functions/aws/documents/listed.ts';
import { toDocumentId } from '../../functions/core/documents/document.ts';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { NOW_SECONDS } from '../support/context-callers.ts';
import { Died, first, type IsCommand } from '../support/document-tables.ts';
import { documentWorld, LONG_TEXT, touches } from '../support/document-world.ts';
import { expectWhole } from '../support/whole-documents.ts';

/** What is left of a document by who died before, beside or after its delete: it goes with that delete, or with one of an hour later. */

const world = documentWorld('remains');
const { aDocument, caller, connect, drop, remove, restore, rows, rowsLeft, storeOver, storeWith } = world;

const leftOf = async ({ id }: { readonly id: string }) => (await rowsLeft()).filter((sk) => sk.includes(id));

test('no word stays of a version whose index was removed in part only, by a write that died', async () => {
  const document = aDocument({ content: Buffer.from('secret words of mine') });
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  let last = '';
  const isRemoval: IsCommand = (_command, input) => {
    if (!/"DeleteRequest".*"TERM#/.test(input)) return false;
    last = [...input.matchAll(/"sk":\{"S":"([^"]+)"/g)].at(-1)?.[1] ?? '';
    return true;
  };
  const { store, isDone } = storeWith(isRemoval, async () => {
    // DynamoDB does the last of a batch, leaves the others undone, and then the function's time is over.
    await drop(last);
    throw new Died('died');
  });
  expect((await store.write(caller(), document.id, Buffer.from('other'), '*')).ok).toBe(true);
  expect([isDone(), last]).toEqual([true, expect.stringMatching(/^(?:TERM|INDEX)#/)]);
  expect((await remove(document)).ok).toBe(true);
  expect(await leftOf(document)).toEqual([]);
});

/** A store that acts before its first command of this sort, and dies when that is done. */
function dyingAfter(isIt: IsCommand, act: () => Promise<unknown>) {
  const last = first(isIt);
  let isDead = false;
  const client = connect();
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (isDead) throw new Died('dead already');
    if (!last(commandName, JSON.stringify(args.input))) return next(args);
    await act();
    isDead = true;
    await next(args);
    throw new Died('died');
  });
  return { store: storeOver(client), isDead: () => isDead };
}

const deleted = (document: NewDocument) => async () => expect((await remove(document)).ok).toBe(true);

test.for(['CHUNK#', 'INDEX#', 'TERM#'])(
  'of a write that a delete overtakes, and that dies when it has put %s, nothing is left an hour later',
  async (kind) => {
    const document = aDocument();
    expect((await storeOver().create(caller(), document)).ok).toBe(true);
    const isPut: IsCommand = (command, input) =>
      /^(?:Put|BatchWrite)Item/.test(command) && input.includes(`"${kind}`);
    const { store, isDead } = dyingAfter(isPut, deleted(document));
    expect((await store.write(caller(), document.id, Buffer.from('secret words'), '*')).ok).toBe(false);
    expect(isDead()).toBe(true);
    expect((await rows()).filter((sk) => sk.startsWith(kind) && sk.includes(document.id))).not.toEqual([]);
    expect(await leftOf(document)).toEqual([]);
  },
);

test('of a first list that a delete overtakes, and that dies when it has put a row, nothing is left an hour later', async () => {
  world.fresh({ run: '1' });
  const document = aDocument();
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  for (const sk of [LISTED, ...(await rows()).filter((one) => /^(?:LIST|SCOPE)#/.test(one))]) await drop(sk);
  const { store, isDead } = dyingAfter(touches('PutItem', 'LIST#'), deleted(document));
  const query = { filename: undefined, tags: ['t'], limit: 10, offset: 0, cursor: undefined };
  expect((await store.list(caller(), query)).ok).toBe(false);
  expect(isDead()).toBe(true);
  expect((await rows()).filter((sk) => sk.startsWith('LIST#'))).not.toEqual([]);
  expect(await leftOf(document)).toEqual([]);
});

test('the note that a delete leaves has no word of the document, and has no end before it was looked at', async () => {
  const document = aDocument({ content: Buffer.from('a secret word') });
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  expect((await remove(document)).ok).toBe(true);
  const opened = await world.tables()(caller());
  if (!opened.ok) throw new Error(opened.error.detail);
  const notes = await opened.value.all(`${caller().orgId}#${caller().namespace}`, 'REMOVING#', 10);
  if (!notes.ok) throw new Error(notes.error.detail);
  expect(notes.value).toHaveLength(1);
  expect(JSON.stringify(notes.value)).not.toMatch(/secret|a\.txt/);
  expect(notes.value[0]).not.toHaveProperty('expires_at');
});

test('of many deletes the one that was first is looked at first, however old its document', async () => {
  const documents = Array.from({ length: 12 }, (_, number) =>
    aDocument({ id: toDocumentId(NOW_SECONDS - number, Buffer.alloc(8, number)), content: null }),
  );
  for (const one of documents) expect((await restore(one)).ok).toBe(true);
  const [old = aDocument(), ...others] = documents;
  expect((await remove(old)).ok).toBe(true);
  world.pass(1_800);
  for (const one of others) expect((await remove(one)).ok).toBe(true);
  world.pass(1_800);
  const last = aDocument();
  expect((await restore(last)).ok).toBe(true);
  expect((await remove(last)).ok).toBe(true);
  expect((await rows()).filter((sk) => sk.includes(old.id))).toEqual([]);
});

/** Has a put of a head sent twice, and answers with what sends the first of them, which comes late. */
function sentTwice(): {
  readonly store: ReturnType<typeof storeOver>;
  readonly sendLate: () => Promise<unknown>;
} {
  const client = connect();
  let late: PutItemCommandInput | undefined;
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if ('Item' in args.input && touches('PutItem', 'DOC#')(commandName, JSON.stringify(args.input)))
      late ??= { ...args.input };
    return next(args);
  });
  return {
    store: storeOver(client),
    sendLate: async () => (late === undefined ? undefined : connect().send(new PutItemCommand(late))),
  };
}

test.for(['refused, because another document had its id', 'done'])(
  'a head that comes once more after its create was %s, and that document was deleted, goes an hour later',
  async (how) => {
    const document = aDocument({ idempotencyKey: 'k' });
    const { store, sendLate } = sentTwice();
    if (how !== 'done') expect((await restore(document)).ok).toBe(true);
    expect((await store.create(caller(), document)).ok).toBe(true);
    expect((await remove(document)).ok).toBe(true);
    await sendLate();
    expect((await storeOver().info(caller(), document.id)).ok).toBe(true);
    expect(await leftOf(document)).toEqual([]);
    expect((await storeOver().info(caller(), document.id)).ok).toBe(false);
  },
);

test('a head that comes once more and is written as a whole stays', async () => {
  const document = aDocument();
  const { store, sendLate } = sentTwice();
  expect((await store.create(caller(), document)).ok).toBe(true);
  expect((await remove(document)).ok).toBe(true);
  await sendLate();
  expect((await storeOver().write(caller(), document.id, Buffer.from(LONG_TEXT), '*')).ok).toBe(true);
  await rowsLeft();
  const read = await storeOver().read(caller(), document.id);
  expect(read.ok && Buffer.from(read.value.content).toString() === LONG_TEXT).toBe(true);
});

test('a document that is imported again within the hour is not touched by what the delete of the first left', async () => {
  const document = aDocument();
  expect((await restore(document)).ok).toBe(true);
  expect((await remove(document)).ok).toBe(true);
  expect((await restore(document)).ok).toBe(true);
  await rowsLeft();
  await expectWhole(storeOver(), caller(), { id: document.id, content: LONG_TEXT });
});
