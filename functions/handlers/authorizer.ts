import { actionFromHeaders } from '../core/action.ts';
import { type AuditRecord, auditedCaller, recordedName, shortened } from '../core/audit.ts';
import type { Caller } from '../core/caller.ts';
import { decide, decideServer, type PolicyRefusal } from '../core/decide.ts';
import { type IngressRefusal, recordedReason } from '../core/denial.ts';
import { scopeChallenge } from '../core/denial-wire.ts';
import type { AuthorizerRequest, AuthorizerVerdict } from '../core/invocation.ts';
import type { AuditLog, ForeignKeys, RevocationStore, RulebookStore, Unavailable } from '../core/ports.ts';
import { metadataUrlOf, parseRoute } from '../core/route.ts';
import { createIngress } from './ingress.ts';

/** The ports of the authorizer. */
export type AuthorizerPorts = {
  readonly rulebook: RulebookStore;
  readonly revocations: RevocationStore;
  readonly foreignKeys: ForeignKeys;
  readonly audit: AuditLog;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/**
 * RFC 6750 §2.3 would allow a token in a URL; the contract refuses it, because every hop logs it. An API behind the egress gateway may
 * have parameters of its own by the other names.
 */
const TOKEN_QUERY_NAMES: ReadonlySet<string> = new Set(['access_token', 'token', 'api_key', 'authorization']);
const EGRESS_TOKEN_QUERY_NAMES: ReadonlySet<string> = new Set(['access_token']);

/** Two copies of one of these are two callers; nobody guesses which is meant (contract §3). */
const TOKEN_HEADERS = ['authorization', 'x-authorization', 'x-service-token'] as const;

/**
 * The inner gate. It refuses a bad token (401), a caller without any access to the server, and an operation whose headers say
 * that it needs a scope which this client may obtain (403 with a challenge). Every other refusal it leaves to the gateway, which
 * sees the body and verifies the token again. Refusals are audited here; what is let through is audited behind.
 */
export function createAuthorizer(
  ports: AuthorizerPorts,
): (request: AuthorizerRequest) => Promise<AuthorizerVerdict> {
  const ingress = createIngress({ ...ports, clock: () => Math.floor(ports.now() / 1000) });

  const refuse = async (
    request: AuthorizerRequest,
    refusal: IngressRefusal | Unavailable | PolicyRefusal,
    caller?: Caller,
    details?: Partial<AuditRecord>,
  ): Promise<void> => {
    const reason = recordedReason(refusal);
    const route = parseRoute(request.path);
    const written = await ports.audit.write({
      ts: new Date(ports.now()).toISOString(),
      request_id: request.requestId,
      event: 'decision',
      area: 'access',
      decision: 'deny',
      reason,
      ...(caller === undefined ? {} : auditedCaller(caller)),
      ...(route.kind === 'mcp' && caller !== undefined ? { server: route.server } : {}),
      ...(request.traceId === undefined ? {} : { trace_id: request.traceId }),
      ...details,
    });
    // What failed is in the log anyway, and often takes the record along.
    if (!written.ok && refusal.reason !== 'unavailable') {
      ports.log({ level: 'error', event: 'audit_unavailable', request_id: request.requestId, reason });
    }
  };

  return async (request) => {
    const route = parseRoute(request.path);
    const names = route.kind === 'egress' ? EGRESS_TOKEN_QUERY_NAMES : TOKEN_QUERY_NAMES;
    const isInQuery = request.queryNames.some((name) => names.has(name.toLowerCase()));
    if (isInQuery || TOKEN_HEADERS.some((name) => request.repeatedHeaders.includes(name))) {
      await refuse(request, { reason: 'malformed_token_header' });
      return { verdict: 'unauthorized' };
    }
    const admitted = await ingress.authenticate(request.headers, route, request.origin);
    if (!admitted.ok) {
      await refuse(request, admitted.error);
      return { verdict: admitted.error.reason === 'unavailable' ? 'unavailable' : 'unauthorized' };
    }
    const { caller, policy } = admitted.value;
    if (route.kind !== 'mcp' || !policy.hasServer(route.server, caller)) return { verdict: 'allow', caller };

    const action = request.method === 'POST' ? actionFromHeaders(route.server, request.headers) : undefined;
    const nowSeconds = Math.floor(ports.now() / 1_000);
    const decision =
      action === undefined
        ? decideServer(policy, caller, route.server, nowSeconds)
        : decide(policy, caller, action, nowSeconds);
    if (decision.allow) return { verdict: 'allow', caller };
    const { refusal } = decision;
    if (refusal.reason === 'not_granted' && refusal.obtainable.length === 0)
      return { verdict: 'allow', caller };
    await refuse(request, refusal, caller, {
      policy_version: policy.version,
      ...(action?.method === undefined ? {} : { method: shortened(action.method) }),
      ...(action?.name === undefined ? {} : { name: recordedName(action.method, action.name) }),
    });
    const challenge =
      refusal.obtainable.length > 0
        ? scopeChallenge(refusal.obtainable, metadataUrlOf(route.server, request.origin))
        : 'Bearer error="insufficient_scope"';
    return { verdict: 'deny', caller, challenge };
  };
}
