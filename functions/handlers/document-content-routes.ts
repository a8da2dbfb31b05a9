import type { Hono } from 'hono';
import { toAttachment } from '../core/documents/content-disposition.ts';
import { type Document, toWireDocument } from '../core/documents/document.ts';
import { parseEditRequest } from '../core/documents/edit.ts';
import { isKnown, toEntityTag } from '../core/documents/precondition.ts';
import { parseRange } from '../core/documents/range.ts';
import type { AppEnv } from './app.ts';
import {
  contextUrlOf,
  type DocumentContext,
  type DocumentPorts,
  failWith,
  INERT,
  PRIVATE,
  preconditionOf,
  resolveReference,
  toWholeNumber,
} from './document-route.ts';
import { readContentBody, readJsonBody } from './document-upload.ts';

/** The content of documents: read all or a range of characters, replace, edit (formats §1.0.7). */
export function addContentRoutes(app: Hono<AppEnv>, ports: DocumentPorts, documents: string): void {
  app.get(`${documents}/:id`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_read', ['offset', 'limit']);
    if (!reference.ok) return reference.error;
    const { caller, id, query } = reference.value;
    const range = parseRange({ offset: wholeNumber(query.offset), limit: wholeNumber(query.limit) });
    if (!range.ok) return failWith(ports, context, range.error);
    const ifNoneMatch = context.req.header('if-none-match');
    const isHead = context.req.method === 'HEAD' && range.value === undefined;
    if (ifNoneMatch !== undefined || isHead) {
      // Who has it already, or does not want it, does not pay for its content.
      const known = await ports.documents.info(caller, id);
      if (!known.ok) return failWith(ports, context, known.error);
      const headers = toContentHeaders(known.value);
      if (isKnown(ifNoneMatch, known.value)) return context.body(null, 304, headers);
      if (isHead) return context.body(null, 200, headers);
    }
    if (range.value === undefined) {
      const read = await ports.documents.read(caller, id);
      if (!read.ok) return failWith(ports, context, read.error);
      return context.body(read.value.content, 200, toContentHeaders(read.value.document));
    }
    const read = await ports.documents.readRange(caller, id, range.value);
    if (!read.ok) return failWith(ports, context, read.error);
    const { document, content, startChar, endChar, totalChars } = read.value;
    return context.body(content, 206, {
      ...toContentHeaders(document),
      'X-Total-Chars': String(totalChars),
      'X-Char-Range': `${startChar}-${endChar}`,
    });
  });

  app.put(`${documents}/:id/content`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_write');
    if (!reference.ok) return reference.error;
    const precondition = preconditionOf(context);
    if (!precondition.ok) return failWith(ports, context, precondition.error);
    const content = await readContentBody(context.req.raw);
    if (!content.ok) return failWith(ports, context, content.error);
    const { caller, id } = reference.value;
    const written = await ports.documents.write(caller, id, content.value, precondition.value);
    return written.ok ? described(context, written.value) : failWith(ports, context, written.error);
  });

  app.patch(`${documents}/:id/content`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_edit');
    if (!reference.ok) return reference.error;
    const precondition = preconditionOf(context);
    if (!precondition.ok) return failWith(ports, context, precondition.error);
    const body = await readJsonBody(context.req.raw);
    if (!body.ok) return failWith(ports, context, body.error);
    const edit = parseEditRequest(body.value);
    if (!edit.ok) return failWith(ports, context, edit.error);
    const { caller, id } = reference.value;
    const edited = await ports.documents.edit(caller, id, edit.value, precondition.value);
    if (!edited.ok) return failWith(ports, context, edited.error);
    return described(context, edited.value.document, edited.value.outcome);
  });
}

/** The document as JSON, under its entity tag. */
function described(context: DocumentContext, document: Document, more: object = {}): Response {
  return context.json({ ...toWireDocument(document, contextUrlOf(context)), ...more }, 200, {
    ETag: toEntityTag(document),
    ...PRIVATE,
  });
}

function toContentHeaders(document: Document): Record<string, string> {
  return {
    'Content-Type': document.contentType,
    'Content-Disposition': toAttachment(document.filename),
    ETag: toEntityTag(document),
    ...INERT,
    ...PRIVATE,
  };
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'string' ? toWholeNumber(value) : undefined;
}
