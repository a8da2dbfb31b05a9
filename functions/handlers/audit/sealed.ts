import type {
  CheckpointStore,
  CheckpointWitness,
  StoredCheckpoint,
  Witness,
} from '../../core/audit/audit-ports.ts';
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

/**
 * How many checkpoints back a chain is looked for that may have gone on, and how far above the newest that the issuer knows of what is none
 * of its own may be: every number above it is given up, and they come to an end.
 */
const RECENT = 10;

/** With one each second an organisation comes so far in thirty years. */
const MAX_NUMBER = 1_000_000_000;

/** Where nothing is known, what is none of ours takes no more than half of the numbers. */
const MAX_UNKNOWN = MAX_NUMBER / 2;

/** What there is of an organisation's checkpoints: the last one, and how far each chain had come that recent ones speak of. */
export type Sealed = {
  /** The newest of the recent ones that can be verified; whoever goes on, goes on where it ends. */
  readonly last: Checkpoint | undefined;
  /** Of the one that the next one names: the newest in the table, or the newest that the issuer knows of. */
  readonly number: number;
  readonly hash: string;
  /** When that one may be gone: 0 where there is none, undefined where nobody knows. */
  readonly expiresAtSeconds: number | undefined;
  readonly keyId: string | undefined;
  readonly isVerified: boolean;
  /** The newest one that the issuer knows of, where it is not in the table although it cannot have expired. */
  readonly lost: Witness | undefined;
  /** The last one where it is not kept outside the table, too: a run ended between the two, or did not learn that it had written it. */
  readonly unwitnessed: Witness | undefined;
  readonly states: ReadonlyMap<string, string>;
};

/**
 * Reads it. A checkpoint that is not ours is named all the same, so that it stays to be found; nothing that it says is believed, and where
 * its number is far above those of ours that is unavailable. Where the table does not have the newest that the issuer knows of, that one
 * is named unless something of a higher number is there: no number is given twice, and what is missing is found for as long as the next
 * one is there.
 */
export async function readSealed(
  { checkpoints, witness }: { readonly checkpoints: CheckpointStore; readonly witness: CheckpointWitness },
  orgId: string,
  { keys, nowSeconds }: { readonly keys: KeySet; readonly nowSeconds: number },
): Promise<Result<Sealed, Unavailable>> {
  // First: what another run writes meanwhile is in the table before it is known outside.
  const witnessed = await witness.read(orgId);
  if (!witnessed.ok) return witnessed;
  const read = await readRecent(checkpoints, orgId);
  if (!read.ok) return read;
  const [newest] = read.value;
  const known = witnessed.value;
  for (const one of [newest, known]) {
    if (one !== undefined && !(one.number >= 1 && one.number < MAX_NUMBER)) {
      return err({ reason: 'unavailable', detail: `no checkpoint has the number ${one.number}` });
    }
  }
  const own = findOwn(read.value, orgId, keys);
  const last = own?.checkpoint;
  const isVerified = newest === undefined || own?.at === 0;
  const highest = known === undefined ? MAX_UNKNOWN : known.number + RECENT;
  if (newest !== undefined && !isVerified && newest.number > highest) {
    const detail = `what is no checkpoint of the issuer's has the number ${newest.number}, too far above those that are`;
    return err({ reason: 'unavailable', detail });
  }
  const states = new Map<string, string>();
  for (const { jws } of own === undefined ? [] : read.value.slice(own.at).toReversed()) {
    for (const state of readCheckpoint(jws)?.checkpoint.chains ?? []) states.set(...toEntry(state));
  }
  const found: Sealed = {
    last,
    number: newest?.number ?? 0,
    hash: newest === undefined ? '' : checkpointHash(newest.jws),
    expiresAtSeconds: isVerified ? (last?.expiresAtSeconds ?? 0) : undefined,
    keyId: newest === undefined ? undefined : readCheckpoint(newest.jws)?.keyId,
    isVerified,
    lost: undefined,
    unwitnessed: own !== undefined && own.name.number > (known?.number ?? 0) ? own.name : undefined,
    states,
  };
  const isThere =
    known === undefined ||
    (isVerified && known.number < found.number) ||
    read.value.some(({ number, jws }) => number === known.number && checkpointHash(jws) === known.hash);
  if (isThere) return ok(found);
  const lost = mayHaveExpired(known.expiresAtSeconds, nowSeconds) ? undefined : known;
  if (known.number < found.number) return ok({ ...found, lost });
  // Nobody has looked at it in this run: whatever is put back there has to hold by its own signature.
  return ok({ ...found, ...known, isVerified: false, lost });
}

/** The recent ones, newest first: so many that the one that the issuer knows of is among them, whatever may be above it. */
async function readRecent(
  checkpoints: CheckpointStore,
  orgId: string,
): Promise<Result<readonly StoredCheckpoint[], Unavailable>> {
  const recent: StoredCheckpoint[] = [];
  for (;;) {
    const page = await checkpoints.newest(orgId, RECENT + 1 - recent.length, recent.at(-1)?.number);
    if (!page.ok) return page;
    recent.push(...page.value.checkpoints);
    if (page.value.isAll || recent.length > RECENT || page.value.checkpoints.length === 0) return ok(recent);
  }
}

/** The newest that one of our keys signed for this place, which of these that is, and its name. */
function findOwn(
  stored: readonly StoredCheckpoint[],
  orgId: string,
  keys: KeySet,
): { readonly at: number; readonly checkpoint: Checkpoint; readonly name: Witness } | undefined {
  for (const [at, { number, jws }] of stored.entries()) {
    const opened = openCheckpoint(jws, keys);
    if (!opened.ok || opened.value.number !== number || opened.value.orgId !== orgId) continue;
    const { expiresAtSeconds } = opened.value;
    return { at, checkpoint: opened.value, name: { number, hash: checkpointHash(jws), expiresAtSeconds } };
  }
  return undefined;
}

/** A state by its chain, as {@link Sealed} has it. */
export function toEntry(state: ChainState): [string, string] {
  return [state.chain, textOf(state)];
}

/** A state in one text, to compare it by. */
export function textOf({ seq, tips }: ChainState): string {
  return `${seq} ${tips.join(' ')}`;
}
