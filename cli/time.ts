const WITH_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/;

/** A time with its zone (RFC 3339, seconds optional) in whole seconds since the epoch; undefined for anything else. */
export function readTime(text: string): number | undefined {
  const ms = WITH_ZONE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) || ms < 0 ? undefined : Math.floor(ms / 1000);
}

/** An instant in UTC, to the second. */
export function timeOf(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z');
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An instant (ISO 8601, UTC) that is said as `15m` ago, in s, m, h or d, or as {@link readTime} reads it; undefined for anything else. */
export function readSince(text: string, nowMs: number): string | undefined {
  const [, count, unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  const seconds = readTime(text);
  if (count !== undefined && unitMs !== undefined)
    return new Date(nowMs - Number(count) * unitMs).toISOString();
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();
}
