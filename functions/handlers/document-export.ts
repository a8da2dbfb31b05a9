import { documentLine, endLine, headerLine, relationLine } from '../core/documents/archive.ts';
import type { Document } from '../core/documents/document.ts';
import type { ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';

/** Documents on one page of an export. */
export const MAX_EXPORTED = 100;

/** A page ends with the document that takes it past so many bytes of content, or that is done after so long. */
const PAGE_BYTES = 8_000_000;
const PAGE_SECONDS = 15;

/** Which part of an export is asked for. */
export type ExportRequest = {
  /** Id of the document after which it begins. */
  readonly after: string | undefined;
  readonly limit: number;
};

/** The lines of one document: its own, and those of its relations to documents before it. */
type Exported = { readonly bytes: number; readonly relations: number; readonly lines: readonly string[] };

/**
 * One page of an export, line by line as it is read: no more than one document with its content is held at a time. Where the store fails
 * before the first document the page fails; later it ends early, and whoever goes on after it meets the failure there.
 */
export async function exportPage(
  documents: DocumentStore,
  caller: ContextCaller,
  { after, limit }: ExportRequest,
  clock: Clock,
): Promise<Result<AsyncGenerator<string>, Unavailable>> {
  // One more than there is room for: the last page says that it is the last.
  const found = await documents.walk(caller, after, limit + 1);
  if (!found.ok) return found;
  const { documents: walked, pausedAt = null } = found.value;
  const [first] = walked;
  const begun = first === undefined ? ok(undefined) : await exportDocument(documents, caller, first);
  if (!begun.ok) return begun;
  return ok(lines(begun.value, walked.slice(1)));

  async function* lines(exported: Exported | undefined, rest: readonly Document[]): AsyncGenerator<string> {
    const endsAtSeconds = clock() + PAGE_SECONDS;
    const count = { documents: 0, relations: 0, bytes: 0 };
    const take = (one: Exported): readonly string[] => {
      count.documents += 1;
      count.relations += one.relations;
      count.bytes += one.bytes;
      return one.lines;
    };
    yield headerLine();
    if (exported !== undefined) yield* take(exported);
    let last = first?.id ?? null;
    for (const [index, document] of rest.entries()) {
      const isFull = index + 1 >= limit || count.bytes >= PAGE_BYTES || clock() >= endsAtSeconds;
      const next = isFull ? undefined : await exportDocument(documents, caller, document);
      if (next === undefined || !next.ok) {
        yield endLine(count.documents, count.relations, last);
        return;
      }
      if (next.value !== undefined) yield* take(next.value);
      last = document.id;
    }
    yield endLine(count.documents, count.relations, pausedAt);
  }
}

/** Undefined where the document went meanwhile. */
async function exportDocument(
  documents: DocumentStore,
  caller: ContextCaller,
  { id }: Document,
): Promise<Result<Exported | undefined, Unavailable>> {
  const read = await documents.read(caller, id);
  if (!read.ok && read.error.reason === 'unavailable') return { ok: false, error: read.error };
  if (!read.ok) return ok(undefined);
  const { document, content } = read.value;
  const related = await documents.relationsOf(caller, [id]);
  if (!related.ok) return related;
  const relations = (related.value.get(id) ?? []).filter(({ fromId, toId }) => fromId < id || toId < id);
  return ok({
    bytes: content.length,
    relations: relations.length,
    lines: [documentLine(document, content, caller), ...relations.map(relationLine)],
  });
}
