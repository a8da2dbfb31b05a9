import { createHash } from 'node:crypto';
import { parseJwsObject, splitCompactJws, stringList, wholeSeconds } from '../compact-jws.ts';
import { isJsonArray, type Json, type JsonObject, stringMember } from '../json.ts';
import { err, ok, type Result } from '../result.ts';
import { type KeySet, openSignedToken, type TokenRefusal } from '../signed-token.ts';
import type { RecordValue } from './chain.ts';
import { isRecordNumber, readReference } from './link.ts';

/** The `typ` of a checkpoint: what verifies tokens takes none of another, and what verifies checkpoints takes no token (RFC 8725 §3.11). */
export const CHECKPOINT_TYPE = 'audit-checkpoint+jwt';

/** As `Date.toISOString` writes it: instants of this form sort as they follow one another. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** An item of DynamoDB has 400 KB at most. */
const MAX_CHECKPOINT_BYTES = 350_000;

/** The most chains of one checkpoint: what they take is well below that. */
export const MAX_CHAINS = 1_000;

/** What was written late, and before the last checkpoint's end, is looked for so far back by the next one. */
export const LATE_MS = 120_000;

/** Where nothing happens, a checkpoint says so this often: a reader knows that none is missing at the end. */
export const HEARTBEAT_MS = 3_600_000;

/** How far a chain had come: its highest number, and, as `seq:hash`, the records that no other one named. Those name all before them. */
export type ChainState = {
  readonly chain: string;
  readonly seq: number;
  readonly tips: readonly string[];
  /** The last of the records that were looked at may be gone then. */
  readonly expiresAtSeconds: number;
};

/** What the issuer has signed about the records of one organisation. Instants are ISO 8601, times epoch seconds. */
export type Checkpoint = {
  readonly orgId: string;
  readonly number: number;
  /** The hash of the checkpoint before; empty for the first. */
  readonly prev: string;
  /** Could the issuer verify the checkpoint before when it signed this one? */
  readonly isPrevVerified: boolean;
  /** When the checkpoint before may be gone; 0 for the first. */
  readonly prevExpiresAtSeconds: number;
  readonly signedAtSeconds: number;
  /** It covers every record before this instant that had been written then. */
  readonly through: string;
  readonly expiresAtSeconds: number;
  /** The chains that went on since the checkpoint before. */
  readonly chains: readonly ChainState[];
};

/** The hash by which the next checkpoint names this one. */
export function checkpointHash(jws: string): string {
  return createHash('sha256').update(jws).digest('base64url');
}

/** The payload of a checkpoint. */
export function checkpointPayload(checkpoint: Checkpoint): Readonly<Record<string, unknown>> {
  return {
    org_id: checkpoint.orgId,
    number: checkpoint.number,
    prev: checkpoint.prev,
    prev_verified: checkpoint.isPrevVerified,
    prev_expires_at: checkpoint.prevExpiresAtSeconds,
    iat: checkpoint.signedAtSeconds,
    through: checkpoint.through,
    expires_at: checkpoint.expiresAtSeconds,
    chains: checkpoint.chains.map(({ chain, seq, tips, expiresAtSeconds }) => [
      chain,
      seq,
      tips,
      expiresAtSeconds,
    ]),
  };
}

/** A checkpoint that one of our keys signed, and the id of that key. Judges nothing that it says. */
export function openCheckpoint(
  jws: string,
  keys: KeySet,
): Result<Checkpoint, TokenRefusal['detail'] | 'malformed'> {
  const opened = openSignedToken(
    jws,
    { type: CHECKPOINT_TYPE, purpose: 'access', keys },
    MAX_CHECKPOINT_BYTES,
  );
  if (!opened.ok) return err(opened.error.detail);
  const checkpoint = toCheckpoint(opened.value);
  return checkpoint === undefined ? err('malformed') : ok(checkpoint);
}

/** What a stored checkpoint says, without any verification; undefined where it is none. */
export function readCheckpoint(
  jws: string,
): { readonly checkpoint: Checkpoint; readonly keyId: string } | undefined {
  const split = splitCompactJws(jws, MAX_CHECKPOINT_BYTES);
  if (!split.ok) return undefined;
  const checkpoint = toCheckpoint(parseJwsObject(split.value.payload) ?? new Map());
  const keyId = stringMember(parseJwsObject(split.value.header), 'kid');
  return checkpoint === undefined || keyId === undefined ? undefined : { checkpoint, keyId };
}

/** How far a state says that its chain had come, whatever it calls its highest number. */
export function reachOf({ seq, tips }: ChainState): number {
  return Math.max(seq, ...tips.map((tip) => readReference(tip)?.[0] ?? 0));
}

/** How far the chains of these records have come. What is no chained record is passed over. */
export function statesOf(records: readonly Readonly<Record<string, RecordValue>>[]): readonly ChainState[] {
  const chains = new Map<
    string,
    {
      seq: number;
      expiresAtSeconds: number;
      readonly hashes: Map<number, string>;
      readonly named: Set<number>;
    }
  >();
  for (const { chain, seq, hash, prev, expires_at: expiresAt } of records) {
    if (typeof chain !== 'string' || typeof seq !== 'number' || typeof hash !== 'string') continue;
    if (!isRecordNumber(seq)) continue;
    const expiresAtSeconds = typeof expiresAt === 'number' ? expiresAt : 0;
    const state = chains.get(chain) ?? { seq, expiresAtSeconds, hashes: new Map(), named: new Set() };
    chains.set(chain, state);
    state.seq = Math.max(state.seq, seq);
    state.expiresAtSeconds = Math.max(state.expiresAtSeconds, expiresAtSeconds);
    state.hashes.set(seq, hash);
    for (const reference of Array.isArray(prev) ? prev : [])
      state.named.add(readReference(reference)?.[0] ?? 0);
  }
  return Array.from(chains, ([chain, { seq, expiresAtSeconds, hashes, named }]) => {
    const tips = [...hashes].filter(([tip]) => !named.has(tip)).sort(([a], [b]) => a - b);
    // What was named was there, also where it is not any more.
    const reach = [...named].reduce((most, number) => Math.max(most, number), seq);
    return { chain, seq: reach, tips: tips.map(([tip, hash]) => `${tip}:${hash}`), expiresAtSeconds };
  });
}

function toCheckpoint(payload: JsonObject): Checkpoint | undefined {
  const [orgId, prev, through] = ['org_id', 'prev', 'through'].map((name) => stringMember(payload, name));
  const [number, prevExpiresAtSeconds, signedAtSeconds, expiresAtSeconds] = [
    'number',
    'prev_expires_at',
    'iat',
    'expires_at',
  ].map((name) => wholeSeconds(payload.get(name)));
  const isPrevVerified = payload.get('prev_verified');
  const chains = payload.get('chains');
  const states = isJsonArray(chains) ? chains.map(toState).filter((state) => state !== undefined) : [];
  if (
    orgId === undefined ||
    prev === undefined ||
    through === undefined ||
    !INSTANT.test(through) ||
    number === undefined ||
    prevExpiresAtSeconds === undefined ||
    signedAtSeconds === undefined ||
    expiresAtSeconds === undefined ||
    typeof isPrevVerified !== 'boolean' ||
    !isJsonArray(chains) ||
    states.length !== chains.length
  ) {
    return undefined;
  }
  return {
    orgId,
    number,
    prev,
    isPrevVerified,
    prevExpiresAtSeconds,
    signedAtSeconds,
    through,
    expiresAtSeconds,
    chains: states,
  };
}

function toState(value: Json): ChainState | undefined {
  const [chain, seq, tips, expiresAt] = isJsonArray(value) ? value : [];
  const [number, hashes, expiresAtSeconds] = [wholeSeconds(seq), stringList(tips), wholeSeconds(expiresAt)];
  if (typeof chain !== 'string') return undefined;
  return number === undefined || hashes === undefined || expiresAtSeconds === undefined
    ? undefined
    : { chain, seq: number, tips: hashes, expiresAtSeconds };
}
