import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createContextTable, sharedTables } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { MemoryContextTable } from '../support/context-memory.ts';
import { Died } from '../support/document-tables.ts';
import { archived, expectWhole } from '../support/whole-documents.ts';

/** Several callers at one document, who may die: whose command is next is drawn. */

const CALLER = contextCaller();

type Act = (store: DocumentStore, document: NewDocument) => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  create: (store, document) => store.create(CALLER, document),
  import: (store, document) => store.restore(CALLER, archived(document)),
  write: (store, { id }) => store.write(CALLER, id, Buffer.from('written last'), '*'),
  edit: (store, { id }) => {
    const edit = {
      mode: 'string',
      oldString: 'last',
      newString: 'an edited last',
      replaceAll: false,
    } as const;
    return store.edit(CALLER, id, edit, '*');
  },
  delete: (store, { id }) => store.delete(CALLER, id, '*'),
};

/** One who acts; the command, by its number, with which it dies, and whether that is done. */
const actor = fc.record({
  kind: fc.constantFrom('create', 'import', 'write', 'edit', 'delete', 'delete'),
  dies: fc.option(fc.record({ at: fc.nat(20), isDone: fc.boolean() }), { freq: 3 }),
});

type Actor = typeof actor extends fc.Arbitrary<infer T> ? T : never;

/** A table in memory with a clock, and stores over it. */
function openWorld() {
  const memory = new MemoryContextTable();
  const seal = cursorSeal();
  let nowSeconds = NOW_SECONDS;
  const clock = () => nowSeconds;
  const over = (client = memory.client()) =>
    createDocumentStore({ tables: sharedTables(client, 'context', clock), seal, clock });
  return {
    memory,
    over,
    /** Has everything done that is done an hour later. */
    async settle(): Promise<void> {
      nowSeconds += 3_600;
      const another = newDocument('another.txt', { nowSeconds, content: null });
      expect((await over().create(CALLER, another)).ok).toBe(true);
      expect((await over().delete(CALLER, another.id, '*')).ok).toBe(true);
    },
    /** The sort keys of all rows, but for notes of deletes that were done. */
    async rows(): Promise<readonly string[]> {
      const table = createContextTable(memory.client(), 'context', clock);
      const rows = await table.all(`${CALLER.orgId}#${CALLER.namespace}`, '', 1_000);
      if (!rows.ok) throw new Error(rows.error.detail);
      return rows.value.filter((row) => row['done'] === undefined).map(({ sk }) => sk?.S ?? '');
    },
  };
}

/** Whose commands are done, and how many of them before somebody else's. */
const bursts = fc.array(fc.record({ who: fc.nat(3), commands: fc.integer({ min: 1, max: 15 }) }), {
  minLength: 4,
  maxLength: 12,
});

/** Lets actors do their commands in turns, and after these each what is left, one after the other. */
async function inTurns(
  world: ReturnType<typeof openWorld>,
  document: NewDocument,
  actors: readonly Actor[],
  turns: readonly { readonly who: number; readonly commands: number }[],
): Promise<void> {
  const waiting = actors.map((): (() => void)[] => []);
  const done = actors.map(({ kind, dies }, who) => {
    const client = world.memory.client();
    let commands = 0;
    client.middlewareStack.add((next) => async (args) => {
      await new Promise<void>((resolve) => waiting[who]?.push(resolve));
      commands += 1;
      const isLast = dies !== null && commands > dies.at;
      if (isLast && (commands > dies.at + 1 || !dies.isDone)) throw new Died('died');
      const answer = await next(args);
      if (isLast) throw new Died('died');
      return answer;
    });
    return ACTS[kind]?.(world.over(client), document);
  });
  const last = actors.map((_actor, who) => ({ who, commands: Number.POSITIVE_INFINITY }));
  for (const { who, commands } of [...turns, ...last]) {
    for (let number = 0; number < commands; number += 1) {
      // What is in memory goes on at once, until the next command waits.
      await new Promise((resolve) => setImmediate(resolve));
      const next = waiting[who % actors.length]?.shift();
      if (next === undefined) break;
      next();
    }
  }
  await Promise.all(done);
}

test.for([71, undefined])(
  'whatever the interleaving, and whoever dies, a document is whole in the end or nothing is left of it (seed %s)',
  async (seed) => {
    let whole = 0;
    let gone = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('create', 'import', undefined),
        fc.array(actor, { minLength: 2, maxLength: 4 }),
        bursts,
        async (first, actors, turns) => {
          const world = openWorld();
          const content = Buffer.from('the very last');
          const document = newDocument('a.txt', { content, tags: ['t'], idempotencyKey: 'k' });
          await ACTS[first ?? '']?.(world.over(), document);
          await inTurns(world, document, actors, turns);
          for (let hours = 0; hours < 2; hours += 1) await world.settle();
          const rows = (await world.rows()).filter((sk) => sk.includes(document.id));
          const read = await world.over().read(CALLER, document.id);
          if (read.ok) {
            whole += 1;
            const last = Buffer.from(read.value.content).toString();
            await expectWhole(world.over(), CALLER, { id: document.id, content: last });
            expect(rows.filter((sk) => /^(?:PENDING|REMOVING)#/.test(sk))).toEqual([]);
          } else {
            gone += 1;
            expect([read.error.reason, rows]).toEqual(['not_found', []]);
          }
        },
      ),
      { numRuns: 700, ...(seed === undefined ? {} : { seed }) },
    );
    expect(Math.min(whole, gone)).toBeGreaterThan(20);
  },
);
