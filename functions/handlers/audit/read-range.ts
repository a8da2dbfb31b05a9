import type { AuditReader, FoundRecord } from '../../core/audit/audit-ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';

/** Records of an organisation over any number of days: sort keys from `from`, which is included, to `to`, which is not. */
export type RangeQuery = {
  readonly orgId: string;
  readonly from: string;
  readonly to: string;
  readonly newestFirst: boolean;
  readonly limit: number;
};

/** What was found, in order. `next` is where to go on, a `from` or, newest first, a `to`; undefined where nothing follows. */
export type Range = { readonly records: readonly FoundRecord[]; readonly next: string | undefined };

/** One read looks at so many days at most: empty ones cost too. */
const MAX_DAYS = 31;

const DAY_MS = 86_400_000;

/** Reads records of one organisation in the order of time, at least one unless none follows within 31 days. */
export async function readRange(reader: AuditReader, query: RangeQuery): Promise<Result<Range, Unavailable>> {
  const { orgId, newestFirst, limit } = query;
  let { from, to } = query;
  const found: FoundRecord[] = [];
  for (let days = 0; days < MAX_DAYS && from < to; days += 1) {
    const day = (newestFirst ? lastDayBefore(to) : from).slice(0, 10);
    const page = await reader.readDay({ orgId, day, from, to, newestFirst, limit: limit - found.length });
    if (!page.ok) return page;
    found.push(...page.value.records);
    const last = page.value.records.at(-1)?.key.sk;
    if (!page.value.isAll && last !== undefined) {
      // Nothing sorts between a sort key and itself with one more character that follows no other.
      if (newestFirst) to = last;
      else from = `${last}!`;
      if (found.length >= limit) return ok({ records: found, next: newestFirst ? to : from });
      continue;
    }
    if (newestFirst) to = day;
    else from = dayAfter(day);
    if (found.length >= limit) break;
  }
  return ok({ records: found, next: from < to ? (newestFirst ? to : from) : undefined });
}

/** `2026-11-22` sorts before every instant of that day, and after every one of the day before. */
function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
}

/** The day of the last sort key before this one. */
function lastDayBefore(to: string): string {
  return to.length > 10 ? to : new Date(Date.parse(to) - DAY_MS).toISOString();
}
