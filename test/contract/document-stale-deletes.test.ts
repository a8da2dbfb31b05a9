import { expect, test } from 'vitest';
import type { ArchiveEntry } from '../../functions/core/documents/archive.ts';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { newDocument } from '../support/context-callers.ts';
import { dieAtWrite, meddle, type When } from '../support/document-tables.ts';
import { documentWorld, relationBetween, touches } from '../support/document-world.ts';
import { archived, expectWhole } from '../support/whole-documents.ts';

/** A delete takes the documents that it read, and none that has their ids since. */

const world = documentWorld('stale');
const { aDocument, age, caller, notesAt, remove, restore, rows, storeOver, storeWith } = world;

const isThere = async ({ id }: NewDocument, by = caller()) => (await storeOver().info(by, id)).ok;
const isDeleteOfHead = touches('DeleteItem', 'DOC#');

test('what was a child when a delete began, and is another document when it comes to it, stays', async () => {
  const [parent, child] = [newDocument('p'), aDocument()];
  for (const one of [parent, child]) expect((await restore(one)).ok).toBe(true);
  const relation = relationBetween(parent, child, { kind: 'parent-child' });
  expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  const slow = storeWith(touches('PutItem', 'REMOVING#'), async () => {
    expect((await remove(child)).ok).toBe(true);
    expect(await restore(child)).toMatchObject({ value: { outcome: 'created' } });
    expect(await notesAt(child)).toEqual([]);
  });
  expect(await remove(parent, slow.store)).toEqual({ ok: true, value: [parent.id] });
  expect(slow.isDone()).toBe(true);
  expect(await isThere(child)).toBe(true);
  expect((await rows()).filter((sk) => sk.startsWith('REMOVING#'))).toEqual([]);
});

/** Another delete is faster, or this one is and does not hear of it. */
const FASTER: readonly (readonly ['*' | ReadonlySet<number>, When])[] = [
  ['*', 'before'],
  ['*', 'lost'],
  [new Set([1]), 'before'],
  [new Set([1]), 'lost'],
];

test.for(FASTER)(
  'a delete does not take another document of the same id and version that comes after it (precondition %o, %s)',
  async ([precondition, when]) => {
    const document = aDocument();
    expect((await restore(document)).ok).toBe(true);
    const other = { ...document, content: Buffer.from('the very last') };
    const slow = storeWith(
      isDeleteOfHead,
      async () => {
        if (when === 'before') expect((await remove(document)).ok).toBe(true);
        expect(await restore(other)).toMatchObject({ value: { outcome: 'created' } });
      },
      when,
    );
    const deleted = await slow.store.delete(caller(), document.id, precondition);
    expect(deleted).toEqual({ ok: true, value: [document.id] });
    await expectWhole(storeOver(), caller(), { id: document.id, content: 'the very last' });
    expect((await rows()).filter((sk) => sk.startsWith('REMOVING#'))).toEqual([]);
  },
);

test('what goes with its parent, and is imported when the answer to that is lost, stays', async () => {
  const [parent, child] = [newDocument('p'), aDocument()];
  for (const one of [parent, child]) expect((await restore(one)).ok).toBe(true);
  const relation = relationBetween(parent, child, { kind: 'parent-child' });
  expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  const again = async () => expect(await restore(child)).toMatchObject({ value: { outcome: 'created' } });
  const { store } = storeWith(touches('DeleteItem', `DOC#${child.id}`), again, 'lost');
  expect(await remove(parent, store)).toEqual({ ok: true, value: [parent.id, child.id] });
  expect([await isThere(parent), await isThere(child)]).toEqual([false, true]);
});

test.for(['*', new Set([1])] as const)(
  'a delete does not take a document that its caller cannot see, and does not say that it is there (precondition %o)',
  async (precondition) => {
    const document = aDocument();
    const ofRun = (run: string): ArchiveEntry => {
      const entry = archived(document);
      if (entry.type !== 'document') throw new Error('no document');
      return { type: 'document', document: { ...entry.document, filters: new Map([['run', run]]) } };
    };
    expect((await storeOver().restore(caller(), ofRun('1'))).ok).toBe(true);
    const agent = { ...caller(), scopeFilters: new Map([['run', '1']]) };
    const slow = storeWith(isDeleteOfHead, async () => {
      expect((await remove(document)).ok).toBe(true);
      expect(await storeOver().restore(caller(), ofRun('2'))).toMatchObject({
        value: { outcome: 'created' },
      });
    });
    const deleted = await slow.store.delete(agent, document.id, precondition);
    expect(deleted).toEqual({ ok: true, value: [document.id] });
    expect([await isThere(document), await isThere(document, agent)]).toEqual([true, false]);
  },
);

test.for(['*', new Set([1])] as const)(
  'a document of an older version is deleted, and not the one that has its id since (precondition %o)',
  async (precondition) => {
    const document = aDocument();
    expect((await restore(document)).ok).toBe(true);
    await age(`DOC#${document.id}`, ['incarnation', 'write']);
    const slow = storeWith(isDeleteOfHead, () => restore(document), 'after');
    expect((await slow.store.delete(caller(), document.id, precondition)).ok).toBe(true);
    expect(await isThere(document)).toBe(true);
    await age(`DOC#${document.id}`, ['incarnation', 'write']);
    expect((await storeOver().delete(caller(), document.id, precondition)).ok).toBe(true);
    expect(await isThere(document)).toBe(false);
  },
);

test.for(['*', new Set([1])] as const)(
  'what is taken from its parent while that is deleted stays, and what is under it (precondition %o)',
  async (precondition) => {
    const [parent, child, grandchild] = [aDocument(), newDocument('c'), newDocument('g')];
    for (const one of [parent, child, grandchild]) expect((await restore(one)).ok).toBe(true);
    const relation = relationBetween(parent, child, { kind: 'parent-child' });
    for (const one of [relation, relationBetween(child, grandchild, { kind: 'parent-child' })]) {
      expect((await storeOver().relate(caller(), one)).ok).toBe(true);
    }
    const slow = storeWith(touches('PutItem', 'REMOVING#'), async () => {
      expect((await storeOver().unrelate(caller(), relation.id)).ok).toBe(true);
    });
    const deleted = await slow.store.delete(caller(), parent.id, precondition);
    expect(slow.isDone()).toBe(true);
    expect(deleted).toEqual({ ok: true, value: [parent.id] });
    expect([await isThere(child), await isThere(grandchild)]).toEqual([true, true]);
    expect((await rows()).filter((sk) => sk.startsWith('REMOVING#'))).toEqual([]);
  },
);

test('a delete that is refused takes back its own note, and not that of another which dies after it', async () => {
  const document = aDocument();
  expect((await restore(document)).ok).toBe(true);
  const refused = storeWith(isDeleteOfHead, () =>
    storeOver().write(caller(), document.id, Buffer.from('new'), '*'),
  );
  const client = meddle(world.connect(), isDeleteOfHead, async () => {
    const deleted = await refused.store.delete(caller(), document.id, new Set([1]));
    expect(deleted).toEqual({ ok: false, error: { reason: 'version_conflict' } });
  });
  const death = dieAtWrite(client, 1, 'after');
  await storeOver(client).delete(caller(), document.id, '*');
  expect(death.writes()).toBe(2);
  expect(await isThere(document)).toBe(false);
  expect((await world.rowsLeft()).filter((sk) => sk.includes(document.id))).toEqual([]);
});
