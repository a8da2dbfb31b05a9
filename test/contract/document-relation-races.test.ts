import { expect, test } from 'vitest';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { newDocument } from '../support/context-callers.ts';
import { documentWorld, relationBetween, touches } from '../support/document-world.ts';

/** A relation is one of the documents that it was made between: who acts on what it read before takes none of those that have their ids now. */

const world = documentWorld('related');
const { aDocument, age, caller, notesAt, remove, restore, storeOver, storeWith } = world;

async function twoDocuments(): Promise<readonly [NewDocument, NewDocument]> {
  const both = [aDocument(), newDocument('b.txt')] as const;
  for (const one of both) expect((await restore(one)).ok).toBe(true);
  return both;
}

test('a relate whose document was deleted and stored again takes no relation of the new one', async () => {
  const [document, other] = await twoDocuments();
  const slow = storeWith(touches('PutItem', 'REL#'), async () => {
    expect((await remove(document)).ok).toBe(true);
    expect((await restore(document)).ok).toBe(true);
    const acknowledged = relationBetween(document, other, { note: 'acknowledged' });
    expect(await storeOver().relate(caller(), acknowledged)).toMatchObject({ ok: true });
  });
  const stale = await slow.store.relate(caller(), relationBetween(document, other, { note: 'stale' }));
  expect(slow.isDone()).toBe(true);
  expect(stale).toEqual({ ok: false, error: { reason: 'not_found' } });
  expect([await notesAt(document), await notesAt(other)]).toEqual([['acknowledged'], ['acknowledged']]);
});

test('an imported relation whose document goes meanwhile is missing', async () => {
  const [document, other] = await twoDocuments();
  const slow = storeWith(touches('PutItem', 'REL#'), () => remove(document));
  const relation = relationBetween(document, other);
  expect(await slow.store.restore(caller(), { type: 'relation', relation })).toEqual({
    ok: true,
    value: { id: relation.id, outcome: 'missing' },
  });
});

/** Makes documents and the relation between them as the version before stored them, which said nothing of incarnations. */
async function ageAll(documents: readonly NewDocument[], relationId?: string): Promise<void> {
  for (const { id } of documents) await age(`DOC#${id}`, ['incarnation']);
  if (relationId === undefined) return;
  await age(`REL#${relationId}`, ['from_incarnation', 'to_incarnation']);
  for (const { id } of documents) await age(`EDGE#${id}#${relationId}`, ['write', 'incarnation']);
}

test('a delete of a document of an older version takes no relation of the one that has its id now', async () => {
  const [document, other] = await twoDocuments();
  await ageAll([document]);
  const slow = storeWith(
    touches('DeleteItem', 'DOC#'),
    async () => {
      expect((await restore(document)).ok).toBe(true);
      const relation = relationBetween(document, other, { note: 'new' });
      expect(await storeOver().relate(caller(), relation)).toMatchObject({ ok: true });
    },
    'after',
  );
  expect((await remove(document, slow.store)).ok).toBe(true);
  expect(slow.isDone()).toBe(true);
  expect([await notesAt(document), await notesAt(other)]).toEqual([['new'], ['new']]);
});

test('a relation of an older version is read, and not one of the documents that get the ids', async () => {
  const [document, other] = await twoDocuments();
  const relation = relationBetween(document, other, { note: 'old' });
  expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  await ageAll([document, other], relation.id);
  expect([await notesAt(document), await notesAt(other)]).toEqual([['old'], ['old']]);
  const slow = storeWith(touches('DeleteItem', 'REL#'), async () => {
    expect((await restore(document)).ok).toBe(true);
    expect(await notesAt(document)).toEqual([]);
    const again = await storeOver().restore(caller(), { type: 'relation', relation });
    expect(again).toMatchObject({ ok: true, value: { outcome: 'created' } });
  });
  expect((await remove(document, slow.store)).ok).toBe(true);
  expect(slow.isDone()).toBe(true);
  expect([await notesAt(document), await notesAt(other)]).toEqual([['old'], ['old']]);
});
