import type { CascadeTooLarge, ContextCaller } from '../../core/documents/ports.ts';
import { childrenOf, MAX_CASCADE } from '../../core/documents/relation.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { findHeads } from './heads.ts';
import { keyOf } from './relation-rows.ts';
import { seenRelations } from './relations.ts';
import type { DocumentHead } from './rows.ts';

/** A document that goes along with another, and the relations that lead to it from there, one after the other. */
export type Descendant = { readonly head: DocumentHead; readonly path: readonly Row[] };

/** Every document under this one that the caller sees, and under such a one; each once, whatever circles there are. */
export async function findDescendants(
  table: ContextTable,
  caller: ContextCaller,
  root: DocumentHead,
): Promise<Result<readonly Descendant[], CascadeTooLarge | Unavailable>> {
  const visited = new Set([root.document.id]);
  const found: Descendant[] = [];
  for (let level: readonly Descendant[] = [{ head: root, path: [] }]; level.length > 0; ) {
    const paths = await pathsUnder(table, caller, level);
    if (!paths.ok) return paths;
    const ids = [...paths.value.keys()].filter((id) => !visited.has(id));
    const heads = await findHeads(table, caller, ids);
    if (!heads.ok) return heads;
    level = Array.from(heads.value, ([id, head]) => ({ head, path: paths.value.get(id) ?? [] }));
    for (const one of level) visited.add(one.head.document.id);
    found.push(...level);
    if (found.length >= MAX_CASCADE) return err({ reason: 'cascade_too_large' });
  }
  return ok(found);
}

/** How each child of these is come to, by its id. */
async function pathsUnder(
  table: ContextTable,
  caller: ContextCaller,
  level: readonly Descendant[],
): Promise<Result<ReadonlyMap<string, readonly Row[]>, Unavailable>> {
  const ids = level.map(({ head }) => head.document.id);
  const relations = await seenRelations(table, caller, ids);
  if (!relations.ok) return relations;
  const paths = new Map<string, readonly Row[]>();
  for (const { head, path } of level) {
    for (const { relation, row } of relations.value.get(head.document.id) ?? []) {
      for (const id of childrenOf(head.document, [relation])) {
        if (!paths.has(id)) paths.set(id, [...path, row]);
      }
    }
  }
  return ok(paths);
}

/** Are these relations still there, of the same documents? */
export async function stillLead(
  table: ContextTable,
  rows: readonly Row[],
): Promise<Result<boolean, Unavailable>> {
  const unique = new Map(rows.map((row) => [keyOf(row).sk, row]));
  const standing = await table.getAll([...unique.values()].map(keyOf));
  if (!standing.ok) return standing;
  return ok([...unique.values()].every((row, index) => relatesTheSame(row, standing.value[index])));
}

const ENDS = ['from_id', 'to_id', 'from_incarnation', 'to_incarnation'] as const;

function relatesTheSame(row: Row, standing: Row | undefined): boolean {
  return standing !== undefined && ENDS.every((name) => standing[name]?.S === row[name]?.S);
}
