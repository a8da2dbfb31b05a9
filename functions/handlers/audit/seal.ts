import type { CheckpointStore, CheckpointWitness, Witness } from '../../core/audit/audit-ports.ts';
import {
  CHECKPOINT_TYPE,
  type ChainState,
  type Checkpoint,
  checkpointHash,
  checkpointPayload,
  HEARTBEAT_MS,
  MAX_CHAINS,
} from '../../core/audit/checkpoint.ts';
import { signingInputOf } from '../../core/compact-jws.ts';
import type { Conflict, SigningKey, Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import { type Sealed, toEntry } from './sealed.ts';

/** What writing checkpoints needs. */
export type SealPorts = {
  readonly checkpoints: CheckpointStore;
  readonly witness: CheckpointWitness;
  readonly signingKey: SigningKey;
  readonly retentionDays: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

const DAY_SECONDS = 86_400;
/** Checkpoints outlive what they cover by so much, unless that was to be kept for longer when it was written. */
const EXTRA_DAYS = 30;

/** Writes what is to be said of one stretch of time: nothing, one checkpoint, or several where there are many chains. */
export async function seal(
  ports: SealPorts,
  orgId: string,
  before: Sealed,
  stretch: {
    readonly moved: readonly ChainState[];
    readonly fromMs: number;
    readonly throughMs: number;
  },
): Promise<Result<Sealed, Unavailable | Conflict>> {
  const { moved, fromMs, throughMs } = stretch;
  const key = await ports.signingKey.publicKey();
  if (!key.ok) return key;
  // Also where nothing happens: of what cannot be verified, or is missed, a signed one tells for longer than the log of a run.
  const isDue =
    !before.isVerified ||
    (before.last !== undefined &&
      (throughMs - Date.parse(before.last.through) >= HEARTBEAT_MS || before.keyId !== key.value.keyId));
  if (moved.length === 0 && !isDue) return ok(before);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const expiresAtSeconds = nowSeconds + (ports.retentionDays + EXTRA_DAYS) * DAY_SECONDS;
  let sealed = before;
  for (let at = 0; at === 0 || at < moved.length; at += MAX_CHAINS) {
    const isLast = at + MAX_CHAINS >= moved.length;
    const checkpoint: Checkpoint = {
      orgId,
      number: sealed.number + 1,
      prev: sealed.hash,
      isPrevVerified: sealed.isVerified,
      // Of one that cannot be verified nothing is believed: it is missed for as long as this one.
      prevExpiresAtSeconds: sealed.expiresAtSeconds ?? expiresAtSeconds,
      signedAtSeconds: nowSeconds,
      through: new Date(isLast ? throughMs : fromMs).toISOString(),
      expiresAtSeconds,
      chains: moved.slice(at, at + MAX_CHAINS),
    };
    const written = await write(ports, checkpoint, key.value.keyId);
    if (!written.ok) return written;
    sealed = {
      last: checkpoint,
      number: checkpoint.number,
      hash: written.value,
      expiresAtSeconds,
      keyId: key.value.keyId,
      isVerified: true,
      lost: undefined,
      unwitnessed: undefined,
      states: new Map([...sealed.states, ...checkpoint.chains.map(toEntry)]),
    };
  }
  return ok(sealed);
}

/** Writes one, and tells of it outside the table; gives its hash. */
async function write(
  ports: SealPorts,
  checkpoint: Checkpoint,
  keyId: string,
): Promise<Result<string, Unavailable | Conflict>> {
  const signingInput = signingInputOf(CHECKPOINT_TYPE, keyId, checkpointPayload(checkpoint));
  const signature = await ports.signingKey.sign(signingInput, keyId);
  if (!signature.ok) return signature;
  const jws = `${signingInput}.${signature.value}`;
  const { orgId, number, expiresAtSeconds } = checkpoint;
  const created = await ports.checkpoints.create(orgId, { number, jws }, expiresAtSeconds);
  if (!created.ok) return created;
  const hash = checkpointHash(jws);
  const kept = await tellOf(ports, orgId, { number, hash, expiresAtSeconds });
  return kept.ok ? ok(hash) : kept;
}

/** Logs the name of a checkpoint and keeps it: whoever can write to the table cannot take back that there was this one. */
export function tellOf(
  { log, witness }: Pick<SealPorts, 'log' | 'witness'>,
  orgId: string,
  name: Witness,
): Promise<Result<void, Unavailable>> {
  const { number, hash } = name;
  log({ level: 'info', event: 'checkpoint_written', org_id: orgId, number, hash });
  return witness.keep(orgId, name);
}
