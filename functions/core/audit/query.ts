import { err, ok, type Result } from '../result.ts';
import type { RecordValue } from './chain.ts';

/** Members of a record that may be asked for, by their own names. */
export const SEARCHABLE = [
  'request_id',
  'event',
  'area',
  'decision',
  'reason',
  'subject',
  'kind',
  'client_id',
  'jti',
  'server',
  'method',
  'name',
  'trace_id',
] as const;

/** What is asked of an audit log. `from` and `to` bound the sort keys: instants, the first included and the second not. */
export type AuditQuery = {
  /** Whose records; undefined for the caller's own. */
  readonly orgId: string | undefined;
  readonly from: string;
  /** Undefined for everything, what is still to come included. */
  readonly to: string | undefined;
  readonly newestFirst: boolean;
  readonly limit: number;
  /** Members that a record must have, with their values. */
  readonly where: readonly (readonly [name: string, value: string])[];
};

/** The most records of one answer. */
export const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;
const DEFAULT_SINCE_MS = 3_600_000;
const MAX_VALUE_LENGTH = 2_048;
const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/;
const OTHERS: ReadonlySet<string> = new Set(['org', 'since', 'until', 'order', 'limit']);
const SEARCHABLE_NAMES: ReadonlySet<string> = new Set(SEARCHABLE);

/**
 * Reads `GET /admin/audit?org=…&since=…&until=…&order=asc|desc&limit=…` and equalities such as `client_id=…`. Since an hour ago, oldest
 * first, 100 at a time, where nothing else is said. Refuses what it does not know and what comes twice, with words for the caller.
 */
export function readAuditQuery(parameters: URLSearchParams, nowMs: number): Result<AuditQuery, string> {
  const where: [string, string][] = [];
  for (const name of new Set(parameters.keys())) {
    const [value = '', ...more] = parameters.getAll(name);
    if (more.length > 0) return err(`\`${name.slice(0, 40)}\` is there twice`);
    if (value === '' || value.length > MAX_VALUE_LENGTH)
      return err(`\`${name.slice(0, 40)}\` has no usable value`);
    if (SEARCHABLE_NAMES.has(name)) where.push([name, value]);
    else if (!OTHERS.has(name)) {
      return err(`a parameter is unknown; there are ${[...OTHERS, ...SEARCHABLE].join(', ')}`);
    }
  }
  const since = readInstant(parameters.get('since'));
  const until = readInstant(parameters.get('until'));
  if (since === INVALID || until === INVALID) {
    return err('`since` and `until` are instants in UTC such as 2026-11-21T10:00:00Z');
  }
  const order = parameters.get('order') ?? 'asc';
  if (order !== 'asc' && order !== 'desc') return err('`order` is asc or desc');
  const limit = parameters.get('limit') ?? String(DEFAULT_LIMIT);
  if (!/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > MAX_LIMIT)
    return err(`\`limit\` is 1 to ${MAX_LIMIT}`);
  return ok({
    orgId: parameters.get('org') ?? undefined,
    from: since ?? new Date(nowMs - DEFAULT_SINCE_MS).toISOString(),
    to: until,
    newestFirst: order === 'desc',
    limit: Number(limit),
    where: where.sort(([a], [b]) => (a < b ? -1 : 1)),
  });
}

/** Does a record have all members that are asked for? */
export function matchesQuery(
  record: Readonly<Record<string, RecordValue>>,
  { where }: Pick<AuditQuery, 'where'>,
): boolean {
  return where.every(([name, value]) => record[name] === value);
}

const INVALID = Symbol('an instant that is none');

function readInstant(text: string | null): string | undefined | typeof INVALID {
  if (text === null) return undefined;
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? INVALID : new Date(ms).toISOString();
}
