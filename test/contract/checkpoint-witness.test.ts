import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCheckpointWitness } from '../../functions/aws/checkpoint-witness.ts';
import type { CheckpointWitness } from '../../functions/core/audit/audit-ports.ts';
import { ok } from '../../functions/core/result.ts';
import { type EmbeddedTable, interruptible, losingAnswers, startAuthTable } from '../support/auth-table.ts';

let table: EmbeddedTable;
let orgs = 0;

beforeAll(async () => {
  table = await startAuthTable();
});
afterAll(() => table?.close());

const open = (dynamo = table.dynamo): CheckpointWitness => createCheckpointWitness(dynamo, table.tableName);
const KEPT = ok(undefined);
const UNAVAILABLE = { ok: false, error: { reason: 'unavailable', detail: expect.any(String) } };

/** The newest checkpoint of a number, by which of two that were made of it. */
function newest(number: number, hash = `hash-${number}`) {
  return { number, hash, expiresAtSeconds: 2_000_000_000 + number };
}

/** An organisation of which nothing is known. */
function freshOrg(): string {
  orgs += 1;
  return `acme-${orgs}`;
}

describe('what the issuer knows of its newest checkpoint', () => {
  test('is nothing at first, and then what was kept last, for one organisation alone', async () => {
    const [org, other] = [freshOrg(), freshOrg()];
    expect(await open().read(org)).toEqual(ok(undefined));
    for (const number of [1, 2, 700]) {
      expect(await open().keep(org, newest(number))).toEqual(KEPT);
      expect(await open().read(org)).toEqual(ok(newest(number)));
    }
    expect(await open().read(other)).toEqual(ok(undefined));
  });

  test.for([
    ['a lower number', newest(9)],
    ['the same number and another hash', newest(10, 'another')],
  ] as const)('is not replaced by %s', async ([, later]) => {
    const org = freshOrg();
    await open().keep(org, newest(10));
    expect(await open().keep(org, later)).toEqual(KEPT);
    expect(await open().read(org)).toEqual(ok(newest(10)));
  });

  test('is the highest of those that are kept at once', async () => {
    const org = freshOrg();
    const numbers = [4, 9, 2, 7, 1, 8, 3, 6, 5];
    await Promise.all(numbers.map((number) => open().keep(org, newest(number))));
    expect(await open().read(org)).toEqual(ok(newest(9)));
  });

  test('is kept where the answer to the first try is lost', async () => {
    const org = freshOrg();
    expect(await open(losingAnswers(table.dynamo)).keep(org, newest(3))).toEqual(KEPT);
    expect(await open().read(org)).toEqual(ok(newest(3)));
  });

  test('is read consistently, and DynamoDB forgets it when the checkpoint goes', async () => {
    const calls: (readonly [operation: string, input: unknown])[] = [];
    const watched = open({
      call: (operation, input) => {
        calls.push([operation, input]);
        return table.dynamo.call(operation, input);
      },
    });
    const org = freshOrg();
    await watched.keep(org, newest(3));
    await watched.read(org);
    expect(calls).toMatchObject([
      ['PutItem', { Item: { pk: { S: `WITNESS#${org}` }, expires_at: { N: '2000000003' } } }],
      ['BatchGetItem', { RequestItems: { [table.tableName]: { ConsistentRead: true } } }],
    ]);
  });
});

describe('what cannot be known', () => {
  test('is unavailable while the table does not answer', async () => {
    const down = interruptible(table.dynamo);
    down.isUp = false;
    expect(await open(down).read('acme')).toEqual(UNAVAILABLE);
    expect(await open(down).keep('acme', newest(1))).toEqual(UNAVAILABLE);
  });

  test.for(['number', 'hash', 'expires_at'])('is unavailable without its %s', async (member) => {
    const org = freshOrg();
    const Item = {
      pk: { S: `WITNESS#${org}` },
      sk: { S: 'newest' },
      number: { N: '3' },
      hash: { S: 'h' },
      expires_at: { N: '2000000000' },
      [member]: { L: [] },
    };
    await table.dynamo.call('PutItem', { TableName: table.tableName, Item });
    expect(await open().read(org)).toEqual(UNAVAILABLE);
  });
});
