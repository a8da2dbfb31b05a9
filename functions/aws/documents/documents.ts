import type { ContextCaller, DocumentStore, Seal } from '../../core/documents/ports.ts';
import type { Clock, Unavailable } from '../../core/ports.ts';
import { err, type Result } from '../../core/result.ts';
import type { ContextTable, ContextTables } from '../context-table.ts';
import { createOnce } from './creation.ts';
import { listDocuments, walkDocuments } from './list.ts';
import { createPartitionStore } from './partitions.ts';
import { describeDocument, readDocument, readRange } from './reads.ts';
import { relate } from './relation-creation.ts';
import { relationPage, someRelationsOf } from './relation-pages.ts';
import { annotate, relationsOf, unrelate } from './relations.ts';
import { deleteDocument } from './removal.ts';
import { restoreEntry } from './restore.ts';
import { searchDocuments } from './search.ts';
import { editDocument, writeDocument } from './writes.ts';

/**
 * Documents in one DynamoDB table (keys `pk`, `sk`), single-item conditional writes only. A document is a head row and rows
 * of content; content is written before its head and removed after it, so a head never points at what is not whole. What a
 * create or a delete that dies in between leaves is removed by a later one, what a write leaves goes with its document.
 */
export function createDocumentStore(parts: {
  readonly tables: ContextTables;
  readonly seal: Seal;
  readonly clock: Clock;
}): DocumentStore {
  const { tables, seal, clock } = parts;
  /** Does it at the caller's part of the table. */
  const on = async <T, E>(
    caller: ContextCaller,
    act: (table: ContextTable) => Promise<Result<T, E>>,
  ): Promise<Result<T, E | Unavailable>> => {
    const table = await tables(caller);
    return table.ok ? act(table.value) : table;
  };
  return {
    ...createPartitionStore(tables, clock),

    create: async (caller, document) =>
      caller.permissions === 'write'
        ? on(caller, (table) => createOnce(table, caller, document))
        : err({ reason: 'read_only' }),

    info: (caller, id) => on(caller, (table) => describeDocument(table, caller, id)),

    read: (caller, id) => on(caller, (table) => readDocument(table, caller, id)),

    readRange: (caller, id, range) => on(caller, (table) => readRange(table, caller, id, range)),

    list: (caller, query) => on(caller, (table) => listDocuments(table, seal, caller, query)),

    search: (caller, request) => on(caller, (table) => searchDocuments(table, caller, request)),

    write: (caller, id, content, precondition) =>
      on(caller, (table) => writeDocument(table, caller, [id, content, precondition, clock()])),

    edit: (caller, id, edit, precondition) =>
      on(caller, (table) => editDocument(table, caller, [id, edit, precondition, clock()])),

    delete: (caller, id, precondition) =>
      on(caller, (table) => deleteDocument(table, caller, [id, precondition, clock()])),

    walk: (caller, afterId, limit) => on(caller, (table) => walkDocuments(table, caller, afterId, limit)),

    restore: async (caller, entry) =>
      caller.permissions === 'write'
        ? on(caller, (table) => restoreEntry(table, caller, entry, clock()))
        : err({ reason: 'read_only' }),

    relate: (caller, relation) =>
      on(caller, (table) => relate(table, caller, relation, { clockSeconds: clock() })),
    relationsOf: (caller, ids) => on(caller, (table) => relationsOf(table, caller, ids)),
    someRelationsOf: (caller, ids) => on(caller, (table) => someRelationsOf(table, caller, ids)),
    relationPage: (caller, id, query) =>
      on(caller, (table) => relationPage(table, seal, caller, [id, query])),
    annotate: (caller, id, notes) => on(caller, (table) => annotate(table, caller, id, notes)),
    unrelate: (caller, id) => on(caller, (table) => unrelate(table, caller, [id, clock()])),
  };
}
