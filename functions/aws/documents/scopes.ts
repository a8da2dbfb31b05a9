import { type Document, sha256 } from '../../core/documents/document.ts';
import { canonicalFilters, type ScopeFilters } from '../../core/visibility.ts';
import type { Row } from '../context-table.ts';
import { text, toPartition } from './rows.ts';

/** What documents without filters have in the place of a digest of them. */
export const NO_FILTERS = '-';

/** The place of documents with these filters in lists and in the search index. */
export function toScope(filters: ScopeFilters): string {
  return filters.size === 0 ? NO_FILTERS : shortHash(canonicalFilters(filters));
}

/** A digest that is short enough for a key, and of which nobody finds a second text. */
export function shortHash(content: string): string {
  return Buffer.from(sha256(content), 'hex').toString('base64url').slice(0, 22);
}

/** Rows by which a caller with one of the document's filters finds the place of the document's. */
export function scopeRows({ scope }: Pick<Document, 'scope'>): readonly Row[] {
  const { orgId, namespace, scopeFilters } = scope;
  return [...scopeFilters].map((filter) => ({
    pk: { S: toPartition(orgId, namespace) },
    sk: { S: `${toScopePrefix(filter)}${toScope(scopeFilters)}` },
    filters: { S: canonicalFilters(scopeFilters) },
  }));
}

/** The set of filters that a row leads to. @throws TypeError where the row is not one of {@link scopeRows} */
export function fromScopeRow(row: Row): ScopeFilters {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: our own writing, under a key that nothing else writes
  return new Map(JSON.parse(text(row, 'filters')) as [string, string][]);
}

/** What all keys of rows start with that name the sets of filters with this one among them. */
export function toScopePrefix([name, value]: readonly [string, string]): string {
  return `SCOPE#${shortHash(JSON.stringify([name, value]))}#`;
}
