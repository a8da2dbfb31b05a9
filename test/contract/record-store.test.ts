import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRecordStore } from '../../functions/aws/records.ts';
import type { RecordKey, RecordStore, StoredRecord } from '../../functions/core/ports.ts';
import { type EmbeddedTable, interruptible, losingAnswers, startAuthTable } from '../support/auth-table.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let table: EmbeddedTable;
let nowSeconds = NOW_SECONDS;
let ids = 0;

beforeAll(async () => {
  table = await startAuthTable();
});

afterAll(() => table.close());

const openStore = (dynamo = table.dynamo): RecordStore =>
  createRecordStore(dynamo, table.tableName, () => nowSeconds);

/** A key that no other test has written. */
function freshKey(changes: Partial<RecordKey> = {}): RecordKey {
  ids += 1;
  return { kind: 'CODE', orgId: 'acme', id: `id-${ids}`, ...changes };
}

async function readRecord(key: RecordKey): Promise<StoredRecord | undefined> {
  const read = await openStore().read(key);
  return read.ok ? read.value : undefined;
}

const WRITTEN = { ok: true, value: undefined };
const CONFLICT = { ok: false, error: { reason: 'conflict' } };
const LATER = NOW_SECONDS + 60;

describe('a record', () => {
  test('is read as it was written', async () => {
    const key = freshKey();
    expect(await openStore().create(key, '{"a":"ü"}', LATER)).toEqual(WRITTEN);
    expect(await readRecord(key)).toEqual({ text: '{"a":"ü"}', revision: 1, expiresAtSeconds: LATER });
  });

  test('that was never written is absent', async () => {
    expect(await openStore().read(freshKey())).toEqual({ ok: true, value: undefined });
  });

  test('of another kind or organisation does not meet it', async () => {
    const key = freshKey();
    await openStore().create(key, 'mine', LATER);
    expect(await readRecord({ ...key, kind: 'ONCE' })).toBeUndefined();
    expect(await readRecord({ ...key, orgId: 'rival' })).toBeUndefined();
  });

  test('never meets another, whatever the names', async () => {
    const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(names, names, names, names, async (orgId, id, otherOrg, otherId) => {
        fc.pre(orgId !== otherOrg || id !== otherId);
        nowSeconds += 61;
        ids += 1;
        const key = freshKey({ orgId: `x${orgId}`, id });
        expect(await openStore().create(key, `mine ${ids}`, nowSeconds + 60)).toEqual(WRITTEN);
        const other = await readRecord({ ...key, orgId: `x${otherOrg}`, id: otherId });
        expect(other?.text).not.toBe(`mine ${ids}`);
      }),
      { numRuns: 20 },
    );
    nowSeconds = NOW_SECONDS;
  });

  test('past its time is absent, and its key is free again', async () => {
    const key = freshKey();
    await openStore().create(key, 'old', LATER);
    nowSeconds = LATER;
    try {
      expect(await openStore().read(key)).toEqual({ ok: true, value: undefined });
      expect(await openStore().create(key, 'new', LATER + 60)).toEqual(WRITTEN);
      expect((await readRecord(key))?.text).toBe('new');
    } finally {
      nowSeconds = NOW_SECONDS;
    }
  });
});

describe('of fifty writers', () => {
  test('exactly one creates a record', async () => {
    const key = freshKey();
    const writers = Array.from({ length: 50 }, (_, index) => openStore().create(key, `${index}`, LATER));
    const answers = await Promise.all(writers);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(answers.filter(({ ok }) => !ok)).toEqual(Array.from({ length: 49 }, () => CONFLICT));
  });

  test('exactly one replaces a revision', async () => {
    const key = freshKey();
    await openStore().create(key, 'first', LATER);
    const seen = { text: 'first', revision: 1, expiresAtSeconds: LATER };
    const writers = Array.from({ length: 50 }, (_, index) =>
      openStore().replace(key, seen, `${index}`, LATER),
    );
    expect((await Promise.all(writers)).filter(({ ok }) => ok)).toHaveLength(1);
    expect((await readRecord(key))?.revision).toBe(2);
  });
});

test('a record that is gone is not replaced', async () => {
  const seen = { text: 'x', revision: 1, expiresAtSeconds: LATER };
  expect(await openStore().replace(freshKey(), seen, 'y', LATER)).toEqual(CONFLICT);
});

test('a write whose answer was lost happened at most once', async () => {
  const key = freshKey();
  expect(await openStore(losingAnswers(table.dynamo)).create(key, 'mine', LATER)).toEqual(CONFLICT);
  expect((await readRecord(key))?.text).toBe('mine');
});

test('without DynamoDB nothing is read and nothing is written', async () => {
  const down = interruptible(table.dynamo);
  down.isUp = false;
  const key = freshKey();
  const unavailable = { ok: false, error: { reason: 'unavailable', detail: expect.any(String) } };
  expect(await openStore(down).read(key)).toEqual(unavailable);
  expect(await openStore(down).create(key, 'x', LATER)).toEqual(unavailable);
  expect(await readRecord(key)).toBeUndefined();
});
