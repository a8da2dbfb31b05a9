import type { PolicyHistory, PolicyPointer, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { batchGet, type Dynamo, type Item } from './dynamodb.ts';
import { HISTORY_PREFIX, historyKey, POINTER_KEY, parsePointer } from './policy-records.ts';

/**
 * The versions that ran: the one that does, and those that were noted when they were followed. Versions that were followed before versions
 * were noted are not among them.
 */
export function createPolicyHistory(dynamo: Dynamo, table: string): PolicyHistory {
  const readAt = async (keys: readonly Item[]): Promise<Result<readonly PolicyPointer[], Unavailable>> => {
    const answer = await batchGet(dynamo, table, keys);
    return answer.ok ? ok(readPointers(answer.value)) : answer;
  };

  return {
    async find(version) {
      const found = await readAt([POINTER_KEY, historyKey(version)]);
      return found.ok ? ok(found.value.find((pointer) => pointer.version === version)) : found;
    },

    async read(limit, before) {
      const running = await readAt([POINTER_KEY]);
      if (!running.ok) return running;
      const [newest] = running.value;
      const isFirstPage = newest !== undefined && newest.version < (before ?? Number.POSITIVE_INFINITY);
      const below = Math.min(before ?? Number.MAX_SAFE_INTEGER, newest?.version ?? 0);
      const answer = await dynamo.call('Query', {
        TableName: table,
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: limit,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
        ExpressionAttributeValues: {
          ':pk': POINTER_KEY['pk'],
          ':first': { S: HISTORY_PREFIX },
          ':last': historyKey(Math.max(below - 1, 0))['sk'],
        },
      });
      if (!answer.ok) {
        const detail = answer.error.reason === 'unavailable' ? answer.error.detail : 'unexpected condition';
        return err({ reason: 'unavailable', detail });
      }
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a Query answer (DynamoDB API reference)
      const { Items } = answer.value as { Items?: Item[] };
      if (!Array.isArray(Items)) return err({ reason: 'unavailable', detail: 'an answer without items' });
      const all = [...(isFirstPage ? [newest] : []), ...readPointers(Items)];
      const versions = all.slice(0, limit);
      const last = versions.at(-1);
      return ok(last === undefined || all.length < limit ? { versions } : { versions, next: last.version });
    },
  };
}

function readPointers(items: readonly Item[]): readonly PolicyPointer[] {
  return items.map(parsePointer).filter((pointer) => pointer !== undefined);
}
