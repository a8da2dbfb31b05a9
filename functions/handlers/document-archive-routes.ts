import type { Hono } from 'hono';
import { JSON_LINES } from '../core/documents/archive.ts';
import { isDocumentId } from '../core/documents/document.ts';
import { type InvalidArgument, isIntegerIn, parseFields, refuse } from '../core/documents/input.ts';
import { ok, type Result } from '../core/result.ts';
import type { AppEnv } from './app.ts';
import { type ExportRequest, exportPage, MAX_EXPORTED } from './document-export.ts';
import { importArchive, readArchive } from './document-import.ts';
import {
  type DocumentContext,
  type DocumentPorts,
  failWith,
  PRIVATE,
  readQuery,
  resolveTools,
  toWholeNumber,
  withoutParameters,
} from './document-route.ts';

/**
 * Everything that a caller sees as JSON lines, and such lines back in. An export is decided as `doc_query` and `doc_pull`, an import as
 * `doc_push` and `doc_link`: who may do both by hand may do it at once.
 */
export function addArchiveRoutes(app: Hono<AppEnv>, ports: DocumentPorts, base: string): void {
  app.get(`${base}/export`, async (context) => {
    const caller = await resolveTools(ports, context, ['doc_query', 'doc_pull']);
    if (!caller.ok) return caller.error;
    const request = parseExport(context);
    if (!request.ok) return failWith(ports, context, request.error);
    const page = await exportPage(ports.documents, caller.value, request.value, ports.clock);
    if (!page.ok) return failWith(ports, context, page.error);
    return context.body(toStream(page.value), 200, { 'Content-Type': JSON_LINES, ...PRIVATE });
  });

  app.post(`${base}/import`, async (context) => {
    const resolved = await resolveTools(ports, context, ['doc_push', 'doc_link']);
    const caller = withoutParameters(context, resolved);
    if (!caller.ok) return caller.error;
    const archive = await readArchive(context.req.raw);
    if (!archive.ok) return failWith(ports, context, archive.error);
    const report = await importArchive(ports.documents, caller.value, archive.value, ports.clock);
    if (!report.ok) return failWith(ports, context, report.error);
    return context.json(report.value, 200, PRIVATE);
  });
}

function parseExport(context: DocumentContext): Result<ExportRequest, InvalidArgument> {
  const parameters = readQuery(context);
  const query = parameters.ok ? parseFields(parameters.value, ['after', 'limit']) : parameters;
  if (!query.ok) return query;
  const { after, limit = String(MAX_EXPORTED) } = query.value;
  if (after !== undefined && !(typeof after === 'string' && isDocumentId(after))) {
    return refuse('after', 'must be `doc_` and 24 hexadecimal digits');
  }
  const wanted = toWholeNumber(String(limit));
  if (!isIntegerIn(wanted, 1, MAX_EXPORTED)) {
    return refuse('limit', `must be a whole number from 1 to ${MAX_EXPORTED}`);
  }
  return ok({ after, limit: wanted });
}

/** Lines as bytes, made when they are asked for. A client that is gone ends the lines. */
function toStream(lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await lines.next();
      if (done) controller.close();
      else controller.enqueue(Buffer.from(value));
    },
    async cancel() {
      await lines.return(undefined);
    },
  });
}
