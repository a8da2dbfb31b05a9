import { describe, expect, test } from 'vitest';
import {
  isOpen,
  type TimeWindow,
  WallClocks,
  windowWords,
} from '../../../functions/core/rules/time-window.ts';

const clocks = new WallClocks();

function open(
  window: Omit<TimeWindow, 'timezone'> & { readonly timezone?: string },
  instant: string,
): boolean {
  return isOpen({ timezone: 'UTC', ...window }, clocks, Date.parse(instant) / 1_000);
}

const OFFICE = { days: [1, 2, 3, 4, 5], hours: { startMinute: 540, endMinute: 1_020 } };
/** From 22:00 to 06:00, begun on a Friday. */
const NIGHT = { days: [5], hours: { startMinute: 1_320, endMinute: 360 } };

describe('hours of a day', () => {
  test.for([
    ['2026-11-20T08:59:59Z', false],
    ['2026-11-20T09:00:00Z', true],
    ['2026-11-20T16:59:59Z', true],
    ['2026-11-20T17:00:00Z', false],
    ['2026-11-21T12:00:00Z', false],
    ['2026-11-22T12:00:00Z', false],
    ['2026-11-23T12:00:00Z', true],
  ] as const)('09:00-17:00 from Monday to Friday, at %s: %s', ([instant, expected]) => {
    expect(open(OFFICE, instant)).toBe(expected);
  });

  test.for([
    ['2026-11-20T21:59:59Z', false],
    ['2026-11-20T22:00:00Z', true],
    ['2026-11-20T23:59:59Z', true],
    ['2026-11-21T00:00:00Z', true],
    ['2026-11-21T05:59:59Z', true],
    ['2026-11-21T06:00:00Z', false],
    ['2026-11-21T22:00:00Z', false],
    ['2026-11-20T05:00:00Z', false],
  ] as const)('22:00-06:00 of a Friday, at %s: %s', ([instant, expected]) => {
    expect(open(NIGHT, instant)).toBe(expected);
  });

  test('over midnight from Saturday to Sunday', () => {
    const window = { days: [6], hours: NIGHT.hours };
    expect([open(window, '2026-11-22T01:00:00Z'), open(window, '2026-11-21T01:00:00Z')]).toEqual([
      true,
      false,
    ]);
  });

  test('without days are those of each day, days without hours the whole day', () => {
    expect(open({ hours: OFFICE.hours }, '2026-11-22T12:00:00Z')).toBe(true);
    expect(open({ hours: OFFICE.hours }, '2026-11-22T18:00:00Z')).toBe(false);
    expect(open({ days: [0] }, '2026-11-22T23:59:59Z')).toBe(true);
    expect(open({ days: [0] }, '2026-11-23T00:00:00Z')).toBe(false);
  });

  test('up to 24:00 are up to midnight', () => {
    const window = { hours: { startMinute: 1_380, endMinute: 1_440 } };
    expect([open(window, '2026-11-22T23:59:59Z'), open(window, '2026-11-22T00:00:00Z')]).toEqual([
      true,
      false,
    ]);
  });
});

describe('in a time zone', () => {
  const inBerlin = { ...OFFICE, timezone: 'Europe/Berlin' };

  test.for([
    ['2026-11-20T08:00:00Z', true],
    ['2026-11-20T07:59:59Z', false],
    ['2026-07-20T07:00:00Z', true],
    ['2026-07-20T06:59:59Z', false],
    ['2026-07-20T15:00:00Z', false],
  ] as const)('the wall clock counts, in winter and in summer: %s', ([instant, expected]) => {
    expect(open(inBerlin, instant)).toBe(expected);
  });

  test('an hour that is skipped is in no window, one that comes twice is in it twice', () => {
    const window = { hours: { startMinute: 120, endMinute: 180 }, timezone: 'Europe/Berlin' };
    const instants = [
      '2026-03-29T00:59:59Z',
      '2026-03-29T01:00:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:30:00Z',
    ];
    expect(instants.map((instant) => open(window, instant))).toEqual([false, false, true, true]);
  });

  test('the day is that of the zone', () => {
    const window = { days: [1], timezone: 'Pacific/Auckland' };
    expect(open(window, '2026-11-22T11:00:00Z')).toBe(true);
    expect(open(window, '2026-11-22T10:59:59Z')).toBe(false);
  });

  test('a zone with an odd offset', () => {
    const window = { hours: { startMinute: 720, endMinute: 721 }, timezone: 'Asia/Kathmandu' };
    expect([open(window, '2026-11-22T06:15:30Z'), open(window, '2026-11-22T06:14:59Z')]).toEqual([
      true,
      false,
    ]);
  });
});

test('instants bound a window with both ends in it', () => {
  const at = (instant: string) => Date.parse(instant) / 1_000;
  const window = {
    notBeforeSeconds: at('2026-12-01T00:00:00Z'),
    notAfterSeconds: at('2026-12-31T23:59:59Z'),
  };
  expect(open(window, '2026-11-30T23:59:59Z')).toBe(false);
  expect(open(window, '2026-12-01T00:00:00Z')).toBe(true);
  expect(open(window, '2026-12-31T23:59:59Z')).toBe(true);
  expect(open(window, '2027-01-01T00:00:00Z')).toBe(false);
  expect(open({ ...window, days: [0] }, '2026-12-07T00:00:00Z')).toBe(false);
});

test.for<readonly [TimeWindow, string]>([
  [
    { ...OFFICE, timezone: 'Europe/Berlin' },
    'on mon, tue, wed, thu, fri from 09:00 to 17:00 (Europe/Berlin)',
  ],
  [{ days: [0], timezone: 'UTC' }, 'on sun (UTC)'],
  [{ hours: { startMinute: 0, endMinute: 1_440 }, timezone: 'UTC' }, 'from 00:00 to 24:00 (UTC)'],
  [
    { notBeforeSeconds: 1_796_083_200, notAfterSeconds: 1_798_761_599, timezone: 'UTC' },
    'not before 2026-12-01T00:00:00Z not after 2026-12-31T23:59:59Z',
  ],
])('in words: %j', ([window, words]) => {
  expect(windowWords(window)).toBe(words);
});
