import { expect, test } from 'vitest';
import { leadingRows } from '../../functions/aws/documents/list-rows.ts';
import { createDocument, toDocumentId } from '../../functions/core/documents/document.ts';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { exportPage } from '../../functions/handlers/document-export.ts';
import { contextCaller, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { documentWorld } from '../support/document-world.ts';
import { storedBefore } from '../support/old-documents.ts';

/** Pages over very much that has expired, and that DynamoDB has not removed yet: each looks at some of it, and says where it goes on. */

const world = documentWorld('expired');
const { caller, connect, fresh, pass, storeOver, tables } = world;

/** Rows that a page looks at where all has expired: a thousand one list after the other, and before that some of each. */
const MOST_ROWS = 1_300;

const EXPIRING = { tags: ['t'], ttlSeconds: 60, isListed: true };

/** Has all that is there expire; answers with the id of a document that is stored then. */
async function expireBeforeOne(by: ContextCaller): Promise<string> {
  pass(60);
  const document = newDocument('a.txt', { nowSeconds: NOW_SECONDS + 60, content: null, tags: ['t'] });
  expect((await storeOver().create(by, document)).ok).toBe(true);
  return document.id;
}

/** A store, and how many rows its queries have read since it was asked. */
function counting() {
  const client = connect();
  let rows = 0;
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    const answer = await next(args);
    const { Items = [] }: { Items?: unknown[] } = Object(answer.output);
    if (commandName === 'QueryCommand') rows += Items.length;
    return answer;
  });
  return {
    store: storeOver(client),
    take: (): number => {
      const taken = rows;
      rows = 0;
      return taken;
    },
  };
}

test.for([
  ['of the namespace', {}, []],
  ['of a tag', {}, ['t']],
  ['of a run', { run: '1' }, []],
  ['of a team with many runs', { team: 'x' }, []],
] as const)('a list %s goes past it page by page', async ([, filters, tags]) => {
  const by = fresh(filters);
  // Those of a team are in as many lists as it has runs.
  const runs = 'team' in filters ? 4 : 1;
  const of = (run: number): ContextCaller =>
    contextCaller({ ...by, scopeFilters: { ...filters, ...(runs === 1 ? {} : { run: String(run) }) } });
  for (let run = 0; run < runs; run += 1) await storedBefore(tables(), of(run), 2_600 / runs, EXPIRING);
  const id = await expireBeforeOne(of(0));
  const query = { filename: undefined, tags, limit: 10, offset: 0 };
  const { store, take } = counting();
  const found: string[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await store.list(by, { ...query, cursor });
    if (!page.ok) throw new Error(page.error.reason);
    found.push(...page.value.documents.map((document) => document.id));
    cursor = page.value.nextCursor;
    pages += 1;
    expect(take()).toBeLessThan(MOST_ROWS + runs * 100);
  } while (cursor !== undefined && pages < 10);
  expect([found, pages]).toEqual([[id], expect.toSatisfy((count: number) => count > 1 && count < 5)]);
});

test.for([
  ['one after the other', (run: number, age: number) => run * 40 + age],
  ['at the same time', (run: number, age: number) => age * 60 + run],
] as const)(
  'very many runs that were %s, and expired, are gone past by what there is of them',
  async ([, toSecond]) => {
    const of = (run: number): ContextCaller =>
      contextCaller({ namespace: caller().namespace, scopeFilters: { team: 'x', run: String(run) } });
    const rows = Array.from({ length: 60 * 40 }, (_, number) => {
      const [run, age] = [number % 60, Math.floor(number / 60)];
      const id = toDocumentId(NOW_SECONDS - 10_000 + toSecond(run, age), Buffer.alloc(8, 1));
      const description = { ...newDocument('x').description, ttlSeconds: 60 };
      const document = createDocument(description, null, { id, nowSeconds: NOW_SECONDS, scope: of(run) });
      return leadingRows({ document, write: 'w' });
    });
    const scopes = new Map(rows.flatMap((one) => one.scopes).map((row) => [row['sk']?.S, row]));
    const opened = await tables()(caller());
    if (!opened.ok) throw new Error(opened.error.detail);
    const all = [...scopes.values(), ...rows.flatMap(({ lists }) => lists)];
    expect((await opened.value.writeAll(all, [])).ok).toBe(true);
    const id = await expireBeforeOne(of(0));
    const query = { filename: undefined, tags: [], limit: 1, offset: 0 };
    const { store, take } = counting();
    const found: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const page = await store.list(contextCaller({ ...of(0), scopeFilters: { team: 'x' } }), {
        ...query,
        cursor,
      });
      if (!page.ok) throw new Error(page.error.reason);
      found.push(...page.value.documents.map((document) => document.id));
      cursor = page.value.nextCursor;
      pages += 1;
    } while (cursor !== undefined && pages < 20);
    expect(found).toEqual([id]);
    expect(take()).toBeLessThan(3 * rows.length);
  },
);

test('a page of a small number goes past what expired before it', async () => {
  await storedBefore(tables(), caller(), 700, EXPIRING);
  const id = await expireBeforeOne(caller());
  const query = { filename: undefined, tags: [], limit: 1, offset: 0, cursor: undefined };
  expect(await storeOver().list(caller(), query)).toMatchObject({
    value: { documents: [{ id }], nextCursor: undefined },
  });
});

test('an export goes past it page by page, each of which says where it goes on', async () => {
  await storedBefore(tables(), caller(), 2_600, EXPIRING);
  const id = await expireBeforeOne(caller());
  const { store, take } = counting();
  const clock = () => NOW_SECONDS + 60;
  const lines: string[] = [];
  let pages = 0;
  for (let after: string | undefined; pages < 10; ) {
    const page = await exportPage(store, caller(), { after, limit: 100 }, clock);
    if (!page.ok) throw new Error(page.error.detail);
    for await (const line of page.value) lines.push(line);
    pages += 1;
    expect(take()).toBeLessThan(MOST_ROWS);
    const end: { next: string | null } = JSON.parse(lines.at(-1) ?? '');
    if (end.next === null) break;
    after = end.next;
  }
  expect(lines.filter((line) => line.includes('"document"')).length).toBe(1);
  expect(lines.some((line) => line.includes(id))).toBe(true);
  expect(pages).toBe(3);
});
