import type { AuditQuery } from '../../core/audit/query.ts';
import type { Sealer } from '../../core/seal.ts';

/** Where a reader goes on, for the same caller alone. */
export type AuditCursor = { readonly query: AuditQuery & { readonly orgId: string }; readonly at: string };

/** Who does not come back for so long asks again. */
const LIFETIME_MS = 900_000;

/** A cursor as the caller gets it: sealed to that caller, with the query in it. `nonce` is 12 random bytes. */
export function sealCursor(
  sealer: Sealer,
  callerKey: string,
  cursor: AuditCursor,
  now: { readonly ms: number; readonly nonce: Uint8Array },
): string {
  const text = JSON.stringify({ ...cursor, endsAtMs: now.ms + LIFETIME_MS });
  return sealer.seal('cursor', contextOf(callerKey), text, now.nonce);
}

/** What a cursor of ours says; undefined where it is none, another caller's, or too old. */
export function openCursor(
  sealer: Sealer,
  callerKey: string,
  sealed: string,
  nowMs: number,
): AuditCursor | undefined {
  const text = sealer.open('cursor', contextOf(callerKey), sealed);
  if (text === undefined) return undefined;
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: we sealed it ourselves, and for this purpose
  const { endsAtMs, query, at } = JSON.parse(text) as AuditCursor & { readonly endsAtMs: number };
  return nowMs < endsAtMs ? { query, at } : undefined;
}

/** A cursor of the context store is sealed for the same purpose, to the same caller. */
function contextOf(callerKey: string): string {
  return JSON.stringify(['audit', callerKey]);
}
