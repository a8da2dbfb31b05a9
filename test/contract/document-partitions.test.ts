import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { toDirectory } from '../../functions/aws/documents/rows.ts';
import type { DocumentStore } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';

let table: EmbeddedContextTable;
let store: DocumentStore;
const clock = () => NOW_SECONDS;

beforeAll(async () => {
  table = await startContextTable();
  store = createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock });
});
afterAll(() => table.close());

async function namesOf(orgId: string): Promise<readonly string[]> {
  const found = await store.listPartitions(orgId);
  if (!found.ok) throw new Error(found.error.detail);
  return found.value.map(({ name }) => name);
}

test('partitions are listed by name, each org’s to itself, and are made once', async () => {
  const made = await store.createPartition('acme', { name: 'beta', ttlSeconds: null });
  expect(made).toEqual({
    ok: true,
    value: { name: 'beta', ttlSeconds: null, createdAtSeconds: NOW_SECONDS },
  });
  await store.createPartition('acme', { name: 'alpha', ttlSeconds: 60 });
  await store.createPartition('globex', { name: 'alpha', ttlSeconds: null });
  const exists = { ok: false, error: { reason: 'partition_exists' } };
  expect(await store.createPartition('acme', { name: 'beta', ttlSeconds: 60 })).toEqual(exists);
  expect(await namesOf('acme')).toEqual(['alpha', 'beta']);
  expect(await namesOf('globex')).toEqual(['alpha']);
  expect(await namesOf('nobody')).toEqual([]);
});

test('a partition ends the documents in it that do not say when they end themselves', async () => {
  await store.createPartition('acme', { name: 'short', ttlSeconds: 60 });
  const caller = contextCaller({ namespace: 'short' });
  const expiryOf = async (ttlSeconds?: number) => {
    const document = newDocument('a.txt');
    const description = { ...document.description, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) };
    const made = await store.create(caller, { ...document, description });
    return made.ok ? made.value.expiresAtSeconds : made.error;
  };
  expect(await expiryOf()).toBe(NOW_SECONDS + 60);
  expect(await expiryOf(5)).toBe(NOW_SECONDS + 5);
  expect(await expiryOf(500)).toBe(NOW_SECONDS + 500);
});

test('a delete takes every document along, of the partition and of no other', async () => {
  await store.createPartition('acme', { name: 'gone', ttlSeconds: null });
  const [inside, beside, elsewhere] = [
    contextCaller({ namespace: 'gone' }),
    contextCaller({ namespace: 'gone2' }),
    contextCaller({ namespace: 'gone', orgId: 'globex' }),
  ];
  const ids = new Map<typeof inside, string>();
  for (const caller of [inside, beside, elsewhere]) {
    const made = await store.create(caller, newDocument('a.txt'));
    if (made.ok) ids.set(caller, made.value.id);
  }
  expect(await store.deletePartition('acme', 'gone')).toEqual({ ok: true, value: { isComplete: true } });
  expect((await store.info(inside, ids.get(inside) ?? '')).ok).toBe(false);
  for (const caller of [beside, elsewhere])
    expect((await store.read(caller, ids.get(caller) ?? '')).ok).toBe(true);
  expect(await store.deletePartition('acme', 'gone')).toEqual({ ok: false, error: { reason: 'not_found' } });
  const opened = await table.tables(clock)(inside);
  expect(opened.ok && (await opened.value.keys('acme#gone', ''))).toEqual({ ok: true, value: [] });
});

test('what is registered for an org is in no namespace', () => {
  expect(toDirectory('acme')).toBe('acme#');
  expect(() => toDirectory('a#b')).toThrow(TypeError);
});
