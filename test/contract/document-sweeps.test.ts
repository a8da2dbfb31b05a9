import { expect, test } from 'vitest';
import { toDocumentId } from '../../functions/core/documents/document.ts';
import { parseEditRequest } from '../../functions/core/documents/edit.ts';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type IsCommand, meddle } from '../support/document-tables.ts';
import { documentWorld, touches } from '../support/document-world.ts';

/** Sweeps of what died: they come to everything, and take nothing from what is there. */

const world = documentWorld('sweeps');
const { caller, connect, pass, rows, storeOver } = world;

const died = async (): Promise<never> => {
  throw new Error('died');
};

async function edit({ id }: NewDocument, oldString: string, newString: string, store = storeOver()) {
  const parsed = parseEditRequest({ old_string: oldString, new_string: newString });
  if (!parsed.ok) throw new Error(parsed.error.message);
  return store.edit(caller(), id, parsed.value, '*');
}

async function found(): Promise<readonly string[]> {
  const answer = await storeOver().search(caller(), {
    terms: ['wanted'],
    limit: 10,
    includeRelations: false,
  });
  if (!answer.ok) throw new Error(answer.error.detail);
  return answer.value.hits.map(({ document }) => document.id);
}

test.for([1, 2])(
  'an edit beside a sweep, before its look number %i at what is in use, keeps its words',
  async (look) => {
    const document = newDocument('a.txt', { content: Buffer.from('wanted one two') });
    // Its note stays, and the list of the rows of its first version.
    await storeOver(meddle(connect(), touches('DeleteItem', 'PENDING#'), died)).create(caller(), document);
    const removesList: IsCommand = (command, input) =>
      command === 'BatchWriteItemCommand' && input.includes('DeleteRequest') && input.includes('INDEX#');
    await edit(document, 'two', 'three', storeOver(meddle(connect(), removesList, died)));
    expect((await rows()).filter((sk) => /^(?:PENDING|INDEX)#/.test(sk)).length).toBe(3);
    pass(7_200);
    let looks = 0;
    let word = 'three';
    const isLook: IsCommand = (command, input) => {
      if (!touches('GetItem', `INDEX#${document.id}`)(command, input)) return false;
      looks += 1;
      return looks === look;
    };
    const client = meddle(connect(), isLook, async () => {
      expect((await edit(document, word, `${word}x`)).ok).toBe(true);
      word += 'x';
    });
    const later = newDocument('later', { nowSeconds: NOW_SECONDS + 7_200, content: null });
    expect((await storeOver(client).create(caller(), later)).ok).toBe(true);
    expect(await found()).toEqual([document.id]);
    expect((await edit(document, word, 'last')).ok).toBe(true);
    expect(await found()).toEqual([document.id]);
    expect((await rows()).filter((sk) => sk.startsWith('PENDING#'))).toEqual([]);
  },
);

test('a sweep beside edits that do not end takes nothing, and is done by the next create', async () => {
  const document = newDocument('a.txt', { content: Buffer.from('wanted one') });
  await storeOver(meddle(connect(), touches('DeleteItem', 'PENDING#'), died)).create(caller(), document);
  expect((await edit(document, 'one', 'one x')).ok).toBe(true);
  pass(7_200);
  const nowSeconds = NOW_SECONDS + 7_200;
  const client = meddle(connect(), touches('GetItem', `INDEX#${document.id}`), () =>
    edit(document, 'one', 'one x'),
  );
  expect((await storeOver(client).create(caller(), newDocument('b.txt', { nowSeconds }))).ok).toBe(true);
  expect(await found()).toEqual([document.id]);
  expect((await rows()).some((sk) => sk.startsWith('PENDING#'))).toBe(true);
  expect((await storeOver().create(caller(), newDocument('c.txt', { nowSeconds }))).ok).toBe(true);
  expect((await rows()).some((sk) => sk.startsWith('PENDING#'))).toBe(false);
  expect(await found()).toEqual([document.id]);
});

test('notes of documents whose time is over hide no others from a sweep, whichever version put them', async () => {
  const dying = storeOver(meddle(connect(), touches('PutItem', 'DOC#'), died));
  for (let number = 0; number < 12; number += 1) {
    const { description, ...document } = newDocument('short.txt');
    await dying.create(caller(), { ...document, description: { ...description, ttlSeconds: 60 } });
  }
  // As an older version put them, with the documents' own ends.
  const opened = await world.tables()(caller());
  if (!opened.ok) throw new Error(opened.error.detail);
  const notes = await opened.value.all(`${caller().orgId}#${caller().namespace}`, 'PENDING#', 100);
  if (!notes.ok) throw new Error(notes.error.detail);
  const expiry = { expires_at: { N: String(NOW_SECONDS + 60) } };
  const old = notes.value.slice(0, 11).map((note) => ({ ...note, ...expiry }));
  expect((await opened.value.writeAll(old, [])).ok).toBe(true);
  const id = toDocumentId(NOW_SECONDS + 10, Buffer.alloc(8, 7));
  await dying.create(caller(), newDocument('long.txt', { id }));
  expect((await rows()).filter((sk) => sk.includes(id)).length).toBeGreaterThan(1);
  pass(7_200);
  const nowSeconds = NOW_SECONDS + 7_200;
  for (let number = 0; number < 2; number += 1) {
    const later = newDocument('later.txt', {
      id: toDocumentId(nowSeconds, Buffer.alloc(8, number)),
      nowSeconds,
    });
    expect((await storeOver().create(caller(), later)).ok).toBe(true);
  }
  expect((await rows()).filter((sk) => sk.includes(id) || sk.startsWith('PENDING#'))).toEqual([]);
});
