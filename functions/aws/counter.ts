import type { LimitCounter } from '../core/ports.ts';
import { err, ok } from '../core/result.ts';
import { batchGet, type Dynamo, type Item, readNumber } from './dynamodb.ts';

/** The one sort key of a count: each has a partition of its own, so that many do not share what one partition can write. */
const SORT_KEY = 'tally';

/** Whose counts: of the issuer, or of the limits that the configuration sets. Who may count the one cannot touch the other. */
export type CountPartition = 'COUNT' | 'LIMIT';

/**
 * Counts in the auth table, an item each. One atomic conditional `UpdateItem` counts (DynamoDB developer guide, "Atomic counters"): nobody
 * reads first, so that those who count at once neither lose to each other nor wait. Such an update whose answer was lost counts again when
 * it is tried again: the count errs to the high side.
 */
export function createCounter(dynamo: Dynamo, table: string, partition: CountPartition): LimitCounter {
  const keyOf = (id: string): Item => ({ pk: { S: `${partition}#${id}` }, sk: { S: SORT_KEY } });
  return {
    async count(id, max, forgetAtSeconds) {
      if (max < 1) return err({ reason: 'used_up' });
      const counted = await dynamo.call('UpdateItem', {
        TableName: table,
        Key: keyOf(id),
        UpdateExpression: 'SET expires_at = :end ADD tally :one',
        ConditionExpression: 'attribute_not_exists(tally) OR tally < :max',
        ExpressionAttributeValues: {
          ':end': { N: String(forgetAtSeconds) },
          ':one': { N: '1' },
          ':max': { N: String(max) },
        },
      });
      if (counted.ok) return ok(undefined);
      return counted.error.reason === 'unavailable' ? err(counted.error) : err({ reason: 'used_up' });
    },

    async takeBack(id) {
      const update = {
        TableName: table,
        Key: keyOf(id),
        UpdateExpression: 'ADD tally :less',
        ConditionExpression: 'tally > :none',
        ExpressionAttributeValues: { ':less': { N: '-1' }, ':none': { N: '0' } },
      };
      // Tried again after a lost answer it would give back what another one has counted.
      await dynamo.call('UpdateItem', update, { attempts: 1 });
    },

    async read(id) {
      const found = await batchGet(dynamo, table, [keyOf(id)]);
      if (!found.ok) return found;
      const [item] = found.value;
      if (item === undefined) return ok(0);
      const tally = readNumber(item, 'tally');
      return tally === undefined ? err({ reason: 'unavailable', detail: 'a malformed count' }) : ok(tally);
    },
  };
}
