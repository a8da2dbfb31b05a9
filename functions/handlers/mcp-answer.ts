import type { Message } from '../core/action.ts';
import { type Denial, retryAfterSeconds } from '../core/denial.ts';
import { RPC_UPSTREAM } from '../core/denial-wire.ts';
import { EventSieve } from '../core/event-sieve.ts';
import { mcpResponseHeaders, mediaTypeOf } from '../core/forward.ts';
import type { Invocation } from '../core/invocation.ts';
import { rpcError, toMcpAnswer } from '../core/mcp-denial.ts';
import { mayBeNews } from '../core/news.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import type { Pruner } from '../core/prune.ts';
import { onBytes, SseFilter } from '../core/sse.ts';
import type { AccessFacts, AccessRecords, RecordPorts } from './access.ts';
import { discard, NULL_BODY_STATUSES, readStream } from './body.ts';
import { lookThroughJson } from './json-answer.ts';
import { OLD_SERVER_TEXT, refuseOldTransport } from './old-transport.ts';
import { denialProblem } from './problem.ts';
import { LOOK_AGAIN_MS, type RelayOptions, relay, type StillHolds } from './relay.ts';
import { readMcpAnswer } from './server-answer.ts';

/** What is looked at is read whole, an event or a body at a time; more than this is refused. */
const MAX_READ_BYTES = 16_000_000;
/** A server's word that a resource has changed is a few hundred bytes; a larger event is an answer, and passes as it comes. */
const MAX_NEWS_BYTES = 65_536;
const WITHDRAWN_TEXT = 'this call is not allowed any more';
const KEEP_ALIVE = { text: ': keep-alive\n\n', afterMs: 20_000 } as const;

/** An answer of the server behind, on its way to the client. */
export type Delivery = {
  readonly response: UpstreamResponse;
  /** What the client shall see, already sealed. */
  readonly sessionId: string | undefined;
  /** Undefined on GET and DELETE. */
  readonly message: Message | undefined;
  /** Did the client name a session, or is it a stream of its own? */
  readonly isInSession: boolean;
  /** Undefined where nothing in the answer needs to be looked at. */
  readonly pruner: Pruner | undefined;
  /** Takes away the news that the caller may not have; undefined for what cannot be read. For what no pruner looks at. */
  readonly withoutHiddenNews: Pruner;
  /** Would the call be admitted and allowed now? */
  readonly stillHolds: StillHolds;
  readonly records: AccessRecords;
  readonly facts: AccessFacts;
  readonly startedAtMs: number;
  readonly invocation: Invocation;
};

/** Relays an answer as it comes, pruned, while its caller may have it, and records how it ended. */
export async function deliver(ports: RecordPorts, delivery: Delivery): Promise<Response> {
  const { message, pruner, records, facts, startedAtMs, invocation, sessionId } = delivery;
  const { status } = delivery.response;
  const end = (reason: string) =>
    invocation.waitUntil(records.outcome(reason, facts, { status, startedAtMs }));
  const response = NULL_BODY_STATUSES.has(status)
    ? delivery.response
    : await readMcpAnswer(delivery.response);
  if (response === undefined) {
    const needsNoAnswer = status < 300 && facts.method !== 'GET' && message?.kind !== 'request';
    end(needsNoAnswer ? 'complete' : 'no_mcp_answer');
    return withoutAnswer(delivery);
  }
  const lost = ports.now() - startedAtMs < LOOK_AGAIN_MS ? undefined : await delivery.stillHolds();
  if (lost?.ok === false) {
    await discard(response.body);
    end(`withdrawn: ${lost.error.reason}`);
    return answerDenial(lost.error, message, invocation);
  }
  const isStream = mediaTypeOf(response.headers.get('content-type')) === 'text/event-stream';
  const headers = mcpResponseHeaders(response.headers);
  headers.set('x-request-id', invocation.requestId);
  headers.set('cache-control', 'no-store');
  if (sessionId !== undefined) headers.set('mcp-session-id', sessionId);
  if (isStream) headers.set('x-accel-buffering', 'no');

  if (NULL_BODY_STATUSES.has(status)) {
    await discard(response.body);
    end('complete');
    return new Response(null, { status, headers });
  }
  if (pruner !== undefined && !isStream) {
    const { body, withdrawal } = await readWhileHeld(response.body, delivery.stillHolds);
    if (withdrawal !== undefined) {
      end(`withdrawn: ${withdrawal.reason}`);
      return answerDenial(withdrawal, message, invocation);
    }
    const text = body === undefined ? undefined : new TextDecoder().decode(body);
    // An error of the server may be no JSON; then it lists nothing.
    const pruned = text === undefined ? undefined : (pruner(text) ?? (status >= 400 ? text : undefined));
    // Nothing of something is left where the answer was news alone.
    const isAnswer = pruned !== undefined && (pruned !== '' || text === '');
    end(isAnswer ? 'complete' : 'unreadable_list');
    if (isAnswer) return new Response(pruned, { status, headers });
    return answerDenial({ reason: 'unreachable', detail: 'unreadable list' }, message, invocation);
  }
  const failureEvent = (text: string) =>
    `event: message\ndata: ${upstreamError(message, text, invocation)}\n\n`;
  let refusedAs: string | undefined;
  const source = isStream
    ? refuseOldTransport(response.body, failureEvent(OLD_SERVER_TEXT), () => {
        refusedAs = 'old_transport';
      })
    : lookThroughJson(response.body, {
        maxBytes: MAX_NEWS_BYTES,
        mayPass: (bytes) => !mayBeNews(bytes) || isTold(bytes.toString(), delivery),
        refusal: upstreamError(message, 'the server behind gave no answer to this request', invocation),
        onRefusal: () => {
          refusedAs = 'no_mcp_answer';
        },
      });
  const body = relay(source, {
    ...(isStream
      ? {
          filter: filterOf(delivery),
          keepAlive: KEEP_ALIVE,
          onFailure: failureEvent('the server behind broke off'),
          onWithdrawal: failureEvent(WITHDRAWN_TEXT),
        }
      : {}),
    stillHolds: delivery.stillHolds,
    onEnd: (reason, error) => {
      if (error !== undefined) {
        const detail = error instanceof Error ? error.message : String(error);
        const event = reason === 'withdrawn' ? 'stream_withdrawn' : 'stream_failed';
        ports.log({ level: 'error', event, request_id: invocation.requestId, detail });
      }
      end(refusedAs ?? reason);
    },
  });
  return new Response(body, { status, headers });
}

function filterOf({ pruner, withoutHiddenNews }: Delivery): NonNullable<RelayOptions['filter']> {
  return pruner === undefined
    ? new EventSieve({ mayHide: mayBeNews, rewrite: withoutHiddenNews }, MAX_NEWS_BYTES)
    : onBytes(new SseFilter(pruner, MAX_READ_BYTES));
}

function isTold(text: string, { withoutHiddenNews }: Delivery): boolean {
  return withoutHiddenNews(text) === text;
}

/** Reads a body as it is relayed: who may not have it any more is not kept waiting for its end. Neither: it cannot be read. */
async function readWhileHeld(
  source: ReadableStream<Uint8Array>,
  stillHolds: StillHolds,
): Promise<{ readonly body?: Uint8Array | undefined; readonly withdrawal?: Denial }> {
  let withdrawal: Denial | undefined;
  const look: StillHolds = async () => {
    const held = await stillHolds();
    if (!held.ok) withdrawal = held.error;
    return held;
  };
  const body = await readStream(relay(source, { stillHolds: look, onEnd: () => {} }), MAX_READ_BYTES).catch(
    () => undefined,
  );
  return withdrawal === undefined ? { body } : { withdrawal };
}

/**
 * What the client gets where the server behind said nothing that is MCP. Its refusal stands by its status, which clients act on (404: the
 * session is over), and so does its consent to what needs no answer; anything else is a server that failed.
 */
function withoutAnswer({ response, message, isInSession, invocation }: Delivery): Response {
  const { status, headers: given } = response;
  const isRefusal = status >= 400 && status < 500;
  if (!isRefusal && (status >= 500 || message?.kind === 'request')) {
    return answerDenial(
      { reason: 'unreachable', detail: `the upstream answered ${status}` },
      message,
      invocation,
    );
  }
  const headers = mcpResponseHeaders(given);
  headers.set('cache-control', 'no-store');
  headers.set('x-request-id', invocation.requestId);
  headers.delete('content-type');
  if (!isRefusal || message === undefined) return new Response(null, { status, headers });
  headers.set('content-type', 'application/json');
  const isOldTransport = status === 405 || (status === 404 && !isInSession);
  const text = isOldTransport ? OLD_SERVER_TEXT : 'the server behind refused the request';
  return new Response(upstreamError(message, text, invocation), { status, headers });
}

function upstreamError(message: Message | undefined, text: string, { requestId }: Invocation): string {
  return rpcError(message?.id, RPC_UPSTREAM, text, { request_id: requestId });
}

/** A denial in the form that the request's kind asks for: of the protocol where a message was read, a problem elsewhere. */
export function answerDenial(denial: Denial, message: Message | undefined, invocation: Invocation): Response {
  if (message === undefined && denial.reason !== 'malformed_message') {
    return denialProblem(denial, invocation.requestId);
  }
  const { status, body } = toMcpAnswer(denial, message, invocation.requestId);
  const retryAfter = retryAfterSeconds(denial);
  return new Response(body, {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-request-id': invocation.requestId,
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
  });
}
