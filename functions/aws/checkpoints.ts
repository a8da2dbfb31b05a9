import type { CheckpointStore, StoredCheckpoint } from '../core/audit/audit-ports.ts';
import { err, ok } from '../core/result.ts';
import { type Dynamo, type Item, readString } from './dynamodb.ts';

/** Digits of a number in a sort key. */
const DIGITS = 12;

/** Checkpoints in the audit table, under `CHECKPOINT#{org}` and their number: of two of one number the first one stays. */
export function createCheckpointStore(dynamo: Dynamo, table: string): CheckpointStore {
  return {
    async newest(orgId, limit, before = 10 ** DIGITS) {
      const answer = await dynamo.call('Query', {
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND sk < :before',
        ExpressionAttributeValues: { ':pk': { S: partitionOf(orgId) }, ':before': { S: toSortKey(before) } },
        ScanIndexForward: false,
        ConsistentRead: true,
        Limit: limit,
      });
      if (!answer.ok) {
        const detail = answer.error.reason === 'unavailable' ? answer.error.detail : 'unexpected condition';
        return err({ reason: 'unavailable', detail });
      }
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a Query answer (DynamoDB API reference)
      const { Items, LastEvaluatedKey } = answer.value as { Items?: Item[]; LastEvaluatedKey?: Item };
      if (!Array.isArray(Items)) return err({ reason: 'unavailable', detail: 'an answer without items' });
      // A Query ends at 1 MB as well: how many there are says nothing of whether more follow.
      return ok({ checkpoints: Items.map(toStored), isAll: LastEvaluatedKey === undefined });
    },

    async create(orgId, { number, jws }, expiresAtSeconds) {
      const put = await dynamo.call('PutItem', {
        TableName: table,
        Item: {
          pk: { S: partitionOf(orgId) },
          sk: { S: toSortKey(number) },
          jws: { S: jws },
          expires_at: { N: String(expiresAtSeconds) },
        },
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      if (put.ok) return ok(undefined);
      return put.error.reason === 'condition_failed' ? err({ reason: 'conflict' }) : err(put.error);
    },
  };
}

function partitionOf(orgId: string): string {
  return `CHECKPOINT#${orgId}`;
}

/** 10^12 itself sorts after all numbers below it: `:` follows the digits. */
function toSortKey(number: number): string {
  return number >= 10 ** DIGITS ? ':' : String(number).padStart(DIGITS, '0');
}

function toStored(item: Item): StoredCheckpoint {
  return { number: Number(readString(item, 'sk')), jws: readString(item, 'jws') ?? '' };
}
