import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, expect, test } from 'vitest';
import { createContextTable } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { MAX_STORED_RELATIONS } from '../../functions/aws/documents/relation-creation.ts';
import type { ContextCaller, NewDocument } from '../../functions/core/documents/ports.ts';
import { MAX_RELATIONS } from '../../functions/core/documents/relation.ts';
import { ok } from '../../functions/core/result.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { MemoryContextTable } from '../support/context-memory.ts';
import { relationBetween } from '../support/document-world.ts';

/** A document has so many relations that its caller sees, and are not over. */

let memory: MemoryContextTable;
let nowSeconds: number;

beforeEach(() => {
  memory = new MemoryContextTable();
  nowSeconds = NOW_SECONDS;
});

const clock = () => nowSeconds;
const store = createDocumentStore({
  tables: async () => ok(createContextTable(memory.client(), 'context', clock)),
  seal: cursorSeal(),
  clock,
});

const ofRun = (run: string): ContextCaller => contextCaller({ scopeFilters: { run } });
const TOO_MANY = { ok: false, error: { reason: 'relation_conflict', cause: 'too_many' } };

async function made(by: ContextCaller, ttlSeconds?: number): Promise<NewDocument> {
  const base = newDocument('a', { content: null, nowSeconds });
  const document = { ...base, description: { ...base.description, ttlSeconds } };
  expect((await store.create(by, document)).ok).toBe(true);
  return document;
}

/** Relates a document to so many others of this caller. */
async function relateMany(
  document: NewDocument,
  by: ContextCaller,
  count: number,
  ttlSeconds?: number,
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const other = await made(by, ttlSeconds);
    expect((await store.relate(by, relationBetween(document, other))).ok).toBe(true);
  }
}

const relateOne = async (document: NewDocument, by: ContextCaller) =>
  store.relate(by, relationBetween(document, await made(by)));

test('relations that are over do not count', async () => {
  const caller = contextCaller();
  const document = await made(caller);
  await relateMany(document, caller, MAX_RELATIONS, 60);
  expect(await relateOne(document, caller)).toEqual(TOO_MANY);
  nowSeconds += 60;
  expect(await relateOne(document, caller)).toMatchObject({ ok: true });
});

test('relations that a caller cannot see do not count for it, and what is told of them is nothing', async () => {
  const [one, other] = [ofRun('1'), ofRun('2')];
  const document = await made(contextCaller());
  // Everybody of the namespace sees a document without filters.
  await relateMany(document, other, MAX_RELATIONS);
  expect(await relateOne(document, other)).toEqual(TOO_MANY);
  expect(await relateOne(document, one)).toMatchObject({ ok: true });
  const seen = await store.relationsOf(one, [document.id]);
  expect(seen.ok && seen.value.get(document.id)).toHaveLength(1);
  expect(await relateOne(document, contextCaller())).toEqual(TOO_MANY);
});

test('of more relations than one caller may make, those that several made are imported', async () => {
  const document = await made(contextCaller());
  for (const run of ['1', '2']) await relateMany(document, ofRun(run), 300);
  const other = await made(contextCaller());
  const relation = relationBetween(document, other);
  expect(await store.restore(contextCaller(), { type: 'relation', relation })).toMatchObject({
    value: { outcome: 'created' },
  });
});

test('a document has no more relations than can be read, whoever sees them', async () => {
  const document = await made(contextCaller());
  const edge = (index: number) => `EDGE#${document.id}#rel_${String(index).padStart(24, '0')}`;
  for (let index = 0; index < MAX_STORED_RELATIONS; index += 1) {
    await memory.client().send(
      new PutItemCommand({
        TableName: 'context',
        Item: { pk: { S: 'acme#proj' }, sk: { S: edge(index) } },
      }),
    );
  }
  expect(await relateOne(document, ofRun('1'))).toEqual(TOO_MANY);
});
