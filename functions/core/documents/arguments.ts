import { ok, type Result } from '../result.ts';
import { MAX_DOCUMENT_BYTES, type NewDescription } from './document.ts';
import {
  DOCUMENT_BOUNDS,
  type DocumentQuery,
  type InvalidArgument,
  parseDescription,
  parseDocumentQuery,
  parseDocumentReference,
  refuse,
} from './input.ts';

/** The arguments of a tool: what `tools/list` says of them (JSON Schema 2020-12) and the one function that judges them. */
export type ToolArguments<T> = {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly parse: (input: unknown) => Result<T, InvalidArgument>;
};

/** A description and the bytes that came with it. */
export type PushedDocument = { readonly description: NewDescription; readonly content: Uint8Array };

const DESCRIPTION = {
  filename: {
    type: 'string',
    minLength: 1,
    maxLength: DOCUMENT_BOUNDS.filenameLength,
    description: 'Name of the document, such as `notes.md`.',
  },
  content_type: {
    type: 'string',
    description: 'Media type, such as `text/markdown`. Follows from the filename when it is left out.',
  },
  tags: {
    type: 'array',
    items: { type: 'string', minLength: 1, maxLength: DOCUMENT_BOUNDS.tagLength, pattern: '^[^,]+$' },
    maxItems: DOCUMENT_BOUNDS.tags,
    description: 'Labels to find the document by, without commas.',
  },
  metadata: {
    type: 'object',
    additionalProperties: { type: 'string', maxLength: DOCUMENT_BOUNDS.metadataValueLength },
    maxProperties: DOCUMENT_BOUNDS.metadataEntries,
    description: 'Any further facts about the document, names to texts.',
  },
  ttl_seconds: {
    type: 'integer',
    minimum: 1,
    maximum: DOCUMENT_BOUNDS.ttlSeconds,
    description: 'How long the document lives. It stays for ever when it is left out.',
  },
} as const;

/** The argument that names a document. */
export const REFERENCE = {
  document_id: {
    type: 'string',
    pattern: '^doc_[0-9a-f]{24}$',
    description: 'Id of the document, from doc_query or the tool that created it.',
  },
} as const;

/** Arguments of `doc_create`. */
export const CREATE_ARGUMENTS: ToolArguments<NewDescription> = {
  schema: toSchema(DESCRIPTION, ['filename']),
  parse: parseDescription,
};

/** Arguments of `doc_push`. */
export const PUSH_ARGUMENTS: ToolArguments<PushedDocument> = {
  schema: toSchema(
    {
      ...DESCRIPTION,
      content: { type: 'string', description: 'The content: text as it is, or bytes in base64.' },
      encoding: {
        type: 'string',
        enum: ['utf-8', 'base64'],
        description: 'How `content` is written. `utf-8`, the default, is text as it is.',
      },
    },
    ['filename', 'content'],
  ),
  parse: parsePush,
};

/** Arguments of `doc_query`. */
export const QUERY_ARGUMENTS: ToolArguments<DocumentQuery> = {
  schema: toSchema(
    {
      filename: {
        type: 'string',
        minLength: 1,
        maxLength: DOCUMENT_BOUNDS.filenameLength,
        description: 'Any part of the filename.',
      },
      tags: { ...DESCRIPTION.tags, description: 'Only documents that have all of these.' },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: DOCUMENT_BOUNDS.limit,
        description: `Documents per page, ${DOCUMENT_BOUNDS.limit} by default.`,
      },
      offset: {
        type: 'integer',
        minimum: 0,
        maximum: DOCUMENT_BOUNDS.offset,
        description: 'Matches to skip. Not together with `cursor`.',
      },
      cursor: {
        type: 'string',
        minLength: 1,
        maxLength: DOCUMENT_BOUNDS.cursorLength,
        description: 'The `next_cursor` of the page before, for the page after it.',
      },
      include_relations: {
        type: 'boolean',
        description:
          'Give each document its relations. It has more where `relations_complete` is false: see doc_link, `list_of`.',
      },
    },
    [],
  ),
  parse: parseDocumentQuery,
};

/** Arguments of the tools that are about one document. */
export const REFERENCE_ARGUMENTS: ToolArguments<string> = {
  schema: toSchema(REFERENCE, ['document_id']),
  parse: parseDocumentReference,
};

function parsePush(input: unknown): Result<PushedDocument, InvalidArgument> {
  const { content, encoding, ...rest } = Object(input);
  const description = parseDescription(rest);
  if (!description.ok) return description;
  const bytes = parseContent(content, encoding);
  return bytes.ok ? ok({ description: description.value, content: bytes.value }) : bytes;
}

/** Content as a tool is given it: text, or bytes in base64 where `encoding` says so. */
export function parseContent(
  content: unknown,
  encoding: unknown = 'utf-8',
): Result<Uint8Array, InvalidArgument> {
  if (typeof content !== 'string' || !content.isWellFormed()) return refuse('content', 'must be text');
  if (encoding !== 'utf-8' && encoding !== 'base64') {
    return refuse('encoding', 'must be `utf-8` or `base64`');
  }
  const bytes = Buffer.from(content, encoding);
  // Node skips what is not base64; only text that comes back as it was is (RFC 4648 §4: padded, canonical).
  if (bytes.toString(encoding) !== content) return refuse('content', 'must be padded base64');
  if (bytes.length > MAX_DOCUMENT_BYTES) return refuse('content', 'must be at most 4 MiB');
  return ok(bytes);
}

/** The schema of an object of arguments that takes no others. */
export function toSchema(
  properties: Readonly<Record<string, unknown>>,
  required: readonly string[],
): Readonly<Record<string, unknown>> {
  return { type: 'object', properties, required, additionalProperties: false };
}
