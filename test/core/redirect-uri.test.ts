import { describe, expect, test } from 'vitest';
import { isLoopbackHost, parseRedirectUri } from '../../functions/core/redirect-uri.ts';

describe('a redirect URI', () => {
  test.for([
    'https://app.example.com/callback',
    'https://app.example.com',
    'https://app.example.com:8443/cb?tenant=a%20b',
    'https://xn--bcher-kva.example/cb',
    'http://127.0.0.1/callback',
    'http://127.0.0.1:8080/callback',
    'http://[::1]:33418/',
    'http://localhost:3000/cb',
    'com.example.app:/callback',
    'com.example.app://callback',
    'com.example-two.app2:/',
  ])('may be %s', (text) => {
    expect(parseRedirectUri(text).ok).toBe(true);
  });

  test.for([
    ['', /absolute/],
    ['/callback', /absolute/],
    ['//app.example.com/cb', /absolute/],
    ['https://', /absolute/],
    ['https://app.example.com/cb#fragment', /without a fragment/],
    ['https://app.example.com/cb#', /without a fragment/],
    ['com.example.app:/cb#x', /without a fragment/],
    ['http://app.example.com/cb', /http is for/],
    ['http://10.0.0.1/cb', /http is for/],
    ['http://127.0.0.2/cb', /http is for/],
    ['http://localhost.example.com/cb', /http is for/],
    ['http://127.0.0.1.example.com/cb', /http is for/],
    ['http://127.0.0.1@example.com/cb', /no user/],
    ['https://user:pw@app.example.com/cb', /no user/],
    ['https://@app.example.com/cb', /no user/],
    ['https:app.example.com/cb', /lower case|absolute/],
    ['https:/app.example.com/cb', /lower case/],
    ['https:///app.example.com/cb', /lower case/],
    ['https://App.example.com/cb', /lower case/],
    ['HTTPS://app.example.com/cb', /lower case/],
    ['http://2130706433/cb', /lower case/],
    ['http://0x7f.1/cb', /lower case/],
    ['https://app.example.com\\@evil.example/cb', /absolute/],
    ['https://app.example.com/a b', /absolute/],
    ['https://app.example.com/\n', /absolute/],
    ['\thttps://app.example.com/', /absolute/],
    ['https://bücher.example/cb', /absolute/],
    ['https://app.example.com/"><script>', /absolute/],
    ['javascript:alert(1)', /a scheme of your own/],
    ['data:text/html,x', /a scheme of your own/],
    ['file:///etc/passwd', /a scheme of your own/],
    ['myapp:/callback', /a scheme of your own/],
    ['urn:ietf:wg:oauth:2.0:oob', /a scheme of your own/],
    ['com.example.app:callback', /a scheme of your own/],
    ['com..app:/callback', /a scheme of your own/],
    ['blob:https://app.example.com/x', /a scheme of your own/],
    [`https://app.example.com/${'x'.repeat(2_000)}`, /at most 2000/],
  ] as const)('is not %j', ([text, message]) => {
    expect(parseRedirectUri(text)).toEqual({ ok: false, error: expect.stringMatching(message) });
  });

  test('is on loopback by its host alone', () => {
    const isLoopback = (text: string) => isLoopbackHost(new URL(text));
    expect(['http://localhost:1/', 'http://127.0.0.1/', 'http://[::1]:9/x'].every(isLoopback)).toBe(true);
    expect(['https://example.com/localhost', 'http://127.0.0.1.x.example/'].some(isLoopback)).toBe(false);
  });
});
