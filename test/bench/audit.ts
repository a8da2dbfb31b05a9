import { createHash, randomUUID } from 'node:crypto';
import { createAuditLog } from '../../functions/aws/audit-log.ts';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { AuditLog } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { median } from './statistics.ts';

const WRITES = 20_000;
const ROUNDS = 5;
/** DynamoDB counts a write by the KB that it has begun. */
const UNIT_BYTES = 1_024;

const CALLER = {
  org_id: 'acme',
  subject: 'company:ada.lovelace@example.com',
  kind: 'user',
  client_id: 'report-agent',
  jti: '0b3c9f6e-0d4c-4b6e-9a55-5c1f0e7d2a11',
  scopes: ['market-data/read', 'market-data/execute', 'weather/read'],
  server: 'fininfo',
  method: 'tools/call',
  name: 'latest',
  policy_version: 12,
  trace_id: '0af7651916cd43dd8448eb211c80319c',
} as const;

/** The two records of a tool call. */
const RECORDS: readonly AuditRecord[] = [
  { ...about('decision'), reason: 'scopes.yml:31 market-data/execute', ...CALLER },
  { ...about('outcome'), reason: 'complete', ...CALLER, upstream_status: 200, duration_ms: 112 },
];

/** What a record costs: CPU before the network, and write units, in a chain and as it was before there were any. */
export async function measureAudit(): Promise<void> {
  const sizes: number[] = [];
  const dynamo: Dynamo = {
    async call(_operation, input) {
      if (sizes.length < 2 * RECORDS.length) sizes.push(itemBytes(input));
      return ok({});
    },
  };
  const chained = createAuditLog(dynamo, { table: 'audit', retentionDays: 365, randomId: randomUUID });
  const unchained = createUnchainedLog(dynamo);
  const [before, after] = [await measureSizes(unchained, sizes), await measureSizes(chained, sizes)];
  const times: { readonly before: number[]; readonly after: number[] } = { before: [], after: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.before.push(await measureWrites(unchained));
    times.after.push(await measureWrites(chained));
  }
  const [cpuBefore, cpuAfter] = [median(times.before), median(times.after)];
  const ratio = (a: number, b: number) => (b / a).toFixed(2).padStart(7);
  const row = (what: string, a: number, b: number, digits: number) =>
    `${what.padEnd(42)}${a.toFixed(digits).padStart(10)}${b.toFixed(digits).padStart(10)}${ratio(a, b)}`;
  console.log('\naudit of a tool call: two records             unchained   chained  ratio');
  console.log(row('CPU µs before the network', 2 * cpuBefore, 2 * cpuAfter, 1));
  console.log(row('bytes', sum(before), sum(after), 0));
  console.log(row('write units', units(before), units(after), 0));
}

function about(event: AuditRecord['event']) {
  const ts = '2026-11-21T10:00:00.123Z';
  return {
    ts,
    request_id: 'a806d483-e5b2-46b8-950e-2f64441346dc',
    event,
    area: 'access',
    decision: 'allow',
  } as const;
}

async function measureSizes(log: AuditLog, sizes: number[]): Promise<readonly number[]> {
  // The second time a record names one before.
  for (const record of [...RECORDS, ...RECORDS]) await log.write(record);
  return sizes.splice(0).slice(-RECORDS.length);
}

/** CPU µs of one write. */
async function measureWrites(log: AuditLog): Promise<number> {
  const started = process.cpuUsage();
  for (let write = 0; write < WRITES; write += 1) {
    const record = RECORDS[write % RECORDS.length];
    if (record !== undefined) await log.write(record);
  }
  const { user, system } = process.cpuUsage(started);
  return (user + system) / WRITES;
}

/** As the log wrote before there were chains: one digest, for the key. */
function createUnchainedLog(dynamo: Dynamo): AuditLog {
  return {
    async write(record) {
      const text = JSON.stringify([randomUUID(), record]);
      const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
      const item: Record<string, unknown> = {
        pk: { S: `${record.org_id ?? '-'}#${record.ts.slice(0, 10)}` },
        sk: { S: `${record.ts}#${record.request_id}#${record.event}#${digest}` },
      };
      for (const [name, value] of Object.entries(record)) {
        if (typeof value === 'string') item[name] = { S: value };
        else if (typeof value === 'number') item[name] = { N: String(value) };
        else item[name] = { L: value.map((one) => ({ S: one })) };
      }
      await dynamo.call('PutItem', { TableName: 'audit', Item: item });
      return ok(undefined);
    },
  };
}

/** The size that DynamoDB counts: names and values in UTF-8, lists with 3 bytes and 1 for each element. */
function itemBytes(input: unknown): number {
  const members: unknown = Object(input).Item;
  return Object.entries(Object(members)).reduce(
    (total, [name, value]) => total + name.length + valueBytes(value),
    0,
  );
}

function valueBytes(value: unknown): number {
  const { S, N, L }: { S?: string; N?: string; L?: readonly unknown[] } = Object(value);
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.length / 2) + 1;
  return 3 + (L ?? []).reduce<number>((total, one) => total + 1 + valueBytes(one), 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function units(sizes: readonly number[]): number {
  return sum(sizes.map((bytes) => Math.ceil(bytes / UNIT_BYTES)));
}
