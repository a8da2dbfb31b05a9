import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuditLog } from '../../functions/aws/audit-log.ts';
import { createAuditReader } from '../../functions/aws/audit-reader.ts';
import { createCheckpointStore } from '../../functions/aws/checkpoints.ts';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import type { AuditReader } from '../../functions/core/audit/audit-ports.ts';
import { hashOf } from '../../functions/core/audit/chain.ts';
import { linkOf } from '../../functions/core/audit/link.ts';
import { ok } from '../../functions/core/result.ts';
import { readRange } from '../../functions/handlers/audit/read-range.ts';
import { type EmbeddedTable, interruptible, startAuthTable } from '../support/auth-table.ts';

const DAY = '2026-11-21';
const RECORDS = 40;
const WHOLE_DAY = { orgId: 'acme', day: DAY, from: DAY, to: '2026-11-22' };

let table: EmbeddedTable;
let reader: AuditReader;

beforeAll(async () => {
  table = await startAuthTable();
  reader = createAuditReader(table.dynamo, table.tableName);
  // Every third record is of another environment, so that many shards have some.
  let chains = 0;
  const randomId = () => {
    chains += 1;
    return `chain-${chains}`;
  };
  const logs = Array.from({ length: 12 }, () => {
    return createAuditLog(table.dynamo, { table: table.tableName, retentionDays: 1, randomId });
  });
  for (let index = 0; index < RECORDS; index += 1) {
    await logs[index % logs.length]?.write({
      ts: new Date(Date.parse(`${DAY}T10:00:00Z`) + index * 1_000).toISOString(),
      request_id: `r-${index}`,
      event: 'outcome',
      area: 'access',
      decision: 'allow',
      reason: 'complete',
      org_id: index === 7 ? 'beta' : 'acme',
      scopes: [],
      duration_ms: index,
    });
  }
  await table.dynamo.call('PutItem', {
    TableName: table.tableName,
    Item: { pk: { S: `acme#${DAY}` }, sk: { S: `${DAY}T09:00:00.000Z#r-old` }, reason: { S: 'old' } },
  });
});

afterAll(() => table.close());

const OWN = Array.from({ length: RECORDS }, (_, index) => index).filter((index) => index !== 7);

describe('records of a day', () => {
  test('are in one order, of one organisation, and those of an older version first', async () => {
    const page = await reader.readDay({ ...WHOLE_DAY, newestFirst: false, limit: 1_000 });
    if (!page.ok) throw new Error(page.error.detail);
    const { records, isAll } = page.value;
    expect(isAll).toBe(true);
    expect(records.map(({ record }) => record['duration_ms'])).toEqual([undefined, ...OWN]);
    expect(new Set(records.map(({ key }) => key.pk)).size).toBeGreaterThan(3);
    expect(records[0]?.record).toEqual({ reason: 'old' });
  });

  test('are as they were hashed, and under their own keys', async () => {
    const page = await reader.readDay({ ...WHOLE_DAY, newestFirst: false, limit: 1_000 });
    if (!page.ok) throw new Error(page.error.detail);
    for (const found of page.value.records.slice(1)) {
      expect(found.record['hash']).toBe(hashOf(found.record));
      expect(linkOf(found, 'acme')).toMatchObject({ isIntact: true, isInPlace: true });
    }
  });

  test('are of another organisation where that is asked for, and none of one that is none', async () => {
    const page = await reader.readDay({ ...WHOLE_DAY, orgId: 'beta', newestFirst: false, limit: 10 });
    expect(page).toMatchObject({ ok: true, value: { records: [{ record: { request_id: 'r-7' } }] } });
    const none = await reader.readDay({ ...WHOLE_DAY, orgId: 'acm', newestFirst: false, limit: 10 });
    expect(none).toEqual(ok({ records: [], isAll: true }));
  });

  test('show an attribute that nobody of ours writes, so that the hash cannot fit', async () => {
    await table.dynamo.call('PutItem', {
      TableName: table.tableName,
      Item: { pk: { S: `odd#${DAY}` }, sk: { S: `${DAY}T09:00:00.000Z#x` }, flag: { BOOL: true } },
    });
    const page = await reader.readDay({ ...WHOLE_DAY, orgId: 'odd', newestFirst: false, limit: 10 });
    expect(page).toMatchObject({ ok: true, value: { records: [{ record: { flag: '{"BOOL":true}' } }] } });
  });
});

describe('a range', () => {
  test.for([
    [1, false],
    [3, false],
    [7, true],
    [1, true],
    [1_000, true],
  ] as const)('is read to its end, %i at a time, newest first: %s', async ([limit, newestFirst]) => {
    const seen: unknown[] = [];
    let [from, to]: [string, string] = ['2026-11-19', '2026-11-23'];
    for (let reads = 0; reads < 100; reads += 1) {
      const range = await readRange(reader, { orgId: 'acme', from, to, newestFirst, limit });
      if (!range.ok) throw new Error(range.error.detail);
      const { records, next } = range.value;
      expect(records.length).toBeLessThanOrEqual(limit);
      seen.push(...records.map(({ record }) => record['duration_ms']));
      if (next === undefined) break;
      if (newestFirst) to = next;
      else from = next;
    }
    const all = [undefined, ...OWN];
    expect(seen).toEqual(newestFirst ? all.toReversed() : all);
  });

  test('begins and ends with instants', async () => {
    const range = await readRange(reader, {
      orgId: 'acme',
      from: `${DAY}T10:00:10.000Z`,
      to: `${DAY}T10:00:13.000Z`,
      newestFirst: false,
      limit: 100,
    });
    if (!range.ok) throw new Error(range.error.detail);
    expect(range.value.records.map(({ record }) => record['duration_ms'])).toEqual([10, 11, 12]);
    expect(range.value.next).toBeUndefined();
  });

  test('looks at 31 days at once, and goes on from there', async () => {
    const query = { orgId: 'acme', from: '2026-10-01', to: '2026-12-01', newestFirst: false, limit: 5 };
    const first = await readRange(reader, query);
    expect(first).toEqual(ok({ records: [], next: '2026-11-01' }));
    const back = await readRange(reader, {
      ...query,
      from: '2026-01-01',
      to: '2026-11-21',
      newestFirst: true,
    });
    expect(back).toEqual(ok({ records: [], next: '2026-10-21' }));
  });
});

describe('checkpoints', () => {
  test('are numbered, kept once, and read newest first', async () => {
    const store = createCheckpointStore(table.dynamo, table.tableName);
    expect(await store.newest('acme', 5)).toEqual(ok({ checkpoints: [], isAll: true }));
    for (const number of [1, 2, 10, 11]) {
      expect(await store.create('acme', { number, jws: `jws-${number}` }, 100)).toEqual(ok(undefined));
    }
    const again = await store.create('acme', { number: 2, jws: 'another' }, 100);
    expect(again).toEqual({ ok: false, error: { reason: 'conflict' } });
    const newest = await store.newest('acme', 3);
    const checkpoints = [
      { number: 11, jws: 'jws-11' },
      { number: 10, jws: 'jws-10' },
      { number: 2, jws: 'jws-2' },
    ];
    expect(newest).toEqual(ok({ checkpoints, isAll: false }));
    const last = { checkpoints: [{ number: 1, jws: 'jws-1' }], isAll: true };
    expect(await store.newest('acme', 3, 2)).toEqual(ok(last));
    expect(await store.newest('beta', 3)).toEqual(ok({ checkpoints: [], isAll: true }));
  });

  test('of more than a page of the table are not all, however few they are, and the next page goes on', async () => {
    const store = createCheckpointStore(table.dynamo, table.tableName);
    const jws = 'x'.repeat(350_000);
    for (const number of [1, 2, 3, 4]) await store.create('large', { number, jws }, 100);
    const seen: (number | boolean)[] = [];
    let before: number | undefined;
    for (let pages = 0; pages < 9 && seen.at(-1) !== true; pages += 1) {
      const page = await store.newest('large', 500, before);
      if (!page.ok) throw new Error(page.error.detail);
      seen.push(...page.value.checkpoints.map(({ number }) => number), page.value.isAll);
      before = page.value.checkpoints.at(-1)?.number;
    }
    expect(seen).toEqual([4, 3, 2, false, 1, true]);
  });
});

describe('a table that does not answer', () => {
  const strange: Dynamo = { call: async () => ok({}) };

  test('is unavailable', async () => {
    const down = interruptible(table.dynamo);
    down.isUp = false;
    for (const dynamo of [down, strange]) {
      const failed = { ok: false, error: { reason: 'unavailable' } };
      const page = createAuditReader(dynamo, 'audit').readDay({ ...WHOLE_DAY, newestFirst: false, limit: 1 });
      expect(await page).toMatchObject(failed);
      const range = { orgId: 'acme', from: DAY, to: '2026-11-22', newestFirst: false, limit: 1 };
      expect(await readRange(createAuditReader(dynamo, 'audit'), range)).toMatchObject(failed);
      expect(await createCheckpointStore(dynamo, 'audit').newest('acme', 1)).toMatchObject(failed);
    }
    const put = createCheckpointStore(down, 'audit').create('acme', { number: 1, jws: 'a' }, 1);
    expect(await put).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
  });
});
