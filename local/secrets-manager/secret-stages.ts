import { AwsError } from '../endpoint/aws-call.ts';
import type { StoredSecret, StoredVersion } from './secret-store.ts';

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

/**
 * Adds a version under stages, each of which leaves the version that had it; AWSCURRENT leaves AWSPREVIOUS behind. The first
 * version is always AWSCURRENT. The same id with the same value changes nothing; with another one it is refused.
 */
export function addVersion(
  secret: StoredSecret,
  version: Omit<StoredVersion, 'stages'>,
  stages: readonly string[],
): StoredSecret {
  const known = secret.versions.find(({ id }) => id === version.id);
  if (known !== undefined) {
    if (JSON.stringify(known.value) === JSON.stringify(version.value)) return secret;
    const message = `You can't use ClientRequestToken ${version.id} because that value is already in use for a version of this secret.`;
    throw new AwsError('ResourceExistsException', message);
  }
  const all = secret.versions.length === 0 ? [...new Set([...stages, CURRENT])] : stages;
  const added = { ...secret, versions: [...secret.versions, { ...version, stages: [] }] };
  return all.reduce<StoredSecret>((moved, stage) => moveStage(moved, stage, version.id), added);
}

/** Moves one stage to a version, away from the one that has it. */
export function moveStage(secret: StoredSecret, stage: string, toId: string | undefined): StoredSecret {
  const fromId = holderOf(secret, stage)?.id;
  if (fromId === toId) return secret;
  const versions = secret.versions.map((version) => {
    const rest = version.stages.filter((one) => one !== stage);
    return { ...version, stages: version.id === toId ? [...rest, stage] : rest };
  });
  const moved = { ...secret, versions };
  return stage === CURRENT && fromId !== undefined && toId !== undefined
    ? moveStage(moved, PREVIOUS, fromId)
    : moved;
}

/** The version that has a stage. */
export function holderOf(secret: StoredSecret, stage: string): StoredVersion | undefined {
  return secret.versions.find(({ stages }) => stages.includes(stage));
}

/** `UpdateSecretVersionStage`: the version that loses a stage must be named, and AWSCURRENT can only move. */
export function updateStage(
  secret: StoredSecret,
  stage: string,
  fromId: string | undefined,
  toId: string | undefined,
): StoredSecret {
  const holder = holderOf(secret, stage)?.id;
  const invalid = (message: string) => new AwsError('InvalidParameterException', message);
  for (const id of [fromId, toId]) {
    if (id !== undefined && !secret.versions.some((version) => version.id === id)) {
      throw new AwsError('ResourceNotFoundException', `Secrets Manager can't find the secret version ${id}.`);
    }
  }
  if (holder !== undefined && holder !== toId && fromId !== holder) {
    throw invalid(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (holder === undefined && fromId !== undefined) {
    throw invalid(`Staging label ${stage} is not attached to version ${fromId}.`);
  }
  if (toId === undefined && stage === CURRENT)
    throw invalid(`You can't remove the staging label ${CURRENT}.`);
  return moveStage(secret, stage, toId);
}
