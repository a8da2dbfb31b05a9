import type { Context } from 'hono';
import { isDocumentId } from '../core/documents/document.ts';
import { type InvalidArgument, parseFields, refuse } from '../core/documents/input.ts';
import type { ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import { type Precondition, parsePrecondition } from '../core/documents/precondition.ts';
import type { Invocation } from '../core/invocation.ts';
import type { Clock } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { AppEnv } from './app.ts';
import { type DocumentFailure, toDocumentProblem } from './document-problem.ts';

/** The tool that a REST operation is decided as (contract §8). */
export type DocumentTool =
  | 'doc_query'
  | 'doc_search'
  | 'doc_read'
  | 'doc_info'
  | 'doc_create'
  | 'doc_push'
  | 'doc_pull'
  | 'doc_write'
  | 'doc_edit'
  | 'doc_delete'
  | 'doc_link';

/** What the document routes need. */
export type DocumentPorts = {
  readonly documents: DocumentStore;
  /** Authenticates, decides and audits; an error is the whole answer. Must leave the request's body alone. */
  readonly resolve: (
    request: Request,
    invocation: Invocation,
    operation: {
      readonly tool: DocumentTool;
      /** The namespace that the path names; the token's own where it names none. */
      readonly namespace: string | undefined;
    },
  ) => Promise<Result<ContextCaller, Response>>;
  /** The same of an administrator of the context store; the value is the org. */
  readonly resolveAdministrator: (
    request: Request,
    invocation: Invocation,
    operation: string,
  ) => Promise<Result<string, Response>>;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/** One request on a document route. */
export type DocumentContext = Context<AppEnv>;

/** The parameters of a query string, each once. */
export type QueryParameters = Readonly<Record<string, string>>;

/** What is said to one caller is nobody else's. */
export const PRIVATE = { 'Cache-Control': 'private, no-store' } as const;

/** Documents are other people's content under our origin: never sniffed, never run. */
export const INERT = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
} as const;

/** The answer to a failure; what the operator needs to know goes to the log. */
export function failWith(ports: DocumentPorts, context: DocumentContext, failure: DocumentFailure): Response {
  const { requestId } = context.env;
  if (failure.reason === 'unavailable') {
    const { detail } = failure;
    ports.log({ level: 'error', event: 'context_unavailable', request_id: requestId, detail });
  }
  return toDocumentProblem(failure, requestId);
}

/** The parameters of the query string; one that comes twice is refused. */
export function readQuery(context: DocumentContext): Result<QueryParameters, InvalidArgument> {
  const parameters = new URL(context.req.url).searchParams;
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length) return refuse('query', 'has a parameter twice');
  return ok(Object.fromEntries(parameters));
}

/** The paths that are the same under the token's own namespace and under one that is named. */
export const CONTEXT_BASES = ['/context', '/context/namespaces/:namespace'] as const;

/** Where the caller reaches the namespace that it is in by this request. */
export function contextUrlOf(context: DocumentContext): string {
  const namespace = context.req.param('namespace');
  const named = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${context.env.origin}/context${named}`;
}

/** The caller of a request. Does NOT look at anything of it but its method, path and media type. */
export function resolveTool(
  ports: DocumentPorts,
  context: DocumentContext,
  tool: DocumentTool,
): ReturnType<DocumentPorts['resolve']> {
  return ports.resolve(context.req.raw, context.env, { tool, namespace: context.req.param('namespace') });
}

/** The caller of a request that does what several tools do, once every one of them was admitted. */
export async function resolveTools(
  ports: DocumentPorts,
  context: DocumentContext,
  tools: readonly [DocumentTool, DocumentTool],
): ReturnType<DocumentPorts['resolve']> {
  const first = await resolveTool(ports, context, tools[0]);
  return first.ok ? resolveTool(ports, context, tools[1]) : first;
}

/** The caller of a request that takes no parameters in its query string, once it was resolved. */
export async function resolveCaller(
  ports: DocumentPorts,
  context: DocumentContext,
  tool: DocumentTool,
): Promise<Result<ContextCaller, Response>> {
  return withoutParameters(context, await resolveTool(ports, context, tool));
}

/** Who was resolved, where the query string is empty: what is not known in it may have been meant to narrow the request. */
export function withoutParameters<T>(
  context: DocumentContext,
  resolved: Result<T, Response>,
): Result<T, Response> {
  if (!resolved.ok) return resolved;
  const parameters = readQuery(context);
  const query = parameters.ok ? parseFields(parameters.value, []) : parameters;
  return query.ok ? resolved : err(toDocumentProblem(query.error, context.env.requestId));
}

/**
 * The caller, the document's id and the parameters of a request about one document, once the caller was resolved. Every parameter that is
 * not in `allowed` is refused; an id that is none is not found.
 */
export async function resolveReference<Name extends string = never>(
  ports: DocumentPorts,
  context: DocumentContext,
  tool: DocumentTool,
  allowed: readonly Name[] = [],
): Promise<
  Result<
    {
      readonly caller: ContextCaller;
      readonly id: string;
      readonly query: Readonly<Partial<Record<Name, unknown>>>;
    },
    Response
  >
> {
  const caller = await resolveTool(ports, context, tool);
  if (!caller.ok) return caller;
  const { requestId } = context.env;
  const parameters = readQuery(context);
  const query = parameters.ok ? parseFields(parameters.value, allowed) : parameters;
  if (!query.ok) return err(toDocumentProblem(query.error, requestId));
  const id = context.req.param('id') ?? '';
  return isDocumentId(id)
    ? ok({ caller: caller.value, id, query: query.value })
    : err(toDocumentProblem({ reason: 'not_found' }, requestId));
}

/** A whole number as a query string has it; NaN, which no bound admits, for anything else. */
export function toWholeNumber(text: string): number {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/** A flag as a query string has it; what is neither `true` nor `false` stays text, which no flag is. */
export function toFlag(text: string): boolean | string {
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

/** What a write is conditional on, by its headers. */
export function preconditionOf({ req }: DocumentContext): Result<Precondition, InvalidArgument> {
  return parsePrecondition({ ifMatch: req.header('if-match'), ifNoneMatch: req.header('if-none-match') });
}
