import { createDocument, type Document } from '../../core/documents/document.ts';
import type {
  ContextCaller,
  DocumentStore,
  IdempotencyConflict,
  NewDocument,
} from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { type Claim, claimKey, fingerprintOf, GONE, holdClaim, markMade } from './claims.ts';
import { newWrite, writeContent } from './content.ts';
import { findHead } from './heads.ts';
import { settleRepeat } from './late-heads.ts';
import { removeLeftovers, removeRefused, sweepLeftovers } from './leftovers.ts';
import { addToLists, keepInLists } from './lists.ts';
import { type Creation, forgetCreation, forgetUndeleted, noteCreation } from './notes.ts';
import { defaultLifetime } from './partitions.ts';
import { removeHead } from './removal.ts';
import { type DocumentHead, toHeadKey, toHeadRow, toPartition } from './rows.ts';
import { writeIndex } from './search-index.ts';

/** Looks at a claim that others take away at the same time. */
const CLAIM_ATTEMPTS = 5;

/** Creates a document; with an idempotency key once, however often the same is asked for. */
export async function createOnce(
  table: ContextTable,
  caller: ContextCaller,
  document: NewDocument,
): ReturnType<DocumentStore['create']> {
  if (document.idempotencyKey === undefined) return write(table, caller, document, undefined);
  for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt += 1) {
    const claim = await claimKey(table, caller, document, document.idempotencyKey);
    if (!claim.ok) return claim;
    if (claim.value.fingerprint !== fingerprintOf(document)) {
      return err({ reason: 'idempotency_conflict', cause: 'reused' });
    }
    if (claim.value.isNew) return write(table, caller, document, claim.value);
    const standing = await findHead(table, caller, claim.value.id);
    if (!standing.ok) return standing;
    if (standing.value !== undefined) {
      return settleRepeat(table, standing.value, claim.value, document.nowSeconds);
    }
    if (claim.value.isGone) return err(GONE);
    // Its create died, or is under way, or the document was deleted between the two looks.
    const held = await holdClaim(table, caller, claim.value, document.nowSeconds);
    if (!held.ok) return held;
    if (held.value) return write(table, caller, document, claim.value);
  }
  return err({ reason: 'unavailable', detail: 'context table: a claim did not come to rest' });
}

/**
 * Stores it. A claim that stands gives the id and the birth time, so of two repetitions the first head wins and
 * the content of the other goes again. What would be over by now is born now, where no attempt before came to its end.
 */
async function write(
  table: ContextTable,
  caller: ContextCaller,
  { id, nowSeconds, description, content }: NewDocument,
  claim: Claim | undefined,
): Promise<Result<Document, IdempotencyConflict | Unavailable>> {
  const lifetime =
    description.ttlSeconds === undefined ? await defaultLifetime(table, caller) : ok(undefined);
  if (!lifetime.ok) return lifetime;
  const bornAt = (bornAtSeconds: number): Document => {
    const birth = { id: claim?.id ?? id, nowSeconds: bornAtSeconds, scope: caller };
    return createDocument({ ttlSeconds: lifetime.value, ...description }, content, birth);
  };
  const first = bornAt(claim?.nowSeconds ?? nowSeconds);
  const isOver = first.expiresAtSeconds !== null && first.expiresAtSeconds <= nowSeconds;
  if (isOver && claim?.wasMade === true) return err(GONE);
  const document = isOver ? bornAt(nowSeconds) : first;
  const next = { document, content: content ?? new Uint8Array(), claim: claim?.sortKey };
  const stored = await storeNew(table, { ...next, isRepeatable: claim !== undefined }, nowSeconds);
  if (!stored.ok) return stored;
  if (stored.value === 'gone' && claim !== undefined) return err(GONE);
  if (stored.value !== 'taken') return ok(document);
  const standing = await findHead(table, caller, document.id);
  if (!standing.ok) return standing;
  if (standing.value !== undefined) {
    return claim === undefined
      ? ok(standing.value.document)
      : settleRepeat(table, standing.value, claim, nowSeconds);
  }
  return err({ reason: 'unavailable', detail: `context table: ${document.id} went while it was written` });
}

/** A new document and what it is made of. */
export type NewContent = Pick<Creation, 'document' | 'isRepeatable'> & {
  readonly content: Uint8Array;
  /** Sort key of the idempotency claim that makes it. */
  readonly claim?: string | undefined;
};

/**
 * Stores everything of a new document, its head last. `taken` where a document of this id is there, whoever may see it, and `gone` where this
 * one was deleted before all was told: nothing of it is left then. What is left by one that dies on the way is removed by a later one.
 */
export async function storeNew(
  table: ContextTable,
  next: NewContent,
  nowSeconds: number,
): Promise<Result<'stored' | 'taken' | 'gone', Unavailable>> {
  const creation: Creation = { ...next, write: newWrite() };
  const noted = await noteCreation(table, creation, nowSeconds);
  if (!noted.ok) return noted;
  const stored = await storeParts(table, next, creation, nowSeconds);
  if (!stored.ok) return stored;
  const stays = stored.value ? await endCreation(table, creation, next.claim, nowSeconds) : ok(false);
  if (!stays.ok) return stays;
  // The document is there or it is not: what cannot be cleared away now is found by the next create.
  if (!stored.value) await removeRefused(table, creation, nowSeconds);
  else if (!stays.value) await removeLeftovers(table, creation, nowSeconds);
  await sweepLeftovers(table, creation.document, nowSeconds);
  if (!stored.value) return ok('taken');
  return ok(stays.value ? 'stored' : 'gone');
}

/**
 * Takes the note back of a document that was stored. False where it is deleted by now: who did that left to its create what is of it, or the head
 * came once more after that, because the client repeats a put whose answer was lost or another create under the claim was slow.
 */
async function endCreation(
  table: ContextTable,
  creation: Creation,
  claim: string | undefined,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  const { document, write } = creation;
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  const made = claim === undefined ? ok(true) : await markMade(table, pk, claim);
  if (!made.ok) return made;
  const ended = made.value ? await forgetUndeleted(table, creation) : made;
  if (ended.ok && !ended.value) {
    // As it was made: who refused to delete it because of a later version had marked it all the same.
    const head: DocumentHead = { document, parts: [], write, incarnation: write, claim: undefined };
    const removed = await removeHead(table, head, { nowSeconds, isOfVersion: true });
    if (!removed.ok || removed.value) return removed.ok ? ok(false) : removed;
    await forgetCreation(table, creation);
  }
  const head = await table.get(toHeadKey(pk, document.id));
  return ok(!head.ok || head.value?.['incarnation']?.S === write);
}

/** False where another document has the id. */
async function storeParts(
  table: ContextTable,
  { content, claim }: NewContent,
  creation: Creation,
  nowSeconds: number,
): Promise<Result<boolean, Unavailable>> {
  const { document, write } = creation;
  const parts = await writeContent(table, { document }, write, content);
  if (!parts.ok) return parts;
  const listed = await addToLists(table, document, write);
  if (!listed.ok) return listed;
  const index = await writeIndex(table, document, { write, content, before: [], nowSeconds });
  if (!index.ok) return index;
  const put = await table.putNew(
    toHeadRow({ document, parts: parts.value, write, incarnation: write, claim }),
  );
  if (!put.ok) return put;
  if (put.value) return keepListed(table, creation);
  const { orgId, namespace } = document.scope;
  const standing = await table.get(toHeadKey(toPartition(orgId, namespace), document.id));
  if (!standing.ok) return standing;
  // The client repeats a put whose answer was lost: then the head that stands is this one.
  return standing.value?.['write']?.S === write ? keepListed(table, creation) : ok(false);
}

/** The document is there. Others that had its id or were to have it may have put its rows of lists, and be about to remove them. */
async function keepListed(
  table: ContextTable,
  { document, write, isRepeatable }: Creation,
): Promise<Result<boolean, Unavailable>> {
  const kept = isRepeatable ? await keepInLists(table, document, write) : ok(undefined);
  return kept.ok ? ok(true) : kept;
}
