import { expect, test } from 'vitest';
import { noteProgress, noteSettling, readProgress } from '../../functions/aws/documents/listed.ts';
import { contextCaller, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { meddle } from '../support/document-tables.ts';
import { documentWorld, touches } from '../support/document-world.ts';
import { storedBefore } from '../support/old-documents.ts';

/** Documents that are in no lists though all of their namespace are said to be: a function of an older version stored them beside a newer one. */

const world = documentWorld('settling');
const { caller, connect, drop, fresh, listed, pass, remove, rows, storeOver, tables } = world;

const aText = (nowSeconds = NOW_SECONDS) =>
  newDocument('a.txt', { content: Buffer.from('wanted'), tags: ['t'], nowSeconds });

async function create(document = aText(), store = storeOver()) {
  expect((await store.create(caller(), document)).ok).toBe(true);
  return document;
}

/** Stores a document as a function did that knew no lists. */
async function createUnlisted() {
  const document = await create();
  for (const sk of await rows()) if (sk.startsWith('LIST#') && sk.endsWith(document.id)) await drop(sk);
  return document;
}

async function searched(): Promise<readonly string[]> {
  const request = { terms: ['wanted'], limit: 10, includeRelations: false };
  const found = await storeOver().search(caller(), request);
  if (!found.ok) throw new Error(found.error.detail);
  return found.value.hits.map(({ document }) => document.id);
}

const theTable = async () => {
  const opened = await tables()(caller());
  if (!opened.ok) throw new Error(opened.error.detail);
  return { table: opened.value, pk: `${caller().orgId}#${caller().namespace}` };
};

test('a document that a function of an older version stored meanwhile is found after a delete of the last one in its lists', async () => {
  fresh({ run: '1' });
  const first = await create();
  const old = await createUnlisted();
  expect((await remove(first)).ok).toBe(true);
  expect(await searched()).toEqual([old.id]);
});

test('and is put into its lists by creates of an hour later, after which the sets of filters go by the lists alone', async () => {
  fresh({ run: '1' });
  const first = await create();
  const old = await createUnlisted();
  expect(await listed(['t'])).toEqual([first.id]);
  pass(3_600);
  const last = await create(aText(NOW_SECONDS + 3_600));
  expect(await listed(['t'])).toEqual([first.id, old.id, last.id].toSorted());
  let looks = 0;
  const client = meddle(connect(), touches('Query', 'DOC#'), async () => {
    looks += 1;
  });
  for (const document of [first, old, last]) {
    expect((await remove(document, storeOver(client))).ok).toBe(true);
  }
  expect([await rows(), looks]).toEqual([[], 0]);
});

test('in a namespace of many documents a set of filters stays until then', async () => {
  await storedBefore(tables(), contextCaller({ ...caller(), scopeFilters: {} }), 260, { isListed: true });
  const by = contextCaller({ namespace: caller().namespace, scopeFilters: { run: '1' } });
  const document = aText();
  const scopes = async () => (await rows()).filter((sk) => sk.startsWith('SCOPE#')).length;
  for (const left of [1, 0]) {
    expect((await storeOver().create(by, document)).ok).toBe(true);
    expect((await storeOver().delete(by, document.id, '*')).ok).toBe(true);
    expect(await scopes()).toBe(left);
    pass(3_600);
    for (let creates = 0; left === 1 && creates < 30; creates += 1) {
      const nowSeconds = NOW_SECONDS + 3_600;
      await create(newDocument('b.txt', { content: null, nowSeconds }));
    }
  }
});

test('of two that put a namespace into lists the slower one takes nothing back', async () => {
  const { table, pk } = await theTable();
  for (const until of ['DOC#b', 'DOC#a', undefined, 'DOC#c']) await noteProgress(table, pk, until);
  expect(await readProgress(table, pk)).toMatchObject({ value: { isComplete: true } });
  await drop('PENDING');
  for (const until of ['DOC#b', 'DOC#a']) await noteProgress(table, pk, until);
  expect(await readProgress(table, pk)).toMatchObject({ value: { isComplete: false, until: 'DOC#b' } });
});

test('who says last that a namespace is complete takes back nothing of what was noted since', async () => {
  const { table, pk } = await theTable();
  await noteProgress(table, pk, 'DOC#a');
  await noteProgress(table, pk, undefined, NOW_SECONDS);
  for (const again of ['DOC#b', undefined]) await noteSettling(table, pk, { again });
  for (const nowSeconds of [undefined, NOW_SECONDS + 1]) await noteProgress(table, pk, undefined, nowSeconds);
  expect(await readProgress(table, pk)).toMatchObject({
    value: { isComplete: true, isSettled: true, completeAtSeconds: NOW_SECONDS, again: 'DOC#b' },
  });
});

test('a row that is no document keeps no create and no list from what is there', async () => {
  const [old] = await storedBefore(tables(), caller(), 1, { tags: ['t'] });
  const { table, pk } = await theTable();
  expect((await table.put({ pk: { S: pk }, sk: { S: 'DOC#doc_0' } })).ok).toBe(true);
  const made = await create();
  expect(await listed(['t'])).toEqual([old, made.id]);
});

test('what leads to the filters of a create that died goes with what it left', async () => {
  fresh({ run: '1' });
  const dying = storeOver(
    meddle(connect(), touches('PutItem', 'DOC#'), async () => {
      throw new Error('died');
    }),
  );
  expect((await dying.create(caller(), aText())).ok).toBe(false);
  expect((await rows()).some((sk) => sk.startsWith('SCOPE#'))).toBe(true);
  pass(3_600);
  const other = contextCaller({ namespace: caller().namespace });
  const later = newDocument('later.txt', { content: null, nowSeconds: NOW_SECONDS + 3_600 });
  expect((await storeOver().create(other, later)).ok).toBe(true);
  expect(
    (await rows()).filter((sk) => /^(?:SCOPE|PENDING|LIST)#/.test(sk) && !sk.endsWith(later.id)),
  ).toEqual([]);
});

test('of rows as they were read none is removed that an older version put since', async () => {
  const { table, pk } = await theTable();
  const row = { pk: { S: pk }, sk: { S: 'LIST#-##x' } };
  expect((await table.put(row)).ok).toBe(true);
  expect((await table.removeAsRead([{ ...row, write: { S: 'w' } }])).ok).toBe(true);
  expect(await rows()).toEqual(['LIST#-##x']);
  expect((await table.removeAsRead([row])).ok).toBe(true);
  expect(await rows()).toEqual([]);
});
