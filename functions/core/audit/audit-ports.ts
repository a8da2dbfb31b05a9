import type { Conflict, Unavailable } from '../ports.ts';
import type { Result } from '../result.ts';
import type { RecordValue } from './chain.ts';
import type { RecordKey } from './record-key.ts';

/** A record as it was found: nothing in it is believed. */
export type FoundRecord = {
  readonly key: RecordKey;
  readonly record: Readonly<Record<string, RecordValue>>;
};

/** Which records of one organisation and day: sort keys from `from`, which is included, to `to`, which is not. */
export type DayQuery = {
  readonly orgId: string;
  /** UTC, `2026-11-21`. */
  readonly day: string;
  readonly from: string;
  readonly to: string;
  readonly newestFirst: boolean;
  /** At least one; there may be fewer although more follow. */
  readonly limit: number;
};

/** Records of one day in the order of their sort keys. `isAll`: nothing of what was asked for follows. */
export type DayPage = { readonly records: readonly FoundRecord[]; readonly isAll: boolean };

/** Reads audit records, strongly consistent. */
export type AuditReader = { readDay(query: DayQuery): Promise<Result<DayPage, Unavailable>> };

/** A checkpoint as it is stored: a compact JWS, which nobody has verified. */
export type StoredCheckpoint = { readonly number: number; readonly jws: string };

/** Checkpoints of organisations, numbered from 1. Reads are strongly consistent. */
export type CheckpointStore = {
  /** The newest ones, newest first; those below `before` where it is given. */
  newest(
    orgId: string,
    limit: number,
    before?: number,
  ): Promise<Result<readonly StoredCheckpoint[], Unavailable>>;
  /** `conflict` where there is one of this number. */
  create(
    orgId: string,
    checkpoint: StoredCheckpoint,
    expiresAtSeconds: number,
  ): Promise<Result<void, Unavailable | Conflict>>;
};
