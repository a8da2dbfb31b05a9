import { type Action, type Message, MODERN_VERSION, readMessage, toAction } from '../core/action.ts';
import { type Actions, actionsOf, addressOf } from '../core/addressed.ts';
import type { Caller } from '../core/caller.ts';
import { decideAll, decideServer } from '../core/decide.ts';
import type { Denial } from '../core/denial.ts';
import { isUtf8Json } from '../core/forward.ts';
import type { Invocation } from '../core/invocation.ts';
import { writeJson } from '../core/json.ts';
import { withoutHiddenNews } from '../core/news.ts';
import type { Policy } from '../core/policy.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import { createPruner } from '../core/prune.ts';
import { err, ok, type Result } from '../core/result.ts';
import { NAME } from '../core/route.ts';
import { type AccessFacts, accessRecords, type RecordPorts } from './access.ts';
import { readBody } from './body.ts';
import { answerDenial } from './delivery.ts';
import type { Admission, AsOf, Ingress } from './ingress.ts';
import { countRequest } from './limits.ts';
import { deliver } from './mcp-answer.ts';
import type { LimitPorts } from './rate-counter.ts';
import type { StillHolds } from './relay.ts';

/** One admitted and decided call, ready for the server behind. */
export type McpCall = {
  readonly caller: Caller;
  readonly policy: Policy;
  readonly tokenHeader: Admission['tokenHeader'];
  readonly server: string;
  readonly httpMethod: 'POST' | 'GET' | 'DELETE';
  /** What was decided on; undefined on GET and DELETE. */
  readonly message: Message | undefined;
  /** The same, written again. */
  readonly body: Uint8Array | undefined;
  readonly era: Message['era'];
  readonly headers: Headers;
  readonly invocation: Invocation;
  /** Would the call be admitted and allowed now? To be asked again by whoever keeps it waiting before it is sent. */
  readonly stillHolds: StillHolds;
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
export type McpPorts = RecordPorts &
  LimitPorts & {
    readonly ingress: Ingress;
    readonly backend: McpBackend;
    /** Browser origins that may call; any other `Origin` is refused. */
    readonly allowedOrigins: readonly string[];
  };

/**
 * Serves one request on `/{server}/mcp`. In this order: origin, token (again: the authorizer's word is not taken), server, HTTP method,
 * media type, size, message, decision, limits, audit record, server behind. The answer is relayed as it comes; lists are pruned by the
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
    await accessRecords(ports, invocation).deny(admission.error, { area: 'access' });
    return answerDenial(admission.error, undefined, invocation);
  }
  const { caller, policy } = admission.value;
  const records = accessRecords(ports, invocation, { caller, policy });
  const refuse = async (denial: Denial, message?: Message): Promise<Response> => {
    await records.deny(denial, { ...facts, method: message?.method, name: message && addressOf(message) });
    return answerDenial(denial, message, invocation);
  };

  if (!NAME.test(server) || !policy.hasServer(server, caller)) {
    return refuse({ reason: 'unknown_server', obtainable: [] });
  }
  const httpMethod = httpMethodOf(request.method);
  const isServed =
    httpMethod !== undefined &&
    isOfSessions(httpMethod, headers) &&
    ports.backend.accepts(policy, server, httpMethod);
  if (!isServed) return refuse({ reason: 'method_not_allowed' });
  const read = httpMethod === 'POST' ? await readPost(request) : undefined;
  if (read !== undefined && !read.ok) return refuse(read.error);
  const message = read?.value;
  const decision = decideRequest(policy, caller, server, message, Math.floor(ports.now() / 1_000));
  if (!decision.ok) return refuse(decision.error, message);
  const action = message === undefined ? sessionAction(server, httpMethod) : toAction(server, message);
  const counted = await countRequest(ports, admission.value, action);
  if (!counted.ok) return refuse(counted.error, message);

  const decided: AccessFacts = {
    ...facts,
    method: message?.method ?? httpMethod,
    name: message && addressOf(message),
  };
  const written = await records.allow(decision.value, decided);
  if (!written.ok) return refuse(written.error, message);
  const startedAtMs = ports.now();
  // What is looked at while the answer comes is looked at by what holds by then.
  let held: Pick<Admission, 'policy' | 'caller'> = { policy, caller };
  const stillHolds: StillHolds = () => {
    // What was called may outlive its token; a stream that waits for whatever comes may not.
    const asOf = httpMethod === 'GET' ? {} : { asOfSeconds: Math.floor(startedAtMs / 1_000) };
    return decideAgain(ports, headers, server, message, invocation, asOf, (now) => {
      held = now;
    });
  };
  const sent = await ports.backend.send({
    caller,
    policy,
    tokenHeader: admission.value.tokenHeader,
    server,
    httpMethod,
    message,
    body: message === undefined ? undefined : Buffer.from(writeJson(message.body)),
    era: message?.era ?? 'legacy',
    headers,
    invocation,
    stillHolds,
  });
  if (!sent.ok) {
    await records.failed(sent.error, decided, startedAtMs);
    return answerDenial(sent.error, message, invocation);
  }
  const isInSession = httpMethod === 'GET' || (message?.era === 'legacy' && headers.has('mcp-session-id'));
  const view = () => ({ ...held, nowSeconds: Math.floor(ports.now() / 1_000) });
  const pruner = httpMethod === 'DELETE' ? undefined : createPruner(view, server, message, isInSession);
  return deliver(ports, {
    response: sent.value.response,
    sessionId: sent.value.sessionId,
    message,
    isInSession,
    pruner,
    withoutHiddenNews: (text) => withoutHiddenNews(text, view, server),
    stillHolds,
    records,
    facts: decided,
    startedAtMs,
    invocation,
  });
}

/** The rule that allows it; a message whose parameters cannot be decided on is refused, where it is granted at all. */
function decideRequest(
  policy: Policy,
  caller: Caller,
  server: string,
  message: Message | undefined,
  nowSeconds: number,
): Result<string, Denial> {
  if (message === undefined) {
    const decision = decideServer(policy, caller, server, nowSeconds);
    return decision.allow ? ok(decision.at) : err(decision.refusal);
  }
  const actions = actionsOf(server, message);
  const decided: Actions = actions.ok ? actions.value : [toAction(server, message)];
  const decision = decideAll(policy, caller, decided, nowSeconds);
  if (!decision.allow) return err(decision.refusal);
  return actions.ok ? ok(decision.at) : actions;
}

/** What a request without a message is counted as: opening a stream or ending a session is a request, and calls nothing by name. */
function sessionAction(server: string, method: string): Action {
  return { server, kind: 'request', method, name: undefined, arguments: 'unseen' };
}

/** The same of a call that is under way, by what holds now. */
async function decideAgain(
  ports: McpPorts,
  headers: Headers,
  server: string,
  message: Message | undefined,
  invocation: Invocation,
  asOf: AsOf,
  take: (held: Admission) => void,
): Promise<Result<string, Denial>> {
  const admission = await admit(ports, headers, server, invocation, asOf);
  if (!admission.ok) return admission;
  const { caller, policy } = admission.value;
  take(admission.value);
  if (!policy.hasServer(server, caller)) return err({ reason: 'unknown_server', obtainable: [] });
  return decideRequest(policy, caller, server, message, Math.floor(ports.now() / 1_000));
}

async function admit(
  ports: McpPorts,
  headers: Headers,
  server: string,
  invocation: Invocation,
  asOf: AsOf = {},
): Promise<Result<Admission, Denial>> {
  const origin = headers.get('origin');
  if (origin !== null && !ports.allowedOrigins.includes(origin)) return err({ reason: 'forbidden_origin' });
  return ports.ingress.authenticate(headers, { kind: 'mcp', server }, invocation.origin, asOf);
}

async function readPost(request: Request): Promise<Result<Message, Denial>> {
  if (!isUtf8Json(request.headers.get('content-type'))) return err({ reason: 'unsupported_media_type' });
  const body = await readBody(request);
  return body === undefined ? err({ reason: 'payload_too_large' }) : readMessage(body, request.headers);
}

function httpMethodOf(method: string): McpCall['httpMethod'] | undefined {
  return method === 'POST' || method === 'GET' || method === 'DELETE' ? method : undefined;
}

/**
 * May the method be one of a session? POST may always. The stateless era has nothing else, and a GET that names neither a session nor
 * a revision opens the HTTP+SSE transport of 2024-11-05: it waits for an event that never comes.
 */
function isOfSessions(httpMethod: McpCall['httpMethod'], headers: Headers): boolean {
  if (httpMethod === 'POST') return true;
  const version = headers.get('mcp-protocol-version');
  if (version === MODERN_VERSION) return false;
  return httpMethod === 'DELETE' || version !== null || headers.has('mcp-session-id');
}
