import {
  type ArchivedDocument,
  type ArchiveEntry,
  isSameDocument,
  restoreDocument,
  toRestoredId,
} from '../../core/documents/archive.ts';
import type { Document } from '../../core/documents/document.ts';
import { DOCUMENT_BOUNDS } from '../../core/documents/input.ts';
import type { ContextCaller, Restored } from '../../core/documents/ports.ts';
import type { Relation } from '../../core/documents/relation.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { storeNew } from './creation.ts';
import { findHeads } from './heads.ts';
import { defaultLifetime } from './partitions.ts';
import { MAX_STORED_RELATIONS, relate } from './relation-creation.ts';
import { standingRelation } from './relations.ts';

type Outcome = Promise<Result<Restored, Unavailable>>;

/** Makes what an entry of an archive says, where it is not there yet. */
export function restoreEntry(
  table: ContextTable,
  caller: ContextCaller,
  entry: ArchiveEntry,
  nowSeconds: number,
): Outcome {
  return entry.type === 'document'
    ? restoreOne(table, caller, entry.document, nowSeconds)
    : restoreRelation(table, caller, entry.relation, nowSeconds);
}

async function restoreOne(
  table: ContextTable,
  caller: ContextCaller,
  archived: ArchivedDocument,
  nowSeconds: number,
): Outcome {
  const { id: archivedId, expiresAtSeconds } = archived;
  if (expiresAtSeconds !== null && expiresAtSeconds <= nowSeconds) {
    return ok({ id: archivedId, outcome: 'expired' });
  }
  const found = await idsHere(table, caller, [archivedId]);
  if (!found.ok) return found;
  const id = found.value.get(archivedId)?.id ?? toRestoredId(archivedId, caller);
  const latestEndSeconds = nowSeconds + DOCUMENT_BOUNDS.ttlSeconds;
  const restored = restoreDocument(archived, caller, { id, latestEndSeconds });
  const standing = found.value.get(archivedId);
  const outcomeOf = (other: Document): Restored['outcome'] =>
    isSameDocument(restored, other, caller) ? 'unchanged' : 'conflict';
  if (standing !== undefined) return ok({ id, outcome: outcomeOf(standing) });
  const ending = await withDefaultLifetime(table, restored, nowSeconds);
  if (!ending.ok) return ending;
  const content = archived.content ?? new Uint8Array();
  const stored = await storeNew(table, { document: ending.value, content, isRepeatable: true }, nowSeconds);
  if (!stored.ok) return stored;
  if (stored.value !== 'taken') return ok({ id, outcome: 'created' });
  // Somebody was faster: with the same document, or with one that is in the way, whoever sees it.
  const faster = await findHeads(table, caller, [id]);
  if (!faster.ok) return faster;
  const head = faster.value.get(id);
  return ok({ id, outcome: head === undefined ? 'conflict' : outcomeOf(head.document) });
}

/** A document that stays for ever is given what its new place says of such documents. */
async function withDefaultLifetime(
  table: ContextTable,
  document: Document,
  nowSeconds: number,
): Promise<Result<Document, Unavailable>> {
  if (document.expiresAtSeconds !== null) return ok(document);
  const lifetime = await defaultLifetime(table, document.scope);
  if (!lifetime.ok || lifetime.value === undefined) return lifetime.ok ? ok(document) : lifetime;
  return ok({ ...document, expiresAtSeconds: nowSeconds + lifetime.value });
}

async function restoreRelation(
  table: ContextTable,
  caller: ContextCaller,
  archived: Relation,
  nowSeconds: number,
): Outcome {
  const { fromId, toId, createdAtSeconds } = archived;
  const found = await idsHere(table, caller, [fromId, toId]);
  if (!found.ok) return found;
  const from = found.value.get(fromId);
  const to = found.value.get(toId);
  if (from === undefined || to === undefined) return ok({ id: archived.id, outcome: 'missing' });
  const relation = { ...archived, fromId: from.id, toId: to.id };
  const made = await relate(table, caller, relation, {
    clockSeconds: nowSeconds,
    createdAtSeconds,
    most: MAX_STORED_RELATIONS,
  });
  if (made.ok) return ok({ id: made.value.id, outcome: 'created' });
  if (made.error.reason === 'unavailable') return { ok: false, error: made.error };
  if (made.error.reason === 'not_found') return ok({ id: archived.id, outcome: 'missing' });
  const standing = await standingRelation(table, caller, relation);
  if (!standing.ok) return standing;
  const { id, isSame } = standing.value;
  return ok({ id, outcome: isSame ? 'unchanged' : 'conflict' });
}

/** The documents that archived ids stand for here, as far as the caller sees them: of that id, or of the one that they get for this caller. */
async function idsHere(
  table: ContextTable,
  caller: ContextCaller,
  archivedIds: readonly string[],
): Promise<Result<ReadonlyMap<string, Document>, Unavailable>> {
  const candidates = archivedIds.flatMap((id) => [id, toRestoredId(id, caller)]);
  const heads = await findHeads(table, caller, candidates);
  if (!heads.ok) return heads;
  const found = new Map<string, Document>();
  for (const id of archivedIds) {
    const head = heads.value.get(id) ?? heads.value.get(toRestoredId(id, caller));
    if (head !== undefined) found.set(id, head.document);
  }
  return ok(found);
}
