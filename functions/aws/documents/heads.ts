import type { ContextCaller } from '../../core/documents/ports.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import { isVisible } from '../../core/visibility.ts';
import type { ContextTable } from '../context-table.ts';
import { type DocumentHead, fromHeadRow, toHeadKey, toPartition } from './rows.ts';

/** The head of a document that the caller sees; undefined where there is none, or not for this caller. */
export async function findHead(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
): Promise<Result<DocumentHead | undefined, Unavailable>> {
  const row = await table.get(toHeadKey(toPartition(caller.orgId, caller.namespace), id));
  if (!row.ok || row.value === undefined) return row.ok ? ok(undefined) : row;
  const head = fromHeadRow(row.value);
  return ok(isVisible(caller, head.document.scope) ? head : undefined);
}

/** The heads of those of the documents that the caller sees, by id. */
export async function findHeads(
  table: ContextTable,
  caller: ContextCaller,
  ids: readonly string[],
): Promise<Result<ReadonlyMap<string, DocumentHead>, Unavailable>> {
  const pk = toPartition(caller.orgId, caller.namespace);
  const rows = await table.getAll([...new Set(ids)].map((id) => toHeadKey(pk, id)));
  if (!rows.ok) return rows;
  const heads = rows.value.flatMap((row) => (row === undefined ? [] : [fromHeadRow(row)]));
  return ok(
    new Map(
      heads
        .filter(({ document }) => isVisible(caller, document.scope))
        .map((head) => [head.document.id, head]),
    ),
  );
}
