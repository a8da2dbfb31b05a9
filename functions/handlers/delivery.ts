import type { Message } from '../core/action.ts';
import { type Denial, retryAfterSeconds } from '../core/denial.ts';
import { RPC_UPSTREAM } from '../core/denial-wire.ts';
import type { Invocation } from '../core/invocation.ts';
import { rpcError, toMcpAnswer } from '../core/mcp-denial.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import type { Pruner } from '../core/prune.ts';
import type { AccessFacts, AccessRecords } from './access.ts';
import { denialProblem } from './problem.ts';
import type { StillHolds } from './relay.ts';

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

/** An answer with its head made ready, and the server's own body. `end` records how it ended, and is called once. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array>;
  readonly end: (reason: string) => void;
};

/** What is pruned is read whole, an event or a body at a time; more than this is refused. */
export const MAX_READ_BYTES = 16_000_000;

/** What a client is told, as JSON-RPC, of a server behind that failed it. */
export function upstreamError(text: string, { message, invocation }: Delivery): string {
  return rpcError(message?.id, RPC_UPSTREAM, text, { request_id: invocation.requestId });
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
