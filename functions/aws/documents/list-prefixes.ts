import type { ContextCaller } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ScopeFilters } from '../../core/visibility.ts';
import type { ContextTable } from '../context-table.ts';
import { completeLists } from './list-completion.ts';
import { EVERY_SCOPE, toListPrefix } from './list-rows.ts';
import { HEAD_PREFIX, toPartition } from './rows.ts';
import { toScope } from './scopes.ts';
import { visibleSets } from './visible-scopes.ts';

/** Lists that lead to documents, by what the keys of their rows start with; those end in the document's id. */
export type ListPrefixes = {
  readonly prefixes: readonly string[];
  /** Those that have all documents of a set of filters. */
  readonly sets: ReadonlyMap<string, ScopeFilters>;
};

/** What leads to all documents which the caller sees and which have the tag: heads themselves where that is the whole namespace. */
export async function listPrefixes(
  table: ContextTable,
  caller: ContextCaller,
  tag: string | undefined,
): Promise<Result<ListPrefixes, Unavailable>> {
  if (caller.scopeFilters.size === 0 && tag === undefined) return ok(withoutSets([HEAD_PREFIX]));
  const complete = await completeLists(table, toPartition(caller.orgId, caller.namespace));
  if (!complete.ok) return complete;
  const sets = await visibleSets(table, caller);
  if (!sets.ok) return sets;
  if (sets.value === undefined) return ok(withoutSets([toListPrefix(EVERY_SCOPE, tag)]));
  const byPrefix = new Map(sets.value.map((filters) => [toListPrefix(toScope(filters), tag), filters]));
  const prefixes = [...byPrefix.keys()];
  return ok(tag === undefined ? { prefixes, sets: byPrefix } : withoutSets(prefixes));
}

function withoutSets(prefixes: readonly string[]): ListPrefixes {
  return { prefixes, sets: new Map() };
}
