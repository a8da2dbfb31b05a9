import { expect, test } from 'vitest';
import { findDifferences } from './difference.ts';
import { type Checks, passes } from './suite.ts';

function checks(...statuses: readonly string[]): Checks {
  return statuses.map((status) => ({ id: 'a', name: 'A', status }));
}

test.for([
  { label: 'the same', direct: checks('SUCCESS'), through: checks('SUCCESS'), rows: [] },
  {
    label: 'another status',
    direct: checks('SUCCESS'),
    through: checks('FAILURE'),
    rows: ['one | a A | SUCCESS | FAILURE'],
  },
  {
    label: 'one of several statuses',
    direct: checks('SUCCESS', 'SUCCESS'),
    through: checks('SUCCESS', 'WARNING'),
    rows: ['one | a A | SUCCESS SUCCESS | SUCCESS WARNING'],
  },
  {
    label: 'a check that is not made any more',
    direct: checks('SKIPPED'),
    through: [],
    rows: ['one | a A | SKIPPED | -'],
  },
])('two runs are compared check by check: $label', ({ direct, through, rows }) => {
  expect(findDifferences(new Map([['one', direct]]), new Map([['one', through]]))).toEqual(rows);
});

test('a scenario that only one of two runs made is a difference, either way round', () => {
  const made = new Map([['one', checks('FAILURE')]]);
  expect(findDifferences(made, new Map())).toEqual(['one | a A | FAILURE | -']);
  expect(findDifferences(new Map(), made)).toEqual(['one | a A | - | FAILURE']);
});

test.for([
  { statuses: ['SUCCESS', 'WARNING'], passed: true },
  { statuses: ['SUCCESS', 'FAILURE'], passed: false },
  { statuses: ['SKIPPED'], passed: false },
  { statuses: [], passed: false },
])('a scenario with $statuses passes: $passed', ({ statuses, passed }) => {
  expect(passes(checks(...statuses))).toBe(passed);
});
