import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row } from './context-table.ts';

/**
 * The row that says how far the documents of a namespace are in its lists. Its key comes right before those of the notes of creates: who
 * looks at these sees it in the same query.
 */
export const LISTED = 'PENDING';

/** Where an older version said that all of them are. */
const LISTED_BEFORE = 'LISTS';

/** How far they are: all, or those whose heads have keys up to this one. */
export type Progress = { readonly isComplete: boolean; readonly until: string | undefined };

/** How far the documents of a namespace are in its lists; `known` where the row that says so was read. */
export async function readProgress(
  table: ContextTable,
  pk: string,
  known?: Row,
): Promise<Result<Progress, Unavailable>> {
  const row = known === undefined ? await table.get({ pk, sk: LISTED }) : ok(known);
  if (!row.ok) return row;
  if (row.value !== undefined) {
    const until = row.value['until']?.S;
    return ok({ isComplete: until === undefined, until });
  }
  const before = await table.get({ pk, sk: LISTED_BEFORE });
  if (!before.ok) return before;
  if (before.value === undefined) return ok({ isComplete: false, until: undefined });
  const noted = await noteProgress(table, pk, undefined);
  return noted.ok ? ok({ isComplete: true, until: undefined }) : noted;
}

/** Notes that the documents are in their lists: all, or those whose heads have keys up to this one. */
export function noteProgress(
  table: ContextTable,
  pk: string,
  until: string | undefined,
): Promise<Result<void, Unavailable>> {
  const row = { pk: { S: pk }, sk: { S: LISTED } };
  return table.put(until === undefined ? row : { ...row, until: { S: until } });
}
