import { expect, test } from 'vitest';
import { contextCaller } from '../support/context-callers.ts';
import { type IsCommand, meddle } from '../support/document-tables.ts';
import { touches } from '../support/document-world.ts';
import { sweptWorld } from '../support/swept-world.ts';
import { archived } from '../support/whole-documents.ts';

/** Notes of deletes that were done: they are looked at, all of them, however many there are at once, and that costs little. */

const putsPieces: IsCommand = (command, input) =>
  command === 'BatchWriteItemCommand' && input.includes('"CHUNK#');

test('notes of cascades do not pile up, and what one of them is to find is found', async () => {
  const world = sweptWorld();
  const victim = await world.made({ content: Buffer.from('a word') });
  const counts: number[] = [];
  await world.days(12, 40, async (day) => {
    counts.push((await world.notes()).length);
    if (day !== 1) return;
    const write = Buffer.from('secret left behind');
    const removed = async (): Promise<void> => void (await world.remove(victim));
    await world.die(putsPieces, (by) => by.write(world.caller, victim.id, write, '*'), removed);
    expect((await world.rows('CHUNK#')).length).toBe(1);
  });
  expect(Math.max(...counts)).toBeLessThan(41 * 3);
  expect((await world.rows()).filter((sk) => sk.includes(victim.id))).toEqual([]);
});

test('notes of deletes side by side do not pile up', async () => {
  const world = sweptWorld();
  const counts: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    await Promise.all(Array.from({ length: 16 }, async () => world.remove(await world.made())));
    await world.pass(3_601);
    counts.push((await world.notes()).length);
  }
  // 640 have been put.
  expect(Math.max(...counts.slice(10))).toBeLessThan(160);
});

test('what a delete is to find is found, however late the next one comes', async () => {
  const world = sweptWorld();
  const victim = await world.made({ content: Buffer.from('a word') });
  const removed = async (): Promise<void> => void (await world.remove(victim));
  await world.die(putsPieces, (by) => by.write(world.caller, victim.id, Buffer.from('x'), '*'), removed);
  await world.pass(400 * 86_400);
  await world.remove(await world.made());
  expect((await world.rows()).filter((sk) => sk.includes(victim.id))).toEqual([]);
});

test.for<Record<string, string>>([{}, { run: '1' }])(
  'an hour after a burst of deletes by callers with the filters %j, one more costs little more than before',
  async (scopeFilters) => {
    const world = sweptWorld();
    const by = contextCaller({ scopeFilters });
    const one = () => world.made({ tags: ['a', 'b'], content: Buffer.from('a word') }, by);
    const cost = async () => {
      const { id } = await one();
      return world.costOf(() => world.store.delete(by, id, '*'));
    };
    const before = await cost();
    for (let number = 0; number < 60; number += 1) await world.store.delete(by, (await one()).id, '*');
    await world.pass(3_601);
    const after = await cost();
    expect(after.calls - before.calls).toBeLessThan(16);
    expect(after.read - before.read).toBeLessThan(60);
    expect((await world.notes()).length).toBeLessThan(61);
  },
);

test('of a write that died to a document whose time is in the future, nothing is left', async () => {
  const world = sweptWorld();
  const document = world.aDocument({ content: Buffer.from('one two') });
  const entry = archived(document);
  if (entry.type !== 'document') throw new Error('not a document');
  const updatedAtSeconds = document.nowSeconds + 3_650 * 86_400;
  const restored = await world.store.restore(world.caller, {
    ...entry,
    document: { ...entry.document, updatedAtSeconds },
  });
  expect(restored).toMatchObject({ ok: true, value: { outcome: 'created' } });
  const listsIndex: IsCommand = (command, input) => command === 'PutItemCommand' && input.includes('"INDEX#');
  await world.die(listsIndex, (by) => by.write(world.caller, document.id, Buffer.from('secret'), '*'));
  await world.remove(document);
  await world.pass(3_601);
  await world.remove(await world.made());
  expect((await world.rows()).filter((sk) => sk.includes(document.id))).toEqual([]);
});

test('of a deleted partition no note stays for ever, whoever was at it', async () => {
  const world = sweptWorld();
  const { orgId, namespace } = world.caller;
  const partition = { name: namespace, ttlSeconds: null };
  expect((await world.store.createPartition(orgId, partition)).ok).toBe(true);
  const removesHead: IsCommand = (command, input) =>
    command === 'DeleteItemCommand' && input.includes('"DOC#');
  const [done, dying, from, to] = [
    await world.made({ tags: ['a'] }),
    await world.made({ tags: ['b'] }),
    await world.made(),
    await world.made(),
  ];
  await world.remove(done);
  await world.die(removesHead, (by) => by.delete(world.caller, dying.id, '*'));
  await world.die(touches('PutItem', 'REL#'), (by) => world.relate([from, to], 'related', by));
  expect((await world.store.deletePartition(orgId, namespace)).ok).toBe(true);
  const kinds = (await world.rows()).map((sk) => sk.split('#')[0]);
  expect(kinds.toSorted()).toEqual(['RELATING', 'REMOVING', 'REMOVING']);
  await world.pass(30 * 86_400);
  expect(await world.rows()).toEqual([]);
});

test('rows of the index of a create that was refused, and that come once more when it is over, go an hour later', async () => {
  const world = sweptWorld();
  const document = world.aDocument({ content: Buffer.from('one') });
  const faster = () => world.store.restore(world.caller, archived(document));
  const late: (() => Promise<unknown>)[] = [];
  const client = meddle(world.connect(), touches('PutItem', 'DOC#'), faster);
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    const isIndex =
      commandName === 'BatchWriteItemCommand' && /PutRequest.*"TERM#/.test(JSON.stringify(args.input));
    if (isIndex) late.push(() => next(args));
    return next(args);
  });
  const slower = { ...document, content: Buffer.from('two') };
  const refused = await world.storeOver(client).restore(world.caller, archived(slower));
  expect(refused).toMatchObject({ ok: true, value: { outcome: 'conflict' } });
  expect(late).toHaveLength(1);
  for (const send of late) await send();
  expect((await world.rows('TERM#two#')).length).toBe(1);
  await world.pass(3_601);
  await world.made();
  expect(await world.rows('TERM#two#')).toEqual([]);
  expect((await world.rows('INDEX#')).filter((sk) => sk.includes(document.id)).length).toBe(1);
  expect((await world.rows('TERM#one#')).length).toBe(1);
});
