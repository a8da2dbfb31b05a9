import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Document } from '../../core/documents/document.ts';
import type { Part } from '../../core/documents/parts.ts';
import { isNamespace } from '../../core/visibility.ts';
import type { Row, RowKey } from '../context-table.ts';

/** The head row of a document and the pieces that its content is in, in order. */
export type DocumentHead = {
  readonly document: Document;
  readonly parts: readonly Part[];
  /** Which write made this version; no two writes have the same. */
  readonly write: string;
  /** Which write made the document: no two that had its id have the same. Undefined where a version made it that kept nothing of it. */
  readonly incarnation: string | undefined;
  /** Sort key of the idempotency claim that made the document. */
  readonly claim: string | undefined;
};

/** What the sort keys of head rows start with. */
export const HEAD_PREFIX = 'DOC#';

/**
 * The partition of a namespace, `{org}#{namespace}`. Neither name can have a `#`, so no two namespaces share one.
 * @throws TypeError where a name is not well formed: names were checked when the scope was parsed
 */
export function toPartition(orgId: string, namespace: string): string {
  if (!isNamespace(orgId) || !isNamespace(namespace)) throw new TypeError('malformed org or namespace');
  return `${orgId}#${namespace}`;
}

/** The storage partition of what is registered for a whole org: `{org}#`, which no namespace has. @throws TypeError as {@link toPartition} */
export function toDirectory(orgId: string): string {
  if (!isNamespace(orgId)) throw new TypeError('malformed org');
  return `${orgId}#`;
}

/** The key of a document's head row. */
export function toHeadKey(pk: string, id: string): RowKey {
  return { pk, sk: `${HEAD_PREFIX}${id}` };
}

/** What the sort keys of all pieces of a document's content start with. */
export function toPartPrefix(id: string): string {
  return `CHUNK#${id}#`;
}

/** The `key` of the piece number `index` that one write stored. */
export function toPartKey(write: string, index: number): string {
  return `${write}#${String(index).padStart(4, '0')}`;
}

/** The row of one piece of a document's content. */
export function toPartRowKey(pk: string, id: string, key: string): RowKey {
  return { pk, sk: `${toPartPrefix(id)}${key}` };
}

/** A head as a row. */
export function toHeadRow({ document, parts, write, incarnation, claim }: DocumentHead): Row {
  const { orgId, namespace, scopeFilters } = document.scope;
  const key = toHeadKey(toPartition(orgId, namespace), document.id);
  return {
    pk: { S: key.pk },
    sk: { S: key.sk },
    filename: { S: document.filename },
    content_type: { S: document.contentType },
    size_bytes: { N: String(document.sizeBytes) },
    ...(document.checksum === null ? {} : { checksum: { S: document.checksum } }),
    created_at: { N: String(document.createdAtSeconds) },
    updated_at: { N: String(document.updatedAtSeconds) },
    tags: { L: document.tags.map((tag) => ({ S: tag })) },
    metadata: fromTexts(document.metadata),
    scope_filters: fromTexts(scopeFilters),
    version: { N: String(document.version) },
    write: { S: write },
    parts: { L: parts.map(({ key, bytes, chars }) => ({ S: `${key} ${bytes} ${chars ?? ''}` })) },
    ...toExpiry(document),
    ...(incarnation === undefined ? {} : { incarnation: { S: incarnation } }),
    ...(claim === undefined ? {} : { claim: { S: claim } }),
  };
}

/**
 * The head that a row holds. Org and namespace are those of the row's own key.
 * @throws TypeError where the row is not one that {@link toHeadRow} wrote
 */
export function fromHeadRow(row: Row): DocumentHead {
  const [orgId, namespace] = text(row, 'pk').split('#');
  if (orgId === undefined || namespace === undefined) throw new TypeError('malformed partition key');
  return {
    document: {
      version: number(row, 'version'),
      id: text(row, 'sk').slice(HEAD_PREFIX.length),
      filename: text(row, 'filename'),
      contentType: text(row, 'content_type'),
      sizeBytes: number(row, 'size_bytes'),
      checksum: row['checksum']?.S ?? null,
      createdAtSeconds: number(row, 'created_at'),
      updatedAtSeconds: number(row, 'updated_at'),
      expiresAtSeconds: row['expires_at'] === undefined ? null : number(row, 'expires_at'),
      tags: list(row, 'tags').map((tag) => text({ tag }, 'tag')),
      metadata: toTexts(row, 'metadata'),
      scope: { orgId, namespace, scopeFilters: toTexts(row, 'scope_filters') },
    },
    parts: row['parts'] === undefined ? toFirstParts(row) : list(row, 'parts').map(fromPart),
    write: row['write']?.S ?? String(number(row, 'version')),
    incarnation: row['incarnation']?.S,
    claim: row['claim']?.S,
  };
}

/** The same, and undefined where the row is not one that {@link toHeadRow} wrote. */
export function tryHeadRow(row: Row): DocumentHead | undefined {
  try {
    return fromHeadRow(row);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** A string attribute. @throws TypeError where it is missing or of another type */
export function text(row: Row, name: string): string {
  const value = row[name]?.S;
  if (value === undefined) throw new TypeError(`stored row has no text \`${name}\``);
  return value;
}

/** A number attribute. @throws TypeError where it is missing or of another type */
export function number(row: Row, name: string): number {
  const value = row[name]?.N;
  if (value === undefined) throw new TypeError(`stored row has no number \`${name}\``);
  return Number(value);
}

function list(row: Row, name: string): readonly AttributeValue[] {
  const value = row[name]?.L;
  if (value === undefined) throw new TypeError(`stored row has no list \`${name}\``);
  return value;
}

/** When the rows of a document go, for DynamoDB to remove them and for readers to look at. */
export function toExpiry({ expiresAtSeconds }: Pick<Document, 'expiresAtSeconds'>): Row {
  return expiresAtSeconds === null ? {} : { expires_at: { N: String(expiresAtSeconds) } };
}

function fromPart(value: AttributeValue): Part {
  const [key, bytes, chars] = (value.S ?? '').split(' ');
  if (key === undefined || bytes === undefined) throw new TypeError('stored row has a malformed piece');
  return { key, bytes: Number(bytes), chars: chars === undefined || chars === '' ? null : Number(chars) };
}

/** The pieces of a head that has only their number: each but the last had 300,000 bytes, and nobody counted characters. */
function toFirstParts(row: Row): readonly Part[] {
  const size = number(row, 'size_bytes');
  return Array.from({ length: number(row, 'chunks') }, (_, index) => ({
    key: toPartKey(String(number(row, 'version')), index),
    bytes: Math.min(300_000, size - index * 300_000),
    chars: null,
  }));
}

/** A list of pairs and not a map attribute: the SDK builds maps as plain objects, where `__proto__` is no name. */
function fromTexts(texts: ReadonlyMap<string, string>): AttributeValue {
  return { L: Array.from(texts, ([name, value]) => ({ L: [{ S: name }, { S: value }] })) };
}

function toTexts(row: Row, name: string): ReadonlyMap<string, string> {
  return new Map(
    list(row, name).map((pair) => {
      const [key, value] = pair.L ?? [];
      if (key?.S === undefined || value?.S === undefined) {
        throw new TypeError(`stored row has a malformed \`${name}\``);
      }
      return [key.S, value.S];
    }),
  );
}
