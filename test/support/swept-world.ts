import { createContextTable, sharedTables } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { ContextCaller, DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { findDefinition } from '../../functions/core/documents/relation.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from './context-callers.ts';
import { MemoryContextTable, type Units } from './context-memory.ts';
import { Died, type IsCommand } from './document-tables.ts';

const DAY_SECONDS = 86_400;

/** A namespace in memory whose clock a test moves, and where DynamoDB removes what has expired when it does. */
export function sweptWorld() {
  const memory = new MemoryContextTable();
  const caller = contextCaller();
  const pk = `${caller.orgId}#${caller.namespace}`;
  let nowSeconds = NOW_SECONDS;
  const clock = () => nowSeconds;
  const table = createContextTable(memory.client(), 'context', clock);
  const seal = cursorSeal();
  const storeOver = (client = memory.client()): DocumentStore =>
    createDocumentStore({ tables: sharedTables(client, 'context', clock), seal, clock });
  const store = storeOver();
  const must = async <T extends { readonly ok: boolean }>(answer: Promise<T>): Promise<T> => {
    const given = await answer;
    if (!given.ok) throw new Error(JSON.stringify(given));
    return given;
  };
  const aDocument = (changes: Parameters<typeof newDocument>[1] = {}): NewDocument =>
    newDocument('a.txt', { nowSeconds, content: null, ...changes });
  const rows = async (prefix = ''): Promise<readonly string[]> => {
    const found = await table.keys(pk, prefix);
    if (!found.ok) throw new Error(found.error.detail);
    return found.value.map(({ sk }) => sk);
  };
  const remove = ({ id }: NewDocument, by = store) => must(by.delete(caller, id, '*'));
  const made = async (
    changes: Parameters<typeof newDocument>[1] = {},
    by: ContextCaller = caller,
  ): Promise<NewDocument> => {
    const document = aDocument(changes);
    await must(store.create(by, document));
    return document;
  };
  const relate = ([from, to]: readonly [NewDocument, NewDocument], kind: string, by = store) => {
    const definition = findDefinition(kind);
    if (definition === undefined) throw new Error('no such definition');
    const ends = { fromId: from.id, toId: to.id, fromToNote: null, toFromNote: null };
    return by.relate(caller, { definition, ...ends });
  };
  return {
    caller,
    store,
    storeOver,
    connect: () => memory.client(),
    table,
    pk,
    aDocument,
    made,
    remove,
    rows,
    notes: () => rows('REMOVING#'),

    /** Lets time pass, with which goes what has expired. */
    async pass(seconds: number): Promise<void> {
      nowSeconds += seconds;
      const all = await table.pageOfAll(pk, '', undefined, 100_000);
      if (!all.ok) throw new Error(all.error.detail);
      const over = all.value.rows.filter(
        (row) => Number(row['expires_at']?.N ?? nowSeconds + 1) <= nowSeconds,
      );
      await must(
        table.writeAll(
          [],
          over.map(({ sk }) => ({ pk, sk: sk?.S ?? '' })),
        ),
      );
    },

    relate,

    /** Deletes a document with so many below it. */
    async removeFamily(children: number): Promise<void> {
      const root = await made();
      for (let number = 0; number < children; number += 1)
        await must(relate([root, await made()], 'parent-child'));
      await remove(root);
    },

    /** Has a process act at its first command of a sort, do that, and die. */
    async die(isIt: IsCommand, work: (by: DocumentStore) => Promise<unknown>, act = async () => {}) {
      const client = memory.client();
      let isDead = false;
      client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
        if (isDead) throw new Died('dead already');
        if (!isIt(commandName, JSON.stringify(args.input))) return next(args);
        await act();
        isDead = true;
        await next(args);
        throw new Died('died');
      });
      await work(storeOver(client));
      if (!isDead) throw new Error('it did not come to that');
    },

    /** What an act cost. */
    async costOf(act: () => Promise<unknown>): Promise<Units> {
      const { calls, read, write } = memory.units;
      await act();
      const after = memory.units;
      return { calls: after.calls - calls, read: after.read - read, write: after.write - write };
    },

    /** Days on each of which somebody deletes such a family. */
    async days(count: number, children: number, each: (day: number) => Promise<unknown>): Promise<void> {
      for (let day = 0; day < count; day += 1) {
        await each(day);
        await this.removeFamily(children);
        await this.pass(DAY_SECONDS);
      }
    },
  };
}
