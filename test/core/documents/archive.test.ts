import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  documentLine,
  endLine,
  headerLine,
  isSameDocument,
  relationLine,
  restoreDocument,
  toRestoredId,
} from '../../../functions/core/documents/archive.ts';
import { MAX_LINES, parseArchive, toLines } from '../../../functions/core/documents/archive-lines.ts';
import { createDocument, type Document, sha256 } from '../../../functions/core/documents/document.ts';
import { findDefinition, type Relation, toRelationId } from '../../../functions/core/documents/relation.ts';
import { contextCaller, NOW_SECONDS } from '../../support/context-callers.ts';

const ID = `doc_${'0'.repeat(23)}1`;
/** A caller of the whole namespace. */
const WHOLE = contextCaller();
const OTHER = `doc_${'0'.repeat(23)}2`;

function documentOf(content: Uint8Array | null, changes: Partial<Document> = {}): Document {
  const description = {
    filename: 'a.txt',
    contentType: 'text/plain',
    tags: ['x'],
    metadata: new Map([['__proto__', 'odd']]),
  };
  const scope = contextCaller({ scopeFilters: { run: 'r-1' } });
  return {
    ...createDocument(description, content, { id: ID, nowSeconds: NOW_SECONDS, scope }),
    ...changes,
  };
}

function relationOf(name: string): Relation {
  const definition = findDefinition(name);
  if (definition === undefined) throw new Error('malformed test');
  const relation = { definition, fromId: ID, toId: OTHER, fromToNote: 'there', toFromNote: null };
  return { ...relation, id: toRelationId(relation), createdAtSeconds: NOW_SECONDS };
}

/** What is read back from lines as text. */
function parse(...lines: readonly (string | object)[]) {
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  return parseArchive(
    texts.map((text) => Buffer.from(text)),
    (bytes) => {
      try {
        return JSON.parse(Buffer.from(bytes).toString('utf8'));
      } catch {
        return undefined;
      }
    },
  );
}

describe('an archive', () => {
  test('of any content says what it was made of', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.string({ unit: 'binary', maxLength: 100 }).map((text) => new Uint8Array(Buffer.from(text))),
        ),
        (content) => {
          const document = documentOf(content);
          const parsed = parse(headerLine(), documentLine(document, content, WHOLE), endLine(1, 0, null));
          if (!parsed.ok) throw new Error(parsed.error.message);
          const [entry] = parsed.value;
          if (entry?.type !== 'document') throw new Error('no document');
          expect(entry.line).toBe(2);
          expect(Buffer.from(entry.document.content ?? [])).toEqual(Buffer.from(content));
          const restored = restoreDocument(entry.document, contextCaller(), {
            id: ID,
            latestEndSeconds: NOW_SECONDS,
          });
          expect(restored).toEqual(document);
        },
      ),
    );
  });

  test('has text as it is, and bytes and text of many escapes in base64', () => {
    const encodingOf = (content: Uint8Array) => JSON.parse(documentLine(documentOf(content), content, WHOLE));
    expect(encodingOf(Buffer.from('größe'))).toMatchObject({ encoding: 'utf-8', content: 'größe' });
    expect(encodingOf(Buffer.from([0xff]))).toMatchObject({ encoding: 'base64', content: '/w==' });
    expect(encodingOf(Buffer.alloc(100))).toMatchObject({ encoding: 'base64' });
    expect(encodingOf(new Uint8Array())).toMatchObject({ encoding: 'utf-8', content: '' });
  });

  test('has no line separator as it is, and text that is all of them in base64', () => {
    const text = `a\u2028\u2029b ${'plain '.repeat(20)}`;
    const line = documentLine(documentOf(Buffer.from(text)), Buffer.from(text), WHOLE);
    expect(line).toMatch(/^[^\u2028\u2029]*a\\u2028\\u2029b/);
    expect(JSON.parse(line).content).toBe(text);
    const separators = Buffer.from('\u2028'.repeat(100));
    expect(documentLine(documentOf(separators), separators, WHOLE)).toContain('"encoding":"base64"');
  });

  test('has placeholders, ends and relations', () => {
    const placeholder = documentOf(null, { expiresAtSeconds: NOW_SECONDS + 60 });
    const parsed = parse(
      headerLine(),
      documentLine(placeholder, new Uint8Array(), WHOLE),
      relationLine(relationOf('parent-child')),
      endLine(1, 1, ID),
      headerLine(),
    );
    expect(parsed).toMatchObject({
      ok: true,
      value: [
        { type: 'document', document: { content: null, expiresAtSeconds: NOW_SECONDS + 60 } },
        { type: 'relation', relation: relationOf('parent-child') },
      ],
    });
  });

  test.for<readonly [Record<string, string>, Record<string, string>]>([
    [{}, { run: 'r-1', customer: 'c' }],
    [{ run: 'r-1' }, { run: 'r-1' }],
    [
      { customer: 'c', run: 'r-1' },
      { run: 'r-1', customer: 'c' },
    ],
  ])('tells a caller with filters %j of those of a document %j', ([scopeFilters, told]) => {
    const scope = contextCaller({ scopeFilters: { run: 'r-1', customer: 'c' } });
    const line = documentLine(documentOf(null, { scope }), new Uint8Array(), contextCaller({ scopeFilters }));
    expect(JSON.parse(line).filters).toEqual(told);
    const open = documentLine(documentOf(null, { scope: WHOLE }), new Uint8Array(), scope);
    expect(JSON.parse(open).filters).toEqual({});
  });

  test.for([
    [7, 7],
    [999_999_999, 999_999_999],
    [1_000_000_000, 999_999_999],
    [Number.MAX_SAFE_INTEGER, 999_999_999],
  ] as const)('with version %i is read as one of version %i', ([version, read]) => {
    const line = documentLine(documentOf(null, { version }), new Uint8Array(), WHOLE);
    expect(parse(headerLine(), line)).toMatchObject({ ok: true, value: [{ document: { version: read } }] });
  });

  const good = JSON.parse(documentLine(documentOf(Buffer.from('abc')), Buffer.from('abc'), WHOLE));
  const related = JSON.parse(relationLine(relationOf('related')));

  test.for<readonly [string, object | string, string]>([
    ['no JSON', '{', 'type'],
    ['null', 'null', 'type'],
    ['another type', { type: 'user' }, 'type'],
    ['an unknown member', { ...good, owner: 'x' }, 'owner'],
    ['a namespace', { ...good, namespace: 'x' }, 'namespace'],
    ['an id that is none', { ...good, id: 'doc_1' }, 'id'],
    ['an id that is a number', { ...good, id: 1 }, 'id'],
    ['a version below 1', { ...good, version: 0 }, 'version'],
    ['a version beyond what is a whole number', { ...good, version: 2 ** 53 }, 'version'],
    ['no filename', { ...good, filename: undefined }, 'filename'],
    ['filters that are a list', { ...good, filters: [] }, 'filters'],
    ['filters that are null', { ...good, filters: null }, 'filters'],
    ['no filters', { ...good, filters: undefined }, 'filters'],
    ['filters that are no texts', { ...good, filters: { run: 1 } }, 'filters'],
    ['another size', { ...good, size_bytes: 4 }, 'size_bytes'],
    ['another checksum', { ...good, checksum: sha256('abd') }, 'checksum'],
    ['no checksum for content', { ...good, checksum: null }, 'checksum'],
    ['no checksum for an encoding', { ...good, checksum: null, content: undefined }, 'checksum'],
    ['no content', { ...good, content: undefined }, 'content'],
    [
      'a placeholder with a size',
      { ...good, checksum: null, content: undefined, encoding: undefined },
      'size_bytes',
    ],
    ['content in an unknown encoding', { ...good, encoding: 'hex' }, 'encoding'],
    ['content beyond the bound', { ...good, content: 'x'.repeat(4_194_305) }, 'content'],
    ['a birth that is no time', { ...good, created_at: 'today' }, 'created_at'],
    ['a birth that is a number', { ...good, created_at: 0 }, 'created_at'],
    ['an update on no day', { ...good, updated_at: '2026-13-01T00:00:00Z' }, 'updated_at'],
    ['an end that is missing', { ...good, expires_at: undefined }, 'expires_at'],
    ['a relation of no kind', { ...related, definition: 'friend' }, 'definition'],
    ['a relation to itself', { ...related, to_document_id: ID }, 'to_document_id'],
    ['a relation with another member', { ...related, weight: 1 }, 'weight'],
    ['a relation without a birth', { ...related, created_at: null }, 'created_at'],
    ['a second header of another format', { type: 'archive', format: 'tar', version: 1 }, 'format'],
    ['a header of another version', { type: 'archive', format: 'sallyport-context', version: 2 }, 'version'],
  ])('with %s is refused, by its line', ([, line, field]) => {
    const parsed = parse(headerLine(), good, line);
    expect(parsed).toMatchObject({ ok: false, error: { field: 'line 3' } });
    expect(!parsed.ok && parsed.error.message).toContain(`\`${field}\``);
  });

  test('without lines, a header or a bound is refused', () => {
    expect(parse()).toMatchObject({ ok: false, error: { field: 'body' } });
    expect(parse(good)).toMatchObject({ ok: false, error: { field: 'line 1' } });
    const many = Array.from({ length: MAX_LINES + 1 }, () => headerLine());
    expect(parse(...many)).toMatchObject({ ok: false, error: { field: 'body' } });
    expect(parse(...many.slice(1))).toEqual({ ok: true, value: [] });
  });
});

test('a text is split at line feeds alone, and no further than shows that it has too many lines', () => {
  const splits = (text: string) => toLines(Buffer.from(text)).map((line) => Buffer.from(line).toString());
  expect(splits('')).toEqual([]);
  expect(splits('a\n\nb\u2028\r c')).toEqual(['a', '', 'b\u2028\r c']);
  expect(splits('a\n')).toEqual(['a']);
  expect(splits('\n'.repeat(MAX_LINES))).toHaveLength(MAX_LINES);
  expect(splits('\n'.repeat(100 * MAX_LINES))).toHaveLength(MAX_LINES + 1);
});

describe('a document that is restored', () => {
  const archived = (filters: Record<string, string>, expiresAtSeconds: number | null = null) => {
    const { scope: _scope, sizeBytes: _size, checksum: _checksum, ...rest } = documentOf(null);
    return { ...rest, expiresAtSeconds, content: null, filters: new Map(Object.entries(filters)) };
  };
  const birth = { id: OTHER, latestEndSeconds: NOW_SECONDS + 100 };

  test.for<readonly [Record<string, string>, Record<string, string>, Record<string, string>]>([
    [{}, {}, {}],
    [{ run: '1' }, {}, { run: '1' }],
    [{}, { run: '2' }, { run: '2' }],
    [{ run: '1', agent: 'a' }, { run: '2' }, { run: '2' }],
    [{ run: '1' }, { run: '1', agent: 'a' }, { run: '1', agent: 'a' }],
  ])('with filters %j is in scope of the caller’s %j', ([filters, scopeFilters, expected]) => {
    const caller = contextCaller({ namespace: 'other', scopeFilters });
    const { scope, id } = restoreDocument(archived(filters), caller, birth);
    expect(id).toBe(OTHER);
    expect(scope).toEqual({
      orgId: 'acme',
      namespace: 'other',
      scopeFilters: new Map(Object.entries(expected)),
    });
  });

  test('lives as long as it was to live, and no longer than it may', () => {
    const endOf = (end: number | null) =>
      restoreDocument(archived({}, end), contextCaller(), birth).expiresAtSeconds;
    expect(endOf(null)).toBe(null);
    expect(endOf(NOW_SECONDS + 99)).toBe(NOW_SECONDS + 99);
    expect(endOf(NOW_SECONDS + 101)).toBe(NOW_SECONDS + 100);
  });

  test('keeps its id for a caller of the whole namespace, and gets another one for each set of filters', () => {
    const filters: readonly Record<string, string>[] = [{}, { run: '1' }, { run: '2' }];
    const ids = filters.map((scopeFilters) => toRestoredId(ID, contextCaller({ scopeFilters })));
    expect(ids[0]).toBe(ID);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^doc_00000000[0-9a-f]{16}$/);
    expect(toRestoredId(ID, contextCaller({ scopeFilters: { run: '1' } }))).toBe(ids[1]);
  });

  test.for<readonly [Partial<Document>, boolean]>([
    [{}, true],
    [{ version: 7, updatedAtSeconds: 0, expiresAtSeconds: 1 }, true],
    [{ filename: 'b.txt' }, false],
    [{ tags: [] }, false],
    [{ metadata: new Map() }, false],
    [{ checksum: sha256('x') }, false],
    [{ scope: contextCaller() }, false],
  ])('is the same as one that differs in %j: %s', ([changes, isSame]) => {
    expect(isSameDocument(documentOf(null), documentOf(null, changes), WHOLE)).toBe(isSame);
  });

  test('is the same whatever its filters, to a caller with some', () => {
    const run = contextCaller({ scopeFilters: { run: 'r-1' } });
    const other = documentOf(null, { scope: contextCaller({ scopeFilters: { run: 'r-1', customer: 'c' } }) });
    expect(isSameDocument(documentOf(null), other, run)).toBe(true);
    expect(isSameDocument(documentOf(null), other, WHOLE)).toBe(false);
    expect(isSameDocument(documentOf(null), { ...other, filename: 'b.txt' }, run)).toBe(false);
  });
});
