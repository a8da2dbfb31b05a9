import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import { createPolicyStore } from '../../functions/aws/policy-store.ts';
import { createRulebookStore } from '../../functions/aws/rulebook.ts';
import type { Snapshot } from '../../functions/core/policy.ts';
import type { PolicyPointer, RulebookStore } from '../../functions/core/ports.ts';
import { type EmbeddedTable, interruptible, losingAnswers, startAuthTable } from '../support/auth-table.ts';
import { clientEntry } from '../support/policies.ts';
import { publishKeys } from '../support/published-keys.ts';
import { makeKey, NOW_SECONDS } from '../support/test-issuer.ts';

let table: EmbeddedTable;
let nowSeconds = NOW_SECONDS;

beforeEach(async () => {
  await table?.close();
  table = await startAuthTable();
  nowSeconds = NOW_SECONDS;
});

afterAll(() => table.close());

const openPolicies = (dynamo = table.dynamo) => createPolicyStore(dynamo, table.tableName);
const openRulebook = (dynamo = table.dynamo) =>
  createRulebookStore(dynamo, table.tableName, () => nowSeconds);

function snapshotOf(...clientIds: readonly string[]): Snapshot {
  const empty = { scopes: [], uiScopes: [], groups: [], servers: [], services: [], orgs: [] };
  return { format: 1, ...empty, clients: clientIds.map((id) => clientEntry(id)) };
}

async function written(
  snapshot: Snapshot,
  previous?: PolicyPointer,
  source: PolicyPointer['source'] = 'apply',
): Promise<PolicyPointer> {
  const answer = await openPolicies().write(snapshot, previous, source);
  if (!answer.ok) throw new Error(answer.error.reason);
  return answer.value;
}

async function clientsOf(store: RulebookStore): Promise<readonly string[] | string> {
  const book = await store.read();
  return book.ok ? [...book.value.policy.clients.keys()] : book.error.reason;
}

describe('a policy that is written', () => {
  test('is the one that is read, and the next version', async () => {
    const first = await written(snapshotOf('a'));
    const second = await written(snapshotOf('a', 'b'), first);
    expect([first.version, second.version]).toEqual([1, 2]);
    expect(await openPolicies().readPointer()).toEqual({ ok: true, value: second });
    expect(await openPolicies().readSnapshot(second)).toEqual({ ok: true, value: snapshotOf('a', 'b') });
    expect(await clientsOf(openRulebook())).toEqual(['a', 'b']);
  });

  test('may need several chunks', async () => {
    const many = snapshotOf(...Array.from({ length: 400 }, () => randomBytes(1_000).toString('base64url')));
    const pointer = await written(many);
    expect(pointer.chunks).toBeGreaterThan(1);
    expect(await openPolicies().readSnapshot(pointer)).toEqual({ ok: true, value: many });
  });

  test.for([
    [1, ['a']],
    [2, ['a']],
    [3, ['a']],
    [4, 'unavailable'],
  ] as const)(
    'in format %s decides, or is refused by functions that do not know it',
    async ([format, clients]) => {
      await written({ ...JSON.parse(JSON.stringify(snapshotOf('a'))), format });
      expect(await clientsOf(openRulebook())).toEqual(clients);
    },
  );

  test('is not written where another was written since it was decided on', async () => {
    const first = await written(snapshotOf('a'));
    await written(snapshotOf('b'), first);
    for (const previous of [first, undefined]) {
      expect(await openPolicies().write(snapshotOf('c'), previous, 'apply')).toEqual({
        ok: false,
        error: { reason: 'conflict' },
      });
    }
    expect(await clientsOf(openRulebook())).toEqual(['b']);
  });

  test('is written although the answer is lost', async () => {
    const store = openPolicies(losingAnswers(table.dynamo));
    const first = await store.write(snapshotOf('a'), undefined, 'apply');
    expect(first).toMatchObject({ ok: true, value: { version: 1 } });
    const second = first.ok && (await store.write(snapshotOf('b'), first.value, 'apply'));
    expect(second).toMatchObject({ ok: true, value: { version: 2 } });
    expect(await clientsOf(openRulebook())).toEqual(['b']);
  });

  test('remembers the content of the last deploy', async () => {
    const deployed = await written(snapshotOf('a'), undefined, 'deploy');
    const applied = await written(snapshotOf('b'), deployed);
    expect([deployed.deployedHash, applied.deployedHash]).toEqual([
      deployed.contentHash,
      deployed.contentHash,
    ]);
    const adopted = await written(snapshotOf('b'), applied, 'deploy');
    expect(adopted).toEqual({ ...applied, source: 'deploy', deployedHash: applied.contentHash });
    expect(await openPolicies().readPointer()).toEqual({ ok: true, value: adopted });
  });

  test('that a deploy wrote before deploys were remembered is the last deploy', async () => {
    const deployed = await written(snapshotOf('a'), undefined, 'deploy');
    const { deployedHash: _, ...older } = deployed;
    await table.dynamo.call('PutItem', {
      TableName: table.tableName,
      Item: {
        pk: { S: 'POLICY' },
        sk: { S: 'POINTER' },
        version: { N: String(older.version) },
        chunks: { N: String(older.chunks) },
        source: { S: older.source },
        content_hash: { S: older.contentHash },
      },
    });
    expect(await openPolicies().readPointer()).toEqual({ ok: true, value: deployed });
  });
});

describe('the rulebook', () => {
  test('shows a new policy within 15 s, and does not look at every call', async () => {
    const dynamo = interruptible(table.dynamo);
    const book = openRulebook(dynamo);
    const first = await written(snapshotOf('a'));
    expect(await clientsOf(book)).toEqual(['a']);
    const { calls } = dynamo;
    expect(await clientsOf(book)).toEqual(['a']);
    expect(dynamo.calls).toBe(calls);
    await written(snapshotOf('b'), first);
    nowSeconds += 14;
    expect(await clientsOf(book)).toEqual(['b']);
  });

  test('tells two policies of one version apart', async () => {
    const book = openRulebook();
    await written(snapshotOf('a'));
    expect(await clientsOf(book)).toEqual(['a']);
    await table.dynamo.call('DeleteItem', {
      TableName: table.tableName,
      Key: { pk: { S: 'POLICY' }, sk: { S: 'POINTER' } },
    });
    await written(snapshotOf('b'));
    nowSeconds += 5;
    expect(await clientsOf(book)).toEqual(['b']);
  });

  test('serves an outage for less than 15 s', async () => {
    const dynamo = interruptible(table.dynamo);
    const book = openRulebook(dynamo);
    await written(snapshotOf('a'));
    await book.read();
    dynamo.isUp = false;
    nowSeconds += 14;
    expect(await clientsOf(book)).toEqual(['a']);
    nowSeconds += 1;
    expect(await clientsOf(book)).toBe('unavailable');
    dynamo.isUp = true;
    expect(await clientsOf(book)).toEqual(['a']);
  });

  test.for([
    ['fails', false, 4],
    ['succeeds', true, 16],
  ] as const)(
    'serves nothing older than 15 s where a look that %s takes long',
    async ([, isUp, lookSeconds]) => {
      await written(snapshotOf('a'));
      const inner = interruptible(table.dynamo);
      let isSlow = false;
      const slow: Dynamo = {
        call(operation, input) {
          if (isSlow) nowSeconds += lookSeconds;
          return inner.call(operation, input);
        },
      };
      const book = openRulebook(slow);
      expect(await clientsOf(book)).toEqual(['a']);
      nowSeconds += 12;
      isSlow = true;
      inner.isUp = isUp;
      expect(await clientsOf(book)).toBe('unavailable');
    },
  );

  test('has the keys that are published, and looks again for one that it does not know', async () => {
    const [one, other] = [makeKey('access').published, makeKey('identity').published];
    await written(snapshotOf('a'));
    await publishKeys(table.dynamo, table.tableName, [one]);
    const book = openRulebook();
    const before = await book.read();
    expect(before.ok && before.value.keys.find(one.keyId)?.purpose).toBe('access');
    await publishKeys(table.dynamo, table.tableName, [one, other]);
    nowSeconds += 1;
    const after = await book.read(other.keyId);
    expect(after.ok && after.value.keys.find(other.keyId)?.purpose).toBe('identity');
  });

  test('is unavailable before there is a policy, and where its snapshot is damaged', async () => {
    expect(await clientsOf(openRulebook())).toBe('unavailable');
    const pointer = await written(snapshotOf('a'));
    expect(await openPolicies().readSnapshot({ ...pointer, contentHash: '0'.repeat(64) })).toMatchObject({
      ok: false,
      error: { reason: 'unavailable' },
    });
  });
});
