import { setTimeout as wait } from 'node:timers/promises';
import type { FoundRecord } from '../functions/core/audit/audit-ports.ts';
import type { Verification } from '../functions/core/audit/verify.ts';
import { err, ok, type Result } from '../functions/core/result.ts';
import { DOOR_OPTIONS } from './admin-door.ts';
import { type AuditDoor, openAuditDoor } from './audit-door.ts';
import { readCheckpointName, verifyLog } from './audit-verify.ts';
import { describeRecord, describeVerification } from './audit-words.ts';
import { type Failure, misused, type Output } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import { readSince } from './time.ts';
import type { Arguments, Option, Verb } from './verb.ts';

/** Options that ask for records by one member, and its name. */
const MEMBERS: readonly (readonly [option: Option, member: string])[] = [
  [{ name: 'decision', value: 'allow|deny', help: 'what was decided' }, 'decision'],
  [
    { name: 'of-client', value: 'ID', help: 'the client that called (--client is the one that asks now)' },
    'client_id',
  ],
  [{ name: 'subject', value: 'ID', help: 'the user, agent or run that it was for' }, 'subject'],
  [{ name: 'server', value: 'NAME', help: 'the server or service that was called' }, 'server'],
  [{ name: 'method', value: 'NAME', help: 'the method, such as tools/call' }, 'method'],
  [{ name: 'name', value: 'NAME', help: 'the tool, prompt or resource' }, 'name'],
  [{ name: 'request', value: 'ID', help: 'the request, as X-Request-Id names it' }, 'request_id'],
  [
    { name: 'area', value: 'NAME', help: 'access, token, egress, policy, revocation, context, login, …' },
    'area',
  ],
  [{ name: 'event', value: 'NAME', help: 'decision, or outcome of what went out' }, 'event'],
  [{ name: 'reason', value: 'TEXT', help: 'the whole reason' }, 'reason'],
  [{ name: 'jti', value: 'ID', help: 'the token' }, 'jti'],
  [{ name: 'trace', value: 'ID', help: 'the trace of the caller' }, 'trace_id'],
];

const POLL_MS = 2_000;
const DEFAULT_LINES = 20;
const DEFAULT_LIMIT = 1_000;

/** `sallyport audit`: the audit log, followed, searched and verified. */
export const audit: Verb = {
  name: 'audit',
  summary: 'follow, search and verify the audit log',
  usage: 'tail | search | verify',
  positionals: { min: 1, max: 1 },
  options: [
    { name: 'org', value: 'ORG', help: 'whose records (default: the caller’s own; - for nobody’s)' },
    { name: 'since', value: 'TIME', help: '15m, 2h, 7d ago, or an instant (search: 1h, verify: 24h)' },
    { name: 'until', value: 'TIME', help: 'search: what is before then (default: now)' },
    ...MEMBERS.map(([option]) => option),
    { name: 'limit', value: 'N', help: `search: the most records (default ${DEFAULT_LIMIT})` },
    { name: 'lines', value: 'N', help: `tail: so many earlier records first (default ${DEFAULT_LINES})` },
    { name: 'after', value: 'NUMBER:HASH', help: 'verify: a checkpoint that an earlier run has named' },
    { name: 'no-follow', help: 'tail: end after the earlier records' },
    ...DOOR_OPTIONS,
  ],
  examples: [
    ['what happens now', 'sallyport audit tail --client platform-admin'],
    [
      'who was denied what in the last two hours',
      'sallyport audit search --since 2h --decision deny --client platform-admin',
    ],
    [
      'all about one request',
      'sallyport audit search --request 6f1f0a52-9c1e-4a64-8f0b-3d0c8f3b7f3c --since 1d --client platform-admin --json',
    ],
    [
      'what an agent did',
      'sallyport audit search --of-client report-agent --server fininfo --token-file auditor.token',
    ],
    ['was anything changed since yesterday', 'sallyport audit verify --client platform-admin'],
    [
      'the same of what has no organisation',
      'sallyport audit verify --org - --since 7d --json --client platform-admin',
    ],
  ],
  notes: [
    'verify exits with 1 where a record or a checkpoint was changed, removed, inserted or moved. It concludes that here, from the',
    'records and the published keys. Of records newer than the last checkpoint, which is made every minute, it does not find ones',
    'that were cut off at the end of a chain. tail --json prints one record on each line.',
    'The token needs a UI scope with read_audit on all; records of other organisations need a client of the platform’s own.',
  ],
  async run(input, terminal) {
    const [action = ''] = input.positionals;
    const run = ACTIONS.get(action);
    if (run === undefined)
      return err(misused(`\`${action}\` is not one of ${[...ACTIONS.keys()].join(', ')}`));
    const query = readQuery(input, action);
    if (!query.ok) return query;
    const door = await openAuditDoor(input, terminal);
    return door.ok ? run(door.value, query.value, input, terminal) : door;
  },
};

/** What was asked for. `members` are parameters of the gateway. */
type Query = {
  readonly org: string | undefined;
  readonly since: string | undefined;
  readonly members: Readonly<Record<string, string>>;
  readonly count: number;
};

type Action = (
  door: AuditDoor,
  query: Query,
  input: Arguments,
  terminal: Terminal,
) => Promise<Result<Output, Failure>>;

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['tail', tail],
  ['search', search],
  ['verify', verify],
]);

function readQuery(input: Arguments, action: string): Result<Query, Failure> {
  const members: Record<string, string> = {};
  for (const [{ name }, member] of MEMBERS) {
    const value = input.text(name);
    if (value !== undefined && action === 'verify')
      return err(misused(`verify takes all records, and no --${name}`));
    if (value !== undefined) members[member] = value;
  }
  if (action !== 'verify' && input.text('after') !== undefined)
    return err(misused(`${action} takes no --after`));
  const org = input.text('org');
  if (org !== undefined) members['org'] = org;
  const times: Record<string, string> = {};
  for (const name of ['since', 'until']) {
    const text = input.text(name);
    if (text === undefined) continue;
    if (name === 'until' && action !== 'search')
      return err(misused(`${action} goes on until now, and takes no --until`));
    const instant = readSince(text, Date.now());
    if (instant === undefined)
      return err(misused(`\`--${name}\` is 15m, 2h, 7d or an instant such as 2026-11-21T09:30Z`));
    times[name] = instant;
  }
  const option = action === 'tail' ? 'lines' : 'limit';
  const count = input.text(option) ?? String(action === 'tail' ? DEFAULT_LINES : DEFAULT_LIMIT);
  if (!/^\d{1,6}$/.test(count)) return err(misused(`\`--${option}\` is a number`));
  return ok({ org, since: times['since'], members: { ...members, ...times }, count: Number(count) });
}

/** Oldest first, until there are enough, or no more. */
async function search(door: AuditDoor, { members, count }: Query): Promise<Result<Output, Failure>> {
  const found: FoundRecord[] = [];
  let query: Readonly<Record<string, string>> = {
    ...members,
    limit: String(Math.min(Math.max(count, 1), 1_000)),
  };
  for (;;) {
    const page = await door.records(query);
    if (!page.ok) return page;
    found.push(...page.value.records);
    const { isAll, next, orgId } = page.value;
    if (isAll || next === undefined || found.length >= count) {
      const records = found.slice(0, count).map(({ record }) => record);
      const isWhole = isAll && found.length <= count;
      const more = isWhole ? [] : ['there are more: --limit, or a narrower question'];
      const lines = records.length === 0 ? ['no records'] : records.map(describeRecord);
      return ok({ text: [...lines, ...more].join('\n'), json: { org_id: orgId, records, is_all: isWhole } });
    }
    query = { cursor: next };
  }
}

/** The last records, and then every one as it comes, until somebody stops it. */
async function tail(
  door: AuditDoor,
  { members, since, count }: Query,
  input: Arguments,
  terminal: Terminal,
): Promise<Result<Output, Failure>> {
  const seen = new Map<string, number>();
  const print = ({ key, record }: FoundRecord) => {
    if (seen.has(key.sk)) return;
    seen.set(key.sk, Date.now());
    terminal.print(input.flag('json') ? JSON.stringify(record) : describeRecord(record));
  };
  const startedAt = new Date().toISOString();
  const { since: _, ...where } = members;
  if (count > 0) {
    const from = since ?? new Date(Date.now() - 86_400_000).toISOString();
    const earlier = await door.records({
      ...where,
      since: from,
      order: 'desc',
      limit: String(Math.min(count, 1_000)),
    });
    if (!earlier.ok) return earlier;
    for (const found of earlier.value.records.toReversed()) print(found);
  }
  if (input.flag('no-follow')) return ok(NOTHING_MORE);
  const stop = terminal.untilStopped();
  let query: Readonly<Record<string, string>> = { ...where, since: startedAt, limit: '1000' };
  while (!stop.aborted) {
    const page = await door.records(query);
    if (!page.ok) return page;
    for (const found of page.value.records) print(found);
    // What may come again came within the last seconds.
    for (const [key, atMs] of seen) if (Date.now() - atMs > 120_000) seen.delete(key);
    if (page.value.next !== undefined) query = { cursor: page.value.next };
    if (page.value.isAll) await wait(POLL_MS, undefined, { signal: stop }).catch(() => {});
  }
  return ok(NOTHING_MORE);
}

const NOTHING_MORE: Output = { text: '', json: undefined };

async function verify(
  door: AuditDoor,
  { org, since }: Query,
  input: Arguments,
): Promise<Result<Output, Failure>> {
  const seen = input.text('after');
  const after = seen === undefined ? undefined : readCheckpointName(seen);
  if (seen !== undefined && after === undefined)
    return err(misused('`--after` is the number:hash of a checkpoint that verify has printed'));
  const from = since ?? new Date(Date.now() - 86_400_000).toISOString();
  const verified = await verifyLog(door, org, { since: from, after }, Date.now);
  if (!verified.ok) return verified;
  const { orgId, verification, newest } = verified.value;
  const name = newest === undefined ? undefined : `${newest.number}:${newest.hash}`;
  const { findings } = verification;
  return ok({
    text: describeVerification(orgId, verification, name).join('\n'),
    json: {
      org_id: orgId,
      since: from,
      is_sound: findings.length === 0,
      ...jsonOf(verification),
      newest: name,
    },
    ...(findings.length === 0 ? {} : { exit: 1 }),
  });
}

function jsonOf(verification: Verification): Readonly<Record<string, unknown>> {
  const { findings, records, chains, checkpoints, sealedThrough } = verification;
  return {
    findings,
    records,
    chains,
    checkpoints,
    failed_writes: verification.failedWrites,
    unconfirmed: verification.unconfirmed,
    unsealed: verification.unsealed,
    unchained: verification.unchained,
    sealed_through: sealedThrough,
    verified_from: verification.verifiedFrom,
  };
}
