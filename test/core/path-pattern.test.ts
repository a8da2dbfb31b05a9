import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainPath, matchesPath } from '../../functions/core/path-pattern.ts';
import { growthOf } from '../support/growth.ts';

describe('a pattern', () => {
  test.for([
    ['/v2/quotes', '/v2/quotes', true],
    ['/v2/quotes', '/v2/quotes/', false],
    ['/v2/quotes', '/v2/quotesx', false],
    ['/v2/quotes', '/x/v2/quotes', false],
    ['/v2/quotes', '/V2/quotes', false],
    ['/v2/quotes', '/v2/quote%73', false],
    ['/v2/*', '/v2/quotes', true],
    ['/v2/*', '/v2/', true],
    ['/v2/*', '/v2', false],
    ['/v2/*', '/v2/a/b', false],
    ['/v2/*/day', '/v2/a/day', true],
    ['/v2/*/day', '/v2/a/b/day', false],
    ['/v2/*.json', '/v2/a.json', true],
    ['/v2/*.json', '/v2/axjson', false],
    ['/v2/**', '/v2/a/b/c', true],
    ['/v2/**', '/v2/', true],
    ['/v2/**', '/v2', false],
    ['/v2/**', '/v22/a', false],
    ['/**', '/', true],
    ['/**', '/a/b', true],
    ['/**/day', '/a/b/day', true],
    ['/a.b', '/axb', false],
    ['/a+', '/aa', false],
    ['/(a|b)', '/a', false],
    ['/[ab]', '/a', false],
    ['/a$', '/a', false],
    ['/^a', '/^a', true],
    ['/a b', '/a%20b', false],
    ['/a*b*c', '/aXbXbYc', true],
    ['/a*b*c', '/aXbXbYcd', false],
    ['/a*b*c', '/aXb/bYc', false],
    ['/**/t/**/u', '/a/t/b/t/c/d/u', true],
    ['/**/t/**/u', '/a/u/b/t', false],
    ['/**/t/*', '/t/a/t/b', true],
    ['/**/t/*', '/a/t/b/c', false],
    ['/***', '/a/b', true],
    ['/****/x', '/a/x', true],
    ['*', '/a', false],
    ['/*', '/', true],
    ['', '/', false],
  ] as const)('%s on %s: %s', ([pattern, path, matches]) => {
    expect(matchesPath(pattern, path)).toBe(matches);
  });
});

describe('a path in more than one spelling matches nothing', () => {
  test.for([
    '/a/../b',
    '/..',
    '/a/..',
    '/./a',
    '/a/.',
    '//a',
    '/a//b',
    '/a\\b',
    '/a/%2e%2e/b',
    '/a/%2E%2e/b',
    '/a/.%2e/b',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a%5Cb',
    '/a%252fb',
    '/a%252e%252e/b',
    '/a%25',
    '/a%00',
    '/a%0d%0aX:%20y',
    '/a%1F',
    '/a%7f',
    '/a;b=c',
    '/a;/../b',
    '/a?b',
    '/a#b',
    '/a b',
    '/a\tb',
    '/a\n',
    '/a\u001b',
    '/\u0001',
    '/a\u007fb',
    '/a\u0085b',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%u002f',
    '/v2/..%3b/admin',
    '/v2/..%3B/admin',
    '/v2/.%3bx/admin',
    '/v2/..%3bjsessionid=1/admin',
    '/v2/..%20/admin',
    '/v2/..%20',
    '/v2/.%20x/admin',
    '/v2/%20../admin',
    '/v2/..%c2%a0/x',
    '/v2/..%c2%85/x',
    '/v2/..%e2%80%8b/x',
    '/v2/%ef%bb%bf../x',
    '/v2/\uff0e\uff0e/admin',
    '/v2/%ef%bc%8e%ef%bc%8e/admin',
    '/v2/%ef%bc%8e/admin',
    '/v2/%e2%80%a5/admin',
    '/v2/%e2%80%a4%e2%80%a4/admin',
    '/v2/.%ef%bc%8e%3bx/admin',
    '/v2/a%ef%bc%8f..%ef%bc%8fadmin',
    '/v2/a%ef%bc%bc..',
    '/v2/..%3f/admin',
    '/v2/..%3Fx',
    '/v2/.%3F',
    '/v2/..%23/admin',
    '/v2/..%ef%bc%9fx',
    '/v2/..%ef%bc%9b/x',
    '/v2/..%ef%bc%83/x',
    '/v2/..%e2%81%84admin',
    '/v2/..%e2%88%95admin',
    '/v2/a%e2%88%95..',
    '/v2/..%e2%88%96admin',
    '/v2/..%e2%a7%b5admin',
    '/v2/.%EF%B8%8F./admin',
    '/v2/%CD%8F../admin',
    '/v2/..%e2%a7%b8admin',
    '/v2/..\u2044admin',
    '/a%c0%afb',
    '/a%c0%ae%c0%ae/b',
    '/a%e0%80%af',
    '/a%ed%a0%80',
    '/a%ff',
    'a',
    '',
    'https://other.example.com/a',
  ])('%j', (path) => {
    expect([isPlainPath(path), matchesPath('/**', path)]).toEqual([false, false]);
  });

  test.for([
    '/',
    '/a',
    '/a/',
    '/a/b.c',
    '/...',
    '/a..b',
    '/a%20b',
    '/caf%C3%A9',
    '/a:b@c',
    '/~a',
    '/a%3Bb',
    '/a&b=c',
    '/%3Bb',
    '/...%3Bb',
    '/a..%3Bb',
    '/..a%20b',
    '/.well-known/a',
    '/..a',
    '/a%20..',
    '/%E2%80%A6',
    '/c%E2%84%85',
    '/%EF%BC%A1',
    '/a/.well-known/x',
    '/a/..foo',
    '/a/x%3Bv=1',
    '/a/x%3Fv',
    '/a%23b',
    '/...%3Fb',
    '/%C2%BD',
    '/a%E2%81%84b',
    '/..%E2%88%91a',
  ])('%j has one', (path) => {
    expect(isPlainPath(path)).toBe(true);
  });
});

test('a pattern matches what the regular expression for it matches', () => {
  const expressionOf = (pattern: string) =>
    new RegExp(`^${pattern.replace(/\*\*|\*/g, (star) => (star === '*' ? '[^/]*' : '.*'))}$`);
  const textOf = (...parts: string[]) =>
    fc.array(fc.constantFrom(...parts), { maxLength: 10 }).map((pieces) => `/${pieces.join('')}`);
  fc.assert(
    fc.property(textOf('a', 'b', '/', '*', '**'), textOf('a', 'b', '/', 'ab', '/a'), (pattern, path) => {
      expect(matchesPath(pattern, path)).toBe(isPlainPath(path) && expressionOf(pattern).test(path));
    }),
    { numRuns: 20_000 },
  );
});

test.for([
  { pattern: '/**/t/**/u/**/z', part: '/t/u' },
  { pattern: '/a*b*c*d', part: 'abc' },
  { pattern: '/**a**a**z', part: 'aa' },
])('$pattern takes time in proportion to the path', ({ pattern, part }) => {
  const run = (parts: number) => {
    const path = `/a${part.repeat(parts)}`;
    for (let count = 0; count < 5; count += 1) expect(matchesPath(pattern, path)).toBe(false);
  };
  expect(growthOf(run, 200)).toBeLessThan(9);
});

test('what matches stays inside the pattern’s fixed beginning, however it is read afterwards', () => {
  const piece = fc.constantFrom(
    '/',
    '..',
    '.',
    '%2e',
    '%2f',
    '%5c',
    '\\',
    ';',
    'a',
    'v2',
    '%',
    '%25',
    '?',
    '#',
    '%c0%af',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = `/v2/${pieces.join('')}`;
      if (!matchesPath('/v2/**', path)) return;
      expect(new URL(`https://h${path}`).pathname).toBe(path);
      expect(
        new URL(`https://h${decodeURIComponent(path).replaceAll('?', '').replaceAll('#', '')}`).pathname,
      ).toMatch(/^\/v2\//);
    }),
    { numRuns: 5_000 },
  );
});
