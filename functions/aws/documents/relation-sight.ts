import type { ContextCaller } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { findHeads } from './heads.ts';
import type { Edge } from './relation-edges.ts';
import { isOf, type StoredRelation } from './relation-rows.ts';
import { readTurns } from './relation-turns.ts';
import { type DocumentHead, toPartition } from './rows.ts';
import { sideBySide } from './side-by-side.ts';

/** Relations that are looked at before more are. */
const MOST_PER_LOOK = 400;

/** The heads of those of the documents that the caller sees, each read once. */
export async function headsOf(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): Promise<Result<ReadonlyMap<string, DocumentHead>, Unavailable>> {
  const found = await sideBySide([...new Set(ids)], (some) => findHeads(table, caller, some));
  return found.ok ? ok(new Map(found.value.flatMap((heads) => [...heads]))) : found;
}

/** Those of the relations whose documents the caller both sees, by id. */
export async function seenOf(
  table: ContextTable,
  caller: ContextCaller,
  stored: readonly StoredRelation[],
): Promise<Result<ReadonlyMap<string, StoredRelation>, Unavailable>> {
  const heads = await headsOf(table, caller, stored.flatMap(endsOf));
  if (!heads.ok) return heads;
  const isSeen = (one: StoredRelation): boolean =>
    endsOf(one).every((end) => {
      const head = heads.value.get(end);
      return head !== undefined && isOf(one.row, head);
    });
  return ok(new Map(stored.filter(isSeen).map((one) => [one.relation.id, one])));
}

/**
 * The first rows that lead from a document to what the caller sees, at most so many. Only where a row does not say so, or where it is not
 * believed, is the relation looked at.
 */
export async function firstSeen(
  table: ContextTable,
  caller: ContextCaller,
  [id, edges]: readonly [string, readonly Edge[]],
  { most, believes }: { readonly most: number; readonly believes: boolean },
): Promise<Result<readonly Edge[], Unavailable>> {
  // Where all are read, all are looked at anyway.
  if (!Number.isFinite(most)) return ok(edges);
  const isBelieved = ({ isVisible }: Edge): boolean => believes && isVisible;
  const pk = toPartition(caller.orgId, caller.namespace);
  const seen: Edge[] = [];
  let rows = Math.min(most, MOST_PER_LOOK);
  for (
    let looked = 0;
    looked < edges.length && seen.length < most;
    rows = Math.min(2 * rows, MOST_PER_LOOK)
  ) {
    const some = edges.slice(looked, looked + rows);
    looked += some.length;
    const doubted = some.filter((edge) => !isBelieved(edge));
    const turns = doubted.map((edge) => ({ id, edge }));
    const read = await readTurns(table, pk, turns, {
      led: new Map([[id, doubted]]),
      bytes: Number.POSITIVE_INFINITY,
    });
    if (!read.ok) return read;
    const visible = await seenOf(table, caller, [...read.value.relations.values()]);
    if (!visible.ok) return visible;
    seen.push(...some.filter((edge) => isBelieved(edge) || visible.value.has(edge.relationId)));
  }
  return ok(seen.slice(0, most));
}

function endsOf({ relation }: StoredRelation): readonly string[] {
  return [relation.fromId, relation.toId];
}
