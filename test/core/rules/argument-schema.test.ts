import { describe, expect, test, vi } from 'vitest';
import { parseJsonText } from '../../../functions/core/json.ts';
import { type ArgumentSchema, checkArguments } from '../../../functions/core/rules/argument-schema.ts';
import { SharedParts } from '../../../functions/core/rules/ready-rule.ts';

/** What is wrong, as `argument: constraint`, with a question mark where it cannot be told; empty where nothing is. */
function failure(schema: ArgumentSchema, text: string, budget = { stepsLeft: 1_000_000 }): string {
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  const found = checkArguments(schema, parsed.value, new SharedParts(), budget);
  return found === undefined ? '' : `${found.argument}: ${found.constraint}${found.isKnown ? '' : '?'}`;
}

/** The schema of an argument `a`. */
function ofA(a: ArgumentSchema): ArgumentSchema {
  return { properties: [['a', a]] };
}

const LONG = '9'.repeat(500);

test.for<readonly [ArgumentSchema, string, string]>([
  [{}, '{"a":1}', ''],
  [{ required: ['a'] }, '{}', 'a: is required'],
  [{ required: ['a'] }, '{"a":null}', ''],
  [{ required: ['a', 'b'] }, '{"a":1}', 'b: is required'],
  [{ properties: [['a', { type: ['integer'] }]] }, '{}', ''],
  [ofA({ type: ['integer'] }), '{"a":1.0}', ''],
  [ofA({ type: ['integer'] }), '{"a":1.5}', 'a: must be of type integer'],
  [ofA({ type: ['integer'] }), '{"a":"1"}', 'a: must be of type integer'],
  [ofA({ type: ['integer'] }), `{"a":${LONG}}`, 'a: must be of type integer?'],
  [ofA({ type: ['integer', 'null'] }), '{"a":null}', ''],
  [ofA({ type: ['integer', 'null'] }), '{"a":[]}', 'a: must be of type integer or null'],
  [ofA({ type: ['number'] }), `{"a":${LONG}}`, ''],
  [ofA({ minimum: '1' }), `{"a":${'9'.repeat(4_000_000)}}`, 'a: must be at least 1?'],
  [ofA({ enum: ['1'] }), `{"a":${'9'.repeat(4_000_000)}}`, 'a: must be 1?'],
  [ofA({ type: ['number'] }), '{"a":true}', 'a: must be of type number'],
  [ofA({ type: ['boolean'] }), '{"a":true}', ''],
  [ofA({ type: ['boolean'] }), '{"a":"true"}', 'a: must be of type boolean'],
  [ofA({ type: ['string'] }), '{"a":"x"}', ''],
  [ofA({ type: ['string'] }), '{"a":1}', 'a: must be of type string'],
  [ofA({ type: ['array'] }), '{"a":[]}', ''],
  [ofA({ type: ['array'] }), '{"a":{}}', 'a: must be of type array'],
  [ofA({ type: ['object'] }), '{"a":{}}', ''],
  [ofA({ type: ['object'] }), '{"a":[]}', 'a: must be of type object'],
  [ofA({ type: ['null'] }), '{"a":0}', 'a: must be of type null'],
  [ofA({ enum: ['"x"', '1', 'true', 'null'] }), '{"a":"x"}', ''],
  [ofA({ enum: ['"x"', '1', 'true', 'null'] }), '{"a":1.0}', ''],
  [ofA({ enum: ['"x"', '1', 'true', 'null'] }), '{"a":true}', ''],
  [ofA({ enum: ['"x"', '1', 'true', 'null'] }), '{"a":null}', ''],
  [ofA({ enum: ['"x"', '1'] }), '{"a":"1"}', 'a: must be one of "x", 1'],
  [ofA({ enum: ['"1"'] }), '{"a":1}', 'a: must be "1"'],
  [ofA({ enum: ['"[]"', '"{}"'] }), '{"a":[]}', 'a: must be one of "[]", "{}"'],
  [ofA({ enum: ['"[]"', '"{}"'] }), '{"a":{}}', 'a: must be one of "[]", "{}"'],
  [ofA({ enum: ['1'] }), `{"a":${LONG}}`, 'a: must be 1?'],
  [ofA({ enum: ['"1"'] }), `{"a":${LONG}}`, 'a: must be "1"'],
  [ofA({ enum: ['1'] }), `{"a":1.${'0'.repeat(500)}}`, 'a: must be 1?'],
  [
    ofA({ enum: Array.from({ length: 21 }, (_, index) => `${index}`) }),
    '{"a":99}',
    'a: must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, …',
  ],
  [ofA({ minimum: '1' }), '{"a":1}', ''],
  [ofA({ minimum: '1' }), '{"a":0.99999999999999999999}', 'a: must be at least 1?'],
  [ofA({ minimum: '1000' }), '{"a":999.99999999999999999999}', 'a: must be at least 1000?'],
  [ofA({ minimum: '1000' }), '{"a":999.5}', 'a: must be at least 1000'],
  [ofA({ minimum: '1000' }), '{"a":-1e400}', 'a: must be at least 1000'],
  [ofA({ enum: ['5'] }), '{"a":5.00000000000000000001}', 'a: must be 5?'],
  [ofA({ enum: ['5', '6'] }), '{"a":6.0}', ''],
  [ofA({ enum: ['9007199254740993'] }), '{"a":9007199254740993}', 'a: must be 9007199254740993?'],
  [ofA({ enum: ['1e400'] }), '{"a":1e400}', 'a: must be 1e400?'],
  [ofA({ type: ['integer'] }), '{"a":5.00000000000000000001}', 'a: must be of type integer?'],
  [ofA({ exclusiveMaximum: '100' }), '{"a":99.99999999999999999999}', 'a: must be less than 100?'],
  [ofA({ minimum: '5', maximum: '4' }), '{"a":4.99999999999999999999}', 'a: must be at most 4'],
  [
    {
      properties: [
        ['a', { enum: ['5'] }],
        ['b', { enum: ['1'] }],
      ],
    },
    '{"a":5.00000000000000000001,"b":2}',
    'b: must be 1',
  ],
  [
    { required: ['amount'], properties: [['amount', { minimum: '1000' }]] },
    '{"Amount":5000}',
    ': has a member that could be taken for another one?',
  ],
  [
    { required: ['amount'], properties: [['amount', { minimum: '1000' }]] },
    '{"__proto__":{"amount":5000}}',
    ': has a member that could be taken for another one?',
  ],
  [
    { properties: [['limit', { type: ['integer'], maximum: '100' }]] },
    '{"LIMIT":5000}',
    ': has a member that could be taken for another one?',
  ],
  [ofA({ required: ['b'] }), '{"a":{"B":1}}', 'a: has a member that could be taken for another one?'],
  [{ properties: [['Limit', {}]] }, '{"Limit":1,"other":2}', ''],
  [{ additionalProperties: { type: ['integer'] } }, '{"LIMIT":1}', ''],
  [{}, '{"__proto__":{"amount":5000}}', ''],
  [{ additionalProperties: { type: ['integer'] } }, '{"__proto__":"x"}', '*: must be of type integer'],
  [{ required: ['a'] }, '{"a":1,"s":2}', ''],
  [ofA({ maximum: '100' }), '{"a":100}', ''],
  [ofA({ minLength: 2 }), '{"a":"ab"}', ''],
  [ofA({ minLength: 0 }), '{"a":""}', ''],
  [ofA({ maximum: '100' }), '{"a":100.00000000000000000001}', 'a: must be at most 100?'],
  [ofA({ maximum: '100' }), '{"a":1e400}', 'a: must be at most 100'],
  [ofA({ maximum: '1e12' }), '{"a":1e400}', 'a: must be at most 1e12'],
  [ofA({ minimum: '-1e12' }), '{"a":-1e400}', 'a: must be at least -1e12'],
  [ofA({ maximum: '100' }), '{"a":1e-1000000000000000}', 'a: must be at most 100?'],
  [ofA({ maximum: '100' }), `{"a":${LONG}}`, 'a: must be at most 100?'],
  [ofA({ maximum: '9007199254740992' }), '{"a":9007199254740993}', 'a: must be at most 9007199254740992?'],
  [ofA({ exclusiveMinimum: '0' }), '{"a":0}', 'a: must be more than 0'],
  [ofA({ exclusiveMinimum: '0' }), '{"a":1e-999}', 'a: must be more than 0?'],
  [ofA({ exclusiveMinimum: '0' }), '{"a":1e-9}', ''],
  [ofA({ exclusiveMaximum: '0' }), '{"a":-0}', 'a: must be less than 0'],
  [ofA({ exclusiveMaximum: '0' }), '{"a":-1}', ''],
  [ofA({ maximum: '100' }), '{"a":"5000"}', ''],
  [ofA({ minLength: 2 }), '{"a":"😀"}', 'a: must have at least 2 characters'],
  [ofA({ maxLength: 1 }), '{"a":"😀"}', ''],
  [ofA({ maxLength: 1 }), '{"a":"ab"}', 'a: must have at most 1 characters'],
  [ofA({ minLength: 2, maxLength: 3 }), '{"a":"abc"}', ''],
  [ofA({ minLength: 2 }), '{"a":"abc"}', ''],
  [ofA({ maxLength: 1 }), '{"a":[1,2]}', ''],
  [ofA({ pattern: '^[A-Z]+$' }), '{"a":"ACME"}', ''],
  [ofA({ pattern: '^[A-Z]+$' }), '{"a":"acme"}', 'a: must match ^[A-Z]+$'],
  [ofA({ pattern: '^[A-Z]+$' }), '{"a":7}', ''],
  [ofA({ items: { type: ['string'] } }), '{"a":["x","y"]}', ''],
  [ofA({ items: { type: ['string'] } }), '{"a":["x",1]}', 'a[]: must be of type string'],
  [ofA({ items: { type: ['string'] } }), '{"a":{"0":1}}', ''],
  [ofA({ minItems: 1 }), '{"a":[]}', 'a: must have at least 1 items'],
  [ofA({ maxItems: 1 }), '{"a":[1,2]}', 'a: must have at most 1 items'],
  [ofA({ minItems: 1, maxItems: 2 }), '{"a":[1,2]}', ''],
  [ofA({ properties: [['b', { minimum: '3' }]] }), '{"a":{"b":2}}', 'a.b: must be at least 3'],
  [ofA({ properties: [['b', { minimum: '3' }]] }), '{"a":7}', ''],
  [ofA({ required: ['b'] }), '{"a":{}}', 'a.b: is required'],
  [{ ...ofA({}), additionalProperties: false }, '{"a":1,"b":2}', ': may have no member but a'],
  [{ ...ofA({}), additionalProperties: false }, '{"a":1}', ''],
  [{ ...ofA({}), additionalProperties: { type: ['string'] } }, '{"a":1,"b":"x"}', ''],
  [{ ...ofA({}), additionalProperties: { type: ['string'] } }, '{"a":1,"b":2}', '*: must be of type string'],
  [
    { properties: [['__proto__', { maximum: '1' }]] },
    '{"__proto__":2}',
    ': has a member that could be taken for another one?',
  ],
  [{ required: ['constructor'] }, '{}', 'constructor: is required'],
])('%j of %j: %s', ([schema, text, expected]) => {
  expect(failure(schema, text)).toBe(expected);
});

describe('what is looked at', () => {
  test('is bounded in the characters of a text, and in the steps of a pattern over it', () => {
    const text = (length: number) => `{"a":"${'a'.repeat(length)}"}`;
    expect(failure(ofA({ pattern: '^a*$' }), text(1_000_001))).toBe('a: must match ^a*$?');
    expect(failure(ofA({ pattern: '^(a|aa)*$' }), text(500_000))).toBe('a: must match ^(a|aa)*$?');
  });

  test('is bounded in the number of its values', () => {
    const many = `{"a":[${'0,'.repeat(150_000)}0]}`;
    const schema = ofA({ items: { type: ['integer'], minimum: '0' } });
    expect(failure(schema, many)).toBe('');
    const lists: ArgumentSchema = ofA({ items: { pattern: '^[a-z]*$' } });
    const text = `{"a":[${Array.from({ length: 3_000 }, () => `"${'a'.repeat(400)}"`).join(',')}]}`;
    expect(failure(lists, text)).toBe('a[]: must match ^[a-z]*$?');
    const names = Array.from({ length: 200 }, (_, index) => `n${index}`);
    const objects = `{"a":[${'{},'.repeat(6_000)}{}]}`;
    const properties = names.map((name) => [name, {}] as const);
    expect(failure(ofA({ items: { properties } }), objects)).toBe('a[]: is too long to be looked at?');
    const scalars = `{"a":[${'199,'.repeat(6_000)}199]}`;
    const values = Array.from({ length: 200 }, (_, index) => `${index}`);
    expect(failure(ofA({ items: { enum: values } }), scalars)).toBe('a[]: is too long to be looked at?');
  });

  test('is, of a long text that is held against a list, its length', () => {
    const values = Array.from({ length: 200 }, (_, index) => `"${index}"`);
    const stringify = vi.spyOn(JSON, 'stringify');
    const budget = { stepsLeft: 1_000 };
    expect(failure(ofA({ enum: values }), `{"a":"${'é'.repeat(1_000_000)}"}`, budget)).toMatch(/^a: .*…$/);
    expect(stringify).not.toHaveBeenCalled();
    stringify.mockRestore();
    expect(budget.stepsLeft).toBe(1_000 - 3 - 1 - 200);
  });

  test('is charged for each text that is compared or counted', () => {
    const budget = { stepsLeft: 100 };
    expect(failure(ofA({ enum: [`"${'b'.repeat(50)}"`] }), `{"a":"${'a'.repeat(50)}"}`, budget)).toMatch(
      /b"$/,
    );
    expect(budget.stepsLeft).toBe(100 - 3 - 1 - 1 - 50);
    expect(failure(ofA({ enum: [`"${'a'.repeat(50)}"`] }), `{"a":"${'a'.repeat(50)}"}`, budget)).toMatch(
      /\?$/,
    );
    const other = { stepsLeft: 100 };
    expect(failure(ofA({ maxLength: 200 }), `{"a":"${'a'.repeat(90)}"}`, other)).toBe('');
    expect(failure(ofA({ maxLength: 200 }), `{"a":"${'a'.repeat(90)}"}`, other)).toMatch(/too long .*\?$/);
  });

  test('of a value nothing is ever said', () => {
    const secret = 'k-9a7c2';
    const schemas: readonly ArgumentSchema[] = [
      { type: ['integer'] },
      { enum: ['"x"'] },
      { pattern: '^[A-Z]$' },
      { maxLength: 1 },
      { properties: [['b', {}]], additionalProperties: false },
    ];
    for (const schema of schemas) {
      for (const value of [`"${secret}"`, `{"${secret}":1}`]) {
        expect(failure(ofA(schema), `{"a":${value}}`)).not.toContain(secret);
      }
    }
  });
});
