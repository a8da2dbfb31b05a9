import { sign } from 'node:crypto';
import type {
  AuditReader,
  CheckpointStore,
  CheckpointWitness,
  FoundRecord,
  StoredCheckpoint,
  Witness,
} from '../../functions/core/audit/audit-ports.ts';
import { AuditChain, type RecordValue } from '../../functions/core/audit/chain.ts';
import { recordKeyOf } from '../../functions/core/audit/record-key.ts';
import { AuditVerifier, type Verification } from '../../functions/core/audit/verify.ts';
import {
  checkBegin,
  checkWitness,
  type VerifiedCheckpoints,
  verifyCheckpoints,
} from '../../functions/core/audit/verify-checkpoints.ts';
import { err, ok } from '../../functions/core/result.ts';
import { KeySet } from '../../functions/core/signed-token.ts';
import { type CheckpointRun, createCheckpointer } from '../../functions/handlers/audit/checkpointer.ts';
import { clientEntry, policyOf } from './policies.ts';
import { makeKey, type TestKey } from './test-issuer.ts';

/** Where the clock of an {@link AuditWorld} begins. */
export const BEGIN_MS = Date.parse('2026-11-21T10:00:00.000Z');
const RETENTION_DAYS = 30;

/** The issuer's ways to its checkpoints, and to what it knows of them. */
export type Ways = { readonly store: CheckpointStore; readonly memory: CheckpointWitness };

/** An audit table in memory, with writers of one organisation and the real checkpointer over it. Everything in it can be tampered with. */
export class AuditWorld {
  nowMs = BEGIN_MS;
  records: FoundRecord[] = [];
  checkpoints: StoredCheckpoint[] = [];
  /** What the issuer knows of its newest checkpoint, outside the table. */
  witness: Witness | undefined;
  /** Keys that are accepted, and the one that signs. */
  keys: readonly TestKey[];
  signing: TestKey;
  /** Every operation of the table fails. */
  isDown = false;
  readonly log: Readonly<Record<string, unknown>>[] = [];
  readonly orgId: string;
  reads = 0;
  /** What the clock goes on by while a day is read. */
  readTakesMs = 0;
  /** Organisations beside the one that has records. */
  others: readonly string[] = [];
  /** Has the organisation a client, or is it only in the configuration? */
  hasClient = true;
  /** A page of checkpoints ends where it has so many bytes, as one of DynamoDB does. */
  pageBytes = 1_048_576;
  /** Whatever is created is in conflict with something. */
  isBlocked = false;
  /** Nobody can read or keep what the issuer knows. */
  isMemoryDown = false;
  /** Happens before checkpoints are read. */
  beforeCheckpoints = async (): Promise<void> => {};

  constructor(orgId = 'acme', key: TestKey = makeKey('access')) {
    this.orgId = orgId;
    this.keys = [key];
    this.signing = key;
  }

  /** A run of the issuer, over its own ways to the tables where they are given. */
  run({ store, memory }: Ways = this): Promise<CheckpointRun> {
    const run = createCheckpointer({
      rulebook: {
        read: async () => {
          const own = this.hasClient ? [this.orgId] : [];
          const clients = [...own, ...this.others].map((org) => clientEntry(`${org}-client`, { org }));
          return ok({
            policy: policyOf({ clients, orgs: [{ id: this.orgId, suspended: false }] }),
            keys: this.keySet,
          });
        },
      },
      reader: this.reader,
      checkpoints: store,
      witness: memory,
      keys: { publish: async () => ok(this.keys.map(({ published }) => published)) },
      signingKey: {
        publicKey: async () => ok(this.signing.published),
        sign: async (input) =>
          ok(sign('RSA-SHA256', Buffer.from(input), this.signing.privateKey).toString('base64url')),
      },
      retentionDays: RETENTION_DAYS,
      now: () => this.nowMs,
      log: (entry) => void this.log.push(entry),
    });
    return run();
  }

  get keySet(): KeySet {
    return new KeySet(this.keys.map(({ published }) => published));
  }

  startChain(id: string): AuditChain {
    return new AuditChain(id, this.nowMs);
  }

  /** Begins a record; what it gives puts it into the table. */
  begin(chain: AuditChain, reason = 'desk/read'): { readonly seq: number; readonly arrive: () => void } {
    const record = chain.begin(
      {
        ts: new Date(this.nowMs).toISOString(),
        request_id: 'r-1',
        event: 'decision',
        area: 'access',
        decision: 'allow',
        reason,
        org_id: this.orgId,
      },
      Math.floor(this.nowMs / 1000) + RETENTION_DAYS * 86_400,
    );
    const arrive = () => {
      const members = Object.entries(record).filter((member): member is [string, RecordValue] => {
        return member[1] !== undefined;
      });
      this.records.push({ key: recordKeyOf(record), record: Object.fromEntries(members) });
    };
    return { seq: record.seq, arrive };
  }

  /** Writes one record after another, a second apart. */
  write(chain: AuditChain, count = 1): void {
    for (let written = 0; written < count; written += 1) {
      const { seq, arrive } = this.begin(chain);
      arrive();
      chain.settle(seq, true);
      this.nowMs += 1_000;
    }
  }

  /** A checkpoint, once everything so far has settled. */
  async seal(ways: Ways = this): Promise<CheckpointRun> {
    this.nowMs += 10_000;
    return this.run(ways);
  }

  /** The checkpoints that hold now. */
  get verified(): VerifiedCheckpoints {
    return verifyCheckpoints(this.checkpoints.toReversed(), {
      orgId: this.orgId,
      keys: this.keySet,
      nowSeconds: Math.floor(this.nowMs / 1000),
    });
  }

  verify(since = new Date(BEGIN_MS).toISOString()): Verification {
    const { checkpoints, findings } = this.verified;
    const verifier = new AuditVerifier(this.orgId, checkpoints, since);
    for (const found of this.records) {
      if (String(found.record['ts']) >= verifier.readFrom) verifier.add(found);
    }
    const verification = verifier.finish(this.nowMs);
    return { ...verification, findings: [...findings, ...verification.findings] };
  }

  /** What verifying finds, in short. */
  kinds(since?: string): readonly string[] {
    return this.verify(since).findings.map(({ kind, seq, number }) =>
      `${kind} ${seq ?? number ?? ''}`.trim(),
    );
  }

  /** The same, with what the issuer knows outside the table, and whether the oldest checkpoint is the first that there can be. */
  found(since?: string): readonly string[] {
    const nowSeconds = Math.floor(this.nowMs / 1000);
    const missed = [
      ...checkWitness(this.checkpoints, this.witness, nowSeconds),
      ...checkBegin(this.verified.checkpoints[0], this.checkpoints, nowSeconds),
    ];
    return [...missed.map(({ kind, number }) => `${kind} ${number}`), ...this.kinds(since)];
  }

  /** Changes the record of a number, as somebody does who can write to the table. */
  tamper(seq: number, change: (found: FoundRecord) => FoundRecord | undefined): void {
    this.records = this.records.flatMap((found) => {
      if (found.record['seq'] !== seq) return [found];
      const changed = change(found);
      return changed === undefined ? [] : [changed];
    });
  }

  get reader(): AuditReader {
    return {
      readDay: async ({ orgId, day, from, to, newestFirst, limit }) => {
        this.reads += 1;
        this.nowMs += this.readTakesMs;
        if (this.isDown) return err({ reason: 'unavailable', detail: 'a test’s outage' });
        const found = this.records
          .filter(({ key }) => key.pk.startsWith(`RECORD#${orgId}#${day}#`))
          .filter(({ key }) => key.sk >= from && key.sk < to)
          .sort((a, b) => (a.key.sk < b.key.sk === newestFirst ? 1 : -1));
        return ok({ records: found.slice(0, limit), isAll: found.length <= limit });
      },
    };
  }

  get store(): CheckpointStore {
    return {
      newest: async (orgId, limit, before = Number.POSITIVE_INFINITY) => {
        await this.beforeCheckpoints();
        if (this.isDown) return err({ reason: 'unavailable', detail: 'a test’s outage' });
        const own = orgId === this.orgId ? this.checkpoints : [];
        const found = own.filter(({ number }) => number < before).sort((a, b) => b.number - a.number);
        let bytes = 0;
        const checkpoints = found.slice(0, limit).filter(({ jws }) => {
          bytes += jws.length;
          return bytes - jws.length < this.pageBytes;
        });
        return ok({ checkpoints, isAll: checkpoints.length === found.length });
      },
      create: async (_orgId, checkpoint) => {
        if (this.isBlocked || this.checkpoints.some(({ number }) => number === checkpoint.number)) {
          return err({ reason: 'conflict' });
        }
        this.checkpoints.push(checkpoint);
        return ok(undefined);
      },
    };
  }

  get memory(): CheckpointWitness {
    const down = err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
    return {
      read: async (orgId) => {
        if (this.isDown || this.isMemoryDown) return down;
        return ok(orgId === this.orgId ? this.witness : undefined);
      },
      keep: async (_orgId, witness) => {
        if (this.isDown || this.isMemoryDown) return down;
        if (this.witness === undefined || this.witness.number < witness.number) this.witness = witness;
        return ok(undefined);
      },
    };
  }
}
