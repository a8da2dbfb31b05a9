import type { ContextCaller } from '../core/documents/ports.ts';
import type { Hit } from '../core/documents/ranking.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { readTermKey, toTermPrefix } from './document-index.ts';
import { number, text, toPartition } from './document-rows.ts';

/** Rows of one term that a search looks at, expired ones too, and at a time. Within a scope those with most of the term come first. */
const ROWS_PER_TERM = 2_000;
const ROWS_PER_LOOK = 500;

/** Rows that a look counts as at least: one which finds nothing is paid for as well. */
const ROWS_OF_A_LOOK = 4;

/** A row of the index: a term in one version of a document, as this write stored it. */
export type Posting = Hit & { readonly id: string; readonly write: string };

/** The rows of one term in the scopes, or in all where none are named. Not `isComplete` where there are more than one search looks at. */
export async function readPostings(
  table: ContextTable,
  caller: ContextCaller,
  term: string,
  scopes: readonly string[] | undefined,
): Promise<Result<{ readonly postings: readonly Posting[]; readonly isComplete: boolean }, Unavailable>> {
  const pk = toPartition(caller.orgId, caller.namespace);
  const prefixes = scopes?.map((scope) => toTermPrefix(term, scope)) ?? [toTermPrefix(term)];
  const postings: Posting[] = [];
  let looked = 0;
  for (const prefix of prefixes) {
    let after: string | undefined;
    do {
      if (looked >= ROWS_PER_TERM) return ok({ postings, isComplete: false });
      const page = await table.page(pk, prefix, after, ROWS_PER_LOOK);
      if (!page.ok) return page;
      postings.push(...page.value.rows.map(toPosting));
      looked += Math.max(ROWS_OF_A_LOOK, page.value.looked);
      after = page.value.nextSortKey;
    } while (after !== undefined);
  }
  return ok({ postings, isComplete: true });
}

/** What a row of the index says. */
export function toPosting(row: Row): Posting {
  const { term, id, write } = readTermKey(text(row, 'sk'));
  const positions = text(row, 'at').split(' ').filter(Boolean).map(Number);
  return { term, id, write, count: number(row, 'n'), positions };
}
