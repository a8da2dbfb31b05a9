import type { Document } from '../../core/documents/document.ts';
import type { Row, RowKey } from '../context-table.ts';
import { type DocumentHead, toExpiry, toPartition } from './rows.ts';
import { scopeRows, shortHash, toScope } from './scopes.ts';

/** The scope of lists that have every document of a namespace. */
export const EVERY_SCOPE = '*';

/** A document, and the write that made it. */
export type Listed = Pick<DocumentHead, 'document' | 'write'> & Partial<DocumentHead>;

/** Every row that leads to a document, as the write that made it puts them: those of its filters, and those of its lists. */
export function leadingRows(listed: Listed): {
  readonly scopes: readonly Row[];
  readonly lists: readonly Row[];
} {
  const { document, write, incarnation = write } = listed;
  const put = { write: { S: incarnation } };
  const expiry = toExpiry(document);
  return {
    scopes: scopeRows(document).map((row) => ({ ...row, ...put })),
    lists: toListKeys(document).map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk }, ...expiry, ...put })),
  };
}

/** The rows of a document's lists: of its filters, and of each of its tags, there and in the whole namespace. */
export function toListKeys({ id, tags, scope }: Document): readonly RowKey[] {
  const pk = toPartition(scope.orgId, scope.namespace);
  const own = toScope(scope.scopeFilters);
  const prefixes = [
    toListPrefix(own, undefined),
    ...tags.flatMap((tag) => [toListPrefix(own, tag), toListPrefix(EVERY_SCOPE, tag)]),
  ];
  return prefixes.map((prefix) => ({ pk, sk: `${prefix}${id}` }));
}

/** What the keys of all rows of a list start with: of a tag, or of all documents in the scope. They end in the document's id. */
export function toListPrefix(scope: string, tag: string | undefined): string {
  return `${toListsPrefix(scope)}${tag === undefined ? '' : shortHash(tag)}#`;
}

/** What the keys of the rows of all lists of a scope start with. */
export function toListsPrefix(scope: string): string {
  return `LIST#${scope}#`;
}
