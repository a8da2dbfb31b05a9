import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';

/** A row as the SDK has it. */
export type Row = Record<string, AttributeValue>;

/** The key of one row. */
export type RowKey = { readonly pk: string; readonly sk: string };

/** Rows of one partition, in the order of their sort keys, and where to go on. */
export type RowPage = { readonly rows: readonly Row[]; readonly nextSortKey: string | undefined };

/** How the context table is reached: reads are consistent, rows past `expires_at` are not there, and only this sees an SDK exception. */
export type ContextTable = ReturnType<typeof createContextTable>;

/** The table as one namespace may touch it, or with an empty one what is registered for the whole org; `unavailable` where the right to do so cannot be had now. */
export type ContextTables = (scope: {
  readonly orgId: string;
  readonly namespace: string;
}) => Promise<Result<ContextTable, Unavailable>>;

/** Keys of one BatchGetItem and items of one BatchWriteItem (DynamoDB API reference). */
const GET_BATCH = 100;
const WRITE_BATCH = 25;

/** Bytes of content in one BatchWriteItem: it has to be through within an SDK call's time. */
const WRITE_BATCH_BYTES = 1_000_000;

/** Batches of writes that are under way at once, and how often what a batch left undone is tried again. */
const WRITES_AT_ONCE = 4;
const BATCH_ATTEMPTS = 5;
const BATCH_DELAY_MS = 40;

/** The context table over a client. */
export function createContextTable(client: DynamoDBClient, tableName: string, clock: Clock) {
  const putOn = (row: Row, condition: string, values: Row): Promise<Result<boolean, Unavailable>> => {
    const command = new PutItemCommand({
      TableName: tableName,
      Item: row,
      ConditionExpression: condition,
      ExpressionAttributeValues: values,
    });
    return conditional(client.send(command));
  };
  const writeBatch = async (requests: readonly WriteRequest[]): Promise<Result<void, Unavailable>> => {
    let left: WriteRequest[] = [...requests];
    for (let tried = 0; tried < BATCH_ATTEMPTS; tried += 1) {
      if (tried > 0) await pause(tried);
      const command = new BatchWriteItemCommand({ RequestItems: { [tableName]: left } });
      const output = await attempt(client.send(command));
      if (!output.ok) return output;
      left = output.value.UnprocessedItems?.[tableName] ?? [];
      if (left.length === 0) return ok(undefined);
    }
    return err({ reason: 'unavailable', detail: 'context table: a batch stayed unwritten' });
  };
  const getBatch = async (keys: readonly RowKey[]): Promise<Result<readonly Row[], Unavailable>> => {
    const rows: Row[] = [];
    let left: Row[] = keys.map(toKey);
    for (let tried = 0; tried < BATCH_ATTEMPTS; tried += 1) {
      if (tried > 0) await pause(tried);
      const RequestItems = { [tableName]: { Keys: left, ConsistentRead: true } };
      const output = await attempt(client.send(new BatchGetItemCommand({ RequestItems })));
      if (!output.ok) return output;
      rows.push(...(output.value.Responses?.[tableName] ?? []));
      left = output.value.UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (left.length === 0) return ok(rows);
    }
    return err({ reason: 'unavailable', detail: 'context table: a batch stayed unread' });
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
      const found = new Map<string, Row>();
      const now = clock();
      for (const batch of inGroups(keys, GET_BATCH)) {
        const rows = await getBatch(batch);
        if (!rows.ok) return rows;
        for (const row of rows.value) if (!isExpired(row, now)) found.set(row['sk']?.S ?? '', row);
      }
      return ok(keys.map(({ sk }) => found.get(sk)));
    },

    async put(row: Row): Promise<Result<void, Unavailable>> {
      const output = await attempt(client.send(new PutItemCommand({ TableName: tableName, Item: row })));
      return output.ok ? ok(undefined) : output;
    },

    /** Puts and deletes any number of different rows, in no order and not all at once. What failed half-way may be repeated. */
    async writeAll(puts: readonly Row[], deletes: readonly RowKey[]): Promise<Result<void, Unavailable>> {
      const requests: WriteRequest[] = [
        ...puts.map((Item) => ({ PutRequest: { Item } })),
        ...deletes.map((key) => ({ DeleteRequest: { Key: toKey(key) } })),
      ];
      for (const group of inGroups(toBatches(requests), WRITES_AT_ONCE)) {
        const written = await Promise.all(group.map(writeBatch));
        const failed = written.find((one) => !one.ok);
        if (failed !== undefined) return failed;
      }
      return ok(undefined);
    },

    /**
     * Puts a row where none is, or an expired one. False where one is: possibly this very row, when the client repeated a
     * put whose answer was lost.
     */
    putNew: (row: Row): Promise<Result<boolean, Unavailable>> =>
      putOn(row, 'attribute_not_exists(pk) OR expires_at <= :now', { ':now': { N: String(clock()) } }),

    /** Puts a row where one of its key is. False where none is. */
    putOver: async (row: Row): Promise<Result<boolean, Unavailable>> => {
      const command = new PutItemCommand({
        TableName: tableName,
        Item: row,
        ConditionExpression: 'attribute_exists(pk)',
      });
      return conditional(client.send(command));
    },

    /** Puts a row in the place of its version `expected`. False where another version is, or none: see {@link putNew} for whose. */
    putNext: (row: Row, expected: number): Promise<Result<boolean, Unavailable>> =>
      putOn(row, 'version = :expected', { ':expected': { N: String(expected) } }),

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

    async delete(key: RowKey): Promise<Result<void, Unavailable>> {
      const output = await attempt(
        client.send(new DeleteItemCommand({ TableName: tableName, Key: toKey(key) })),
      );
      return output.ok ? ok(undefined) : output;
    },

    /** Deletes a row of this version. False where another version is, or none. */
    async deleteVersion(key: RowKey, version: number): Promise<Result<boolean, Unavailable>> {
      const command = new DeleteItemCommand({
        TableName: tableName,
        Key: toKey(key),
        ConditionExpression: 'version = :version',
        ExpressionAttributeValues: { ':version': { N: String(version) } },
      });
      return conditional(client.send(command));
    },

    /** One page of a partition's rows whose sort key starts with `prefix`, after `afterSortKey`, at most `limit` rows. */
    async page(
      pk: string,
      prefix: string,
      afterSortKey: string | undefined,
      limit: number,
    ): Promise<Result<RowPage, Unavailable>> {
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
      return ok({
        rows: (output.value.Items ?? []).filter((row) => !isExpired(row, now)),
        nextSortKey: output.value.LastEvaluatedKey?.['sk']?.S,
      });
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

function toKey({ pk, sk }: RowKey): Row {
  return { pk: { S: pk }, sk: { S: sk } };
}

/** Requests in batches that are neither too many nor too large. */
function toBatches(requests: readonly WriteRequest[]): readonly (readonly WriteRequest[])[] {
  const batches: WriteRequest[][] = [];
  let bytes = 0;
  for (const request of requests) {
    const size = request.PutRequest?.Item?.['bytes']?.B?.length ?? 0;
    const last = batches.at(-1);
    if (last !== undefined && last.length < WRITE_BATCH && bytes + size <= WRITE_BATCH_BYTES) {
      last.push(request);
      bytes += size;
    } else {
      batches.push([request]);
      bytes = size;
    }
  }
  return batches;
}

function inGroups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function pause(tried: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, BATCH_DELAY_MS * 2 ** tried));
}

async function attempt<T>(answer: Promise<T>): Promise<Result<T, Unavailable>> {
  try {
    return ok(await answer);
  } catch (error) {
    return err(toUnavailable(error));
  }
}

async function conditional(answer: Promise<unknown>): Promise<Result<boolean, Unavailable>> {
  try {
    await answer;
    return ok(true);
  } catch (error) {
    return error instanceof ConditionalCheckFailedException ? ok(false) : err(toUnavailable(error));
  }
}

function toUnavailable(error: unknown): Unavailable {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { reason: 'unavailable', detail: `context table: ${detail}` };
}
