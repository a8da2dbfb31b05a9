import type { Action } from '../core/action.ts';
import type { Caller } from '../core/caller.ts';
import { decideServer } from '../core/decide.ts';
import type { Denial } from '../core/denial.ts';
import { serviceRequestHeaders, serviceResponseHeaders } from '../core/forward.ts';
import type { Invocation } from '../core/invocation.ts';
import type { Policy, ServiceEntry } from '../core/policy.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { serviceUrl, throughTheGate } from '../core/service-url.ts';
import { type AccessFacts, type AccessRecords, accessRecords, type RecordPorts } from './access.ts';
import { discard, NULL_BODY_STATUSES, readBody } from './body.ts';
import type { AsOf, Ingress } from './ingress.ts';
import { countRequest } from './limits.ts';
import { denialProblem } from './problem.ts';
import type { LimitPorts } from './rate-counter.ts';
import { LOOK_AGAIN_MS, relay } from './relay.ts';
import { callUpstream, type OutboundPorts } from './upstream-call.ts';

/** The ports of the egress gateway. */
export type EgressPorts = RecordPorts & LimitPorts & OutboundPorts & { readonly ingress: Ingress };

/**
 * Serves one request of an MCP server to an API (contract §7). In this order: the server's own token, the service, the delegation
 * (an identity token for that very server, live, of the same organisation), `used_by`, method and path, size, limits, audit record. The secret is
 * that of the delegation's client or user, never the server's.
 */
export async function serveEgress(
  ports: EgressPorts,
  request: Request,
  serviceName: string,
  invocation: Invocation,
): Promise<Response> {
  const { headers } = request;
  const route = { kind: 'egress' } as const;
  const admission = await ports.ingress.authenticate(headers, route, invocation.origin);
  if (!admission.ok) {
    await accessRecords(ports, invocation).deny(admission.error, { area: 'egress' });
    return denialProblem(admission.error, invocation.requestId);
  }
  const { caller: server, policy } = admission.value;
  const url = new URL(request.url);
  const path = url.pathname.slice(`/egress/${serviceName}`.length);
  const serverRecords = accessRecords(ports, invocation, { caller: server, policy });
  const facts: AccessFacts = { area: 'egress', server: serviceName, method: request.method };

  const refuseAs = async (by: AccessRecords, denial: Denial): Promise<Response> => {
    await by.deny(denial, facts);
    return denialProblem(denial, invocation.requestId);
  };
  const service = serviceFor(policy, serviceName, server);
  if (!service.ok) return refuseAs(serverRecords, service.error);
  const caller = await readDelegation(ports, headers, policy, { server, serviceName }, invocation);
  if (!caller.ok) return refuseAs(serverRecords, caller.error);

  const records = accessRecords(ports, invocation, { caller: caller.value, policy });
  const refuse = (denial: Denial) => refuseAs(records, denial);
  const target = serviceUrl(service.value, request.method, path, url.search);
  if (!target.ok) return refuse(target.error);
  const body = await readBody(request);
  if (body === undefined) return refuse({ reason: 'payload_too_large' });
  const action: Action = {
    server: serviceName,
    kind: 'request',
    method: request.method,
    name: undefined,
    arguments: 'unseen',
  };
  const counted = await countRequest(ports, { caller: caller.value, policy }, action);
  if (!counted.ok) return refuse(counted.error);
  const written = await records.allow(`used_by:${server.server}`, facts);
  if (!written.ok) return refuse(written.error);

  const startedAtMs = ports.now();
  const asOf = { asOfSeconds: Math.floor(startedAtMs / 1_000) };
  const stillHolds = () => decideAgain(ports, request, serviceName, path, invocation, asOf);
  const answer = await callUpstream(ports, {
    caller: caller.value,
    target: service.value,
    provider: policy.providerFor(service.value.egress, caller.value.orgId),
    perimeter: policy.perimeter,
    method: request.method,
    url: target.value,
    headers: serviceRequestHeaders(headers, service.value.headers),
    body: body.byteLength === 0 ? undefined : body,
    origin: invocation.origin,
    callerAuthorization: null,
    signal: invocation.signal,
    waitUntil: invocation.waitUntil,
    stillHolds,
  });
  if (!answer.ok) {
    await records.failed(answer.error, facts, startedAtMs);
    return denialProblem(answer.error, invocation.requestId);
  }
  const { status } = answer.value;
  const outgoing = responseHeaders(answer.value, service.value, target.value);
  outgoing.set('x-request-id', invocation.requestId);
  const end = (reason: string) =>
    invocation.waitUntil(records.outcome(reason, facts, { status, startedAtMs }));
  // Hono drops the body of an answer to HEAD unread, and then nobody would ever let go of the API's.
  if (NULL_BODY_STATUSES.has(status) || request.method === 'HEAD') {
    await discard(answer.value.body);
    end('complete');
    return new Response(null, { status, headers: outgoing });
  }
  const lost = ports.now() - startedAtMs < LOOK_AGAIN_MS ? undefined : await stillHolds();
  if (lost?.ok === false) {
    await discard(answer.value.body);
    end(`withdrawn: ${lost.error.reason}`);
    return denialProblem(lost.error, invocation.requestId);
  }
  const relayed = relay(answer.value.body, { stillHolds, onEnd: end });
  return new Response(relayed, { status, headers: outgoing });
}

/** Would a call that is under way be admitted and allowed by what holds now? */
async function decideAgain(
  ports: EgressPorts,
  { method, headers }: Request,
  serviceName: string,
  path: string,
  invocation: Invocation,
  asOf: AsOf,
): Promise<Result<unknown, Denial>> {
  const admission = await ports.ingress.authenticate(headers, { kind: 'egress' }, invocation.origin, asOf);
  if (!admission.ok) return admission;
  const { caller: server, policy } = admission.value;
  const service = serviceFor(policy, serviceName, server);
  if (!service.ok) return service;
  const target = serviceUrl(service.value, method, path, '');
  return target.ok
    ? readDelegation(ports, headers, policy, { server, serviceName }, invocation, asOf)
    : target;
}

/** The service, for a server that `used_by` lists; any other party learns nothing, not even that it exists. */
function serviceFor(policy: Policy, name: string, server: Caller): Result<ServiceEntry, Denial> {
  const service = policy.services.get(name);
  const isOfOrg = service !== undefined && (service.org === undefined || service.org === server.orgId);
  if (!isOfOrg || server.server === undefined || !service.usedBy.includes(server.server)) {
    return err({ reason: 'unknown_server', obtainable: [] });
  }
  return ok(service);
}

async function readDelegation(
  ports: EgressPorts,
  headers: Headers,
  policy: Policy,
  { server, serviceName }: { readonly server: Caller; readonly serviceName: string },
  invocation: Invocation,
  asOf: AsOf = {},
): Promise<Result<Caller, Denial>> {
  const token = headers.get('x-delegation');
  const audience = policy.servers.get(server.server ?? '')?.url;
  if (token === null || audience === undefined) return err({ reason: 'bad_delegation', detail: 'missing' });
  const delegated = await ports.ingress.verifyDelegation(token, audience, invocation.origin, asOf);
  if (!delegated.ok) {
    if (delegated.error.reason === 'unavailable') return delegated;
    const detail = 'detail' in delegated.error ? `: ${delegated.error.detail}` : '';
    return err({ reason: 'bad_delegation', detail: `${delegated.error.reason}${detail}` });
  }
  if (delegated.value.orgId !== server.orgId)
    return err({ reason: 'bad_delegation', detail: 'another organisation' });
  // Who may not call the server any more gets no credential put on for it either, however long the delegation lives.
  const isOpen = decideServer(
    policy,
    delegated.value,
    server.server ?? '',
    Math.floor(ports.now() / 1_000),
  ).allow;
  if (!isOpen) return err({ reason: 'bad_delegation', detail: 'no access to the server' });
  // A service that the caller may not see is not there for what calls on its behalf.
  const isThere = policy.hasService(serviceName, delegated.value);
  return isThere ? ok(delegated.value) : err({ reason: 'unknown_server', obtainable: [] });
}

/** Statuses whose `Location` names what there is now or will be, and not where else to ask (RFC 9110 §10.2.2). */
const NAMES_A_RESULT: ReadonlySet<number> = new Set([201, 202]);

/** What the server sees of the answer's headers; a URL of the API's in them leads through the gate, or is not there. */
function responseHeaders(answer: UpstreamResponse, service: ServiceEntry, sentTo: URL): Headers {
  const headers = serviceResponseHeaders(answer.headers);
  const references = ['content-location', ...(NAMES_A_RESULT.has(answer.status) ? ['location'] : [])];
  for (const name of references) {
    const reference = answer.headers.get(name);
    const there = reference === undefined ? undefined : throughTheGate(service, sentTo, reference);
    if (there !== undefined) headers.set(name, there);
  }
  return headers;
}
