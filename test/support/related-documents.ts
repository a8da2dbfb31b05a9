import { createContextTable, type Row } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { digestFilters, toEdgeRows } from '../../functions/aws/documents/relation-edges.ts';
import { toRelationRow } from '../../functions/aws/documents/relation-rows.ts';
import { type DocumentHead, fromHeadRow, toHeadKey, toHeadRow } from '../../functions/aws/documents/rows.ts';
import { createDocument } from '../../functions/core/documents/document.ts';
import type { DocumentStore } from '../../functions/core/documents/ports.ts';
import { findDefinition, toRelationId } from '../../functions/core/documents/relation.ts';
import { ok } from '../../functions/core/result.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from './context-callers.ts';
import { MemoryContextTable, type Units } from './context-memory.ts';

/** What the rows of relations have that those of an earlier version had not. */
const SINCE = {
  REL: ['from_filters', 'to_filters'],
  EDGE: ['other', 'filters', 'created_at'],
} as const;

/** Documents in memory, and relations put among them as rows, so that there are many in no time. */
export function relatedDocuments() {
  const memory = new MemoryContextTable();
  const clock = () => NOW_SECONDS;
  const table = createContextTable(memory.client(), 'context', clock);
  const store: DocumentStore = createDocumentStore({
    tables: async () => ok(table),
    seal: cursorSeal(),
    clock,
  });
  const put = async (rows: readonly Row[]): Promise<void> => {
    const written = await table.writeAll(rows, []);
    if (!written.ok) throw new Error(written.error.detail);
  };
  let made = 0;
  return {
    store,
    memory,

    /** So many documents without content, of these filters and all of this name. */
    async documents(
      count: number,
      scopeFilters: Record<string, string> = {},
      filename = 'x',
    ): Promise<readonly DocumentHead[]> {
      const scope = contextCaller({ scopeFilters });
      const heads = Array.from({ length: count }, () => {
        made += 1;
        const id = `doc_${made.toString(16).padStart(24, '0')}`;
        const document = createDocument(newDocument(filename).description, null, {
          id,
          nowSeconds: NOW_SECONDS,
          scope,
        });
        return { document, parts: [], write: 'w', incarnation: 'w', claim: undefined };
      });
      await put(heads.map(toHeadRow));
      return heads;
    },

    /** The head of a document that the store made. */
    async headOf(id: string): Promise<DocumentHead> {
      const row = await table.get(toHeadKey('acme#proj', id));
      if (!row.ok || row.value === undefined) throw new Error('no such document');
      return fromHeadRow(row.value);
    },

    /** Relates each document to each of the others: those are the older relations that are related first. `isOld`: as an earlier version stored it. */
    async relate(
      near: readonly DocumentHead[],
      far: readonly DocumentHead[],
      { note = null, isOld = false }: { readonly note?: string | null; readonly isOld?: boolean } = {},
    ): Promise<readonly string[]> {
      const definition = findDefinition('related');
      if (definition === undefined) throw new Error('no such definition');
      const ids: string[] = [];
      const rows: Row[] = [];
      for (const [age, to] of far.entries()) {
        for (const from of near) {
          const relation = {
            definition,
            fromId: from.document.id,
            toId: to.document.id,
            fromToNote: note,
            toFromNote: note,
          };
          const id = toRelationId(relation);
          const createdAtSeconds = NOW_SECONDS + age;
          const row = toRelationRow('acme#proj', { ...relation, id, createdAtSeconds }, 'w', { from, to });
          ids.push(id);
          rows.push(...[row, ...toEdgeRows(row)].map((one) => (isOld ? asBefore(one) : one)));
        }
      }
      await put(rows);
      return ids;
    },

    /** Puts so many rows that lead from a document to relations which are not there. They tell these filters, or none as in an earlier version. */
    async loosen(
      { document }: DocumentHead,
      count: number,
      scopeFilters?: Record<string, string>,
    ): Promise<void> {
      const own = document.id.slice(-8);
      const sk = (index: number) => `EDGE#${document.id}#rel_${own}${index.toString(16).padStart(16, '0')}`;
      const digests = digestFilters(new Map(Object.entries(scopeFilters ?? {}))).map((S) => ({ S }));
      const told: Row = scopeFilters === undefined ? {} : { filters: { L: digests } };
      await put(
        Array.from({ length: count }, (_, index) => ({
          pk: { S: 'acme#proj' },
          sk: { S: sk(index) },
          ...told,
        })),
      );
    },

    /** The relations on each page of a document's, at most so many on one. */
    async pagesOf(id: string, limit: number, by = contextCaller()): Promise<readonly (readonly string[])[]> {
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await store.relationPage(by, id, { limit, cursor });
        if (!page.ok) throw new Error(page.error.reason);
        pages.push(page.value.relations.map((relation) => relation.id));
        cursor = page.value.nextCursor;
      } while (cursor !== undefined);
      return pages;
    },

    /** What an act costs. */
    async cost(act: () => Promise<unknown>): Promise<Units> {
      const before = { ...memory.units };
      await act();
      const { read, write, calls } = memory.units;
      return { read: read - before.read, write: write - before.write, calls: calls - before.calls };
    },
  };
}

function asBefore(row: Row): Row {
  const since: readonly string[] = row['sk']?.S?.startsWith('REL#') === true ? SINCE.REL : SINCE.EDGE;
  return Object.fromEntries(Object.entries(row).filter(([name]) => !since.includes(name)));
}
