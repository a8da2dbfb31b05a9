import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Policy, type Snapshot } from '../core/policy.ts';
import type {
  Clock,
  PolicyPointer,
  PolicyStore,
  Rulebook,
  RulebookStore,
  Unavailable,
} from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { KeySet, type PublicKey } from '../core/token.ts';
import { type ConditionFailed, type Dynamo, type Item, readNumber, readString } from './dynamodb.ts';

/** How often the pointer is looked at, and how long an answer may serve when it cannot be (contract §13: 15 s). */
const LOOK_EVERY_SECONDS = 3;
const STALE_AFTER_SECONDS = 15;
/** An unknown key id asks for a fresh look at most this often, so that a flood of them costs nothing. */
const KEY_LOOK_EVERY_SECONDS = 1;
const CHUNK_CHARACTERS = 350_000;

const POINTER_KEY: Item = { pk: { S: 'POLICY' }, sk: { S: 'POINTER' } };
const KEYS_KEY: Item = { pk: { S: 'KEYS' }, sk: { S: 'CURRENT' } };

/**
 * The rulebook in DynamoDB: one versioned snapshot (gzip, in chunks) behind a pointer, and the published public keys.
 * Held in memory; the pointer is looked at every 3 s, one look at a time.
 */
export function createRulebookStore(dynamo: Dynamo, table: string, clock: Clock): RulebookStore {
  let held:
    | { readonly book: Rulebook; readonly keysText: string; readonly lookedAtSeconds: number }
    | undefined;
  let look: Promise<Result<Rulebook, Unavailable>> | undefined;

  const refresh = async (): Promise<Result<Rulebook, Unavailable>> => {
    const nowSeconds = clock();
    const found = await lookUp(dynamo, table, held);
    if (found.ok) {
      held = { ...found.value, lookedAtSeconds: nowSeconds };
      return ok(found.value.book);
    }
    const isFresh = held !== undefined && nowSeconds - held.lookedAtSeconds < STALE_AFTER_SECONDS;
    return held !== undefined && isFresh ? ok(held.book) : found;
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
  held: { readonly book: Rulebook; readonly keysText: string } | undefined,
): Promise<Result<{ book: Rulebook; keysText: string }, Unavailable>> {
  const answer = await batchGet(dynamo, table, [POINTER_KEY, KEYS_KEY]);
  if (!answer.ok) return answer;
  const pointer = parsePointer(answer.value.find((item) => readString(item, 'sk') === 'POINTER'));
  if (pointer === undefined) return unavailable('no policy is applied yet; run `sallyport apply`');
  const keysText = readKeysText(answer.value);
  const isSamePolicy = held?.book.policy.version === pointer.version;
  const policy = isSamePolicy ? ok(held.book.policy) : await loadPolicy(dynamo, table, pointer);
  if (!policy.ok) return policy;
  const keys =
    held !== undefined && held.keysText === keysText ? held.book.keys : new KeySet(parseKeys(keysText));
  return ok({ book: { policy: policy.value, keys }, keysText });
}

async function loadPolicy(
  dynamo: Dynamo,
  table: string,
  pointer: PolicyPointer,
): Promise<Result<Policy, Unavailable>> {
  const keys = Array.from({ length: pointer.chunks }, (_, index) => chunkKey(pointer, index));
  const answer = await batchGet(dynamo, table, keys);
  if (!answer.ok) return answer;
  const bySortKey = new Map(answer.value.map((item) => [readString(item, 'sk'), readString(item, 'body')]));
  const text = keys.map((key) => bySortKey.get(readString(key, 'sk')) ?? '').join('');
  if (sha256(text) !== pointer.contentHash) return unavailable('the policy snapshot does not match its hash');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: we wrote it, and its hash says that it is what we wrote
  const snapshot = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as Snapshot;
  if (snapshot.format !== 1) return unavailable('the policy snapshot is of an unknown format');
  return ok(new Policy(snapshot, pointer.version));
}

/**
 * The store that a new policy is written to. A snapshot goes under the next version, in chunks whose keys hold the hash of the
 * whole, and then the pointer moves, if nobody else has moved it: all or nothing, and the chunks of a lost race are unreachable.
 * Content that is running already is not written again.
 */
export function createPolicyStore(dynamo: Dynamo, table: string): PolicyStore {
  return {
    async readPointer() {
      const answer = await batchGet(dynamo, table, [POINTER_KEY]);
      return answer.ok ? ok(parsePointer(answer.value[0])) : answer;
    },

    async write(snapshot, previous, source) {
      const text = gzipSync(JSON.stringify(snapshot)).toString('base64');
      const contentHash = sha256(text);
      if (previous?.contentHash === contentHash) return ok(previous);
      const version = (previous?.version ?? 0) + 1;
      const pointer = { version, source, contentHash, chunks: Math.ceil(text.length / CHUNK_CHARACTERS) };
      for (let index = 0; index < pointer.chunks; index += 1) {
        const body = text.slice(index * CHUNK_CHARACTERS, (index + 1) * CHUNK_CHARACTERS);
        const put = await dynamo.call('PutItem', {
          TableName: table,
          Item: { ...chunkKey(pointer, index), body: { S: body } },
        });
        if (!put.ok)
          return unavailable(put.error.reason === 'unavailable' ? put.error.detail : 'unexpected condition');
      }
      const moved = await movePointer(dynamo, table, pointer, previous);
      if (moved.ok) return ok(pointer);
      return moved.error.reason === 'condition_failed' ? err({ reason: 'conflict' }) : err(moved.error);
    },
  };
}

function movePointer(
  dynamo: Dynamo,
  table: string,
  pointer: PolicyPointer,
  previous: PolicyPointer | undefined,
): Promise<Result<unknown, Unavailable | ConditionFailed>> {
  const condition =
    previous === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: '#version = :previous',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: { ':previous': { N: String(previous.version) } },
        };
  return dynamo.call('PutItem', {
    TableName: table,
    Item: {
      ...POINTER_KEY,
      version: { N: String(pointer.version) },
      chunks: { N: String(pointer.chunks) },
      source: { S: pointer.source },
      content_hash: { S: pointer.contentHash },
    },
    ...condition,
  });
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

async function batchGet(
  dynamo: Dynamo,
  table: string,
  keys: readonly Item[],
): Promise<Result<readonly Item[], Unavailable>> {
  const answer = await dynamo.call('BatchGetItem', {
    RequestItems: { [table]: { Keys: keys, ConsistentRead: true } },
  });
  if (!answer.ok) {
    return answer.error.reason === 'unavailable' ? err(answer.error) : unavailable('unexpected condition');
  }
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a BatchGetItem answer (DynamoDB API reference)
  const { Responses, UnprocessedKeys } = answer.value as {
    Responses?: Record<string, Item[]>;
    UnprocessedKeys?: Record<string, unknown>;
  };
  if (Object.keys(UnprocessedKeys ?? {}).length > 0) return unavailable('a partial answer');
  return ok(Responses?.[table] ?? []);
}

function chunkKey({ version, contentHash }: PolicyPointer, index: number): Item {
  const parts = [
    'V',
    String(version).padStart(10, '0'),
    contentHash.slice(0, 16),
    String(index).padStart(3, '0'),
  ];
  return { pk: { S: 'POLICY' }, sk: { S: parts.join('#') } };
}

function parsePointer(item: Item | undefined): PolicyPointer | undefined {
  if (item === undefined) return undefined;
  const version = readNumber(item, 'version');
  const chunks = readNumber(item, 'chunks');
  const contentHash = readString(item, 'content_hash');
  const source = readString(item, 'source');
  if (version === undefined || chunks === undefined || contentHash === undefined) return undefined;
  if (source !== 'deploy' && source !== 'apply' && source !== 'dev') return undefined;
  return { version, chunks, contentHash, source };
}

function readKeysText(items: readonly Item[]): string {
  const item = items.find((candidate) => readString(candidate, 'sk') === 'CURRENT');
  return (item && readString(item, 'keys')) ?? '[]';
}

function parseKeys(text: string): readonly PublicKey[] {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: only the issuer's role can write this record
  return JSON.parse(text) as PublicKey[];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function unavailable(detail: string): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail });
}
