import type { Plain } from './plain.ts';

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Does a window (`when`) hold at this second? Asks a clock of its zone, as one on a wall there. */
export function isOpen(when: Plain | undefined, nowSeconds: number): boolean {
  if (when === undefined) return true;
  const { not_before: from, not_after: to, timezone = 'UTC', days, hours } = when;
  if (typeof from === 'string' && nowSeconds < Date.parse(from) / 1000) return false;
  if (typeof to === 'string' && nowSeconds > Date.parse(to) / 1000) return false;
  const { day, time } = wallClock(nowSeconds, String(timezone));
  const isDay = (index: number) => !Array.isArray(days) || days.includes(WEEKDAYS[(index + 7) % 7]);
  if (typeof hours !== 'string') return isDay(day);
  const [start = '', end = ''] = hours.split('-');
  if (start < end) return isDay(day) && start <= time && time < end;
  return (isDay(day) && start <= time) || (isDay(day - 1) && time < end);
}

const CLOCKS = new Map<string, Intl.DateTimeFormat>();

/** A clock of a zone; to make one takes longer than a thousand looks at it. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = CLOCKS.get(timeZone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  CLOCKS.set(timeZone, clock);
  return clock;
}

function wallClock(nowSeconds: number, timeZone: string) {
  const shown = clockOf(timeZone).formatToParts(nowSeconds * 1000);
  const parts = new Map(shown.map(({ type, value }) => [type, value]));
  return {
    day: WEEKDAYS.indexOf(parts.get('weekday')?.toLowerCase() ?? ''),
    time: `${parts.get('hour')}:${parts.get('minute')}`,
  };
}
