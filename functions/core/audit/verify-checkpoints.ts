import type { KeySet } from '../signed-token.ts';
import type { CheckpointName, StoredCheckpoint, Witness } from './audit-ports.ts';
import { type Checkpoint, checkpointHash, openCheckpoint, readCheckpoint } from './checkpoint.ts';
import { type Finding, mayHaveExpired } from './finding.ts';

/** The checkpoints of an organisation that hold, oldest first, and what is wrong with the others. */
export type VerifiedCheckpoints = {
  readonly checkpoints: readonly Checkpoint[];
  readonly findings: readonly Finding[];
};

/**
 * Verifies checkpoints, given newest first. The newest is one of a key that is accepted now; every older one is what the next newer one
 * names, and so holds although its own key may have been retired since. One may be missing only when it could have expired: what names
 * the next older one says when; below what is no checkpoint of the issuer's, the expiry of the next older one that is one does.
 */
export function verifyCheckpoints(
  stored: readonly StoredCheckpoint[],
  expected: { readonly orgId: string; readonly keys: KeySet; readonly nowSeconds: number },
): VerifiedCheckpoints {
  const findings: Finding[] = [];
  const held: Checkpoint[] = [];
  let newer: Checkpoint | undefined;
  // Behind one that the issuer could not verify (its key was retired at once) the hashes go on, and vouch for nothing.
  let isVouched = true;
  // Below what does not hold: its number, and the numbers that are missing there.
  let below: number | undefined;
  let gaps: number[] = [];
  for (const { number, jws } of stored) {
    if (newer !== undefined && number < newer.number - 1) {
      if (!mayBeGone(newer, expected.nowSeconds)) findings.push(missing(newer.number - 1));
      newer = undefined;
    }
    if (below !== undefined && number < below - 1) gaps.push(below - 1);
    below = number;
    const checked: Checkpoint | string = newer === undefined ? opened(jws, expected.keys) : named(jws, newer);
    if (typeof checked === 'string') {
      findings.push({ kind: 'checkpoint', number, detail: checked });
      newer = undefined;
    } else if (checked.number !== number || checked.orgId !== expected.orgId) {
      findings.push({ kind: 'checkpoint', number, detail: 'it is another checkpoint, put in this place' });
      newer = undefined;
    } else {
      const isVerified = newer === undefined || newer.isPrevVerified;
      if (isVouched && newer !== undefined && !isVerified) findings.push(unverified(number, newer));
      isVouched = (isVouched && isVerified) || newer === undefined || openCheckpoint(jws, expected.keys).ok;
      if (isVouched) held.push(checked);
      newer = checked;
      if (!mayHaveExpired(checked.expiresAtSeconds, expected.nowSeconds)) findings.push(...gaps.map(missing));
      gaps = [];
      below = undefined;
    }
  }
  return { checkpoints: held.toReversed(), findings };
}

/**
 * Is what came before the oldest checkpoint that holds there for certain, so that its absence is a finding? What is `stored` and does not hold is
 * not absent: verifying found it.
 */
export function checkBegin(
  oldest: Checkpoint | undefined,
  stored: readonly StoredCheckpoint[],
  nowSeconds: number,
): readonly Finding[] {
  if (oldest === undefined || oldest.number === 1 || mayBeGone(oldest, nowSeconds)) return [];
  if (stored.some(({ number }) => number === oldest.number - 1)) return [];
  return [missing(oldest.number - 1)];
}

/** Is a checkpoint still there of which it is known that it was? */
export function checkKnown(
  stored: readonly StoredCheckpoint[],
  { number, hash }: CheckpointName,
): readonly Finding[] {
  const found = stored.find((one) => one.number === number);
  if (found !== undefined && checkpointHash(found.jws) === hash) return [];
  const detail = found === undefined ? 'it is not there any more' : 'it is not the one that was there';
  return [{ kind: 'checkpoint', number, detail }];
}

/** The same of the newest one that the issuer knows of. Without a witness, or where it may have expired, nothing is said. */
export function checkWitness(
  stored: readonly StoredCheckpoint[],
  witness: Witness | undefined,
  nowSeconds: number,
): readonly Finding[] {
  if (witness === undefined || mayHaveExpired(witness.expiresAtSeconds, nowSeconds)) return [];
  return checkKnown(stored, witness).map((finding) => ({
    ...finding,
    detail: `${finding.detail}: the issuer knows of it as its newest`,
  }));
}

function opened(jws: string, keys: KeySet): Checkpoint | string {
  const result = openCheckpoint(jws, keys);
  return result.ok ? result.value : `it is not signed by a key that is published: ${result.error}`;
}

function named(jws: string, newer: Checkpoint): Checkpoint | string {
  if (checkpointHash(jws) !== newer.prev) return `it was changed: checkpoint ${newer.number} names another`;
  return readCheckpoint(jws)?.checkpoint ?? 'it cannot be read';
}

function unverified(number: number, newer: Checkpoint): Finding {
  const detail = `the issuer could not verify it when it signed checkpoint ${newer.number}`;
  return { kind: 'checkpoint', number, detail: `${detail}: nothing vouches for it, nor for those before it` };
}

/** May the checkpoint before this one be gone, as this one says? */
export function mayBeGone({ prevExpiresAtSeconds }: Checkpoint, nowSeconds: number): boolean {
  return mayHaveExpired(prevExpiresAtSeconds, nowSeconds);
}

function missing(number: number): Finding {
  return { kind: 'checkpoint', number, detail: 'it was removed, and perhaps others before it' };
}
