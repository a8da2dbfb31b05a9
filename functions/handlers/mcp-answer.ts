import { mcpResponseHeaders, mediaTypeOf } from '../core/forward.ts';
import type { RecordPorts } from './access.ts';
import { discard, NULL_BODY_STATUSES } from './body.ts';
import { answerDenial, type Delivery } from './delivery.ts';
import { withoutAnswer } from './no-answer.ts';
import { prunedAnswer } from './pruned-answer.ts';
import { LOOK_AGAIN_MS } from './relay.ts';
import { relayedJson, relayedStream } from './relayed-answer.ts';
import { readMcpAnswer } from './server-answer.ts';

/** Relays an answer as it comes, pruned, while its caller may have it, and records how it ended. */
export async function deliver(ports: RecordPorts, delivery: Delivery): Promise<Response> {
  const { message, pruner, records, facts, startedAtMs, invocation, sessionId } = delivery;
  const { status } = delivery.response;
  const end = (reason: string) =>
    invocation.waitUntil(records.outcome(reason, facts, { status, startedAtMs }));
  const isNullBody = NULL_BODY_STATUSES.has(status);
  const response = isNullBody ? delivery.response : await readMcpAnswer(delivery.response);
  if (response === undefined) return withoutAnswer(delivery, end);
  const { body } = response;
  const lost = ports.now() - startedAtMs < LOOK_AGAIN_MS ? undefined : await delivery.stillHolds();
  if (lost?.ok === false) {
    await discard(body);
    end(`withdrawn: ${lost.error.reason}`);
    return answerDenial(lost.error, message, invocation);
  }
  const isStream = mediaTypeOf(response.headers.get('content-type')) === 'text/event-stream';
  const headers = mcpResponseHeaders(response.headers);
  headers.set('x-request-id', invocation.requestId);
  headers.set('cache-control', 'no-store');
  if (sessionId !== undefined) headers.set('mcp-session-id', sessionId);
  if (isStream) headers.set('x-accel-buffering', 'no');

  if (isNullBody) {
    await discard(body);
    end('complete');
    return new Response(null, { status, headers });
  }
  const answer = { status, headers, body, end };
  if (isStream) return relayedStream(ports, answer, delivery);
  return pruner === undefined ? relayedJson(ports, answer, delivery) : prunedAnswer(answer, delivery, pruner);
}
