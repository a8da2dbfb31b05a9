import { type Message, readMessage, toAction } from '../core/action.ts';
import type { Caller } from '../core/caller.ts';
import { decide, decideServer } from '../core/decide.ts';
import { type Denial, rpcError, toMcpAnswer } from '../core/denial.ts';
import { isUtf8Json, mcpResponseHeaders, mediaTypeOf } from '../core/forward.ts';
import type { Invocation } from '../core/invocation.ts';
import { writeJson } from '../core/json.ts';
import type { Policy } from '../core/policy.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import { createPruner, type Pruner } from '../core/prune.ts';
import { err, type Result } from '../core/result.ts';
import { NAME } from '../core/route.ts';
import { SseFilter } from '../core/sse.ts';
import { type AccessFacts, type AccessRecords, accessRecords, type RecordPorts } from './access.ts';
import { discard, NULL_BODY_STATUSES, readBody, readStream } from './body.ts';
import type { Admission, Ingress } from './ingress.ts';
import { denialProblem } from './problem.ts';
import { relay } from './relay.ts';
import { readMcpAnswer } from './server-answer.ts';

/** One admitted and decided call, ready for the server behind. */
export type McpCall = {
  readonly caller: Caller;
  readonly policy: Policy;
  readonly tokenHeader: Admission['tokenHeader'];
  readonly server: string;
  readonly httpMethod: 'POST' | 'GET' | 'DELETE';
  /** The bytes that were decided on, written again; undefined on GET and DELETE. */
  readonly body: Uint8Array | undefined;
  readonly era: Message['era'];
  readonly headers: Headers;
  readonly invocation: Invocation;
};

/** The server behind: an upstream, or one of our own. `sessionId` is what the client shall see, already sealed. */
export type McpBackend = {
  /** Refuses what this server does not take at all, before anything is decided. */
  accepts(policy: Policy, server: string, httpMethod: McpCall['httpMethod']): boolean;
  send(
    call: McpCall,
  ): Promise<Result<{ readonly response: UpstreamResponse; readonly sessionId?: string }, Denial>>;
};

/** The ports of an MCP endpoint. */
export type McpPorts = RecordPorts & {
  readonly ingress: Ingress;
  readonly backend: McpBackend;
  /** Browser origins that may call; any other `Origin` is refused. */
  readonly allowedOrigins: readonly string[];
};

/** What may hold a list is read whole to be pruned, an event or a body at a time; more than this is refused. */
const MAX_LIST_BYTES = 16_000_000;
const KEEP_ALIVE = { text: ': keep-alive\n\n', afterMs: 20_000 } as const;

/**
 * Serves one request on `/{server}/mcp`. In this order: origin, token (again: the authorizer's word is not taken), server, HTTP method,
 * media type, size, message, decision, audit record, server behind. The answer is relayed as it comes; lists are pruned by the
 * predicate that decides calls.
 */
export async function serveMcp(
  ports: McpPorts,
  request: Request,
  server: string,
  invocation: Invocation,
): Promise<Response> {
  const { headers } = request;
  const facts: AccessFacts = { area: 'access', server };
  const admission = await admit(ports, headers, server, invocation);
  if (!admission.ok) {
    await accessRecords(ports, invocation, headers).deny(admission.error, { area: 'access' });
    return answer(admission.error, undefined, invocation);
  }
  const { caller, policy } = admission.value;
  const records = accessRecords(ports, invocation, headers, { caller, policy });
  const refuse = async (denial: Denial, message?: Message): Promise<Response> => {
    await records.deny(denial, { ...facts, method: message?.method, name: message?.name });
    return answer(denial, message, invocation);
  };

  if (!NAME.test(server) || !policy.hasServer(server, caller)) {
    return refuse({ reason: 'unknown_server', obtainable: [] });
  }
  const httpMethod = httpMethodOf(request.method);
  if (httpMethod === undefined || !ports.backend.accepts(policy, server, httpMethod)) {
    return refuse({ reason: 'method_not_allowed' });
  }
  const read = httpMethod === 'POST' ? await readPost(request) : undefined;
  if (read !== undefined && !read.ok) return refuse(read.error);
  const message = read?.value;
  const decision =
    message === undefined
      ? decideServer(policy, caller, server)
      : decide(policy, caller, toAction(server, message));
  if (!decision.allow) return refuse(decision.refusal, message);

  const decided: AccessFacts = { ...facts, method: message?.method ?? httpMethod, name: message?.name };
  const written = await records.allow(decision.at, decided);
  if (!written.ok) return refuse(written.error, message);
  const startedAtMs = ports.now();
  const sent = await ports.backend.send({
    caller,
    policy,
    tokenHeader: admission.value.tokenHeader,
    server,
    httpMethod,
    body: message === undefined ? undefined : Buffer.from(writeJson(message.body)),
    era: message?.era ?? 'legacy',
    headers,
    invocation,
  });
  if (!sent.ok) {
    await records.failed(sent.error, decided, startedAtMs);
    return answer(sent.error, message, invocation);
  }
  const isInSession = httpMethod === 'GET' || (message?.era === 'legacy' && headers.has('mcp-session-id'));
  const pruner =
    httpMethod === 'DELETE' ? undefined : createPruner(policy, caller, server, message, isInSession);
  return deliver(ports, sent.value, { message, pruner, records, facts: decided, startedAtMs, invocation });
}

async function admit(
  ports: McpPorts,
  headers: Headers,
  server: string,
  invocation: Invocation,
): Promise<Result<Admission, Denial>> {
  const origin = headers.get('origin');
  if (origin !== null && !ports.allowedOrigins.includes(origin)) return err({ reason: 'forbidden_origin' });
  return ports.ingress.authenticate(headers, { kind: 'mcp', server }, invocation.origin);
}

async function readPost(request: Request): Promise<Result<Message, Denial>> {
  if (!isUtf8Json(request.headers.get('content-type'))) return err({ reason: 'unsupported_media_type' });
  const body = await readBody(request);
  return body === undefined ? err({ reason: 'payload_too_large' }) : readMessage(body, request.headers);
}

function httpMethodOf(method: string): McpCall['httpMethod'] | undefined {
  return method === 'POST' || method === 'GET' || method === 'DELETE' ? method : undefined;
}

type Delivery = {
  readonly message: Message | undefined;
  readonly pruner: Pruner | undefined;
  readonly records: AccessRecords;
  readonly facts: AccessFacts;
  readonly startedAtMs: number;
  readonly invocation: Invocation;
};

async function deliver(
  ports: McpPorts,
  sent: { readonly response: UpstreamResponse; readonly sessionId?: string },
  delivery: Delivery,
): Promise<Response> {
  const { message, pruner, records, facts, startedAtMs, invocation } = delivery;
  const { sessionId } = sent;
  const { status } = sent.response;
  const end = (reason: string) =>
    invocation.waitUntil(records.outcome(reason, facts, { status, startedAtMs }));
  const response = NULL_BODY_STATUSES.has(status) ? sent.response : await readMcpAnswer(sent.response);
  if (response === undefined) {
    const needsNoAnswer = status < 300 && facts.method !== 'GET' && message?.kind !== 'request';
    end(needsNoAnswer ? 'complete' : 'no_mcp_answer');
    return withoutAnswer(sent.response, message, invocation);
  }
  const isStream = mediaTypeOf(response.headers.get('content-type')) === 'text/event-stream';
  const headers = mcpResponseHeaders(response.headers);
  headers.set('x-request-id', invocation.requestId);
  headers.set('cache-control', 'no-store');
  if (sessionId !== undefined) headers.set('mcp-session-id', sessionId);
  if (isStream) headers.set('x-accel-buffering', 'no');

  if (pruner !== undefined && !isStream) {
    const body = await readStream(response.body, MAX_LIST_BYTES).catch(() => undefined);
    const text = body === undefined ? undefined : new TextDecoder().decode(body);
    // An error of the server may be no JSON; then it lists nothing.
    const pruned = text === undefined ? undefined : (pruner(text) ?? (status >= 400 ? text : undefined));
    end(pruned === undefined ? 'unreadable_list' : 'complete');
    if (pruned !== undefined) return new Response(pruned, { status, headers });
    return answer({ reason: 'unreachable', detail: 'unreadable list' }, message, invocation);
  }
  if (NULL_BODY_STATUSES.has(status)) {
    await discard(response.body);
    end('complete');
    return new Response(null, { status, headers });
  }
  const failure = rpcError(message?.id, -31003, 'the server behind broke off', {
    request_id: invocation.requestId,
  });
  const body = relay(response.body, {
    ...(pruner !== undefined ? { filter: new SseFilter(pruner, MAX_LIST_BYTES) } : {}),
    ...(isStream ? { keepAlive: KEEP_ALIVE, onFailure: `event: message\ndata: ${failure}\n\n` } : {}),
    onEnd: (reason, error) => {
      if (error !== undefined) {
        const detail = error instanceof Error ? error.message : String(error);
        ports.log({ level: 'error', event: 'stream_failed', request_id: invocation.requestId, detail });
      }
      end(reason);
    },
  });
  return new Response(body, { status, headers });
}

/**
 * What the client gets where the server behind said nothing that is MCP. Its refusal stands by its status, which clients act on (404: the
 * session is over), and so does its consent to what needs no answer; anything else is a server that failed.
 */
function withoutAnswer(
  { status, headers: given }: UpstreamResponse,
  message: Message | undefined,
  invocation: Invocation,
): Response {
  const isRefusal = status >= 400 && status < 500;
  if (!isRefusal && (status >= 500 || message?.kind === 'request')) {
    return answer({ reason: 'unreachable', detail: `the upstream answered ${status}` }, message, invocation);
  }
  const headers = mcpResponseHeaders(given);
  headers.set('cache-control', 'no-store');
  headers.set('x-request-id', invocation.requestId);
  headers.delete('content-type');
  if (!isRefusal || message === undefined) return new Response(null, { status, headers });
  headers.set('content-type', 'application/json');
  const data = { request_id: invocation.requestId };
  const body = rpcError(message.id, -31003, 'the server behind refused the request', data);
  return new Response(body, { status, headers });
}

function answer(denial: Denial, message: Message | undefined, invocation: Invocation): Response {
  if (message === undefined && denial.reason !== 'malformed_message') {
    return denialProblem(denial, invocation.requestId);
  }
  const { status, body } = toMcpAnswer(denial, message, invocation.requestId);
  return new Response(body, {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-request-id': invocation.requestId,
      ...(denial.reason === 'unavailable' ? { 'retry-after': '2' } : {}),
    },
  });
}
