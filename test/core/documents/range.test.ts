import { describe, expect, test } from 'vitest';
import { createDocument, type Document } from '../../../functions/core/documents/document.ts';
import { DOCUMENT_BOUNDS } from '../../../functions/core/documents/input.ts';
import {
  checkVersion,
  isKnown,
  parsePrecondition,
  toEntityTag,
} from '../../../functions/core/documents/precondition.ts';
import { boundRange, cutCharacters, parseRange } from '../../../functions/core/documents/range.ts';

describe('a range of characters', () => {
  test.for<[object, unknown]>([
    [{}, undefined],
    [{ offset: 3 }, { offset: 3, limit: undefined }],
    [{ limit: 3 }, { offset: 0, limit: 3 }],
    [
      { offset: 0, limit: 1 },
      { offset: 0, limit: 1 },
    ],
  ])('of %j', ([input, expected]) => {
    expect(parseRange(input)).toEqual({ ok: true, value: expected });
  });

  test.for<[object, string]>([
    [{ offset: -1 }, 'offset'],
    [{ offset: Number.NaN }, 'offset'],
    [{ offset: DOCUMENT_BOUNDS.characters + 1 }, 'offset'],
    [{ limit: 0 }, 'limit'],
    [{ offset: 0, limit: '3' }, 'limit'],
  ])('is refused: %j', ([input, field]) => {
    expect(parseRange(input)).toMatchObject({ ok: false, error: { field } });
  });

  test.for<[number, number | undefined, unknown]>([
    [0, undefined, { startChar: 0, endChar: 5 }],
    [2, 2, { startChar: 2, endChar: 4 }],
    [2, 99, { startChar: 2, endChar: 5 }],
    [5, 1, { startChar: 5, endChar: 5 }],
  ])('from %i, %s of them, of five', ([offset, limit, expected]) => {
    expect(boundRange({ offset, limit }, 5)).toEqual({ ok: true, value: expected });
  });

  test('that starts beyond the end is none', () => {
    const error = { reason: 'range_beyond_end', totalChars: 5 };
    expect(boundRange({ offset: 6, limit: 1 }, 5)).toEqual({ ok: false, error });
  });

  test('is cut between characters', () => {
    const text = new TextEncoder().encode('a😀ß語');
    expect(Buffer.from(cutCharacters(text, 1, 2)).toString()).toBe('😀ß');
  });
});

describe('a precondition', () => {
  const parseIfMatch = (ifMatch: string | undefined) =>
    parsePrecondition({ ifMatch, ifNoneMatch: undefined });
  const aDocument = (version: number, changes: Partial<Document> = {}): Document => ({
    ...createDocument(
      { filename: 'a', contentType: 'text/plain', tags: ['x'], metadata: new Map([['k', 'v']]) },
      Buffer.from('content'),
      {
        id: 'doc_000000000000000000000000',
        nowSeconds: 1,
        scope: { orgId: 'acme', namespace: 'proj', scopeFilters: new Map(), permissions: 'write' },
      },
    ),
    version,
    ...changes,
  });
  const own = toEntityTag(aDocument(7));

  test.for<[string | undefined, number, boolean]>([
    [undefined, 7, true],
    ['*', 7, true],
    ['"7"', 7, true],
    ['"7"', 8, false],
    ['"6", "7"', 7, true],
    ['"7",', 7, true],
    [', ,"6" ,, "7"', 7, true],
    [`"a,b", ${own}`, 7, true],
    ['W/"7"', 7, false],
    ['"07"', 7, false],
    ['""', 7, false],
    ['"abc"', 7, false],
    [own, 7, true],
    [`"1", ${own}`, 7, true],
    [own, 8, false],
    [`W/${own}`, 7, false],
    ['"7-0"', 7, false],
    ['"7-"', 7, false],
    [own.toUpperCase(), 7, false],
  ])('If-Match %s on version %i', ([header, version, expected]) => {
    const precondition = parseIfMatch(header);
    if (!precondition.ok) throw new Error(precondition.error.message);
    expect(checkVersion(precondition.value, aDocument(version)).ok).toBe(expected);
  });

  test.for([
    '7',
    '"7',
    ',',
    '',
    'W/7',
    '"a b"',
    '"6""7"',
    '"6" "7"',
    '"7", *',
    'x"7"',
    Array.from({ length: 21 }, () => '"1"').join(),
  ])('is refused where it is no list of entity tags: %s', (header) => {
    expect(parseIfMatch(header)).toMatchObject({ ok: false, error: { field: 'If-Match' } });
  });

  test('is refused where a write names what must not be there: each is of what is', () => {
    for (const ifNoneMatch of ['*', own]) {
      const precondition = parsePrecondition({ ifMatch: own, ifNoneMatch });
      expect(precondition).toMatchObject({ ok: false, error: { field: 'If-None-Match' } });
    }
  });

  test.for<[string | undefined, boolean]>([
    [undefined, false],
    ['*', true],
    [`"a,b",, ${own}`, true],
    [own, true],
    [`W/${own}`, true],
    [`"6",${own}`, true],
    [`${Array.from({ length: 20 }, () => '"1"').join()},${own}`, false],
    ['"7"', false],
    ['"6"', false],
    ['7', false],
    [own.slice(1, -1), false],
  ])('If-None-Match %s on version 7', ([header, expected]) => {
    expect(isKnown(header, aDocument(7))).toBe(expected);
  });

  test.for<[string, Partial<Document>]>([
    ['content', { checksum: 'f'.repeat(64) }],
    ['no content', { checksum: null, sizeBytes: 0 }],
    ['another name', { filename: 'b' }],
    ['other tags', { tags: [] }],
    ['other metadata', { metadata: new Map([['k', 'w']]) }],
    ['another lifetime', { expiresAtSeconds: 2 }],
  ])('a document that comes again with its version and %s is another one', ([, changes]) => {
    const next = aDocument(7, changes);
    const precondition = parseIfMatch(own);
    expect(isKnown(own, next)).toBe(false);
    expect(precondition.ok && checkVersion(precondition.value, next).ok).toBe(false);
  });

  test('has a tag that tells nothing of filters, and none of the order in which a table has metadata', () => {
    const scope = { orgId: 'acme', namespace: 'proj', scopeFilters: new Map([['run', '1']]) };
    expect(toEntityTag(aDocument(7, { scope }))).toBe(own);
    const pairs: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
    ];
    const [one, other] = [pairs, pairs.toReversed()].map((metadata) =>
      toEntityTag(aDocument(7, { metadata: new Map(metadata) })),
    );
    expect(one).toBe(other);
    expect(own).toMatch(/^"7-[0-9a-f]{32}"$/);
  });
});
