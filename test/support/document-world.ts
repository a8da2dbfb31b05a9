import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { LISTED } from '../../functions/aws/documents/listed.ts';
import type { ContextCaller, DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { findDefinition, type Relation, toRelationId } from '../../functions/core/documents/relation.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from './context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from './context-table.ts';
import { first, type IsCommand, meddle, type When } from './document-tables.ts';
import { archived } from './whole-documents.ts';

/** Text of three pieces. */
export const LONG_TEXT = `first ${'a'.repeat(150_000)} last`;

/**
 * A context table for the tests of one file, each with a namespace and a clock of its own. It starts and ends the table itself: call it where
 * the file begins.
 */
export function documentWorld(name: string) {
  let table: EmbeddedContextTable;
  let caller = contextCaller();
  let nowSeconds = NOW_SECONDS;
  let namespaces = 0;
  const keyOf = (sk: string) => ({ pk: { S: `${caller.orgId}#${caller.namespace}` }, sk: { S: sk } });
  /** Begins with another namespace, which callers with these filters use. */
  const fresh = (scopeFilters: Record<string, string> = {}): ContextCaller => {
    namespaces += 1;
    nowSeconds = NOW_SECONDS;
    caller = contextCaller({ namespace: `${name}-${namespaces}`, scopeFilters });
    return caller;
  };
  const pass = (seconds: number): void => {
    nowSeconds += seconds;
  };
  const storeOver = (client?: DynamoDBClient): DocumentStore => {
    const clock = () => nowSeconds;
    return createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
  };
  const restore = (document: NewDocument, store = storeOver()) => store.restore(caller, archived(document));
  const remove = (document: NewDocument, store = storeOver()) => store.delete(caller, document.id, '*');
  /** The sort keys of all rows of the namespace, but for the one that says how far it is in its lists, and notes of deletes that were done. */
  const rows = async (): Promise<readonly string[]> => {
    const { Items = [] } = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': keyOf('').pk },
        ProjectionExpression: 'sk, done',
      }),
    );
    const others = Items.filter(({ done }) => done === undefined);
    return others.map(({ sk }) => sk?.S ?? '').filter((sk) => sk !== LISTED);
  };
  beforeAll(async () => {
    table = await startContextTable();
  });
  afterAll(() => table.close());
  beforeEach(() => {
    fresh();
  });
  return {
    caller: () => caller,
    connect: () => table.connect(),
    /** The table itself, for rows that no document has. */
    tables: () => table.tables(() => nowSeconds),
    fresh,
    pass,
    storeOver,
    restore,
    remove,
    rows,

    /** A document of three pieces with the tag `t`. */
    aDocument: (changes: Parameters<typeof newDocument>[1] = {}): NewDocument =>
      newDocument('a.txt', { content: Buffer.from(LONG_TEXT), tags: ['t'], nowSeconds, ...changes }),

    /** A store that does something at its first command of a sort; and whether it has. */
    storeWith(isIt: IsCommand, act: () => Promise<unknown>, when: When = 'before') {
      const isFirst = first(isIt);
      const client = meddle(table.connect(), isFirst, act, when);
      return { store: storeOver(client), isDone: isFirst.wasMet };
    },

    /** The ids of a list. */
    async listed(tags: readonly string[] = []): Promise<readonly string[]> {
      const query = { filename: undefined, tags, limit: 10, offset: 0, cursor: undefined };
      const found = await storeOver().list(caller, query);
      if (!found.ok) throw new Error(found.error.reason);
      return found.value.documents.map(({ id }) => id);
    },

    /** What is noted at the relations of a document. */
    async notesAt({ id }: NewDocument): Promise<readonly (string | null)[]> {
      const found = await storeOver().relationsOf(caller, [id]);
      if (!found.ok) throw new Error(found.error.detail);
      return (found.value.get(id) ?? []).map(({ fromToNote }) => fromToNote);
    },

    /** The rows once whatever is removed an hour later has been, and the documents that had it removed. */
    async rowsLeft(): Promise<readonly string[]> {
      pass(3_600);
      const another = newDocument('later', { nowSeconds: nowSeconds });
      await storeOver().create(caller, another);
      await remove(another);
      return rows();
    },

    /** Takes one row away, as if it had never been put. */
    async drop(sk: string): Promise<void> {
      await table.client.send(new DeleteItemCommand({ TableName: table.tableName, Key: keyOf(sk) }));
    },

    /** Makes a row as an older version stored it, without these attributes. */
    async age(sk: string, attributes: readonly string[]): Promise<void> {
      const { tableName: TableName, client } = table;
      const { Item } = await client.send(new GetItemCommand({ TableName, Key: keyOf(sk) }));
      const kept = Object.entries(Item ?? {}).filter(([attribute]) => !attributes.includes(attribute));
      await client.send(new PutItemCommand({ TableName, Item: Object.fromEntries(kept) }));
    },
  };
}

/** Is it a command that names a row whose sort key starts so? */
export function touches(commandName: string, prefix: string): IsCommand {
  return (command, input) => command === `${commandName}Command` && input.includes(`"${prefix}`);
}

/** A relation between two documents, as an archive has it. */
export function relationBetween(
  from: NewDocument,
  to: NewDocument,
  { note = null, kind = 'related' }: { readonly note?: string | null; readonly kind?: string } = {},
): Relation {
  const definition = findDefinition(kind);
  if (definition === undefined) throw new Error('no such definition');
  const relation = { definition, fromId: from.id, toId: to.id, fromToNote: note, toFromNote: null };
  return { ...relation, id: toRelationId(relation), createdAtSeconds: NOW_SECONDS };
}
