import type { ContextTables } from '../../functions/aws/context-table.ts';
import { leadingRows } from '../../functions/aws/documents/list-rows.ts';
import { noteProgress } from '../../functions/aws/documents/listed.ts';
import { toHeadRow, toPartition } from '../../functions/aws/documents/rows.ts';
import { createDocument } from '../../functions/core/documents/document.ts';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { NOW_SECONDS, newDocument } from './context-callers.ts';

/**
 * Stores documents without content, each a second after the one before, as a version did that had no lists, or in lists as a whole namespace. Answers
 * with their ids.
 */
export async function storedBefore(
  tables: ContextTables,
  by: ContextCaller,
  count: number,
  {
    tags = [],
    ttlSeconds,
    isListed = false,
  }: { readonly tags?: readonly string[]; readonly ttlSeconds?: number; readonly isListed?: boolean } = {},
): Promise<readonly string[]> {
  const documents = Array.from({ length: count }, (_, age) => {
    const id = newDocument('x').id.replace(/^doc_.{8}/, `doc_${age.toString(16).padStart(8, '0')}`);
    const description = { ...newDocument('x', { tags }).description, ttlSeconds };
    return createDocument(description, null, { id, nowSeconds: NOW_SECONDS, scope: by });
  });
  const table = await tables(by);
  if (!table.ok) throw new Error(table.error.detail);
  const heads = documents.map((document) =>
    toHeadRow({ document, parts: [], write: 'w', incarnation: undefined, claim: undefined }),
  );
  const leading = documents.map((document) => leadingRows({ document, write: 'w' }));
  const scopes = new Map(leading.flatMap((one) => one.scopes).map((row) => [row['sk']?.S, row]));
  const lists = isListed ? [...scopes.values(), ...leading.flatMap((one) => one.lists)] : [];
  const written = await table.value.writeAll([...heads, ...lists], []);
  if (!written.ok) throw new Error(written.error.detail);
  if (isListed) await noteProgress(table.value, toPartition(by.orgId, by.namespace), undefined);
  return documents.map(({ id }) => id);
}
