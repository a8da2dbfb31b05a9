import type { ContextCaller } from '../../core/documents/ports.ts';
import { fairShare } from '../../core/documents/relation-page.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { findHeads } from './heads.ts';
import { byAge, type Edge, edgesFor, edgesFrom } from './relation-edges.ts';
import { isOf, type StoredRelation } from './relation-rows.ts';
import { readTurns, type Turn } from './relation-turns.ts';
import { type DocumentHead, toPartition } from './rows.ts';
import { sideBySide } from './side-by-side.ts';

/** Documents whose rows are read at once, and rows of that kind after which an answer has no room for further documents. */
const DOCUMENTS_AT_ONCE = 10;
const MAX_EDGES = 100_000;

/** How much of the relations is read. What has no bounds reads all. */
export type RelationBounds = {
  /** Of each document. */
  readonly perDocument: number;
  /** Of all documents; those with few have all of theirs. */
  readonly total: number;
  /** Of all relations as they are answered. There is always one. */
  readonly bytes: number;
  /** Where each document's begin: after this one. */
  readonly after: Edge | undefined;
};

/** All of it. */
export const UNBOUNDED: RelationBounds = {
  perDocument: Number.POSITIVE_INFINITY,
  total: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  after: undefined,
};

/** Relations of a document, oldest first. */
export type FoundRelations = {
  readonly stored: readonly StoredRelation[];
  readonly isComplete: boolean;
  /** The last one that was looked at. */
  readonly last: Edge | undefined;
};

/**
 * Relations of those of the documents that the caller sees, as far as it sees both ends: first what leads to them, then the relations, then what
 * leads to them from the other ends, then all heads, which decide. Whatever several documents have in common is read once.
 */
export async function readRelations(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
  bounds = UNBOUNDED,
): Promise<Result<ReadonlyMap<string, FoundRelations>, Unavailable>> {
  const seen = await headsOf(table, caller, ids);
  if (!seen.ok) return seen;
  const led = await readEdges(table, caller, [...seen.value.keys()], bounds);
  if (!led.ok) return led;
  const turns = inTurn(led.value, bounds);
  const read = await readTurns(table, toPartition(caller.orgId, caller.namespace), turns, {
    led: led.value,
    bytes: bounds.bytes,
  });
  if (!read.ok) return read;
  const { relations, looked } = read.value;
  const answered = turns.slice(0, looked);
  const ends = answered.flatMap(({ edge }) => endsOf(relations.get(edge.relationId)));
  const heads = await headsOf(table, caller, ends);
  if (!heads.ok) return heads;
  const isSeen = (stored: StoredRelation): boolean =>
    endsOf(stored).every((end) => {
      const head = heads.value.get(end);
      return head !== undefined && isOf(stored.row, head);
    });
  const byDocument = Map.groupBy(answered, ({ id }) => id);
  return ok(
    new Map(
      Array.from(seen.value.keys(), (id) => {
        const own = byDocument.get(id) ?? [];
        const stored = own.flatMap(({ edge }) => relations.get(edge.relationId) ?? []).filter(isSeen);
        const isComplete = own.length === led.value.get(id)?.length;
        return [id, { stored: stored.toSorted(byCreation), isComplete, last: own.at(-1)?.edge }];
      }),
    ),
  );
}

/** What leads from each document to relations that the caller may see; nothing of those documents for which there is no room. */
async function readEdges(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
  { after, total }: RelationBounds,
): Promise<Result<ReadonlyMap<string, readonly Edge[]>, Unavailable>> {
  const pk = toPartition(caller.orgId, caller.namespace);
  const most = Number.isFinite(total) ? MAX_EDGES : Number.POSITIVE_INFINITY;
  const led = new Map<string, readonly Edge[]>();
  let looked = 0;
  for (let at = 0; at < ids.length && looked < most; at += DOCUMENTS_AT_ONCE) {
    const some = ids.slice(at, at + DOCUMENTS_AT_ONCE);
    const found = await Promise.all(some.map((id) => edgesFrom(table, pk, id)));
    for (const [index, edges] of found.entries()) {
      if (!edges.ok) return edges;
      looked += edges.value.length;
      const own = edgesFor(caller, edges.value);
      led.set(some[index] ?? '', after === undefined ? own : own.filter((edge) => byAge(after, edge) < 0));
    }
  }
  return ok(led);
}

/** The oldest relation of each document, then the second of each, as many as there is room for. */
function inTurn(
  led: ReadonlyMap<string, readonly Edge[]>,
  { perDocument, total }: RelationBounds,
): readonly Turn[] {
  const counts = Array.from(led.values(), ({ length }) => Math.min(length, perDocument));
  const most = Math.min(perDocument, fairShare(counts, total), Math.max(0, ...counts));
  const turns: Turn[] = [];
  for (let rank = 0; rank < most; rank += 1) {
    for (const [id, edges] of led) {
      const edge = edges[rank];
      if (edge !== undefined) turns.push({ id, edge });
    }
  }
  return turns;
}

/** The heads of those of the documents that the caller sees, each read once. */
async function headsOf(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): Promise<Result<ReadonlyMap<string, DocumentHead>, Unavailable>> {
  const found = await sideBySide([...new Set(ids)], (some) => findHeads(table, caller, some));
  return found.ok ? ok(new Map(found.value.flatMap((heads) => [...heads]))) : found;
}

function endsOf(stored: StoredRelation | undefined): readonly string[] {
  return stored === undefined ? [] : [stored.relation.fromId, stored.relation.toId];
}

function byCreation(one: StoredRelation, other: StoredRelation): number {
  return one.relation.createdAtSeconds - other.relation.createdAtSeconds;
}

/** The same of each document, as something else. */
export function eachOf<T, R>(found: ReadonlyMap<string, T>, to: (one: T) => R): ReadonlyMap<string, R> {
  return new Map(Array.from(found, ([id, one]) => [id, to(one)]));
}
