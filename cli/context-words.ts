import { z } from 'zod';
import { printable } from './printable.ts';

/** A document as the context store answers it, as far as a person is told of it. */
const Described = z.object({
  id: z.string(),
  filename: z.string(),
  size_bytes: z.number(),
  version: z.number(),
  tags: z.array(z.string()),
});

const Found = z.object({ score: z.number(), sections: z.array(z.object({ offset: z.number() })) });

const Related = z.object({
  id: z.string(),
  definition: z.string(),
  from_document_id: z.string(),
  to_document_id: z.string(),
});

/** One line per document: id, version, size, name and tags; for one that was found its score and where. */
export function describeDocument(value: unknown): string {
  const document = Described.safeParse(value);
  if (!document.success) return '';
  const { id, filename, size_bytes: bytes, version, tags } = document.data;
  const tagged = tags.length === 0 ? '' : `  [${tags.join(', ')}]`;
  const found = Found.safeParse(value);
  const where = found.success ? `  ${found.data.score} at ${offsetsOf(found.data.sections)}` : '';
  return `${id}  v${version}  ${String(bytes).padStart(9)}  ${printable(filename)}${printable(tagged)}${where}`;
}

/** One line per relation. */
export function describeRelation(value: unknown): string {
  const relation = Related.safeParse(value);
  if (!relation.success) return '';
  const { id, definition, from_document_id: from, to_document_id: to } = relation.data;
  return `${id}  ${definition}  ${from} -> ${to}`;
}

/** Lines of a list; what is said where there are none. */
export function describeAll(
  values: unknown,
  describe: (value: unknown) => string,
  otherwise: string,
): string {
  const lines = Array.isArray(values) ? values.map(describe) : [];
  return lines.length === 0 ? otherwise : lines.join('\n');
}

/** How to go on after a page; nothing where it was the last one. */
export function describeMore(nextCursor: unknown): string {
  // With the sign: a cursor may begin with a dash, as an option does.
  return typeof nextCursor === 'string' ? `\nmore: --cursor=${nextCursor}` : '';
}

function offsetsOf(sections: readonly { readonly offset: number }[]): string {
  return sections.length === 0 ? 'the name' : sections.map(({ offset }) => offset).join(', ');
}
