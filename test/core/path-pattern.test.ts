import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainPath, matchesPath } from '../../functions/core/path-pattern.ts';

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
    '/a;b=c',
    '/a;/../b',
    '/a?b',
    '/a#b',
    '/a b',
    '/a\tb',
    '/a\n',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%u002f',
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
  ])('%j has one', (path) => {
    expect(isPlainPath(path)).toBe(true);
  });
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
