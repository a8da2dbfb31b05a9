import type { Clock, Conflict, RecordKey, RecordStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import {
  batchGet,
  type ConditionFailed,
  type Dynamo,
  type Item,
  readNumber,
  readString,
} from './dynamodb.ts';

/**
 * The issuer's records in the auth table, one item each: `pk` is kind and organisation, so that a role can be given some kinds
 * alone, `sk` the id. DynamoDB deletes expired items within days; reading and creating go by `expires_at`, never by absence.
 * A write whose answer was lost and that is tried again reads as `conflict`: the caller loses, nothing happens twice.
 */
export function createRecordStore(dynamo: Dynamo, table: string, clock: Clock): RecordStore {
  const put = async (
    key: RecordKey,
    record: { readonly text: string; readonly revision: number; readonly expiresAtSeconds: number },
    condition: Readonly<Record<string, unknown>>,
  ): Promise<Result<void, Unavailable | Conflict>> => {
    const written = await dynamo.call('PutItem', {
      TableName: table,
      Item: {
        ...keyOf(key),
        body: { S: record.text },
        revision: { N: String(record.revision) },
        expires_at: { N: String(record.expiresAtSeconds) },
      },
      ...condition,
    });
    return written.ok ? ok(undefined) : failed(written.error);
  };

  return {
    create(key, text, expiresAtSeconds) {
      return put(
        key,
        { text, revision: 1, expiresAtSeconds },
        {
          ConditionExpression: 'attribute_not_exists(pk) OR expires_at <= :now',
          ExpressionAttributeValues: { ':now': { N: String(clock()) } },
        },
      );
    },

    async read(key) {
      const found = await batchGet(dynamo, table, [keyOf(key)]);
      if (!found.ok) return found;
      const [item] = found.value;
      if (item === undefined) return ok(undefined);
      const text = readString(item, 'body');
      const revision = readNumber(item, 'revision');
      const expiresAtSeconds = readNumber(item, 'expires_at');
      if (text === undefined || revision === undefined || expiresAtSeconds === undefined) {
        return err({ reason: 'unavailable', detail: `a malformed record of kind ${key.kind}` });
      }
      return ok(expiresAtSeconds <= clock() ? undefined : { text, revision, expiresAtSeconds });
    },

    replace(key, previous, text, expiresAtSeconds) {
      return put(
        key,
        { text, revision: previous.revision + 1, expiresAtSeconds },
        {
          ConditionExpression: 'revision = :previous',
          ExpressionAttributeValues: { ':previous': { N: String(previous.revision) } },
        },
      );
    },
  };
}

function keyOf({ kind, orgId, id }: RecordKey): Item {
  return { pk: { S: `${kind}#${orgId}` }, sk: { S: id } };
}

function failed(error: Unavailable | ConditionFailed): Result<never, Unavailable | Conflict> {
  return error.reason === 'unavailable' ? err(error) : err({ reason: 'conflict' });
}
