import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';
import { keyOf } from './document-relation-rows.ts';
import { number } from './document-rows.ts';

/** What has not come to its end by then never will: no function runs for so long. */
const DEAD_AFTER_SECONDS = 3_600;

/** Notes that one look takes. */
const NOTES_PER_LOOK = 10;

/** Has whoever wrote this note in `since` died over what it is about? */
export function isDead(note: Row, nowSeconds: number): boolean {
  return number(note, 'since') + DEAD_AFTER_SECONDS <= nowSeconds;
}

/** Finishes what whoever died in this namespace left half done, and forgets it: some of it at a time. What cannot be finished now is found again. */
export async function sweepNotes(
  table: ContextTable,
  notes: { readonly pk: string; readonly prefix: string; readonly nowSeconds: number },
  finish: (note: Row) => Promise<Result<void, Unavailable>>,
): Promise<Result<void, Unavailable>> {
  const page = await table.page(notes.pk, notes.prefix, undefined, NOTES_PER_LOOK);
  if (!page.ok) return page;
  for (const note of page.value.rows.filter((row) => isDead(row, notes.nowSeconds))) {
    const finished = await finish(note);
    if (!finished.ok) return finished;
    const forgotten = await table.delete(keyOf(note));
    if (!forgotten.ok) return forgotten;
  }
  return ok(undefined);
}
