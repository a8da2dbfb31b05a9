import type { Hono } from 'hono';
import {
  isRelationId,
  parseNotes,
  parseRelation,
  RELATION_DEFINITIONS,
  toWireRelation,
} from '../core/documents/relation.ts';
import { parseRelationQuery } from '../core/documents/relation-page.ts';
import type { AppEnv } from './app.ts';
import { toWireRelationPage } from './document-page.ts';
import {
  type DocumentPorts,
  failWith,
  PRIVATE,
  resolveCaller,
  resolveReference,
  toWholeNumber,
} from './document-route.ts';
import { readJsonBody } from './document-upload.ts';

/** Relations of documents: what kinds there are, make, list, note, take away (formats §1.0.7). All are decided as `doc_link`. */
export function addRelationRoutes(app: Hono<AppEnv>, ports: DocumentPorts, base: string): void {
  app.get(`${base}/relations/definitions`, async (context) => {
    const caller = await resolveCaller(ports, context, 'doc_link');
    if (!caller.ok) return caller.error;
    return context.json({ definitions: RELATION_DEFINITIONS }, 200, PRIVATE);
  });

  app.get(`${base}/documents/:id/relations`, async (context) => {
    const reference = await resolveReference(ports, context, 'doc_link', ['limit', 'cursor']);
    if (!reference.ok) return reference.error;
    const { caller, id, query } = reference.value;
    const { limit, ...rest } = query;
    const asked = parseRelationQuery(
      typeof limit === 'string' ? { ...rest, limit: toWholeNumber(limit) } : rest,
    );
    if (!asked.ok) return failWith(ports, context, asked.error);
    const page = await ports.documents.relationPage(caller, id, asked.value);
    if (!page.ok) return failWith(ports, context, page.error);
    return context.json(toWireRelationPage(page.value), 200, PRIVATE);
  });

  app.post(`${base}/relations`, async (context) => {
    const caller = await resolveCaller(ports, context, 'doc_link');
    if (!caller.ok) return caller.error;
    const body = await readJsonBody(context.req.raw);
    const relation = body.ok ? parseRelation(body.value) : body;
    if (!relation.ok) return failWith(ports, context, relation.error);
    const made = await ports.documents.relate(caller.value, relation.value);
    if (!made.ok) return failWith(ports, context, made.error);
    return context.json(toWireRelation(made.value), 201, PRIVATE);
  });

  app.patch(`${base}/relations/:id`, async (context) => {
    const caller = await resolveCaller(ports, context, 'doc_link');
    if (!caller.ok) return caller.error;
    const body = await readJsonBody(context.req.raw);
    const notes = body.ok ? parseNotes(body.value) : body;
    if (!notes.ok) return failWith(ports, context, notes.error);
    const id = context.req.param('id');
    if (!isRelationId(id)) return failWith(ports, context, { reason: 'not_found' });
    const changed = await ports.documents.annotate(caller.value, id, notes.value);
    if (!changed.ok) return failWith(ports, context, changed.error);
    return context.json(toWireRelation(changed.value), 200, PRIVATE);
  });

  app.delete(`${base}/relations/:id`, async (context) => {
    const caller = await resolveCaller(ports, context, 'doc_link');
    if (!caller.ok) return caller.error;
    const id = context.req.param('id');
    if (!isRelationId(id)) return failWith(ports, context, { reason: 'not_found' });
    const gone = await ports.documents.unrelate(caller.value, id);
    if (!gone.ok) return failWith(ports, context, gone.error);
    return context.json({ success: true, message: 'deleted 1 relation' }, 200, PRIVATE);
  });
}
