import { sha256 } from '../../core/documents/document.ts';
import type { ContextCaller, NewDocument } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { canonicalFilters } from '../../core/visibility.ts';
import { NOT_GONE } from '../context-conditions.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { newWrite } from './content.ts';
import { number, text, toPartition } from './rows.ts';

/**
 * What an idempotency key stands for. It is put before anything of the document is, so a create that died half-way is
 * finished under the same id by whoever repeats it.
 */
export type Claim = {
  readonly sortKey: string;
  readonly id: string;
  readonly nowSeconds: number;
  /** SHA-256 over everything that the caller said about the document. */
  readonly fingerprint: string;
  /** The document was deleted since. */
  readonly isGone: boolean;
  /** The document has been there. Claims of earlier versions do not say so. */
  readonly wasMade: boolean;
  /** It is put by this request. */
  readonly isNew: boolean;
};

/** What the sort keys of claims start with. */
export const CLAIM_PREFIX = 'IDEMPOTENCY#';

/** What a create is told whose document was deleted. */
export const GONE = { reason: 'idempotency_conflict', cause: 'gone' } as const;

/** A create that has not come to its end by then never will: no function runs for so long. */
const DEAD_AFTER_SECONDS = 3_600;

/** How long a key is remembered. */
const CLAIM_SECONDS = 86_400;

/** Claims the key for this document, or answers with the claim that stands. */
export async function claimKey(
  table: ContextTable,
  caller: ContextCaller,
  document: NewDocument,
  idempotencyKey: string,
): Promise<Result<Claim, Unavailable>> {
  const key = toClaimKey(caller, idempotencyKey);
  const claim: Claim = {
    sortKey: key.sk,
    id: document.id,
    nowSeconds: document.nowSeconds,
    fingerprint: fingerprintOf(document),
    isGone: false,
    wasMade: false,
    isNew: true,
  };
  const put = await table.putNew({
    pk: { S: key.pk },
    sk: { S: key.sk },
    id: { S: claim.id },
    born_at: { N: String(claim.nowSeconds) },
    fingerprint: { S: claim.fingerprint },
    write: { S: newWrite() },
    expires_at: { N: String(claim.nowSeconds + CLAIM_SECONDS) },
  });
  if (!put.ok) return put;
  if (put.value) return ok(claim);
  const standing = await table.get(key);
  if (!standing.ok) return standing;
  if (standing.value === undefined)
    return err({ reason: 'unavailable', detail: 'context table: the claim expired between two looks' });
  return ok({
    sortKey: key.sk,
    id: text(standing.value, 'id'),
    nowSeconds: number(standing.value, 'born_at'),
    fingerprint: text(standing.value, 'fingerprint'),
    isGone: standing.value['gone'] !== undefined,
    wasMade: standing.value['made']?.BOOL === true,
    isNew: false,
  });
}

/**
 * Says that a create which repeats another is under way by a claim, so that who is about to remove it as one that is over does not. False where it
 * is removed already, or its document was deleted.
 */
export function holdClaim(
  table: ContextTable,
  { orgId, namespace }: ContextCaller,
  { sortKey }: Claim,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  return table.hold({ pk: toPartition(orgId, namespace), sk: sortKey }, newWrite(), nowSeconds);
}

/** Remembers that the claim's document is gone for good, so that a late repetition does not bring it back. */
export async function markGone(
  table: ContextTable,
  pk: string,
  sortKey: string,
): Promise<Result<void, Unavailable>> {
  const marked = await table.mark({ pk, sk: sortKey }, 'gone', { BOOL: true });
  return marked.ok ? ok(undefined) : marked;
}

/** Remembers that the claim's document is there. False where it was deleted before, or the claim went along with its partition. */
export function markMade(
  table: ContextTable,
  pk: string,
  sortKey: string,
): Promise<Result<boolean, Unavailable>> {
  return table.mark({ pk, sk: sortKey }, 'made', { BOOL: true }, NOT_GONE);
}

/** Are the creates over that put a claim or repeated it, whether they came to their ends or not? */
export function isOver(row: Row, nowSeconds: number): boolean {
  const since = number(row, row['held_at'] === undefined ? 'born_at' : 'held_at');
  return row['gone'] !== undefined || since + DEAD_AFTER_SECONDS <= nowSeconds;
}

/** Two creates that say the same have the same fingerprint. */
export function fingerprintOf({ description, content }: NewDocument): string {
  const { filename, contentType, tags, metadata, ttlSeconds } = description;
  const checksum = content === null ? null : sha256(content);
  const lifetime = ttlSeconds === undefined ? [] : [ttlSeconds];
  return sha256(JSON.stringify([filename, contentType, tags, [...metadata], checksum, ...lifetime]));
}

/** One per caller, filters and key. The caller's part is hashed: a key is free text. */
function toClaimKey(caller: ContextCaller, idempotencyKey: string): RowKey {
  const claimed = JSON.stringify([caller.callerKey, canonicalFilters(caller.scopeFilters), idempotencyKey]);
  return { pk: toPartition(caller.orgId, caller.namespace), sk: `${CLAIM_PREFIX}${sha256(claimed)}` };
}
