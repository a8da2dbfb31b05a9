import type { ContextCaller } from '../../core/documents/ports.ts';
import { fairShare } from '../../core/documents/relation-page.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { lookAtAll } from './looks.ts';
import { byAge, type Edge, edgesFor, edgesFrom, type Place } from './relation-edges.ts';
import type { StoredRelation } from './relation-rows.ts';
import { firstSeen, headsOf, seenOf } from './relation-sight.ts';
import { readTurns, type Turn } from './relation-turns.ts';
import { toPartition } from './rows.ts';

/** Documents whose rows are read at once, and such rows that the caller may see after which an answer has no room for further documents. */
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
  readonly after: Place | undefined;
  /** Are those of the rows believed that say that the caller sees where they lead? Else each is looked at before it counts for `perDocument` and `total`. */
  readonly believes: boolean;
};

/** All of it. */
export const UNBOUNDED: RelationBounds = {
  perDocument: Number.POSITIVE_INFINITY,
  total: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  after: undefined,
  believes: true,
};

/** Relations of a document, oldest first. */
export type FoundRelations = {
  readonly stored: readonly StoredRelation[];
  readonly isComplete: boolean;
  /** The last one that counts for the bounds. */
  readonly last: Place | undefined;
  /** Was each of them there that counts for the bounds? */
  readonly isWhole: boolean;
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
  const visible = await seenOf(
    table,
    caller,
    answered.flatMap(({ edge }) => relations.get(edge.relationId) ?? []),
  );
  if (!visible.ok) return visible;
  const byDocument = Map.groupBy(answered, ({ id }) => id);
  return ok(
    new Map(
      Array.from(seen.value.keys(), (id) => {
        const own = byDocument.get(id) ?? [];
        const stored = own.flatMap(({ edge }) => visible.value.get(edge.relationId) ?? []);
        const isComplete = own.length === led.value.get(id)?.length;
        const isWhole = own.length === stored.length;
        return [id, { stored: stored.toSorted(byCreation), isComplete, last: own.at(-1)?.edge, isWhole }];
      }),
    ),
  );
}

/**
 * What leads from each document to relations that the caller may see, of each as much as there may be room for and one more; nothing of those
 * documents for which there is no room. What the caller does not see decides nothing of it.
 */
async function readEdges(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
  { after, total, perDocument, believes }: RelationBounds,
): Promise<Result<ReadonlyMap<string, readonly Edge[]>, Unavailable>> {
  const pk = toPartition(caller.orgId, caller.namespace);
  const most = Number.isFinite(total) ? MAX_EDGES : Number.POSITIVE_INFINITY;
  const each = Math.min(perDocument, total) + 1;
  const led = new Map<string, readonly Edge[]>();
  let looked = 0;
  for (let at = 0; at < ids.length && looked < most; at += DOCUMENTS_AT_ONCE) {
    const some = ids.slice(at, at + DOCUMENTS_AT_ONCE);
    const found = await Promise.all(some.map((id) => edgesFrom(table, pk, id)));
    const own: (readonly [string, readonly Edge[]])[] = [];
    for (const [index, edges] of found.entries()) {
      if (!edges.ok) return edges;
      const visible = edgesFor(caller, edges.value);
      own.push([some[index] ?? '', visible.filter((edge) => after === undefined || byAge(after, edge) < 0)]);
      looked += visible.filter(({ isVisible }) => isVisible).length;
    }
    const seen = await lookAtAll(own, (of) => firstSeen(table, caller, of, { most: each, believes }));
    if (!seen.ok) return seen;
    for (const [index, edges] of seen.value.entries()) led.set(some[index] ?? '', edges);
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

function byCreation(one: StoredRelation, other: StoredRelation): number {
  return one.relation.createdAtSeconds - other.relation.createdAtSeconds;
}

/** The same of each document, as something else. */
export function eachOf<T, R>(found: ReadonlyMap<string, T>, to: (one: T) => R): ReadonlyMap<string, R> {
  return new Map(Array.from(found, ([id, one]) => [id, to(one)]));
}
