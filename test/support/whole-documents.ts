import { expect } from 'vitest';
import type { ArchiveEntry } from '../../functions/core/documents/archive.ts';
import type { ContextCaller, DocumentStore, NewDocument } from '../../functions/core/documents/ports.ts';
import { NOW_SECONDS } from './context-callers.ts';

/** A document as a line of an archive says it. */
export function archived({ id, description, content }: NewDocument): ArchiveEntry {
  const times = { createdAtSeconds: NOW_SECONDS, updatedAtSeconds: NOW_SECONDS, expiresAtSeconds: null };
  return {
    type: 'document',
    document: { ...description, id, filters: new Map(), version: 1, content, ...times },
  };
}

/**
 * Expects a document, the only one of the namespace with the tag `t` and the word `last`, to be read with this content, listed by its tag
 * and by its filters, and found by its words.
 */
export async function expectWhole(
  store: DocumentStore,
  caller: ContextCaller,
  { id, content }: { readonly id: string; readonly content: string },
): Promise<void> {
  const read = await store.read(caller, id);
  expect(read.ok ? Buffer.from(read.value.content).toString() === content : read.error).toBe(true);
  // Before a list, which may put back what it finds missing.
  const found = await store.search(caller, { terms: ['last'], limit: 10, includeRelations: false });
  expect(found.ok && found.value.hits.map(({ document }) => document.id)).toEqual([id]);
  const query = { filename: undefined, limit: 10, offset: 0, cursor: undefined };
  for (const tags of [['t'], []]) {
    const listed = await store.list(caller, { ...query, tags });
    expect(listed.ok && listed.value.documents.map((one) => one.id)).toEqual([id]);
  }
}
