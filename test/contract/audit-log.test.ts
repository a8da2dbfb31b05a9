import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditLog } from '../../functions/aws/audit-log.ts';
import { type Dynamo, type Item, readNumber, readString } from '../../functions/aws/dynamodb.ts';
import { hashOf, type RecordValue } from '../../functions/core/audit/chain.ts';
import { partitionOf, SHARDS } from '../../functions/core/audit/record-key.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { AuditLog } from '../../functions/core/ports.ts';
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

/** What is kept of an organisation and a day, in every shard. */
async function written(orgId: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const answer = await table.dynamo.call('Query', {
      TableName: table.tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: partitionOf(orgId, '2026-11-21', shard) } },
    });
    if (!answer.ok) throw new Error(answer.error.reason);
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a Query answer (DynamoDB API reference)
    items.push(...(answer.value as { Items: Item[] }).Items);
  }
  return items;
}

/** The audit log of one environment; its chains are numbered. */
function openLog(dynamo: Dynamo, chainPrefix = 'c'): AuditLog {
  let chains = 0;
  const randomId = () => {
    chains += 1;
    return `${chainPrefix}-${chains}`;
  };
  return createAuditLog(dynamo, { table: table.tableName, retentionDays: 30, randomId });
}

const DONE = { ok: true, value: undefined };

test('a record is kept whole, by organisation, day and shard, for as long as it is said', async () => {
  const orgId = freshOrg();
  expect(await openLog(table.dynamo).write(recordOf({ org_id: orgId }))).toEqual(DONE);
  const [item = {}] = await written(orgId);
  expect(item).toMatchObject({
    ts: { S: '2026-11-21T10:00:00.000Z' },
    request_id: { S: 'r-1' },
    scopes: { L: [{ S: 'desk/read' }, { S: 'desk/execute' }] },
    policy_version: { N: '3' },
    org_id: { S: orgId },
    chain: { S: 'c-1' },
    seq: { N: '1' },
    prev: { L: [] },
    sk: { S: '2026-11-21T10:00:00.000Z#c-1#0000000001' },
    expires_at: { N: String(Date.parse('2026-12-21T10:00:00Z') / 1000) },
  });
  expect(readString(item, 'hash')).toBe(hashOf(plainOf(item)));
});

test('records of one environment are a chain for each organisation', async () => {
  const [first, second] = [freshOrg(), freshOrg()];
  const audit = openLog(table.dynamo);
  for (const orgId of [first, second, first]) await audit.write(recordOf({ org_id: orgId }));
  const ofFirst = await written(first);
  expect(ofFirst.map((item) => [readString(item, 'chain'), readNumber(item, 'seq')])).toEqual([
    ['c-1', 1],
    ['c-1', 2],
  ]);
  expect(plainOf(ofFirst[1] ?? {})['prev']).toEqual([`1:${readString(ofFirst[0] ?? {}, 'hash')}`]);
  expect((await written(second)).map((item) => readString(item, 'chain'))).toEqual(['c-2']);
});

test('a chain that is six hours old is followed by another', async () => {
  const orgId = freshOrg();
  const audit = openLog(table.dynamo);
  for (const hour of ['10', '16', '17']) {
    await audit.write(recordOf({ org_id: orgId, ts: `2026-11-21T${hour}:00:00.000Z` }));
  }
  const chains = (await written(orgId)).map((item) => [readString(item, 'chain'), readNumber(item, 'seq')]);
  expect(chains.toSorted()).toEqual([
    ['c-1', 1],
    ['c-1', 2],
    ['c-2', 1],
  ]);
});

test('writes overlap, and none waits for another', async () => {
  const orgId = freshOrg();
  const held: (() => void)[] = [];
  const slow: Dynamo = {
    async call(operation, input) {
      await new Promise<void>((resolve) => held.push(resolve));
      return table.dynamo.call(operation, input);
    },
  };
  const audit = openLog(slow);
  const writes = ['a', 'b', 'c'].map((reason) => audit.write(recordOf({ org_id: orgId, reason })));
  expect(held).toHaveLength(3);
  for (const release of held.toReversed()) release();
  expect(await Promise.all(writes)).toEqual([DONE, DONE, DONE]);
  const rows = (await written(orgId)).map(plainOf);
  expect(rows.map(({ seq, pending }) => [seq, pending])).toEqual([
    [1, undefined],
    [2, '1'],
    [3, '1-2'],
  ]);
});

test('two equal records are two', async () => {
  const orgId = freshOrg();
  const audit = openLog(table.dynamo);
  await audit.write(recordOf({ org_id: orgId }));
  await audit.write(recordOf({ org_id: orgId }));
  expect(await written(orgId)).toHaveLength(2);
});

test('a record whose first answer is lost is written, once, and the chain goes on from it', async () => {
  const orgId = freshOrg();
  const audit = openLog(losingAnswers(table.dynamo));
  for (let count = 0; count < 2; count += 1) {
    expect(await audit.write(recordOf({ org_id: orgId }))).toEqual(DONE);
  }
  const rows = (await written(orgId)).map(plainOf);
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(rows[1]?.['prev']).toEqual([`1:${rows[0]?.['hash']}`]);
});

test('a record that cannot be written is unavailable, and the next one tells of it', async () => {
  const orgId = freshOrg();
  const dynamo = interruptible(table.dynamo);
  dynamo.isUp = false;
  const audit = openLog(dynamo);
  const lost = await audit.write(recordOf({ org_id: orgId }));
  expect(lost).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
  dynamo.isUp = true;
  expect(await audit.write(recordOf({ org_id: orgId }))).toEqual(DONE);
  expect((await written(orgId)).map(plainOf)).toEqual([
    expect.objectContaining({ seq: 2, prev: [], failed: '1' }),
  ]);
});

test('a fault of our own while a record is written leaves no record that is written for ever', async () => {
  const orgId = freshOrg();
  let isBroken = true;
  const audit = openLog({
    call: (operation, input) =>
      isBroken ? Promise.reject(new Error('a bug')) : table.dynamo.call(operation, input),
  });
  await expect(audit.write(recordOf({ org_id: orgId }))).rejects.toThrow('a bug');
  isBroken = false;
  await audit.write(recordOf({ org_id: orgId }));
  expect(plainOf((await written(orgId))[0] ?? {})).toMatchObject({ seq: 2, failed: '1' });
});

/** An item as the record that it is, without its key. */
function plainOf({ pk, sk, ...item }: Item): Readonly<Record<string, RecordValue>> {
  const members = Object.entries(item).map(([name, value]): [string, RecordValue] => {
    if ('S' in value) return [name, value.S];
    return [name, 'N' in value ? Number(value.N) : value.L.map(({ S }) => S)];
  });
  return Object.fromEntries(members);
}
