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

/** Checkpoints, newest first. `isAll`: none of a lower number follows. */
export type CheckpointSlice = { readonly checkpoints: readonly StoredCheckpoint[]; readonly isAll: boolean };

/** Checkpoints of organisations, numbered from 1. Reads are strongly consistent. */
export type CheckpointStore = {
  /**
   * The newest ones, newest first; those below `before` where it is given. At most `limit`, and little more than 1 MB: there may be fewer
   * although more follow.
   */
  newest(orgId: string, limit: number, before?: number): Promise<Result<CheckpointSlice, Unavailable>>;
  /** `conflict` where there is one of this number. */
  create(
    orgId: string,
    checkpoint: StoredCheckpoint,
    expiresAtSeconds: number,
  ): Promise<Result<void, Unavailable | Conflict>>;
};

/** Which checkpoint of an organisation: its number, and the hash by which the next one names it. */
export type CheckpointName = { readonly number: number; readonly hash: string };

/** The newest checkpoint of an organisation that the issuer knows of, and when that may be gone. */
export type Witness = CheckpointName & { readonly expiresAtSeconds: number };

/**
 * The issuer's memory of its newest checkpoints, outside the table that these are in. It is put after the checkpoint: who reads it first,
 * and then the checkpoints, finds this one or newer ones among them.
 */
export type CheckpointWitness = {
  /** Strongly consistent; undefined where there is none, as before the first checkpoint of a version that keeps one. */
  read(orgId: string): Promise<Result<Witness | undefined, Unavailable>>;
  /** Keeps it unless one of this number or a higher one is kept. */
  keep(orgId: string, witness: Witness): Promise<Result<void, Unavailable>>;
};
