import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ApplyAnswer,
  answerCustomResource,
  isCustomResource,
  isDirectApply,
} from '../../functions/aws/apply-event.ts';
import { serveOnLoopback } from '../../local/demo/loopback.ts';

const directory = mkdtempSync(join(tmpdir(), 'apply-'));
const answers: unknown[] = [];
let cloudFormation: Awaited<ReturnType<typeof serveOnLoopback>>;

beforeAll(async () => {
  writeFileSync(join(directory, 'orgs.yml'), 'orgs: {}');
  writeFileSync(join(directory, 'notes.md'), 'not a configuration');
  cloudFormation = await serveOnLoopback(0, async (request) => {
    answers.push(await request.json());
    return new Response(null);
  });
});

afterAll(async () => {
  await cloudFormation.close();
  rmSync(directory, { recursive: true });
});

function eventOf(type: 'Create' | 'Update' | 'Delete'): CloudFormationCustomResourceEvent {
  const common = {
    ServiceToken: 'token',
    ResponseURL: cloudFormation.origin,
    StackId: 's-1',
    RequestId: 'r-1',
    LogicalResourceId: 'Configuration',
    ResourceType: 'Custom::SallyportConfiguration',
    ResourceProperties: { ServiceToken: 'token' },
  };
  if (type === 'Create') return { ...common, RequestType: 'Create' };
  const existing = { ...common, PhysicalResourceId: 'sallyport-configuration' };
  return type === 'Delete'
    ? { ...existing, RequestType: 'Delete' }
    : { ...existing, RequestType: 'Update', OldResourceProperties: { ServiceToken: 'token' } };
}

/** What CloudFormation hears of a deploy whose applying ends like this. */
async function heard(
  type: 'Create' | 'Update' | 'Delete',
  apply: (files: ReadonlyMap<string, string>) => ApplyAnswer,
  from = directory,
): Promise<unknown> {
  await answerCustomResource(eventOf(type), from, (files) => Promise.resolve(apply(files)));
  return answers.at(-1);
}

const NAMES = { PhysicalResourceId: 'sallyport-configuration', StackId: 's-1', RequestId: 'r-1' };

test.for(['Create', 'Update'] as const)(
  '%s applies the configuration files of the directory',
  async (type) => {
    const seen: string[] = [];
    const answer = await heard(type, (files) => {
      seen.push(...files.keys());
      return { ok: true, version: 1, warnings: [] };
    });
    expect(seen).toEqual(['orgs.yml']);
    expect(answer).toEqual({ Status: 'SUCCESS', LogicalResourceId: 'Configuration', ...NAMES });
  },
);

test('Delete changes nothing', async () => {
  const answer = await heard('Delete', () => {
    throw new Error('applied');
  });
  expect(answer).toMatchObject({ Status: 'SUCCESS' });
});

test.for<readonly [string, Extract<ApplyAnswer, { ok: false }>['errors'], string]>([
  ['with file and line', [{ file: 'orgs.yml', line: 3, message: 'no' }], 'orgs.yml:3: no'],
  ['without a word', [], 'nothing was applied'],
])('a refusal fails the deploy: %s', async ([, errors, reason]) => {
  const answer = await heard('Update', () => ({ ok: false, errors }));
  expect(answer).toMatchObject({ Status: 'FAILED', Reason: reason, ...NAMES });
});

test('a fault fails the deploy, it does not leave it waiting', async () => {
  const answer = await heard('Update', () => {
    throw new Error('the table is gone');
  });
  expect(answer).toMatchObject({ Status: 'FAILED', Reason: 'config:1: the table is gone' });
  const missing = await heard(
    'Update',
    () => ({ ok: true, version: 1, warnings: [] }),
    join(directory, 'no'),
  );
  expect(missing).toMatchObject({ Status: 'FAILED' });
});

test('what comes through API Gateway is neither a deploy nor a direct invocation', () => {
  expect(isDirectApply({ apply: { files: {} } })).toBe(true);
  expect(isDirectApply({ apply: { files: {} }, httpMethod: 'POST' })).toBe(false);
  expect(isCustomResource(eventOf('Create'))).toBe(true);
  expect(isCustomResource({ ...eventOf('Create'), httpMethod: 'POST' })).toBe(false);
});
