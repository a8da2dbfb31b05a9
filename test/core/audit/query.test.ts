import { describe, expect, test } from 'vitest';
import { matchesQuery, readAuditQuery } from '../../../functions/core/audit/query.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const read = (text: string) => readAuditQuery(new URLSearchParams(text), NOW_MS);
const refusedWith = (text: string) => {
  const query = read(text);
  return query.ok ? undefined : query.error;
};

describe('what is asked of an audit log', () => {
  test('is the last hour of the caller’s own organisation, oldest first, where nothing is said', () => {
    expect(read('')).toEqual({
      ok: true,
      value: {
        orgId: undefined,
        from: '2026-11-21T11:00:00.000Z',
        to: undefined,
        newestFirst: false,
        limit: 100,
        where: [],
      },
    });
  });

  test('is what the parameters say, equalities in the order of their names', () => {
    const text =
      'subject=s&area=token&server=maps&org=globex&since=2026-11-20&until=2026-11-21T00:30Z&order=desc&limit=1000';
    expect(read(text)).toEqual({
      ok: true,
      value: {
        orgId: 'globex',
        from: '2026-11-20T00:00:00.000Z',
        to: '2026-11-21T00:30:00.000Z',
        newestFirst: true,
        limit: 1_000,
        where: [
          ['area', 'token'],
          ['server', 'maps'],
          ['subject', 's'],
        ],
      },
    });
    expect(read('order=asc')).toMatchObject({ value: { newestFirst: false } });
  });

  const INSTANTS = '`since` and `until` are instants in UTC such as 2026-11-21T10:00:00Z';
  test.for<readonly [string, string]>([
    ['area=token&area=egress', '`area` is there twice'],
    ['area=', '`area` has no usable value'],
    [`area=${'x'.repeat(2_049)}`, '`area` has no usable value'],
    [`${'n'.repeat(50)}=`, `\`${'n'.repeat(40)}\` has no usable value`],
    ['since=yesterday', INSTANTS],
    ['until=2026-13-01', INSTANTS],
    ['since=2026-11-21T10:00:00', INSTANTS],
    ['order=up', '`order` is asc or desc'],
    ['limit=0', '`limit` is 1 to 1000'],
    ['limit=1001', '`limit` is 1 to 1000'],
    ['limit=1e2', '`limit` is 1 to 1000'],
    ['limit=10000', '`limit` is 1 to 1000'],
  ])('is refused as %s: %s', ([text, words]) => {
    expect(refusedWith(text)).toBe(words);
  });

  test('is refused with all names that there are where one is unknown', () => {
    expect(refusedWith('secret=1')).toMatch(/^a parameter is unknown; there are org, since, .*trace_id$/);
  });
});

test('a record answers a query that it has every member of, with exactly that value', () => {
  const record = { area: 'token', subject: 's' };
  expect(matchesQuery(record, { where: [] })).toBe(true);
  expect(matchesQuery(record, { where: [['area', 'token']] })).toBe(true);
  expect(
    matchesQuery(record, {
      where: [
        ['area', 'token'],
        ['subject', 't'],
      ],
    }),
  ).toBe(false);
  expect(matchesQuery(record, { where: [['name', '']] })).toBe(false);
});
