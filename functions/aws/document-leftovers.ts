import type { Document } from '../core/documents/document.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, Row, RowKey } from './context-table.ts';
import { removePieces } from './document-content.ts';
import { readIndex, removeIndex } from './document-index.ts';
import { keepNext, removeFromLists } from './document-lists.ts';
import {
  fromHeadRow,
  HEAD_PREFIX,
  number,
  text,
  toHeadKey,
  toHeadRow,
  toPartition,
} from './document-rows.ts';

/** What the sort keys of notes start with. */
const NOTE_PREFIX = 'PENDING#';

/** A create that has not come to its end by then never will: no function runs for so long. */
const DEAD_AFTER_SECONDS = 3_600;

/** Notes that one create looks at. They are in the order of ids, which is by age. */
const NOTES_PER_LOOK = 10;

/** A document that is being stored, and the write that stores it. */
export type Creation = {
  readonly document: Document;
  readonly write: string;
  /** May a document be stored again under this id: because a caller repeats what failed, or has it in an archive? */
  readonly isRepeatable: boolean;
};

/** Notes what is about to be stored, so that it can be removed where nobody comes to the end of it. */
export function noteCreation(
  table: ContextTable,
  creation: Creation,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const { document, write, isRepeatable } = creation;
  const { pk, sk } = toNoteKey(creation);
  return table.put({
    ...toHeadRow({ document, parts: [], write, claim: undefined }),
    pk: { S: pk },
    sk: { S: sk },
    since: { N: String(nowSeconds) },
    // A function of an older version, which may run on for a while, leaves the rows of such a document's lists alone.
    repeatable: { BOOL: isRepeatable },
  });
}

/** Takes the note back: the document is there, or all of it is gone. */
export function forgetCreation(table: ContextTable, creation: Creation): Promise<Result<void, Unavailable>> {
  return table.delete(toNoteKey(creation));
}

/** The writes of creates of this document that have not come to their end, or died. */
export async function notedWrites(
  table: ContextTable,
  { id, scope }: Document,
): Promise<Result<ReadonlySet<string>, Unavailable>> {
  const prefix = `${NOTE_PREFIX}${id}#`;
  const keys = await table.keys(toPartition(scope.orgId, scope.namespace), prefix);
  return keys.ok ? ok(new Set(keys.value.map(({ sk }) => sk.slice(prefix.length)))) : keys;
}

/** Removes what creates that died in this namespace left behind: some of it at a time. What cannot be removed now is found again. */
export async function sweepLeftovers(
  table: ContextTable,
  { scope }: Pick<Document, 'scope'>,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const pk = toPartition(scope.orgId, scope.namespace);
  const notes = await table.page(pk, NOTE_PREFIX, undefined, NOTES_PER_LOOK);
  if (!notes.ok) return notes;
  for (const row of notes.value.rows) {
    if (number(row, 'since') + DEAD_AFTER_SECONDS > nowSeconds) continue;
    const removed = await removeLeftovers(table, toCreation(row));
    if (!removed.ok) return removed;
  }
  return ok(undefined);
}

/** What a write stored is under names that no other write has, so whoever stores the document again is not disturbed. */
async function removeLeftovers(table: ContextTable, creation: Creation): Promise<Result<void, Unavailable>> {
  const { document, write } = creation;
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  const head = await table.get(toHeadKey(pk, document.id));
  if (!head.ok) return head;
  const standing = head.value === undefined ? undefined : fromHeadRow(head.value);
  if (standing?.write !== write) {
    // A version that was edited since may use some of it.
    const pieces = await removePieces(table, { document }, write, standing?.parts ?? []);
    if (!pieces.ok) return pieces;
    const index = await readIndex(table, document, write);
    if (!index.ok) return index;
    const inUse = standing === undefined ? ok([]) : await readIndex(table, standing.document, standing.write);
    if (!inUse.ok) return inUse;
    const isUsed = new Set(inUse.value.map((entry) => `${entry.write}#${entry.rank}#${entry.term}`));
    const unused = index.value.filter((entry) => !isUsed.has(`${entry.write}#${entry.rank}#${entry.term}`));
    const unlisted = await removeIndex(table, document, write, unused);
    if (!unlisted.ok) return unlisted;
  }
  if (standing === undefined) {
    const out = await removeFromLists(table, document);
    if (!out.ok) return out;
    const kept = await keepNext(table, document);
    if (!kept.ok) return kept;
  }
  return forgetCreation(table, creation);
}

function toNoteKey({ document, write }: Pick<Creation, 'document' | 'write'>): RowKey {
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  return { pk, sk: `${NOTE_PREFIX}${document.id}#${write}` };
}

function toCreation(row: Row): Creation {
  const [, id = ''] = text(row, 'sk').split('#');
  const { document, write } = fromHeadRow({ ...row, sk: { S: `${HEAD_PREFIX}${id}` } });
  return { document, write, isRepeatable: row['repeatable']?.BOOL === true };
}
