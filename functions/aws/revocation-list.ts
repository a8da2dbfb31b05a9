import type { Clock, RevocationList } from '../core/ports.ts';
import { err, ok } from '../core/result.ts';
import { type Dynamo, type Item, readString } from './dynamodb.ts';
import { readRevocationItem, revocationPartition, revocationPrefix } from './revocation-records.ts';

/**
 * The revocations of one partition in pages, strongly consistent. What DynamoDB has not forgotten in time is left out, so that a page may
 * be short, or empty, with more to come.
 */
export function createRevocationList(dynamo: Dynamo, table: string, clock: Clock): RevocationList {
  return {
    async read({ orgId, kind, after, limit }) {
      const partition = revocationPartition(orgId);
      const prefix = kind === undefined ? '' : revocationPrefix(kind);
      // A place outside of what is asked for is an error to DynamoDB, and the end of the list to us.
      if (after !== undefined && !after.startsWith(prefix)) return ok({ entries: [], next: undefined });
      const answer = await dynamo.call('Query', {
        TableName: table,
        ConsistentRead: true,
        Limit: limit,
        KeyConditionExpression: kind === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: {
          ':pk': { S: partition },
          ...(kind === undefined ? {} : { ':prefix': { S: prefix } }),
        },
        ...(after === undefined ? {} : { ExclusiveStartKey: { pk: { S: partition }, sk: { S: after } } }),
      });
      if (!answer.ok) {
        const detail = answer.error.reason === 'unavailable' ? answer.error.detail : 'unexpected condition';
        return err({ reason: 'unavailable', detail });
      }
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a Query answer (DynamoDB API reference)
      const { Items, LastEvaluatedKey } = answer.value as { Items?: Item[]; LastEvaluatedKey?: Item };
      if (!Array.isArray(Items)) return err({ reason: 'unavailable', detail: 'an answer without items' });
      const nowSeconds = clock();
      const entries = Items.map(readRevocationItem).filter(
        ({ forgetAtSeconds }) => forgetAtSeconds > nowSeconds,
      );
      const next = LastEvaluatedKey === undefined ? undefined : readString(LastEvaluatedKey, 'sk');
      return ok({ entries, next });
    },
  };
}
