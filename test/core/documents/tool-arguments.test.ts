import { describe, expect, test } from 'vitest';
import { PUSH_ARGUMENTS, parseContent } from '../../../functions/core/documents/arguments.ts';
import {
  EDIT_ARGUMENTS,
  READ_ARGUMENTS,
  WRITE_ARGUMENTS,
} from '../../../functions/core/documents/content-arguments.ts';
import type { InvalidArgument } from '../../../functions/core/documents/input.ts';
import type { Result } from '../../../functions/core/result.ts';

const document_id = `doc_${'a'.repeat(24)}`;
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What the arguments mean, with bytes as text; or the field that is wrong. */
function read<T>(parsed: Result<T, InvalidArgument>): unknown {
  if (!parsed.ok) return parsed.error.field;
  const isContent = typeof parsed.value === 'object' && parsed.value !== null && 'content' in parsed.value;
  return isContent
    ? { ...parsed.value, content: Buffer.from(Object(parsed.value.content)).toString() }
    : parsed.value;
}

describe('content that a tool is given', () => {
  test.for<readonly [unknown, unknown, unknown]>([
    ['größe', undefined, bytesOf('größe')],
    ['größe', 'utf-8', bytesOf('größe')],
    ['', undefined, bytesOf('')],
    ['/+8=', 'base64', new Uint8Array([0xff, 0xef])],
    ['_-8=', 'base64', 'content'],
    ['/+8', 'base64', 'content'],
    ['/+9=', 'base64', 'content'],
    ['a', 'hex', 'encoding'],
    ['a', null, 'encoding'],
    [7, undefined, 'content'],
    ['\ud800', undefined, 'content'],
    ['a'.repeat(4_194_305), undefined, 'content'],
  ])('%.20j as %j', ([content, encoding, expected]) => {
    const parsed = parseContent(content, encoding);
    expect(parsed.ok ? new Uint8Array(parsed.value) : parsed.error.field).toEqual(expected);
  });
});

test.for<readonly [object, unknown]>([
  [{ filename: 'a.txt', content: 'x' }, { description: expect.objectContaining({ filename: 'a.txt' }) }],
  [{ filename: '', content: 'x' }, 'filename'],
  [{ filename: 'a.txt', content: 7 }, 'content'],
])('what is pushed as %j', ([input, expected]) => {
  const pushed = read(PUSH_ARGUMENTS.parse(input));
  if (typeof expected === 'string') expect(pushed).toBe(expected);
  else expect(pushed).toMatchObject(expected ?? {});
});

test.for<readonly [unknown, unknown]>([
  [{ document_id }, { id: document_id, range: undefined }],
  [
    { document_id, offset: 2, limit: 3 },
    { id: document_id, range: { offset: 2, limit: 3 } },
  ],
  [{ document_id, namespace: 'other' }, 'namespace'],
  [{ document_id: 'doc_1' }, 'document_id'],
  [{ document_id, offset: -1 }, 'offset'],
])('what is read as %j', ([input, expected]) => {
  expect(read(READ_ARGUMENTS.parse(input))).toEqual(expected);
});

test.for<readonly [unknown, unknown]>([
  [
    { document_id, content: 'x' },
    { id: document_id, content: 'x', precondition: '*' },
  ],
  [
    { document_id, content: 'eA==', encoding: 'base64', expected_version: 3 },
    { id: document_id, content: 'x', precondition: new Set([3]) },
  ],
  [[], 'arguments'],
  [{ document_id: 7, content: 'x' }, 'document_id'],
  [{ document_id }, 'content'],
  [{ document_id, content: 'x', expected_version: 0 }, 'expected_version'],
])('what is written as %j', ([input, expected]) => {
  expect(read(WRITE_ARGUMENTS.parse(input))).toEqual(expected);
});

const appended = { mode: 'offset', offset: 0, length: 0, newString: 'x' };
test.for<readonly [unknown, unknown]>([
  [
    { document_id, offset: 0, new_string: 'x' },
    { id: document_id, edit: appended, precondition: '*' },
  ],
  [
    { document_id, offset: 0, new_string: 'x', expected_version: 1 },
    { id: document_id, edit: appended, precondition: new Set([1]) },
  ],
  [{ document_id, new_string: 'x', text: 'y' }, 'text'],
  [{ new_string: 'x', offset: 0 }, 'document_id'],
  [{ document_id, new_string: 'x' }, 'old_string'],
  [{ document_id, offset: 0, new_string: 'x', expected_version: '1' }, 'expected_version'],
])('what is edited as %j', ([input, expected]) => {
  expect(read(EDIT_ARGUMENTS.parse(input))).toEqual(expected);
});
