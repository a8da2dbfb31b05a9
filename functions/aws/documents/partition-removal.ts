import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { markGone } from './claims.ts';
import { idOfDeletion, NOTE_PREFIX } from './deletions.ts';
import { findLiving, isLiving, isRelating, type Living } from './living.ts';
import { lookAtAll } from './looks.ts';
import { RELATING_PREFIX } from './relation-notes.ts';
import { keyOf } from './relation-rows.ts';
import { HEAD_PREFIX, text } from './rows.ts';

const ROWS_PER_LOOK = 1_000;

/** Rows that one delete of a partition removes at most, and looks at: some ten seconds of work. */
const MAX_REMOVED_ROWS = 20_000;
const MAX_LOOKED_ROWS = 100_000;

/** How long notes are kept of what may have been under way. */
const NOTES_KEPT_SECONDS = 30 * 86_400;

/** What begins the keys of rows that several documents have in common, or one after the other. They name the write that put them. */
const SHARED = /^(?:EDGE|IDEMPOTENCY|LIST|REL|SCOPE)#/;

/**
 * Removes everything of a namespace, first the heads: a document is there as a whole or not at all. What is created at the same time stays
 * as a whole, as if it came afterwards. What has expired goes as well, late as DynamoDB may be. Answers false where more is left.
 */
export async function removeRows(
  table: ContextTable,
  pk: string,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  let removed = 0;
  let looked = 0;
  const heads = await removeHeads(table, pk);
  if (!heads.ok || heads.value === undefined) return heads.ok ? ok(false) : heads;
  removed += heads.value;
  let after: string | undefined;
  do {
    if (removed >= MAX_REMOVED_ROWS || looked >= MAX_LOOKED_ROWS) return ok(false);
    const page = await table.pageOfAll(pk, '', after, ROWS_PER_LOOK);
    if (!page.ok) return page;
    looked += page.value.looked;
    // After the rows: a create has a note before its first row and until its head is there.
    const living = await findLiving(table, pk, page.value.rows, nowSeconds);
    if (!living.ok) return living;
    const gone = page.value.rows.filter((row) => !isLiving(row, living.value, nowSeconds));
    const isShared = (row: Row) => SHARED.test(text(row, 'sk'));
    const shared = await table.removeAsRead(gone.filter(isShared));
    if (!shared.ok) return shared;
    const others = gone.filter((row) => !isShared(row)).map((row) => ({ pk, sk: text(row, 'sk') }));
    const unshared = await table.writeAll([], others);
    if (!unshared.ok) return unshared;
    const ended = await endNotes(table, page.value.rows, living.value, nowSeconds);
    if (!ended.ok) return ended;
    removed += gone.length + ended.value;
    after = page.value.nextSortKey;
  } while (after !== undefined);
  return ok(true);
}

/**
 * Removes the heads as they were read, after what idempotency keys promise of them: what is stored under the id of one since came afterwards. How
 * many rows that were; undefined where more are left.
 */
async function removeHeads(
  table: ContextTable,
  pk: string,
): Promise<Result<number | undefined, Unavailable>> {
  let removed = 0;
  let after: string | undefined;
  do {
    if (removed >= MAX_REMOVED_ROWS) return ok(undefined);
    const page = await table.pageOfAll(pk, HEAD_PREFIX, after, ROWS_PER_LOOK);
    if (!page.ok) return page;
    const heads = page.value.rows;
    const claims = heads.flatMap((row) => row['claim']?.S ?? []).map((sk) => ({ pk, sk }));
    for (const marked of await Promise.all(claims.map(({ sk }) => markGone(table, pk, sk)))) {
      if (!marked.ok) return marked;
    }
    const gone = await table.removeHeads(heads);
    if (!gone.ok) return gone;
    removed += heads.length + claims.length;
    after = page.value.nextSortKey;
  } while (after !== undefined);
  return ok(removed);
}

/**
 * Gives notes an end that stay for those alone who may be under way: nobody may ever come again who looks at them, and they name tags and
 * filters. How many those were.
 */
async function endNotes(
  table: ContextTable,
  rows: readonly Row[],
  living: Living,
  nowSeconds: number,
): Promise<Result<number, Unavailable>> {
  const isOfLiving = (row: Row): boolean =>
    isDeletion(row) ? living.documents.has(idOfDeletion(row)) : isRelating(row, living.documents);
  const endless = rows
    .filter((row) => isDeletion(row) || text(row, 'sk').startsWith(RELATING_PREFIX))
    .filter(
      (row) => row['expires_at'] === undefined && isLiving(row, living, nowSeconds) && !isOfLiving(row),
    );
  const end = { N: String(nowSeconds + NOTES_KEPT_SECONDS) };
  const ended = await lookAtAll(endless, (row) => table.mark(keyOf(row), 'expires_at', end));
  return ended.ok ? ok(endless.length) : ended;
}

function isDeletion(row: Row): boolean {
  return text(row, 'sk').startsWith(NOTE_PREFIX);
}
