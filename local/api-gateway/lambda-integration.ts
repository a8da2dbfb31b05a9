import type { ServerResponse } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Json } from '../json.ts';
import type { Lambda } from '../lambda.ts';
import { parsePrelude, parseProxyResponse, type ResponseHead } from './proxy-response.ts';

/** Silence after which a regional API cuts a stream. */
const STREAM_IDLE_MS = 5 * 60 * 1000;

/**
 * Does a client that goes away end its function's stream? On AWS it does not (`unreported`): the function runs on, to its own end, and
 * what it still writes goes nowhere.
 */
export type Disconnects = 'reported' | 'unreported';

/** One call of a Lambda proxy integration. */
export type ProxyCall = {
  readonly functionId: string;
  readonly event: APIGatewayProxyEvent;
  readonly timeoutMs: number;
  readonly requestId: string;
  /** Writes status and headers to the client. */
  readonly writeHead: (head: ResponseHead, bodyBytes: number | undefined) => void;
  /** Answers with a gateway response; called only before `writeHead`. */
  readonly fail: (responseType: string) => void;
};

/** Calls a function and answers with its whole answer. A timeout answers the client; the function runs on, as on AWS. */
export async function answerBuffered(
  lambda: Lambda,
  call: ProxyCall,
  response: ServerResponse,
  isBinaryAllowed: boolean,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, call.timeoutMs, 'late');
  });
  const invocation = lambda.invoke(call.functionId, toJson(call.event), { requestId: call.requestId });
  const outcome = await Promise.race([invocation, late]);
  clearTimeout(timer);
  if (outcome === 'late') return call.fail('INTEGRATION_TIMEOUT');
  const answer =
    outcome.kind === 'returned' ? parseProxyResponse(outcome.payload, isBinaryAllowed) : undefined;
  if (answer === undefined) return call.fail(failureOf(outcome));
  call.writeHead(answer, answer.body.length);
  response.end(answer.body);
}

/**
 * Calls a function and passes its bytes on as they come, no faster than the client takes them. Before the prelude a failure
 * is a gateway response; after it, the connection is cut, so that the client sees that the answer is not whole.
 */
export async function answerStreamed(
  lambda: Lambda,
  call: ProxyCall,
  response: ServerResponse,
  disconnects: Disconnects,
): Promise<void> {
  const gone = new AbortController();
  if (disconnects === 'reported') {
    // It may have left while the authorizer was deciding.
    if (response.destroyed) gone.abort();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
  }
  let isOver = false;
  const abandon = (responseType: string) => {
    if (isOver) return;
    isOver = true;
    if (response.headersSent) response.destroy();
    else call.fail(responseType);
  };
  const whole = setTimeout(abandon, call.timeoutMs, 'INTEGRATION_TIMEOUT');
  const silence = setTimeout(abandon, STREAM_IDLE_MS, 'INTEGRATION_TIMEOUT');
  let head = Buffer.alloc(0);
  const onChunk = (chunk: Uint8Array): Promise<void> | void => {
    silence.refresh();
    if (isOver || response.destroyed) return;
    if (response.headersSent) return write(response, chunk);
    head = Buffer.concat([head, chunk]);
    const prelude = parsePrelude(head);
    if (prelude === 'incomplete') return;
    if (prelude === 'malformed') return abandon('INTEGRATION_FAILURE');
    call.writeHead(prelude.head, undefined);
    response.flushHeaders();
    if (prelude.rest.length > 0) return write(response, prelude.rest);
  };
  const outcome = await lambda.invoke(call.functionId, toJson(call.event), {
    requestId: call.requestId,
    onChunk,
    gone: gone.signal,
  });
  clearTimeout(whole);
  clearTimeout(silence);
  if (outcome.kind === 'streamed' && response.headersSent && !isOver) response.end();
  else abandon(failureOf(outcome));
}

/** Resolves when the client has room for more, or is gone. */
function write(response: ServerResponse, bytes: Uint8Array): Promise<void> | void {
  if (bytes.length === 0 || response.write(bytes)) return;
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.once('drain', settle);
    response.once('close', settle);
  });
}

function failureOf(outcome: Awaited<ReturnType<Lambda['invoke']>>): string {
  const isTooLarge =
    outcome.kind === 'failed' && outcome.error.errorType === 'RequestEntityTooLargeException';
  return isTooLarge ? 'REQUEST_TOO_LARGE' : 'INTEGRATION_FAILURE';
}

function toJson(event: APIGatewayProxyEvent): Json {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the event is made of JSON values alone
  return event as unknown as Json;
}
