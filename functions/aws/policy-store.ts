import type { PolicyPointer, PolicyStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { batchGet, type Dynamo } from './dynamodb.ts';
import {
  historyKey,
  POINTER_KEY,
  packSnapshot,
  parsePointer,
  readSnapshot,
  toChunks,
  toPointerItem,
} from './policy-records.ts';

/**
 * The store that a new policy is written to. A snapshot goes under the next version, in chunks whose keys hold the hash of the
 * whole, and then the pointer moves, if nobody else has moved it: all or nothing, and the chunks of a lost race are unreachable. The
 * pointer that it moves from is noted before, so that every version that ran and was followed is known; none is ever deleted.
 * Content that is running already is not written again; a deploy of it is noted in the pointer, under the same version.
 */
export function createPolicyStore(dynamo: Dynamo, table: string): PolicyStore {
  const readPointer = async (): Promise<Result<PolicyPointer | undefined, Unavailable>> => {
    const answer = await batchGet(dynamo, table, [POINTER_KEY]);
    return answer.ok ? ok(parsePointer(answer.value[0])) : answer;
  };

  /** A condition that fails may be our own write, whose answer was lost on the way. */
  const movePointer = async (
    pointer: PolicyPointer,
    previous: PolicyPointer | undefined,
  ): Promise<Result<PolicyPointer, Unavailable | { readonly reason: 'conflict' }>> => {
    const put = await dynamo.call('PutItem', {
      TableName: table,
      Item: toPointerItem(pointer),
      ...unmoved(previous),
    });
    if (put.ok) return ok(pointer);
    if (put.error.reason === 'unavailable') return err(put.error);
    const current = await readPointer();
    if (!current.ok) return current;
    return isSame(current.value, pointer) ? ok(pointer) : err({ reason: 'conflict' });
  };

  return {
    readPointer,

    readSnapshot: (pointer) => readSnapshot(dynamo, table, pointer),

    contentHashOf: (snapshot) => packSnapshot(snapshot).contentHash,

    async write(snapshot, previous, source, written) {
      const packed = packSnapshot(snapshot);
      const { contentHash, chunks } = packed;
      const deployedHash = source === 'deploy' ? contentHash : previous?.deployedHash;
      if (previous?.contentHash === contentHash) {
        const isNoted = deployedHash === previous.deployedHash;
        return isNoted ? ok(previous) : movePointer({ ...previous, source, deployedHash }, previous);
      }
      const version = (previous?.version ?? 0) + 1;
      const pointer: PolicyPointer = {
        version,
        source,
        contentHash,
        chunks,
        deployedHash,
        ...(written === undefined ? {} : { written }),
      };
      const followed = previous === undefined ? [] : [toPointerItem(previous, historyKey(previous.version))];
      for (const item of [...toChunks(pointer, packed), ...followed]) {
        const put = await dynamo.call('PutItem', { TableName: table, Item: item });
        if (put.ok) continue;
        const detail = put.error.reason === 'unavailable' ? put.error.detail : 'unexpected condition';
        return err({ reason: 'unavailable', detail });
      }
      return movePointer(pointer, previous);
    },
  };
}

/** The condition that the pointer is still the one that was read. */
function unmoved(previous: PolicyPointer | undefined): Readonly<Record<string, unknown>> {
  if (previous === undefined) return { ConditionExpression: 'attribute_not_exists(pk)' };
  return {
    ConditionExpression: '#version = :previous',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':previous': { N: String(previous.version) } },
  };
}

function isSame(one: PolicyPointer | undefined, other: PolicyPointer): boolean {
  return (
    one?.version === other.version &&
    one.contentHash === other.contentHash &&
    one.source === other.source &&
    one.deployedHash === other.deployedHash
  );
}
