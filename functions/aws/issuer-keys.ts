import type { KeyRing, OfferedKey, RingKey } from '../core/key-ring.ts';
import { signingKeyOf } from '../core/key-ring.ts';
import { publishKeys } from '../core/key-rotation.ts';
import type { Clock, KeyRingStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { PublicKey } from '../core/signed-token.ts';
import { createAcceptedKeys } from './key-ring.ts';
import { createLooks } from './looks.ts';
import type { KeySource } from './signing-key.ts';

const LOOK_EVERY_SECONDS = 3;
const KEY_LOOK_EVERY_SECONDS = 1;

/** The keys of this deployment, as the issuer knows them. */
export type PublishedKeys = {
  /**
   * The keys that are accepted now, after those that the issuer is configured with have been published. `missingKeyId` asks for a fresh
   * look. The same list as long as they are the same keys.
   */
  publish(missingKeyId?: string): Promise<Result<readonly PublicKey[], Unavailable>>;
  /** The whole ring, of the same look. */
  readRing(): Promise<Result<KeyRing, Unavailable>>;
  /** Can this key still be read where it is kept? `unavailable` where it is disabled, gone, or not of this environment. */
  confirm(key: RingKey): Promise<Result<void, Unavailable>>;
};

/**
 * The ring as the issuer sees and completes it: every look that misses a key of `sources` reads that key and publishes it. A key that
 * cannot be read stays out and is tried again at the next look; only where a purpose has no key to sign with, nothing is answered.
 */
export function createIssuerKeys(ports: {
  readonly store: KeyRingStore;
  readonly sources: readonly KeySource[];
  readonly readPublicKey: (source: KeySource) => Promise<Result<PublicKey, Unavailable>>;
  readonly clock: Clock;
}): PublishedKeys {
  const { sources, clock } = ports;
  const looks = createLooks<KeyRing>(async (held) => {
    const ring = await completeRing(ports);
    if (!ring.ok) return ring;
    const isSame = held !== undefined && JSON.stringify(held) === JSON.stringify(ring.value);
    return isSame ? ok(held) : ring;
  }, clock);
  const accepted = createAcceptedKeys(clock);
  const readRing = (missingKeyId?: string) =>
    looks.read(missingKeyId === undefined ? LOOK_EVERY_SECONDS : KEY_LOOK_EVERY_SECONDS);
  return {
    async publish(missingKeyId) {
      const ring = await readRing(missingKeyId);
      return ring.ok ? ok(accepted(ring.value).keys) : ring;
    },

    readRing: () => readRing(),

    async confirm(key) {
      const source = sources.find((candidate) => candidate.source === key.source);
      if (source === undefined)
        return err({ reason: 'unavailable', detail: 'not a key of this environment' });
      const read = await ports.readPublicKey(source);
      if (!read.ok) return read;
      return read.value.keyId === key.keyId
        ? ok(undefined)
        : err({ reason: 'unavailable', detail: 'another key is where this one was' });
    },
  };
}

async function completeRing({
  store,
  sources,
  readPublicKey,
  clock,
}: Parameters<typeof createIssuerKeys>[0]): Promise<Result<KeyRing, Unavailable>> {
  const ring = await store.read();
  if (!ring.ok) return ring;
  const unknown = sources.filter(({ source }) => !ring.value.some((key) => key.source === source));
  const offered: OfferedKey[] = [];
  let failure: Unavailable | undefined;
  const reads = await Promise.all(unknown.map(readPublicKey));
  for (const [index, { slot, generation, source }] of unknown.entries()) {
    const read = reads[index];
    if (read?.ok === true) offered.push({ ...read.value, slot, generation, source });
    else failure = read?.error;
  }
  const changed =
    offered.length === 0
      ? ring
      : await store.change<Unavailable>((newest) => ok(publishKeys(newest, offered, clock())));
  if (!changed.ok) return changed;
  const isComplete = sources.every(({ purpose }) => signingKeyOf(changed.value, purpose) !== undefined);
  return isComplete ? changed : err(failure ?? { reason: 'unavailable', detail: 'no key signs yet' });
}
