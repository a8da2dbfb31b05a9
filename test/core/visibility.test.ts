import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../functions/core/json.ts';
import {
  canonicalFilters,
  type DocumentScope,
  isNamespace,
  isVisible,
  narrowContext,
  parseContextScope,
  type ScopeFilters,
} from '../../functions/core/visibility.ts';

const scopeOf = (scopeFilters: ScopeFilters, orgId = 'acme', namespace = 'proj') => ({
  orgId,
  namespace,
  scopeFilters,
  permissions: 'write' as const,
});
const filters = (entries: Record<string, string>): ScopeFilters => new Map(Object.entries(entries));
const documentOf = (entries: Record<string, string>): DocumentScope => ({
  orgId: 'acme',
  namespace: 'proj',
  scopeFilters: filters(entries),
});

describe('a caller sees a document', () => {
  test.for<[string, Record<string, string>, Record<string, string>, boolean]>([
    ['without filters on either side', {}, {}, true],
    ['with any filters, when the token has none', {}, { root_session_id: 'a' }, true],
    ['without filters, whatever the token has', { root_session_id: 'a' }, {}, true],
    ['that has the filter of the token', { root_session_id: 'a' }, { root_session_id: 'a' }, true],
    ['that has more filters than the token', { a: '1' }, { a: '1', b: '2' }, true],
    ['that has fewer filters than the token', { a: '1', b: '2' }, { a: '1' }, false],
    ['that has another filter', { a: '1' }, { b: '1' }, false],
    ['whose value differs in case', { root_session_id: 'a' }, { root_session_id: 'A' }, false],
    ['whose value has a blank after it', { root_session_id: 'a' }, { root_session_id: 'a ' }, false],
    ['whose value a wildcard would match', { root_session_id: '%' }, { root_session_id: 'a' }, false],
    ['whose value a star would match', { root_session_id: '*' }, { root_session_id: 'a' }, false],
    ['whose value is the empty text', { a: '' }, { a: '' }, true],
    ['that lacks a filter whose value is the empty text', { a: '' }, { b: '' }, false],
  ])('%s', ([, token, document, expected]) => {
    expect(isVisible(scopeOf(filters(token)), documentOf(document))).toBe(expected);
  });

  test.for([
    ['of another namespace', 'acme', 'proj2'],
    ['of another org', 'acme2', 'proj'],
    ['of a namespace that differs in case', 'acme', 'Proj'],
  ] as const)('never: %s', ([, orgId, namespace]) => {
    expect(isVisible(scopeOf(new Map(), orgId, namespace), documentOf({}))).toBe(false);
  });
});

test('what a caller with more filters sees, one with fewer sees too', () => {
  const anyFilters = fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'))
    .map((entries) => filters(entries));
  fc.assert(
    fc.property(anyFilters, anyFilters, fc.constantFrom('a', 'b', 'c'), (token, document, dropped) => {
      const fewer = new Map([...token].filter(([name]) => name !== dropped));
      const scope = { ...documentOf({}), scopeFilters: document };
      const seenWithMore = isVisible(scopeOf(token), scope);
      expect(!seenWithMore || isVisible(scopeOf(fewer), scope)).toBe(true);
      const contained = [...token].every(([name, value]) => document.get(name) === value);
      expect(seenWithMore).toBe(document.size === 0 || contained);
    }),
  );
});

describe('the scope of a token', () => {
  const parse = (namespace: Json | undefined, scopeFilters: Json | undefined) =>
    parseContextScope({ orgId: 'acme', namespace, scopeFilters }, 'read');

  test('without filters is the whole namespace', () => {
    const whole = { ok: true, value: { ...scopeOf(new Map()), permissions: 'read' } };
    expect(parse('proj', undefined)).toEqual(whole);
    expect(parse('proj', new Map())).toEqual(whole);
  });

  test('keeps its filters as they stand', () => {
    const parsed = parse('proj', new Map([['root_session_id', ' ses_001 ']]));
    expect(parsed).toMatchObject({
      ok: true,
      value: { scopeFilters: new Map([['root_session_id', ' ses_001 ']]) },
    });
  });

  test('without a namespace opens nothing', () => {
    expect(parse(undefined, undefined)).toEqual({ ok: false, error: { reason: 'no_namespace' } });
    expect(parse(undefined, new Map())).toEqual({ ok: false, error: { reason: 'no_namespace' } });
  });

  const malformed: [string, Json, Json | undefined][] = [
    ['a namespace that is null', null, undefined],
    ['an empty namespace', '', undefined],
    ['a list of namespaces', ['proj'], undefined],
    ['a namespace with a key separator', 'a#b', undefined],
    ['a namespace with a line end', 'proj\n', undefined],
    ['a namespace that starts with a dot', '.proj', undefined],
    ['a namespace of 129 characters', 'a'.repeat(129), undefined],
    ['filters that are null', 'proj', null],
    ['filters that are text', 'proj', 'root_session_id=a'],
    ['filters that are a list', 'proj', [new Map([['a', '1']])]],
    ['a filter whose value is a list', 'proj', new Map([['a', ['1']]])],
    ['a filter whose value is null', 'proj', new Map([['a', null]])],
    ['a filter whose value is a boolean', 'proj', new Map([['a', true]])],
    ['a filter without a name', 'proj', new Map([['', 'a']])],
    ['33 filters', 'proj', new Map(Array.from({ length: 33 }, (_, index) => [`f${index}`, 'v'] as const))],
  ];
  test.for(malformed)('is refused and never widened: %s', ([, namespace, scopeFilters]) => {
    expect(parse(namespace, scopeFilters)).toEqual({ ok: false, error: { reason: 'malformed_scope' } });
  });
});

test('namespaces have the characters of the contract and no others', () => {
  for (let code = 0; code < 0x250; code += 1) {
    const character = String.fromCharCode(code);
    expect(isNamespace(`a${character}`), `U+${code.toString(16)}`).toBe(/[A-Za-z0-9._:@-]/.test(character));
  }
  expect(isNamespace('a'.repeat(128))).toBe(true);
});

test('equal filters have one canonical form, different ones never share it', () => {
  const anyFilters = fc.dictionary(fc.string(), fc.string());
  fc.assert(
    fc.property(anyFilters, anyFilters, (one, other) => {
      const reversed = new Map(Object.entries(one).reverse());
      expect(canonicalFilters(reversed)).toBe(canonicalFilters(filters(one)));
      const isSame =
        Object.keys(one).length === Object.keys(other).length &&
        Object.entries(one).every(([name, value]) => other[name] === value);
      expect(canonicalFilters(filters(one)) === canonicalFilters(filters(other))).toBe(isSame);
    }),
  );
});

describe('a token that descends from another opens', () => {
  const opened = new Map([['root_session_id', 'a']]);
  const registered = { namespace: 'proj', scopeFilters: { run: '7' } };

  test.for<
    [
      string,
      Parameters<typeof narrowContext>[0],
      Parameters<typeof narrowContext>[1],
      Readonly<Record<string, unknown>>,
    ]
  >([
    ['the whole namespace', { namespace: 'proj', scopeFilters: undefined }, undefined, { namespace: 'proj' }],
    [
      'the same documents',
      { namespace: 'proj', scopeFilters: opened },
      {},
      { namespace: 'proj', scope_filters: { root_session_id: 'a' } },
    ],
    [
      'what both it and the client’s registration open',
      { namespace: 'proj', scopeFilters: opened },
      registered,
      { namespace: 'proj', scope_filters: { root_session_id: 'a', run: '7' } },
    ],
    [
      'the same, where the registration says as much',
      { namespace: 'proj', scopeFilters: opened },
      { scopeFilters: { root_session_id: 'a' } },
      { namespace: 'proj', scope_filters: { root_session_id: 'a' } },
    ],
    [
      'nothing, where the registration has another value',
      { namespace: 'proj', scopeFilters: opened },
      { scopeFilters: { root_session_id: 'b' } },
      {},
    ],
    [
      'nothing, where the registration has another namespace',
      { namespace: 'proj', scopeFilters: undefined },
      { namespace: 'proj2' },
      {},
    ],
    [
      'nothing, where that one opens nothing',
      { namespace: undefined, scopeFilters: undefined },
      registered,
      {},
    ],
    ['nothing, where that one is malformed', { namespace: 'proj', scopeFilters: 'all' }, registered, {}],
  ])('%s', ([, context, client, expected]) => {
    expect(narrowContext(context, client)).toEqual(expected);
  });
});
