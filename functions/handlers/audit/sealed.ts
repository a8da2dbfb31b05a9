import type { CheckpointStore } from '../../core/audit/audit-ports.ts';
import {
  type ChainState,
  type Checkpoint,
  checkpointHash,
  openCheckpoint,
  readCheckpoint,
} from '../../core/audit/checkpoint.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { KeySet } from '../../core/signed-token.ts';

/** How many checkpoints back a chain is looked for that may have gone on. */
const RECENT = 10;

/** With one each second an organisation comes so far in thirty years. */
const MAX_NUMBER = 1_000_000_000;

/** What there is of an organisation's checkpoints: the last one, and how far each chain had come that recent ones speak of. */
export type Sealed = {
  readonly last: Checkpoint | undefined;
  readonly number: number;
  readonly hash: string;
  readonly keyId: string | undefined;
  readonly isVerified: boolean;
  readonly states: ReadonlyMap<string, string>;
};

/**
 * Reads it. A checkpoint that is not ours is named all the same, so that it stays to be found; nothing that it says is believed.
 */
export async function readSealed(
  checkpoints: CheckpointStore,
  orgId: string,
  keys: KeySet,
): Promise<Result<Sealed, Unavailable>> {
  const read = await checkpoints.newest(orgId, RECENT);
  if (!read.ok) return read;
  const [newest] = read.value;
  if (newest !== undefined && !(newest.number >= 1 && newest.number < MAX_NUMBER)) {
    return err({ reason: 'unavailable', detail: `no checkpoint has the number ${newest.number}` });
  }
  const opened = newest === undefined ? undefined : openCheckpoint(newest.jws, keys);
  const isVerified =
    opened?.ok === true && opened.value.number === newest?.number && opened.value.orgId === orgId;
  const states = new Map<string, string>();
  for (const { jws } of isVerified ? read.value.toReversed() : []) {
    for (const state of readCheckpoint(jws)?.checkpoint.chains ?? []) states.set(...toEntry(state));
  }
  return ok({
    last: isVerified && opened?.ok === true ? opened.value : undefined,
    number: newest?.number ?? 0,
    hash: newest === undefined ? '' : checkpointHash(newest.jws),
    keyId: newest === undefined ? undefined : readCheckpoint(newest.jws)?.keyId,
    isVerified: newest === undefined || isVerified,
    states,
  });
}

/** A state by its chain, as {@link Sealed} has it. */
export function toEntry(state: ChainState): [string, string] {
  return [state.chain, textOf(state)];
}

/** A state in one text, to compare it by. */
export function textOf({ seq, tips }: ChainState): string {
  return `${seq} ${tips.join(' ')}`;
}
