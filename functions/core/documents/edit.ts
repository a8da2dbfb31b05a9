import { ok, type Result } from '../result.ts';
import { DOCUMENT_BOUNDS, type InvalidArgument, isIntegerIn, parseFields, refuse } from './input.ts';
import { byteOffset, countCharacters } from './parts.ts';

/** One surgical edit of a text. Offsets and lengths count characters (Unicode code points). */
export type Edit =
  | {
      readonly mode: 'string';
      readonly oldString: string;
      readonly newString: string;
      readonly replaceAll: boolean;
    }
  | {
      readonly mode: 'offset';
      readonly offset: number;
      readonly length: number;
      readonly newString: string;
    };

/** What an edit did, as it is answered (formats §1.0.7). `offset` and lengths are characters. */
export type EditOutcome =
  | { readonly replacements_made: number }
  | {
      readonly edit_range: {
        readonly offset: number;
        readonly old_length: number;
        readonly new_length: number;
      };
    };

/** An edited text: all of it, and which bytes of the old one it replaces by how many new ones. */
export type EditedText = {
  readonly content: Uint8Array;
  readonly startByte: number;
  readonly endByte: number;
  readonly newBytes: number;
  readonly outcome: EditOutcome;
};

/** The members of an edit. */
export const EDIT_FIELDS = ['old_string', 'new_string', 'replace_all', 'offset', 'length'] as const;

/**
 * Parses `{old_string, new_string, replace_all?}` or `{offset, length?, new_string}`; `length` is 0 where it is left out, an insertion.
 * Refuses a mix of the two and neither. Does NOT know the text.
 */
export function parseEdit(
  fields: Readonly<Partial<Record<(typeof EDIT_FIELDS)[number], unknown>>>,
): Result<Edit, InvalidArgument> {
  const { old_string: oldString, new_string: newString, replace_all: replaceAll, offset, length } = fields;
  const isStringMode = oldString !== undefined || replaceAll !== undefined;
  const isOffsetMode = offset !== undefined || length !== undefined;
  if (isStringMode && isOffsetMode) return refuse('offset', 'cannot be mixed with `old_string`');
  if (!isStringMode && !isOffsetMode) {
    return refuse('old_string', 'or `offset` is required: it says what to replace');
  }
  if (newString === undefined) return refuse('new_string', 'is required');
  if (typeof newString !== 'string' || !newString.isWellFormed()) return refuse('new_string', 'must be text');
  if (isOffsetMode) {
    if (!isIntegerIn(offset, 0, DOCUMENT_BOUNDS.characters))
      return refuse('offset', 'must be a whole number from 0');
    if (length !== undefined && !isIntegerIn(length, 0, DOCUMENT_BOUNDS.characters)) {
      return refuse('length', 'must be a whole number from 0');
    }
    return ok({ mode: 'offset', offset, length: length ?? 0, newString });
  }
  if (typeof oldString !== 'string' || !oldString.isWellFormed() || oldString === '') {
    return refuse('old_string', 'must be text that is not empty');
  }
  if (replaceAll !== undefined && typeof replaceAll !== 'boolean') {
    return refuse('replace_all', 'must be true or false');
  }
  return ok({ mode: 'string', oldString, newString, replaceAll: replaceAll ?? false });
}

/** Parses a request that is an edit and nothing else. */
export function parseEditRequest(input: unknown): Result<Edit, InvalidArgument> {
  const fields = parseFields(input, EDIT_FIELDS);
  return fields.ok ? parseEdit(fields.value) : fields;
}

/** Applies an edit to UTF-8 text. Does NOT check the size of what comes out. */
export function applyEdit(text: Uint8Array, edit: Edit): Result<EditedText, InvalidArgument> {
  return edit.mode === 'string' ? replaceStrings(text, edit) : replaceRange(text, edit);
}

function replaceStrings(
  text: Uint8Array,
  { oldString, newString, replaceAll }: Extract<Edit, { mode: 'string' }>,
): Result<EditedText, InvalidArgument> {
  const haystack = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const needle = Buffer.from(oldString);
  const replacement = Buffer.from(newString);
  const found: number[] = [];
  // UTF-8 synchronises itself: no match of whole characters starts inside another character.
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + needle.length)) {
    found.push(at);
  }
  const [startByte] = found;
  if (startByte === undefined) return refuse('old_string', 'was not found in the text');
  if (found.length > 1 && !replaceAll) {
    const cure = 'make it longer, or set `replace_all`';
    return refuse('old_string', `matches ${found.length} times in the text; ${cure}`);
  }
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const start of found) {
    pieces.push(haystack.subarray(at, start), replacement);
    at = start + needle.length;
  }
  const endByte = at;
  pieces.push(haystack.subarray(endByte));
  const content = Buffer.concat(pieces);
  const newBytes = endByte - startByte + content.length - text.length;
  return ok({ content, startByte, endByte, newBytes, outcome: { replacements_made: found.length } });
}

function replaceRange(
  text: Uint8Array,
  { offset, length, newString }: Extract<Edit, { mode: 'offset' }>,
): Result<EditedText, InvalidArgument> {
  const total = charactersIn(text);
  if (offset > total || offset + length > total) {
    return refuse('offset', `and \`length\` are out of bounds: the text has ${total} characters`);
  }
  const startByte = byteOffset(text, offset);
  const endByte = byteOffset(text, length, startByte);
  const replacement = Buffer.from(newString);
  const content = Buffer.concat([text.subarray(0, startByte), replacement, text.subarray(endByte)]);
  const new_length = charactersIn(replacement);
  return ok({
    content,
    startByte,
    endByte,
    newBytes: replacement.length,
    outcome: { edit_range: { offset, old_length: length, new_length } },
  });
}

/** None in bytes that are no text: there is nothing to edit in them. */
function charactersIn(text: Uint8Array): number {
  return countCharacters(text) ?? 0;
}
