import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Thrown where a process would have died. */
export class Died extends Error {}

/**
 * Makes a client die at its write number `at`, counted from 0: before the write is sent, or after it was done and before its answer came.
 * From then on every call dies.
 */
export function dieAtWrite(
  client: DynamoDBClient,
  at: number,
  when: 'before' | 'after',
): { readonly writes: () => number } {
  let writes = 0;
  let isDead = false;
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (isDead) throw new Died('dead already');
    if (!/Put|Update|Delete|Write/.test(commandName)) return next(args);
    const number = writes;
    writes += 1;
    if (number !== at) return next(args);
    isDead = true;
    if (when === 'after') await next(args);
    throw new Died(`died ${when} write ${at}`);
  });
  return { writes: () => writes };
}

/** Is it a command of this sort? The input is as JSON. */
export type IsCommand = (command: string, input: string) => boolean;

/** When a test acts: `lost` is after a command was done whose answer is lost, so that the SDK sends it once more. */
export type When = 'before' | 'after' | 'lost';

/** Is it the first command of this sort? */
export function first(isIt: IsCommand): IsCommand & { readonly wasMet: () => boolean } {
  let wasMet = false;
  const isFirst: IsCommand = (command, input) => {
    if (wasMet || !isIt(command, input)) return false;
    wasMet = true;
    return true;
  };
  return Object.assign(isFirst, { wasMet: () => wasMet });
}

/** Makes a client do something before or after every one of its commands that `isIt`. */
export function meddle(
  client: DynamoDBClient,
  isIt: IsCommand,
  act: () => Promise<unknown>,
  when: When = 'before',
): DynamoDBClient {
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    const isNow = isIt(commandName, JSON.stringify(args.input));
    if (isNow && when === 'before') await act();
    const answer = await next(args);
    if (isNow && when !== 'before') await act();
    return isNow && when === 'lost' ? next(args) : answer;
  });
  return client;
}

/** Makes a client act before its write number `at`, counted from 0. Says how many writes there were. */
export function actAtWrite(
  client: DynamoDBClient,
  at: number,
  act: () => Promise<unknown>,
): { readonly writes: () => number } {
  let writes = 0;
  meddle(
    client,
    (command) => {
      if (!/Put|Update|Delete|Write/.test(command)) return false;
      writes += 1;
      return writes === at + 1;
    },
    act,
  );
  return { writes: () => writes };
}

/** Counts what a client's writes carry: rows, and bytes of content. */
export function countWrites(client: DynamoDBClient): {
  readonly rows: () => number;
  readonly contentBytes: () => number;
} {
  let rows = 0;
  let contentBytes = 0;
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (/Put|Update|Delete|Write/.test(commandName)) {
      for (const row of rowsIn(args.input)) {
        rows += 1;
        contentBytes += row.bytes;
      }
    }
    return next(args);
  });
  return { rows: () => rows, contentBytes: () => contentBytes };
}

function rowsIn(input: object): readonly { readonly bytes: number }[] {
  const batches: unknown = 'RequestItems' in input ? input.RequestItems : undefined;
  const requests =
    typeof batches === 'object' && batches !== null ? Object.values(batches).flat() : [{ PutRequest: input }];
  return requests.map((request) => ({ bytes: request?.PutRequest?.Item?.bytes?.B?.length ?? 0 }));
}
