import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serviceUrl, throughTheGate } from '../../functions/core/service-url.ts';

const files = {
  name: 'files',
  url: 'https://api.example.com/v1/',
  allow: [
    { method: 'GET', path: '/a/**' },
    { method: '*', path: '/b/*' },
  ],
};

/** The URL that a call goes to, or why it goes nowhere. */
function urlOf(method: string, path: string, search = '', service = files): string {
  const url = serviceUrl(service, method, path, search);
  return url.ok ? url.value.href : url.error.reason;
}

describe('a call goes', () => {
  test.for([
    ['GET', '/a/x', '', 'https://api.example.com/v1/a/x'],
    ['GET', '/a/x/', '', 'https://api.example.com/v1/a/x/'],
    ['PUT', '/b/x', '', 'https://api.example.com/v1/b/x'],
    ['HEAD', '/b/x', '', 'https://api.example.com/v1/b/x'],
    ['GET', '/a/x', '?q=a+b%2Bc', 'https://api.example.com/v1/a/x?q=a%20b%2Bc'],
    ['GET', '/a/x', '?z=~*&a=1&z=2', 'https://api.example.com/v1/a/x?z=~%2A&a=1&z=2'],
    ['GET', '/a/x', '?q', 'https://api.example.com/v1/a/x?q='],
    ['GET', '/a/caf%C3%A9', '', 'https://api.example.com/v1/a/caf%C3%A9'],
    ['HEAD', '/a/x', '', 'path_not_allowed'],
    ['POST', '/a/x', '', 'path_not_allowed'],
    ['GET', '/c', '', 'path_not_allowed'],
    ['GET', '/a/../c', '', 'path_not_allowed'],
    ['TRACE', '/b/x', '', 'path_not_allowed'],
    ['CONNECT', '/b/x', '', 'path_not_allowed'],
    ['OPTIONS', '/b/x', '', 'path_not_allowed'],
    ['get', '/b/x', '', 'path_not_allowed'],
    ['*', '/b/x', '', 'path_not_allowed'],
    // What is no part of a plain path to us may be to a URL, and then another one is sent than was matched.
    ['GET', '/a/"', '', 'outside_perimeter'],
  ] as const)('%s %s%s → %s', ([method, path, search, url]) => {
    expect(urlOf(method, path, search)).toBe(url);
  });

  test('below the URL of the service, with or without a slash at its end', () => {
    const urls = ['https://api.example.com', 'https://api.example.com/', 'https://api.example.com/v1'];
    expect(urls.map((url) => urlOf('GET', '/a/x', '', { ...files, url }))).toEqual([
      'https://api.example.com/a/x',
      'https://api.example.com/a/x',
      'https://api.example.com/v1/a/x',
    ]);
  });
});

describe('a reference of the API', () => {
  const sentTo = new URL('https://api.example.com/v1/a/x?q=1');
  test.for([
    ['https://api.example.com/v1/a/y', '/egress/files/a/y'],
    ['https://api.example.com:443/v1/a/y?z=1#part', '/egress/files/a/y?z=1'],
    ['/v1/a/y', '/egress/files/a/y'],
    ['y', '/egress/files/a/y'],
    ['../b/', '/egress/files/b/'],
    ['//api.example.com/v1/a', '/egress/files/a'],
    ['/v1/', '/egress/files/'],
    ['/v1', undefined],
    ['/v12/a', undefined],
    ['/', undefined],
    ['../../v2/a', undefined],
    ['http://api.example.com/v1/a', undefined],
    ['https://api.example.com:8443/v1/a', undefined],
    ['https://api.example.com.evil.example/v1/a', undefined],
    ['https://user@api.example.com/v1/a', undefined],
    ['https://:password@api.example.com/v1/a', undefined],
    ['//evil.example/v1/a', undefined],
    ['/v1/a%2f..%2fb', undefined],
    ['/v1/a;b', undefined],
    ['javascript:alert(1)', undefined],
    ['https://', undefined],
  ] as const)('%s is %s through the gate', ([reference, there]) => {
    expect(throughTheGate(files, sentTo, reference)).toBe(there);
  });

  test('that is given back leads to where it led, and nothing else is given back', () => {
    const piece = fc.constantFrom(
      '/',
      'v1',
      'a',
      '..',
      '.',
      '%2e',
      '%2f',
      ';',
      '?',
      '#',
      '//',
      ':',
      '@',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const reference = pieces.join('');
        const there = throughTheGate(files, sentTo, reference);
        if (there === undefined) return;
        const again = new URL(`https://api.example.com/v1${there.slice('/egress/files'.length)}`);
        const led = new URL(reference, sentTo);
        expect([again.origin, again.pathname, again.search]).toEqual([led.origin, led.pathname, led.search]);
      }),
      { numRuns: 5_000 },
    );
  });
});
