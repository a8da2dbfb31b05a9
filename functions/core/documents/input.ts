import { err, ok, type Result } from '../result.ts';
import { type DocumentDescription, isDocumentId, type NewDescription } from './document.ts';
import { contentTypeOf, isContentType } from './media-type.ts';

/** An argument that is refused. `message` names the field and never repeats its value. */
export type InvalidArgument = {
  readonly reason: 'invalid_argument';
  readonly field: string;
  readonly message: string;
};

/** Which documents a list has. `tags` are ANDed; `filename` matches any part of the name, whatever the case. */
export type DocumentQuery = {
  readonly filename: string | undefined;
  readonly tags: readonly string[];
  readonly limit: number;
  /** Matching documents to skip; 0 with a cursor. */
  readonly offset: number;
  readonly cursor: string | undefined;
  /** Shall each document come with its relations? */
  readonly includeRelations?: boolean;
};

/** Bounds of what a caller may say about a document, in UTF-16 units where they are of text. */
export const DOCUMENT_BOUNDS = {
  filenameLength: 255,
  tags: 50,
  tagLength: 100,
  metadataEntries: 64,
  metadataNameLength: 128,
  metadataValueLength: 2048,
  metadataBytes: 16_384,
  /** Ten years. */
  ttlSeconds: 315_360_000,
  limit: 100,
  offset: 10_000,
  cursorLength: 4096,
  /** As many as the bytes of the largest document. */
  characters: 4_194_304,
} as const;

/** Arguments that name a scope, which the token alone says (contract §5). */
const SCOPE_ARGUMENTS: ReadonlySet<string> = new Set(['namespace', 'scope_filters']);

const CONTROL_CHARACTER = /[\p{Cc}\u2028\u2029]/u;

/**
 * Parses `{filename, content_type?, tags?, metadata?, ttl_seconds?}`, the description of a new document. Unknown members are refused,
 * a scope among them. Equal tags are one; a content type that is not given follows from the name.
 */
export function parseDescription(input: unknown): Result<NewDescription, InvalidArgument> {
  const fields = parseFields(input, ['filename', 'content_type', 'tags', 'metadata', 'ttl_seconds']);
  if (!fields.ok) return fields;
  const filename = parseFilename(fields.value.filename);
  if (!filename.ok) return filename;
  const tags = parseTags(fields.value.tags);
  if (!tags.ok) return tags;
  const metadata = parseMetadata(fields.value.metadata);
  if (!metadata.ok) return metadata;
  const { content_type: contentType = contentTypeOf(filename.value) } = fields.value;
  if (typeof contentType !== 'string' || !isContentType(contentType)) {
    return refuse('content_type', 'must be a media type such as `text/markdown`');
  }
  const { ttl_seconds: ttlSeconds } = fields.value;
  if (ttlSeconds !== undefined && !isIntegerIn(ttlSeconds, 1, DOCUMENT_BOUNDS.ttlSeconds)) {
    return refuse('ttl_seconds', `must be a whole number from 1 to ${DOCUMENT_BOUNDS.ttlSeconds}`);
  }
  return ok({
    filename: filename.value,
    contentType,
    tags: tags.value,
    metadata: metadata.value,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  });
}

/** Parses `{filename?, tags?, limit?, offset?, cursor?, include_relations?}`. A cursor says where to go on, so it excludes an offset. */
export function parseDocumentQuery(input: unknown): Result<DocumentQuery, InvalidArgument> {
  const fields = parseFields(input, ['filename', 'tags', 'limit', 'offset', 'cursor', 'include_relations']);
  if (!fields.ok) return fields;
  const { filename, limit = DOCUMENT_BOUNDS.limit, offset = 0, cursor } = fields.value;
  if (filename !== undefined && !isText(filename, DOCUMENT_BOUNDS.filenameLength)) {
    return refuse('filename', `must be text of 1 to ${DOCUMENT_BOUNDS.filenameLength} characters`);
  }
  const tags = parseTags(fields.value.tags);
  if (!tags.ok) return tags;
  if (!isIntegerIn(limit, 1, DOCUMENT_BOUNDS.limit)) {
    return refuse('limit', `must be a whole number from 1 to ${DOCUMENT_BOUNDS.limit}`);
  }
  if (!isIntegerIn(offset, 0, DOCUMENT_BOUNDS.offset)) {
    return refuse(
      'offset',
      `must be a whole number from 0 to ${DOCUMENT_BOUNDS.offset}; use a cursor beyond`,
    );
  }
  if (cursor !== undefined && !isText(cursor, DOCUMENT_BOUNDS.cursorLength)) {
    return refuse('cursor', 'must be the `next_cursor` of the page before');
  }
  if (cursor !== undefined && fields.value.offset !== undefined) {
    return refuse('offset', 'cannot be combined with `cursor`');
  }
  const { include_relations: includeRelations = false } = fields.value;
  if (typeof includeRelations !== 'boolean') return refuse('include_relations', 'must be true or false');
  return ok({
    filename,
    tags: tags.value,
    limit,
    offset,
    cursor,
    ...(includeRelations ? { includeRelations } : {}),
  });
}

/** Parses `{document_id}`. */
export function parseDocumentReference(input: unknown): Result<string, InvalidArgument> {
  const fields = parseFields(input, ['document_id']);
  if (!fields.ok) return fields;
  const { document_id: id } = fields.value;
  if (typeof id !== 'string' || !isDocumentId(id)) {
    return refuse('document_id', 'must be `doc_` and 24 hexadecimal digits');
  }
  return ok(id);
}

/** Does a document match the query? Does NOT check whether the caller may see it. */
export function matchesQuery(
  document: DocumentDescription,
  query: Pick<DocumentQuery, 'filename' | 'tags'>,
): boolean {
  const { filename, tags } = query;
  if (filename !== undefined && !document.filename.toLowerCase().includes(filename.toLowerCase()))
    return false;
  return tags.every((tag) => document.tags.includes(tag));
}

/** The members of an object, all of them allowed; anything else is refused by name, a scope before all. */
export function parseFields<Name extends string>(
  input: unknown,
  allowed: readonly Name[],
): Result<Readonly<Partial<Record<Name, unknown>>>, InvalidArgument> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return refuse('arguments', 'must be an object');
  }
  const fields: Partial<Record<Name, unknown>> = {};
  for (const [name, value] of Object.entries(input)) {
    if (SCOPE_ARGUMENTS.has(name)) return refuse(name, 'comes from the token and cannot be an argument');
    const known = allowed.find((allowedName) => allowedName === name);
    if (known === undefined) return refuse(nameForMessage(name), 'is not known here');
    fields[known] = value;
  }
  return ok(fields);
}

/** A comma-separated list as query strings and forms carry it; blanks around a tag and empty tags go. */
export function splitTags(list: string): readonly string[] {
  return list
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

/** Refuses one argument by name. */
export function refuse(field: string, must: string): { readonly ok: false; readonly error: InvalidArgument } {
  return err({ reason: 'invalid_argument', field, message: `\`${field}\` ${must}` });
}

function parseFilename(value: unknown): Result<string, InvalidArgument> {
  if (isText(value, DOCUMENT_BOUNDS.filenameLength) && value.trim() !== '') return ok(value);
  return refuse(
    'filename',
    `must be text of 1 to ${DOCUMENT_BOUNDS.filenameLength} characters without control characters`,
  );
}

function parseTags(value: unknown): Result<readonly string[], InvalidArgument> {
  if (value === undefined) return ok([]);
  const isTags = Array.isArray(value) && value.length <= DOCUMENT_BOUNDS.tags && value.every(isTag);
  if (!isTags) {
    return refuse(
      'tags',
      `must be at most ${DOCUMENT_BOUNDS.tags} texts of 1 to ${DOCUMENT_BOUNDS.tagLength} characters without commas`,
    );
  }
  return ok([...new Set<string>(value)]);
}

function parseMetadata(value: unknown): Result<ReadonlyMap<string, string>, InvalidArgument> {
  if (value === undefined) return ok(new Map());
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('metadata', 'must be an object of texts');
  }
  const metadata = new Map<string, string>();
  let bytes = 0;
  for (const [name, text] of Object.entries(value)) {
    const isEntry =
      isText(name, DOCUMENT_BOUNDS.metadataNameLength) &&
      typeof text === 'string' &&
      text.length <= DOCUMENT_BOUNDS.metadataValueLength &&
      text.isWellFormed();
    if (!isEntry) {
      return refuse(
        'metadata',
        `must be an object of texts: names of 1 to ${DOCUMENT_BOUNDS.metadataNameLength} characters, ` +
          `values of at most ${DOCUMENT_BOUNDS.metadataValueLength}`,
      );
    }
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
    metadata.set(name, text);
  }
  if (metadata.size > DOCUMENT_BOUNDS.metadataEntries || bytes > DOCUMENT_BOUNDS.metadataBytes) {
    return refuse(
      'metadata',
      `must have at most ${DOCUMENT_BOUNDS.metadataEntries} entries and ${DOCUMENT_BOUNDS.metadataBytes} bytes`,
    );
  }
  return ok(metadata);
}

function isTag(value: unknown): value is string {
  return isText(value, DOCUMENT_BOUNDS.tagLength) && value.trim() === value && !value.includes(',');
}

/** Is this text of 1 to so many UTF-16 units, without control characters? */
export function isText(value: unknown, maxLength: number): value is string {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= maxLength &&
    value.isWellFormed() &&
    !CONTROL_CHARACTER.test(value)
  );
}

/** Is this a whole number from `min` to `max`? */
export function isIntegerIn(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

/** An unknown name is repeated so that it can be found, but never at length or with what a terminal would obey. */
function nameForMessage(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.-]/g, '?').slice(0, 64);
}
