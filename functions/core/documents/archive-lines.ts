import { ok, type Result } from '../result.ts';
import { parseFilters, type ScopeFilters } from '../visibility.ts';
import { ARCHIVE_VERSION, type ArchivedDocument, type ArchiveEntry } from './archive.ts';
import { parseContent } from './arguments.ts';
import { isDocumentId, sha256 } from './document.ts';
import { type InvalidArgument, isIntegerIn, parseDescription, parseFields, refuse } from './input.ts';
import { parseRelation, toRelationId } from './relation.ts';

/** A line, counted from 1, and what it says. */
export type NumberedEntry = ArchiveEntry & { readonly line: number };

/** Lines that one import takes; about as many documents as it has time for. */
export const MAX_LINES = 1_000;

/**
 * More writes than a document ever sees. A line of a later version gets this one: what was imported can be written, exported and imported
 * again, and no number of writes brings it to what is refused.
 */
const MAX_VERSION = 999_999_999;

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;

const DOCUMENT_MEMBERS = [
  'type',
  'id',
  'filename',
  'content_type',
  'tags',
  'metadata',
  'filters',
  'version',
  'created_at',
  'updated_at',
  'expires_at',
  'size_bytes',
  'checksum',
  'encoding',
  'content',
] as const;

const RELATION_MEMBERS = [
  'type',
  'id',
  'definition',
  'from_document_id',
  'to_document_id',
  'from_to_note',
  'to_from_note',
  'created_at',
] as const;

/**
 * The lines of a text; the last one may lack its end. Of a text of more lines than one import takes, no more than show that it has too
 * many: a few bytes unpack to millions of empty lines, and the view that each is would cost a hundred times its bytes.
 */
export function toLines(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length && lines.length <= MAX_LINES; ) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/**
 * Parses lines of an archive, each by `parse`, which answers undefined for what is no JSON: a header of this version first, then documents and
 * relations; further headers and ends may stand between them, as in archives that were put together. A line that is refused refuses all, by
 * its number. The content of each document is compared with its checksum.
 */
export function parseArchive(
  lines: readonly Uint8Array[],
  parse: (line: Uint8Array) => unknown,
): Result<readonly NumberedEntry[], InvalidArgument> {
  if (lines.length > MAX_LINES) return refuse('body', `must be at most ${MAX_LINES} lines`);
  const entries: NumberedEntry[] = [];
  for (const [index, bytes] of lines.entries()) {
    const entry = parseLine(parse(bytes), index === 0);
    if (!entry.ok) return refuse(`line ${index + 1}`, `of the archive: ${entry.error.message}`);
    if (entry.value !== undefined) entries.push({ ...entry.value, line: index + 1 });
  }
  return lines.length === 0 ? refuse('body', 'must have the lines of an archive') : ok(entries);
}

/** What a line says; undefined for one that is about the archive itself. */
function parseLine(value: unknown, isFirst: boolean): Result<ArchiveEntry | undefined, InvalidArgument> {
  const type: unknown = Object(value).type;
  if (isFirst && type !== 'archive') return refuse('type', 'of the first line must be `archive`');
  switch (type) {
    case 'archive':
      return parseHeader(value);
    case 'document':
      return parseDocumentLine(value);
    case 'relation':
      return parseRelationLine(value);
    case 'end':
      return ok(undefined);
    default:
      return refuse('type', 'must be `archive`, `document`, `relation` or `end`, in one JSON object');
  }
}

function parseHeader(value: unknown): Result<undefined, InvalidArgument> {
  const { format, version }: { format?: unknown; version?: unknown } = Object(value);
  if (format !== 'sallyport-context') return refuse('format', 'must be `sallyport-context`');
  return version === ARCHIVE_VERSION ? ok(undefined) : refuse('version', `must be ${ARCHIVE_VERSION}`);
}

function parseDocumentLine(value: unknown): Result<ArchiveEntry, InvalidArgument> {
  const fields = parseFields(value, DOCUMENT_MEMBERS);
  if (!fields.ok) return fields;
  const { id, version, filename, content_type, tags, metadata } = fields.value;
  if (typeof id !== 'string' || !isDocumentId(id)) {
    return refuse('id', 'must be `doc_` and 24 hexadecimal digits');
  }
  if (!isIntegerIn(version, 1, Number.MAX_SAFE_INTEGER))
    return refuse('version', 'must be a whole number from 1');
  const description = parseDescription({ filename, content_type, tags, metadata });
  if (!description.ok) return description;
  const filters = toFilters(fields.value.filters);
  if (filters === undefined) return refuse('filters', 'must be an object of texts');
  const content = parseCheckedContent(fields.value);
  if (!content.ok) return content;
  const times = parseTimes(fields.value);
  if (!times.ok) return times;
  const described = { ...description.value, id, filters, content: content.value, ...times.value };
  return ok({ type: 'document', document: { ...described, version: Math.min(version, MAX_VERSION) } });
}

type Fields = Readonly<Partial<Record<(typeof DOCUMENT_MEMBERS)[number], unknown>>>;

/** The content where there is any, and it is what size and checksum say. */
function parseCheckedContent(fields: Fields): Result<Uint8Array | null, InvalidArgument> {
  const { checksum, size_bytes: sizeBytes } = fields;
  if (checksum === null) {
    if (fields.content !== undefined || fields.encoding !== undefined) {
      return refuse('checksum', 'is missing for this content');
    }
    return sizeBytes === 0 ? ok(null) : refuse('size_bytes', 'must be 0 without content');
  }
  const content = parseContent(fields.content, fields.encoding);
  if (!content.ok) return content;
  if (content.value.length !== sizeBytes) return refuse('size_bytes', 'is not the size of the content');
  return sha256(content.value) === checksum
    ? content
    : refuse('checksum', 'is not the SHA-256 of the content');
}

function parseTimes(
  fields: Fields,
): Result<
  Pick<ArchivedDocument, 'createdAtSeconds' | 'updatedAtSeconds' | 'expiresAtSeconds'>,
  InvalidArgument
> {
  const createdAtSeconds = toSeconds(fields.created_at);
  const updatedAtSeconds = toSeconds(fields.updated_at);
  const expiresAtSeconds = fields.expires_at === null ? null : toSeconds(fields.expires_at);
  if (createdAtSeconds === undefined) return refuse('created_at', MUST_BE_TIME);
  if (updatedAtSeconds === undefined) return refuse('updated_at', MUST_BE_TIME);
  if (expiresAtSeconds === undefined) return refuse('expires_at', `${MUST_BE_TIME}, or null`);
  return ok({ createdAtSeconds, updatedAtSeconds, expiresAtSeconds });
}

function parseRelationLine(value: unknown): Result<ArchiveEntry, InvalidArgument> {
  const fields = parseFields(value, RELATION_MEMBERS);
  if (!fields.ok) return fields;
  const { type: _type, id: _id, created_at: createdAt, ...members } = fields.value;
  const relation = parseRelation(members);
  if (!relation.ok) return relation;
  const createdAtSeconds = toSeconds(createdAt);
  if (createdAtSeconds === undefined) return refuse('created_at', MUST_BE_TIME);
  const id = toRelationId(relation.value);
  return ok({ type: 'relation', relation: { ...relation.value, id, createdAtSeconds } });
}

function toFilters(value: unknown): ScopeFilters | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return parseFilters(new Map(Object.entries(value)));
}

const MUST_BE_TIME = 'must be a time such as `2026-11-21T10:00:00Z`';

function toSeconds(value: unknown): number | undefined {
  const milliseconds = typeof value === 'string' && TIMESTAMP.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}
