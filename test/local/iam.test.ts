import { describe, expect, test } from 'vitest';
import { leadingKeysOf } from '../../local/dynamodb/leading-keys.ts';
import { isAllowed } from '../../local/iam/policy.ts';
import type { Json, JsonObject } from '../../local/json.ts';

const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/context';
const ROLE = 'arn:aws:iam::000000000000:role/store';

const base = { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: TABLE };
const keysOf = (entries: Record<string, readonly string[]>) => new Map(Object.entries(entries));
const TAGS = { 'aws:principaltag/org': ['acme'], 'aws:principaltag/namespace': ['alpha'] };
// biome-ignore lint/suspicious/noTemplateCurlyInString: variables of IAM
const TAGGED = '${aws:PrincipalTag/org}#${aws:PrincipalTag/namespace}';
const leading = (operator: string, pattern: Json) => ({
  ...base,
  Condition: { [operator]: { 'dynamodb:LeadingKeys': pattern }, Null: { 'dynamodb:LeadingKeys': 'false' } },
});

/** Is a read of the table allowed by these statements? */
const reads = (statements: readonly Json[], keys: Record<string, readonly string[]> = {}) =>
  isAllowed([{ Version: '2012-10-17', Statement: statements }], {
    action: 'dynamodb:GetItem',
    resource: TABLE,
    principal: ROLE,
    keys: keysOf(keys),
  });

describe('policies', () => {
  test.for<[string, readonly Json[], boolean]>([
    ['nothing', [], false],
    ['the action on the table', [base], true],
    [
      'one of several actions and tables',
      [{ ...base, Action: ['dynamodb:Query', 'dynamodb:GetItem'], Resource: ['x', TABLE] }],
      true,
    ],
    ['the action in other letters', [{ ...base, Action: 'DynamoDB:getitem' }], true],
    ['actions by a pattern', [{ ...base, Action: 'dynamodb:Get*' }], true],
    ['a table by a pattern', [{ ...base, Resource: 'arn:aws:dynamodb:*:*:table/con????' }], true],
    ['another action', [{ ...base, Action: 'dynamodb:PutItem' }], false],
    ['another table', [{ ...base, Resource: `${TABLE}-2` }], false],
    ['a table that a dot would match', [{ ...base, Resource: TABLE.replace('context', 'c.ntext') }], false],
    ['the same, and a denial of it', [base, { ...base, Effect: 'Deny' }], false],
    [
      'the same, and a denial of something else',
      [base, { ...base, Effect: 'Deny', Action: 'dynamodb:Scan' }],
      true,
    ],
    ['what is not understood, beside what is', [{ ...base, NotResource: 'x' }, base], true],
    ['all but something', [{ Effect: 'Allow', NotAction: 'dynamodb:Scan', Resource: TABLE }], false],
    [
      'something with an unknown operator',
      [{ ...base, Condition: { DateLessThan: { 'aws:CurrentTime': 'x' } } }],
      false,
    ],
    ['something with a malformed condition', [{ ...base, Condition: [] }], false],
    ['something with a malformed test', [{ ...base, Condition: { StringEquals: 'x' } }], false],
    ['something with numbers', [{ ...base, Condition: { StringEquals: { a: 1 } } }], false],
    ['something with an unknown quantifier', [leading('ForAnyValue:StringLike', '*')], false],
    ['something with a Null that is neither', [{ ...base, Condition: { Null: { a: 'maybe' } } }], false],
    [
      'the same, and a denial that is not understood',
      [base, { ...base, Effect: 'Deny', NotAction: 'x' }],
      false,
    ],
    ['the same, and a statement that is none', [base, 'Deny'], false],
    ['the same, and an effect that is none', [base, { ...base, Effect: 'Maybe' }], false],
    ['an action that is no text', [{ ...base, Action: 7 }], false],
    [
      'something for a principal, where no trust is asked for',
      [{ ...base, Principal: { AWS: ROLE } }],
      false,
    ],
  ])('that allow %s', ([, statements, expected]) => {
    expect(reads(statements)).toBe(expected);
  });

  const own = { ...TAGS, 'dynamodb:leadingkeys': ['acme#alpha'] };
  test.for<[string, JsonObject, Record<string, readonly string[]>, boolean]>([
    ['the partition of the tags', leading('ForAllValues:StringEquals', TAGGED), own, true],
    [
      'every key of it',
      leading('ForAllValues:StringEquals', TAGGED),
      { ...own, 'dynamodb:leadingkeys': ['acme#alpha', 'acme#beta'] },
      false,
    ],
    [
      'another partition',
      leading('ForAllValues:StringEquals', TAGGED),
      { ...own, 'dynamodb:leadingkeys': ['acme#beta'] },
      false,
    ],
    [
      'a partition that begins alike',
      leading('ForAllValues:StringEquals', TAGGED),
      { ...own, 'dynamodb:leadingkeys': ['acme#alphabet'] },
      false,
    ],
    ['no partition', leading('ForAllValues:StringEquals', TAGGED), TAGS, false],
    ['no tags', leading('ForAllValues:StringEquals', TAGGED), { 'dynamodb:leadingkeys': ['#'] }, false],
    [
      'the pattern that a tag is',
      leading('ForAllValues:StringLike', TAGGED),
      { ...own, 'aws:principaltag/namespace': ['*'] },
      false,
    ],
    [
      'a partition by a pattern',
      leading('ForAllValues:StringLike', ['RUN#*', 'POLICY']),
      { 'dynamodb:leadingkeys': ['RUN#1', 'POLICY'] },
      true,
    ],
    ['one key of one value', leading('StringEquals', 'acme#alpha'), own, true],
    [
      'one key of two values',
      leading('StringEquals', 'acme#alpha'),
      { 'dynamodb:leadingkeys': ['acme#alpha', 'acme#alpha'] },
      false,
    ],
    ['one key that is absent', { ...base, Condition: { StringLike: { other: '*' } } }, own, false],
    ['an absent key that must be', { ...base, Condition: { Null: { other: 'true' } } }, own, true],
  ])('that ask for a key: %s', ([, statement, keys, expected]) => {
    expect(reads([statement], keys)).toBe(expected);
  });

  test('of trust name the principal exactly', () => {
    const trusts = (principal: Json, more: JsonObject = {}) =>
      isAllowed(
        [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal, ...more } }],
        {
          action: 'sts:AssumeRole',
          resource: undefined,
          principal: ROLE,
          keys: new Map(),
        },
      );
    expect(trusts({ AWS: ROLE })).toBe(true);
    expect(trusts({ AWS: ['x', ROLE] })).toBe(true);
    for (const other of [
      '*',
      { AWS: '*' },
      { AWS: `${ROLE}2` },
      { Service: ROLE },
      { AWS: ROLE, Service: 'x' },
    ]) {
      expect(trusts(other)).toBe(false);
    }
    expect(trusts({ AWS: ROLE }, { Resource: '*' })).toBe(false);
  });
});

describe('the partition keys of a call', () => {
  const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 'x' } });
  const query = (KeyConditionExpression: string, more: JsonObject = {}): JsonObject => ({
    TableName: 'context',
    KeyConditionExpression,
    ExpressionAttributeValues: { ':pk': { S: 'a' }, ':other': { S: 'b' } },
    ...more,
  });
  test.for<[string, JsonObject, readonly string[] | undefined]>([
    ['GetItem', { Key: key('a') }, ['a']],
    ['UpdateItem', { Key: key('a') }, ['a']],
    ['DeleteItem', { Key: key('a') }, ['a']],
    ['PutItem', { Item: key('a') }, ['a']],
    ['PutItem', { Item: {} }, undefined],
    ['GetItem', { Key: { pk: { N: '1' } } }, undefined],
    [
      'BatchGetItem',
      { RequestItems: { context: { Keys: [key('a'), key('b')] }, other: { Keys: [key('c')] } } },
      ['a', 'b'],
    ],
    [
      'BatchWriteItem',
      {
        RequestItems: { context: [{ PutRequest: { Item: key('a') } }, { DeleteRequest: { Key: key('b') } }] },
      },
      ['a', 'b'],
    ],
    ['Query', query('pk = :pk'), ['a']],
    ['Query', query('pk = :pk AND begins_with(sk, :other)'), ['a']],
    ['Query', query('begins_with(sk, :other) and pk=:pk'), ['a']],
    ['Query', query('#k = :pk', { ExpressionAttributeNames: { '#k': 'pk' } }), ['a']],
    ['Query', query('sk = :pk'), undefined],
    ['Query', query('pk = :unknown'), undefined],
    ['Query', query('pk = :pk AND pk = :other'), undefined],
    ['Query', query('pk = :pk', { KeyConditions: {} }), undefined],
    ['Query', { TableName: 'context' }, undefined],
    ['Scan', { TableName: 'context' }, undefined],
    ['ExecuteStatement', { Statement: 'SELECT * FROM context' }, undefined],
  ])('%s %j', ([operation, input, expected]) => {
    expect(leadingKeysOf(operation, input, 'context', 'pk')).toEqual(expected);
  });
});
