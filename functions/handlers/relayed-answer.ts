import { EventSieve } from '../core/event-sieve.ts';
import { mayBeNews } from '../core/news.ts';
import { onBytes, SseFilter } from '../core/sse.ts';
import type { RecordPorts } from './access.ts';
import { type Answer, type Delivery, MAX_READ_BYTES, upstreamError } from './delivery.ts';
import { lookThroughJson } from './json-answer.ts';
import { OLD_SERVER_TEXT, refuseOldTransport } from './old-transport.ts';
import { type RelayEnd, type RelayOptions, relay } from './relay.ts';

/** A server's word that a resource has changed is a few hundred bytes; a larger event is an answer, and passes as it comes. */
const MAX_NEWS_BYTES = 65_536;
const WITHDRAWN_TEXT = 'this call is not allowed any more';
const KEEP_ALIVE = { text: ': keep-alive\n\n', afterMs: 20_000 } as const;

/** An event stream as it comes, pruned an event at a time, while its caller may have it. Silence is filled with comments. */
export function relayedStream(ports: RecordPorts, answer: Answer, delivery: Delivery): Response {
  const failureEvent = (text: string) => `event: message\ndata: ${upstreamError(text, delivery)}\n\n`;
  let refusedAs: string | undefined;
  const source = refuseOldTransport(answer.body, failureEvent(OLD_SERVER_TEXT), () => {
    refusedAs = 'old_transport';
  });
  const body = relay(source, {
    filter: filterOf(delivery),
    keepAlive: KEEP_ALIVE,
    onFailure: failureEvent('the server behind broke off'),
    onWithdrawal: failureEvent(WITHDRAWN_TEXT),
    stillHolds: delivery.stillHolds,
    onEnd: (reason, error) => ended(ports, answer, delivery, { reason, error, refusedAs }),
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
}

/** An answer in JSON that no list is expected in, as it comes, while its caller may have it. */
export function relayedJson(ports: RecordPorts, answer: Answer, delivery: Delivery): Response {
  let refusedAs: string | undefined;
  const source = lookThroughJson(answer.body, {
    maxBytes: MAX_NEWS_BYTES,
    mayPass: (bytes) => !mayBeNews(bytes) || isTold(bytes.toString(), delivery),
    refusal: upstreamError('the server behind gave no answer to this request', delivery),
    onRefusal: () => {
      refusedAs = 'no_mcp_answer';
    },
  });
  const body = relay(source, {
    stillHolds: delivery.stillHolds,
    onEnd: (reason, error) => ended(ports, answer, delivery, { reason, error, refusedAs }),
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
}

function ended(
  { log }: RecordPorts,
  { end }: Answer,
  { invocation }: Delivery,
  how: { readonly reason: RelayEnd; readonly error: unknown; readonly refusedAs: string | undefined },
): void {
  const { reason, error, refusedAs } = how;
  if (error !== undefined) {
    const detail = error instanceof Error ? error.message : String(error);
    const event = reason === 'withdrawn' ? 'stream_withdrawn' : 'stream_failed';
    log({ level: 'error', event, request_id: invocation.requestId, detail });
  }
  end(refusedAs ?? reason);
}

function filterOf({ pruner, withoutHiddenNews }: Delivery): NonNullable<RelayOptions['filter']> {
  return pruner === undefined
    ? new EventSieve({ mayHide: mayBeNews, rewrite: withoutHiddenNews }, MAX_NEWS_BYTES)
    : onBytes(new SseFilter(pruner, MAX_READ_BYTES));
}

function isTold(text: string, { withoutHiddenNews }: Delivery): boolean {
  return withoutHiddenNews(text) === text;
}
