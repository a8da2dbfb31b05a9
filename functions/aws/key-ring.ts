import { acceptedKeys, type KeyRing } from '../core/key-ring.ts';
import type { Clock, KeyRingStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { KeySet, type PublicKey } from '../core/signed-token.ts';
import { batchGet, type Dynamo, type Item, readNumber, readString } from './dynamodb.ts';

/** Where the ring is. */
export const RING_KEY: Item = { pk: { S: 'KEYS' }, sk: { S: 'RING' } };

/** Every conflict is somebody else's write; whoever loses this often in a row gives up. */
const ATTEMPTS = 60;
/** Mean pause after a conflict, so that many writers do not meet again. */
const PAUSE_MS = 20;

/** The ring as it is stored: `text` says whether a later look finds the same one. */
export type StoredRing = { readonly ring: KeyRing; readonly text: string; readonly revision: number };

/**
 * The key ring in the auth table, one item. Every change is a compare-and-set on the revision that it was decided on, decided anew
 * where another came first. A write whose answer was lost is found done when it is decided anew.
 */
export function createKeyRingStore(dynamo: Dynamo, table: string): KeyRingStore {
  const read = async (): Promise<Result<StoredRing, Unavailable>> => {
    const found = await batchGet(dynamo, table, [RING_KEY]);
    return found.ok ? ok(toStoredRing(found.value)) : found;
  };
  return {
    async read() {
      const stored = await read();
      return stored.ok ? ok(stored.value.ring) : stored;
    },

    async change(decide) {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        const stored = await read();
        if (!stored.ok) return stored;
        const { ring, revision } = stored.value;
        const decided = decide(ring);
        if (!decided.ok || decided.value === ring) return decided;
        const put = await dynamo.call('PutItem', {
          TableName: table,
          Item: {
            ...RING_KEY,
            keys: { S: JSON.stringify(decided.value) },
            revision: { N: String(revision + 1) },
          },
          ...(revision === 0
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: 'revision = :previous',
                ExpressionAttributeValues: { ':previous': { N: String(revision) } },
              }),
        });
        if (put.ok) return decided;
        if (put.error.reason === 'unavailable') return err(put.error);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * PAUSE_MS));
      }
      return err({ reason: 'unavailable', detail: 'the key ring changes too fast' });
    },
  };
}

/** The ring among items that were read; an empty one of revision 0 where there is none. The same object where `held` is still it. */
export function toStoredRing(items: readonly Item[], held?: StoredRing): StoredRing {
  const item = items.find((candidate) => readString(candidate, 'sk') === 'RING');
  const text = (item && readString(item, 'keys')) ?? '[]';
  if (held?.text === text) return held;
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: only the issuer's role can write this record
  return { ring: JSON.parse(text) as KeyRing, text, revision: (item && readNumber(item, 'revision')) ?? 0 };
}

/** The keys of a ring that are accepted now; the same objects as long as they are the same keys, so that they can vouch. */
export type AcceptedKeys = { readonly keys: readonly PublicKey[]; readonly keySet: KeySet };

/** Judges a ring by this clock at every call: a key whose overlap has ended is refused without a look. */
export function createAcceptedKeys(clock: Clock): (ring: KeyRing) => AcceptedKeys {
  let held: (AcceptedKeys & { readonly ring: KeyRing; readonly untilSeconds: number }) | undefined;
  return (ring) => {
    const nowSeconds = clock();
    if (held?.ring !== ring || nowSeconds >= held.untilSeconds) {
      const { keys, untilSeconds } = acceptedKeys(ring, nowSeconds);
      held = { ring, untilSeconds, keys, keySet: new KeySet(keys) };
    }
    return held;
  };
}
