import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { ContextCaller, DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { dieAtWrite } from '../support/document-tables.ts';

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
  caller = contextCaller({ namespace: `left-${namespaces}` });
});

const clock = () => nowSeconds;
const storeOver = (client?: DynamoDBClient): DocumentStore =>
  createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });

/** The sort keys of the namespace's rows that have to do with a document. */
async function rowsOf({ id }: { readonly id: string }): Promise<readonly string[]> {
  const { Items = [] } = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: `acme#${caller.namespace}` } },
      ProjectionExpression: 'sk',
    }),
  );
  return Items.map(({ sk }) => sk?.S ?? '').filter((key) => key.includes(id));
}

/** Has somebody else create a document. */
async function createAnother(): Promise<void> {
  expect((await storeOver().create(caller, newDocument('another.txt', { nowSeconds }))).ok).toBe(true);
}

/** Makes `create` die at each of its writes in turn, until it comes to its end. */
async function dieEverywhere(
  make: () => NewDocument,
  check: (document: NewDocument, isThrough: boolean) => Promise<void>,
): Promise<void> {
  for (const when of ['before', 'after'] as const) {
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      const document = make();
      const client = table.connect();
      const death = dieAtWrite(client, at, when);
      await storeOver(client).create(caller, document);
      isThrough = death.writes() <= at;
      await check(document, isThrough);
      expect(at).toBeLessThan(30);
    }
  }
}

const content = Buffer.from('some words '.repeat(12_000));

test('what a create that died left is gone when another one comes an hour later, and not before', async () => {
  let died = 0;
  await dieEverywhere(
    () => newDocument('dead.txt', { content, tags: ['a'], nowSeconds }),
    async (document) => {
      const left = await rowsOf(document);
      const isThere = (await storeOver().info(caller, document.id)).ok;
      nowSeconds += 3_599;
      await createAnother();
      if (!isThere) expect(await rowsOf(document)).toEqual(left);
      nowSeconds += 1;
      await createAnother();
      const rows = await rowsOf(document);
      if (isThere) {
        const read = await storeOver().read(caller, document.id);
        expect(read.ok && Buffer.from(read.value.content).equals(content)).toBe(true);
        expect(rows.some((key) => key.startsWith('PENDING#'))).toBe(false);
      } else {
        expect(rows).toEqual([]);
        if (left.length > 1) died += 1;
      }
    },
  );
  expect(died).toBeGreaterThan(3);
});

test.for(['*', new Set([1])] as const)(
  'what a delete that died left is gone when another one comes an hour later (precondition %o)',
  async (precondition) => {
    let left = 0;
    for (const when of ['before', 'after'] as const) {
      for (let at = 0, isThrough = false; !isThrough; at += 1) {
        const document = newDocument('dead.txt', { content, tags: ['a'], nowSeconds });
        expect((await storeOver().create(caller, document)).ok).toBe(true);
        const client = table.connect();
        const death = dieAtWrite(client, at, when);
        await storeOver(client).delete(caller, document.id, precondition);
        isThrough = death.writes() <= at;
        const isThere = (await storeOver().info(caller, document.id)).ok;
        if (!isThere && (await rowsOf(document)).length > 1) left += 1;
        nowSeconds += 3_600;
        const another = newDocument('b.txt', { nowSeconds });
        expect((await storeOver().create(caller, another)).ok).toBe(true);
        expect((await storeOver().delete(caller, another.id, '*')).ok).toBe(true);
        const rows = await rowsOf(document);
        if (isThere) {
          expect((await storeOver().read(caller, document.id)).ok).toBe(true);
          expect(rows.some((key) => key.startsWith('REMOVING#'))).toBe(false);
        } else expect(rows).toEqual([]);
      }
    }
    expect(left).toBeGreaterThan(3);
  },
);

test('what is left of one that is repeated under its key does not get in the way', async () => {
  let number = 0;
  await dieEverywhere(
    () => {
      number += 1;
      return newDocument('dead.txt', { content, tags: ['a'], nowSeconds, idempotencyKey: `k-${number}` });
    },
    async (document) => {
      const repeated = await storeOver().create(caller, document);
      expect(repeated).toMatchObject({ ok: true, value: { id: document.id } });
      nowSeconds += 3_600;
      await createAnother();
      const rows = await rowsOf(document);
      expect(rows.filter((key) => /^(PENDING|INDEX)#/.test(key)).length).toBe(1);
      expect(rows.filter((key) => key.startsWith('CHUNK#')).length).toBe(3);
      const query = { filename: undefined, tags: ['a'], limit: 10, offset: 0, cursor: undefined };
      const listed = await storeOver().list(caller, query);
      expect(listed.ok && listed.value.documents.some(({ id }) => id === document.id)).toBe(true);
      expect((await storeOver().delete(caller, document.id, '*')).ok).toBe(true);
    },
  );
});

test('where nothing can be cleared away, a create is done all the same', async () => {
  const client = table.connect();
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    const isClearing =
      commandName === 'DeleteItemCommand' || JSON.stringify(args.input).includes('PENDING#"}');
    if (isClearing) throw new Error('no');
    return next(args);
  });
  const document = newDocument('a.txt', { nowSeconds });
  expect((await storeOver(client).create(caller, document)).ok).toBe(true);
  expect((await rowsOf(document)).filter((key) => key.startsWith('PENDING#')).length).toBe(1);
  nowSeconds += 3_600;
  await createAnother();
  expect((await rowsOf(document)).some((key) => key.startsWith('PENDING#'))).toBe(false);
  expect((await storeOver().read(caller, document.id)).ok).toBe(true);
});
