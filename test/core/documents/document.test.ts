import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createDocument,
  isDocumentId,
  replaceContent,
  toDocumentId,
  toWireDeletion,
  toWireDocument,
} from '../../../functions/core/documents/document.ts';
import {
  DOCUMENT_BOUNDS,
  matchesQuery,
  parseDescription,
  parseDocumentQuery,
  parseDocumentReference,
  splitTags,
} from '../../../functions/core/documents/input.ts';
import {
  contentTypeOf,
  isContentType,
  statedContentType,
} from '../../../functions/core/documents/media-type.ts';

const refusedField = (result: {
  ok: boolean;
  error?: { field: string; message: string };
}): string | undefined => {
  if (result.error !== undefined) expect(result.error.message).toContain(`\`${result.error.field}\``);
  return result.error?.field;
};

describe('a description', () => {
  test('has defaults for all but the name', () => {
    expect(parseDescription({ filename: 'notes.md' })).toEqual({
      ok: true,
      value: { filename: 'notes.md', contentType: 'text/markdown', tags: [], metadata: new Map() },
    });
  });

  test('keeps what it is given, equal tags once', () => {
    const described = parseDescription({
      filename: 'größe "x"; y.bin',
      content_type: 'text/plain; charset=utf-8',
      tags: ['b', 'a', 'b'],
      metadata: JSON.parse('{"__proto__":"kept","author":""}'),
    });
    expect(described).toEqual({
      ok: true,
      value: {
        filename: 'größe "x"; y.bin',
        contentType: 'text/plain; charset=utf-8',
        tags: ['b', 'a'],
        metadata: new Map([
          ['__proto__', 'kept'],
          ['author', ''],
        ]),
      },
    });
  });

  const base = { filename: 'a.txt' };
  test.for<[string, unknown, string]>([
    ['nothing', undefined, 'arguments'],
    ['a list', [base], 'arguments'],
    ['a namespace', { ...base, namespace: 'other' }, 'namespace'],
    ['scope filters', { ...base, scope_filters: {} }, 'scope_filters'],
    ['an unknown member', { ...base, owner: 'me' }, 'owner'],
    ['no name', {}, 'filename'],
    ['a name that is no text', { filename: 7 }, 'filename'],
    ['an empty name', { filename: '' }, 'filename'],
    ['a blank name', { filename: '  ' }, 'filename'],
    ['a name with a line end', { filename: 'a\r\nX-Evil: 1' }, 'filename'],
    ['a name with half a character', { filename: '\ud800' }, 'filename'],
    ['a long name', { filename: 'a'.repeat(256) }, 'filename'],
    ['tags as text', { ...base, tags: 'a,b' }, 'tags'],
    ['a tag that is no text', { ...base, tags: [1] }, 'tags'],
    ['a tag with a comma', { ...base, tags: ['a,b'] }, 'tags'],
    ['a tag with blanks around it', { ...base, tags: [' a'] }, 'tags'],
    ['too many tags', { ...base, tags: Array.from({ length: 51 }, (_, index) => `t${index}`) }, 'tags'],
    ['metadata as a list', { ...base, metadata: [] }, 'metadata'],
    ['metadata that is null', { ...base, metadata: null }, 'metadata'],
    ['a metadata value that is no text', { ...base, metadata: { a: 1 } }, 'metadata'],
    ['a long metadata value', { ...base, metadata: { a: 'x'.repeat(2049) } }, 'metadata'],
    [
      'too much metadata',
      { ...base, metadata: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [i, 'x'.repeat(2000)])) },
      'metadata',
    ],
    [
      'too many metadata entries',
      { ...base, metadata: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [index, ''])) },
      'metadata',
    ],
    ['a content type that is a header', { ...base, content_type: 'text/plain\r\nX: 1' }, 'content_type'],
    ['a content type that is null', { ...base, content_type: null }, 'content_type'],
    ['no time to live', { ...base, ttl_seconds: 0 }, 'ttl_seconds'],
    ['more than ten years', { ...base, ttl_seconds: 315_360_001 }, 'ttl_seconds'],
  ])('is refused with the name of the field: %s', ([, input, field]) => {
    expect(refusedField(parseDescription(input))).toBe(field);
  });

  test('that is refused never shows its values', () => {
    const secret = 's3cr3t-value';
    const refused = [
      parseDescription({ filename: `${secret}\n` }),
      parseDescription({ filename: 'a', tags: [`${secret},`] }),
      parseDescription({ filename: 'a', metadata: { a: [secret] } }),
      parseDescription({ filename: 'a', scope_filters: { a: secret } }),
    ];
    expect(JSON.stringify(refused)).not.toContain(secret);
    expect(refused.every(({ ok }) => !ok)).toBe(true);
  });
});

test('whatever is given, a description is within its bounds or refused', () => {
  const anything = fc.record(
    {
      filename: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.anything()),
      tags: fc.oneof(fc.array(fc.string()), fc.anything()),
      metadata: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.anything()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anything, (input) => {
      const parsed = parseDescription(input);
      if (!parsed.ok) return;
      const { filename, contentType, tags, metadata } = parsed.value;
      expect(filename).toMatch(/^[^\p{Cc}]{1,255}$/u);
      expect(isContentType(contentType)).toBe(true);
      expect(new Set(tags).size).toBe(tags.length);
      expect(splitTags(tags.join(','))).toEqual(tags);
      expect([...metadata.values()].every((value) => typeof value === 'string')).toBe(true);
      expect(metadata.size).toBeLessThanOrEqual(DOCUMENT_BOUNDS.metadataEntries);
    }),
  );
});

describe('a query', () => {
  test('has defaults', () => {
    expect(parseDocumentQuery({})).toEqual({
      ok: true,
      value: { filename: undefined, tags: [], limit: 100, offset: 0, cursor: undefined },
    });
  });

  test.for<[string, unknown, string]>([
    ['a namespace', { namespace: 'a' }, 'namespace'],
    ['an unknown member', { q: 'a' }, 'q'],
    ['a limit of 0', { limit: 0 }, 'limit'],
    ['a limit of 101', { limit: 101 }, 'limit'],
    ['half a limit', { limit: 1.5 }, 'limit'],
    ['a limit as text', { limit: '10' }, 'limit'],
    ['an offset below 0', { offset: -1 }, 'offset'],
    ['an offset beyond the bound', { offset: 10_001 }, 'offset'],
    ['an offset and a cursor', { offset: 1, cursor: 'c' }, 'offset'],
    ['an empty cursor', { cursor: '' }, 'cursor'],
    ['an empty name', { filename: '' }, 'filename'],
  ])('is refused: %s', ([, input, field]) => {
    expect(refusedField(parseDocumentQuery(input))).toBe(field);
  });

  const document = {
    filename: 'Report-2026.md',
    contentType: 'text/markdown',
    tags: ['a', 'b'],
    metadata: new Map(),
  };
  test.for<[string, { filename?: string; tags?: string[] }, boolean]>([
    ['part of the name', { filename: 'port-20' }, true],
    ['part of the name in another case', { filename: 'REPORT' }, true],
    ['no pattern', { filename: 'R%2026*' }, false],
    ['all tags', { tags: ['b', 'a'] }, true],
    ['not some tags', { tags: ['a', 'c'] }, false],
    ['not part of a tag', { tags: [''] }, false],
    ['not the name alone where a tag is missing', { filename: 'Report', tags: ['c'] }, false],
  ])('matches %s', ([, query, expected]) => {
    expect(matchesQuery(document, { filename: query.filename, tags: query.tags ?? [] })).toBe(expected);
  });
});

test('a reference is one well-formed id and nothing else', () => {
  const id = `doc_${'0a'.repeat(12)}`;
  expect(parseDocumentReference({ document_id: id })).toEqual({ ok: true, value: id });
  for (const wrong of ['', 'doc_', id.toUpperCase(), `${id}0`, `${id}\n`, `doc_${'g'.repeat(24)}`, 7, [id]]) {
    expect(refusedField(parseDocumentReference({ document_id: wrong })), String(wrong)).toBe('document_id');
  }
  expect(refusedField(parseDocumentReference({ document_id: id, namespace: 'x' }))).toBe('namespace');
});

test('ids are well formed and sort by age', () => {
  const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
  const random = fc.uint8Array({ minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(seconds, seconds, random, random, (one, other, randomOne, randomOther) => {
      const ids = [toDocumentId(one, randomOne), toDocumentId(other, randomOther)] as const;
      expect(ids.every(isDocumentId)).toBe(true);
      if (one < other) expect(ids[0] < ids[1]).toBe(true);
    }),
  );
  expect(() => toDocumentId(0, new Uint8Array(7))).toThrow(RangeError);
});

describe('a new document', () => {
  const scope = {
    orgId: 'acme',
    namespace: 'proj',
    scopeFilters: new Map([['a', '1']]),
    permissions: 'write' as const,
  };
  const birth = { id: 'doc_000000000000000000000001', nowSeconds: 1_800_000_000, scope };
  const description = {
    filename: 'a.txt',
    contentType: 'text/plain',
    tags: ['t'],
    metadata: new Map([['__proto__', 'v']]),
  };

  test('lives in the scope of its creator and shows none of it', () => {
    const document = createDocument(description, new TextEncoder().encode('abc'), birth);
    expect(document.scope).toEqual({ orgId: 'acme', namespace: 'proj', scopeFilters: scope.scopeFilters });
    const wire = toWireDocument(document, 'https://gate.example/context');
    expect(JSON.parse(JSON.stringify(wire))).toEqual({
      id: birth.id,
      filename: 'a.txt',
      content_type: 'text/plain',
      size_bytes: 3,
      checksum: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      created_at: '2027-01-15T08:00:00.000Z',
      updated_at: '2027-01-15T08:00:00.000Z',
      expires_at: null,
      version: 1,
      tags: ['t'],
      metadata: JSON.parse('{"__proto__":"v"}'),
      url: `https://gate.example/context/documents/${birth.id}`,
    });
  });

  test('may end, and with other content is its next version and the same otherwise', () => {
    const document = createDocument({ ...description, ttlSeconds: 60 }, null, birth);
    expect(document).not.toHaveProperty('ttlSeconds');
    expect(toWireDocument(document, 'https://gate.example/context').expires_at).toBe(
      '2027-01-15T08:01:00.000Z',
    );
    const next = replaceContent(document, new TextEncoder().encode('abc'), birth.nowSeconds + 5);
    expect(next).toEqual({
      ...document,
      version: 2,
      sizeBytes: 3,
      checksum: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      updatedAtSeconds: birth.nowSeconds + 5,
    });
    expect(replaceContent(next, new Uint8Array(), 7).updatedAtSeconds).toBe(next.updatedAtSeconds);
  });

  test('without content has no checksum; with empty content it has one', () => {
    expect(createDocument(description, null, birth)).toMatchObject({ sizeBytes: 0, checksum: null });
    expect(createDocument(description, new Uint8Array(), birth)).toMatchObject({
      sizeBytes: 0,
      checksum: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    });
  });
});

test.for([
  ['text/plain', true],
  ['application/vnd.api+json; charset="utf-8"', true],
  ['text', false],
  ['text/', false],
  ['text/plain;', false],
  ['text/plain; a="b\r\nc"', false],
  ['text/plain, text/html', false],
  [`a/${'b'.repeat(254)}`, false],
] as const)('media type %s: %s', ([value, expected]) => {
  expect(isContentType(value)).toBe(expected);
});

test('a content type that says nothing follows from the name', () => {
  expect(contentTypeOf('A.JSON')).toBe('application/json');
  expect(contentTypeOf('Makefile')).toBe('application/octet-stream');
  expect(statedContentType('', 'a.csv')).toBe('text/csv');
  expect(statedContentType('application/octet-stream', 'a.csv')).toBe('text/csv');
  expect(statedContentType('text/x-mine', 'a.csv')).toBe('text/x-mine');
});

test('a description says how long a document lives where it is given', () => {
  expect(parseDescription({ filename: 'a', ttl_seconds: 60 })).toMatchObject({ value: { ttlSeconds: 60 } });
});

test.for<readonly [Readonly<Record<string, unknown>>, unknown]>([
  [{}, { limit: 100, offset: 0, cursor: undefined, tags: [], filename: undefined }],
  [{ include_relations: true }, { includeRelations: true }],
  [{ include_relations: 'yes' }, 'include_relations'],
  [{ filename: 'n'.repeat(256) }, 'filename'],
  [{ filename: '' }, 'filename'],
  [{ namespace: 'other' }, 'namespace'],
  [{ tags: 'a' }, 'tags'],
  [{ cursor: 'c'.repeat(4_097) }, 'cursor'],
])('a list that is asked for by %.60j', ([input, expected]) => {
  const parsed = parseDocumentQuery(input);
  if (parsed.ok) expect(parsed.value).toMatchObject(Object(expected));
  else expect(refusedField(parsed)).toBe(expected);
});

test('a delete says what went, one or several', () => {
  expect(toWireDeletion(['a'])).toEqual({
    success: true,
    message: 'deleted 1 document',
    deleted_document_ids: ['a'],
  });
  expect(toWireDeletion(['a', 'b']).message).toBe('deleted 2 documents');
});
