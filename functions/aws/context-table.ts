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

/** A row as the SDK has it. */
export type Row = Record<string, AttributeValue>;

/** The key of one row. */
export type RowKey = { readonly pk: string; readonly sk: string };

/** Rows of one partition, in the order of their sort keys, and where to go on. */
export type RowPage = { readonly rows: readonly Row[]; readonly nextSortKey: string | undefined };

/** How the context table is reached: reads are consistent, rows past `expires_at` are not there, and only this sees an SDK exception. */
export type ContextTable = ReturnType<typeof createContextTable>;

/** The context table over a client. */
export function createContextTable(client: DynamoDBClient, tableName: string, clock: Clock) {
  return {
    async get(key: RowKey): Promise<Result<Row | undefined, Unavailable>> {
      const output = await attempt(
        client.send(new GetItemCommand({ TableName: tableName, Key: toKey(key), ConsistentRead: true })),
      );
      if (!output.ok) return output;
      return ok(output.value.Item && !isExpired(output.value.Item, clock()) ? output.value.Item : undefined);
    },

    async put(row: Row): Promise<Result<void, Unavailable>> {
      const output = await attempt(client.send(new PutItemCommand({ TableName: tableName, Item: row })));
      return output.ok ? ok(undefined) : output;
    },

    /**
     * Puts a row where none is, or an expired one. False where one is: possibly this very row, when the client repeated a
     * put whose answer was lost.
     */
    async putNew(row: Row): Promise<Result<boolean, Unavailable>> {
      const command = new PutItemCommand({
        TableName: tableName,
        Item: row,
        ConditionExpression: 'attribute_not_exists(pk) OR expires_at <= :now',
        ExpressionAttributeValues: { ':now': { N: String(clock()) } },
      });
      return conditional(client.send(command));
    },

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
  };
}

/** AWS deletes expired rows late, embedded engines never: whoever reads looks. */
function isExpired(row: Row, nowSeconds: number): boolean {
  const expiresAtSeconds = row['expires_at']?.N;
  return expiresAtSeconds !== undefined && Number(expiresAtSeconds) <= nowSeconds;
}

function toKey({ pk, sk }: RowKey): Row {
  return { pk: { S: pk }, sk: { S: sk } };
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
