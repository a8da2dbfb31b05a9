import type { Hono } from 'hono';
import type { Action } from '../core/action.ts';
import { decide } from '../core/decide.ts';
import type { Denial } from '../core/denial.ts';
import type { ContextCaller, DocumentStore, Seal } from '../core/documents/ports.ts';
import { mcpRequestHeaders, USER_AGENT } from '../core/forward.ts';
import type { Invocation } from '../core/invocation.ts';
import { CONTEXT_STORE } from '../core/policy.ts';
import type { Clock } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Sealer } from '../core/seal.ts';
import { parseContextScope, type ScopeRefusal } from '../core/visibility.ts';
import { type AccessFacts, accessRecords } from './access.ts';
import { type AppEnv, createApp } from './app.ts';
import type { DocumentPorts } from './document-route.ts';
import { createDocumentTools } from './document-tools.ts';
import { createDocumentRoutes } from './documents.ts';
import type { Admission } from './ingress.ts';
import { countRequest } from './limits.ts';
import { type McpBackend, type McpPorts, serveMcp } from './mcp.ts';
import { denialProblem } from './problem.ts';

/** The ports of the context store. */
export type ContextStorePorts = Omit<McpPorts, 'backend'> & {
  /** The documents, with cursors sealed by `seal`. */
  readonly documents: (seal: Seal) => DocumentStore;
  /** Undefined where the sealing secret cannot be read now. */
  readonly sealer: () => Promise<Sealer | undefined>;
  readonly randomBytes: (size: number) => Uint8Array<ArrayBuffer>;
  readonly clock: Clock;
};

/**
 * The context store: REST under `/context`, MCP at `/context-store/mcp`. Both doors are decided alike: a REST operation as the tool of the
 * same verb, so one entry in `scopes.yml` opens both; what is seen behind them is the token's namespace and filters.
 */
export function createContextStore(ports: ContextStorePorts): Hono<AppEnv> {
  const app = createApp(ports.log, ports.allowedOrigins);
  const documents = sealedDocuments(ports);
  const backend = createDocumentBackend(ports, documents);
  app.all(`/${CONTEXT_STORE}/mcp`, (c) => serveMcp({ ...ports, backend }, c.req.raw, CONTEXT_STORE, c.env));
  app.route(
    '/',
    createDocumentRoutes({
      documents,
      resolve: (request, invocation, { tool }) => resolveOperation(ports, request, invocation, tool),
      clock: ports.clock,
      randomBytes: ports.randomBytes,
      log: ports.log,
    }),
  );
  return app;
}

/** Authenticates, decides and audits one REST operation. A malformed scope in a token is 401, none at all 403 (contract §5). */
async function resolveOperation(
  ports: ContextStorePorts,
  request: Request,
  invocation: Invocation,
  tool: Parameters<DocumentPorts['resolve']>[2]['tool'],
): Promise<Result<ContextCaller, Response>> {
  const { headers } = request;
  const facts: AccessFacts = { area: 'context', server: CONTEXT_STORE, method: 'tools/call', name: tool };
  const origin = headers.get('origin');
  const admission: Result<Admission, Denial> =
    origin !== null && !ports.allowedOrigins.includes(origin)
      ? err({ reason: 'forbidden_origin' })
      : await ports.ingress.authenticate(headers, { kind: 'context' }, invocation.origin);
  if (!admission.ok) {
    await accessRecords(ports, invocation, headers).deny(admission.error, { area: 'context' });
    return err(denialProblem(admission.error, invocation.requestId));
  }
  const { caller, policy } = admission.value;
  const records = accessRecords(ports, invocation, headers, { caller, policy });
  const action: Action = {
    server: CONTEXT_STORE,
    kind: 'request',
    method: 'tools/call',
    name: tool,
    // A REST operation has none of the tool's arguments, and a constraint on them must not be passed by this door.
    arguments: 'unreadable',
  };
  const decision = decide(policy, caller, action, ports.clock());
  const scope = decision.allow ? toContextCaller(admission.value) : err(decision.refusal);
  if (!scope.ok) {
    await records.deny(scope.error, facts);
    return err(denialProblem(scope.error, invocation.requestId));
  }
  const counted = await countRequest(ports, admission.value, action);
  if (!counted.ok) {
    await records.deny(counted.error, facts);
    return err(denialProblem(counted.error, invocation.requestId));
  }
  const written = await records.allow(decision.allow ? decision.at : '', facts);
  return written.ok ? ok(scope.value) : err(denialProblem(written.error, invocation.requestId));
}

/** The document tools as a server behind the MCP endpoint: one instance per request, nothing shared between callers. */
function createDocumentBackend(ports: ContextStorePorts, documents: DocumentStore): McpBackend {
  return {
    accepts: (_policy, _server, httpMethod) => httpMethod === 'POST',

    async send(call) {
      const caller = toContextCaller(call);
      if (!caller.ok) return caller;
      const { origin, requestId } = call.invocation;
      const tools = createDocumentTools({
        documents,
        caller: caller.value,
        origin,
        requestId,
        version: USER_AGENT.split('/')[1] ?? '',
        clock: ports.clock,
        randomBytes: ports.randomBytes,
        log: ports.log,
      });
      const headers = new Headers([...mcpRequestHeaders(call.headers, [])]);
      headers.set('content-type', 'application/json');
      const response = await tools.fetch(
        new Request(`${origin}/${CONTEXT_STORE}/mcp`, {
          method: 'POST',
          headers,
          body: call.body ?? null,
          signal: call.invocation.signal,
        }),
      );
      const body = response.body ?? new Blob([]).stream();
      return ok({ response: { status: response.status, headers: new Map(response.headers), body } });
    },
  };
}

function toContextCaller({ caller }: Pick<Admission, 'caller'>): Result<ContextCaller, ScopeRefusal> {
  const { orgId, context, runPermissions } = caller;
  const mayWrite = runPermissions === undefined || runPermissions.length === 2;
  const scope = parseContextScope({ orgId, ...context }, mayWrite ? 'write' : 'read');
  return scope.ok ? ok({ ...scope.value, callerKey: caller.key }) : scope;
}

/** Only lists have cursors; the sealing secret is read when one is made or opened. */
function sealedDocuments(ports: ContextStorePorts): DocumentStore {
  const unsealed = ports.documents(REFUSING_SEAL);
  return {
    ...unsealed,
    async list(caller, query) {
      const sealer = await ports.sealer();
      if (sealer === undefined)
        return err({ reason: 'unavailable', detail: 'the sealing secret cannot be read' });
      const seal: Seal = {
        seal: (plaintext, context) => sealer.seal('cursor', context, plaintext, ports.randomBytes(12)),
        open: (sealed, context) => sealer.open('cursor', context, sealed),
      };
      return ports.documents(seal).list(caller, query);
    },
  };
}

/** Opens nothing; sealing with it would be a bug. */
const REFUSING_SEAL: Seal = {
  seal() {
    throw new Error('no sealing secret was read');
  },
  open: () => undefined,
};
