import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { headOfDeletion, idOfDeletion, isDone, NOTE_PREFIX, notesSince } from './deletions.ts';
import { findLate } from './late-remains.ts';
import { lookAtAll } from './looks.ts';
import { DEAD_AFTER_SECONDS, isDead, NOTES_PER_LOOK, readNotes } from './note-sweep.ts';
import { keyOf } from './relation-rows.ts';
import { removeRemains } from './remains.ts';
import { type DocumentHead, fromHeadRow, number, toHeadKey } from './rows.ts';
import { sweepScope } from './scope-sweep.ts';

/** Notes of done deletes that a delete takes at least. */
const NOTES_PER_SWEEP = 4;

/** How many times as many notes are looked at as are taken: deletes side by side take different ones. */
const LOOKED_AT_PER_NOTE = 4;

/** Documents whose remains are removed at once. */
const REMOVALS_AT_ONCE = 4;

/**
 * Removes what deletes that died in this namespace left, and what came after those that did not: some of it at a time, but of more of them than
 * the caller has put. What cannot be removed now is found again.
 *
 * @param put how many notes the caller has put
 */
export async function sweepDeletions(
  table: ContextTable,
  pk: string,
  { put, nowSeconds }: { readonly put: number; readonly nowSeconds: number },
): Promise<Result<void, Unavailable>> {
  const count = Math.max(NOTES_PER_SWEEP, 2 * put);
  const dead = await findDead(table, pk, { count, nowSeconds });
  if (!dead.ok) return dead;
  const done = dead.value.filter(isDone);
  const start = Math.floor(Math.random() * done.length);
  const some = [...done.slice(start), ...done.slice(0, start)].slice(0, count);
  const late = await findLate(table, pk, some.map(headOfDeletion));
  if (!late.ok) return late;
  const isLate = (note: Row): boolean => late.value.ids.has(idOfDeletion(note));
  const left = [
    ...dead.value.filter((note) => !isDone(note)).slice(0, NOTES_PER_LOOK),
    ...some.filter(isLate),
  ];
  const finish = async (note: Row) => {
    const finished = await finishDeletion(table, note, nowSeconds);
    return finished.ok ? ok(finished.value ? [note] : []) : finished;
  };
  const finished = await lookAtAll(left, finish, REMOVALS_AT_ONCE);
  if (!finished.ok) return finished;
  const swept = await lookAtAll(late.value.scopes, (scope) => sweepScope(table, scope), REMOVALS_AT_ONCE);
  if (!swept.ok) return swept;
  const over = [...finished.value.flat(), ...some.filter((note) => !isLate(note))];
  return table.writeAll([], over.map(keyOf));
}

/** Notes that are old enough: the first, and where these are not all, others from somewhere among them. */
async function findDead(
  table: ContextTable,
  pk: string,
  { count, nowSeconds }: { readonly count: number; readonly nowSeconds: number },
): Promise<Result<readonly Row[], Unavailable>> {
  const isOld = (note: Row): boolean => isDead(note, nowSeconds);
  const found = await readNotes(table, pk, NOTE_PREFIX);
  if (!found.ok) return found;
  const dead = found.value.filter(isOld);
  const [first] = dead;
  if (first === undefined || dead.length < NOTES_PER_LOOK) return ok(dead);
  const from = number(first, 'since');
  const seconds = Math.max(0, nowSeconds - DEAD_AFTER_SECONDS - from);
  // Who takes many begins with the first; so does every other one, because many may be of one second.
  const isSomewhere = count <= NOTES_PER_LOOK && Math.random() < 0.5;
  const after = notesSince(from + (isSomewhere ? Math.floor(Math.random() * seconds) : 0));
  const more = await table.pageOfAll(pk, NOTE_PREFIX, after, LOOKED_AT_PER_NOTE * count);
  if (!more.ok) return more;
  const unique = new Map([...dead, ...more.value.rows.filter(isOld)].map((note) => [keyOf(note).sk, note]));
  return ok([...unique.values()]);
}

/** Removes what is left of a document. False where it is to be looked at again. */
async function finishDeletion(
  table: ContextTable,
  note: Row,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  const head = headOfDeletion(note);
  const key = toHeadKey(keyOf(note).pk, head.document.id);
  const standing = await findSame(table, key, head);
  if (!standing.ok) return standing;
  if (standing.value === undefined) return removeRemains(table, head, nowSeconds);
  const { document, incarnation, write } = standing.value;
  // The delete died before the head; else the head came once more, and who edited it since keeps it.
  if (!isDone(note) || write !== incarnation) return ok(true);
  const removed = await table.deleteHead(key, incarnation, { version: document.version, write });
  const left = removed.ok ? await findSame(table, key, head) : removed;
  if (!left.ok) return left;
  return left.value === undefined ? removeRemains(table, head, nowSeconds) : ok(true);
}

/** The head that stands, where it is of the same document. */
async function findSame(
  table: ContextTable,
  key: RowKey,
  { incarnation }: DocumentHead,
): Promise<Result<DocumentHead | undefined, Unavailable>> {
  const row = await table.get(key);
  if (!row.ok || row.value === undefined) return row.ok ? ok(undefined) : row;
  const head = fromHeadRow(row.value);
  return ok(head.incarnation === incarnation ? head : undefined);
}
