import type { CheckpointStore, CheckpointWitness } from '../../core/audit/audit-ports.ts';
import {
  type ChainState,
  type Checkpoint,
  checkpointHash,
  openCheckpoint,
  readCheckpoint,
} from '../../core/audit/checkpoint.ts';
import { mayHaveExpired } from '../../core/audit/finding.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { KeySet } from '../../core/signed-token.ts';

/** How many checkpoints back a chain is looked for that may have gone on. */
const RECENT = 10;

/** With one each second an organisation comes so far in thirty years. */
const MAX_NUMBER = 1_000_000_000;

/** What there is of an organisation's checkpoints: the last one, and how far each chain had come that recent ones speak of. */
export type Sealed = {
  /** The newest in the table that can be verified; whoever goes on, goes on where it ends. */
  readonly last: Checkpoint | undefined;
  /** Of the one that the next one names: the newest in the table, or the newest that the issuer knows of. */
  readonly number: number;
  readonly hash: string;
  /** When that one may be gone: 0 where there is none, undefined where nobody knows. */
  readonly expiresAtSeconds: number | undefined;
  readonly keyId: string | undefined;
  readonly isVerified: boolean;
  /** Is the newest one that the issuer knows of not in the table, although it cannot have expired? */
  readonly isLost: boolean;
  /** Is the last one kept outside the table, too? It is not where a run ended between the two. */
  readonly isWitnessed: boolean;
  readonly states: ReadonlyMap<string, string>;
};

/**
 * Reads it. A checkpoint that is not ours is named all the same, so that it stays to be found; nothing that it says is believed. Where the
 * table does not have the newest that the issuer knows of, that one is named: no number is given twice, and what is missing is found for as
 * long as the next one is there.
 */
export async function readSealed(
  { checkpoints, witness }: { readonly checkpoints: CheckpointStore; readonly witness: CheckpointWitness },
  orgId: string,
  { keys, nowSeconds }: { readonly keys: KeySet; readonly nowSeconds: number },
): Promise<Result<Sealed, Unavailable>> {
  // First: what another run writes meanwhile is in the table before it is known outside.
  const witnessed = await witness.read(orgId);
  if (!witnessed.ok) return witnessed;
  const read = await checkpoints.newest(orgId, RECENT);
  if (!read.ok) return read;
  const [newest] = read.value;
  const known = witnessed.value;
  for (const one of [newest, known]) {
    if (one !== undefined && !(one.number >= 1 && one.number < MAX_NUMBER)) {
      return err({ reason: 'unavailable', detail: `no checkpoint has the number ${one.number}` });
    }
  }
  const opened = newest === undefined ? undefined : openCheckpoint(newest.jws, keys);
  const isVerified =
    opened?.ok === true && opened.value.number === newest?.number && opened.value.orgId === orgId;
  const states = new Map<string, string>();
  for (const { jws } of isVerified ? read.value.toReversed() : []) {
    for (const state of readCheckpoint(jws)?.checkpoint.chains ?? []) states.set(...toEntry(state));
  }
  const last = isVerified && opened?.ok === true ? opened.value : undefined;
  const found: Sealed = {
    last,
    number: newest?.number ?? 0,
    hash: newest === undefined ? '' : checkpointHash(newest.jws),
    expiresAtSeconds: newest === undefined ? 0 : last?.expiresAtSeconds,
    keyId: newest === undefined ? undefined : readCheckpoint(newest.jws)?.keyId,
    isVerified: newest === undefined || isVerified,
    isLost: false,
    isWitnessed: (last?.number ?? 0) <= (known?.number ?? 0),
    states,
  };
  const isThere =
    known === undefined ||
    known.number < found.number ||
    (known.number === found.number && known.hash === found.hash);
  if (isThere) return ok(found);
  // Nobody has looked at it in this run: whatever is put back there has to hold by its own signature.
  const isLost = !mayHaveExpired(known.expiresAtSeconds, nowSeconds);
  return ok({ ...found, ...known, isVerified: false, isLost });
}

/** A state by its chain, as {@link Sealed} has it. */
export function toEntry(state: ChainState): [string, string] {
  return [state.chain, textOf(state)];
}

/** A state in one text, to compare it by. */
export function textOf({ seq, tips }: ChainState): string {
  return `${seq} ${tips.join(' ')}`;
}
