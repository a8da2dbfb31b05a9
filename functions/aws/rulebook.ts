import { Policy } from '../core/policy.ts';
import type { Clock, Rulebook, RulebookStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { KeySet, type PublicKey } from '../core/signed-token.ts';
import { batchGet, type ConditionFailed, type Dynamo, type Item, readString } from './dynamodb.ts';
import { POINTER_KEY, parsePointer, readSnapshot } from './policy-records.ts';

/** How often the pointer is looked at, and how long an answer may serve when it cannot be (contract §13: 15 s). */
const LOOK_EVERY_SECONDS = 3;
const STALE_AFTER_SECONDS = 15;
/** An unknown key id asks for a fresh look at most this often, so that a flood of them costs nothing. */
const KEY_LOOK_EVERY_SECONDS = 1;

const KEYS_KEY: Item = { pk: { S: 'KEYS' }, sk: { S: 'CURRENT' } };

/** A rulebook, and what says that a later look finds the same one. */
type Found = { readonly book: Rulebook; readonly contentHash: string; readonly keysText: string };

/**
 * The rulebook in DynamoDB: one versioned snapshot (gzip, in chunks) behind a pointer, and the published public keys.
 * Held in memory; the pointer is looked at every 3 s, one look at a time. A look counts from its beginning, an answer is
 * judged at its end: none is older than 15 s, however long the look took.
 */
export function createRulebookStore(dynamo: Dynamo, table: string, clock: Clock): RulebookStore {
  let held: (Found & { readonly lookedAtSeconds: number }) | undefined;
  let look: Promise<Result<Rulebook, Unavailable>> | undefined;

  const refresh = async (): Promise<Result<Rulebook, Unavailable>> => {
    const lookedAtSeconds = clock();
    const found = await lookUp(dynamo, table, held);
    if (found.ok) held = { ...found.value, lookedAtSeconds };
    if (held !== undefined && clock() - held.lookedAtSeconds < STALE_AFTER_SECONDS) return ok(held.book);
    return found.ok ? unavailable('the look took too long') : found;
  };

  return {
    read(missingKeyId) {
      const ageSeconds = held === undefined ? Number.POSITIVE_INFINITY : clock() - held.lookedAtSeconds;
      const maxAgeSeconds = missingKeyId === undefined ? LOOK_EVERY_SECONDS : KEY_LOOK_EVERY_SECONDS;
      if (held !== undefined && ageSeconds < maxAgeSeconds) return Promise.resolve(ok(held.book));
      look ??= refresh().finally(() => {
        look = undefined;
      });
      return look;
    },
  };
}

async function lookUp(
  dynamo: Dynamo,
  table: string,
  held: Found | undefined,
): Promise<Result<Found, Unavailable>> {
  const answer = await batchGet(dynamo, table, [POINTER_KEY, KEYS_KEY]);
  if (!answer.ok) return answer;
  const pointer = parsePointer(answer.value.find((item) => readString(item, 'sk') === 'POINTER'));
  if (pointer === undefined) return unavailable('no policy is applied yet; run `sallyport apply`');
  const { version, contentHash } = pointer;
  const keysText = readKeysText(answer.value);
  const keys =
    held !== undefined && held.keysText === keysText ? held.book.keys : new KeySet(parseKeys(keysText));
  // The hash too: a table that was restored from a backup may count the same versions again.
  if (held?.book.policy.version === version && held.contentHash === contentHash) {
    return ok({ book: { policy: held.book.policy, keys }, contentHash, keysText });
  }
  const snapshot = await readSnapshot(dynamo, table, pointer);
  if (!snapshot.ok) return snapshot;
  return ok({ book: { policy: new Policy(snapshot.value, version), keys }, contentHash, keysText });
}

/** Publishes the public keys that verifiers accept. The issuer does, before it signs with one of them. */
export async function publishKeys(
  dynamo: Dynamo,
  table: string,
  keys: readonly PublicKey[],
): Promise<Result<void, Unavailable | ConditionFailed>> {
  const put = await dynamo.call('PutItem', {
    TableName: table,
    Item: { ...KEYS_KEY, keys: { S: JSON.stringify(keys) } },
  });
  return put.ok ? ok(undefined) : put;
}

function readKeysText(items: readonly Item[]): string {
  const item = items.find((candidate) => readString(candidate, 'sk') === 'CURRENT');
  return (item && readString(item, 'keys')) ?? '[]';
}

function parseKeys(text: string): readonly PublicKey[] {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: only the issuer's role can write this record
  return JSON.parse(text) as PublicKey[];
}

function unavailable(detail: string): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail });
}
