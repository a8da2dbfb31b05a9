import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import { createKeyRingStore } from '../../functions/aws/key-ring.ts';
import type { KeyRing, RingKey } from '../../functions/core/key-ring.ts';
import type { Unavailable } from '../../functions/core/ports.ts';
import { ok, type Result } from '../../functions/core/result.ts';
import type { PublicKey } from '../../functions/core/signed-token.ts';

/** The ring as if these keys alone had ever been published: the first of each purpose signs, the others stand by. */
export function ringOf(keys: readonly PublicKey[]): KeyRing {
  return keys.map((key, index): RingKey => {
    const isFirst = keys.findIndex(({ purpose }) => purpose === key.purpose) === index;
    return {
      ...key,
      slot: isFirst ? 'A' : 'B',
      generation: 1,
      source: `source of ${key.keyId}`,
      state: isFirst ? 'signing' : 'standby',
      publishedAtSeconds: 0,
    };
  });
}

/** Makes that ring the stored one, whatever was there. */
export function publishKeys(
  dynamo: Dynamo,
  table: string,
  keys: readonly PublicKey[],
): Promise<Result<KeyRing, Unavailable>> {
  return createKeyRingStore(dynamo, table).change<Unavailable>(() => ok(ringOf(keys)));
}
