import type { Document } from '../core/documents/document.ts';
import type { CascadeTooLarge, ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import type { Precondition } from '../core/documents/precondition.ts';
import { childrenOf, MAX_CASCADE } from '../core/documents/relation.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable } from './context-table.ts';
import { markGone } from './document-claims.ts';
import { forgetDeletion, noteDeletion, sweepDeletions } from './document-deletions.ts';
import { findHead, findHeads } from './document-heads.ts';
import { relationsOf } from './document-relations.ts';
import { removeRemains } from './document-remains.ts';
import { type DocumentHead, toHeadKey, toPartition } from './document-rows.ts';
import { findWritable } from './document-writes.ts';

/**
 * Deletes a document and what cascades from it. Those under it go first, so that a delete which died half-way can be repeated; where the
 * caller names a version, the document itself does, because nothing may go when it is another by now.
 */
export async function deleteDocument(
  table: ContextTable,
  caller: ContextCaller,
  [id, precondition, nowSeconds]: readonly [string, Precondition, number],
): ReturnType<DocumentStore['delete']> {
  const root = await findWritable(table, caller, id, precondition);
  if (!root.ok) return root;
  const under = await findDescendants(table, caller, root.value);
  if (!under.ok) return under;
  if (precondition !== '*') {
    const removed = await removeVersion(table, caller, root.value, nowSeconds);
    if (!removed.ok) return removed;
    if (!removed.value) return err({ reason: 'version_conflict' });
  }
  for (const head of under.value.toReversed()) {
    const removed = await removeHead(table, head, nowSeconds);
    if (!removed.ok) return removed;
  }
  if (precondition === '*') {
    const removed = await removeHead(table, root.value, nowSeconds);
    if (!removed.ok) return removed;
  }
  // The documents are gone: what cannot be cleared away now is found by the next delete.
  await sweepDeletions(table, toPartition(caller.orgId, caller.namespace), nowSeconds);
  return ok([id, ...under.value.map(({ document }) => document.id)]);
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

/** Removes the head where it is still of its version, and then the rest. False where it is not. */
async function removeVersion(
  table: ContextTable,
  caller: ContextCaller,
  head: DocumentHead,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  const { document } = head;
  const key = toHeadKey(toPartition(document.scope.orgId, document.scope.namespace), document.id);
  const forgotten = await forgetClaim(table, head);
  if (!forgotten.ok) return forgotten;
  const noted = await noteDeletion(table, head, nowSeconds);
  if (!noted.ok) return noted;
  const beheaded = await table.deleteVersion(key, document.version);
  if (!beheaded.ok) return beheaded;
  if (!beheaded.value) {
    const standing = await findHead(table, caller, document.id);
    // The client repeats a delete whose answer was lost: then there is no head.
    if (!standing.ok) return standing;
    if (standing.value !== undefined) {
      const forgotten = await forgetDeletion(table, head);
      return forgotten.ok ? ok(false) : forgotten;
    }
  }
  const removed = await removeRest(table, head);
  return removed.ok ? ok(true) : removed;
}

/** Removes the claim's promise, the head and the rest, in this order. */
async function removeHead(
  table: ContextTable,
  head: DocumentHead,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const { document } = head;
  const forgotten = await forgetClaim(table, head);
  if (!forgotten.ok) return forgotten;
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  const noted = await noteDeletion(table, head, nowSeconds);
  if (!noted.ok) return noted;
  const beheaded = await table.delete(toHeadKey(pk, document.id));
  return beheaded.ok ? removeRest(table, head) : beheaded;
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
