import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCounter } from '../../functions/aws/counter.ts';
import type { LimitCounter } from '../../functions/core/ports.ts';
import { err } from '../../functions/core/result.ts';
import { type EmbeddedTable, interruptible, losingAnswers, startAuthTable } from '../support/auth-table.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let table: EmbeddedTable;
let ids = 0;

beforeAll(async () => {
  table = await startAuthTable();
});
afterAll(() => table?.close());

const open = (dynamo = table.dynamo): LimitCounter => createCounter(dynamo, table.tableName, 'COUNT');
const LATER = NOW_SECONDS + 60;
const COUNTED = { ok: true, value: undefined };
const USED_UP = { ok: false, error: { reason: 'used_up' } };
const UNAVAILABLE = { ok: false, error: { reason: 'unavailable', detail: expect.any(String) } };

/** An id that no other test has counted. */
function freshId(): string {
  ids += 1;
  return `limit.1.${ids}`;
}

/** Counts in processes of their own, all at once, until each has an answer. */
async function countAtOnce(id: string, max: number, howMany: number) {
  const counts = Array.from({ length: howMany }, () => open().count(id, max, LATER));
  const answers = await Promise.all(counts);
  const is = (reason: string) => answers.filter((answer) => !answer.ok && answer.error.reason === reason);
  return {
    counted: answers.filter(({ ok }) => ok).length,
    usedUp: is('used_up').length,
    unavailable: is('unavailable').length,
  };
}

describe('a count', () => {
  test('begins at nothing and goes up by one', async () => {
    const id = freshId();
    expect(await open().read(id)).toEqual({ ok: true, value: 0 });
    expect(await open().count(id, 3, LATER)).toEqual(COUNTED);
    expect(await open().count(id, 3, LATER)).toEqual(COUNTED);
    expect(await open().read(id)).toEqual({ ok: true, value: 2 });
  });

  test('ends at what is allowed, and what is refused is not counted', async () => {
    const id = freshId();
    for (let time = 0; time < 2; time += 1) expect(await open().count(id, 2, LATER)).toEqual(COUNTED);
    for (let time = 0; time < 3; time += 1) expect(await open().count(id, 2, LATER)).toEqual(USED_UP);
    expect(await open().read(id)).toEqual({ ok: true, value: 2 });
  });

  test('goes by what is allowed now', async () => {
    const id = freshId();
    await open().count(id, 2, LATER);
    await open().count(id, 2, LATER);
    expect(await open().count(id, 1, LATER)).toEqual(USED_UP);
    expect(await open().count(id, 3, LATER)).toEqual(COUNTED);
  });

  test.for([0, -1])('of what may happen %d times is used up from the start', async (max) => {
    const id = freshId();
    expect(await open().count(id, max, LATER)).toEqual(USED_UP);
    expect(await open().read(id)).toEqual({ ok: true, value: 0 });
  });

  test.for([
    ['limit.1.a', 'limit.1.A'],
    ['limit.1.a', 'limit.1.a '],
    ['limit.1.é', 'limit.1.e\u0301'],
    ['limit.1.a#tally', 'limit.1.a'],
  ])('never meets another: %j and %j', async ([one, other]) => {
    const prefix = freshId();
    await open().count(prefix + one, 1, LATER);
    expect(await open().count(prefix + other, 1, LATER)).toEqual(COUNTED);
    expect(await open().count(prefix + one, 1, LATER)).toEqual(USED_UP);
  });

  test('is forgotten by the table after its time', async () => {
    const id = freshId();
    await open().count(id, 2, LATER);
    await open().count(id, 2, LATER);
    const Key = { pk: { S: `COUNT#${id}` }, sk: { S: 'tally' } };
    const read = await table.dynamo.call('GetItem', { TableName: table.tableName, Key });
    expect(read).toMatchObject({ value: { Item: { expires_at: { N: String(LATER) }, tally: { N: '2' } } } });
  });
});

describe('of many who count at once', () => {
  test.for([1, 10, 49])('no more than %d of fifty are counted, and no fewer', async (max) => {
    const { counted, usedUp, unavailable } = await countAtOnce(freshId(), max, 50);
    expect(counted).toBeLessThanOrEqual(max);
    // A store that did not answer in time may have counted; where it always answers, this is exact.
    expect(counted + unavailable).toBeGreaterThanOrEqual(max);
    expect(counted + usedUp + unavailable).toBe(50);
  });

  test('all are counted where all may be', async () => {
    const id = freshId();
    const { counted, usedUp } = await countAtOnce(id, 1_000, 50);
    expect(usedUp).toBe(0);
    const read = await open().read(id);
    if (read.ok) expect(read.value).toBeGreaterThanOrEqual(counted);
  });
});

describe('what is given back', () => {
  test('may be counted by another one, and is less by one', async () => {
    const id = freshId();
    for (let time = 0; time < 2; time += 1) await open().count(id, 2, LATER);
    await open().takeBack(id);
    expect(await open().read(id)).toEqual({ ok: true, value: 1 });
    expect(await open().count(id, 2, LATER)).toEqual(COUNTED);
    expect(await open().count(id, 2, LATER)).toEqual(USED_UP);
  });

  test('is never more than there was', async () => {
    const id = freshId();
    await open().takeBack(id);
    expect(await open().read(id)).toEqual({ ok: true, value: 0 });
    await open().count(id, 1, LATER);
    for (let time = 0; time < 3; time += 1) await open().takeBack(id);
    expect(await open().read(id)).toEqual({ ok: true, value: 0 });
  });

  test('is tried once, because a lost answer says nothing of what was done', async () => {
    const asked: unknown[] = [];
    const failing = {
      call: (...given: unknown[]) => {
        asked.push(given[2]);
        return Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a lost answer' }));
      },
    };
    await open(failing).takeBack(freshId());
    expect(asked).toEqual([{ attempts: 1 }]);
  });

  test('by some while others count lets through as many as are left', async () => {
    const id = freshId();
    await countAtOnce(id, 10, 10);
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, () => open().count(id, 10, LATER))),
      Promise.all(Array.from({ length: 5 }, () => open().takeBack(id))),
    ]);
    const counted = answers.filter(({ ok }) => ok).length;
    expect(counted).toBeLessThanOrEqual(5);
    const read = await open().read(id);
    if (read.ok) expect(read.value).toBeLessThanOrEqual(10);
  });
});

test('one whose answer was lost is counted at least once', async () => {
  const id = freshId();
  expect(await open(losingAnswers(table.dynamo)).count(id, 2, LATER)).toEqual(COUNTED);
  expect(await open().read(id)).toEqual({ ok: true, value: 2 });
  expect(await open().count(id, 2, LATER)).toEqual(USED_UP);
});

test('without DynamoDB nothing is counted, and nobody knows how often it was', async () => {
  const down = interruptible(table.dynamo);
  down.isUp = false;
  const id = freshId();
  expect(await open(down).count(id, 5, LATER)).toEqual(UNAVAILABLE);
  expect(await open(down).read(id)).toEqual(UNAVAILABLE);
  expect(await open().read(id)).toEqual({ ok: true, value: 0 });
});

test.for([{ S: '1' }, { N: '1.5' }])('a count that is %j is no count', async (tally) => {
  const id = freshId();
  const Item = { pk: { S: `COUNT#${id}` }, sk: { S: 'tally' }, tally };
  await table.dynamo.call('PutItem', { TableName: table.tableName, Item });
  expect(await open().read(id)).toEqual(UNAVAILABLE);
});
