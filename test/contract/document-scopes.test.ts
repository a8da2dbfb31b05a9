import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { noteSettling } from '../../functions/aws/documents/listed.ts';
import type { ContextCaller, NewDocument } from '../../functions/core/documents/ports.ts';
import { contextCaller, newDocument } from '../support/context-callers.ts';
import { actAtWrite, meddle } from '../support/document-tables.ts';
import { documentWorld } from '../support/document-world.ts';

/** What leads callers with filters to sets of filters: it costs by what is there, and goes with the last document of a set. */

const world = documentWorld('scopes');
const { connect, pass, rows, storeOver } = world;

/** A run of the team `x`, in the namespace of this test. */
const aRun = (run: string): ContextCaller =>
  contextCaller({ namespace: world.caller().namespace, scopeFilters: { team: 'x', run } });
const theTeam = (): ContextCaller =>
  contextCaller({ namespace: world.caller().namespace, scopeFilters: { team: 'x' } });

/** Few rows: of its name alone. */
const aDocument = (): NewDocument => newDocument('a.txt', { content: null });

async function create(by: ContextCaller, document = aDocument(), store = storeOver()) {
  expect((await store.create(by, document)).ok).toBe(true);
  return document;
}

async function remove(by: ContextCaller, { id }: NewDocument, store = storeOver()): Promise<void> {
  expect((await store.delete(by, id, '*')).ok).toBe(true);
}

async function listed(by: ContextCaller, store = storeOver()): Promise<readonly string[]> {
  const query = { filename: undefined, tags: [], limit: 100, offset: 0, cursor: undefined };
  const found = await store.list(by, query);
  if (!found.ok) throw new Error(found.error.reason);
  return found.value.documents.map(({ id }) => id);
}

async function searched(by: ContextCaller, store = storeOver()): Promise<readonly string[]> {
  const found = await store.search(by, { terms: ['a', 'txt'], limit: 100, includeRelations: false });
  if (!found.ok) throw new Error(found.error.detail);
  return found.value.hits.map(({ document }) => document.id);
}

const scopeRows = async () => (await rows()).filter((sk) => sk.startsWith('SCOPE#'));

/** Counts the queries of a client, the rows that they read, and how many there were at once. */
function counting(): {
  readonly client: DynamoDBClient;
  readonly count: { queries: number; rows: number; atOnce: number };
} {
  const client = connect();
  const count = { queries: 0, rows: 0, atOnce: 0 };
  let open = 0;
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (commandName !== 'QueryCommand') return next(args);
    open += 1;
    count.queries += 1;
    count.atOnce = Math.max(count.atOnce, open);
    const answer = await next(args);
    open -= 1;
    const { Items = [] }: { Items?: unknown[] } = Object(answer.output);
    count.rows += Items.length;
    return answer;
  });
  return { client, count };
}

test('sets of filters whose documents were all deleted cost nobody anything', async () => {
  for (let number = 0; number < 30; number += 1) {
    const run = aRun(String(number));
    await remove(run, await create(run));
  }
  expect(await scopeRows()).toEqual([]);
  const kept = await create(aRun('kept'));
  await listed(theTeam());
  for (const ask of [listed, searched]) {
    const { client, count } = counting();
    expect(await ask(theTeam(), storeOver(client))).toEqual([kept.id]);
    expect(count.queries).toBeLessThan(10);
  }
});

test('a run pays nothing for the other runs of its team', async () => {
  for (let number = 0; number < 60; number += 1) await create(aRun(String(number)));
  const mine = await create(aRun('mine'));
  await listed(aRun('mine'));
  const { client, count } = counting();
  expect(await listed(aRun('mine'), storeOver(client))).toEqual([mine.id]);
  expect(count.rows).toBeLessThan(25);
});

test('of many sets of filters some are asked at a time', async () => {
  const made: string[] = [];
  for (let number = 0; number < 50; number += 1) made.push((await create(aRun(String(number)))).id);
  await listed(theTeam());
  const { client, count } = counting();
  expect(await listed(theTeam(), storeOver(client))).toEqual(made.toSorted());
  expect(count.atOnce).toBeLessThanOrEqual(16);
});

test('sets of filters whose documents have all expired go, some with each who lists', async () => {
  const kept = await create(aRun('kept'));
  for (let number = 0; number < 60; number += 1) {
    const document = aDocument();
    await create(aRun(String(number)), {
      ...document,
      description: { ...document.description, ttlSeconds: 60 },
    });
  }
  pass(60);
  const opened = await world.tables()(theTeam());
  if (!opened.ok) throw new Error(opened.error.detail);
  await noteSettling(opened.value, `acme#${theTeam().namespace}`, { again: undefined });
  const before = (await scopeRows()).length;
  expect(await listed(theTeam())).toEqual([kept.id]);
  expect((await scopeRows()).length).toBeLessThan(before);
  for (let reads = 0; reads < 20; reads += 1) expect(await listed(theTeam())).toEqual([kept.id]);
  // Two rows of each, and those that are left are too few to be looked at.
  expect((await scopeRows()).length).toBeLessThanOrEqual(2 * 32);
});

test('a document that is made at any moment of the delete of the last one of its filters is listed and found', async () => {
  const run = aRun('1');
  let isThrough = false;
  for (let at = 0; !isThrough; at += 1) {
    const last = await create(run);
    let isDone = false;
    let commands = 0;
    let made = '';
    const client = meddle(
      connect(),
      () => {
        commands += 1;
        return commands === at + 1;
      },
      async () => {
        isDone = true;
        made = (await create(run)).id;
      },
    );
    await remove(run, last, storeOver(client));
    isThrough = !isDone;
    const expected = isDone ? [made] : [];
    expect([await listed(theTeam()), await searched(theTeam())]).toEqual([expected, expected]);
    if (isDone) expect((await storeOver().delete(run, made, '*')).ok).toBe(true);
    expect(await scopeRows()).toEqual([]);
  }
}, 120_000);

test('and one that is made while the last one is deleted at any of its writes', async () => {
  const run = aRun('1');
  let isThrough = false;
  for (let at = 0; !isThrough; at += 1) {
    const last = await create(run);
    const client = connect();
    const acted = actAtWrite(client, at, () => remove(run, last));
    const made = await create(run, aDocument(), storeOver(client));
    isThrough = acted.writes() <= at;
    if (isThrough) await remove(run, last);
    expect([await listed(theTeam()), await searched(theTeam())]).toEqual([[made.id], [made.id]]);
    await remove(run, made);
  }
});

test('a set of filters stays that a create has named, and not yet the document in it', async () => {
  const run = aRun('1');
  const last = await create(run);
  const client = connect();
  let isDone = false;
  client.middlewareStack.add((next) => async (args) => {
    const input: { RequestItems?: Record<string, { PutRequest?: { Item: { sk: { S: string } } } }[]> } =
      Object(args.input);
    const [[name, requests] = ['', []]] = Object.entries(input.RequestItems ?? {});
    const isScope = ({ PutRequest }: (typeof requests)[number]) =>
      PutRequest?.Item.sk.S.startsWith('SCOPE#') === true;
    if (isDone || !requests.some(isScope)) return next(args);
    isDone = true;
    const part = (of: typeof requests) =>
      next({ ...args, input: { ...input, RequestItems: { [name]: of } } });
    await part(requests.filter(isScope));
    await remove(run, last);
    return part(requests.filter((request) => !isScope(request)));
  });
  const made = await create(run, aDocument(), storeOver(client));
  expect([await listed(theTeam()), isDone]).toEqual([[made.id], true]);
});
