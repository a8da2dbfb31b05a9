import type { ContextCaller } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { findHeads } from './heads.ts';
import { type Posting, toPosting } from './postings.ts';
import type { DocumentHead } from './rows.ts';
import { fromListRow, type IndexEntry, toListKey, toTermKey } from './search-index.ts';

/** A document that the index names, and what it says of it: of its present version, or of one before. */
export type Named = { readonly id: string; readonly postings: readonly Posting[] };

/** A document that the caller sees, and what its present version has of the terms. */
export type Match = { readonly head: DocumentHead; readonly postings: readonly Posting[] };

/** A document's head and the list of the rows of the index that its version uses; undefined where there is none, or no more. */
type Version = { readonly head: DocumentHead; readonly entries: readonly IndexEntry[] | undefined };

/**
 * Those of the documents that the caller sees and that have some of the terms. The heads decide, and what the index says of versions before does
 * not count. Where a version came after the index was read, its rows are read by their keys, once: not `isComplete` where it is another one again.
 */
export async function findMatches(
  table: ContextTable,
  caller: ContextCaller,
  terms: readonly string[],
  named: readonly Named[],
): Promise<Result<{ readonly matches: readonly Match[]; readonly isComplete: boolean }, Unavailable>> {
  const heads = await headsOf(
    table,
    caller,
    named.map(({ id }) => id),
  );
  if (!heads.ok) return heads;
  const postingsOf = new Map(named.map(({ id, postings }) => [id, postings]));
  const matches: Match[] = [];
  const unsure: DocumentHead[] = [];
  for (const head of heads.value) {
    const own = (postingsOf.get(head.document.id) ?? []).filter(({ write }) => write === head.write);
    // What the write stored that made this version is of this version: there is no need to look at its list.
    if (terms.every((term) => own.some((posting) => posting.term === term)))
      matches.push({ head, postings: own });
    else unsure.push(head);
  }
  const versions = await readVersions(table, unsure);
  if (!versions.ok) return versions;
  const changed: string[] = [];
  for (const { head, entries } of versions.value) {
    const postings = postingsOf.get(head.document.id) ?? [];
    const writes = new Map(entries?.map(({ term, write }) => [term, write]));
    const live = postings.filter(({ term, write }) => writes.get(term) === write);
    const isAnother = entries === undefined || live.length < postings.length;
    const isMissed = terms.filter((term) => writes.has(term)).length > live.length;
    if (isAnother && (entries === undefined || isMissed)) changed.push(head.document.id);
    else if (live.length > 0) matches.push({ head, postings: live });
  }
  if (changed.length === 0) return ok({ matches, isComplete: true });
  const since = await readMatches(table, caller, terms, changed);
  if (!since.ok) return since;
  return ok({ matches: [...matches, ...since.value.matches], isComplete: since.value.isComplete });
}

/** The same by the keys of the rows, whatever the index said before. */
async function readMatches(
  table: ContextTable,
  caller: ContextCaller,
  terms: readonly string[],
  ids: readonly string[],
): ReturnType<typeof findMatches> {
  const heads = await headsOf(table, caller, ids);
  if (!heads.ok) return heads;
  const versions = await readVersions(table, heads.value);
  if (!versions.ok) return versions;
  const wanted = versions.value.map(({ head, entries = [] }) =>
    entries.filter(({ term }) => terms.includes(term)).map((entry) => toTermKey(head.document, entry)),
  );
  const rows = await table.getAll(wanted.flat());
  if (!rows.ok) return rows;
  const found = new Map<string, Posting[]>();
  for (const row of rows.value) {
    const posting = row && toPosting(row);
    if (posting !== undefined) found.set(posting.id, [...(found.get(posting.id) ?? []), posting]);
  }
  const matches = versions.value.flatMap(({ head }) => {
    const postings = found.get(head.document.id);
    return postings === undefined ? [] : [{ head, postings }];
  });
  const isListed = versions.value.every(({ entries }) => entries !== undefined);
  return ok({ matches, isComplete: isListed && !rows.value.includes(undefined) });
}

async function headsOf(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): Promise<Result<readonly DocumentHead[], Unavailable>> {
  const found = await findHeads(table, caller, ids);
  return found.ok ? ok([...found.value.values()]) : found;
}

async function readVersions(
  table: ContextTable,
  heads: readonly DocumentHead[],
): Promise<Result<readonly Version[], Unavailable>> {
  const lists = await table.getAll(heads.map(({ document, write }) => toListKey(document, write)));
  if (!lists.ok) return lists;
  return ok(
    heads.map((head, index) => {
      const list = lists.value[index];
      return { head, entries: list && fromListRow(list) };
    }),
  );
}
