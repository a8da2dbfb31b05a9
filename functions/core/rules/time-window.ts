/** When a rule holds, as it is stored; what is absent bounds nothing. Days and hours are those of the wall clock in `timezone`. */
export type TimeWindow = {
  /** 0 is Sunday. Of hours that pass midnight, the day on which they begin. */
  readonly days?: readonly number[];
  /** Minutes of the day; the end is not in it, and may be 1,440. One before the start is on the next day. */
  readonly hours?: { readonly startMinute: number; readonly endMinute: number };
  /** A name of the IANA time zone database. */
  readonly timezone: string;
  readonly notBeforeSeconds?: number;
  /** The last second that is in it. */
  readonly notAfterSeconds?: number;
};

/** The days by the numbers that windows and clocks have for them. */
export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** What a clock on the wall of a time zone shows; `minute` counts from midnight. */
export type WallTime = { readonly day: number; readonly minute: number };

/**
 * The clocks of one policy's time zones. Summer time is as the zone has it: an hour that is skipped is in no window, one that comes twice is
 * in it twice.
 */
export class WallClocks {
  readonly #zones = new Map<string, Zone>();

  /** @throws RangeError on a zone that there is not */
  at(timezone: string, nowSeconds: number): WallTime {
    let zone = this.#zones.get(timezone);
    if (zone === undefined) {
      zone = new Zone(timezone);
      this.#zones.set(timezone, zone);
    }
    return zone.at(nowSeconds);
  }
}

/** Asking the database costs microseconds, so the answer of the last minute is kept. */
class Zone {
  readonly #format: Intl.DateTimeFormat;
  #minuteOfAnswer = Number.NaN;
  #answer: WallTime = { day: 0, minute: 0 };

  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  }

  at(nowSeconds: number): WallTime {
    const minute = Math.floor(nowSeconds / 60);
    if (minute !== this.#minuteOfAnswer) {
      const parts = new Map(
        this.#format.formatToParts(minute * 60_000).map(({ type, value }) => [type, value]),
      );
      const names: readonly string[] = DAYS;
      const day = names.indexOf(String(parts.get('weekday')).toLowerCase());
      this.#answer = { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
      this.#minuteOfAnswer = minute;
    }
    return this.#answer;
  }
}

/** Does the window hold now? `nowSeconds` is since the epoch. */
export function isOpen(window: TimeWindow, clocks: WallClocks, nowSeconds: number): boolean {
  const { days, hours, timezone, notBeforeSeconds } = window;
  if (notBeforeSeconds !== undefined && nowSeconds < notBeforeSeconds) return false;
  if (isOver(window, nowSeconds)) return false;
  if (days === undefined && hours === undefined) return true;
  const { day, minute } = clocks.at(timezone, nowSeconds);
  const isOn = (one: number) => days?.includes(one) ?? true;
  if (hours === undefined) return isOn(day);
  const { startMinute, endMinute } = hours;
  if (startMinute < endMinute) return isOn(day) && minute >= startMinute && minute < endMinute;
  return (minute >= startMinute && isOn(day)) || (minute < endMinute && isOn((day + 6) % 7));
}

/** Does the window never come again? */
export function isOver({ notAfterSeconds }: TimeWindow, nowSeconds: number): boolean {
  return notAfterSeconds !== undefined && nowSeconds > notAfterSeconds;
}

/** The window in words for people. */
export function windowWords({
  days,
  hours,
  timezone,
  notBeforeSeconds,
  notAfterSeconds,
}: TimeWindow): string {
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  const instant = (seconds: number) => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
  return [
    ...(days === undefined ? [] : [`on ${days.map((day) => DAYS[day]).join(', ')}`]),
    ...(hours === undefined ? [] : [`from ${clock(hours.startMinute)} to ${clock(hours.endMinute)}`]),
    ...(days === undefined && hours === undefined ? [] : [`(${timezone})`]),
    ...(notBeforeSeconds === undefined ? [] : [`not before ${instant(notBeforeSeconds)}`]),
    ...(notAfterSeconds === undefined ? [] : [`not after ${instant(notAfterSeconds)}`]),
  ].join(' ');
}
