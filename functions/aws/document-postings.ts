import type { ContextCaller } from '../core/documents/ports.ts';
import type { Hit } from '../core/documents/ranking.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { readTermKey, toTermPrefix } from './document-index.ts';
import { number, text, toPartition } from './document-rows.ts';

/** Rows of one term that a search looks at, expired ones too. Within a scope those with most of the term come first. */
const ROWS_PER_TERM = 2_000;

/** Scopes that are asked at once. */
const LOOKS_AT_ONCE = 16;

/** Of more scopes than these the rows of all scopes are read first: where a word is rare, that is all of it. */
const SCOPES_ASKED = 64;

/** A row of the index: a term in one version of a document, as this write stored it. */
export type Posting = Hit & { readonly id: string; readonly write: string };

/** Rows of a term. Not `isComplete` where there are more than one search looks at. */
type Postings = { readonly postings: readonly Posting[]; readonly isComplete: boolean };

/** The rows of one term in the scopes, or in all where none are named. Rows of other scopes count for nothing. */
export async function readPostings(
  table: ContextTable,
  caller: ContextCaller,
  term: string,
  scopes: readonly string[] | undefined,
): Promise<Result<Postings, Unavailable>> {
  const pk = toPartition(caller.orgId, caller.namespace);
  if (scopes === undefined || scopes.length > SCOPES_ASKED) {
    const all = await readPrefixes(table, pk, [toTermPrefix(term)]);
    if (!all.ok || scopes === undefined) return all.ok ? ok(toPostings(all.value)) : all;
    // Where there are more, how many there are of the others must not be told, nor take the place of what is visible.
    const visible = new Set(scopes);
    const isVisible = (row: Row) => visible.has(readTermKey(text(row, 'sk')).scope);
    if (all.value.isComplete) return ok(toPostings({ ...all.value, rows: all.value.rows.filter(isVisible) }));
  }
  const prefixes = scopes.map((scope) => toTermPrefix(term, scope));
  const found = await readPrefixes(table, pk, prefixes);
  return found.ok ? ok(toPostings(found.value)) : found;
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

function toPostings({
  rows,
  isComplete,
}: {
  readonly rows: readonly Row[];
  readonly isComplete: boolean;
}): Postings {
  return { postings: rows.map(toPosting), isComplete };
}

/** What a row of the index says. */
export function toPosting(row: Row): Posting {
  const { term, id, write } = readTermKey(text(row, 'sk'));
  const positions = text(row, 'at').split(' ').filter(Boolean).map(Number);
  return { term, id, write, count: number(row, 'n'), positions };
}
