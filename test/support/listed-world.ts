import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { sharedTables } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { leadingRows } from '../../functions/aws/documents/list-rows.ts';
import { noteProgress, noteSettling } from '../../functions/aws/documents/listed.ts';
import { noteCreation } from '../../functions/aws/documents/notes.ts';
import { toHeadRow, toPartition } from '../../functions/aws/documents/rows.ts';
import { createDocument, type Document, toDocumentId } from '../../functions/core/documents/document.ts';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from './context-callers.ts';
import { MemoryContextTable } from './context-memory.ts';

/** A document that is there as rows. */
export type Stored = {
  /** The seconds in its id, which are its place in lists. */
  readonly second?: number;
  readonly ttlSeconds?: number;
  /** Makes its head larger. */
  readonly value?: string;
  readonly tags?: readonly string[];
  /** Is it in lists alone? */
  readonly isLost?: boolean;
};

/** So many alike, each a second after the one before where it says from which one on. */
export function many(
  count: number,
  { firstSecond, ...alike }: Omit<Stored, 'second'> & { readonly firstSecond?: number } = {},
): readonly Stored[] {
  return Array.from({ length: count }, (_, age) =>
    firstSecond === undefined ? alike : { ...alike, second: firstSecond + age },
  );
}

/** A store over a table in memory, whose namespace is in lists as a whole, and what its calls read. */
export async function listedWorld({ isSettled }: { readonly isSettled: boolean }) {
  const { orgId, namespace } = contextCaller();
  const pk = toPartition(orgId, namespace);
  const memory = new MemoryContextTable();
  let nowSeconds = NOW_SECONDS;
  const clock = () => nowSeconds;
  const count = { queries: 0, rounds: 0, rows: 0, notes: 0 };
  let open = 0;
  const client = memory.client();
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (commandName !== 'QueryCommand') return next(args);
    if (open === 0) count.rounds += 1;
    open += 1;
    const answer = await next(args);
    open -= 1;
    const { Items = [] }: { Items?: unknown[] } = Object(answer.output);
    count.queries += 1;
    count.rows += Items.length;
    if (JSON.stringify(args.input).includes('"PENDING#"')) count.notes += 1;
    return answer;
  });
  const tables = sharedTables(client, 'context', clock);
  const opened = await tables({ orgId, namespace });
  if (!opened.ok) throw new Error(opened.error.detail);
  const table = opened.value;
  await noteProgress(table, pk, undefined, NOW_SECONDS);
  if (isSettled) await noteSettling(table, pk, { again: undefined });
  return {
    store: createDocumentStore({ tables, seal: cursorSeal(), clock }),
    pass: (seconds: number): void => {
      nowSeconds += seconds;
    },

    /** Stores documents as rows; answers with their ids. */
    async put(by: ContextCaller, documents: readonly Stored[]): Promise<readonly string[]> {
      const made = documents.map((stored) => ({ document: toDocument(by, stored), ...stored }));
      const rows = made.flatMap(({ document, isLost = false }) => {
        const head = { document, parts: [], write: 'w', incarnation: 'w', claim: undefined };
        return [...leadingRows(head).lists, ...(isLost ? [] : [toHeadRow(head)])];
      });
      const { scopes } = leadingRows({ document: toDocument(by, {}), write: 'w' });
      expect((await table.writeAll([...scopes, ...rows], [])).ok).toBe(true);
      return made.map(({ document }) => document.id);
    },

    /** Notes a create that does not come to its end. */
    async note(by: ContextCaller): Promise<void> {
      const creation = { document: toDocument(by, {}), write: 'w', isRepeatable: false };
      expect((await noteCreation(table, creation, NOW_SECONDS)).ok).toBe(true);
    },

    /** How many rows lead to sets of filters. */
    async scopeRows(): Promise<number> {
      const keys = await table.keys(pk, 'SCOPE#');
      return keys.ok ? keys.value.length : Number.NaN;
    },

    /** What it costs to do it. */
    async costOf(act: () => Promise<{ readonly ok: boolean }>) {
      const before = { ...count, ...memory.units };
      expect((await act()).ok).toBe(true);
      const { read, write } = memory.units;
      return {
        queries: count.queries - before.queries,
        /** Queries, those at the same time as one. */
        rounds: count.rounds - before.rounds,
        rows: count.rows - before.rows,
        notes: count.notes - before.notes,
        read: read - before.read,
        write: write - before.write,
      };
    },
  };
}

function toDocument(
  scope: ContextCaller,
  { second = NOW_SECONDS, ttlSeconds, value, tags = [] }: Stored,
): Document {
  const metadata = new Map(value === undefined ? [] : [['about', value]]);
  const description = { ...newDocument('x', { tags }).description, metadata, ttlSeconds };
  return createDocument(description, null, {
    id: toDocumentId(second, randomBytes(8)),
    nowSeconds: NOW_SECONDS,
    scope,
  });
}
