import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Clock, Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import { attempt, createContextBatches } from './context-batches.ts';
import type { Row, RowKey, RowPage } from './context-table.ts';

/** Reads of the context table: consistent, and rows past `expires_at` are not there. */
export function createContextReads(client: DynamoDBClient, tableName: string, clock: Clock) {
  const batches = createContextBatches(client, tableName);
  /** One page of a partition's rows whose sort key starts with `prefix`, after `afterSortKey`, at most `limit` rows, expired ones too. */
  const pageOfAll = async (
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
    const { Items: rows = [], LastEvaluatedKey } = output.value;
    return ok({ rows, looked: rows.length, nextSortKey: LastEvaluatedKey?.['sk']?.S });
  };
  /** The same without those that have expired. */
  const page = async (...where: Parameters<typeof pageOfAll>): Promise<Result<RowPage, Unavailable>> => {
    const found = await pageOfAll(...where);
    if (!found.ok) return found;
    const now = clock();
    return ok({ ...found.value, rows: found.value.rows.filter((row) => !isExpired(row, now)) });
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

    page,

    pageOfAll,

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

/** A key as the SDK has it. */
export function toKey({ pk, sk }: RowKey): Row {
  return { pk: { S: pk }, sk: { S: sk } };
}

/** AWS deletes expired rows late, embedded engines never: whoever reads looks. */
function isExpired(row: Row, nowSeconds: number): boolean {
  const expiresAtSeconds = row['expires_at']?.N;
  return expiresAtSeconds !== undefined && Number(expiresAtSeconds) <= nowSeconds;
}
