import { type Document, toWireDocument, type WireDocument } from '../core/documents/document.ts';
import type { DocumentQuery } from '../core/documents/input.ts';
import type { ContextCaller, DocumentStore, InvalidCursor, RelationPage } from '../core/documents/ports.ts';
import { toWireRelation, type WireRelation } from '../core/documents/relation.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';

/** A document in a list, with its relations where they were asked for; `relations_complete` is false where there may be more of them. */
export type ListedDocument = WireDocument & {
  readonly relations?: readonly WireRelation[];
  readonly relations_complete?: false;
};

/** One page of a list, as both doors answer it. */
export async function listPage(
  documents: DocumentStore,
  caller: ContextCaller,
  query: DocumentQuery,
  contextUrl: string,
): Promise<
  Result<
    { readonly documents: readonly ListedDocument[]; readonly next_cursor: string | null },
    InvalidCursor | Unavailable
  >
> {
  const page = await documents.list(caller, query);
  if (!page.ok) return page;
  const listed = await withRelations(
    documents,
    caller,
    page.value.documents,
    contextUrl,
    query.includeRelations,
  );
  if (!listed.ok) return listed;
  return ok({ documents: listed.value, next_cursor: page.value.nextCursor ?? null });
}

/** Documents as callers see them, with those relations that this caller sees. */
export async function withRelations(
  documents: DocumentStore,
  caller: ContextCaller,
  found: readonly Document[],
  contextUrl: string,
  isWanted = false,
): Promise<Result<readonly ListedDocument[], Unavailable>> {
  const wire = found.map((document) => toWireDocument(document, contextUrl));
  if (!isWanted) return ok(wire);
  const relations = await documents.someRelationsOf(
    caller,
    found.map(({ id }) => id),
  );
  if (!relations.ok) return relations;
  return ok(
    wire.map((document) => {
      const some = relations.value.get(document.id);
      const related = { ...document, relations: (some?.relations ?? []).map(toWireRelation) };
      return some?.isComplete === false ? { ...related, relations_complete: false } : related;
    }),
  );
}

/** A page of a document's relations, as both doors answer it. */
export function toWireRelationPage({ relations, nextCursor }: RelationPage): {
  readonly relations: readonly WireRelation[];
  readonly next_cursor: string | null;
} {
  return { relations: relations.map(toWireRelation), next_cursor: nextCursor ?? null };
}
