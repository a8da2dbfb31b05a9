import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { leadingRows } from './list-rows.ts';
import { noteProgress, noteSettling, type Progress, readProgress } from './listed.ts';
import { removeFromLists } from './lists.ts';
import { DEAD_AFTER_SECONDS } from './note-sweep.ts';
import { keyOf } from './relation-rows.ts';
import { type DocumentHead, HEAD_PREFIX, toHeadKey, tryHeadRow } from './rows.ts';

/** Documents that a list puts into lists at a time, and those that a create does. */
const DOCUMENTS_PER_LIST = 250;
const DOCUMENTS_PER_CREATE = 10;

/** Rows that are put at once. */
const PUTS_AT_ONCE = 25;

/**
 * Puts all documents into lists that were stored before there were any. It is done once for a namespace; who dies meanwhile has done part of it. Where
 * there is none nothing is noted: that there is such a namespace is for its first create to say.
 */
export async function completeLists(table: ContextTable, pk: string): Promise<Result<void, Unavailable>> {
  const known = await readProgress(table, pk);
  if (!known.ok) return known;
  let { isComplete, until } = known.value;
  while (!isComplete) {
    const next = await listSome(table, pk, until, DOCUMENTS_PER_LIST);
    if (!next.ok) return next;
    if (until === undefined && next.value.looked === 0) return ok(undefined);
    const noted = await noteProgress(table, pk, next.value.until);
    if (!noted.ok) return noted;
    until = next.value.until;
    isComplete = until === undefined;
  }
  return ok(undefined);
}

/**
 * Does some of it, where it is not done: in a new namespace there is nothing to do but to say so. `known` is the row that says how far it is. What is
 * done is gone over once more when no function of a version without lists can run any longer.
 */
export async function advanceLists(
  table: ContextTable,
  pk: string,
  known: Row | undefined,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const progress = await readProgress(table, pk, known);
  if (!progress.ok) return progress;
  const { isComplete, until } = progress.value;
  if (isComplete) return settle(table, pk, progress.value, nowSeconds);
  const next = await listSome(table, pk, until, DOCUMENTS_PER_CREATE);
  return next.ok ? noteProgress(table, pk, next.value.until, nowSeconds) : next;
}

async function settle(
  table: ContextTable,
  pk: string,
  { isSettled, completeAtSeconds, again }: Progress,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  if (isSettled) return ok(undefined);
  if (completeAtSeconds === undefined) return noteSettling(table, pk, { completeAtSeconds: nowSeconds });
  if (nowSeconds < completeAtSeconds + DEAD_AFTER_SECONDS) return ok(undefined);
  const next = await listSome(table, pk, again, DOCUMENTS_PER_CREATE);
  return next.ok ? noteSettling(table, pk, { again: next.value.until }) : next;
}

/** Answers with how many rows there were and where to go on. One that is no document's is passed over: it is refused where it is read. */
async function listSome(
  table: ContextTable,
  pk: string,
  after: string | undefined,
  documents: number,
): Promise<Result<{ readonly looked: number; readonly until: string | undefined }, Unavailable>> {
  const page = await table.page(pk, HEAD_PREFIX, after, documents);
  if (!page.ok) return page;
  const heads = page.value.rows.map(tryHeadRow).filter((head) => head !== undefined);
  const added = await addMissing(table, pk, heads);
  return added.ok ? ok({ looked: page.value.looked, until: page.value.nextSortKey }) : added;
}

/** Puts documents into those of their lists where they have no row. It may be a row of a document that has the id since: none is put over another. */
async function addMissing(
  table: ContextTable,
  pk: string,
  heads: readonly DocumentHead[],
): Promise<Result<void, Unavailable>> {
  const led = heads.map((head) => ({ head, ...leadingRows(head) }));
  const keys = led.flatMap(({ scopes, lists }) => [...scopes, ...lists]).map(keyOf);
  const unique = new Map(keys.map((key) => [key.sk, key]));
  const standing = await table.getAll([...unique.values()]);
  if (!standing.ok) return standing;
  const isThere = new Set(standing.value.flatMap((row) => row?.['sk']?.S ?? []));
  const isMissing = (row: Row) => !isThere.has(keyOf(row).sk);
  const missing = led.filter(({ scopes, lists }) => [...scopes, ...lists].some(isMissing));
  if (missing.length === 0) return ok(undefined);
  const added = await putEach(
    table,
    missing.flatMap(({ lists }) => lists.filter(isMissing)),
  );
  // After the lists and over what stands, because who finds the lists of these filters empty removes what leads to them.
  const scopes = new Map(missing.flatMap((one) => one.scopes.map((row) => [keyOf(row).sk, row])));
  const named = added.ok ? await table.writeAll([...scopes.values()], []) : added;
  // Where some could not be put, others were.
  const removed = await removeOvertaken(
    table,
    pk,
    missing.map(({ head }) => head),
  );
  return named.ok ? removed : named;
}

async function putEach(table: ContextTable, rows: readonly Row[]): Promise<Result<void, Unavailable>> {
  for (let at = 0; at < rows.length; at += PUTS_AT_ONCE) {
    const put = await Promise.all(rows.slice(at, at + PUTS_AT_ONCE).map(table.putNew));
    for (const one of put) if (!one.ok) return one;
  }
  return ok(undefined);
}

/** Takes documents out of their lists again that went while they were put into them: who deleted them found no row to remove. */
async function removeOvertaken(
  table: ContextTable,
  pk: string,
  heads: readonly DocumentHead[],
): Promise<Result<void, Unavailable>> {
  const standing = await table.getAll(heads.map(({ document }) => toHeadKey(pk, document.id)));
  if (!standing.ok) return standing;
  for (const [index, { document, incarnation }] of heads.entries()) {
    const row = standing.value[index];
    if (row !== undefined && row['incarnation']?.S === incarnation) continue;
    const removed = await removeFromLists(table, document);
    if (!removed.ok) return removed;
  }
  return ok(undefined);
}
