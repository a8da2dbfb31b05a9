import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { toPartition } from '../../functions/aws/documents/rows.ts';
import { fromListRow } from '../../functions/aws/documents/search-index.ts';
import { parseEditRequest } from '../../functions/core/documents/edit.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { SEARCH_ARGUMENTS } from '../../functions/core/documents/search.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { countWrites, dieAtWrite } from '../support/document-tables.ts';

let table: EmbeddedContextTable;
let store: DocumentStore;
let caller: ContextCaller;
let namespaces = 0;
const clock = () => NOW_SECONDS;

beforeAll(async () => {
  table = await startContextTable();
  store = createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock });
});
afterAll(() => table.close());

const bytes = (text: string) => new TextEncoder().encode(text);

function fresh(scopeFilters: Record<string, string> = {}): ContextCaller {
  namespaces += 1;
  caller = contextCaller({ namespace: `search-${namespaces}`, scopeFilters });
  return caller;
}

async function created(text: string, filename = 'a', by = caller): Promise<string> {
  const result = await store.create(by, newDocument(filename, { content: bytes(text) }));
  if (!result.ok) throw new Error(result.error.reason);
  return result.value.id;
}

async function searched(q: string, by = caller, limit = 100) {
  const request = SEARCH_ARGUMENTS.parse({ q, limit });
  if (!request.ok) throw new Error(request.error.message);
  const found = await store.search(by, request.value);
  if (!found.ok) throw new Error(found.error.detail);
  return found.value;
}

const idsOf = async (q: string, by = caller, limit = 100) =>
  (await searched(q, by, limit)).hits.map(({ document }) => document.id);

async function indexRows(by = caller): Promise<readonly string[]> {
  const opened = await table.tables(clock)(by);
  const keys = opened.ok ? await opened.value.keys(toPartition(by.orgId, by.namespace), '') : opened;
  if (!keys.ok) throw new Error(keys.error.detail);
  return keys.value.map(({ sk }) => sk).filter((sk) => /^(?:TERM|INDEX)#/.test(sk));
}

/** Makes all rows of the namespace's index such as an older version stored: their ranks have one digit, and so have the lists that name them. */
async function roughen(): Promise<void> {
  const opened = await table.tables(clock)(caller);
  if (!opened.ok) throw new Error(opened.error.detail);
  const pk = toPartition(caller.orgId, caller.namespace);
  for (const sk of await indexRows()) {
    const row = await opened.value.get({ pk, sk });
    if (!row.ok || row.value === undefined) throw new Error('a row of the index has gone');
    if (sk.startsWith('TERM#')) {
      const rough = sk.replace(/^(TERM#[^#]+#[^#]+#.)\d+/, '$1');
      await opened.value.writeAll([{ ...row.value, sk: { S: rough } }], rough === sk ? [] : [{ pk, sk }]);
    } else {
      const entries = fromListRow(row.value).map((entry) => ({ ...entry, rank: entry.rank.slice(0, 1) }));
      await opened.value.put({ ...row.value, bytes: { B: gzipSync(JSON.stringify(entries)) } });
    }
  }
}

describe('a search', () => {
  test('finds documents by words of their content and name, the best first, and says where', async () => {
    fresh();
    const once = await created('a fox somewhere', 'one.txt');
    const often = await created('fox, fox and FOX again', 'two.txt');
    const named = await created('nothing', 'fox.txt');
    await created('a box', 'three.txt');
    expect(await idsOf('Fox')).toEqual([often, ...[once, named].toSorted()]);
    expect(await idsOf('fox somewhere')).toEqual([once, often, named]);
    expect(await idsOf('fo')).toEqual([]);
    expect(await idsOf('fox', caller, 1)).toEqual([often]);
    const { hits, isComplete } = await searched('again');
    expect(isComplete).toBe(true);
    expect(hits[0]?.sections).toMatchObject([{ offset: 0, limit: 22 }]);
    expect((await searched('txt')).hits[0]?.sections).toEqual([]);
  });

  test('follows every write, and forgets what was deleted', async () => {
    fresh();
    const id = await created('alpha beta');
    const edit = parseEditRequest({ old_string: 'beta', new_string: 'gamma gamma' });
    if (!edit.ok) throw new Error(edit.error.message);
    expect((await store.edit(caller, id, edit.value, '*')).ok).toBe(true);
    expect([await idsOf('beta'), await idsOf('gamma'), await idsOf('alpha')]).toEqual([[], [id], [id]]);
    expect((await store.write(caller, id, bytes('delta'), '*')).ok).toBe(true);
    expect([await idsOf('alpha'), await idsOf('gamma'), await idsOf('delta')]).toEqual([[], [], [id]]);
    expect((await store.write(caller, id, new Uint8Array([0xff]), '*')).ok).toBe(true);
    expect(await idsOf('delta')).toEqual([]);
    expect((await indexRows()).length).toBe(2);
    await store.delete(caller, id, '*');
    expect(await indexRows()).toEqual([]);
  });

  test('of a small edit stores no more than the words that it changed', async () => {
    fresh();
    const words = Array.from({ length: 300 }, (_, index) => `word${index}`).join(' ');
    const id = await created(words);
    const client = table.connect();
    const counted = countWrites(client);
    const counting = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
    const edit = parseEditRequest({ offset: words.length, new_string: ' end' });
    if (!edit.ok) throw new Error(edit.error.message);
    expect((await counting.edit(caller, id, edit.value, '*')).ok).toBe(true);
    expect(await idsOf('end')).toEqual([id]);
    expect(counted.rows()).toBeLessThan(10);
  });

  test('counts nothing of what its caller cannot see: not in the order, not in the scores', async () => {
    const mine = fresh({ run: '1' });
    const theirs = { ...mine, scopeFilters: new Map([['run', '2']]) };
    const first = await created('rare common', 'a', mine);
    await created('common', 'a', mine);
    const before = await searched('rare common', mine);
    for (let number = 0; number < 5; number += 1) await created('rare rare common', 'a', theirs);
    expect(await searched('rare common', mine)).toEqual(before);
    expect(before.hits[0]?.document.id).toBe(first);
    expect(await idsOf('rare', { ...mine, namespace: 'elsewhere' })).toEqual([]);
    expect(await idsOf('rare', { ...mine, orgId: 'other' })).toEqual([]);
    expect(await idsOf('rare', { ...mine, scopeFilters: new Map() })).toHaveLength(6);
  });

  test('finds what is past its expiry no more', async () => {
    let now = NOW_SECONDS;
    const aging = createDocumentStore({
      tables: table.tables(() => now),
      seal: cursorSeal(),
      clock: () => now,
    });
    const document = newDocument('a.txt', { content: bytes('brief') });
    await aging.create(fresh(), { ...document, description: { ...document.description, ttlSeconds: 60 } });
    const request = { terms: ['brief'], limit: 10, includeRelations: false };
    expect(await aging.search(caller, request)).toMatchObject({
      value: { hits: [{ document: { id: document.id } }] },
    });
    now += 60;
    expect(await aging.search(caller, request)).toMatchObject({ ok: true, value: { hits: [] } });
  });

  test('of a word in very many documents looks at so many, and says that there are more', async () => {
    fresh();
    const pk = { S: toPartition(caller.orgId, caller.namespace) };
    const opened = await table.tables(clock)(caller);
    if (!opened.ok) throw new Error(opened.error.detail);
    const rows = Array.from({ length: 2_100 }, (_, number) => ({
      pk,
      sk: { S: `TERM#everywhere#-#9#doc_${String(number).padStart(24, '0')}#w` },
      n: { N: '1' },
      at: { S: '0' },
    }));
    expect((await opened.value.writeAll(rows, [])).ok).toBe(true);
    const id = await created('everywhere everywhere everywhere');
    const { hits, isComplete } = await searched('everywhere');
    expect([hits.map(({ document }) => document.id), isComplete]).toEqual([[id], false]);
  });
});

test('what a version with rough ranks stored is found in its place, and edits leave each of its rows once', async () => {
  fresh();
  const more = await created('word word word word word one');
  const less = await created('word word word word one');
  await roughen();
  expect(await idsOf('word')).toEqual([more, less]);
  const edit = async (oldString: string, newString: string) => {
    const parsed = parseEditRequest({ old_string: oldString, new_string: newString });
    if (!parsed.ok) throw new Error(parsed.error.message);
    expect((await store.edit(caller, less, parsed.value, '*')).ok).toBe(true);
  };
  const places = async () =>
    (await indexRows()).filter((sk) => sk.startsWith('TERM#word#-')).map((sk) => sk.split('#')[3]);
  await edit('one', 'two');
  expect(await places()).toEqual(['5', '5']);
  expect(await idsOf('word')).toEqual([more, less]);
  await edit('two', 'word word');
  expect(await places()).toEqual(['49999993', '5']);
  expect([await idsOf('word'), await idsOf('two')]).toEqual([[less, more], []]);
  for (const id of [more, less]) await store.delete(caller, id, '*');
  expect(await indexRows()).toEqual([]);
});

test('a process that dies leaves the words of the old version or of the new one, never of both', async () => {
  for (const when of ['before', 'after'] as const) {
    let isThrough = false;
    for (let at = 0; !isThrough; at += 1) {
      fresh();
      const id = await created('kept old');
      const client = table.connect();
      const death = dieAtWrite(client, at, when);
      const dying = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
      await dying.write(caller, id, bytes('kept new'), '*');
      isThrough = death.writes() <= at;
      const [old, next] = [await idsOf('old'), await idsOf('new')];
      expect([...old, ...next]).toEqual([id]);
      expect(await idsOf('kept')).toEqual([id]);
      // When it cannot be under way any more.
      const later = () => clock() + 900;
      const cleared = createDocumentStore({ tables: table.tables(later), seal: cursorSeal(), clock: later });
      await cleared.delete(caller, id, '*');
      expect(await indexRows()).toEqual([]);
    }
  }
});

test('whatever callers write and delete, each finds what a plain reading of what it sees finds', async () => {
  const prefix = fresh().namespace;
  const words = ['ant', 'bee', 'cat', 'dog'];
  const step = fc.record({
    namespace: fc.constantFrom(prefix, `${prefix}:x`),
    scopeFilters: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2 }),
    kind: fc.constantFrom('create', 'create', 'write', 'delete', 'search', 'search'),
    target: fc.nat(30),
    words: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }),
  });
  const model = new Map<
    string,
    { namespace: string; filters: Record<string, string>; words: readonly string[] }
  >();
  const ids = ['doc_000000000000000000000000'];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 30 }), async (steps) => {
      for (const { namespace, scopeFilters, kind, target, words: some } of steps) {
        const by = contextCaller({ namespace, scopeFilters });
        const id = ids[target % ids.length] ?? '';
        const known = model.get(id);
        const sees = (document: { namespace: string; filters: Record<string, string> }) =>
          document.namespace === namespace &&
          (Object.keys(document.filters).length === 0 ||
            Object.entries(scopeFilters).every(([name, value]) => document.filters[name] === value));
        if (kind === 'create') {
          const made = await created(some.join(' '), '-', by);
          ids.push(made);
          model.set(made, { namespace, filters: scopeFilters, words: some });
        } else if (kind === 'write') {
          const written = await store.write(by, id, bytes(some.join(' ')), '*');
          expect(written.ok).toBe(known !== undefined && sees(known));
          if (written.ok && known !== undefined) model.set(id, { ...known, words: some });
        } else if (kind === 'delete') {
          if ((await store.delete(by, id, '*')).ok) model.delete(id);
        } else {
          const expected = [...model]
            .filter(([, document]) => sees(document) && some.some((word) => document.words.includes(word)))
            .map(([found]) => found);
          expect((await idsOf(some.join(' '), by)).toSorted()).toEqual(expected.toSorted());
        }
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
}, 120_000);
