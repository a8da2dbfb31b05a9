import { type AuditRecord, auditedCaller, shortened } from '../core/audit.ts';
import type { Caller } from '../core/caller.ts';
import { type Denial, recordedReason } from '../core/denial.ts';
import type { Invocation } from '../core/invocation.ts';
import type { Policy } from '../core/policy.ts';
import type { AuditLog, Unavailable } from '../core/ports.ts';
import type { Result } from '../core/result.ts';

/** What an access record says beside who, when and which request. */
export type AccessFacts = {
  readonly area: AuditRecord['area'];
  readonly server?: string;
  readonly method?: string | undefined;
  /** Without secrets, as `addressOf` gives what a client names. */
  readonly name?: string | undefined;
};

/** The records of one request: a decision, and an outcome where something went out. */
export type AccessRecords = {
  allow(reason: string, facts: AccessFacts): Promise<Result<void, Unavailable>>;
  /** Best effort: a denial stands whether or not it could be written; the log says so where it could not. */
  deny(denial: Denial, facts: AccessFacts): Promise<void>;
  outcome(
    reason: string,
    facts: AccessFacts,
    ended: { readonly status?: number; readonly startedAtMs: number },
  ): Promise<void>;
  /**
   * What became of a call that was allowed and got no answer: an outcome where the upstream failed it or its client left, a denial where
   * nothing went out (contract §11).
   */
  failed(denial: Denial, facts: AccessFacts, startedAtMs: number): Promise<void>;
};

/** The ports that recording needs. `now` is in milliseconds. */
export type RecordPorts = {
  readonly audit: AuditLog;
  readonly now: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/** Failures of a call that was on its way out. */
const UPSTREAM_FAILURES: ReadonlySet<Denial['reason']> = new Set([
  'refused_address',
  'refused_credential',
  'unreachable',
  'timeout',
  'redirect',
]);

/** Audit records of one request, joined by its id (contract §11). `who` is absent where nobody was verified. */
export function accessRecords(
  ports: RecordPorts,
  invocation: Invocation,
  who?: { readonly caller: Caller; readonly policy: Policy },
): AccessRecords {
  const { traceId } = invocation;
  const write = (
    fields: Pick<AuditRecord, 'event' | 'decision' | 'reason' | 'upstream_status' | 'duration_ms'>,
    { area, server, method, name }: AccessFacts,
  ) =>
    ports.audit.write({
      ts: new Date(ports.now()).toISOString(),
      request_id: invocation.requestId,
      area,
      ...fields,
      ...(who === undefined ? {} : { ...auditedCaller(who.caller), policy_version: who.policy.version }),
      ...(server === undefined ? {} : { server: shortened(server) }),
      ...(method === undefined ? {} : { method: shortened(method) }),
      ...(name === undefined ? {} : { name: shortened(name) }),
      ...(traceId === undefined ? {} : { trace_id: traceId }),
    });
  const reportLoss = (written: Result<void, Unavailable>, reason: string) => {
    if (written.ok) return;
    ports.log({ level: 'error', event: 'audit_unavailable', request_id: invocation.requestId, reason });
  };
  const records: AccessRecords = {
    allow: (reason, facts) => write({ event: 'decision', decision: 'allow', reason }, facts),

    async deny(denial, facts) {
      const reason = recordedReason(denial);
      const written = await write({ event: 'decision', decision: 'deny', reason }, facts);
      // One line for an outage, which often takes the record along.
      if (denial.reason === 'unavailable') {
        const loss = written.ok ? {} : { is_recorded: false };
        const request_id = invocation.requestId;
        ports.log({ level: 'error', event: 'unavailable', request_id, detail: denial.detail, ...loss });
        return;
      }
      ports.log({ level: 'info', event: 'denied', request_id: invocation.requestId, reason });
      reportLoss(written, reason);
    },

    async failed(denial, facts, startedAtMs) {
      if (!UPSTREAM_FAILURES.has(denial.reason)) return records.deny(denial, facts);
      // Who leaves ends the call behind, which then looks as if the upstream had failed.
      if (invocation.signal.aborted) return records.outcome('abandoned', facts, { startedAtMs });
      const reason = recordedReason(denial);
      ports.log({ level: 'error', event: 'upstream_failed', request_id: invocation.requestId, reason });
      return records.outcome(reason, facts, { startedAtMs });
    },

    async outcome(reason, facts, { status, startedAtMs }) {
      const fields = {
        event: 'outcome',
        decision: 'allow',
        reason,
        duration_ms: ports.now() - startedAtMs,
        ...(status === undefined ? {} : { upstream_status: status }),
      } as const;
      reportLoss(await write(fields, facts), reason);
    },
  };
  return records;
}
