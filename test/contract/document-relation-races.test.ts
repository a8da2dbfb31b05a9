import { expect, test } from 'vitest';
import type { NewDocument } from '../../functions/core/documents/ports.ts';
import { newDocument } from '../support/context-callers.ts';
import { dieAtWrite, type IsCommand, meddle } from '../support/document-tables.ts';
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

test.for(['before', 'after'] as const)(
  'a relation whose making died %s any of its writes is whole or not there, and nothing of it is left in the end',
  async (when) => {
    let left = 0;
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      world.fresh();
      const [document, other] = await twoDocuments();
      const client = world.connect();
      const death = dieAtWrite(client, at, when);
      const relation = relationBetween(document, other);
      await storeOver(client).relate(caller(), relation);
      isThrough = death.writes() <= at;
      const notes = [await notesAt(document), await notesAt(other)];
      const changed = await storeOver().annotate(caller(), relation.id, { fromToNote: 'x' });
      expect(changed.ok).toBe(notes[0]?.length === 1);
      expect(notes).toEqual(changed.ok ? [[null], [null]] : [[], []]);
      if (!changed.ok && (await world.rows()).some((sk) => sk.startsWith('REL#'))) left += 1;
      for (const one of [document, other]) expect((await remove(one)).ok).toBe(true);
      world.pass(3_600);
      const [next, last] = await twoDocuments();
      expect((await storeOver().relate(caller(), relationBetween(next, last))).ok).toBe(true);
      for (const one of [next, last]) expect((await remove(one)).ok).toBe(true);
      expect(await world.rows()).toEqual([]);
    }
    expect(left).toBeGreaterThan(0);
  },
);

/** Both notes of the only relation of a document. */
async function bothNotes({ id }: NewDocument): Promise<readonly (string | null)[]> {
  const found = await storeOver().relationsOf(caller(), [id]);
  const [relation] = (found.ok && found.value.get(id)) || [];
  if (relation === undefined) throw new Error('no relation');
  return [relation.fromToNote, relation.toFromNote];
}

test.for([
  { what: 'the other note at the same time', when: 'before', later: { toFromNote: 'b' }, left: ['a', 'b'] },
  { what: 'the same note at the same time', when: 'before', later: { fromToNote: 'b' }, left: ['b', null] },
  {
    what: 'the same note after an answer is lost',
    when: 'lost',
    later: { fromToNote: 'b' },
    left: ['b', null],
  },
  {
    what: 'the other note after an answer is lost',
    when: 'lost',
    later: { toFromNote: 'b' },
    left: ['a', 'b'],
  },
  {
    what: 'one of both notes at the same time',
    when: 'before',
    also: 'c',
    later: { toFromNote: 'b' },
    left: ['a', 'b'],
  },
  {
    what: 'one of both notes after an answer is lost',
    when: 'lost',
    also: 'c',
    later: { fromToNote: 'b' },
    left: ['b', 'c'],
  },
] as const)(
  'no note is lost or comes back where somebody notes $what',
  async ({ when, later, left, ...rest }) => {
    const [document, other] = await twoDocuments();
    const relation = relationBetween(document, other);
    expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
    const isNote: IsCommand = (command, input) =>
      /^(?:Put|Update)Item/.test(command) && input.includes('"REL#');
    const slow = storeWith(
      isNote,
      async () => expect((await storeOver().annotate(caller(), relation.id, later)).ok).toBe(true),
      when,
    );
    const notes = { fromToNote: 'a', ...('also' in rest ? { toFromNote: rest.also } : {}) };
    expect(await slow.store.annotate(caller(), relation.id, notes)).toMatchObject({ ok: true, value: notes });
    expect(slow.isDone()).toBe(true);
    expect(await bothNotes(document)).toEqual(left);
    expect((await storeOver().annotate(caller(), relation.id, { fromToNote: null })).ok).toBe(true);
    expect(await bothNotes(document)).toEqual([null, left[1]]);
  },
);

test('a relation that was made again while somebody noted something at the one before is not changed', async () => {
  const [document, other] = await twoDocuments();
  const relation = relationBetween(document, other);
  expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  const slow = storeWith(touches('UpdateItem', 'REL#'), async () => {
    expect((await storeOver().unrelate(caller(), relation.id)).ok).toBe(true);
    expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  });
  expect(await slow.store.annotate(caller(), relation.id, { fromToNote: 'a' })).toEqual({
    ok: false,
    error: { reason: 'not_found' },
  });
  expect(slow.isDone()).toBe(true);
  expect(await bothNotes(document)).toEqual([null, null]);
});

test.for(['from', 'to'] as const)(
  'a relation that one of its documents leads to and the other does not is not there for anybody (%s)',
  async (end) => {
    const [document, other] = await twoDocuments();
    const relation = relationBetween(document, other, { kind: 'parent-child' });
    expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
    await world.drop(`EDGE#${(end === 'from' ? other : document).id}#${relation.id}`);
    expect([await notesAt(document), await notesAt(other)]).toEqual([[], []]);
    expect((await storeOver().unrelate(caller(), relation.id)).ok).toBe(false);
    expect(await remove(document)).toEqual({ ok: true, value: [document.id] });
    expect((await storeOver().info(caller(), other.id)).ok).toBe(true);
  },
);

test('what leads to a relation that another took the place of, put last by one that died, goes with it', async () => {
  const [document, other] = await twoDocuments();
  const relation = relationBetween(document, other);
  const client = meddle(world.connect(), touches('BatchWriteItem', 'EDGE#'), async () => {
    expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  });
  const death = dieAtWrite(client, 2, 'after');
  await storeOver(client).relate(caller(), relation);
  expect(death.writes()).toBe(3);
  expect(await notesAt(document)).toEqual([null]);
  expect((await storeOver().unrelate(caller(), relation.id)).ok).toBe(true);
  expect((await world.rows()).filter((sk) => /^(?:EDGE|REL)#/.test(sk))).toEqual([]);
});

test.for([
  { act: 'unrelate', when: 'before', isOld: false },
  { act: 'unrelate', when: 'after', isOld: false },
  { act: 'delete', when: 'before', isOld: false },
  { act: 'delete', when: 'after', isOld: false },
  { act: 'delete', when: 'before', isOld: true },
  { act: 'delete', when: 'after', isOld: true },
] as const)(
  'what leads to a relation whose $act died $when any of its writes is gone from both ends an hour later, or all of it is there (as before: $isOld)',
  async ({ act, when, isOld }) => {
    let left = 0;
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      world.fresh();
      const [document, other] = await twoDocuments();
      const relation = relationBetween(document, other);
      expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
      for (const { id } of isOld ? [document, other] : []) {
        await age(`EDGE#${id}#${relation.id}`, ['other', 'filters', 'created_at']);
      }
      const client = world.connect();
      const death = dieAtWrite(client, at, when);
      const dying = storeOver(client);
      await (act === 'unrelate' ? dying.unrelate(caller(), relation.id) : remove(other, dying));
      isThrough = death.writes() <= at;
      const ofRelations = async () =>
        (await world.rows()).filter((sk) => /^(?:EDGE|REL|RELATING)#/.test(sk)).map((sk) => sk.split('#')[0]);
      const isThere = (await notesAt(document)).length === 1;
      if (!isThere && (await ofRelations()).includes('EDGE')) left += 1;
      world.pass(3_600);
      const [next, last] = await twoDocuments();
      expect((await storeOver().relate(caller(), relationBetween(next, last))).ok).toBe(true);
      for (const one of [next, last]) expect((await remove(one)).ok).toBe(true);
      expect(await ofRelations()).toEqual(isThere ? ['EDGE', 'EDGE', 'REL'] : []);
    }
    expect(left).toBeGreaterThan(0);
  },
);

test('a delete takes what leads to a relation that is not there any more from both ends, and nothing of others', async () => {
  const [document, other] = await twoDocuments();
  const third = newDocument('c.txt');
  expect((await restore(third)).ok).toBe(true);
  const [loose, kept] = [relationBetween(document, other), relationBetween(document, third)];
  for (const one of [loose, kept]) expect((await storeOver().relate(caller(), one)).ok).toBe(true);
  await world.drop(`REL#${loose.id}`);
  expect((await remove(other)).ok).toBe(true);
  expect((await world.rows()).filter((sk) => /^(?:EDGE|REL)#/.test(sk)).toSorted()).toEqual(
    [`EDGE#${document.id}#${kept.id}`, `EDGE#${third.id}#${kept.id}`, `REL#${kept.id}`].toSorted(),
  );
});

test('what leads to a relation is put right where one that died put its own there, of a document that is gone', async () => {
  const [document, other] = await twoDocuments();
  const relation = relationBetween(document, other);
  const client = meddle(world.connect(), touches('BatchWriteItem', 'EDGE#'), async () => {
    expect((await remove(document)).ok).toBe(true);
    expect((await restore(document)).ok).toBe(true);
    expect((await storeOver().relate(caller(), relation)).ok).toBe(true);
  });
  const death = dieAtWrite(client, 2, 'after');
  await storeOver(client).relate(caller(), relation);
  expect(death.writes()).toBe(3);
  world.pass(3_600);
  const [next, last] = await twoDocuments();
  expect((await storeOver().relate(caller(), relationBetween(next, last))).ok).toBe(true);
  expect([await notesAt(document), await notesAt(other)]).toEqual([[null], [null]]);
  expect((await remove(other)).ok).toBe(true);
  expect((await world.rows()).filter((sk) => sk.includes(relation.id))).toEqual([]);
});
