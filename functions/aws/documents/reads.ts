import { countCharacters, findCharacters, isText } from '../../core/documents/parts.ts';
import type { ContextCaller, DocumentStore, NotFound, StoredDocument } from '../../core/documents/ports.ts';
import {
  boundRange,
  type CharacterRange,
  cutCharacters,
  type NotText,
  type RangeBeyondEnd,
  type TextRange,
} from '../../core/documents/range.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable } from '../context-table.ts';
import { readParts } from './content.ts';
import { findHead } from './heads.ts';
import type { DocumentHead } from './rows.ts';

/**
 * How often a read looks when content was replaced or deleted under it: after random waits that grow, a second of them at most. A writer
 * needs more round trips than a reader, so each look loses to one by chance alone; pieces that were kept for late readers would cost every
 * document its size once more, and would not last for ever either.
 */
const READ_ATTEMPTS = 10;
const READ_DELAY_MS = 5;
const MAX_READ_DELAY_MS = 200;

const NOT_FOUND: { readonly ok: false; readonly error: NotFound } = err({ reason: 'not_found' });

/** A document without its content. */
export async function describeDocument(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
): ReturnType<DocumentStore['info']> {
  const head = await findHead(table, caller, id);
  if (!head.ok) return head;
  return head.value === undefined ? NOT_FOUND : ok(head.value.document);
}

/** A document with all of its content. */
export function readDocument(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
): ReturnType<DocumentStore['read']> {
  return readWhole(table, caller, id, (head) => readAll(table, head));
}

/** A range of a text document. */
export function readRange(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
  range: CharacterRange,
): ReturnType<DocumentStore['readRange']> {
  return readWhole(table, caller, id, (head) => readCharacters(table, head, range));
}

/** Reads by the head as it stands, and again by the next one where the content was replaced or deleted meanwhile. */
async function readWhole<T, E>(
  table: ContextTable,
  caller: ContextCaller,
  id: string,
  read: (head: DocumentHead) => Promise<Result<T | undefined, E>>,
): Promise<Result<T, E | NotFound | Unavailable>> {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
    if (attempt > 1) await pause(attempt);
    const head = await findHead(table, caller, id);
    if (!head.ok) return head;
    if (head.value === undefined) return NOT_FOUND;
    const content = await read(head.value);
    if (!content.ok) return content;
    if (content.value !== undefined) return ok(content.value);
  }
  return err({ reason: 'unavailable', detail: `context table: content of ${id} is not whole` });
}

function pause(attempt: number): Promise<void> {
  const delayMs = Math.min(READ_DELAY_MS * 2 ** attempt, MAX_READ_DELAY_MS);
  return new Promise((resolve) => setTimeout(resolve, delayMs * Math.random()));
}

async function readAll(
  table: ContextTable,
  head: DocumentHead,
): Promise<Result<StoredDocument | undefined, Unavailable>> {
  const content = await readParts(table, head, head.parts);
  if (!content.ok || content.value === undefined) return content.ok ? ok(undefined) : content;
  return ok({ document: head.document, content: content.value });
}

/** The characters of a range, from the pieces that hold them; from all of them where they are not counted. */
async function readCharacters(
  table: ContextTable,
  head: DocumentHead,
  range: CharacterRange,
): Promise<Result<TextRange | undefined, NotText | RangeBeyondEnd | Unavailable>> {
  const { document } = head;
  const counts = head.parts.map(({ chars }) => chars);
  if (counts.includes(null)) {
    const content = await readParts(table, head, head.parts);
    if (!content.ok || content.value === undefined) return content.ok ? ok(undefined) : content;
    if (!isText(content.value)) return err({ reason: 'not_text' });
    const totalChars = countCharacters(content.value) ?? 0;
    const bound = boundRange(range, totalChars);
    if (!bound.ok) return bound;
    const { startChar, endChar } = bound.value;
    const cut = cutCharacters(content.value, startChar, endChar - startChar);
    return ok({ document, content: cut, startChar, endChar, totalChars });
  }
  const totalChars = counts.reduce<number>((sum, chars) => sum + (chars ?? 0), 0);
  const bound = boundRange(range, totalChars);
  if (!bound.ok) return bound;
  const { startChar, endChar } = bound.value;
  const held = findCharacters(head.parts, startChar, endChar);
  const content = await readParts(table, head, held?.parts ?? []);
  if (!content.ok || content.value === undefined) return content.ok ? ok(undefined) : content;
  const cut = cutCharacters(content.value, held?.skipChars ?? 0, endChar - startChar);
  return ok({ document, content: cut, startChar, endChar, totalChars });
}
