import { createHash } from 'node:crypto';
import type { ContextScope, DocumentScope } from '../visibility.ts';

/** What a document is called and how it is described. All of it is the model's to choose. */
export type DocumentDescription = {
  readonly filename: string;
  /** A media type (RFC 9110 §8.3.1). */
  readonly contentType: string;
  readonly tags: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
};

/** A description as a creator gives it; `ttlSeconds` is how long the document lives, for ever where it is absent. */
export type NewDescription = DocumentDescription & { readonly ttlSeconds?: number | undefined };

/** A document without its content. `scope` is the framework's and never shown. */
export type Document = DocumentDescription & {
  readonly id: string;
  /** 1 at birth, one more with every write of the content. */
  readonly version: number;
  readonly sizeBytes: number;
  /** SHA-256 of the content in hex; null for a document whose content has not been written yet. */
  readonly checksum: string | null;
  readonly createdAtSeconds: number;
  readonly updatedAtSeconds: number;
  /** From then on there is no such document; null for one that stays. */
  readonly expiresAtSeconds: number | null;
  readonly scope: DocumentScope;
};

/** A document as callers see it. */
export type WireDocument = {
  readonly id: string;
  readonly filename: string;
  readonly content_type: string;
  readonly size_bytes: number;
  readonly checksum: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly expires_at: string | null;
  readonly version: number;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly url: string;
};

/** Raw bytes of one document (contract §8): 4 MiB. */
export const MAX_DOCUMENT_BYTES = 4_194_304;

/** Random bytes in a document id; the other four are its birth time. */
export const DOCUMENT_ID_RANDOM_BYTES = 8;

const DOCUMENT_ID = /^doc_[0-9a-f]{24}$/;

/** Is this the form of a document id? Says nothing about whether there is such a document. */
export function isDocumentId(value: string): boolean {
  return DOCUMENT_ID.test(value);
}

/**
 * A new document id: birth time, then randomness, so that ids sort by age. Knowing an id opens nothing.
 * @throws RangeError where there are not exactly {@link DOCUMENT_ID_RANDOM_BYTES} random bytes
 */
export function toDocumentId(nowSeconds: number, random: Uint8Array): string {
  if (random.length !== DOCUMENT_ID_RANDOM_BYTES) throw new RangeError('a document id has 8 random bytes');
  return `doc_${nowSeconds.toString(16).padStart(8, '0')}${Buffer.from(random).toString('hex')}`;
}

/**
 * A new document in the creator's scope. Content of `null` makes a placeholder: size 0, no checksum.
 * Does NOT check the size of the content.
 */
export function createDocument(
  { ttlSeconds, ...description }: NewDescription,
  content: Uint8Array | null,
  birth: { readonly id: string; readonly nowSeconds: number; readonly scope: ContextScope },
): Document {
  const { orgId, namespace, scopeFilters } = birth.scope;
  return {
    ...description,
    id: birth.id,
    version: 1,
    sizeBytes: content === null ? 0 : content.length,
    checksum: content === null ? null : sha256(content),
    createdAtSeconds: birth.nowSeconds,
    updatedAtSeconds: birth.nowSeconds,
    expiresAtSeconds: ttlSeconds === undefined ? null : birth.nowSeconds + ttlSeconds,
    scope: { orgId, namespace, scopeFilters },
  };
}

/** The document with other content: its next version. Scope, description and expiry stay. Does NOT check the size. */
export function replaceContent(document: Document, content: Uint8Array, nowSeconds: number): Document {
  return {
    ...document,
    version: document.version + 1,
    sizeBytes: content.length,
    checksum: sha256(content),
    // A clock that was set back must not make a document older than it is.
    updatedAtSeconds: Math.max(nowSeconds, document.updatedAtSeconds),
  };
}

/** The document as callers see it; `contextUrl` is where the caller reaches its namespace, such as `ORIGIN/context`. */
export function toWireDocument(document: Document, contextUrl: string): WireDocument {
  return {
    id: document.id,
    filename: document.filename,
    content_type: document.contentType,
    size_bytes: document.sizeBytes,
    checksum: document.checksum,
    created_at: toTimestamp(document.createdAtSeconds),
    updated_at: toTimestamp(document.updatedAtSeconds),
    expires_at: document.expiresAtSeconds === null ? null : toTimestamp(document.expiresAtSeconds),
    version: document.version,
    tags: document.tags,
    metadata: Object.fromEntries(document.metadata),
    url: `${contextUrl}/documents/${document.id}`,
  };
}

/** What a delete answers. */
export function toWireDeletion(ids: readonly string[]): {
  readonly success: true;
  readonly message: string;
  readonly deleted_document_ids: readonly string[];
} {
  const message = ids.length === 1 ? 'deleted 1 document' : `deleted ${ids.length} documents`;
  return { success: true, message, deleted_document_ids: ids };
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Seconds since the epoch as ISO 8601 has them, in UTC. */
export function toTimestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
