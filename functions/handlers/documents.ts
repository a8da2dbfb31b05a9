import type { Context, Hono } from 'hono';
import { toAttachment } from '../core/documents/content-disposition.ts';
import {
  DOCUMENT_ID_RANDOM_BYTES,
  isDocumentId,
  toDocumentId,
  toWireDeletion,
  toWireDocument,
} from '../core/documents/document.ts';
import { parseDocumentQuery, parseFields, refuse, splitTags } from '../core/documents/input.ts';
import type { ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import type { Invocation } from '../core/invocation.ts';
import type { Clock } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type AppEnv, createApp } from './app.ts';
import { type DocumentFailure, toDocumentProblem } from './document-problem.ts';
import { isForm, parseUpload } from './document-upload.ts';

/** The tool that a REST operation is decided as (contract §8). */
export type DocumentTool = 'doc_query' | 'doc_read' | 'doc_info' | 'doc_create' | 'doc_push' | 'doc_delete';

/** What the document routes need. */
export type DocumentPorts = {
  readonly documents: DocumentStore;
  /** Authenticates, decides and audits; an error is the whole answer. Must leave the request's body alone. */
  readonly resolve: (
    request: Request,
    invocation: Invocation,
    operation: { readonly tool: DocumentTool },
  ) => Promise<Result<ContextCaller, Response>>;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

type DocumentContext = Context<AppEnv>;

/** Visible ASCII without a comma, so that two headers, which arrive joined, are not one key. */
const IDEMPOTENCY_KEY = /^[!-+\--~]{1,255}$/;

const DOCUMENTS = '/context/documents';

/**
 * The REST face of the context store (contract §8, formats §1.0.7): create, list, read, metadata, delete. Every operation is
 * resolved before anything of the request but its method, path and media type is looked at.
 */
export function createDocumentRoutes(ports: DocumentPorts): Hono<AppEnv> {
  const app = createApp<AppEnv>(ports.log);

  const fail = (context: DocumentContext, failure: DocumentFailure): Response => {
    const { requestId } = context.env;
    if (failure.reason === 'unavailable') {
      const { detail } = failure;
      ports.log({ level: 'error', event: 'context_unavailable', request_id: requestId, detail });
    }
    return toDocumentProblem(failure, requestId);
  };

  app.use(`${DOCUMENTS}/*`, async (context, next) => {
    await next();
    context.header('X-Request-Id', context.env.requestId);
  });

  app.post(DOCUMENTS, async (context) => {
    const request = context.req.raw;
    const tool = isForm(request) ? 'doc_push' : 'doc_create';
    const caller = await ports.resolve(request, context.env, { tool });
    if (!caller.ok) return caller.error;
    const idempotencyKey = request.headers.get('idempotency-key') ?? undefined;
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      return fail(context, refuse('Idempotency-Key', 'must be 1 to 255 visible characters').error);
    }
    const upload = await parseUpload(request);
    if (!upload.ok) return fail(context, upload.error);
    const nowSeconds = ports.clock();
    const id = toDocumentId(nowSeconds, ports.randomBytes(DOCUMENT_ID_RANDOM_BYTES));
    const created = await ports.documents.create(caller.value, {
      id,
      nowSeconds,
      ...upload.value,
      idempotencyKey,
    });
    if (!created.ok) return fail(context, created.error);
    const document = toWireDocument(created.value, context.env.origin);
    return context.json(document, 201, { Location: document.url, ...PRIVATE });
  });

  app.get(DOCUMENTS, async (context) => {
    const caller = await ports.resolve(context.req.raw, context.env, { tool: 'doc_query' });
    if (!caller.ok) return caller.error;
    const query = parseQueryString(new URL(context.req.url).searchParams);
    if (!query.ok) return fail(context, query.error);
    const page = await ports.documents.list(caller.value, query.value);
    if (!page.ok) return fail(context, page.error);
    const documents = page.value.documents.map((document) => toWireDocument(document, context.env.origin));
    return context.json({ documents, next_cursor: page.value.nextCursor ?? null }, 200, PRIVATE);
  });

  app.get(`${DOCUMENTS}/:id`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_read');
    if (!reference.ok) return reference.error;
    const { caller, id } = reference.value;
    const read = await ports.documents.read(caller, id);
    if (!read.ok) return fail(context, read.error);
    const { document, content } = read.value;
    return context.body(content, 200, {
      'Content-Type': document.contentType,
      'Content-Disposition': toAttachment(document.filename),
      ...INERT,
      ...PRIVATE,
    });
  });

  app.get(`${DOCUMENTS}/:id/metadata`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_info');
    if (!reference.ok) return reference.error;
    const found = await ports.documents.info(reference.value.caller, reference.value.id);
    if (!found.ok) return fail(context, found.error);
    return context.json(toWireDocument(found.value, context.env.origin), 200, PRIVATE);
  });

  app.delete(`${DOCUMENTS}/:id`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_delete');
    if (!reference.ok) return reference.error;
    const deleted = await ports.documents.delete(reference.value.caller, reference.value.id);
    if (!deleted.ok) return fail(context, deleted.error);
    return context.json(toWireDeletion(deleted.value), 200, PRIVATE);
  });
  return app;
}

const PRIVATE = { 'Cache-Control': 'private, no-store' } as const;

/** Documents are other people's content under our origin: never sniffed, never run. */
const INERT = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
} as const;

async function resolveReference(
  ports: DocumentPorts,
  context: DocumentContext,
  tool: DocumentTool,
): Promise<Result<{ readonly caller: ContextCaller; readonly id: string }, Response>> {
  const caller = await ports.resolve(context.req.raw, context.env, { tool });
  if (!caller.ok) return caller;
  const { requestId } = context.env;
  const query = parseFields(Object.fromEntries(new URL(context.req.url).searchParams), []);
  if (!query.ok) return err(toDocumentProblem(query.error, requestId));
  const id = context.req.param('id') ?? '';
  return isDocumentId(id)
    ? ok({ caller: caller.value, id })
    : err(toDocumentProblem({ reason: 'not_found' }, requestId));
}

function parseQueryString(parameters: URLSearchParams): ReturnType<typeof parseDocumentQuery> {
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length) return refuse('query', 'has a parameter twice');
  const { tags, limit, offset, ...rest } = Object.fromEntries(parameters);
  return parseDocumentQuery({
    ...rest,
    ...(tags === undefined ? {} : { tags: splitTags(tags) }),
    ...(limit === undefined ? {} : { limit: toWholeNumber(limit) }),
    ...(offset === undefined ? {} : { offset: toWholeNumber(offset) }),
  });
}

function toWholeNumber(text: string): number {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
}
