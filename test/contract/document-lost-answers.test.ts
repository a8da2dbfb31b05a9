import { expect, test } from 'vitest';
import { type Edit, parseEditRequest } from '../../functions/core/documents/edit.ts';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { documentWorld, LONG_TEXT, touches } from '../support/document-world.ts';
import { expectWhole } from '../support/whole-documents.ts';

/** The answer to the put of a head is lost, somebody goes on from what is there, and the SDK sends the put once more. */

const world = documentWorld('lost');
const { aDocument, caller, listed, remove, restore, rowsLeft, storeOver, storeWith } = world;
const isPutOfHead = touches('PutItem', 'DOC#');

function theEdit(oldString: string, newString: string): Edit {
  const parsed = parseEditRequest({ old_string: oldString, new_string: newString });
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

const edit = ({ id }: NewDocument, [from, to]: readonly [string, string], store = storeOver()) =>
  store.edit(caller(), id, theEdit(from, to), '*');

const write = ({ id }: NewDocument, content: string, store = storeOver()) =>
  store.write(caller(), id, Buffer.from(content), '*');

const whole = ({ id }: NewDocument, content: string) => expectWhole(storeOver(), caller(), { id, content });

const leftOf = async ({ id }: NewDocument) => (await rowsLeft()).filter((sk) => sk.includes(id));

/** What makes a version that begins with `begin`. */
const FIRST: Readonly<
  Record<string, (document: NewDocument, store: ReturnType<typeof storeOver>) => Promise<unknown>>
> = {
  edit: (document, store) => edit(document, ['first', 'begin'], store),
  write: (document, store) => write(document, LONG_TEXT.replace('first', 'begin'), store),
};

test.for(Object.entries(FIRST))(
  'of a version that others went on from, nothing is taken (%s)',
  async ([, first]) => {
    const document = aDocument();
    expect((await storeOver().create(caller(), document)).ok).toBe(true);
    const { store, isDone } = storeWith(
      isPutOfHead,
      async () => expect(await edit(document, ['last', 'last one'])).toMatchObject({ ok: true }),
      'lost',
    );
    expect(await first(document, store)).toMatchObject({ ok: true });
    expect(isDone()).toBe(true);
    const both = LONG_TEXT.replace('first', 'begin').replace('last', 'last one');
    await whole(document, both);
    const found = await storeOver().search(caller(), {
      terms: ['begin'],
      limit: 10,
      includeRelations: false,
    });
    expect(found.ok && found.value.hits).toHaveLength(1);
    expect(await edit(document, ['begin', 'first'])).toMatchObject({ ok: true });
    await whole(document, both.replace('begin', 'first'));
    expect((await remove(document)).ok).toBe(true);
    expect(await leftOf(document)).toEqual([]);
  },
);

test('of an edit whose version was replaced as a whole since, nothing is left, and what is there stays', async () => {
  const document = aDocument();
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  const { store } = storeWith(isPutOfHead, () => write(document, 'the very last'), 'lost');
  expect(await edit(document, ['first', 'begin'], store)).toEqual({
    ok: false,
    error: { reason: 'version_conflict' },
  });
  await whole(document, 'the very last');
  expect((await remove(document)).ok).toBe(true);
  expect(await leftOf(document)).toEqual([]);
});

test.for(['create', 'keyed create', 'import'] as const)(
  'a document whose %s is not told that it is there, and that is deleted, stays away',
  async (kind) => {
    const document = aDocument(kind === 'keyed create' ? { idempotencyKey: 'k' } : {});
    const { store, isDone } = storeWith(
      isPutOfHead,
      async () => expect(await remove(document)).toMatchObject({ ok: true }),
      'lost',
    );
    await (kind === 'import' ? restore(document, store) : store.create(caller(), document));
    expect(isDone()).toBe(true);
    expect((await storeOver().info(caller(), document.id)).ok).toBe(false);
    expect([await listed(), await listed(['t'])]).toEqual([[], []]);
    expect(await leftOf(document)).toEqual([]);
  },
);

test('a document whose create is not told that it is there, and that is edited, is whole', async () => {
  const document = aDocument();
  const { store } = storeWith(isPutOfHead, () => edit(document, ['first', 'begin']), 'lost');
  expect((await store.create(caller(), document)).ok).toBe(true);
  await whole(document, LONG_TEXT.replace('first', 'begin'));
});
