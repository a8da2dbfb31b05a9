import type { ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import type { Section } from '../core/documents/ranking.ts';
import type { SearchRequest } from '../core/documents/search.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import { type ListedDocument, withRelations } from './document-page.ts';

/** A document that was found. */
export type FoundDocument = ListedDocument & {
  readonly score: number;
  readonly sections: readonly Section[];
};

/** What a search answers. */
export type FoundDocuments = {
  /** How it was found: by words, and not by meaning. */
  readonly method: 'full_text';
  readonly results: readonly FoundDocument[];
  /** False where there may be more than one search looks at. */
  readonly complete: boolean;
};

/** Searches, as both doors answer it. */
export async function searchAnswer(
  documents: DocumentStore,
  caller: ContextCaller,
  request: SearchRequest,
  contextUrl: string,
): Promise<Result<FoundDocuments, Unavailable>> {
  const found = await documents.search(caller, request);
  if (!found.ok) return found;
  const { hits, isComplete: complete } = found.value;
  const wire = await withRelations(
    documents,
    caller,
    hits.map(({ document }) => document),
    contextUrl,
    request.includeRelations,
  );
  if (!wire.ok) return wire;
  const results = wire.value.map((document, index) => {
    const { score, sections } = hits[index] ?? { score: 0, sections: [] };
    return { ...document, score, sections };
  });
  return ok({ method: 'full_text', results, complete });
}
