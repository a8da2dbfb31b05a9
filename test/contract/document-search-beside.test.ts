import { expect, test } from 'vitest';
import { parseEditRequest } from '../../functions/core/documents/edit.ts';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { newDocument } from '../support/context-callers.ts';
import { meddle } from '../support/document-tables.ts';
import { documentWorld, touches } from '../support/document-world.ts';

/** Searches beside creates that died and beside edits: what is there is found. */

const world = documentWorld('beside');
const { caller, connect, pass, storeOver, storeWith } = world;

const aText = (content: string, changes: Parameters<typeof newDocument>[1] = {}) =>
  newDocument('a.txt', { content: Buffer.from(content), ...changes });

async function create(document: NewDocument, store = storeOver()): Promise<void> {
  expect((await store.create(caller(), document)).ok).toBe(true);
}

async function edit({ id }: NewDocument, oldString: string, newString: string): Promise<void> {
  const parsed = parseEditRequest({ old_string: oldString, new_string: newString });
  if (!parsed.ok) throw new Error(parsed.error.message);
  expect((await storeOver().edit(caller(), id, parsed.value, '*')).ok).toBe(true);
}

async function searched(terms: readonly string[], { limit = 10, store = storeOver() } = {}) {
  const found = await store.search(caller(), { terms, limit, includeRelations: false });
  if (!found.ok) throw new Error(found.error.detail);
  return { ids: found.value.hits.map(({ document }) => document.id), isComplete: found.value.isComplete };
}

/** Stores all of so many documents but their heads, as creates do that die. */
async function dieBeforeHeads(count: number, content: string): Promise<void> {
  const dying = storeOver(
    meddle(connect(), touches('PutItem', 'DOC#'), async () => {
      throw new Error('died');
    }),
  );
  for (let number = 0; number < count; number += 1) {
    expect((await dying.create(caller(), aText(content))).ok).toBe(false);
  }
}

test('whatever died before it was there, a search finds what is there', async () => {
  const document = aText('wanted');
  await create(document);
  await dieBeforeHeads(45, 'wanted wanted wanted wanted');
  expect(await searched(['wanted'])).toEqual({ ids: [document.id], isComplete: true });
});

test('a search that meets very much that is not there says that there may be more', async () => {
  await create(aText('wanted'));
  const opened = await world.tables()(caller());
  if (!opened.ok) throw new Error(opened.error.detail);
  const rows = Array.from({ length: 1_100 }, (_, number) => ({
    pk: { S: `${caller().orgId}#${caller().namespace}` },
    sk: { S: `TERM#wanted#-#0#doc_${String(number).padStart(24, '0')}#w` },
    n: { N: '40' },
    at: { S: '0' },
  }));
  expect((await opened.value.writeAll(rows, [])).ok).toBe(true);
  expect(await searched(['wanted'])).toEqual({ ids: [], isComplete: false });
});

test('of documents that have less of a word since, the better ones still come first', async () => {
  const [shrunk, kept] = [aText('word word word word'), aText('word word')];
  await create(shrunk);
  await create(kept);
  const slow = storeWith(touches('BatchGetItem', 'DOC#'), () =>
    edit(shrunk, 'word word word word', 'word alone'),
  );
  const found = await searched(['word'], { store: slow.store });
  expect([found.ids, slow.isDone()]).toEqual([[kept.id, shrunk.id], true]);
});

test.for([
  ['before the heads are read', 'DOC#'],
  ['between the heads and the lists of their rows', 'INDEX#'],
] as const)('an edit %s hides no document that has the word before and after', async ([, prefix]) => {
  const document = aText('one old last');
  await create(document);
  // What is of an older write takes a look at the list.
  await edit(document, 'old', 'two');
  const slow = storeWith(touches('BatchGetItem', prefix), () => edit(document, 'one', 'another'));
  const found = await searched(['last'], { store: slow.store });
  expect([found, slow.isDone()]).toEqual([{ ids: [document.id], isComplete: true }, true]);
  expect(await searched(['one'])).toEqual({ ids: [], isComplete: true });
});

test('a search beside edits that do not end says that there may be more', async () => {
  const document = aText('old last');
  await create(document);
  await edit(document, 'old', 'one');
  let word = 'one';
  const client = meddle(connect(), touches('BatchGetItem', 'INDEX#'), async () => {
    await edit(document, word, `${word}x`);
    word += 'x';
  });
  expect(await searched(['last'], { store: storeOver(client) })).toEqual({ ids: [], isComplete: false });
});

test('a document that lost the word, or went, beside a search is not found', async () => {
  const [edited, deleted] = [aText('wanted alpha'), aText('wanted beta')];
  await create(edited);
  await create(deleted);
  const slow = storeWith(touches('BatchGetItem', 'DOC#'), async () => {
    await edit(edited, 'wanted', 'other');
    expect((await world.remove(deleted)).ok).toBe(true);
  });
  expect(await searched(['wanted'], { store: slow.store })).toEqual({ ids: [], isComplete: true });
});

test('an edit between two looks takes no document from the rows of the second to those of the first', async () => {
  const document = aText('wanted');
  await create(document);
  await dieBeforeHeads(35, 'wanted wanted wanted wanted');
  let looks = 0;
  const client = meddle(connect(), touches('Query', 'TERM#wanted#-#'), async () => {
    looks += 1;
    await edit(document, 'wanted', `wanted${' wanted'.repeat(8)}`);
  });
  expect(await searched(['wanted'], { store: storeOver(client) })).toEqual({
    ids: [document.id],
    isComplete: true,
  });
  expect(looks).toBe(1);
});

test('rows of a word that expired are looked at as others are: at so many, and few times', async () => {
  const opened = await world.tables()(caller());
  if (!opened.ok) throw new Error(opened.error.detail);
  const rows = Array.from({ length: 2_600 }, (_, number) => ({
    pk: { S: `${caller().orgId}#${caller().namespace}` },
    sk: { S: `TERM#wanted#-#0#doc_${String(number).padStart(24, '0')}#w` },
    n: { N: '40' },
    at: { S: '0' },
    expires_at: { N: '1800000060' },
  }));
  expect((await opened.value.writeAll(rows, [])).ok).toBe(true);
  pass(60);
  await create(aText('wanted'));
  let queries = 0;
  const client = meddle(connect(), touches('Query', 'TERM#'), async () => {
    queries += 1;
  });
  expect(await searched(['wanted'], { store: storeOver(client) })).toEqual({ ids: [], isComplete: false });
  // One at what was asked for, one whether there are other sets of filters, and two at ever more.
  expect(queries).toBe(4);
});
