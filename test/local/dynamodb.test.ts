import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { startFixtureCloud } from './fixture-cloud.ts';

const AUDIT = 'Fixture-AuditTable';

function connect(endpoints: Readonly<Record<string, string>>): DynamoDBClient {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const endpoint = endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '';
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

test('the tables of the template are there, with their keys', async () => {
  const client = connect((await startFixtureCloud()).endpoints);
  expect((await client.send(new ListTablesCommand())).TableNames).toEqual([AUDIT, 'auth']);
  const Item = { pk: { S: 'acme#2026-11-21' }, sk: { S: '1' } };
  await client.send(new PutItemCommand({ TableName: AUDIT, Item }));
  const { Items } = await client.send(
    new QueryCommand({
      TableName: AUDIT,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': Item.pk },
    }),
  );
  expect(Items).toEqual([Item]);
});

test('what is put into the audit table is copied as plain JSON lines, what is refused or elsewhere is not', async () => {
  const { endpoints, dataDir } = await startFixtureCloud();
  const client = connect(endpoints);
  const Item = {
    pk: { S: 'a' },
    sk: { S: 'b' },
    n: { N: '1.5' },
    yes: { BOOL: true },
    none: { NULL: true },
    list: { L: [{ S: 'x' }, { M: { deep: { N: '2' } } }] },
    set: { SS: ['p', 'q'] },
    numbers: { NS: ['1'] },
  };
  const once = { TableName: AUDIT, Item, ConditionExpression: 'attribute_not_exists(pk)' };
  await client.send(new PutItemCommand(once));
  await expect(client.send(new PutItemCommand(once))).rejects.toMatchObject({
    name: 'ConditionalCheckFailedException',
  });
  await client.send(new PutItemCommand({ TableName: 'auth', Item: { pk: { S: 'not this' } } }));
  const lines = readFileSync(join(dataDir, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      pk: 'a',
      sk: 'b',
      n: 1.5,
      yes: true,
      none: null,
      list: ['x', { deep: 2 }],
      set: ['p', 'q'],
      numbers: [1],
    },
  ]);
});

test('items survive a restart', async () => {
  const first = await startFixtureCloud();
  const Item = { pk: { S: 'kept' }, value: { N: '7' } };
  await connect(first.endpoints).send(new PutItemCommand({ TableName: 'auth', Item }));
  await first.close();
  expect(existsSync(join(first.dataDir, 'dynamodb'))).toBe(true);
  const second = await startFixtureCloud({ dataDir: first.dataDir });
  const read = new GetItemCommand({ TableName: 'auth', Key: { pk: Item.pk } });
  expect((await connect(second.endpoints).send(read)).Item).toEqual(Item);
});
