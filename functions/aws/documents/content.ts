import { randomBytes } from 'node:crypto';
import type { Document } from '../../core/documents/document.ts';
import { type NewPart, type Part, splitContent } from '../../core/documents/parts.ts';
import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { type DocumentHead, toExpiry, toPartition, toPartKey, toPartPrefix, toPartRowKey } from './rows.ts';

/** Which document pieces belong to. */
type Owner = Pick<DocumentHead, 'document'>;

/** A name for one write, such that no two writes store a piece under the same key. */
export function newWrite(): string {
  return randomBytes(8).toString('hex');
}

/** Stores content in pieces that the head will point at. Until it does, nobody sees them. */
export async function writeContent(
  table: ContextTable,
  owner: Owner,
  write: string,
  content: Uint8Array,
): Promise<Result<readonly Part[], Unavailable>> {
  const pieces = splitContent(content);
  const written = await table.writeAll(
    pieces.map((piece, index) => toPartRow(owner, toPartKey(write, index), piece)),
    [],
  );
  if (!written.ok) return written;
  return ok(
    pieces.map((piece, index) => ({
      key: toPartKey(write, index),
      bytes: piece.content.length,
      chars: piece.chars,
    })),
  );
}

/** The bytes of pieces, in their order; undefined where one of them is not there (any more) as it was stored. */
export async function readParts(
  table: ContextTable,
  owner: Owner,
  parts: readonly Part[],
): Promise<Result<Uint8Array<ArrayBuffer> | undefined, Unavailable>> {
  const rows = await table.getAll(toKeys(owner, parts));
  if (!rows.ok) return rows;
  const pieces: Uint8Array[] = [];
  for (const [index, { bytes }] of parts.entries()) {
    const piece = rows.value[index]?.['bytes']?.B;
    if (piece?.length !== bytes) return ok(undefined);
    pieces.push(piece);
  }
  return ok(Buffer.concat(pieces));
}

/** Removes pieces that no head points at any more. */
export function removeParts(
  table: ContextTable,
  owner: Owner,
  parts: readonly Part[],
): Promise<Result<void, Unavailable>> {
  return table.writeAll([], toKeys(owner, parts));
}

/** Removes the pieces that one write stored, but for those that are in use. */
export async function removePieces(
  table: ContextTable,
  { document }: Owner,
  write: string,
  inUse: readonly Part[],
): Promise<Result<void, Unavailable>> {
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  const keys = await table.keys(pk, `${toPartPrefix(document.id)}${write}#`);
  if (!keys.ok) return keys;
  const kept = new Set(toKeys({ document }, inUse).map(({ sk }) => sk));
  return table.writeAll(
    [],
    keys.value.filter(({ sk }) => !kept.has(sk)),
  );
}

/** The rows of every piece of a document, those too that a write which died left behind. */
export function findPieces(
  table: ContextTable,
  { id, scope }: Document,
): Promise<Result<readonly RowKey[], Unavailable>> {
  return table.keys(toPartition(scope.orgId, scope.namespace), toPartPrefix(id));
}

/** The write that stored a piece. */
export function writeOfPiece({ sk }: RowKey): string {
  const [, , write = ''] = sk.split('#');
  return write;
}

function toPartRow(owner: Owner, key: string, { content }: NewPart): Row {
  const [{ pk, sk } = { pk: '', sk: '' }] = toKeys(owner, [{ key }]);
  return { pk: { S: pk }, sk: { S: sk }, bytes: { B: content }, ...toExpiry(owner.document) };
}

function toKeys({ document }: Owner, parts: readonly Pick<Part, 'key'>[]): readonly RowKey[] {
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  return parts.map(({ key }) => toPartRowKey(pk, document.id, key));
}
