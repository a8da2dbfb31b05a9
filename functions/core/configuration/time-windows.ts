import { DAYS, type TimeWindow } from '../rules/time-window.ts';
import type { YamlReader } from './yaml-reader.ts';

/** Reads the `when` of a rule. Every name and instant in it is checked here, so that nothing is left to be found out by a decision. */
export function readTimeWindow(when: YamlReader): TimeWindow | undefined {
  const { days, hours, timezone, not_before, not_after } = when.members(
    'days',
    'hours',
    'timezone',
    'not_before',
    'not_after',
  );
  if ([days, hours, not_before, not_after].every((bound) => bound === undefined)) {
    return when.problem('write when the rule holds: `days`, `hours`, `not_before` or `not_after`');
  }
  if (days?.isEmpty) days.problem('name a day: `days: [mon, tue]`');
  const names = days?.items().flatMap((item) => item.oneOf(...DAYS) ?? []);
  const minutes = hours === undefined ? undefined : readHours(hours);
  const zone = timezone === undefined ? 'UTC' : readTimezone(timezone);
  const notBeforeSeconds = not_before === undefined ? undefined : readInstant(not_before);
  const notAfterSeconds = not_after === undefined ? undefined : readInstant(not_after);
  if (notBeforeSeconds !== undefined && notAfterSeconds !== undefined && notBeforeSeconds > notAfterSeconds) {
    return when.problem('`not_before` is later than `not_after`: the rule would never hold');
  }
  if (zone === undefined) return undefined;
  return {
    ...(names === undefined ? {} : { days: names.map((name) => DAYS.indexOf(name)) }),
    ...(minutes === undefined ? {} : { hours: minutes }),
    timezone: zone,
    ...(notBeforeSeconds === undefined ? {} : { notBeforeSeconds }),
    ...(notAfterSeconds === undefined ? {} : { notAfterSeconds }),
  };
}

function readHours(hours: YamlReader): TimeWindow['hours'] | undefined {
  const text = hours.string() ?? '';
  const [, startHour, startMinute, endHour, endMinute] =
    /^([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])$/.exec(text) ?? [];
  const start = Number(startHour) * 60 + Number(startMinute);
  const end = Number(endHour) * 60 + Number(endMinute);
  if (end <= 1_440 && start !== end) return { startMinute: start, endMinute: end };
  return hours.problem(
    'write hours such as "09:00-17:00", or "22:00-06:00" over midnight; the end is not in it',
  );
}

function readTimezone(timezone: YamlReader): string | undefined {
  const name = timezone.string();
  if (name === undefined) return undefined;
  try {
    // An offset is accepted by it too, and would not know of summer time.
    if (/^[A-Z]/.test(name))
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    // Reported below.
  }
  return timezone.problem('write a name of the IANA time zone database, such as Europe/Berlin');
}

function readInstant(instant: YamlReader): number | undefined {
  const text = instant.string() ?? '';
  const isInstant =
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text);
  const milliseconds = isInstant ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(milliseconds) && isOnCalendar(text)) return Math.floor(milliseconds / 1_000);
  return instant.problem('write an instant with its offset, such as 2027-01-31T18:00:00Z');
}

/** Is the day of an instant one that there is? The parser takes the 30th of February for a day in March. */
export function isOnCalendar(instant: string): boolean {
  const day = instant.slice(0, 'YYYY-MM-DD'.length);
  const milliseconds = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(milliseconds) && new Date(milliseconds).toISOString().startsWith(day);
}
