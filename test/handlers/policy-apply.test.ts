import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createPolicyStore } from '../../functions/aws/policy-store.ts';
import type { PolicySource, PolicyStore } from '../../functions/core/ports.ts';
import { applyConfiguration } from '../../functions/handlers/policy-apply.ts';
import { readFiles } from '../../functions/handlers/policy-request.ts';
import { type EmbeddedTable, startAuthTable } from '../support/auth-table.ts';

let table: EmbeddedTable;
let store: PolicyStore;

beforeEach(async () => {
  await table?.close();
  table = await startAuthTable();
  store = createPolicyStore(table.dynamo, table.tableName);
});

afterAll(() => table.close());

/** A configuration whose content is told apart by the organisations that it suspends. */
function filesOf(content: string): ReadonlyMap<string, string> {
  return new Map([
    ['scopes.yml', ''],
    ['servers.yml', ''],
    ['clients.yml', ''],
    ['orgs.yml', `orgs: { ${content}: { suspended: true } }`],
  ]);
}

/** Applies `source:content` in turn; the last answer as `version N` or why not. */
async function outcomeOf(...steps: readonly string[]): Promise<string> {
  let outcome = '';
  for (const step of steps) {
    const [source = '', content = ''] = step.split(':');
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: the table below writes sources
    const answer = await applyConfiguration(store, filesOf(content), source as PolicySource);
    outcome = answer.ok ? `version ${answer.value.version}` : answer.error.reason;
  }
  return outcome;
}

async function running(): Promise<string | undefined> {
  const pointer = await store.readPointer();
  if (!pointer.ok || pointer.value === undefined) return undefined;
  const snapshot = await store.readSnapshot(pointer.value);
  return snapshot.ok ? snapshot.value.orgs[0]?.id : undefined;
}

describe('a deploy', () => {
  test.for<readonly [string, readonly string[], string, string]>([
    ['applies the first content', ['deploy:A'], 'version 1', 'A'],
    ['applies changed content', ['deploy:A', 'deploy:B'], 'version 2', 'B'],
    ['of unchanged content leaves an apply alone', ['deploy:A', 'apply:X', 'deploy:A'], 'version 2', 'X'],
    ['of changed content is refused over an apply', ['deploy:A', 'apply:X', 'deploy:B'], 'newer_apply', 'X'],
    [
      'that is rolled back after it was refused changes nothing',
      ['deploy:A', 'apply:X', 'deploy:B', 'deploy:A'],
      'version 2',
      'X',
    ],
    ['of what was applied agrees with it', ['deploy:A', 'apply:X', 'deploy:X'], 'version 2', 'X'],
    [
      'takes effect again once a deploy has agreed with what was applied',
      ['deploy:A', 'apply:X', 'deploy:X', 'deploy:B'],
      'version 3',
      'B',
    ],
    [
      'is no deploy of an older one that was applied again',
      ['deploy:A', 'deploy:B', 'apply:A', 'deploy:C'],
      'newer_apply',
      'A',
    ],
    [
      'over an apply that changed nothing takes effect',
      ['deploy:A', 'apply:A', 'deploy:B'],
      'version 2',
      'B',
    ],
    ['before which only an apply was made is refused', ['apply:X', 'deploy:A'], 'newer_apply', 'X'],
  ])('%s', async ([, steps, outcome, content]) => {
    expect(await outcomeOf(...steps)).toBe(outcome);
    expect(await running()).toBe(content);
  });
});

test.for(['apply', 'dev'])('`%s` holds over anything that went before', async (source) => {
  expect(await outcomeOf('deploy:A', 'apply:X', `${source}:Y`)).toBe('version 3');
  expect(await running()).toBe('Y');
});

test('a policy that was judged is not the running one any more: nothing is applied', async () => {
  await outcomeOf('apply:A');
  const judged = await store.readPointer();
  await outcomeOf('apply:B');
  const over = judged.ok ? judged.value : undefined;
  const answer = await applyConfiguration(store, filesOf('C'), 'apply', over === undefined ? {} : { over });
  expect(answer).toEqual({ ok: false, error: { reason: 'conflict' } });
  expect(await running()).toBe('B');
});

test('with one problem in one file nothing changes', async () => {
  await outcomeOf('apply:A');
  expect(await outcomeOf('apply:not an org')).toBe('invalid');
  expect(await running()).toBe('A');
});

test.for([
  [{ files: { 'scopes.yml': 'a' } }, 1],
  [{ files: {} }, 0],
  [{ files: { 'scopes.yml': 1 } }, undefined],
  [{ files: [] }, undefined],
  [{ files: null }, undefined],
  [{}, undefined],
  [null, undefined],
  ['files', undefined],
] as const)('the files of %j are %s', ([value, size]) => {
  expect(readFiles(value)?.size).toBe(size);
});
