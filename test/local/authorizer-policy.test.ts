import { expect, test } from 'vitest';
import { admits } from '../../local/api-gateway/authorizer-policy.ts';
import type { JsonObject } from '../../local/json.ts';

const ARN = 'arn:aws:execute-api:us-east-1:000000000000:api/live/GET/a/b';
const allow = (Resource: string | string[], Action: string | string[] = 'execute-api:Invoke') => {
  return { Effect: 'Allow', Action, Resource };
};
const deny = (Resource: string) => ({ Effect: 'Deny', Action: 'execute-api:Invoke', Resource });

test.for<[string, JsonObject[], boolean]>([
  ['the ARN itself', [allow(ARN)], true],
  ['any method of the stage', [allow('arn:aws:execute-api:*:*:api/live/*')], true],
  ['one character', [allow(ARN.replace('/b', '/?'))], true],
  ['one of several', [allow(['x', ARN], ['x', 'execute-api:*'])], true],
  ['everything', [allow('*', '*')], true],
  ['a longer path', [allow(`${ARN}/c`)], false],
  ['a prefix of the ARN', [allow(ARN.slice(0, -1))], false],
  ['a pattern of a regular expression', [allow('.*')], false],
  ['another action', [allow(ARN, 'lambda:InvokeFunction')], false],
  ['no statement', [], false],
  ['a Deny beside the Allow', [allow('*'), deny(ARN)], false],
  ['a Deny of something else', [deny(`${ARN}/c`), allow(ARN)], true],
  ['an Allow with a condition', [{ ...allow(ARN), Condition: { Bool: {} } }], false],
  ['a Deny with a condition', [allow(ARN), { ...deny('x'), Condition: { Bool: {} } }], false],
  ['NotResource', [{ Effect: 'Allow', Action: '*', NotResource: 'x' }], false],
  ['an unknown effect', [{ ...allow('*'), Effect: 'allow' }], false],
])('%s: admitted is %o', ([, statements, isAdmitted]) => {
  expect(admits({ Version: '2012-10-17', Statement: statements }, ARN)).toBe(isAdmitted);
});

test('a single statement needs no list, and no document is no permission', () => {
  expect(admits({ Statement: allow('*') }, ARN)).toBe(true);
  expect(admits(undefined, ARN)).toBe(false);
  expect(admits({}, ARN)).toBe(false);
});
