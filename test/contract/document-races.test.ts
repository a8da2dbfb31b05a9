import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { beforeEach, expect, test } from 'vitest';
import { createContextTable } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { ContextCaller, DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { findDefinition, toRelationId } from '../../functions/core/documents/relation.ts';
import { ok } from '../../functions/core/result.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { MemoryContextTable } from '../support/context-memory.ts';
import { actAtWrite, dieAtWrite, type IsCommand, meddle } from '../support/document-tables.ts';
import { archived, expectWhole } from '../support/whole-documents.ts';

/** What is acknowledged is there as a whole, or gone as a whole, whatever is deleted at the same time. */

let table: MemoryContextTable;
let caller: ContextCaller;

beforeEach(() => fresh());

const clock = () => NOW_SECONDS;
const tableOver = (client = table.client()) => createContextTable(client, 'context', clock);
const storeOver = (client?: DynamoDBClient): DocumentStore =>
  createDocumentStore({ tables: async () => ok(tableOver(client)), seal: cursorSeal(), clock });

function fresh(scopeFilters: Record<string, string> = {}): void {
  table = new MemoryContextTable();
  caller = contextCaller({ namespace: 'races', scopeFilters });
}

const text = `first ${'a'.repeat(70_000)} last`;
const aDocument = (changes: Partial<NewDocument> = {}) =>
  newDocument('a.txt', { content: Buffer.from(text), tags: ['t'], ...changes });

const isPutOfHead = (command: string, input: string) =>
  command === 'PutItemCommand' && input.includes('"DOC#');

const restore = (document: NewDocument, store = storeOver()) => store.restore(caller, archived(document));

/** Has the lists of the namespace completed, which is done once: then nothing is put back into them by a look. */
async function completeLists(): Promise<void> {
  const query = { filename: undefined, tags: ['t'], limit: 1, offset: 0, cursor: undefined };
  expect((await storeOver().list(caller, query)).ok).toBe(true);
}

async function makePartition(): Promise<void> {
  const partition = { name: caller.namespace, ttlSeconds: null };
  expect((await storeOver().createPartition(caller.orgId, partition)).ok).toBe(true);
}

const deletePartition = (store = storeOver()) => store.deletePartition(caller.orgId, caller.namespace);

/** The document is whole, or nothing of it is there but what is noted, to be removed an hour later, and notes of deletes that were done. */
async function expectWholeOrGone({ id }: NewDocument): Promise<boolean> {
  const info = await storeOver().info(caller, id);
  if (info.ok) await expectWhole(storeOver(), caller, { id, content: text });
  const rows = await tableOver().all(`${caller.orgId}#${caller.namespace}`, '', 1_000);
  if (!rows.ok) throw new Error(rows.error.detail);
  const undone = rows.value.filter((row) => row['done'] === undefined);
  const left = undone.map(({ sk }) => sk?.S ?? '').filter((sk) => sk.includes(id));
  if (!info.ok && !left.some((sk) => /^(?:PENDING|REMOVING)#/.test(sk))) expect(left).toEqual([]);
  return info.ok;
}

test.for([undefined, 'a-key'])(
  'a create that a delete of its partition overtakes is whole, or refused (idempotency key %s)',
  async (idempotencyKey) => {
    let whole = 0;
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      fresh({ run: '1' });
      await makePartition();
      const other = newDocument('b.txt', { tags: ['t'] });
      expect((await storeOver().create(caller, other)).ok).toBe(true);
      const document = aDocument({ idempotencyKey });
      const client = table.client();
      const met = actAtWrite(client, at, async () => {
        expect(await deletePartition()).toEqual({ ok: true, value: { isComplete: true } });
      });
      const made = await storeOver(client).create(caller, document);
      isThrough = met.writes() <= at;
      if (!isThrough) expect((await storeOver().info(caller, other.id)).ok).toBe(false);
      else expect((await storeOver().delete(caller, other.id, '*')).ok).toBe(true);
      const isThere = await expectWholeOrGone(document);
      // The note of it is the last row, taken back after it was there.
      if (made.ok && isThere) whole += 1;
      if (!isThere) continue;
      const repeated = await storeOver().create(caller, { ...document, id: newDocument('c').id });
      if (idempotencyKey !== undefined) expect(repeated).toMatchObject({ value: { id: document.id } });
    }
    expect(whole).toBeGreaterThan(4);
  },
);

test('a document that is stored again while its partition is deleted is whole, or gone', async () => {
  let whole = 0;
  for (const isSlow of [true, false]) {
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      fresh();
      await makePartition();
      const document = aDocument();
      expect((await restore(document)).ok).toBe(true);
      const client = table.client();
      const { store: slow, isWaiting, goOn } = slowStore();
      let stored: ReturnType<typeof restore> | undefined;
      const met = actAtWrite(client, at, async () => {
        stored = restore(document, isSlow ? slow : storeOver());
        await Promise.race([isWaiting, stored]);
      });
      expect((await deletePartition(storeOver(client))).ok).toBe(true);
      goOn();
      expect((await stored)?.ok).not.toBe(false);
      isThrough = met.writes() <= at;
      if (await expectWholeOrGone(document)) whole += 1;
    }
  }
  expect(whole).toBeGreaterThan(3);
});

/** A store that waits before it puts a head, or another first command, and says when it does. */
function slowStore(isIt: IsCommand = isPutOfHead) {
  const waiting = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const client = meddle(table.client(), isIt, async () => {
    waiting.resolve();
    await gone.promise;
  });
  return { store: storeOver(client), isWaiting: waiting.promise, goOn: () => gone.resolve() };
}

test('a document keeps its lists whose rows one that came too late has put, and a delete of one before is about to remove', async () => {
  const document = aDocument();
  await completeLists();
  const isOfLists = (_command: string, input: string) => input.includes('"LIST#');
  const winner = slowStore();
  const won = restore(document, winner.store);
  await winner.isWaiting;
  const late = slowStore(
    (command, input) => command === 'BatchWriteItemCommand' && isOfLists(command, input),
  );
  const lost = restore(document, late.store);
  await late.isWaiting;
  expect(await restore(document)).toMatchObject({ value: { outcome: 'created' } });
  late.goOn();
  expect(await lost).toMatchObject({ value: { outcome: 'unchanged' } });
  const removal = slowStore((command, input) => command === 'DeleteItemCommand' && isOfLists(command, input));
  const removed = removal.store.delete(caller, document.id, '*');
  await removal.isWaiting;
  winner.goOn();
  expect(await won).toMatchObject({ value: { outcome: 'created' } });
  removal.goOn();
  expect((await removed).ok).toBe(true);
  await expectWhole(storeOver(), caller, { id: document.id, content: text });
});

test.for(['before', 'after'] as const)(
  'what is being stored again while a delete of it dies %s any of its writes is whole',
  async (when) => {
    let whole = 0;
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      fresh();
      await completeLists();
      const document = aDocument();
      expect((await restore(document)).ok).toBe(true);
      const client = table.client();
      const { store: slow, isWaiting, goOn } = slowStore();
      let stored: ReturnType<typeof restore> | undefined;
      actAtWrite(client, at, async () => {
        stored = restore(document, slow);
        await Promise.race([isWaiting, stored]);
      });
      const death = dieAtWrite(client, at, when);
      await storeOver(client).delete(caller, document.id, '*');
      isThrough = death.writes() <= at;
      goOn();
      const outcome = await stored;
      expect(outcome?.ok).not.toBe(false);
      // Where the delete had not come to the head, the import said that it stands.
      if (await expectWholeOrGone(document)) whole += 1;
      else expect(outcome?.ok === true && outcome.value.outcome === 'created').toBe(false);
    }
    expect(whole).toBeGreaterThan(4);
  },
);

/** A line of an archive that relates two documents. */
function archivedRelation(from: NewDocument, to: NewDocument, note: string | null = null) {
  const definition = findDefinition('related');
  if (definition === undefined) throw new Error('no such definition');
  const relation = { definition, fromId: from.id, toId: to.id, fromToNote: note, toFromNote: null };
  const id = toRelationId(relation);
  return { type: 'relation', relation: { ...relation, id, createdAtSeconds: NOW_SECONDS } } as const;
}

async function notesAt({ id }: NewDocument): Promise<readonly (string | null)[]> {
  const found = await storeOver().relationsOf(caller, [id]);
  if (!found.ok) throw new Error(found.error.detail);
  return (found.value.get(id) ?? []).map(({ fromToNote }) => fromToNote);
}

test.for(['from', 'to'] as const)(
  'a relation that is imported amid the deletion of a document of the same id stays, at both ends (%s)',
  async (end) => {
    let stayed = 0;
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      fresh();
      const [document, other] = [aDocument(), newDocument('b.txt')];
      const [from, to] = end === 'from' ? [document, other] : [other, document];
      for (const one of [document, other]) expect((await restore(one)).ok).toBe(true);
      expect((await storeOver().restore(caller, archivedRelation(from, to))).ok).toBe(true);
      let isBefore = false;
      const client = table.client();
      const met = actAtWrite(client, at, async () => {
        isBefore = (await storeOver().info(caller, document.id)).ok;
        expect((await restore(document)).ok).toBe(true);
        expect((await storeOver().restore(caller, archivedRelation(from, to))).ok).toBe(true);
      });
      expect((await storeOver(client).delete(caller, document.id, '*')).ok).toBe(true);
      isThrough = met.writes() <= at;
      if (isThrough || isBefore) continue;
      stayed += 1;
      expect([await notesAt(document), await notesAt(other)]).toEqual([[null], [null]]);
    }
    expect(stayed).toBeGreaterThan(4);
  },
);

test('a relation of a document that is gone is not one of the document that has its id now', async () => {
  const [document, other] = [aDocument(), newDocument('b.txt')];
  for (const one of [document, other]) expect((await restore(one)).ok).toBe(true);
  expect((await storeOver().restore(caller, archivedRelation(other, document, 'old'))).ok).toBe(true);
  const client = table.client();
  dieAtWrite(client, 2, 'before');
  await storeOver(client).delete(caller, document.id, '*');
  expect((await storeOver().info(caller, document.id)).ok).toBe(false);
  expect((await restore(document)).ok).toBe(true);
  expect([await notesAt(document), await notesAt(other)]).toEqual([[], []]);
  const again = await storeOver().restore(caller, archivedRelation(other, document, 'new'));
  expect(again).toMatchObject({ ok: true, value: { outcome: 'created' } });
  expect([await notesAt(document), await notesAt(other)]).toEqual([['new'], ['new']]);
});

test('a relation whose document is deleted before it is there is refused, and leaves nothing', async () => {
  let refused = 0;
  let whole = 0;
  for (let at = 0, isThrough = false; !isThrough; at += 1) {
    fresh();
    const [document, other] = [aDocument(), newDocument('b.txt')];
    for (const one of [document, other]) expect((await restore(one)).ok).toBe(true);
    const { relation } = archivedRelation(other, document);
    const client = table.client();
    const met = actAtWrite(client, at, async () => {
      expect((await storeOver().delete(caller, document.id, '*')).ok).toBe(true);
    });
    const made = await storeOver(client).relate(caller, relation);
    isThrough = met.writes() <= at;
    if (isThrough) continue;
    // The note of it is the last row, taken back after it was there.
    if (made.ok) whole += 1;
    else refused += 1;
    if (!made.ok) expect(made.error).toEqual({ reason: 'not_found' });
    const pk = `${caller.orgId}#${caller.namespace}`;
    for (const prefix of ['EDGE#', 'REL#']) {
      expect(await tableOver().keys(pk, prefix)).toEqual({ ok: true, value: [] });
    }
  }
  expect(refused).toBeGreaterThan(1);
  expect(whole).toBe(1);
});
