import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Json } from '../../local/json.ts';
import { startSchedules } from '../../local/schedule.ts';
import { Template } from '../../local/template.ts';

const MINUTE_MS = 60_000;
const TARGET = {
  Arn: { 'Fn::GetAtt': ['Worker', 'Arn'] },
  Id: 'Target0',
  Input: '{"checkpoint":"scheduled"}',
};
const RULE = { ScheduleExpression: 'rate(2 minutes)', State: 'ENABLED', Targets: [TARGET] };

let directory: string;
let invoked: (readonly [string, Json])[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-schedule-'));
  invoked = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

function start(rule: object) {
  const write = (name: string, value: object) => writeFileSync(join(directory, name), JSON.stringify(value));
  write('manifest.json', {
    artifacts: {
      One: { type: 'aws:cloudformation:stack', properties: { templateFile: 'One.template.json' } },
    },
  });
  write('One.template.json', {
    Resources: {
      Api: { Type: 'AWS::ApiGateway::RestApi', Properties: {} },
      Worker: { Type: 'AWS::Lambda::Function', Properties: {} },
      Rule: { Type: 'AWS::Events::Rule', Properties: rule },
    },
  });
  return startSchedules(Template.read(directory), {
    invoke: async (functionId, event) => {
      invoked.push([functionId, event]);
      return { kind: 'returned', payload: 'null' };
    },
  });
}

test('a rule invokes its function at its rate, for the first time when that has passed once', async () => {
  const schedules = start(RULE);
  vi.advanceTimersByTime(2 * MINUTE_MS - 1);
  expect(invoked).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(invoked).toEqual([['Worker', { checkpoint: 'scheduled' }]]);
  vi.advanceTimersByTime(4 * MINUTE_MS);
  expect(invoked).toHaveLength(3);
  await schedules.close();
  vi.advanceTimersByTime(10 * MINUTE_MS);
  expect(invoked).toHaveLength(3);
});

test.for([
  ['rate(1 minute)', 1],
  ['rate(1 hour)', 60],
  ['rate(1 day)', 1_440],
] as const)('%s is every %i minutes', async ([ScheduleExpression, minutes]) => {
  const schedules = start({ ...RULE, ScheduleExpression });
  vi.advanceTimersByTime(minutes * MINUTE_MS);
  expect(invoked).toHaveLength(1);
  await schedules.close();
});

test('a rule that is switched off invokes nothing', async () => {
  const schedules = start({ ...RULE, State: 'DISABLED' });
  vi.advanceTimersByTime(60 * MINUTE_MS);
  expect(invoked).toEqual([]);
  await schedules.close();
});

test.for([
  ['another schedule', { ...RULE, ScheduleExpression: 'cron(0 12 * * ? *)' }, /schedule of rule `Rule`/],
  ['no schedule', { ...RULE, ScheduleExpression: undefined }, /schedule of rule `Rule`/],
  ['another target', { ...RULE, Targets: [{ ...TARGET, Arn: 'arn:aws:sqs:::q' }] }, /target of rule `Rule`/],
  ['no input', { ...RULE, Targets: [{ ...TARGET, Input: undefined }] }, /target of rule `Rule`/],
] as const)('a rule with %s is not emulated, and the start says so', ([, rule, message]) => {
  expect(() => start(rule)).toThrow(message);
});
