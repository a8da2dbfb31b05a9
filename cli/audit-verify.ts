import type { CheckpointName, StoredCheckpoint, Witness } from '../functions/core/audit/audit-ports.ts';
import { type Checkpoint, checkpointHash, readCheckpoint } from '../functions/core/audit/checkpoint.ts';
import type { Finding } from '../functions/core/audit/finding.ts';
import { AuditVerifier, HISTORY_MS, type Verification } from '../functions/core/audit/verify.ts';
import {
  checkBegin,
  checkKnown,
  checkWitness,
  mayBeGone,
  verifyCheckpoints,
} from '../functions/core/audit/verify-checkpoints.ts';
import { ok, type Result } from '../functions/core/result.ts';
import type { AuditDoor } from './audit-door.ts';
import type { Failure } from './outcome.ts';

/** A record is written within seconds of its instant. Of the last ones, some may be there and others not yet: they are left out. */
const SETTLE_MS = 10_000;

/** What was verified of whose log. */
export type VerifiedLog = {
  readonly orgId: string;
  readonly verification: Verification;
  /** The newest checkpoint that holds, to name it the next time. */
  readonly newest: CheckpointName | undefined;
};

/** Reads the name of a checkpoint that somebody has seen, `number:hash`; undefined for what is none. */
export function readCheckpointName(text: string): CheckpointName | undefined {
  const [, number, hash] = /^([1-9]\d{0,8}):([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return number === undefined || hash === undefined ? undefined : { number: Number(number), hash };
}

/**
 * Verifies an audit log from an instant on, here: of the gateway it takes records, checkpoints and the published keys, and none of its
 * conclusions. `after`: a checkpoint that there was, and that has to be there. `now` is in milliseconds.
 */
export async function verifyLog(
  door: AuditDoor,
  org: string | undefined,
  { since, after }: { readonly since: string; readonly after: CheckpointName | undefined },
  now: () => number,
): Promise<Result<VerifiedLog, Failure>> {
  const keys = await door.keys();
  if (!keys.ok) return keys;
  const loaded = await loadCheckpoints(door, org, {
    back: new Date(Date.parse(since) - HISTORY_MS).toISOString(),
    number: after?.number ?? Number.POSITIVE_INFINITY,
  });
  if (!loaded.ok) return loaded;
  const { orgId, stored, isComplete, witness } = loaded.value;
  const nowSeconds = Math.floor(now() / 1000);
  const until = new Date(now() - SETTLE_MS).toISOString();
  const verified = verifyCheckpoints(stored, { orgId, keys: keys.value, nowSeconds });
  const settled = verified.checkpoints.filter(({ through }) => through <= until);
  const begin = isComplete ? checkBegin(verified.checkpoints[0], stored, nowSeconds) : [];
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
  const known = after === undefined ? [] : checkKnown(stored, after);
  const holes = [...checkWitness(stored, witness, nowSeconds), ...known, ...begin, ...verified.findings];
  const unknown = holes.length > 0 ? [] : checkFrom(settled[0], verification, since, nowSeconds);
  const findings = [...holes, ...unknown, ...verification.findings];
  const last = verified.checkpoints.at(-1)?.number;
  const newest = stored.find(({ number }) => number === last);
  return ok({
    orgId,
    verification: { ...verification, findings },
    newest: newest && { number: newest.number, hash: checkpointHash(newest.jws) },
  });
}

/** Were records verified from later on than was asked for, although nothing can have expired? */
function checkFrom(
  oldest: Checkpoint | undefined,
  { verifiedFrom }: Verification,
  since: string,
  nowSeconds: number,
): readonly Finding[] {
  if (oldest === undefined || verifiedFrom <= since || mayBeGone(oldest, nowSeconds)) return [];
  const detail = `records before ${verifiedFrom} could not be verified: no checkpoint is left from before them`;
  return [{ kind: 'unsealed', number: oldest.number, detail }];
}

type LoadedCheckpoints = {
  readonly orgId: string;
  readonly stored: readonly StoredCheckpoint[];
  /** Are there no older ones? */
  readonly isComplete: boolean;
  readonly witness: Witness | undefined;
};

/** Checkpoints, newest first, back to one of an instant before this one, to a number, and to the one that the witness names. */
async function loadCheckpoints(
  door: AuditDoor,
  org: string | undefined,
  { back, number }: { readonly back: string; readonly number: number },
): Promise<Result<LoadedCheckpoints, Failure>> {
  const stored: StoredCheckpoint[] = [];
  let before: number | undefined;
  let witness: Witness | undefined;
  for (;;) {
    const page = await door.checkpoints(org, before);
    if (!page.ok) return page;
    const { orgId, checkpoints, isAll } = page.value;
    // That of a later page may name one that was made after the first one was read.
    if (before === undefined) witness = page.value.witness;
    stored.push(...checkpoints);
    const oldest = checkpoints.at(-1);
    if (isAll || oldest === undefined) return ok({ orgId, stored, isComplete: true, witness });
    const through = readCheckpoint(oldest.jws)?.checkpoint.through;
    const isBack = through !== undefined && through < back;
    if (isBack && oldest.number <= Math.min(number, witness?.number ?? number)) {
      return ok({ orgId, stored, isComplete: false, witness });
    }
    before = oldest.number;
  }
}
