import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { keyOf } from './relation-rows.ts';
import { number } from './rows.ts';

/** What has not come to its end by then never will: no function runs for so long. */
export const DEAD_AFTER_SECONDS = 3_600;

/** Notes that one look takes. */
export const NOTES_PER_LOOK = 10;

/** Has whoever wrote this note in `since` died over what it is about? */
export function isDead(note: Row, nowSeconds: number): boolean {
  return number(note, 'since') + DEAD_AFTER_SECONDS <= nowSeconds;
}

/** A row as a note of what begins now. It outlives what it is about: what that leaves is to be found. */
export function toNote(row: Row, { pk, sk }: RowKey, nowSeconds: number): Row {
  const { expires_at: _, ...rest } = row;
  return { ...rest, pk: { S: pk }, sk: { S: sk }, since: { N: String(nowSeconds) } };
}

/** The first notes of a namespace, and rows beside them whose keys start alike. Of those that an older version put, some may be past their expiry. */
export async function readNotes(
  table: ContextTable,
  pk: string,
  prefix: string,
): Promise<Result<readonly Row[], Unavailable>> {
  const page = await table.pageOfAll(pk, prefix, undefined, NOTES_PER_LOOK);
  return page.ok ? ok(page.value.rows) : page;
}

/** Finishes what whoever died in this namespace left half done, and forgets it: some of it at a time. What cannot be finished now is found again. */
export async function sweepNotes(
  table: ContextTable,
  notes: { readonly pk: string; readonly prefix: string; readonly nowSeconds: number },
  finish: (note: Row) => Promise<Result<void, Unavailable>>,
): Promise<Result<void, Unavailable>> {
  const found = await readNotes(table, notes.pk, notes.prefix);
  return found.ok ? finishNotes(table, found.value, notes.nowSeconds, finish) : found;
}

/** The same of notes that were read. */
export async function finishNotes(
  table: ContextTable,
  notes: readonly Row[],
  nowSeconds: number,
  finish: (note: Row) => Promise<Result<void, Unavailable>>,
): Promise<Result<void, Unavailable>> {
  for (const note of notes.filter((row) => isDead(row, nowSeconds))) {
    const finished = await finish(note);
    if (!finished.ok) return finished;
    const forgotten = await table.delete(keyOf(note));
    if (!forgotten.ok) return forgotten;
  }
  return ok(undefined);
}
