import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { postSigned } from './signed-post.ts';

/** An attribute value in DynamoDB's own JSON: strings, numbers as text, lists of strings. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly L: readonly { readonly S: string }[] };

/** An item in DynamoDB's own JSON. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** A conditional write whose condition did not hold. */
export type ConditionFailed = { readonly reason: 'condition_failed' };

/** The few DynamoDB calls that deciding needs. */
export type Dynamo = {
  /** `attempts`: 3 where nothing is said; 1 for what must not be done twice. */
  call(
    operation: string,
    input: unknown,
    options?: { readonly attempts?: number },
  ): Promise<Result<unknown, Unavailable | ConditionFailed>>;
};

const ATTEMPT_TIMEOUT_MS = 1500;
const ATTEMPTS = 3;
const RETRY_DELAY_MS = 50;
/** The longest that one call takes, with all its attempts and the waits before them. */
export const CALL_MS = ATTEMPTS * ATTEMPT_TIMEOUT_MS + (RETRY_DELAY_MS * (ATTEMPTS * (ATTEMPTS + 1) - 2)) / 2;
/** Errors that a second try may cure (DynamoDB developer guide, error handling). */
const RETRYABLE =
  /ProvisionedThroughputExceeded|Throttling|RequestLimitExceeded|InternalServerError|TransactionInProgress/;

/**
 * A DynamoDB client in a few lines: SigV4 over `fetch`, no SDK, because every start of the authorizer would pay for one
 * (100 ms of import). Credentials, region and endpoint are read from the environment at each call, as Lambda rotates them
 * there. Three attempts of at most 1.5 s each; what stays unanswered is `unavailable`.
 */
export function createDynamo(environment: NodeJS.ProcessEnv = process.env): Dynamo {
  return {
    async call(operation, input, { attempts = ATTEMPTS } = {}) {
      let detail = '';
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS * attempt));
        const answer = await attemptCall(environment, operation, JSON.stringify(input));
        if (answer.ok) return answer;
        if (answer.error.reason === 'condition_failed') return err({ reason: 'condition_failed' });
        detail = `dynamodb ${operation}: ${answer.error.detail}`;
        if (!answer.error.retryable) break;
      }
      return err({ reason: 'unavailable', detail });
    },
  };
}

type AttemptFailure =
  | ConditionFailed
  | { readonly reason: 'failed'; readonly detail: string; readonly retryable: boolean };

async function attemptCall(
  environment: NodeJS.ProcessEnv,
  operation: string,
  body: string,
): Promise<Result<unknown, AttemptFailure>> {
  try {
    const response = await postSigned(environment, {
      service: 'dynamodb',
      endpoint: environment['AWS_ENDPOINT_URL_DYNAMODB'],
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
      },
      body,
      timeoutMs: ATTEMPT_TIMEOUT_MS,
    });
    if (response.ok) return ok(await response.json());
    const text = await response.text();
    const [type = 'no error type'] = /[A-Za-z]+(?:Exception|Error|Exceeded)/.exec(text) ?? [];
    if (type === 'ConditionalCheckFailedException') return err({ reason: 'condition_failed' });
    const retryable = response.status >= 500 || RETRYABLE.test(type);
    return err({ reason: 'failed', detail: `${response.status} ${type}`, retryable });
  } catch (error) {
    const detail = error instanceof Error ? error.name : 'unknown failure';
    return err({ reason: 'failed', detail, retryable: detail !== 'TimeoutError' });
  }
}

/** Reads items by key, strongly consistent; a partial answer is `unavailable`. At most 100 keys (DynamoDB API reference). */
export async function batchGet(
  dynamo: Dynamo,
  table: string,
  keys: readonly Item[],
): Promise<Result<readonly Item[], Unavailable>> {
  const answer = await dynamo.call('BatchGetItem', {
    RequestItems: { [table]: { Keys: keys, ConsistentRead: true } },
  });
  if (!answer.ok) {
    const detail = answer.error.reason === 'unavailable' ? answer.error.detail : 'unexpected condition';
    return err({ reason: 'unavailable', detail });
  }
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a BatchGetItem answer (DynamoDB API reference)
  const { Responses, UnprocessedKeys } = answer.value as {
    Responses?: Record<string, Item[]>;
    UnprocessedKeys?: Record<string, unknown>;
  };
  if (Object.keys(UnprocessedKeys ?? {}).length > 0) {
    return err({ reason: 'unavailable', detail: 'a partial answer' });
  }
  const items = Responses?.[table];
  // Nothing found is an empty list. Where there is none, nobody knows what was found.
  return Array.isArray(items)
    ? ok(items)
    : err({ reason: 'unavailable', detail: 'an answer without the table' });
}

/** A string attribute of an item; undefined where it is absent or of another type. */
export function readString(item: Item, name: string): string | undefined {
  const value = item[name];
  return value !== undefined && 'S' in value ? value.S : undefined;
}

/** A whole-number attribute of an item; undefined where it is absent or of another type. */
export function readNumber(item: Item, name: string): number | undefined {
  const value = item[name];
  const number = value !== undefined && 'N' in value ? Number(value.N) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
