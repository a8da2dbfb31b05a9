import type { Action } from '../core/action.ts';
import type { Caller } from '../core/caller.ts';
import { decide } from '../core/decide.ts';
import type { Denial } from '../core/denial.ts';
import { authorizeContextAdmin, CONTEXT_ADMIN, openNamespace } from '../core/documents/namespace-access.ts';
import type { ContextCaller } from '../core/documents/ports.ts';
import type { Invocation } from '../core/invocation.ts';
import { CONTEXT_STORE } from '../core/policy.ts';
import type { Clock } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type AccessFacts, accessRecords } from './access.ts';
import type { DocumentPorts } from './document-route.ts';
import type { Admission } from './ingress.ts';
import { countRequest } from './limits.ts';
import type { McpPorts } from './mcp.ts';
import { denialProblem } from './problem.ts';

/** What deciding on a REST operation of the context store needs. */
export type ContextAccessPorts = Omit<McpPorts, 'backend'> & { readonly clock: Clock };

/** What is asked of the policy, and what an allowed request then may touch. */
type Question<T> = {
  readonly name: string;
  readonly decide: (admission: Admission, action: Action) => Result<Allowed<T>, Denial>;
};

/** `at` is what allowed it, for the audit record. */
type Allowed<T> = { readonly value: T; readonly at: string };

/** Authenticates, decides, counts and audits one REST operation. A malformed scope in a token is 401, none at all 403 (contract §5). */
export function resolveOperation(
  ports: ContextAccessPorts,
  request: Request,
  invocation: Invocation,
  { tool, namespace }: Parameters<DocumentPorts['resolve']>[2],
): Promise<Result<ContextCaller, Response>> {
  return resolve(ports, request, invocation, {
    name: tool,
    decide: ({ caller, policy }, action) => {
      const decision = decide(policy, caller, action, ports.clock());
      if (!decision.allow) return err(decision.refusal);
      const scope = openNamespace(caller, namespace);
      if (!scope.ok) return scope;
      const isOwn = namespace === undefined || caller.context.namespace === namespace;
      return ok({
        value: scope.value,
        at: isOwn ? decision.at : `${decision.at}, ${CONTEXT_ADMIN} in ${namespace}`,
      });
    },
  });
}

/** The same of an operation on the partitions of the caller's org. No tool stands for it, so no rule grants it; a deny forbids it. */
export function resolveAdministrator(
  ports: ContextAccessPorts,
  request: Request,
  invocation: Invocation,
  operation: string,
): Promise<Result<Caller, Response>> {
  return resolve(ports, request, invocation, {
    name: operation,
    decide: ({ caller, policy }, action) => {
      const admitted = authorizeContextAdmin(caller);
      if (!admitted.ok) return admitted;
      const decision = decide(policy, caller, action, ports.clock());
      if (!decision.allow && decision.refusal.cause?.kind === 'denied') return err(decision.refusal);
      return ok({ value: caller, at: CONTEXT_ADMIN });
    },
  });
}

async function resolve<T>(
  ports: ContextAccessPorts,
  request: Request,
  invocation: Invocation,
  question: Question<T>,
): Promise<Result<T, Response>> {
  const { headers } = request;
  const { name } = question;
  const facts: AccessFacts = { area: 'context', server: CONTEXT_STORE, method: 'tools/call', name };
  const origin = headers.get('origin');
  const admission: Result<Admission, Denial> =
    origin !== null && !ports.allowedOrigins.includes(origin)
      ? err({ reason: 'forbidden_origin' })
      : await ports.ingress.authenticate(headers, { kind: 'context' }, invocation.origin);
  if (!admission.ok) {
    await accessRecords(ports, invocation).deny(admission.error, { area: 'context' });
    return err(denialProblem(admission.error, invocation.requestId));
  }
  const records = accessRecords(ports, invocation, admission.value);
  const refuse = async (denial: Denial): Promise<Result<T, Response>> => {
    await records.deny(denial, facts);
    return err(denialProblem(denial, invocation.requestId));
  };
  const action: Action = {
    server: CONTEXT_STORE,
    kind: 'request',
    method: 'tools/call',
    name,
    // A REST operation has none of the tool's arguments, and a constraint on them must not be passed by this door.
    arguments: 'unreadable',
  };
  const allowed = question.decide(admission.value, action);
  if (!allowed.ok) return refuse(allowed.error);
  const counted = await countRequest(ports, admission.value, action);
  if (!counted.ok) return refuse(counted.error);
  const written = await records.allow(allowed.value.at, facts);
  return written.ok ? ok(allowed.value.value) : err(denialProblem(written.error, invocation.requestId));
}
