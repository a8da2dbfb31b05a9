import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { DocumentStore } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';

let table: EmbeddedContextTable;

beforeAll(async () => {
  table = await startContextTable();
});
afterAll(() => table.close());

const clock = () => NOW_SECONDS;
const storeOver = (client?: DynamoDBClient): DocumentStore =>
  createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });

/**
 * A client whose table refuses batches as a partition does that has had enough, where `isOver` says so of the batch of that number, which
 * comes for the `time`-th time.
 */
function throttled(isOver: (batch: number, time: number) => boolean): {
  readonly client: DynamoDBClient;
  refused: number;
} {
  const found = { client: table.connect(), refused: 0 };
  let batches = 0;
  const times = new Map<string, number>();
  found.client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (commandName !== 'BatchWriteItemCommand') return next(args);
    batches += 1;
    const name = JSON.stringify(args.input);
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    if (!isOver(batches, time)) return next(args);
    found.refused += 1;
    throw Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' });
  });
  return found;
}

const words = Array.from({ length: 1_000 }, (_, number) => `word${number}`);
const searched = async (namespace: string, term: string) => {
  const found = await storeOver().search(contextCaller({ namespace }), {
    terms: [term],
    limit: 10,
    includeRelations: false,
  });
  return found.ok ? found.value.hits.map(({ document }) => document.id) : undefined;
};

test('a thousand words that a throttled table takes bit by bit are all found, once it is said that they are stored', async () => {
  const busy = throttled((_batch, time) => time <= 2);
  const namespace = 'bursts';
  const document = newDocument('a', { content: Buffer.from(words.join(' ')) });
  expect((await storeOver(busy.client).create(contextCaller({ namespace }), document)).ok).toBe(true);
  expect(busy.refused).toBeGreaterThan(40);
  for (const term of [words[0], words[500], words[998]]) {
    expect(await searched(namespace, term ?? '')).toEqual([document.id]);
  }
});

test('what a table stops taking half-way is unavailable, and nothing of it is to be seen', async () => {
  const namespace = 'stops';
  const caller = contextCaller({ namespace });
  const document = newDocument('a', { content: Buffer.from(words.join(' ')), tags: ['t'] });
  const stopped = throttled((batch) => batch > 20);
  expect(await storeOver(stopped.client).create(caller, document)).toMatchObject({
    ok: false,
    error: { reason: 'unavailable' },
  });
  expect(await searched(namespace, words[0] ?? '')).toEqual([]);
  const query = { filename: undefined, tags: ['t'], limit: 10, offset: 0, cursor: undefined };
  expect(await storeOver().list(caller, query)).toMatchObject({ ok: true, value: { documents: [] } });
  expect((await storeOver().read(caller, document.id)).ok).toBe(false);
  const later = await storeOver().create(caller, { ...document, id: `doc_${'b'.repeat(24)}` });
  expect(later.ok && (await searched(namespace, words[0] ?? ''))).toEqual([`doc_${'b'.repeat(24)}`]);
});

test('a write that is throttled half-way leaves the words of the version before', async () => {
  const namespace = 'edits';
  const caller = contextCaller({ namespace });
  const { id } = newDocument('a');
  expect((await storeOver().create(caller, newDocument('a', { id }))).ok).toBe(true);
  const stopped = throttled((batch) => batch > 10);
  const written = await storeOver(stopped.client).write(caller, id, Buffer.from(words.join(' ')), '*');
  expect(written).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
  expect(await searched(namespace, 'content')).toEqual([id]);
  expect(await searched(namespace, words[0] ?? '')).toEqual([]);
});
