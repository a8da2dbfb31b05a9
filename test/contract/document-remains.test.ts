import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { ContextCaller, DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { dieAtWrite } from '../support/document-tables.ts';

let table: EmbeddedContextTable;
let store: DocumentStore;
const clock = () => NOW_SECONDS;
const seal = cursorSeal();

beforeAll(async () => {
  table = await startContextTable();
  store = createDocumentStore({ tables: table.tables(clock), seal, clock });
});
afterAll(() => table.close());

const SECRET = 'uncommon';
const content = Buffer.from(`${SECRET} ${'a'.repeat(100_000)}`);

/** Every way in which a document of the namespace, or that there is one, could be seen by a caller of all of it and by one with filters. */
async function seenOf(caller: ContextCaller, { id }: NewDocument): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for (const by of [caller, { ...caller, scopeFilters: new Map([['run', '1']]) }]) {
    for (const read of [await store.read(by, id), await store.readRange(by, id, { offset: 0, limit: 1 })]) {
      if (read.ok || read.error.reason !== 'not_found') seen.push(read);
    }
    for (const tags of [[], ['t']]) {
      for (const filename of [undefined, 'dead']) {
        const query = { filename, tags, limit: 10, offset: 0, cursor: undefined };
        const listed = await store.list(by, query);
        if (!listed.ok || listed.value.documents.length > 0 || listed.value.nextCursor !== undefined)
          seen.push(listed);
      }
    }
    const found = await store.search(by, { terms: [SECRET], limit: 10, includeRelations: false });
    if (!found.ok || found.value.hits.length > 0) seen.push(found);
    const walked = await store.walk(by, undefined, 10);
    if (!walked.ok || JSON.stringify(walked.value).includes(id)) seen.push(walked);
  }
  return seen;
}

test.for(['before', 'after'] as const)(
  'of a delete that dies %s any of its writes, nothing is seen once the document is gone',
  async (when) => {
    let gone = 0;
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      const caller = contextCaller({ namespace: `delete-${when}-${at}` });
      const scoped = { ...caller, scopeFilters: new Map([['run', '1']]) };
      const document = newDocument('dead.txt', { content, tags: ['t'], idempotencyKey: 'k' });
      expect((await store.create(scoped, document)).ok).toBe(true);
      const client = table.connect();
      const death = dieAtWrite(client, at, when);
      const dying = createDocumentStore({ tables: table.tables(clock, client), seal, clock });
      await dying.delete(scoped, document.id, '*');
      isThrough = death.writes() <= at;
      const info = await store.info(caller, document.id);
      if (info.ok) continue;
      gone += 1;
      expect(await seenOf(caller, document)).toEqual([]);
      // A late repetition of the create does not bring it back.
      expect((await store.create(scoped, document)).ok).toBe(false);
    }
    expect(gone).toBeGreaterThan(3);
  },
);

test.for(['before', 'after'] as const)(
  'of a repeatable create that dies %s any of its writes, nothing is seen before it is repeated',
  async (when) => {
    let died = 0;
    for (let at = 0, isThrough = false; !isThrough; at += 1) {
      const caller = contextCaller({ namespace: `create-${when}-${at}` });
      const scoped = { ...caller, scopeFilters: new Map([['run', '1']]) };
      const document = newDocument('dead.txt', { content, tags: ['t'], idempotencyKey: 'k' });
      const client = table.connect();
      const death = dieAtWrite(client, at, when);
      const dying = createDocumentStore({ tables: table.tables(clock, client), seal, clock });
      await dying.create(scoped, document);
      isThrough = death.writes() <= at;
      if ((await store.info(caller, document.id)).ok) continue;
      died += 1;
      expect(await seenOf(caller, document)).toEqual([]);
    }
    expect(died).toBeGreaterThan(3);
  },
);
