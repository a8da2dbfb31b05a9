import { mcpResponseHeaders } from '../core/forward.ts';
import { answerDenial, type Delivery, upstreamError } from './delivery.ts';
import { OLD_SERVER_TEXT } from './old-transport.ts';

/**
 * What the client gets where the server behind said nothing that is MCP. Its refusal stands by its status, which clients act on (404: the
 * session is over), and so does its consent to what needs no answer; anything else is a server that failed.
 */
export function withoutAnswer(delivery: Delivery, end: (reason: string) => void): Response {
  const { response, message, facts, isInSession, invocation } = delivery;
  const { status, headers: given } = response;
  const needsNoAnswer = status < 300 && facts.method !== 'GET' && message?.kind !== 'request';
  end(needsNoAnswer ? 'complete' : 'no_mcp_answer');
  const isRefusal = status >= 400 && status < 500;
  if (!isRefusal && (status >= 500 || message?.kind === 'request')) {
    const detail = `the upstream answered ${status}`;
    return answerDenial({ reason: 'unreachable', detail }, message, invocation);
  }
  const headers = mcpResponseHeaders(given);
  headers.set('cache-control', 'no-store');
  headers.set('x-request-id', invocation.requestId);
  headers.delete('content-type');
  if (!isRefusal || message === undefined) return new Response(null, { status, headers });
  headers.set('content-type', 'application/json');
  const isOldTransport = status === 405 || (status === 404 && !isInSession);
  const text = isOldTransport ? OLD_SERVER_TEXT : 'the server behind refused the request';
  return new Response(upstreamError(text, delivery), { status, headers });
}
