import type { Hono } from 'hono';
import { SEARCH_ARGUMENTS } from '../core/documents/search.ts';
import type { AppEnv } from './app.ts';
import { searchAnswer } from './document-found.ts';
import {
  contextUrlOf,
  type DocumentPorts,
  failWith,
  PRIVATE,
  readQuery,
  resolveTool,
  toFlag,
  toWholeNumber,
} from './document-route.ts';

/** Full-text search (formats §1.0.7), decided as `doc_search`. */
export function addSearchRoute(app: Hono<AppEnv>, ports: DocumentPorts, base: string): void {
  app.get(`${base}/search`, async (context) => {
    const caller = await resolveTool(ports, context, 'doc_search');
    if (!caller.ok) return caller.error;
    const parameters = readQuery(context);
    if (!parameters.ok) return failWith(ports, context, parameters.error);
    const { limit, include_relations: withRelations, ...rest } = parameters.value;
    const request = SEARCH_ARGUMENTS.parse({
      ...rest,
      ...(limit === undefined ? {} : { limit: toWholeNumber(limit) }),
      ...(withRelations === undefined ? {} : { include_relations: toFlag(withRelations) }),
    });
    if (!request.ok) return failWith(ports, context, request.error);
    const found = await searchAnswer(ports.documents, caller.value, request.value, contextUrlOf(context));
    return found.ok ? context.json(found.value, 200, PRIVATE) : failWith(ports, context, found.error);
  });
}
