import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, RowPage } from '../context-table.ts';
import { LOOKS_AT_ONCE, lookAtAll } from './looks.ts';
import type { Place } from './order.ts';
import { type Posting, toPosting } from './postings.ts';
import { readRank } from './rank.ts';
import { text } from './rows.ts';
import { readTermKey, toTermPrefix } from './search-index.ts';

/** Rows that are read first in all scopes together, and at least in each: a look that ends before the rows do is made again where few are found. */
const FIRST_ROWS = 500;
const FEWEST_ROWS = 8;

/** Looks that find the scopes of a term, where those are not known. */
const MAX_LOOKS = 256;

/** Looks after which the rest is divided among several, and the rows of each of these: about as many as one read unit has. */
const LOOKS_ALONE = 3;
const ROWS_OF_MANY = 30;

/** Where the rest is divided: digests of filters begin with any of 64 characters, which sort so. */
const CUTS = ['7', 'F', 'N', 'V', 'b', 'j', 'r'];

/** Sorts after every scope. */
const END = '~';

/** Sorts after all rows of a scope, and before those of the next one. */
const BEHIND = '$';

/** The first rows of a term in one scope, in the order of their keys. */
export type TermScope = {
  readonly prefix: string;
  /** How many were asked for, with those that have expired; where all were read in a look at this scope alone, how many there are. */
  readonly rows: number;
  readonly postings: readonly Posting[];
  /** Nothing that was not read comes before this; undefined where all was. */
  readonly next: Place | undefined;
};

/** The scopes that a look found. Not `isComplete` where there may be more. */
type TermScopes = { readonly scopes: readonly TermScope[]; readonly isComplete: boolean };

/** Scopes after one place and up to another. */
type Range = { readonly after: string; readonly until: string };

/**
 * The first rows of a term in each of the scopes, so many in each where there are few. Each is asked, however many there are and whatever is in
 * them: one look at all of the namespace would be cheaper, and how long it takes would tell how much there is of the others.
 */
export async function readTermScopes(
  table: ContextTable,
  pk: string,
  term: string,
  scopes: readonly string[],
  rows: number,
): Promise<Result<TermScopes, Unavailable>> {
  const each = Math.min(rows, Math.max(FEWEST_ROWS, Math.ceil(FIRST_ROWS / scopes.length)));
  const read = await lookAtAll(scopes, (scope) => readTermScope(table, pk, toTermPrefix(term, scope), each));
  return read.ok ? ok({ scopes: read.value, isComplete: true }) : read;
}

/**
 * The same in all scopes of a namespace, which its rows themselves tell: where a look ends within the rows of a scope, the next one goes on behind
 * them. Some looks one after the other find few scopes; of more, several are looked for at once.
 */
export async function findTermScopes(
  table: ContextTable,
  pk: string,
  term: string,
  rows: number,
): Promise<Result<TermScopes, Unavailable>> {
  const prefix = toTermPrefix(term);
  const scopes: TermScope[] = [];
  let open: readonly Range[] = [{ after: '', until: END }];
  for (let looks = 0; open.length > 0; ) {
    if (looks >= MAX_LOOKS) return ok({ scopes, isComplete: false });
    const asked = open.slice(0, LOOKS_AT_ONCE);
    const each = looks < LOOKS_ALONE ? rows : Math.min(rows, ROWS_OF_MANY);
    looks += asked.length;
    const pages = await lookAtAll(asked, ({ after }) => table.page(pk, prefix, `${prefix}${after}`, each));
    if (!pages.ok) return pages;
    const left = open.slice(LOOKS_AT_ONCE);
    for (const [index, range] of asked.entries()) {
      const page = pages.value[index];
      if (page === undefined) continue;
      scopes.push(...scopesIn(term, page, range.until, each));
      const { nextSortKey } = page;
      const scope = nextSortKey === undefined ? END : readTermKey(nextSortKey).scope;
      if (scope < range.until) left.push(...divided({ ...range, after: `${scope}${BEHIND}` }, looks));
    }
    open = left;
  }
  return ok({ scopes, isComplete: true });
}

/** The first rows of a scope, so many, in one look. */
export async function readTermScope(
  table: ContextTable,
  pk: string,
  prefix: string,
  rows: number,
): Promise<Result<TermScope, Unavailable>> {
  const page = await table.page(pk, prefix, undefined, rows);
  if (!page.ok) return page;
  const { nextSortKey } = page.value;
  return ok({
    prefix,
    rows: nextSortKey === undefined ? page.value.looked : rows,
    postings: page.value.rows.map(toPosting),
    next: nextSortKey === undefined ? undefined : placeAfter(nextSortKey),
  });
}

/** What a look found of the scopes up to one. It saw all of them but of the last. */
function scopesIn(
  term: string,
  { rows, nextSortKey }: RowPage,
  until: string,
  asked: number,
): readonly TermScope[] {
  const byScope = Map.groupBy(rows, (row) => readTermKey(text(row, 'sk')).scope);
  const lastScope = nextSortKey === undefined ? undefined : readTermKey(nextSortKey).scope;
  // Of the last one all that was seen may have expired.
  if (lastScope !== undefined && !byScope.has(lastScope)) byScope.set(lastScope, []);
  return [...byScope]
    .filter(([scope]) => scope < until)
    .map(([scope, found]) => ({
      prefix: toTermPrefix(term, scope),
      rows: asked,
      postings: found.map(toPosting),
      next: nextSortKey === undefined || scope !== lastScope ? undefined : placeAfter(nextSortKey),
    }));
}

/** Rows of a rank that several counts share are in no order: those behind this one may have the most of it, whatever their ids. */
function placeAfter(sortKey: string): Place {
  const { rank, id } = readTermKey(sortKey);
  const { most, isExact } = readRank(rank);
  return { worth: most, id: isExact ? id : '' };
}

function divided(range: Range, looks: number): readonly Range[] {
  if (looks < LOOKS_ALONE) return [range];
  const cuts = [...CUTS.filter((cut) => cut > range.after && cut < range.until), range.until];
  return cuts.map((until, index) => ({ after: cuts[index - 1] ?? range.after, until }));
}
