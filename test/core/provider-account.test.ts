import { expect, test } from 'vitest';
import { type Json, parseJsonText } from '../../functions/core/json.ts';
import { readAccount, readCloudIds } from '../../functions/core/provider-account.ts';

function json(value: unknown): Json {
  const parsed = parseJsonText(JSON.stringify(value));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return parsed.value;
}

const LOOKUP = {
  url: 'https://x.example/me',
  id: [['sub'], ['data', 'id']],
  name: [['email'], ['data', 'login']],
};

test.for([
  [
    { sub: 'a', email: 'a@x.example' },
    { id: 'a', name: 'a@x.example' },
  ],
  [{ data: { id: 7, login: 'b' } }, { id: '7', name: 'b' }],
  [
    { sub: 12345678901234567890n.toString(), email: {} },
    { id: '12345678901234567890', name: undefined },
  ],
  [
    { sub: '', data: { id: 'c' } },
    { id: 'c', name: undefined },
  ],
  [{ sub: 'x'.repeat(257) }, undefined],
  [{ sub: true, data: [] }, undefined],
  [[], undefined],
  [null, undefined],
] as const)('the account of %j', ([body, account]) => {
  expect(readAccount(LOOKUP, json(body))).toEqual(account);
});

test('a number is the digits that were written', () => {
  const parsed = parseJsonText('{"sub":12345678901234567890}');
  expect(parsed.ok && readAccount(LOOKUP, parsed.value)).toMatchObject({ id: '12345678901234567890' });
});

test.for([
  [
    [{ id: 'a-1' }, { id: 'B2' }, { id: 'a-1' }],
    ['a-1', 'B2'],
  ],
  [[{ id: '../x' }, { id: 7 }, {}, 'x', { id: '' }], []],
  [{ id: 'a' }, []],
  [null, []],
] as const)('the sites of %j', ([body, ids]) => {
  expect(readCloudIds(json(body))).toEqual(ids);
});

test('a list without end is read to its hundredth site', () => {
  expect(readCloudIds(json(Array.from({ length: 500 }, (_, index) => ({ id: `s-${index}` }))))).toHaveLength(
    100,
  );
});
