import type { Random } from '../fuzz/random.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const HOURS = [
  '09:00-17:00',
  '22:00-06:00',
  '00:00-12:00',
  '02:00-03:00',
  '02:30-02:31',
  '23:30-00:30',
  '01:00-02:00',
];
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Pacific/Kiritimati',
  'Australia/Lord_Howe',
];
const STARTS = ['2026-10-25T00:30:00Z', '2026-11-21T13:00:00+01:00', '2026-11-23T08:00:00Z'];
const ENDS = ['2027-01-01T00:00:00Z', '2026-11-23T17:00:00+01:00'];

/** Clocks are turned in some of the zones, days begin and end, and so do windows. */
export const MOMENTS_SECONDS: readonly number[] = [
  '2026-11-21T12:00:00Z',
  '2026-11-20T23:15:00Z',
  '2026-11-23T08:00:00Z',
  '2026-11-23T07:59:59Z',
  '2026-11-23T15:59:59Z',
  '2026-11-23T16:00:00Z',
  '2026-11-23T17:00:00Z',
  '2026-11-24T03:30:00Z',
  '2026-10-25T00:30:00Z',
  '2026-10-25T01:30:00Z',
  '2026-10-25T02:30:00Z',
  '2026-11-01T05:30:00Z',
  '2026-11-01T06:30:00Z',
  '2027-03-28T00:59:59Z',
  '2027-03-28T01:00:00Z',
  '2027-03-28T01:30:00Z',
  '2027-01-01T00:00:00Z',
  '2026-12-31T23:59:59Z',
  '2027-04-03T15:10:00Z',
].map((text) => Date.parse(text) / 1000);

/** A `when` with at least one member. */
export function aWindow(random: Random): Record<string, unknown> {
  const window = {
    days: random.chance(50) ? DAYS.filter(() => random.chance(50)) : undefined,
    hours: random.chance(60) ? random.pick(HOURS) : undefined,
    timezone: random.chance(60) ? random.pick(ZONES) : undefined,
    not_before: random.chance(20) ? random.pick(STARTS) : undefined,
    not_after: random.chance(20) ? random.pick(ENDS) : undefined,
  };
  if (window.days?.length === 0) window.days = ['sat', 'sun'];
  const isEmpty = Object.entries(window).every(([name, value]) => value === undefined || name === 'timezone');
  return isEmpty ? { ...window, hours: '09:00-17:00' } : window;
}
