import type { ContextCaller } from '../core/documents/ports.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable } from './context-table.ts';
import { completeLists } from './document-list-completion.ts';
import { EVERY_SCOPE, toListPrefix } from './document-list-rows.ts';
import { HEAD_PREFIX, toPartition } from './document-rows.ts';
import { visibleScopes } from './document-visible-scopes.ts';

/**
 * What the keys of rows start with that lead to all documents which the caller sees and which have the tag, each ending in an id; heads
 * themselves where that is the whole namespace.
 */
export async function listPrefixes(
  table: ContextTable,
  caller: ContextCaller,
  tag: string | undefined,
): Promise<Result<readonly string[], Unavailable>> {
  if (caller.scopeFilters.size === 0 && tag === undefined) return ok([HEAD_PREFIX]);
  const complete = await completeLists(table, toPartition(caller.orgId, caller.namespace));
  if (!complete.ok) return complete;
  const scopes = await visibleScopes(table, caller);
  if (!scopes.ok) return scopes;
  return ok((scopes.value ?? [EVERY_SCOPE]).map((scope) => toListPrefix(scope, tag)));
}
