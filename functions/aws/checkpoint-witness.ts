import type { CheckpointWitness } from '../core/audit/audit-ports.ts';
import { err, ok } from '../core/result.ts';
import { batchGet, type Dynamo, type Item, readNumber, readString } from './dynamodb.ts';

/** The one sort key: each organisation has a partition of its own. */
const SORT_KEY = 'newest';

/**
 * The newest checkpoints that the issuer knows of, in the auth table under `WITNESS#{org}`: who can change the audit table alone cannot take
 * them back. The number only ever goes up, whoever writes at once with another, or again.
 */
export function createCheckpointWitness(dynamo: Dynamo, table: string): CheckpointWitness {
  const keyOf = (orgId: string): Item => ({ pk: { S: `WITNESS#${orgId}` }, sk: { S: SORT_KEY } });
  return {
    async read(orgId) {
      const found = await batchGet(dynamo, table, [keyOf(orgId)]);
      if (!found.ok) return found;
      const [item] = found.value;
      if (item === undefined) return ok(undefined);
      const number = readNumber(item, 'number');
      const hash = readString(item, 'hash');
      const expiresAtSeconds = readNumber(item, 'expires_at');
      if (number === undefined || hash === undefined || expiresAtSeconds === undefined) {
        return err({ reason: 'unavailable', detail: 'a malformed witness of checkpoints' });
      }
      return ok({ number, hash, expiresAtSeconds });
    },

    async keep(orgId, { number, hash, expiresAtSeconds }) {
      const put = await dynamo.call('PutItem', {
        TableName: table,
        Item: {
          ...keyOf(orgId),
          number: { N: String(number) },
          hash: { S: hash },
          expires_at: { N: String(expiresAtSeconds) },
        },
        ConditionExpression: 'attribute_not_exists(pk) OR #number < :number',
        ExpressionAttributeNames: { '#number': 'number' },
        ExpressionAttributeValues: { ':number': { N: String(number) } },
      });
      return put.ok || put.error.reason === 'condition_failed' ? ok(undefined) : err(put.error);
    },
  };
}
