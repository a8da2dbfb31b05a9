import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { ContextTable, RowKey } from './context-table.ts';
import { type DocumentHead, toChunkKey, toPartition } from './document-rows.ts';

/** Bytes of content in one row; an item may have 400 KB with its keys. */
const CHUNK_BYTES = 300_000;

/** How many rows the content takes. */
export function countChunks(content: Uint8Array): number {
  return Math.ceil(content.length / CHUNK_BYTES);
}

/** Writes the rows that the head will point at. */
export async function writeContent(
  table: ContextTable,
  head: DocumentHead,
  content: Uint8Array,
): Promise<Result<void, Unavailable>> {
  const puts = await Promise.all(
    toKeys(head).map(({ pk, sk }, index) => {
      const bytes = content.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
      return table.put({ pk: { S: pk }, sk: { S: sk }, bytes: { B: bytes } });
    }),
  );
  return puts.find((put) => !put.ok) ?? ok(undefined);
}

/** The whole content that the head points at; undefined where a part of it is not there (any more). */
export async function readContent(
  table: ContextTable,
  head: DocumentHead,
): Promise<Result<Uint8Array<ArrayBuffer> | undefined, Unavailable>> {
  const rows = await Promise.all(toKeys(head).map((key) => table.get(key)));
  const parts: Uint8Array[] = [];
  for (const row of rows) {
    if (!row.ok) return row;
    const bytes = row.value?.['bytes']?.B;
    if (bytes === undefined) return ok(undefined);
    parts.push(bytes);
  }
  const content = Buffer.concat(parts);
  return ok(content.length === head.document.sizeBytes ? content : undefined);
}

/** Removes the rows that the head pointed at. */
export async function removeContent(
  table: ContextTable,
  head: DocumentHead,
): Promise<Result<void, Unavailable>> {
  const removals = await Promise.all(toKeys(head).map((key) => table.delete(key)));
  return removals.find((removal) => !removal.ok) ?? ok(undefined);
}

function toKeys({ document, version, chunks }: DocumentHead): readonly RowKey[] {
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  return Array.from({ length: chunks }, (_, index) => toChunkKey(pk, document.id, version, index));
}
