import { expect, test } from 'vitest';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import { ok } from '../../functions/core/result.ts';
import { accessRecords } from '../../functions/handlers/access.ts';
import { invocationOf } from '../support/invocation.ts';

/** Records of one request, the log beside them, and a client that may leave. */
function start(overrides: Partial<Invocation> = {}) {
  const written: AuditRecord[] = [];
  const logged: unknown[] = [];
  const client = new AbortController();
  const invocation = invocationOf({ signal: client.signal, ...overrides });
  const ports = {
    audit: {
      write: async (record: AuditRecord) => {
        written.push(record);
        return ok(undefined);
      },
    },
    now: () => 1_000,
    log: (entry: unknown) => void logged.push(entry),
  };
  return { records: accessRecords(ports, invocation), written, logged, client };
}

const FACTS = { area: 'access', server: 'desk' } as const;

test.for(['unreachable', 'timeout'] as const)(
  'a call whose client left is abandoned, and not %s',
  async (reason) => {
    const { records, written, logged, client } = start();
    client.abort();
    await records.failed({ reason, detail: 'the caller is gone' }, FACTS, 400);
    expect(written).toEqual([
      expect.objectContaining({ event: 'outcome', decision: 'allow', reason: 'abandoned', duration_ms: 600 }),
    ]);
    expect(logged).toEqual([]);
  },
);

test('a call that the upstream failed is not abandoned while its client waits', async () => {
  const { records, written, logged } = start();
  await records.failed({ reason: 'unreachable', detail: 'ECONNREFUSED' }, FACTS, 400);
  expect(written).toEqual([
    expect.objectContaining({ event: 'outcome', reason: expect.stringMatching(/^unreachable/) }),
  ]);
  expect(logged).toEqual([expect.objectContaining({ event: 'upstream_failed' })]);
});

test('of a server, a method and a name that are long a record holds a part', async () => {
  const { records, written } = start();
  const long = 'a'.repeat(6_000);
  await records.allow('*', { area: 'access', server: long, method: long, name: long });
  const part = `${'a'.repeat(256)}…`;
  expect(written).toEqual([expect.objectContaining({ server: part, method: part, name: part })]);
});

test('a call that never went out is denied, whoever left', async () => {
  const { records, written, client } = start();
  client.abort();
  await records.failed({ reason: 'missing_credential', detail: 'client.a' }, FACTS, 400);
  expect(written).toEqual([expect.objectContaining({ event: 'decision', decision: 'deny' })]);
});

test('the trace of the request is in each of its records', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const { records, written } = start({ traceId });
  await records.allow('*', FACTS);
  await records.deny({ reason: 'no_token' }, FACTS);
  await records.outcome('complete', FACTS, { startedAtMs: 0 });
  expect(written.map(({ trace_id }) => trace_id)).toEqual([traceId, traceId, traceId]);
});
