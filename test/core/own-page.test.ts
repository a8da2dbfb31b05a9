import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectPath, loginUrl, readOwnPage } from '../../functions/core/own-page.ts';
import { readPageTicket, writePageTicket } from '../../functions/core/page-ticket.ts';

const ORIGIN = 'https://gate.example';

describe('where a login may lead back to', () => {
  test.for([
    ['/connect', undefined, undefined],
    ['/connect/github', 'github', undefined],
    ['/connect/my_own-1?t=Ab_-9', 'my_own-1', 'Ab_-9'],
  ] as const)('%s', ([path, provider, link]) => {
    expect(readOwnPage(path)).toEqual({ path, provider, link });
    expect(connectPath(provider, link)).toBe(path);
  });

  test.for([
    null,
    '',
    '/',
    'connect',
    '//connect',
    '//evil.example',
    '/\\evil.example',
    'https://evil.example/connect',
    '/connect//github',
    '/connect/',
    '/connect/github/',
    '/connect/github/callback',
    '/connect/GitHub',
    '/connect/../admin',
    '/connect/..',
    '/connect/%2e%2e',
    '/connect/github?t=',
    '/connect/github?t=a&u=b',
    '/connect/github?x=a',
    '/connect?t=a',
    '/connect/github#x',
    '/connect/github\n',
    '/connect/github\r\nset-cookie: a=b',
    '/connections',
    '/logout',
    '/oauth/authorize',
    '/admin/policy',
    '@evil.example/connect',
    ':@evil.example/connect',
    'javascript:alert(1)',
    `/connect/github?t=${'a'.repeat(4_001)}`,
    `/connect/${'a'.repeat(64)}`,
  ])('not %j', (text) => {
    expect(readOwnPage(text)).toBe(undefined);
  });

  test('whatever is read is a path below /connect of this origin, and stays what it is when a browser reads it', () => {
    const grown = fc
      .array(fc.constantFrom('/', '\\', '.', 'connect', 'a', '?t=', '@', ':', '#', '%2f', '\t', '//'))
      .map((parts) => `/connect${parts.join('')}`);
    fc.assert(
      fc.property(fc.oneof(grown, fc.webUrl(), fc.string()), (text) => {
        const page = readOwnPage(text);
        if (page === undefined) return;
        const url = new URL(ORIGIN + page.path);
        expect(url.href).toBe(ORIGIN + page.path);
        expect(url.origin).toBe(ORIGIN);
        expect(url.pathname).toMatch(/^\/connect(?:\/[a-z0-9][a-z0-9_-]*)?$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('travels in the query of the sign-in page', () => {
    const url = new URL(loginUrl(ORIGIN, '/connect/github?t=abc'));
    expect([url.pathname, url.searchParams.get('return_to')]).toEqual(['/login', '/connect/github?t=abc']);
  });
});

describe('the ticket of a login for a page', () => {
  const ticket = { returnTo: '/connect/github?t=abc', secret: 'k', expiresAtSeconds: 7 };

  test('is read as it was written', () => {
    expect(readPageTicket(writePageTicket(ticket))).toEqual(ticket);
  });

  const honest = JSON.parse(writePageTicket(ticket));
  test.for([
    ['another place', { b: '//evil.example' }],
    ['no place', { b: undefined }],
    ['no secret', { k: '' }],
    ['an end that is no whole number', { e: 1.5 }],
  ] as const)('%s makes it none', ([, change]) => {
    expect(readPageTicket(JSON.stringify({ ...honest, ...change }))).toBe(undefined);
  });

  test.for(['', '{', '[]', '"x"'])('%j is none', (text) => {
    expect(readPageTicket(text)).toBe(undefined);
  });
});
