import type { Hono } from 'hono';
import { openNamespace } from '../core/documents/namespace-access.ts';
import type { DocumentStore, Seal } from '../core/documents/ports.ts';
import { mcpRequestHeaders, USER_AGENT } from '../core/forward.ts';
import { CONTEXT_STORE } from '../core/policy.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Sealer } from '../core/seal.ts';
import { type AppEnv, createApp } from './app.ts';
import { resolveAdministrator, resolveOperation } from './context-access.ts';
import { createDocumentRoutes } from './documents.ts';
import { type McpBackend, type McpPorts, serveMcp } from './mcp.ts';

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
      resolve: (request, invocation, operation) => resolveOperation(ports, request, invocation, operation),
      resolveAdministrator: async (request, invocation, operation) => {
        const caller = await resolveAdministrator(ports, request, invocation, operation);
        return caller.ok ? ok(caller.value.orgId) : caller;
      },
      clock: ports.clock,
      randomBytes: ports.randomBytes,
      log: ports.log,
    }),
  );
  return app;
}

/** The document tools as a server behind the MCP endpoint: one instance per request, nothing shared between callers. */
function createDocumentBackend(ports: ContextStorePorts, documents: DocumentStore): McpBackend {
  return {
    accepts: (_policy, _server, httpMethod) => httpMethod === 'POST',

    async send(call) {
      const caller = openNamespace(call.caller, undefined);
      if (!caller.ok) return caller;
      const { origin, requestId } = call.invocation;
      // A quarter of what a start takes, and REST never asks for it.
      const { createDocumentTools } = await import('./document-tools.ts');
      const tools = createDocumentTools({
        documents,
        caller: caller.value,
        contextUrl: `${origin}/context`,
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

/** Lists and the relations of a document have cursors; the sealing secret is read when one may be made or opened. */
function sealedDocuments(ports: ContextStorePorts): DocumentStore {
  const sealed = async (): Promise<Result<DocumentStore, Unavailable>> => {
    const sealer = await ports.sealer();
    if (sealer === undefined)
      return err({ reason: 'unavailable', detail: 'the sealing secret cannot be read' });
    const seal: Seal = {
      seal: (plaintext, context) => sealer.seal('cursor', context, plaintext, ports.randomBytes(12)),
      open: (opened, context) => sealer.open('cursor', context, opened),
    };
    return ok(ports.documents(seal));
  };
  return {
    ...ports.documents(REFUSING_SEAL),
    async list(caller, query) {
      const documents = await sealed();
      return documents.ok ? documents.value.list(caller, query) : documents;
    },
    async relationPage(caller, id, query) {
      const documents = await sealed();
      return documents.ok ? documents.value.relationPage(caller, id, query) : documents;
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
