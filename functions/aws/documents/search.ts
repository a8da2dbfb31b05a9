import type { ContextCaller, DocumentStore } from '../../core/documents/ports.ts';
import { scoreOf, sectionsOf } from '../../core/documents/ranking.ts';
import type { SearchHit, SearchRequest } from '../../core/documents/search.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { findMatches, type Match } from './matches.ts';
import { byPlace, type Order, type Place } from './order.ts';
import { toPartition } from './rows.ts';
import { orderOfTerm } from './term-order.ts';
import { orderOfTerms } from './terms-order.ts';
import { visibleScopes } from './visible-scopes.ts';

/** Documents that one search looks at. */
const MAX_CANDIDATES = 1_000;

/** A match, and where it is in the result. */
type Placed = Match & Place;

/**
 * Full-text search over what the caller sees: the terms' rows in the scopes that are visible, then the heads of the best documents, which
 * decide, as they do for a read. Nothing of a document that the caller cannot see counts, not even how often a term is in it. What is not
 * there (any more) makes room for the next ones.
 */
export async function searchDocuments(
  table: ContextTable,
  caller: ContextCaller,
  { terms, limit }: SearchRequest,
): ReturnType<DocumentStore['search']> {
  const order = await openOrder(table, caller, terms, limit);
  if (!order.ok) return order;
  const { weights, worthOf, next } = order.value;
  let placed: readonly Placed[] = [];
  let isSettled = true;
  let looked = 0;
  for (let perLook = limit; ; perLook *= 2) {
    const few = Math.max(1, Math.min(perLook, MAX_CANDIDATES - looked));
    const more = await next(few, placed[limit - 1]);
    if (!more.ok) return more;
    const { named } = more.value;
    if (named.length === 0 || looked >= MAX_CANDIDATES) {
      const isComplete = isSettled && more.value.isComplete && named.length === 0;
      return ok({ hits: placed.map((match) => toHit(match, weights)), isComplete });
    }
    const found = await findMatches(table, caller, terms, named);
    if (!found.ok) return found;
    isSettled &&= found.value.isComplete;
    looked += named.length;
    const added = found.value.matches.map((match) => ({
      ...match,
      id: match.head.document.id,
      worth: worthOf(match.postings),
    }));
    placed = [...placed, ...added].sort(byPlace).slice(0, limit);
  }
}

/** A term alone is in the order in which its rows are; of several, the scores decide. */
async function openOrder(
  table: ContextTable,
  caller: ContextCaller,
  terms: readonly string[],
  limit: number,
): Promise<Result<Order, Unavailable>> {
  const scopes = await visibleScopes(table, caller);
  if (!scopes.ok) return scopes;
  const pk = toPartition(caller.orgId, caller.namespace);
  const [term, ...others] = terms;
  return term !== undefined && others.length === 0
    ? orderOfTerm(table, pk, term, { scopes: scopes.value, limit })
    : orderOfTerms(table, pk, terms, scopes.value);
}

function toHit({ head, postings }: Match, weights: Order['weights']): SearchHit {
  const totalChars = head.parts.reduce((sum, { chars }) => sum + (chars ?? 0), 0);
  const sections = sectionsOf(postings, weights, totalChars);
  return { document: head.document, score: scoreOf(postings, weights), sections };
}
