import type { FoundRecord } from './audit-ports.ts';
import { hashOf, type RecordValue } from './chain.ts';
import { recordKeyOf } from './record-key.ts';

/** Of a record that was read, what verifying its chain takes: very many are held at once. */
export type Link = {
  readonly chain: string;
  readonly seq: number;
  readonly ts: string;
  readonly hash: string;
  readonly prev: readonly string[];
  readonly pending: string | undefined;
  readonly failed: string | undefined;
  /** Does it say what its hash is of? */
  readonly isIntact: boolean;
  /** Is it under its own key, and among the records of its own organisation? */
  readonly isInPlace: boolean;
};

/** Can a writer have given a record this number? They count from 1, and a key has ten digits for it. */
export function isRecordNumber(seq: number): boolean {
  return Number.isInteger(seq) && seq >= 1 && seq < 10 ** 10;
}

/** The number and the hash in a `seq:hash`; undefined for what no writer wrote. */
export function readReference(reference: string): readonly [seq: number, hash: string] | undefined {
  const colon = reference.indexOf(':');
  const number = reference.slice(0, Math.max(colon, 0));
  return /^[1-9]\d{0,9}$/.test(number) ? [Number(number), reference.slice(colon + 1)] : undefined;
}

/** The link of a record; undefined for one of no chain: where it is kept says whether an older version can have written it. */
export function linkOf({ key, record }: FoundRecord, orgId: string): Link | undefined {
  const [chain, seq, ts, hash] = [record['chain'], record['seq'], record['ts'], record['hash']];
  if (typeof chain !== 'string' || typeof seq !== 'number' || typeof hash !== 'string') return undefined;
  const instant = typeof ts === 'string' ? ts : '';
  const own = recordKeyOf({ org_id: orgId, ts: instant, chain, seq });
  const recorded = textOf(record['org_id']);
  return {
    chain,
    seq,
    ts: instant,
    hash,
    prev: listOf(record['prev']),
    pending: textOf(record['pending']),
    failed: textOf(record['failed']),
    isIntact: hashOf(record) === hash,
    isInPlace: own.pk === key.pk && own.sk === key.sk && (recorded ?? orgId) === orgId,
  };
}

function textOf(value: RecordValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function listOf(value: RecordValue | undefined): readonly string[] {
  return Array.isArray(value) ? value : [];
}
