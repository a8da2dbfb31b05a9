import type { ContextCaller, RelationStore, Seal } from '../../core/documents/ports.ts';
import { MAX_ANSWERED, type RelationQuery } from '../../core/documents/relation-page.ts';
import { err, ok } from '../../core/result.ts';
import { canonicalFilters } from '../../core/visibility.ts';
import type { ContextTable } from '../context-table.ts';
import type { Place } from './relation-edges.ts';
import { eachOf, readRelations, UNBOUNDED } from './relation-reads.ts';
import { toRelations } from './relation-rows.ts';

/** The relations of documents, as far as the caller sees both ends and as many as fit one answer. */
export async function someRelationsOf(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): ReturnType<RelationStore['someRelationsOf']> {
  const { relations: total, bytes } = MAX_ANSWERED;
  const found = await readRelations(table, caller, ids, { ...UNBOUNDED, total, bytes });
  if (!found.ok) return found;
  return ok(
    eachOf(found.value, ({ stored, isComplete }) => ({ relations: toRelations(stored), isComplete })),
  );
}

/** One page of the relations of a document. */
export async function relationPage(
  table: ContextTable,
  seal: Seal,
  caller: ContextCaller,
  [id, { limit, cursor }]: readonly [string, RelationQuery],
): ReturnType<RelationStore['relationPage']> {
  const context = cursorContext(caller, id);
  const after = cursor === undefined ? undefined : fromCursor(seal.open(cursor, context));
  if (cursor !== undefined && after === undefined) return err({ reason: 'invalid_cursor' });
  const { relations: total, bytes } = MAX_ANSWERED;
  const bounds = { perDocument: limit, total, bytes, after, believes: true };
  let found = await readRelations(table, caller, [id], bounds);
  // What leads to nothing takes nobody's place on a page.
  if (found.ok && found.value.get(id)?.isWhole === false) {
    found = await readRelations(table, caller, [id], { ...bounds, believes: false });
  }
  if (!found.ok) return found;
  const own = found.value.get(id);
  if (own === undefined) return err({ reason: 'not_found' });
  const { stored, isComplete, last } = own;
  const nextCursor = isComplete || last === undefined ? undefined : seal.seal(toCursor(last), context);
  return ok({ relations: toRelations(stored), nextCursor });
}

function toCursor({ createdAtSeconds, relationId }: Place): string {
  return JSON.stringify([createdAtSeconds, relationId]);
}

function fromCursor(opened: string | undefined): Place | undefined {
  const place: unknown = opened === undefined ? undefined : JSON.parse(opened);
  const [createdAtSeconds, relationId] = Array.isArray(place) ? place : [];
  return typeof createdAtSeconds === 'number' && typeof relationId === 'string'
    ? { createdAtSeconds, relationId }
    : undefined;
}

/** A cursor is good for its caller, scope and document alone; the limit may change between pages. */
function cursorContext({ orgId, namespace, scopeFilters, callerKey }: ContextCaller, id: string): string {
  const filters = canonicalFilters(scopeFilters);
  return JSON.stringify(['document-relations', orgId, namespace, filters, callerKey, id]);
}
