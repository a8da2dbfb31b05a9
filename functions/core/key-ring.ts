import { err, ok, type Result } from './result.ts';
import type { KeyPurpose, PublicKey } from './signed-token.ts';

/** The two places of a purpose in which a key can be. Each takes a fresh key by a deploy. */
export type KeySlot = 'A' | 'B';

/**
 * What a key is for now. `standby`: published, so that everybody knows it before it signs. `signing`: one of each purpose. `retiring`:
 * it signs no more, and what it signed is accepted until `refusedAtSeconds`. `retired`: nothing of it is accepted, ever again.
 */
export type KeyState = 'standby' | 'signing' | 'retiring' | 'retired';

/** A key as a slot offers it: `generation` counts the keys of a slot, `source` is a digest of where the private half is. */
export type OfferedKey = PublicKey & {
  readonly slot: KeySlot;
  readonly generation: number;
  readonly source: string;
};

/** A key of the ring. `n` and `e` of a retired one are empty: there is nothing to verify with it. */
export type RingKey = OfferedKey & {
  readonly state: KeyState;
  readonly publishedAtSeconds: number;
  /** Of a retiring key: the second from which it is refused. */
  readonly refusedAtSeconds?: number;
};

/**
 * Every key that this deployment has had, in the order in which they were published. A retired key stays in it: what is not known is
 * new, and would be published again.
 */
export type KeyRing = readonly RingKey[];

/** Are signatures of this key accepted at this second? */
export function isAccepted({ state, refusedAtSeconds = 0 }: RingKey, nowSeconds: number): boolean {
  return (
    state === 'standby' || state === 'signing' || (state === 'retiring' && nowSeconds < refusedAtSeconds)
  );
}

/** The keys whose signatures are accepted at this second, and until when that stays so if nobody changes the ring. */
export function acceptedKeys(
  ring: KeyRing,
  nowSeconds: number,
): { readonly keys: readonly PublicKey[]; readonly untilSeconds: number } {
  const accepted = ring.filter((key) => isAccepted(key, nowSeconds));
  const ends = accepted.map(({ refusedAtSeconds }) => refusedAtSeconds ?? Number.POSITIVE_INFINITY);
  return {
    keys: accepted.map(({ keyId, purpose, n, e }) => ({ keyId, purpose, n, e })),
    untilSeconds: Math.min(Number.POSITIVE_INFINITY, ...ends),
  };
}

/** The key that signs for a purpose; undefined before the first is published. */
export function signingKeyOf(ring: KeyRing, purpose: KeyPurpose): RingKey | undefined {
  return ring.find((key) => key.purpose === purpose && key.state === 'signing');
}

/** What a slot's key is called: slot and generation, as the deploy names them. */
export function keyName({ slot, generation }: Pick<OfferedKey, 'slot' | 'generation'>): string {
  return `${slot}${generation}`;
}

/** Is there a newer key in the slot of this one? Then no function can sign with this one any more. */
export function isReplaced(key: RingKey, ring: KeyRing): boolean {
  const at = ring.indexOf(key);
  return ring.some(
    (other, index) =>
      other.purpose === key.purpose &&
      other.slot === key.slot &&
      (other.generation > key.generation || (other.generation === key.generation && index > at)),
  );
}

const SOURCE = /^([AB])([1-9]\d{0,8})=(\S+)$/;

/** Where the private half of a slot's key is. */
export type KeyPlace = { readonly slot: KeySlot; readonly generation: number; readonly arn: string };

/** Reads `A1=arn,B1=arn`: slot, generation and ARN of each key of a purpose. */
export function parseKeyPlaces(setting: string): Result<readonly KeyPlace[], string> {
  const places: KeyPlace[] = [];
  for (const item of setting.split(',')) {
    const [, slot, generation, arn] = SOURCE.exec(item.trim()) ?? [];
    if ((slot !== 'A' && slot !== 'B') || generation === undefined || arn === undefined) {
      return err('a key is written as slot, generation and ARN: A1=arn:…');
    }
    places.push({ slot, generation: Number(generation), arn });
  }
  return ok(places);
}
