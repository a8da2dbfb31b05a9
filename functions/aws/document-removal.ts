import type { Document } from '../core/documents/document.ts';
import type { CascadeTooLarge, ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import type { Precondition } from '../core/documents/precondition.ts';
import { childrenOf, MAX_CASCADE } from '../core/documents/relation.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable } from './context-table.ts';
import { markGone } from './document-claims.ts';
import { forgetDeletion, noteDeletion, sweepDeletions } from './document-deletions.ts';
import { findHeads } from './document-heads.ts';
import { markDeleted } from './document-notes.ts';
import { relationsOf } from './document-relations.ts';
import { removeRemains } from './document-remains.ts';
import { type DocumentHead, fromHeadRow, toHeadKey, toPartition } from './document-rows.ts';
import { findWritable } from './document-writes.ts';

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
    if (isOfVersion) {
      const removed = await removeHead(table, root.value, { nowSeconds, isOfVersion });
      if (!removed.ok) return removed;
      if (!removed.value) {
        // Who may not see the other one does not learn that there is one.
        const other = await findWritable(table, caller, id, '*');
        return other.ok ? err({ reason: 'version_conflict' }) : other;
      }
    }
    for (const head of under.value.toReversed()) {
      const removed = await removeHead(table, head, { nowSeconds });
      if (!removed.ok) return removed;
      if (removed.value) gone.add(head.document.id);
    }
    const removed = isOfVersion ? ok(true) : await removeHead(table, root.value, { nowSeconds });
    if (!removed.ok) return removed;
    // Another document has the id by now: it is read as this one was.
    if (!removed.value) continue;
    // The documents are gone: what cannot be cleared away now is found by the next delete.
    await sweepDeletions(table, toPartition(caller.orgId, caller.namespace), nowSeconds);
    return ok([id, ...[...gone].toReversed()]);
  }
  return err({ reason: 'unavailable', detail: `context table: ${id} did not come to rest` });
}

/** Every document under this one that the caller sees, and under such a one; each once, whatever circles there are. */
async function findDescendants(
  table: ContextTable,
  caller: ContextCaller,
  root: DocumentHead,
): Promise<Result<readonly DocumentHead[], CascadeTooLarge | Unavailable>> {
  const visited = new Set([root.document.id]);
  const found: DocumentHead[] = [];
  for (let level: readonly Document[] = [root.document]; level.length > 0; ) {
    const relations = await relationsOf(
      table,
      caller,
      level.map(({ id }) => id),
    );
    if (!relations.ok) return relations;
    const children = level.flatMap((document) =>
      childrenOf(document, relations.value.get(document.id) ?? []),
    );
    const heads = await findHeads(
      table,
      caller,
      children.filter((id) => !visited.has(id)),
    );
    if (!heads.ok) return heads;
    for (const [id, head] of heads.value) {
      visited.add(id);
      found.push(head);
    }
    if (found.length >= MAX_CASCADE) return err({ reason: 'cascade_too_large' });
    level = [...heads.value.values()].map(({ document }) => document);
  }
  return ok(found);
}

/**
 * Removes the claim's promise, the head as it was read, and the rest, in this order. False where another document has the id, or where this one
 * has another version and that is asked for: that one stays.
 */
export async function removeHead(
  table: ContextTable,
  head: DocumentHead,
  { nowSeconds, isOfVersion = false }: { readonly nowSeconds: number; readonly isOfVersion?: boolean },
): Promise<Result<boolean, Unavailable>> {
  const { document, incarnation, write } = head;
  const key = toHeadKey(toPartition(document.scope.orgId, document.scope.namespace), document.id);
  const forgotten = await forgetClaim(table, head);
  if (!forgotten.ok) return forgotten;
  // Its create may put the head once more, where the answer to the first time was lost.
  const marked = await markDeleted(table, head);
  if (!marked.ok) return marked;
  const noted = await noteDeletion(table, head, nowSeconds);
  if (!noted.ok) return noted;
  const expected = isOfVersion ? { version: document.version, write } : undefined;
  const beheaded = await table.deleteHead(key, incarnation, expected);
  if (!beheaded.ok) return beheaded;
  // The client repeats a delete whose answer was lost: then there is no head, or already that of the next document.
  const standing = beheaded.value ? ok(undefined) : await table.get(key);
  if (!standing.ok) return standing;
  const isThere = standing.value !== undefined && fromHeadRow(standing.value).incarnation === incarnation;
  const cleared = isThere ? await forgetDeletion(table, head) : await removeRest(table, head);
  return cleared.ok ? ok(standing.value === undefined) : cleared;
}

async function forgetClaim(
  table: ContextTable,
  { document, claim }: DocumentHead,
): Promise<Result<void, Unavailable>> {
  if (claim === undefined) return ok(undefined);
  return markGone(table, toPartition(document.scope.orgId, document.scope.namespace), claim);
}

/** Removes what only the head led to, and the note of it. */
async function removeRest(table: ContextTable, head: DocumentHead): Promise<Result<void, Unavailable>> {
  const removed = await removeRemains(table, head);
  return removed.ok ? forgetDeletion(table, head) : removed;
}
