import { type Document, sha256 } from '../core/documents/document.ts';
import type { ContextCaller } from '../core/documents/ports.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import { canonicalFilters, isWithin, type ScopeFilters } from '../core/visibility.ts';
import type { ContextTable, Row } from './context-table.ts';
import { text, toPartition } from './document-rows.ts';

/** What documents without filters have in the place of a digest of them. */
const NO_FILTERS = '-';

const ROWS_PER_LOOK = 500;

/** The place of documents with these filters in lists and in the search index. */
export function toScope(filters: ScopeFilters): string {
  return filters.size === 0 ? NO_FILTERS : shortHash(canonicalFilters(filters));
}

/** A digest that is short enough for a key, and of which nobody finds a second text. */
export function shortHash(content: string): string {
  return Buffer.from(sha256(content), 'hex').toString('base64url').slice(0, 22);
}

/** Rows by which a caller with one of the document's filters finds the place of the document's. */
export function scopeRows({ scope }: Document): readonly Row[] {
  const { orgId, namespace, scopeFilters } = scope;
  return [...scopeFilters].map((filter) => ({
    pk: { S: toPartition(orgId, namespace) },
    sk: { S: `${toScopePrefix(filter)}${toScope(scopeFilters)}` },
    filters: { S: canonicalFilters(scopeFilters) },
  }));
}

/** The places of all documents that the caller sees; undefined where those are all of the namespace. */
export async function visibleScopes(
  table: ContextTable,
  caller: ContextCaller,
): Promise<Result<readonly string[] | undefined, Unavailable>> {
  const [filter] = caller.scopeFilters;
  if (filter === undefined) return ok(undefined);
  const pk = toPartition(caller.orgId, caller.namespace);
  const prefix = toScopePrefix(filter);
  const scopes = [NO_FILTERS];
  let after: string | undefined;
  do {
    const page = await table.page(pk, prefix, after, ROWS_PER_LOOK);
    if (!page.ok) return page;
    for (const row of page.value.rows) {
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: our own writing, under a key that nothing else writes
      const filters = new Map(JSON.parse(text(row, 'filters')) as [string, string][]);
      if (isWithin(filters, caller.scopeFilters)) scopes.push(text(row, 'sk').slice(prefix.length));
    }
    after = page.value.nextSortKey;
  } while (after !== undefined);
  return ok(scopes);
}

/** What all keys of rows start with that name the sets of filters with this one among them. */
function toScopePrefix([name, value]: readonly [string, string]): string {
  return `SCOPE#${shortHash(JSON.stringify([name, value]))}#`;
}
