import { JWKS_MAX_AGE_SECONDS, STALE_AFTER_SECONDS } from './freshness.ts';
import {
  isReplaced,
  type KeyRing,
  type KeySlot,
  keyName,
  type OfferedKey,
  type RingKey,
  signingKeyOf,
} from './key-ring.ts';
import { err, ok, type Result } from './result.ts';
import { MAX_RUN_TTL_SECONDS } from './run-request.ts';
import type { KeyPurpose } from './signed-token.ts';

/** A key signs no sooner after its publication: by then whoever may keep an older set of keys has looked again. */
export const STANDBY_SECONDS = JWKS_MAX_AGE_SECONDS + STALE_AFTER_SECONDS;

/**
 * A key that has stopped signing is accepted for the longest life of a token, and this much more: 15 s in which a signer may not know yet,
 * 5 s of tolerance for clocks, and the 29 s that a request under way may take.
 */
const OVERLAP_MARGIN_SECONDS = 60;

/** How long what a key signed before a rotation is accepted: the longest life of its tokens (contract §13), and a margin. */
export const OVERLAP_SECONDS: Readonly<Record<KeyPurpose, number>> = {
  access: MAX_RUN_TTL_SECONDS + OVERLAP_MARGIN_SECONDS,
  identity: 300 + OVERLAP_MARGIN_SECONDS,
};

/** Why the ring stays as it is. */
export type RotationRefusal =
  | { readonly reason: 'unknown_key' | 'not_standby' | 'last_good_key' }
  | { readonly reason: 'too_early'; readonly waitSeconds: number };

/** What an operator does next for a purpose. */
export type NextStep =
  | { readonly step: 'rotate'; readonly keyId: string }
  | { readonly step: 'wait'; readonly keyId: string; readonly waitSeconds: number }
  | { readonly step: 'deploy'; readonly slot: KeySlot; readonly generation: number };

const PURPOSES: readonly KeyPurpose[] = ['access', 'identity'];

/**
 * The ring with the keys that slots offer: those that are not in it come in as standby. The first of a purpose signs. Which key signs
 * changes otherwise only where the one that does was replaced in its slot: then another one has to, and takes over at once. The same
 * ring where nothing is new, so that an older environment, which knows fewer keys, undoes nothing.
 */
export function publishKeys(ring: KeyRing, offered: readonly OfferedKey[], nowSeconds: number): KeyRing {
  const fresh = offered.filter(({ source }) => !ring.some((key) => key.source === source));
  if (fresh.length === 0) return ring;
  const published: KeyRing = [
    ...settle(ring, nowSeconds),
    ...fresh.map((key) => ({ ...key, state: 'standby', publishedAtSeconds: nowSeconds }) as const),
  ];
  const live = published.map((key) =>
    key.state === 'standby' && isReplaced(key, published) ? retired(key) : key,
  );
  return PURPOSES.reduce<KeyRing>((keys, purpose) => ensureSigning(keys, purpose, nowSeconds), live);
}

/**
 * Lets a standby key sign. The one that signed retires: what it signed is accepted for {@link OVERLAP_SECONDS} more. `too_early` before
 * everybody can know the key. A key that signs already is left to it, so that asking twice is asking once.
 */
export function rotateKey(
  ring: KeyRing,
  purpose: KeyPurpose,
  keyId: string,
  nowSeconds: number,
): Result<KeyRing, RotationRefusal> {
  const key = find(ring, purpose, keyId);
  if (key === undefined) return err({ reason: 'unknown_key' });
  if (key.state === 'signing') return ok(ring);
  if (key.state !== 'standby') return err({ reason: 'not_standby' });
  const waitSeconds = key.publishedAtSeconds + STANDBY_SECONDS - nowSeconds;
  if (waitSeconds > 0) return err({ reason: 'too_early', waitSeconds });
  return ok(handOver(settle(ring, nowSeconds), purpose, keyId, nowSeconds));
}

/**
 * Refuses a key from now on, whatever it signed. Where it signs, a standby key takes over in the same step, however fresh;
 * `last_good_key` where there is none. A key that is retired already is left so.
 */
export function retireKey(
  ring: KeyRing,
  purpose: KeyPurpose,
  keyId: string,
  nowSeconds: number,
): Result<KeyRing, RotationRefusal> {
  const key = find(ring, purpose, keyId);
  if (key === undefined) return err({ reason: 'unknown_key' });
  if (key.state === 'retired') return ok(ring);
  const next = key.state === 'signing' ? standbyOf(ring, purpose) : undefined;
  if (key.state === 'signing' && next === undefined) return err({ reason: 'last_good_key' });
  const settled = settle(ring, nowSeconds);
  const handed = next === undefined ? settled : handOver(settled, purpose, next.keyId, nowSeconds);
  return ok(handed.map((other) => (other.keyId === keyId ? retired(other) : other)));
}

/** What comes next on the way to another key; undefined before the first is published. */
export function nextStep(ring: KeyRing, purpose: KeyPurpose, nowSeconds: number): NextStep | undefined {
  const signing = signingKeyOf(ring, purpose);
  if (signing === undefined) return undefined;
  const standby = standbyOf(ring, purpose);
  if (standby === undefined) {
    const slot = signing.slot === 'A' ? 'B' : 'A';
    const used = ring.filter((key) => key.purpose === purpose && key.slot === slot);
    return { step: 'deploy', slot, generation: Math.max(0, ...used.map((key) => key.generation)) + 1 };
  }
  const { keyId } = standby;
  const waitSeconds = standby.publishedAtSeconds + STANDBY_SECONDS - nowSeconds;
  return waitSeconds > 0 ? { step: 'wait', keyId, waitSeconds } : { step: 'rotate', keyId };
}

/** The key that an operator names, by its id or by its slot and generation; the newest of that name. */
export function findNamedKey(ring: KeyRing, purpose: KeyPurpose, name: string): RingKey | undefined {
  return ring.findLast((key) => key.purpose === purpose && (key.keyId === name || keyName(key) === name));
}

function find(ring: KeyRing, purpose: KeyPurpose, keyId: string): RingKey | undefined {
  return ring.find((key) => key.purpose === purpose && key.keyId === keyId);
}

/** The standby key that has been published for the longest. */
function standbyOf(ring: KeyRing, purpose: KeyPurpose): RingKey | undefined {
  return ring.find((key) => key.purpose === purpose && key.state === 'standby');
}

function ensureSigning(ring: KeyRing, purpose: KeyPurpose, nowSeconds: number): KeyRing {
  const signing = signingKeyOf(ring, purpose);
  const next = standbyOf(ring, purpose);
  const isNeeded = signing === undefined || isReplaced(signing, ring);
  return isNeeded && next !== undefined ? handOver(ring, purpose, next.keyId, nowSeconds) : ring;
}

function handOver(ring: KeyRing, purpose: KeyPurpose, keyId: string, nowSeconds: number): KeyRing {
  const refusedAtSeconds = nowSeconds + OVERLAP_SECONDS[purpose];
  return ring.map((key) => {
    if (key.purpose !== purpose) return key;
    if (key.keyId === keyId) return { ...key, state: 'signing' };
    return key.state === 'signing' ? { ...key, state: 'retiring', refusedAtSeconds } : key;
  });
}

/** Retiring keys whose time has passed are retired. */
function settle(ring: KeyRing, nowSeconds: number): KeyRing {
  return ring.map((key) =>
    key.state === 'retiring' && nowSeconds >= (key.refusedAtSeconds ?? 0) ? retired(key) : key,
  );
}

function retired({ refusedAtSeconds: _, ...key }: RingKey): RingKey {
  return { ...key, state: 'retired', n: '', e: '' };
}
