import { ok, type Result } from '../result.ts';
import { parseContent, REFERENCE, type ToolArguments, toSchema } from './arguments.ts';
import { EDIT_FIELDS, type Edit, parseEdit } from './edit.ts';
import {
  DOCUMENT_BOUNDS,
  type InvalidArgument,
  isIntegerIn,
  parseDocumentReference,
  parseFields,
  refuse,
} from './input.ts';
import type { Precondition } from './precondition.ts';
import { type CharacterRange, parseRange } from './range.ts';

/** A document of which a part may be meant. */
export type ReadRequest = { readonly id: string; readonly range: CharacterRange | undefined };

/** New content for a document. */
export type WriteRequest = {
  readonly id: string;
  readonly content: Uint8Array;
  readonly precondition: Precondition;
};

/** An edit of a document. */
export type EditRequest = { readonly id: string; readonly edit: Edit; readonly precondition: Precondition };

const EXPECTED_VERSION = {
  expected_version: {
    type: 'integer',
    minimum: 1,
    description: 'Refuse where the document is of another version than this by now.',
  },
} as const;

const CHARACTERS = { type: 'integer', minimum: 0, maximum: DOCUMENT_BOUNDS.characters } as const;

/** Arguments of `doc_read`. */
export const READ_ARGUMENTS: ToolArguments<ReadRequest> = {
  schema: toSchema(
    {
      ...REFERENCE,
      offset: { ...CHARACTERS, description: 'First character (Unicode code point) to read, from 0.' },
      limit: { ...CHARACTERS, minimum: 1, description: 'Most characters to read.' },
    },
    ['document_id'],
  ),
  parse: parseReadRequest,
};

/** Arguments of `doc_write`. */
export const WRITE_ARGUMENTS: ToolArguments<WriteRequest> = {
  schema: toSchema(
    {
      ...REFERENCE,
      content: { type: 'string', description: 'The new content: text as it is, or bytes in base64.' },
      encoding: {
        type: 'string',
        enum: ['utf-8', 'base64'],
        description: 'How `content` is written. `utf-8`, the default, is text as it is.',
      },
      ...EXPECTED_VERSION,
    },
    ['document_id', 'content'],
  ),
  parse: parseWriteRequest,
};

/** Arguments of `doc_edit`. */
export const EDIT_ARGUMENTS: ToolArguments<EditRequest> = {
  schema: toSchema(
    {
      ...REFERENCE,
      old_string: {
        type: 'string',
        minLength: 1,
        description: 'Text to replace. It must be in the document exactly once, unless `replace_all` is set.',
      },
      new_string: { type: 'string', description: 'What to put in its place.' },
      replace_all: { type: 'boolean', description: 'Replace every occurrence of `old_string`.' },
      offset: {
        ...CHARACTERS,
        description: 'Instead of `old_string`: the first character (Unicode code point) to replace, from 0.',
      },
      length: { ...CHARACTERS, description: 'With `offset`: how many characters to replace, 0 by default.' },
      ...EXPECTED_VERSION,
    },
    ['document_id', 'new_string'],
  ),
  parse: parseEditArguments,
};

function parseReadRequest(input: unknown): Result<ReadRequest, InvalidArgument> {
  const fields = parseFields(input, ['document_id', 'offset', 'limit']);
  if (!fields.ok) return fields;
  const id = parseDocumentReference({ document_id: fields.value.document_id });
  if (!id.ok) return id;
  const range = parseRange(fields.value);
  return range.ok ? ok({ id: id.value, range: range.value }) : range;
}

function parseWriteRequest(input: unknown): Result<WriteRequest, InvalidArgument> {
  const fields = parseFields(input, ['document_id', 'content', 'encoding', 'expected_version']);
  if (!fields.ok) return fields;
  const id = parseDocumentReference({ document_id: fields.value.document_id });
  if (!id.ok) return id;
  const content = parseContent(fields.value.content, fields.value.encoding);
  if (!content.ok) return content;
  const precondition = parseExpectedVersion(fields.value.expected_version);
  if (!precondition.ok) return precondition;
  return ok({ id: id.value, content: content.value, precondition: precondition.value });
}

function parseEditArguments(input: unknown): Result<EditRequest, InvalidArgument> {
  const fields = parseFields(input, ['document_id', ...EDIT_FIELDS, 'expected_version']);
  if (!fields.ok) return fields;
  const id = parseDocumentReference({ document_id: fields.value.document_id });
  if (!id.ok) return id;
  const edit = parseEdit(fields.value);
  if (!edit.ok) return edit;
  const precondition = parseExpectedVersion(fields.value.expected_version);
  if (!precondition.ok) return precondition;
  return ok({ id: id.value, edit: edit.value, precondition: precondition.value });
}

function parseExpectedVersion(value: unknown): Result<Precondition, InvalidArgument> {
  if (value === undefined) return ok('*');
  if (isIntegerIn(value, 1, Number.MAX_SAFE_INTEGER)) return ok(new Set([value]));
  return refuse('expected_version', 'must be a whole number from 1');
}
