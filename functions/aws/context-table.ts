import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { attempt, createContextBatches, toUnavailable } from './context-batches.ts';

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

/** That one write made a row; rows of earlier versions of the store name none. */
const BY_WRITE = '(#write = :write OR attribute_not_exists(#write))';

/** The context table over a client. */
export function createContextTable(client: DynamoDBClient, tableName: string, clock: Clock) {
  const putOn = (
    row: Row,
    condition: string,
    values: Row | undefined,
    names?: Record<string, string>,
  ): Promise<Result<boolean, Unavailable>> => {
    const command = new PutItemCommand({
      TableName: tableName,
      Item: row,
      ConditionExpression: condition,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    });
    return conditional(client.send(command));
  };
  const batches = createContextBatches(client, tableName);
  /** One page of a partition's rows whose sort key starts with `prefix`, after `afterSortKey`, at most `limit` rows. */
  const page = async (
    pk: string,
    prefix: string,
    afterSortKey: string | undefined,
    limit: number,
  ): Promise<Result<RowPage, Unavailable>> => {
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': { S: pk }, ':prefix': { S: prefix } },
      ExclusiveStartKey: afterSortKey === undefined ? undefined : toKey({ pk, sk: afterSortKey }),
      Limit: limit,
      ConsistentRead: true,
    });
    const output = await attempt(client.send(command));
    if (!output.ok) return output;
    const now = clock();
    const { Items = [] } = output.value;
    return ok({
      rows: Items.filter((row) => !isExpired(row, now)),
      looked: Items.length,
      nextSortKey: output.value.LastEvaluatedKey?.['sk']?.S,
    });
  };
  return {
    async get(key: RowKey): Promise<Result<Row | undefined, Unavailable>> {
      const output = await attempt(
        client.send(new GetItemCommand({ TableName: tableName, Key: toKey(key), ConsistentRead: true })),
      );
      if (!output.ok) return output;
      return ok(output.value.Item && !isExpired(output.value.Item, clock()) ? output.value.Item : undefined);
    },

    /** The rows in the order of their keys, undefined for one that is not there. Any number of different keys. */
    async getAll(keys: readonly RowKey[]): Promise<Result<readonly (Row | undefined)[], Unavailable>> {
      const rows = await batches.get(keys.map(toKey));
      if (!rows.ok) return rows;
      const now = clock();
      const found = new Map(
        rows.value.filter((row) => !isExpired(row, now)).map((row) => [row['sk']?.S ?? '', row]),
      );
      return ok(keys.map(({ sk }) => found.get(sk)));
    },

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
    putNew: (row: Row): Promise<Result<boolean, Unavailable>> =>
      putOn(row, 'attribute_not_exists(pk) OR expires_at <= :now', { ':now': { N: String(clock()) } }),

    /** Puts a row in the place of this one, which the same write must have put still. False where another one is, or none. */
    putInstead: (row: Row, standing: Row): Promise<Result<boolean, Unavailable>> => {
      const { condition, values } = putBySame(standing);
      return putOn(row, `attribute_exists(pk) AND ${condition}`, values, { '#write': 'write' });
    },

    /**
     * Puts a row in the place of its version `expected`, which that write made: an id may come again, with the same version. False where
     * another one is, or none: see {@link putNew} for whose. Rows of the first version of the store name no write.
     */
    putNext: (
      row: Row,
      expected: { readonly version: number; readonly write: string },
    ): Promise<Result<boolean, Unavailable>> =>
      putOn(
        row,
        `version = :version AND ${BY_WRITE}`,
        { ':version': { N: String(expected.version) }, ':write': { S: expected.write } },
        { '#write': 'write' },
      ),

    /** Sets one attribute of a row that is there. False where it is not. */
    async mark(key: RowKey, attribute: string, value: AttributeValue): Promise<Result<boolean, Unavailable>> {
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: toKey(key),
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET #attribute = :value',
        ExpressionAttributeNames: { '#attribute': attribute },
        ExpressionAttributeValues: { ':value': value },
      });
      return conditional(client.send(command));
    },

    /** Says that a row is in use by this write since then. False where it is not there, or marked as `gone`. */
    async hold(key: RowKey, write: string, sinceSeconds: number): Promise<Result<boolean, Unavailable>> {
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: toKey(key),
        ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(gone)',
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

    /** Deletes any number of rows, but for those that another write has put meanwhile. */
    removeAsRead: (rows: readonly Row[]): Promise<Result<void, Unavailable>> =>
      batches.remove(
        rows.map((row) => {
          const { condition, values } = putBySame(row);
          return {
            Key: toKey({ pk: row['pk']?.S ?? '', sk: row['sk']?.S ?? '' }),
            ConditionExpression: condition,
            ExpressionAttributeNames: { '#write': 'write' },
            ExpressionAttributeValues: values,
          };
        }),
      ),

    /**
     * Deletes the head of a document as it was made by that write, and in this version where one is named. False where another one is, or none:
     * see {@link putNew} for whose deed that may be. Rows of earlier versions of the store name no writes.
     */
    async deleteHead(
      key: RowKey,
      incarnation: string | undefined,
      expected?: { readonly version: number; readonly write: string },
    ): Promise<Result<boolean, Unavailable>> {
      const isSame =
        incarnation === undefined
          ? 'attribute_exists(pk) AND attribute_not_exists(incarnation)'
          : 'incarnation = :incarnation';
      const command = new DeleteItemCommand({
        TableName: tableName,
        Key: toKey(key),
        ConditionExpression:
          expected === undefined ? isSame : `${isSame} AND version = :version AND ${BY_WRITE}`,
        ExpressionAttributeNames: expected && { '#write': 'write' },
        ExpressionAttributeValues: toValues({
          ':incarnation': incarnation === undefined ? undefined : { S: incarnation },
          ':version': expected && { N: String(expected.version) },
          ':write': expected && { S: expected.write },
        }),
      });
      return conditional(client.send(command));
    },

    page,

    /** All rows whose sort key starts with `prefix`, so many at a time. */
    async all(pk: string, prefix: string, perLook: number): Promise<Result<readonly Row[], Unavailable>> {
      const found: Row[] = [];
      let after: string | undefined;
      do {
        const looked = await page(pk, prefix, after, perLook);
        if (!looked.ok) return looked;
        found.push(...looked.value.rows);
        after = looked.value.nextSortKey;
      } while (after !== undefined);
      return ok(found);
    },

    /** The sort keys of all rows that start with `prefix`, expired ones too. */
    async keys(pk: string, prefix: string): Promise<Result<readonly RowKey[], Unavailable>> {
      const found: RowKey[] = [];
      let after: Row | undefined;
      do {
        const command: QueryCommand = new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: { ':pk': { S: pk }, ':prefix': { S: prefix } },
          ProjectionExpression: 'sk',
          ExclusiveStartKey: after,
          ConsistentRead: true,
        });
        const output = await attempt(client.send(command));
        if (!output.ok) return output;
        for (const row of output.value.Items ?? []) found.push({ pk, sk: row['sk']?.S ?? '' });
        after = output.value.LastEvaluatedKey;
      } while (after !== undefined);
      return ok(found);
    },
  };
}

/** One client for every namespace. */
export function sharedTables(client: DynamoDBClient, tableName: string, clock: Clock): ContextTables {
  const table = createContextTable(client, tableName, clock);
  return async () => ok(table);
}

/** AWS deletes expired rows late, embedded engines never: whoever reads looks. */
function isExpired(row: Row, nowSeconds: number): boolean {
  const expiresAtSeconds = row['expires_at']?.N;
  return expiresAtSeconds !== undefined && Number(expiresAtSeconds) <= nowSeconds;
}

/** Does a row stand that the same write put? Rows of earlier versions of the store name none. */
function putBySame(row: Row): { readonly condition: string; readonly values: Row | undefined } {
  const write = row['write'];
  return write === undefined
    ? { condition: 'attribute_not_exists(#write)', values: undefined }
    : { condition: BY_WRITE, values: { ':write': write } };
}

/** Values of a condition; none where it has none. */
function toValues(values: Readonly<Record<string, AttributeValue | undefined>>): Row | undefined {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function toKey({ pk, sk }: RowKey): Row {
  return { pk: { S: pk }, sk: { S: sk } };
}

async function conditional(answer: Promise<unknown>): Promise<Result<boolean, Unavailable>> {
  try {
    await answer;
    return ok(true);
  } catch (error) {
    return error instanceof ConditionalCheckFailedException ? ok(false) : err(toUnavailable(error));
  }
}
