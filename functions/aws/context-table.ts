import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { attempt, createContextBatches, toUnavailable } from './context-batches.ts';
import {
  absentAt,
  absentOrWith,
  atVersion,
  headOf,
  markBy,
  NOT_GONE,
  putBySame,
  type RowCondition,
  type RowVersion,
  stillBySame,
  THERE,
  UNMARKED,
  unmarkBy,
  withAttributes,
} from './context-conditions.ts';
import { createContextReads, toKey } from './context-reads.ts';

/** A row as the SDK has it. */
export type Row = Record<string, AttributeValue>;

/** The key of one row. */
export type RowKey = { readonly pk: string; readonly sk: string };

/** Rows of one partition, in the order of their sort keys, how many were looked at for them, and where to go on. */
export type RowPage = {
  readonly rows: readonly Row[];
  /** Expired ones too. */
  readonly looked: number;
  readonly nextSortKey: string | undefined;
};

/** How the context table is reached: reads are consistent, rows past `expires_at` are not there, and only this sees an SDK exception. */
export type ContextTable = ReturnType<typeof createContextTable>;

/** The table as one namespace may touch it, or with an empty one what is registered for the whole org; `unavailable` where the right to do so cannot be had now. */
export type ContextTables = (scope: {
  readonly orgId: string;
  readonly namespace: string;
}) => Promise<Result<ContextTable, Unavailable>>;

/** The context table over a client. */
export function createContextTable(client: DynamoDBClient, tableName: string, clock: Clock) {
  const putOn = (row: Row, condition: RowCondition): Promise<Result<boolean, Unavailable>> =>
    conditional(client.send(new PutItemCommand({ TableName: tableName, Item: row, ...condition })));
  const batches = createContextBatches(client, tableName);
  return {
    ...createContextReads(client, tableName, clock),

    async put(row: Row): Promise<Result<void, Unavailable>> {
      const output = await attempt(client.send(new PutItemCommand({ TableName: tableName, Item: row })));
      return output.ok ? ok(undefined) : output;
    },

    /** Puts and deletes any number of different rows, in no order and not all at once. What failed half-way may be repeated. */
    writeAll: (puts: readonly Row[], deletes: readonly RowKey[]): Promise<Result<void, Unavailable>> =>
      batches.write([
        ...puts.map((Item) => ({ PutRequest: { Item } })),
        ...deletes.map((key) => ({ DeleteRequest: { Key: toKey(key) } })),
      ]),

    /**
     * Puts a row where none is, or an expired one. False where one is: possibly this very row, when the client repeated a
     * put whose answer was lost.
     */
    putNew: (row: Row): Promise<Result<boolean, Unavailable>> => putOn(row, absentAt(clock())),

    /** Puts a row where none is, or one that has this attribute. False where one is that has not. */
    putOver: (row: Row, attribute: string): Promise<Result<boolean, Unavailable>> =>
      putOn(row, absentOrWith(attribute)),

    /** Puts a row in the place of this one, which the same write must have put still. False where another one is, or none. */
    putInstead: (row: Row, standing: Row): Promise<Result<boolean, Unavailable>> =>
      putOn(row, stillBySame(standing)),

    /**
     * Puts a row in the place of its version `expected`, which that write made: an id may come again, with the same version. False where
     * another one is, or none: see {@link putNew} for whose. Rows of the first version of the store name no write.
     */
    putNext: (row: Row, expected: RowVersion): Promise<Result<boolean, Unavailable>> =>
      putOn(row, atVersion(expected)),

    /** Sets one attribute of a row that is there, or of which more holds. False where it does not. */
    async mark(
      key: RowKey,
      attribute: string,
      value: AttributeValue,
      condition: Pick<RowCondition, 'ConditionExpression'> = THERE,
    ): Promise<Result<boolean, Unavailable>> {
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: toKey(key),
        ...condition,
        UpdateExpression: 'SET #attribute = :value',
        ExpressionAttributeNames: { '#attribute': attribute },
        ExpressionAttributeValues: { ':value': value },
      });
      return conditional(client.send(command));
    },

    /** Marks a row as `gone` by one of several. False where it is not there, or is marked so for good. */
    markGone: (key: RowKey, by: string): Promise<Result<boolean, Unavailable>> =>
      conditional(
        client.send(new UpdateItemCommand({ TableName: tableName, Key: toKey(key), ...markBy(by) })),
      ),

    /** Takes back the mark of that one. False where there is no such. */
    unmarkGone: (key: RowKey, by: string): Promise<Result<boolean, Unavailable>> =>
      conditional(
        client.send(new UpdateItemCommand({ TableName: tableName, Key: toKey(key), ...unmarkBy(by) })),
      ),

    /** Sets attributes of a row that the same write put, and of which those named are as they were read. False where they are not, or it went. */
    async setAsRead(row: Row, set: Row, names: readonly string[]): Promise<Result<boolean, Unavailable>> {
      const asRead = withAttributes(stillBySame(row), row, names);
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: toRowKey(row),
        ...asRead,
        UpdateExpression: `SET ${Object.keys(set)
          .map((name) => `${name} = :${name}`)
          .join(', ')}`,
        ExpressionAttributeValues: {
          ...asRead.ExpressionAttributeValues,
          ...Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
        },
      });
      return conditional(client.send(command));
    },

    /** Says that a row is in use by this write since then. False where it is not there, or marked as `gone`. */
    async hold(key: RowKey, write: string, sinceSeconds: number): Promise<Result<boolean, Unavailable>> {
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: toKey(key),
        ...NOT_GONE,
        UpdateExpression: 'SET #write = :write, held_at = :since',
        ExpressionAttributeNames: { '#write': 'write' },
        ExpressionAttributeValues: { ':write': { S: write }, ':since': { N: String(sinceSeconds) } },
      });
      return conditional(client.send(command));
    },

    async delete(key: RowKey): Promise<Result<void, Unavailable>> {
      const output = await attempt(
        client.send(new DeleteItemCommand({ TableName: tableName, Key: toKey(key) })),
      );
      return output.ok ? ok(undefined) : output;
    },

    /** Deletes a row that is not marked as `gone`. False where it is. */
    deleteUnlessGone: (key: RowKey): Promise<Result<boolean, Unavailable>> =>
      conditional(client.send(new DeleteItemCommand({ TableName: tableName, Key: toKey(key), ...UNMARKED }))),

    /** Deletes any number of rows, but for those that another write has put meanwhile. */
    removeAsRead: (rows: readonly Row[]): Promise<Result<void, Unavailable>> =>
      batches.remove(
        rows.map((row) => ({
          Key: toRowKey(row),
          ...putBySame(row),
        })),
      ),

    /**
     * Deletes the head of a document as it was made by that write, and in this version where one is named. False where another one is, or none:
     * see {@link putNew} for whose deed that may be. Rows of earlier versions of the store name no writes.
     */
    async deleteHead(
      key: RowKey,
      incarnation: string | undefined,
      expected?: RowVersion,
    ): Promise<Result<boolean, Unavailable>> {
      const command = new DeleteItemCommand({
        TableName: tableName,
        Key: toKey(key),
        ...headOf(incarnation, expected),
      });
      return conditional(client.send(command));
    },

    /** Deletes any number of heads as they were made, in whatever version. */
    removeHeads: (rows: readonly Row[]): Promise<Result<void, Unavailable>> =>
      batches.remove(
        rows.map((row) => ({ Key: toRowKey(row), ...headOf(row['incarnation']?.S, undefined) })),
      ),
  };
}

/** One client for every namespace. */
export function sharedTables(client: DynamoDBClient, tableName: string, clock: Clock): ContextTables {
  const table = createContextTable(client, tableName, clock);
  return async () => ok(table);
}

function toRowKey({ pk, sk }: Row): Row {
  return toKey({ pk: pk?.S ?? '', sk: sk?.S ?? '' });
}

async function conditional(answer: Promise<unknown>): Promise<Result<boolean, Unavailable>> {
  try {
    await answer;
    return ok(true);
  } catch (error) {
    return error instanceof ConditionalCheckFailedException ? ok(false) : err(toUnavailable(error));
  }
}
