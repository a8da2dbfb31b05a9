import type { StoredCheckpoint } from '../functions/core/audit/audit-ports.ts';
import { readCheckpoint } from '../functions/core/audit/checkpoint.ts';
import { AuditVerifier, HISTORY_MS, type Verification } from '../functions/core/audit/verify.ts';
import { checkBegin, verifyCheckpoints } from '../functions/core/audit/verify-checkpoints.ts';
import { ok, type Result } from '../functions/core/result.ts';
import type { AuditDoor } from './audit-door.ts';
import type { Failure } from './outcome.ts';

/** A record is written within seconds of its instant. Of the last ones, some may be there and others not yet: they are left out. */
const SETTLE_MS = 10_000;

/** What was verified of whose log. */
export type VerifiedLog = { readonly orgId: string; readonly verification: Verification };

/**
 * Verifies an audit log from an instant on, here: of the gateway it takes records, checkpoints and the published keys, and none of its
 * conclusions. `now` is in milliseconds.
 */
export async function verifyLog(
  door: AuditDoor,
  org: string | undefined,
  since: string,
  now: () => number,
): Promise<Result<VerifiedLog, Failure>> {
  const keys = await door.keys();
  if (!keys.ok) return keys;
  const loaded = await loadCheckpoints(door, org, new Date(Date.parse(since) - HISTORY_MS).toISOString());
  if (!loaded.ok) return loaded;
  const { orgId, stored, isComplete } = loaded.value;
  const nowSeconds = Math.floor(now() / 1000);
  const until = new Date(now() - SETTLE_MS).toISOString();
  const verified = verifyCheckpoints(stored, { orgId, keys: keys.value, nowSeconds });
  const settled = verified.checkpoints.filter(({ through }) => through <= until);
  const begin = isComplete ? checkBegin(verified.checkpoints[0], nowSeconds) : [];
  const verifier = new AuditVerifier(orgId, settled, since);
  let query: Readonly<Record<string, string>> = {
    org: orgId,
    since: verifier.readFrom,
    until,
    limit: '1000',
  };
  for (;;) {
    const page = await door.records(query);
    if (!page.ok) return page;
    for (const found of page.value.records) verifier.add(found);
    if (page.value.isAll || page.value.next === undefined) break;
    query = { cursor: page.value.next };
  }
  const verification = verifier.finish(now());
  const findings = [...begin, ...verified.findings, ...verification.findings];
  return ok({ orgId, verification: { ...verification, findings } });
}

/** Checkpoints, newest first, back to one of an instant before this one; `isComplete` where there are no older ones. */
async function loadCheckpoints(
  door: AuditDoor,
  org: string | undefined,
  back: string,
): Promise<
  Result<
    { readonly orgId: string; readonly stored: readonly StoredCheckpoint[]; readonly isComplete: boolean },
    Failure
  >
> {
  const stored: StoredCheckpoint[] = [];
  let before: number | undefined;
  for (;;) {
    const page = await door.checkpoints(org, before);
    if (!page.ok) return page;
    const { orgId, checkpoints, isAll } = page.value;
    stored.push(...checkpoints);
    const oldest = checkpoints.at(-1);
    if (isAll || oldest === undefined) return ok({ orgId, stored, isComplete: true });
    const through = readCheckpoint(oldest.jws)?.checkpoint.through;
    if (through !== undefined && through < back) return ok({ orgId, stored, isComplete: false });
    before = oldest.number;
  }
}
