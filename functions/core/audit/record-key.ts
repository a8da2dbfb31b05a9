import { NO_ORG } from '../open-client.ts';
import type { ChainedRecord } from './chain.ts';

/** DynamoDB takes 1,000 writes a second of one partition; with these an organisation has as many times that. */
export const SHARDS = 8;

/** Where a record is kept: `RECORD#{org}#{day}#{shard}` and, in the order of time, `{instant}#{chain}#{seq}`. */
export type RecordKey = { readonly pk: string; readonly sk: string };

/** The partition of one organisation's records of one day (UTC, `2026-11-21`) and shard. */
export function partitionOf(orgId: string, day: string, shard: number): string {
  return `RECORD#${orgId}#${day}#${shard}`;
}

/**
 * Every partition that may have records of one organisation and day. Before there were chains it was one, `{org}#{day}`; what is in it
 * belongs to no chain.
 */
export function partitionsOf(orgId: string, day: string): readonly string[] {
  const shards = Array.from({ length: SHARDS }, (_, shard) => partitionOf(orgId, day, shard));
  return [...shards, unchainedPartitionOf(orgId, day)];
}

/** The partition of one organisation and day from before there were chains, and the only one that may have records of none. */
export function unchainedPartitionOf(orgId: string, day: string): string {
  return `${orgId}#${day}`;
}

/** The key of a record: it follows from what the hash is over, so a record that was moved is found. */
export function recordKeyOf({
  org_id: orgId = NO_ORG,
  ts,
  chain,
  seq,
}: Pick<ChainedRecord, 'ts' | 'chain' | 'seq'> & { readonly org_id?: string }): RecordKey {
  return {
    pk: partitionOf(orgId, ts.slice(0, 10), shardOf(chain)),
    sk: `${ts}#${chain}#${String(seq).padStart(10, '0')}`,
  };
}

/** All records of a chain are in one shard. */
function shardOf(chain: string): number {
  let sum = 0;
  for (const character of chain) sum += character.charCodeAt(0);
  return sum % SHARDS;
}
