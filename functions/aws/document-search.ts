import type { ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import { type Hit, scoreOf, sectionsOf, weightOf } from '../core/documents/ranking.ts';
import type { SearchHit, SearchRequest } from '../core/documents/search.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { findHeads } from './document-heads.ts';
import { fromListRow, readTermKey, toListKey, toTermPrefix } from './document-index.ts';
import { type DocumentHead, number, text, toPartition } from './document-rows.ts';
import { visibleScopes } from './document-scopes.ts';

/** Rows of one term that a search looks at, and at a time. Within a scope those with most of the term come first. */
const ROWS_PER_TERM = 2_000;
const ROWS_PER_LOOK = 500;

/** Documents beyond those asked for that are looked at, because some of what the index says may be of an older version. */
const SPARE_CANDIDATES = 20;

type Posting = Hit & { readonly id: string; readonly write: string };

/**
 * Full-text search over what the caller sees: the terms' rows in the scopes that are visible, then the heads of the best documents, which
 * decide, as they do for a read. Nothing of a document that the caller cannot see counts, not even how often a term is in it.
 */
export async function searchDocuments(
  table: ContextTable,
  caller: ContextCaller,
  { terms, limit }: SearchRequest,
): ReturnType<DocumentStore['search']> {
  const scopes = await visibleScopes(table, caller);
  if (!scopes.ok) return scopes;
  const found = await Promise.all(terms.map((term) => readTerm(table, caller, term, scopes.value)));
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
  const best = (postings: readonly Posting[]) => scoreOf(onePerTerm(postings), weights);
  const candidates = Array.from(byDocument, ([id, postings]) => ({ id, postings, score: best(postings) }))
    .sort((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1))
    .slice(0, limit * 2 + SPARE_CANDIDATES);
  const heads = await findHeads(
    table,
    caller,
    candidates.map(({ id }) => id),
  );
  if (!heads.ok) return heads;
  const current = await currentWrites(table, [...heads.value.values()]);
  if (!current.ok) return current;
  const hits = candidates.flatMap(({ id, postings }): readonly SearchHit[] => {
    const head = heads.value.get(id);
    const live = postings.filter(({ term, write }) => current.value.get(id)?.get(term) === write);
    if (head === undefined || live.length === 0) return [];
    const totalChars = head.parts.reduce((sum, { chars }) => sum + (chars ?? 0), 0);
    const sections = sectionsOf(live, weights, totalChars);
    return [{ document: head.document, score: scoreOf(live, weights), sections }];
  });
  hits.sort((one, other) => other.score - one.score || (one.document.id < other.document.id ? -1 : 1));
  return ok({ hits: hits.slice(0, limit), isComplete });
}

/** The rows of one term in the scopes. */
async function readTerm(
  table: ContextTable,
  caller: ContextCaller,
  term: string,
  scopes: readonly string[] | undefined,
): Promise<Result<{ readonly postings: readonly Posting[]; readonly isComplete: boolean }, Unavailable>> {
  const pk = toPartition(caller.orgId, caller.namespace);
  const prefixes = scopes?.map((scope) => toTermPrefix(term, scope)) ?? [toTermPrefix(term)];
  const postings: Posting[] = [];
  for (const prefix of prefixes) {
    let after: string | undefined;
    do {
      const page = await table.page(pk, prefix, after, ROWS_PER_LOOK);
      if (!page.ok) return page;
      postings.push(...page.value.rows.map(toPosting));
      after = page.value.nextSortKey;
      if (postings.length >= ROWS_PER_TERM) return ok({ postings, isComplete: after === undefined });
    } while (after !== undefined);
  }
  return ok({ postings, isComplete: true });
}

/** For each document the write that stored the row of each of its terms, as its present version says. */
async function currentWrites(
  table: ContextTable,
  heads: readonly DocumentHead[],
): Promise<Result<ReadonlyMap<string, ReadonlyMap<string, string>>, Unavailable>> {
  const lists = await table.getAll(heads.map(({ document, write }) => toListKey(document, write)));
  if (!lists.ok) return lists;
  return ok(
    new Map(
      heads.map(({ document }, index) => [
        document.id,
        new Map(fromListRow(lists.value[index]).map(({ term, write }) => [term, write])),
      ]),
    ),
  );
}

/** Of rows of the same term, of which one may be of an older version, the one with most of it. */
function onePerTerm(postings: readonly Posting[]): readonly Posting[] {
  const best = new Map<string, Posting>();
  for (const posting of postings) {
    if ((best.get(posting.term)?.count ?? 0) < posting.count) best.set(posting.term, posting);
  }
  return [...best.values()];
}

function toPosting(row: Row): Posting {
  const { term, id, write } = readTermKey(text(row, 'sk'));
  const positions = text(row, 'at').split(' ').filter(Boolean).map(Number);
  return { term, id, write, count: number(row, 'n'), positions };
}
