import type { Document } from '../../core/documents/document.ts';
import type { Part } from '../../core/documents/parts.ts';
import type { ContextCaller, NotFound } from '../../core/documents/ports.ts';
import type { VersionConflict } from '../../core/documents/precondition.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { newWrite, removeParts, writeContent } from './content.ts';
import { findHead } from './heads.ts';
import { type DocumentHead, toHeadRow } from './rows.ts';
import {
  fromListRow,
  type IndexEntry,
  readIndex,
  removeIndex,
  toListKey,
  writeIndex,
} from './search-index.ts';

/** Why nothing could be written: the head went, or it is another by now. */
export type Lost = NotFound | VersionConflict;

/** The index of one version: the write that made its list, and what is on it. */
type VersionIndex = { readonly write: string; readonly entries: readonly IndexEntry[] };

/**
 * Stores new pieces, then the head that points at them in place of the one that was read, then removes what is in use no more. A process that
 * dies in between leaves pieces that nothing refers to; they go with the document.
 */
export async function storeNext(
  table: ContextTable,
  caller: ContextCaller,
  head: DocumentHead,
  document: Document,
  next: {
    readonly before: readonly Part[];
    /** What is between them. */
    readonly middle: Uint8Array;
    readonly after: readonly Part[];
    /** All of it. */
    readonly content: Uint8Array;
    readonly nowSeconds: number;
  },
): Promise<Result<Document, Lost | Unavailable>> {
  const write = newWrite();
  const written = await writeContent(table, head, write, next.middle);
  if (!written.ok) return written;
  const before = await readIndex(table, document, head.write);
  if (!before.ok) return before;
  const { content, nowSeconds } = next;
  const index = await writeIndex(table, document, { write, content, before: before.value, nowSeconds });
  if (!index.ok) return index;
  const made = { ...head, document, parts: [...next.before, ...written.value, ...next.after], write };
  const put = await table.putNext(toHeadRow(made), { version: head.document.version, write: head.write });
  if (!put.ok) return put;
  const standing = put.value ? ok(made) : await findHead(table, caller, document.id);
  if (!standing.ok) return standing;
  const listed = standing.value?.write === write ? ok(index.value) : await entriesOf(table, standing.value);
  if (!listed.ok) return listed;
  const removed = await removeUnused(table, document, {
    parts: { stored: [...head.parts, ...written.value], inUse: standing.value?.parts ?? [] },
    indexes: [
      { write: head.write, entries: before.value },
      { write, entries: index.value },
    ].filter((one) => one.write !== standing.value?.write),
    inUse: listed.value,
  });
  // The client repeats a put whose answer was lost. Then what stands is this version, or others went on from it.
  const isMade =
    standing.value?.write === write ||
    standing.value?.parts.some(({ key }) => written.value.some((part) => part.key === key)) === true ||
    listed.value?.some((entry) => entry.write === write) === true;
  // The write is done: what cannot be removed now goes with the document.
  if (isMade) return ok(document);
  if (!removed.ok) return removed;
  return err({ reason: standing.value === undefined ? 'not_found' : 'version_conflict' });
}

/** The index that a head uses; undefined where that is not to be known: it was replaced meanwhile, or has none. */
async function entriesOf(
  table: ContextTable,
  head: DocumentHead | undefined,
): Promise<Result<readonly IndexEntry[] | undefined, Unavailable>> {
  if (head === undefined) return ok([]);
  const row = await table.get(toListKey(head.document, head.write));
  return row.ok ? ok(row.value && fromListRow(row.value)) : row;
}

/**
 * Removes what two versions are made of and the head that stands is not. What that one does not use, none after it does. Where its index is not
 * known, that of both stays.
 */
async function removeUnused(
  table: ContextTable,
  document: Document,
  {
    parts,
    indexes,
    inUse,
  }: {
    readonly parts: { readonly stored: readonly Part[]; readonly inUse: readonly Part[] };
    readonly indexes: readonly VersionIndex[];
    readonly inUse: readonly IndexEntry[] | undefined;
  },
): Promise<Result<void, Unavailable>> {
  const kept = new Set(parts.inUse.map(({ key }) => key));
  const stale = parts.stored.filter(({ key }) => !kept.has(key));
  const removed = await removeParts(table, { document }, stale);
  if (!removed.ok || inUse === undefined) return removed;
  const isUsed = new Set(inUse.map(nameOf));
  for (const { write, entries } of indexes) {
    const unused = entries.filter((entry) => !isUsed.has(nameOf(entry)));
    const unlisted = await removeIndex(table, document, write, unused);
    if (!unlisted.ok) return unlisted;
  }
  return ok(undefined);
}

/** What tells one row of a document's index from the others. */
function nameOf({ term, rank, write }: IndexEntry): string {
  return `${write}#${rank}#${term}`;
}
