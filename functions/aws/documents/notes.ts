import type { Document } from '../../core/documents/document.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { LISTED } from './listed.ts';
import { finishNotes, isDead, readNotes, toNote } from './note-sweep.ts';
import { type DocumentHead, fromHeadRow, HEAD_PREFIX, text, toHeadRow, toPartition } from './rows.ts';
import { toScope } from './scopes.ts';

/** What the sort keys of notes start with. */
const NOTE_PREFIX = 'PENDING#';

const ROWS_PER_LOOK = 250;

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
  const row = toHeadRow({ document, parts: [], write, incarnation: write, claim: undefined });
  return table.put({
    ...toNote(row, toNoteKey(creation), nowSeconds),
    // A function of an older version, which may run on for a while, leaves the rows of such a document's lists alone.
    repeatable: { BOOL: isRepeatable },
  });
}

/** Takes the note back: the document is there, or all of it is gone. */
export function forgetCreation(table: ContextTable, creation: Creation): Promise<Result<void, Unavailable>> {
  return table.delete(toNoteKey(creation));
}

/** Leaves the note of a create whose document another one has the id of, as one whose document is deleted: its head may be put once more. */
export async function leaveCreation(
  table: ContextTable,
  creation: Creation,
): Promise<Result<void, Unavailable>> {
  const left = await table.markGone(toNoteKey(creation), creation.write);
  return left.ok ? ok(undefined) : left;
}

/** Takes the note back of a document that is there. False where it says that the document is deleted: then it stays. */
export function forgetUndeleted(
  table: ContextTable,
  creation: Creation,
): Promise<Result<boolean, Unavailable>> {
  return table.deleteUnlessGone(toNoteKey(creation));
}

/** The note of the create that made a document, where that has not come to its end, or died before. */
export async function findNote(
  table: ContextTable,
  { document, incarnation }: DocumentHead,
): Promise<Result<Row | undefined, Unavailable>> {
  return incarnation === undefined ? ok(undefined) : table.get(toNoteKey({ document, write: incarnation }));
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

/**
 * Finishes creates of a namespace that died, and forgets them: some of them at a time, in the order of ids, which is by age. Answers with the
 * row that says how far the namespace is in its lists.
 */
export async function sweepCreations(
  table: ContextTable,
  pk: string,
  nowSeconds: number,
  finish: (creation: Creation) => Promise<Result<void, Unavailable>>,
): Promise<Result<Row | undefined, Unavailable>> {
  const rows = await readNotes(table, pk, LISTED);
  if (!rows.ok) return rows;
  const isListed = (row: Row) => text(row, 'sk') === LISTED;
  const notes = rows.value.filter((row) => !isListed(row));
  const finished = await finishNotes(table, notes, nowSeconds, (note) => finish(toCreation(note)));
  return finished.ok ? ok(rows.value.find(isListed)) : finished;
}

/** The places of documents whose creates have not come to their end, or died, but for that of the write `ended`. */
export async function notedScopes(
  table: ContextTable,
  pk: string,
  ended?: string,
): Promise<Result<ReadonlySet<string>, Unavailable>> {
  const rows = await table.all(pk, NOTE_PREFIX, ROWS_PER_LOOK);
  if (!rows.ok) return rows;
  const others = rows.value.map(toCreation).filter(({ write }) => write !== ended);
  return ok(new Set(others.map(({ document }) => toScope(document.scope.scopeFilters))));
}

/** All creates of a namespace that may be under way. */
export async function livingCreations(
  table: ContextTable,
  pk: string,
  nowSeconds: number,
): Promise<Result<readonly Creation[], Unavailable>> {
  const rows = await table.all(pk, NOTE_PREFIX, ROWS_PER_LOOK);
  return rows.ok ? ok(rows.value.filter((row) => !isDead(row, nowSeconds)).map(toCreation)) : rows;
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
