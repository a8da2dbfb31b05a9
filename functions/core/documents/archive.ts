import { type ContextScope, canonicalFilters, type ScopeFilters } from '../visibility.ts';
import { type Document, type DocumentDescription, sha256, toTimestamp } from './document.ts';
import { isText } from './parts.ts';
import { type Relation, toWireRelation } from './relation.ts';

/**
 * An archive of a namespace: JSON lines, a header before all. What a line may say is docs/context-store.md's; a reader refuses what it does
 * not know, so anything new takes another version.
 */
export const ARCHIVE_VERSION = 1;

/** The media type of JSON lines. */
export const JSON_LINES = 'application/x-ndjson';

/** A document as an archive has it. Content of `null` is a placeholder's. */
export type ArchivedDocument = DocumentDescription & {
  readonly id: string;
  readonly filters: ScopeFilters;
  readonly version: number;
  readonly createdAtSeconds: number;
  readonly updatedAtSeconds: number;
  readonly expiresAtSeconds: number | null;
  readonly content: Uint8Array | null;
};

/** One line of an archive that says something. The relations of a document follow it and lead to documents before it. */
export type ArchiveEntry =
  | { readonly type: 'document'; readonly document: ArchivedDocument }
  | { readonly type: 'relation'; readonly relation: Relation };

/** The first line. */
export function headerLine(): string {
  return line({ type: 'archive', format: 'sallyport-context', version: ARCHIVE_VERSION });
}

/**
 * The line of a document with its content: as text where that is shorter than base64. A caller with filters is told of those of the document
 * only its own.
 */
export function documentLine(
  document: Document,
  content: Uint8Array,
  { scopeFilters }: Pick<ContextScope, 'scopeFilters'>,
): string {
  const isTold = ([name]: readonly [string, string]) => scopeFilters.size === 0 || scopeFilters.has(name);
  return line({
    type: 'document',
    id: document.id,
    filename: document.filename,
    content_type: document.contentType,
    tags: document.tags,
    metadata: Object.fromEntries(document.metadata),
    filters: Object.fromEntries([...document.scope.scopeFilters].filter(isTold)),
    version: document.version,
    created_at: toTimestamp(document.createdAtSeconds),
    updated_at: toTimestamp(document.updatedAtSeconds),
    expires_at: document.expiresAtSeconds === null ? null : toTimestamp(document.expiresAtSeconds),
    size_bytes: document.sizeBytes,
    checksum: document.checksum,
    ...(document.checksum === null ? {} : toContent(content)),
  });
}

/** The line of a relation. */
export function relationLine(relation: Relation): string {
  return line({ type: 'relation', ...toWireRelation(relation) });
}

/** The last line: how many came, and the document after which to go on; null where there are no more. */
export function endLine(documents: number, relations: number, next: string | null): string {
  return line({ type: 'end', documents, relations, next });
}

/**
 * The id that a document gets where it is not there yet. A caller of the whole namespace keeps it. To a caller with filters an id that somebody
 * else's document has must look like one that nobody has: there it always is another one, the same every time.
 */
export function toRestoredId(id: string, { scopeFilters }: ContextScope): string {
  if (scopeFilters.size === 0) return id;
  const digest = sha256(JSON.stringify([id, canonicalFilters(scopeFilters)])).slice(0, 16);
  return `${id.slice(0, 'doc_'.length + 8)}${digest}`;
}

/**
 * The document that an archived one becomes in the caller's scope: with the caller's filters, as one that the caller creates, or with its own
 * for a caller of the whole namespace. An end that lies further ahead than `latestEndSeconds` is brought forward.
 */
export function restoreDocument(
  { content, filters, ...archived }: ArchivedDocument,
  { orgId, namespace, scopeFilters }: ContextScope,
  { id, latestEndSeconds }: { readonly id: string; readonly latestEndSeconds: number },
): Document {
  const { expiresAtSeconds } = archived;
  return {
    ...archived,
    id,
    expiresAtSeconds: expiresAtSeconds === null ? null : Math.min(expiresAtSeconds, latestEndSeconds),
    sizeBytes: content === null ? 0 : content.length,
    checksum: content === null ? null : sha256(content),
    scope: { orgId, namespace, scopeFilters: scopeFilters.size === 0 ? filters : scopeFilters },
  };
}

/**
 * Do two documents that the caller sees say the same? Version, times and lifetime may differ, and filters where the caller has some: which
 * others a document has is nothing to learn by comparing.
 */
export function isSameDocument(
  one: Document,
  other: Document,
  { scopeFilters }: Pick<ContextScope, 'scopeFilters'>,
): boolean {
  const said = ({ filename, contentType, tags, metadata, checksum, scope }: Document) =>
    JSON.stringify([
      filename,
      contentType,
      tags,
      canonicalFilters(metadata),
      checksum,
      scopeFilters.size === 0 ? canonicalFilters(scope.scopeFilters) : null,
    ]);
  return said(one) === said(other);
}

/** Base64 has four characters for three bytes; escapes can make text longer than that. */
function toContent(content: Uint8Array): { readonly encoding: string; readonly content: string } {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (isText(content)) {
    const text = bytes.toString('utf8');
    const isShorter = Buffer.byteLength(toJson(text)) <= Math.ceil(content.length / 3) * 4 + 2;
    if (isShorter) return { encoding: 'utf-8', content: text };
  }
  return { encoding: 'base64', content: bytes.toString('base64') };
}

function line(value: Readonly<Record<string, unknown>>): string {
  return `${toJson(value)}\n`;
}

/** JSON without the line and paragraph separators that are no line's end here, and which many readers of lines take for one. */
function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
