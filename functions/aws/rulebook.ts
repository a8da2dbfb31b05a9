import type { KeyRing } from '../core/key-ring.ts';
import { Policy } from '../core/policy.ts';
import type { Clock, RulebookStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { batchGet, type Dynamo, readString } from './dynamodb.ts';
import { createAcceptedKeys, RING_KEY, type StoredRing, toStoredRing } from './key-ring.ts';
import { createLooks } from './looks.ts';
import { POINTER_KEY, parsePointer, readSnapshot } from './policy-records.ts';

/** How often the pointer and the keys are looked at (contract §13: 15 s for a change of policy). */
const LOOK_EVERY_SECONDS = 3;
/** An unknown key id asks for a fresh look at most this often, so that a flood of them costs nothing. */
const KEY_LOOK_EVERY_SECONDS = 1;

/** What one look finds. The hash and the ring's text say that a later look finds the same. */
type Found = { readonly policy: Policy; readonly contentHash: string; readonly ring: StoredRing };

/**
 * The rulebook in DynamoDB: one versioned snapshot (gzip, in chunks) behind a pointer, and the ring of keys. Looked at every 3 s, never
 * older than 15 s (see {@link createLooks}); a key whose overlap ends is refused at that second by this clock, without a look.
 */
export function createRulebookStore(
  dynamo: Dynamo,
  table: string,
  clock: Clock,
): RulebookStore & {
  /** The ring that is held, for whoever signs. */
  readKeyRing(): Promise<Result<KeyRing, Unavailable>>;
} {
  const looks = createLooks<Found>((held) => lookUp(dynamo, table, held), clock);
  const accepted = createAcceptedKeys(clock);
  return {
    async read(missingKeyId) {
      const found = await looks.read(
        missingKeyId === undefined ? LOOK_EVERY_SECONDS : KEY_LOOK_EVERY_SECONDS,
      );
      if (!found.ok) return found;
      const { policy, ring } = found.value;
      return ok({ policy, keys: accepted(ring.ring).keySet });
    },

    async readKeyRing() {
      const found = await looks.read(LOOK_EVERY_SECONDS);
      return found.ok ? ok(found.value.ring.ring) : found;
    },
  };
}

async function lookUp(
  dynamo: Dynamo,
  table: string,
  held: Found | undefined,
): Promise<Result<Found, Unavailable>> {
  const answer = await batchGet(dynamo, table, [POINTER_KEY, RING_KEY]);
  if (!answer.ok) return answer;
  const pointer = parsePointer(answer.value.find((item) => readString(item, 'sk') === 'POINTER'));
  if (pointer === undefined) {
    return err({ reason: 'unavailable', detail: 'no policy is applied yet; run `sallyport apply`' });
  }
  const { version, contentHash } = pointer;
  const ring = toStoredRing(answer.value, held?.ring);
  // The hash too: a table that was restored from a backup may count the same versions again.
  if (held?.policy.version === version && held.contentHash === contentHash) {
    return ok({ policy: held.policy, contentHash, ring });
  }
  const snapshot = await readSnapshot(dynamo, table, pointer);
  if (!snapshot.ok) return snapshot;
  return ok({ policy: new Policy(snapshot.value, version), contentHash, ring });
}
