import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { type Edit, parseEditRequest } from '../../functions/core/documents/edit.ts';
import type { ContextCaller, DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { type IsCommand, meddle } from '../support/document-tables.ts';
import { archived, expectWhole as expectWholeIn } from '../support/whole-documents.ts';

/** One document in the place of another: of the same id, or of the next version, while somebody is at work on the one before. */

let table: EmbeddedContextTable;
let caller: ContextCaller;
let nowSeconds: number;
let namespaces = 0;

beforeAll(async () => {
  table = await startContextTable();
});
afterAll(() => table.close());
beforeEach(() => {
  namespaces += 1;
  nowSeconds = NOW_SECONDS;
  caller = contextCaller({ namespace: `next-${namespaces}` });
});

const clock = () => nowSeconds;
const storeOver = (client?: DynamoDBClient): DocumentStore =>
  createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });

const meddling = (isIt: IsCommand, act: () => Promise<unknown>, when: 'before' | 'after' = 'before') =>
  meddle(table.connect(), isIt, act, when);

const isPutOfHead = (command: string, input: string) =>
  command === 'PutItemCommand' && input.includes('"DOC#');
const isDeleteOfHead = (command: string, input: string) =>
  command === 'DeleteItemCommand' && input.includes('"DOC#');

/** Text of three pieces, and an edit that leaves two of them. */
const text = `first ${'a'.repeat(150_000)} last`;
const EDIT = theEdit({ offset: 0, length: 5, new_string: 'other' });

function theEdit(request: Record<string, unknown>): Edit {
  const parsed = parseEditRequest(request);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

const restore = (document: NewDocument, store = storeOver()) => store.restore(caller, archived(document));

async function created(): Promise<NewDocument> {
  const document = newDocument('a.txt', { content: Buffer.from(text), tags: ['t'], nowSeconds });
  expect((await storeOver().create(caller, document)).ok).toBe(true);
  return document;
}

const expectWhole = ({ id }: NewDocument, content = text) =>
  expectWholeIn(storeOver(), caller, { id, content });

test.for(['*', new Set([1])] as const)(
  'what is stored again under its id while it is deleted stays whole (precondition %o)',
  async (precondition) => {
    const document = await created();
    const client = meddling(isDeleteOfHead, () => restore(document), 'after');
    expect((await storeOver(client).delete(caller, document.id, precondition)).ok).toBe(true);
    await expectWhole(document);
    expect((await storeOver().delete(caller, document.id, '*')).ok).toBe(true);
  },
);

test('what is being stored under an id while another document of it is deleted is whole once it is there', async () => {
  const document = newDocument('a.txt', { content: Buffer.from(text), tags: ['t'], nowSeconds });
  const client = meddling(isPutOfHead, async () => {
    expect(await restore(document)).toMatchObject({ ok: true, value: { outcome: 'created' } });
    expect((await storeOver().delete(caller, document.id, '*')).ok).toBe(true);
    expect((await storeOver().read(caller, document.id)).ok).toBe(false);
  });
  expect(await restore(document, storeOver(client))).toMatchObject({
    ok: true,
    value: { outcome: 'created' },
  });
  await expectWhole(document);
});

test('what begins to be stored under an id before a delete of it takes the document out of its lists is listed', async () => {
  const document = await created();
  let stored: ReturnType<typeof restore> | undefined;
  let goOn = () => {};
  const gone = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  // Its rows of the lists are there before those of the deleted one go, its head comes after.
  const isWaiting = Promise.withResolvers<void>();
  const slow = meddling(isPutOfHead, async () => {
    isWaiting.resolve();
    await gone;
  });
  const client = meddling(
    (command, input) => command === 'DeleteItemCommand' && input.includes('"LIST#'),
    async () => {
      stored ??= restore(document, storeOver(slow));
      await isWaiting.promise;
    },
  );
  expect((await storeOver(client).delete(caller, document.id, '*')).ok).toBe(true);
  goOn();
  expect(await stored).toMatchObject({ ok: true, value: { outcome: 'created' } });
  await expectWhole(document);
});

test('an edit of a document that was deleted and stored again meanwhile, in the same version, is refused', async () => {
  const document = await created();
  const client = meddling(isPutOfHead, async () => {
    expect((await storeOver().delete(caller, document.id, '*')).ok).toBe(true);
    expect((await restore(document)).ok).toBe(true);
  });
  expect(await storeOver(client).edit(caller, document.id, EDIT, '*')).toEqual({
    ok: false,
    error: { reason: 'version_conflict' },
  });
  await expectWhole(document);
});

test('the note of a create that did come to its end takes nothing from what was edited since', async () => {
  const document = newDocument('a.txt', { content: Buffer.from(text), tags: ['t'], nowSeconds });
  const client = meddling(
    (command, input) => command === 'DeleteItemCommand' && input.includes('"PENDING#'),
    () => Promise.reject(new Error('no')),
  );
  expect((await storeOver(client).create(caller, document)).ok).toBe(true);
  expect((await storeOver().edit(caller, document.id, EDIT, '*')).ok).toBe(true);
  const edited = text.replace('first', 'other');
  await expectWhole(document, edited);
  nowSeconds += 3_600;
  const another = newDocument('b.txt', { nowSeconds });
  expect((await storeOver().create(caller, another)).ok).toBe(true);
  expect((await storeOver().delete(caller, another.id, '*')).ok).toBe(true);
  await expectWhole(document, edited);
});

test('a read that nine writers in a row overtake is answered, with one of their versions', async () => {
  const document = await created();
  let writes = 0;
  const client = meddling(
    (command, input) => command === 'BatchGetItemCommand' && input.includes('"CHUNK#'),
    async () => {
      if (writes >= 9) return;
      writes += 1;
      const content = Buffer.from(`version ${writes}`);
      expect((await storeOver().write(caller, document.id, content, '*')).ok).toBe(true);
    },
  );
  const read = await storeOver(client).read(caller, document.id);
  expect(read.ok && Buffer.from(read.value.content).toString()).toBe('version 9');
});
