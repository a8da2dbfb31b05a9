import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditLog } from '../../functions/aws/audit-log.ts';
import type { Item } from '../../functions/aws/dynamodb.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import { type EmbeddedTable, interruptible, losingAnswers, startAuthTable } from '../support/auth-table.ts';

let table: EmbeddedTable;
let orgs = 0;

beforeAll(async () => {
  table = await startAuthTable();
});

afterAll(() => table.close());

function recordOf(changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    ts: '2026-11-21T10:00:00.000Z',
    request_id: 'r-1',
    event: 'decision',
    area: 'access',
    decision: 'allow',
    reason: 'desk/read',
    scopes: ['desk/read', 'desk/execute'],
    policy_version: 3,
    ...changes,
  };
}

/** An organisation that no other test has seen. */
function freshOrg(): string {
  orgs += 1;
  return `org-${orgs}`;
}

async function written(orgId: string): Promise<readonly Item[]> {
  const answer = await table.dynamo.call('Query', {
    TableName: table.tableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: `${orgId}#2026-11-21` } },
  });
  if (!answer.ok) throw new Error(answer.error.reason);
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a Query answer (DynamoDB API reference)
  return (answer.value as { Items: Item[] }).Items;
}

const DONE = { ok: true, value: undefined };

test('a record is kept whole, by organisation and day', async () => {
  const orgId = freshOrg();
  const audit = createAuditLog(table.dynamo, table.tableName, () => 'x');
  expect(await audit.write(recordOf({ org_id: orgId }))).toEqual(DONE);
  expect(await written(orgId)).toEqual([
    expect.objectContaining({
      ts: { S: '2026-11-21T10:00:00.000Z' },
      request_id: { S: 'r-1' },
      scopes: { L: [{ S: 'desk/read' }, { S: 'desk/execute' }] },
      policy_version: { N: '3' },
      org_id: { S: orgId },
    }),
  ]);
});

test('a record never replaces another of the same instant and request', async () => {
  const orgId = freshOrg();
  const audit = createAuditLog(table.dynamo, table.tableName, () => 'x');
  for (const reason of ['first', 'second']) {
    expect(await audit.write(recordOf({ org_id: orgId, reason }))).toEqual(DONE);
  }
  const reasons = (await written(orgId)).map(({ reason }) => reason);
  expect(reasons).toHaveLength(2);
  expect(reasons).toEqual(expect.arrayContaining([{ S: 'first' }, { S: 'second' }]));
});

test('two equal records are two', async () => {
  const orgId = freshOrg();
  let serial = 0;
  const audit = createAuditLog(table.dynamo, table.tableName, () => {
    serial += 1;
    return String(serial);
  });
  await audit.write(recordOf({ org_id: orgId }));
  await audit.write(recordOf({ org_id: orgId }));
  expect(await written(orgId)).toHaveLength(2);
});

test('a record whose first answer is lost is written, once', async () => {
  const orgId = freshOrg();
  const audit = createAuditLog(losingAnswers(table.dynamo), table.tableName, () => 'x');
  expect(await audit.write(recordOf({ org_id: orgId }))).toEqual(DONE);
  expect(await written(orgId)).toHaveLength(1);
});

test('a record that cannot be written is unavailable', async () => {
  const dynamo = interruptible(table.dynamo);
  dynamo.isUp = false;
  const audit = createAuditLog(dynamo, table.tableName, () => 'x');
  expect(await audit.write(recordOf())).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
});
