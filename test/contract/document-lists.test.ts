import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { toPartition } from '../../functions/aws/documents/rows.ts';
import { parseDocumentQuery } from '../../functions/core/documents/input.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { storedBefore as putOld } from '../support/old-documents.ts';

let table: EmbeddedContextTable;
let store: DocumentStore;
let namespaces = 0;
const clock = () => NOW_SECONDS;

beforeAll(async () => {
  table = await startContextTable();
  store = createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock });
});
afterAll(() => table.close());

function fresh(scopeFilters: Record<string, string> = {}): ContextCaller {
  namespaces += 1;
  return contextCaller({ namespace: `lists-${namespaces}`, scopeFilters });
}

async function created(by: ContextCaller, tags: readonly string[] = [], filename = 'a'): Promise<string> {
  const made = await store.create(by, newDocument(filename, { tags, content: null }));
  if (!made.ok) throw new Error(made.error.reason);
  return made.value.id;
}

/** Every page, followed by cursor. */
async function listed(by: ContextCaller, input: Record<string, unknown>, from = store): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const query = parseDocumentQuery(cursor === undefined ? input : { ...input, cursor });
    if (!query.ok) throw new Error(query.error.message);
    const page = await from.list(by, query.value);
    if (!page.ok) throw new Error(page.error.reason);
    ids.push(...page.value.documents.map(({ id }) => id));
    cursor = page.value.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

/** Puts heads as a version did that had no lists. */
const storedBefore = (by: ContextCaller, count: number, tags: readonly string[] = []) =>
  putOld(table.tables(clock), by, count, { tags });

describe('a list', () => {
  test('of little among very much that the caller cannot see costs what the little does', async () => {
    const mine = fresh({ run: '1' });
    const theirs = { ...mine, scopeFilters: new Map([['run', '2']]) };
    await storedBefore(theirs, 600, ['t']);
    const id = await created(mine, ['t']);
    await listed(mine, {});
    const client = table.connect();
    let rows = 0;
    client.middlewareStack.add((next) => async (args) => {
      const answer = await next(args);
      const output: { Items?: unknown[]; Item?: unknown; Responses?: Record<string, unknown[]> } = Object(
        answer.output,
      );
      rows += (output.Items?.length ?? 0) + (output.Item === undefined ? 0 : 1);
      rows += Object.values(output.Responses ?? {}).flat().length;
      return answer;
    });
    const counting = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
    expect(await listed(mine, {}, counting)).toEqual([id]);
    expect(await listed(mine, { tags: ['t'] }, counting)).toEqual([id]);
    expect(rows).toBeLessThan(12);
  });

  test('has what was stored before there were lists', async () => {
    const mine = fresh({ run: '1' });
    const wide = { ...mine, scopeFilters: new Map() };
    const old = await storedBefore(mine, 30, ['t']);
    const next = await created(mine, ['t']);
    expect(await listed(mine, { limit: 7 })).toEqual([...old, next]);
    expect(await listed(wide, { limit: 7, tags: ['t'] })).toEqual([...old, next]);
    for (const id of old.slice(0, 3)) expect((await store.delete(mine, id, '*')).ok).toBe(true);
    expect(await listed(wide, { tags: ['t'] })).toEqual([...old.slice(3), next]);
  });

  test('loses what was deleted, and leaves no row of it behind', async () => {
    const mine = fresh({ run: '1', step: '2' });
    const id = await created(mine, ['a', 'b']);
    expect(await listed(mine, { tags: ['b', 'a'] })).toEqual([id]);
    await store.delete(mine, id, '*');
    const opened = await table.tables(clock)(mine);
    const left = opened.ok
      ? await opened.value.keys(toPartition(mine.orgId, mine.namespace), 'LIST#')
      : opened;
    expect(left).toEqual({ ok: true, value: [] });
  });

  test('does not mix up tags: a `#`, other letters, another script', async () => {
    const by = fresh();
    const tags = ['a', 'a#b', 'A', 'ä', '*', '-'];
    const ids = new Map<string, string>();
    for (const tag of tags) ids.set(tag, await created(by, [tag]));
    for (const tag of tags) expect(await listed(by, { tags: [tag] })).toEqual([ids.get(tag)]);
    expect(await listed(by, { tags: ['b'] })).toEqual([]);
  });
});

test('whoever asks for whatever page of whatever, it is what a plain list of documents says', async () => {
  const base = fresh().namespace;
  const filters = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { maxKeys: 3 });
  const some = fc.subarray(['x', 'y', 'z']);
  const made: { id: string; filters: Record<string, string>; tags: string[]; filename: string }[] = [];
  const step = fc.record({
    filters,
    tags: some,
    filename: fc.constantFrom('one', 'two'),
    isNew: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 6, maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, limit) => {
        for (const { filters: scopeFilters, tags, filename, isNew } of steps) {
          const by = contextCaller({ namespace: base, scopeFilters });
          if (isNew) {
            made.push({ id: await created(by, tags, filename), filters: scopeFilters, tags, filename });
            continue;
          }
          const expected = made
            .filter(
              (document) =>
                Object.keys(document.filters).length === 0 ||
                Object.entries(scopeFilters).every(([name, value]) => document.filters[name] === value),
            )
            .filter(
              (document) =>
                tags.every((tag) => document.tags.includes(tag)) && document.filename === filename,
            );
          expect(await listed(by, { limit, tags, filename })).toEqual(
            expected.map(({ id }) => id).toSorted(),
          );
        }
      },
    ),
    { numRuns: 10, endOnFailure: true },
  );
});
