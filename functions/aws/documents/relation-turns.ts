import { relationBytes } from '../../core/documents/relation-page.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { type Edge, edgeKeys, toEdgeKey } from './relation-edges.ts';
import { fromRelationRow, type StoredRelation, toRelationKey } from './relation-rows.ts';
import { sideBySide } from './side-by-side.ts';

/** Relations that are read before it is known how large they are, and at once then. */
const FIRST_AT_ONCE = 100;
const MOST_AT_ONCE = 400;

/** One look at a relation from one of its documents. */
export type Turn = { readonly id: string; readonly edge: Edge };

/** The relations that both of their documents lead to, by their ids, and how many of the turns were looked at. */
export type ReadTurns = {
  readonly relations: ReadonlyMap<string, StoredRelation>;
  readonly looked: number;
};

/**
 * Reads relations in this order, each once, until they have so many bytes as they are answered; the first one always. `led` is what is known to lead
 * to them.
 */
export async function readTurns(
  table: ContextTable,
  pk: string,
  turns: readonly Turn[],
  { led, bytes: most }: { readonly led: ReadonlyMap<string, readonly Edge[]>; readonly bytes: number },
): Promise<Result<ReadTurns, Unavailable>> {
  const known = new Set<string>();
  for (const [id, edges] of led)
    for (const { relationId } of edges) known.add(toEdgeKey(pk, id, relationId).sk);
  const relations = new Map<string, StoredRelation>();
  const read = new Set<string>();
  let bytes = 0;
  let looked = 0;
  let rows = FIRST_AT_ONCE;
  while (looked < turns.length) {
    const some = turns.slice(looked, looked + rows);
    const next = new Set(some.map(({ edge }) => edge.relationId).filter((id) => !read.has(id)));
    const found = await readSome(table, pk, [...next], known);
    if (!found.ok) return found;
    for (const one of found.value) relations.set(one.relation.id, one);
    for (const id of next) read.add(id);
    for (const { edge } of some) {
      const one = relations.get(edge.relationId);
      const size = one === undefined || !Number.isFinite(most) ? 0 : relationBytes(one.relation);
      if (bytes > 0 && bytes + size > most) return ok({ relations, looked });
      bytes += size;
      looked += 1;
    }
    // No more than there may be room for, as they are in the mean.
    const room = (most - bytes) / (bytes / looked);
    rows = Math.max(1, Math.min(Math.ceil(room), MOST_AT_ONCE));
  }
  return ok({ relations, looked });
}

/** Those of the relations that are there, and that both documents lead to. Where one of them does not, who made it died or is about to go on. */
async function readSome(
  table: ContextTable,
  pk: string,
  ids: readonly string[],
  known: ReadonlySet<string>,
): Promise<Result<readonly StoredRelation[], Unavailable>> {
  const found = await sideBySide(ids, (some) => table.getAll(some.map((id) => toRelationKey(pk, id))));
  if (!found.ok) return found;
  const rows = found.value.flat().filter((row) => row !== undefined);
  const others = rows.flatMap((row) => edgeKeys(row)).filter(({ sk }) => !known.has(sk));
  const edges = await sideBySide(others, (some) => table.getAll(some));
  if (!edges.ok) return edges;
  const led = edges.value.flat();
  const missing = new Set(others.filter((_key, index) => led[index] === undefined).map(({ sk }) => sk));
  const isWhole = (row: Row): boolean => edgeKeys(row).every(({ sk }) => !missing.has(sk));
  return ok(rows.filter(isWhole).map((row) => ({ row, relation: fromRelationRow(row) })));
}
