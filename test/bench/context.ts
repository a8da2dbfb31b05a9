import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { parseEditRequest } from '../../functions/core/documents/edit.ts';
import { parseDocumentQuery } from '../../functions/core/documents/input.ts';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { contextCaller } from '../support/context-callers.ts';
import { MemoryContextTable } from '../support/context-memory.ts';
import { create, must, openStore, printGrowth, ROUNDS, SIZES } from './context-figures.ts';
import { measureSearches } from './context-search.ts';
import { measureSessions } from './context-sessions.ts';

const LARGE_ROUNDS = 5;

/**
 * The context store over a table in memory that counts units as DynamoDB does: what an operation costs beside a plain item, and whether a
 * page or a search costs more where there are more documents. Times are our own CPU's; units are what is paid for.
 */
export async function measureContext(assemblyDirectory: string): Promise<void> {
  await measureSessions(assemblyDirectory);
  await measureOperations();
  await measureGrowth();
  await measureSearches();
}

async function measureOperations(): Promise<void> {
  const table = new MemoryContextTable();
  const client = table.client();
  const { store, caller } = openStore(table, client, 'operations');
  const kilobyte = Buffer.from(
    Array.from({ length: 100 }, (_, index) => `word-${index}x`)
      .join(' ')
      .padEnd(1024),
  );
  const large = Buffer.alloc(4_194_304, 'words ');
  const ids = { small: '', large: '' };
  const edit = (fields: Parameters<typeof parseEditRequest>[0]) => {
    const parsed = parseEditRequest(fields);
    if (!parsed.ok) throw new Error(parsed.error.message);
    return parsed.value;
  };
  console.log(
    '\ncontext store, in memory               read units  write units   per second   of a plain item',
  );
  const item = { pk: { S: 'acme#operations' }, sk: { S: 'plain' }, bytes: { B: kilobyte } };
  const Key = { pk: item.pk, sk: item.sk };
  const plainPut = await row(table, 'a plain item of 1 KB put', ROUNDS, undefined, async () => {
    await client.send(new PutItemCommand({ TableName: 'context', Item: item }));
  });
  const plainGet = await row(table, 'a plain item of 1 KB got', ROUNDS, undefined, async () => {
    await client.send(new GetItemCommand({ TableName: 'context', Key, ConsistentRead: true }));
  });
  await row(table, 'create 1 KB with 101 terms and 2 tags', ROUNDS, plainPut, async () => {
    ids.small = await create(store, caller, kilobyte, ['a', 'b']);
  });
  await row(table, 'create 4 MB with one word', LARGE_ROUNDS, plainPut, async () => {
    ids.large = await create(store, caller, large, []);
  });
  await row(table, 'metadata', ROUNDS, plainGet, () => must(store.info(caller, ids.small)));
  await row(table, 'read 1 KB', ROUNDS, plainGet, () => must(store.read(caller, ids.small)));
  await row(table, 'read 4 MB', LARGE_ROUNDS, plainGet, () => must(store.read(caller, ids.large)));
  const range = { offset: 2_000_000, limit: 100 };
  await row(table, 'read 100 characters of 4 MB', ROUNDS, plainGet, () =>
    must(store.readRange(caller, ids.large, range)),
  );
  await row(table, 'replace 1 KB by the same', ROUNDS, plainPut, () =>
    must(store.write(caller, ids.small, kilobyte, '*')),
  );
  await row(table, 'edit at the end of 4 MB', LARGE_ROUNDS, plainPut, () =>
    must(store.edit(caller, ids.large, edit({ offset: 4_190_000, length: 5, new_string: 'other' }), '*')),
  );
  await row(table, 'delete 1 KB', 1, plainPut, () => must(store.delete(caller, ids.small, '*')));
}

/** Pages among more and more documents. */
async function measureGrowth(): Promise<void> {
  const table = new MemoryContextTable();
  const { store, caller } = openStore(table, table.client(), 'growth');
  const run = contextCaller({ namespace: 'growth', scopeFilters: { run: 'r-7' } });
  console.log('\none page of 10                       documents   read units   CPU ms   p50 ms');
  let documents = 0;
  let cursor = '';
  for (const size of SIZES) {
    for (; documents < size; documents += 1) {
      const content = Buffer.from(`unique${documents} text`);
      const owner = documents % 10 === 0 ? run : caller;
      await create(store, owner, content, documents % 100 === 0 ? ['rare'] : [], documents);
    }
    const list = async (fields: object, who: ContextCaller) => {
      const query = parseDocumentQuery({ limit: 10, ...fields });
      if (!query.ok) throw new Error(query.error.message);
      const page = await store.list(who, query.value);
      if (!page.ok || page.value.documents.length === 0) throw new Error('nothing listed');
      cursor = page.value.nextCursor ?? '';
    };
    const operations: readonly (readonly [string, () => Promise<void>])[] = [
      ['first page of the namespace', () => list({}, caller)],
      ['the page after it', async () => list({ cursor: await first() }, caller)],
      ['page of a run', () => list({}, run)],
      ['page of a tag', () => list({ tags: ['rare'] }, caller)],
    ];
    const first = async () => {
      await list({}, caller);
      return cursor;
    };
    for (const [name, operate] of operations) await printGrowth(table, name, size, operate);
  }
}

/** Prints one operation and answers how often a second it is done. */
async function row(
  table: MemoryContextTable,
  name: string,
  rounds: number,
  plain: number | undefined,
  operate: () => Promise<void>,
): Promise<number> {
  const { read, write } = table.units;
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) await operate();
  const perSecond = rounds / ((performance.now() - startedAt) / 1_000);
  const units = [table.units.read - read, table.units.write - write].map((sum) =>
    (sum / rounds).toFixed(0).padStart(11),
  );
  const ratio = plain === undefined ? '' : `1/${Math.round(plain / perSecond)}`;
  console.log(
    `${name.padEnd(38)}${units.join('  ')}  ${perSecond.toFixed(0).padStart(11)}   ${ratio.padStart(15)}`,
  );
  return perSecond;
}
