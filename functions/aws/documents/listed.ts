import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';

/**
 * The row that says how far the documents of a namespace are in its lists. Its key comes right before those of the notes of creates: who
 * looks at these sees it in the same query.
 */
export const LISTED = 'PENDING';

/** Where an older version said that all of them are. */
const LISTED_BEFORE = 'LISTS';

/**
 * How far they are: all, or those whose heads have keys up to this one. A function of an older version, which may run on beside the first ones of a
 * newer, puts its documents in no lists: so all were looked at once more when none can run any longer, and only then it `isSettled`.
 */
export type Progress = {
  readonly isComplete: boolean;
  readonly until: string | undefined;
  readonly isSettled: boolean;
  /** Since when they are complete; undefined where who found it had no clock. */
  readonly completeAtSeconds: number | undefined;
  /** Where the second look is. */
  readonly again: string | undefined;
};

/** How far the documents of a namespace are in its lists; `known` where the row that says so was read. */
export async function readProgress(
  table: ContextTable,
  pk: string,
  known?: Row,
): Promise<Result<Progress, Unavailable>> {
  const row = known === undefined ? await table.get({ pk, sk: LISTED }) : ok(known);
  if (!row.ok) return row;
  if (row.value !== undefined) {
    return ok(fromProgressRow(row.value));
  }
  const before = await table.get({ pk, sk: LISTED_BEFORE });
  if (!before.ok) return before;
  if (before.value === undefined) return ok({ ...fromProgressRow({}), isComplete: false });
  const noted = await noteProgress(table, pk, undefined);
  return noted.ok ? ok(fromProgressRow({})) : noted;
}

/** Notes that the documents are in their lists: all, or those whose heads have keys up to this one. Who is slower takes nothing back. */
export async function noteProgress(
  table: ContextTable,
  pk: string,
  until: string | undefined,
  nowSeconds?: number,
): Promise<Result<void, Unavailable>> {
  const row = { pk: { S: pk }, sk: { S: LISTED } };
  if (until === undefined) {
    const complete = nowSeconds === undefined ? row : { ...row, complete_at: { N: String(nowSeconds) } };
    const put = await table.putOver(complete, 'until');
    return put.ok ? ok(undefined) : put;
  }
  const marked = await table.mark({ pk, sk: LISTED }, 'until', { S: until }, FURTHER);
  if (!marked.ok || marked.value) return marked.ok ? ok(undefined) : marked;
  const put = await table.putNew({ ...row, until: { S: until } });
  return put.ok ? ok(undefined) : put;
}

/** Notes of a namespace that is complete since when it is, how far the second look at it is, or that this is done. */
export async function noteSettling(
  table: ContextTable,
  pk: string,
  note: { readonly completeAtSeconds: number } | { readonly again: string | undefined },
): Promise<Result<void, Unavailable>> {
  const key = { pk, sk: LISTED };
  const marked =
    'completeAtSeconds' in note
      ? await table.mark(key, 'complete_at', { N: String(note.completeAtSeconds) })
      : note.again === undefined
        ? await table.mark(key, 'settled', { BOOL: true })
        : await table.mark(key, 'again', { S: note.again }, FIRST_OR_FURTHER);
  return marked.ok ? ok(undefined) : marked;
}

/** The row says that it is not as far; one which says that all is done has no such attribute. */
const FURTHER = { ConditionExpression: '#attribute < :value' };

/** The second look is not as far, or has not begun. */
const FIRST_OR_FURTHER = {
  ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(#attribute) OR #attribute < :value)',
};

function fromProgressRow(row: Row): Progress {
  const until = row['until']?.S;
  const since = row['complete_at']?.N;
  return {
    isComplete: until === undefined,
    until,
    isSettled: row['settled']?.BOOL === true,
    completeAtSeconds: since === undefined ? undefined : Number(since),
    again: row['again']?.S,
  };
}
