import type { ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import { scoreOf, sectionsOf, weightOf } from '../core/documents/ranking.ts';
import type { SearchHit, SearchRequest } from '../core/documents/search.ts';
import { ok } from '../core/result.ts';
import type { ContextTable } from './context-table.ts';
import { findMatches, type Match, type Named } from './document-matches.ts';
import { type Posting, readPostings } from './document-postings.ts';
import { visibleScopes } from './document-visible-scopes.ts';

/** Documents beyond those asked for that one look takes, because some of what the index says may be of an older version. */
const SPARE_CANDIDATES = 20;

/** Documents that one search looks at. */
const MAX_CANDIDATES = 1_000;

/** Scores of terms. */
type Weights = ReadonlyMap<string, number>;

/** A document that the index names, with the score that it has at best. */
type Candidate = Named & { readonly score: number };

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
  const scopes = await visibleScopes(table, caller);
  if (!scopes.ok) return scopes;
  const found = await Promise.all(terms.map((term) => readPostings(table, caller, term, scopes.value)));
  const byDocument = new Map<string, Posting[]>();
  const weights = new Map<string, number>();
  let isComplete = true;
  for (const [index, one] of found.entries()) {
    if (!one.ok) return one;
    const documents = new Set(one.value.postings.map(({ id }) => id));
    weights.set(terms[index] ?? '', weightOf(documents.size));
    isComplete &&= one.value.isComplete;
    for (const posting of one.value.postings) {
      byDocument.set(posting.id, [...(byDocument.get(posting.id) ?? []), posting]);
    }
  }
  const candidates = rank(byDocument, weights);
  const perLook = limit * 2 + SPARE_CANDIDATES;
  let hits: readonly SearchHit[] = [];
  for (let at = 0; isBetter(candidates[at], hits[limit - 1]); at += perLook) {
    if (at >= MAX_CANDIDATES) return ok({ hits, isComplete: false });
    const looked = await findMatches(table, caller, terms, candidates.slice(at, at + perLook));
    if (!looked.ok) return looked;
    isComplete &&= looked.value.isComplete;
    const more = looked.value.matches.map((match) => toHit(match, weights));
    hits = [...hits, ...more].sort(byScore).slice(0, limit);
  }
  return ok({ hits, isComplete });
}

/** What the index names, best first. */
function rank(byDocument: ReadonlyMap<string, readonly Posting[]>, weights: Weights): readonly Candidate[] {
  return Array.from(byDocument, ([id, postings]) => ({
    id,
    postings,
    score: scoreOf(onePerTerm(postings), weights),
  })).sort((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1));
}

/** May a document come before the last one that there is room for? */
function isBetter(candidate: Candidate | undefined, last: SearchHit | undefined): boolean {
  if (candidate === undefined || last === undefined) return candidate !== undefined;
  return candidate.score > last.score || (candidate.score === last.score && candidate.id < last.document.id);
}

function toHit({ head, postings }: Match, weights: Weights): SearchHit {
  const totalChars = head.parts.reduce((sum, { chars }) => sum + (chars ?? 0), 0);
  const sections = sectionsOf(postings, weights, totalChars);
  return { document: head.document, score: scoreOf(postings, weights), sections };
}

function byScore(one: SearchHit, other: SearchHit): number {
  return other.score - one.score || (one.document.id < other.document.id ? -1 : 1);
}

/** Of rows of the same term, of which one may be of an older version, the one with most of it. */
function onePerTerm(postings: readonly Posting[]): readonly Posting[] {
  const best = new Map<string, Posting>();
  for (const posting of postings) {
    if ((best.get(posting.term)?.count ?? 0) < posting.count) best.set(posting.term, posting);
  }
  return [...best.values()];
}
