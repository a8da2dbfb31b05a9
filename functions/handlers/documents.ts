import type { Hono } from 'hono';
import {
  DOCUMENT_ID_RANDOM_BYTES,
  toDocumentId,
  toWireDeletion,
  toWireDocument,
} from '../core/documents/document.ts';
import { parseDocumentQuery, refuse, splitTags } from '../core/documents/input.ts';
import { isKnown, toEntityTag } from '../core/documents/precondition.ts';
import { type AppEnv, createApp } from './app.ts';
import { addArchiveRoutes } from './document-archive-routes.ts';
import { addContentRoutes } from './document-content-routes.ts';
import { listPage } from './document-page.ts';
import {
  CONTEXT_BASES,
  contextUrlOf,
  type DocumentPorts,
  failWith,
  PRIVATE,
  preconditionOf,
  type QueryParameters,
  readQuery,
  resolveCaller,
  resolveReference,
  resolveTool,
  toFlag,
  toWholeNumber,
} from './document-route.ts';
import { isForm, parseUpload } from './document-upload.ts';
import { addPartitionRoutes } from './partition-routes.ts';
import { addRelationRoutes } from './relation-routes.ts';
import { addSearchRoute } from './search-route.ts';

/** Visible ASCII without a comma, so that two headers, which arrive joined, are not one key. */
const IDEMPOTENCY_KEY = /^[!-+\--~]{1,255}$/;

/**
 * The REST face of the context store (contract §8, formats §1.0.7). Every operation is resolved before anything of the request but its
 * method, path and media type is looked at.
 */
export function createDocumentRoutes(ports: DocumentPorts): Hono<AppEnv> {
  const app = createApp<AppEnv>(ports.log);
  app.use('/context/*', async (context, next) => {
    await next();
    context.header('X-Request-Id', context.env.requestId);
  });
  addPartitionRoutes(app, ports);
  for (const base of CONTEXT_BASES) {
    addDocumentRoutes(app, ports, `${base}/documents`);
    addContentRoutes(app, ports, `${base}/documents`);
    addRelationRoutes(app, ports, base);
    addSearchRoute(app, ports, base);
    addArchiveRoutes(app, ports, base);
  }
  return app;
}

/** Create, list, describe and delete. */
function addDocumentRoutes(app: Hono<AppEnv>, ports: DocumentPorts, documents: string): void {
  app.post(documents, async (context) => {
    const request = context.req.raw;
    const tool = isForm(request) ? 'doc_push' : 'doc_create';
    const caller = await resolveCaller(ports, context, tool);
    if (!caller.ok) return caller.error;
    const idempotencyKey = request.headers.get('idempotency-key') ?? undefined;
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      const { error } = refuse('Idempotency-Key', 'must be 1 to 255 visible characters');
      return failWith(ports, context, error);
    }
    const upload = await parseUpload(request);
    if (!upload.ok) return failWith(ports, context, upload.error);
    const nowSeconds = ports.clock();
    const id = toDocumentId(nowSeconds, ports.randomBytes(DOCUMENT_ID_RANDOM_BYTES));
    const created = await ports.documents.create(caller.value, {
      id,
      nowSeconds,
      ...upload.value,
      idempotencyKey,
    });
    if (!created.ok) return failWith(ports, context, created.error);
    const document = toWireDocument(created.value, contextUrlOf(context));
    const ETag = toEntityTag(created.value);
    return context.json(document, 201, { Location: document.url, ETag, ...PRIVATE });
  });

  app.get(documents, async (context) => {
    const caller = await resolveTool(ports, context, 'doc_query');
    if (!caller.ok) return caller.error;
    const parameters = readQuery(context);
    const query = parameters.ok ? parseListQuery(parameters.value) : parameters;
    if (!query.ok) return failWith(ports, context, query.error);
    const page = await listPage(ports.documents, caller.value, query.value, contextUrlOf(context));
    return page.ok ? context.json(page.value, 200, PRIVATE) : failWith(ports, context, page.error);
  });

  app.get(`${documents}/:id/metadata`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_info');
    if (!reference.ok) return reference.error;
    const found = await ports.documents.info(reference.value.caller, reference.value.id);
    if (!found.ok) return failWith(ports, context, found.error);
    const headers = { ETag: toEntityTag(found.value), ...PRIVATE };
    if (isKnown(context.req.header('if-none-match'), found.value)) return context.body(null, 304, headers);
    return context.json(toWireDocument(found.value, contextUrlOf(context)), 200, headers);
  });

  app.delete(`${documents}/:id`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_delete');
    if (!reference.ok) return reference.error;
    const precondition = preconditionOf(context);
    if (!precondition.ok) return failWith(ports, context, precondition.error);
    const { caller, id } = reference.value;
    const deleted = await ports.documents.delete(caller, id, precondition.value);
    if (!deleted.ok) return failWith(ports, context, deleted.error);
    return context.json(toWireDeletion(deleted.value), 200, PRIVATE);
  });
}

function parseListQuery({
  tags,
  limit,
  offset,
  include_relations: withRelations,
  ...rest
}: QueryParameters): ReturnType<typeof parseDocumentQuery> {
  return parseDocumentQuery({
    ...rest,
    ...(tags === undefined ? {} : { tags: splitTags(tags) }),
    ...(limit === undefined ? {} : { limit: toWholeNumber(limit) }),
    ...(offset === undefined ? {} : { offset: toWholeNumber(offset) }),
    ...(withRelations === undefined ? {} : { include_relations: toFlag(withRelations) }),
  });
}
