import type { Hit } from '../../core/documents/ranking.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { LOOKS_AT_ONCE } from './looks.ts';
import { number, text } from './rows.ts';
import { readTermKey, toTermPrefix } from './search-index.ts';

/** Rows of one of several terms that a search looks at, expired ones too. Within a scope those with most of the term come first. */
const ROWS_PER_TERM = 2_000;

/** A row of the index: a term in one version of a document, as this write stored it. */
export type Posting = Hit & { readonly id: string; readonly write: string };

/** Rows of a term. Not `isComplete` where there are more than one search looks at. */
type Postings = { readonly postings: readonly Posting[]; readonly isComplete: boolean };

/**
 * The rows of one of several terms in the scopes, or in all where none are named. Each scope is asked, however many there are: one look at the rows of all
 * would be cheaper, and how long it takes would tell how many there are of the others.
 */
export async function readPostings(
  table: ContextTable,
  pk: string,
  term: string,
  scopes: readonly string[] | undefined,
): Promise<Result<Postings, Unavailable>> {
  const prefixes = scopes?.map((scope) => toTermPrefix(term, scope)) ?? [toTermPrefix(term)];
  const found = await readPrefixes(table, pk, prefixes);
  if (!found.ok) return found;
  const { rows, isComplete } = found.value;
  return ok({ postings: rows.map(toPosting), isComplete });
}

/** The rows whose keys start with one of the prefixes, some prefixes at a time; each is asked, however many there are, unless too much was found. */
async function readPrefixes(
  table: ContextTable,
  pk: string,
  prefixes: readonly string[],
): Promise<Result<{ readonly rows: readonly Row[]; readonly isComplete: boolean }, Unavailable>> {
  const open: { readonly prefix: string; readonly after?: string }[] = prefixes.map((prefix) => ({ prefix }));
  const rows: Row[] = [];
  let left = ROWS_PER_TERM;
  while (open.length > 0) {
    if (left <= 0) return ok({ rows, isComplete: false });
    const asked = open.splice(0, LOOKS_AT_ONCE);
    const limit = Math.ceil(left / asked.length);
    const pages = await Promise.all(asked.map(({ prefix, after }) => table.page(pk, prefix, after, limit)));
    for (const [index, { prefix }] of asked.entries()) {
      const page = pages[index];
      if (page === undefined) continue;
      if (!page.ok) return page;
      rows.push(...page.value.rows);
      left -= page.value.looked;
      if (page.value.nextSortKey !== undefined) open.push({ prefix, after: page.value.nextSortKey });
    }
  }
  return ok({ rows, isComplete: true });
}

/** What a row of the index says. */
export function toPosting(row: Row): Posting {
  const { term, id, write } = readTermKey(text(row, 'sk'));
  const positions = text(row, 'at').split(' ').filter(Boolean).map(Number);
  return { term, id, write, count: number(row, 'n'), positions };
}
