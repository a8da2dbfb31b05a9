import { describe, expect, test } from 'vitest';
import { CLIENT_ID, openClassOf, parseClientIdUrl } from '../../functions/core/client-id.ts';

describe('a client id that is the URL of a document', () => {
  test.for([
    'https://app.example.com/client.json',
    'https://app.example.com:8443/oauth/client',
    'https://app.example.com/clients/',
    'https://app.example.com/client?v=1',
    'https://claude.ai/oauth/claude-code-client-metadata',
    'https://xn--bcher-kva.example/c',
    'https://203.0.113.7/client.json',
    'https://localhost:4443/client.json',
    'https://app.example.com/a%2Fb',
    `https://app.example.com/${'x'.repeat(231)}`,
  ])('may be %s', (text) => {
    expect(parseClientIdUrl(text, false).ok).toBe(true);
    expect(openClassOf(text)).toBe('document');
  });

  test.for([
    ['plain http', 'http://app.example.com/client.json'],
    ['http on loopback', 'http://127.0.0.1:8080/client.json'],
    ['no path', 'https://app.example.com'],
    ['the root alone', 'https://app.example.com/'],
    ['a fragment', 'https://app.example.com/client.json#a'],
    ['an empty fragment', 'https://app.example.com/client.json#'],
    ['a user', 'https://me@app.example.com/client.json'],
    ['a user and a password', 'https://me:pw@app.example.com/client.json'],
    ['an empty user', 'https://@app.example.com/client.json'],
    ['a user in the path’s guise', 'https://app.example.com/@evil.example/client.json'],
    ['a dot segment', 'https://app.example.com/./client.json'],
    ['two dots', 'https://app.example.com/a/../client.json'],
    ['dots at the end', 'https://app.example.com/a/..'],
    ['encoded dots', 'https://app.example.com/%2e%2e/client.json'],
    ['half encoded dots', 'https://app.example.com/.%2E/client.json'],
    ['an upper-case host', 'https://App.example.com/client.json'],
    ['an upper-case scheme', 'HTTPS://app.example.com/client.json'],
    ['the default port', 'https://app.example.com:443/client.json'],
    ['a host with a dot at its end', 'https://app.example.com./client.json'],
    ['a host that is not ASCII', 'https://bücher.example/client.json'],
    ['a backslash', 'https://app.example.com\\client.json'],
    ['one slash', 'https:/app.example.com/client.json'],
    ['three slashes', 'https:///app.example.com/client.json'],
    ['a space', 'https://app.example.com/a b'],
    ['a line feed', 'https://app.example.com/client.json\n'],
    ['a decimal address', 'https://3405803783/client.json'],
    ['an octal address', 'https://0313.0.0161.07/client.json'],
    ['a port out of range', 'https://app.example.com:99999/client.json'],
    ['more than 255 characters', `https://app.example.com/${'x'.repeat(232)}`],
  ] as const)('has not %s', ([, text]) => {
    expect(parseClientIdUrl(text, false).ok).toBe(false);
  });

  test('may be http on loopback alone, where documents may be private', () => {
    for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080']) {
      expect(parseClientIdUrl(`http://${host}/client.json`, true).ok).toBe(true);
    }
    for (const host of ['10.0.0.1', 'app.example.com', '169.254.169.254', '127.0.0.1.example.com']) {
      expect(parseClientIdUrl(`http://${host}/client.json`, true).ok).toBe(false);
    }
  });
});

test('a client id names its class', () => {
  expect(['dyn.abc', 'dyn.', 'https://x', 'HTTP://x'].map(openClassOf)).toEqual([
    'dynamic',
    'dynamic',
    'document',
    'document',
  ]);
  for (const id of ['courier', 'dyn', 'Dyn.x', 'dynamic', 'xdyn.a', 'https', '']) {
    expect(openClassOf(id)).toBe(undefined);
  }
  for (const id of ['courier', 'a.b_c-D9', 'dyn.abc']) expect(CLIENT_ID.test(id)).toBe(true);
  for (const id of ['', 'a b', 'a:b', 'a/b', 'a\n', 'x'.repeat(129)]) expect(CLIENT_ID.test(id)).toBe(false);
});
