import { type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { createContextTable } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { ok } from '../../functions/core/result.ts';
import { cursorSeal, NOW_SECONDS } from '../support/context-callers.ts';
import { MemoryContextTable } from '../support/context-memory.ts';

/** One delete of a partition does so much and no more, and says whether it is complete. */

const clock = () => NOW_SECONDS;
const storeOver = (client: DynamoDBClient) =>
  createDocumentStore({
    tables: async () => ok(createContextTable(client, 'context', clock)),
    seal: cursorSeal(),
    clock,
  });

const PK = { S: 'acme#proj' };

async function partitioned(): Promise<MemoryContextTable> {
  const memory = new MemoryContextTable();
  const made = await storeOver(memory.client()).createPartition('acme', { name: 'proj', ttlSeconds: null });
  expect(made.ok).toBe(true);
  return memory;
}

test('what has expired goes as well, and counts', async () => {
  const memory = await partitioned();
  const client = memory.client();
  for (let index = 0; index < 20_001; index += 1) {
    const sk = { S: `CHUNK#${String(index).padStart(6, '0')}#w#0000` };
    const Item = { pk: PK, sk, expires_at: { N: String(NOW_SECONDS) } };
    await client.send(new PutItemCommand({ TableName: 'context', Item }));
  }
  const store = storeOver(client);
  expect(await store.deletePartition('acme', 'proj')).toEqual({ ok: true, value: { isComplete: false } });
  expect(await store.deletePartition('acme', 'proj')).toEqual({ ok: true, value: { isComplete: true } });
  const left = await client.send(
    new QueryCommand({
      TableName: 'context',
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': PK, ':prefix': { S: '' } },
    }),
  );
  expect(left.Items).toEqual([]);
});

test('rows that stay are not looked at without end', async () => {
  const client = (await partitioned()).client();
  const row = { pk: PK, sk: { S: 'SETTINGS#' } };
  let looks = 0;
  client.middlewareStack.add((next) => async (args) => {
    if (!JSON.stringify(args.input).includes('":prefix":{"S":""}')) return next(args);
    looks += 1;
    if (looks > 1_000) throw new Error('no end');
    return { response: {}, output: { $metadata: {}, Items: Array(1_000).fill(row), LastEvaluatedKey: row } };
  });
  const deleted = await storeOver(client).deletePartition('acme', 'proj');
  expect(deleted).toEqual({ ok: true, value: { isComplete: false } });
  expect(looks).toBe(100);
});
