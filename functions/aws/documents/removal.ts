import type { ContextCaller, DocumentStore } from '../../core/documents/ports.ts';
import type { Precondition } from '../../core/documents/precondition.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { findDescendants, stillLead } from './cascade.ts';
import { markDeletion, unmarkDeletion } from './deletion-marks.ts';
import { sweepDeletions } from './deletion-sweep.ts';
import { forgetDeletion, noteDeletion, noteDone } from './deletions.ts';
import { isDead } from './note-sweep.ts';
import { findNote } from './notes.ts';
import { removeRemains } from './remains.ts';
import { type DocumentHead, fromHeadRow, text, toHeadKey, toPartition } from './rows.ts';
import { findWritable } from './writes.ts';

/** Looks at a document that others delete and store again at the same time. */
const ATTEMPTS = 5;

/**
 * Deletes a document and what cascades from it, as they were read: not others that have their ids since. Those under it go first, so that a
 * delete which died half-way can be repeated; where the caller names a version, the document itself does, because nothing may go when it is
 * another by now.
 */
export async function deleteDocument(
  table: ContextTable,
  caller: ContextCaller,
  [id, precondition, nowSeconds]: readonly [string, Precondition, number],
): ReturnType<DocumentStore['delete']> {
  const gone = new Set<string>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const root = await findWritable(table, caller, id, precondition);
    if (!root.ok) return root;
    const under = await findDescendants(table, caller, root.value);
    if (!under.ok) return under;
    const isOfVersion = precondition !== '*';
    let isUnrelated = false;
    /** Asks right before a head goes: who was told that a relation is gone does not lose what was under it. */
    const whereLed = (rows: readonly Row[]) => async () => {
      const led = await stillLead(table, rows);
      isUnrelated ||= led.ok && !led.value;
      return led;
    };
    if (isOfVersion) {
      const isWanted = whereLed(under.value.flatMap(({ path }) => path));
      const removed = await removeHead(table, root.value, { nowSeconds, isOfVersion, isWanted });
      if (!removed.ok) return removed;
      if (isUnrelated) continue;
      if (!removed.value) {
        // Who may not see the other one does not learn that there is one.
        const other = await findWritable(table, caller, id, '*');
        return other.ok ? err({ reason: 'version_conflict' }) : other;
      }
    }
    for (const { head, path } of under.value.toReversed()) {
      // What led from a document that is gone went with it.
      const isWanted = whereLed(isOfVersion ? path.slice(1) : path);
      const removed = await removeHead(table, head, { nowSeconds, isWanted });
      if (!removed.ok) return removed;
      if (removed.value) gone.add(head.document.id);
      if (isUnrelated && !isOfVersion) break;
    }
    if (isUnrelated && !isOfVersion) continue;
    const removed = isOfVersion ? ok(true) : await removeHead(table, root.value, { nowSeconds });
    if (!removed.ok) return removed;
    // It came once more while it was deleted: it is read again.
    if (!removed.value) continue;
    // The documents are gone: what cannot be cleared away now is found by the next delete.
    const put = gone.size + 1;
    await sweepDeletions(table, toPartition(caller.orgId, caller.namespace), { put, nowSeconds });
    return ok([id, ...[...gone].toReversed()]);
  }
  return err({ reason: 'unavailable', detail: `context table: ${id} did not come to rest` });
}

/**
 * Removes the claim's promise, the head as it was read, and the rest, in this order. False where that document stays: because it has another
 * version and this one is asked for, or it is not wanted any more. Then nothing says that it was to go.
 */
export async function removeHead(
  table: ContextTable,
  head: DocumentHead,
  {
    nowSeconds,
    isOfVersion = false,
    isWanted = async () => ok(true),
  }: {
    readonly nowSeconds: number;
    readonly isOfVersion?: boolean;
    readonly isWanted?: () => Promise<Result<boolean, Unavailable>>;
  },
): Promise<Result<boolean, Unavailable>> {
  const { document, incarnation, write } = head;
  const key = toHeadKey(toPartition(document.scope.orgId, document.scope.namespace), document.id);
  const found = await findNote(table, head);
  if (!found.ok) return found;
  const note = found.value;
  const deletion = await noteDeletion(table, head, nowSeconds);
  if (!deletion.ok) return deletion;
  const by = text(deletion.value, 'sk');
  const stay = async (): Promise<Result<boolean, Unavailable>> => {
    const unmarked = await unmarkDeletion(table, head, note, by);
    const stayed = unmarked.ok ? await forgetDeletion(table, deletion.value) : unmarked;
    return stayed.ok ? ok(false) : stayed;
  };
  // A create that is under way does at once what the mark says.
  const first = note === undefined ? ok(true) : await isWanted();
  if (!first.ok) return first;
  if (!first.value) return stay();
  const marked = await markDeletion(table, head, note, by);
  if (!marked.ok) return marked;
  const wanted = await isWanted();
  if (!wanted.ok) return wanted;
  if (!wanted.value) return stay();
  const expected = isOfVersion ? { version: document.version, write } : undefined;
  const beheaded = await table.deleteHead(key, incarnation, expected);
  if (!beheaded.ok) return beheaded;
  // The client repeats a delete whose answer was lost: then there is no head, or already that of the next document.
  const standing = beheaded.value ? ok(undefined) : await table.get(key);
  if (!standing.ok) return standing;
  if (standing.value !== undefined && fromHeadRow(standing.value).incarnation === incarnation) return stay();
  // What its create stored goes with that: it may put the head once more, and a head needs its pieces until it is taken away.
  const isUnderWay = note !== undefined && marked.value && !isDead(note, nowSeconds);
  const cleared = await removeRemains(table, isUnderWay ? { ...head, parts: [] } : head, nowSeconds);
  // All of the document is gone, or nothing is.
  const done = cleared.ok ? await noteDone(table, deletion.value) : cleared;
  return done.ok ? ok(true) : done;
}
