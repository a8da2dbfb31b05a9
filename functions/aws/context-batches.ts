import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DeleteItemCommandInput,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';

type Row = Record<string, AttributeValue>;

/** Keys of one BatchGetItem and items of one BatchWriteItem (DynamoDB API reference). */
const GET_BATCH = 100;
const WRITE_BATCH = 25;

/** Bytes of content in one BatchWriteItem: it has to be through within an SDK call's time. */
const WRITE_BATCH_BYTES = 1_000_000;

/**
 * Batches of writes that are under way at once. The index of one document may be as many rows as a partition takes in a second, so what is
 * left undone or throttled is tried again, after random waits that grow: some two and a half seconds of them at most.
 */
const WRITES_AT_ONCE = 4;
const DELETES_AT_ONCE = 25;
const BATCH_ATTEMPTS = 6;
const BATCH_DELAY_MS = 50;
const MAX_BATCH_DELAY_MS = 1_000;

/** DynamoDB throttles a batch as a whole where it would do none of it (API reference, BatchWriteItem). */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
]);

/** A delete that has a condition, which no batch can have. */
type Removal = Omit<DeleteItemCommandInput, 'TableName'>;

/** Reads and writes of many rows of the context table, in batches; what a batch leaves undone is asked for again. */
export function createContextBatches(client: DynamoDBClient, tableName: string) {
  const writeBatch = async (requests: readonly WriteRequest[]): Promise<Result<void, Unavailable>> => {
    let left: WriteRequest[] = [...requests];
    for (let tried = 0; tried < BATCH_ATTEMPTS; tried += 1) {
      if (tried > 0) await pause(tried);
      const command = new BatchWriteItemCommand({ RequestItems: { [tableName]: left } });
      const output = await attemptBatch(client.send(command));
      if (!output.ok) return output;
      if (output.value === 'throttled') continue;
      left = output.value.UnprocessedItems?.[tableName] ?? [];
      if (left.length === 0) return ok(undefined);
    }
    return err({ reason: 'unavailable', detail: 'context table: a batch stayed unwritten' });
  };
  const getBatch = async (keys: readonly Row[]): Promise<Result<readonly Row[], Unavailable>> => {
    const rows: Row[] = [];
    let left: Row[] = [...keys];
    for (let tried = 0; tried < BATCH_ATTEMPTS; tried += 1) {
      if (tried > 0) await pause(tried);
      const RequestItems = { [tableName]: { Keys: left, ConsistentRead: true } };
      const output = await attemptBatch(client.send(new BatchGetItemCommand({ RequestItems })));
      if (!output.ok) return output;
      if (output.value === 'throttled') continue;
      rows.push(...(output.value.Responses?.[tableName] ?? []));
      left = output.value.UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (left.length === 0) return ok(rows);
    }
    return err({ reason: 'unavailable', detail: 'context table: a batch stayed unread' });
  };
  const removeOne = async (input: Removal): Promise<Result<void, Unavailable>> => {
    for (let tried = 0; tried < BATCH_ATTEMPTS; tried += 1) {
      if (tried > 0) await pause(tried);
      const command = new DeleteItemCommand({ TableName: tableName, ...input });
      const output = await attemptBatch(deleted(client.send(command)));
      if (!output.ok) return output;
      if (output.value !== 'throttled') return ok(undefined);
    }
    return err({ reason: 'unavailable', detail: 'context table: a row stayed undeleted' });
  };
  return {
    /** The rows that there are, in any order. */
    async get(keys: readonly Row[]): Promise<Result<readonly Row[], Unavailable>> {
      const found: Row[] = [];
      for (const batch of inGroups(keys, GET_BATCH)) {
        const rows = await getBatch(batch);
        if (!rows.ok) return rows;
        found.push(...rows.value);
      }
      return ok(found);
    },

    /** In no order, and not all at once. */
    write: (requests: readonly WriteRequest[]): Promise<Result<void, Unavailable>> =>
      eachOf(toBatches(requests), WRITES_AT_ONCE, writeBatch),

    /** Deletes each row of which its condition holds, in no order. */
    remove: (inputs: readonly Removal[]): Promise<Result<void, Unavailable>> =>
      eachOf(inputs, DELETES_AT_ONCE, removeOne),
  };
}

/** Some of it at a time, until one fails. */
async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<Result<void, Unavailable>>,
): Promise<Result<void, Unavailable>> {
  for (const group of inGroups(items, atOnce)) {
    const done = await Promise.all(group.map(act));
    const failed = done.find((one) => !one.ok);
    if (failed !== undefined) return failed;
  }
  return ok(undefined);
}

/** A delete whose condition does not hold has nothing to delete. */
async function deleted(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/** The answer, or that there is none: whatever the SDK throws is a table that cannot be reached now. */
export async function attempt<T>(answer: Promise<T>): Promise<Result<T, Unavailable>> {
  try {
    return ok(await answer);
  } catch (error) {
    return err(toUnavailable(error));
  }
}

/** The same of a batch, of which all was throttled: that is no failure yet. */
async function attemptBatch<T>(answer: Promise<T>): Promise<Result<T | 'throttled', Unavailable>> {
  try {
    return ok(await answer);
  } catch (error) {
    const isThrottled = error instanceof Error && THROTTLED.has(error.name);
    return isThrottled ? ok('throttled') : err(toUnavailable(error));
  }
}

/** What the SDK threw, for the operator. */
export function toUnavailable(error: unknown): Unavailable {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { reason: 'unavailable', detail: `context table: ${detail}` };
}

/** Requests in batches that are neither too many nor too large. */
function toBatches(requests: readonly WriteRequest[]): readonly (readonly WriteRequest[])[] {
  const batches: WriteRequest[][] = [];
  let bytes = 0;
  for (const request of requests) {
    const size = request.PutRequest?.Item?.['bytes']?.B?.length ?? 0;
    const last = batches.at(-1);
    if (last !== undefined && last.length < WRITE_BATCH && bytes + size <= WRITE_BATCH_BYTES) {
      last.push(request);
      bytes += size;
    } else {
      batches.push([request]);
      bytes = size;
    }
  }
  return batches;
}

function inGroups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function pause(tried: number): Promise<void> {
  const delayMs = Math.min(BATCH_DELAY_MS * 2 ** tried, MAX_BATCH_DELAY_MS);
  return new Promise((resolve) => setTimeout(resolve, delayMs * Math.random()));
}
