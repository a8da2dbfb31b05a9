import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLoopbackHost, matchesRedirectUri, parseRedirectUri } from '../../functions/core/redirect-uri.ts';

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

  test.for([
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'vscode://publisher.extension/callback?x=1',
    'com.example.app:/callback',
    'https://app.example.com/cb',
  ])('that an administrator wrote may be %s', (text) => {
    expect(parseRedirectUri(text, true).ok).toBe(true);
  });

  test.for([
    'javascript://app.example.com/%0aalert(1)',
    'data://text/html,x',
    'blob://app/x',
    'file://host/etc/passwd',
    'view-source://app/x',
    'ms-msdt://id/x',
    'ms-settings://x/y',
    'intent://app/x',
    'c://windows/x',
    'ftp://host/x',
    'wss://host/x',
    'myapp:callback',
    'myapp:/callback',
    'myapp://',
    'myapp://user@host/callback',
    'myapp://:pw@host/callback',
    'MyApp://host/callback',
    'myapp://host/callback#x',
    'http://app.example.com/cb',
  ])('is not %s, whoever wrote it', (text) => {
    expect(parseRedirectUri(text, true).ok).toBe(false);
  });

  test('is on loopback by its host alone', () => {
    const isLoopback = (text: string) => isLoopbackHost(new URL(text));
    expect(['http://localhost:1/', 'http://127.0.0.1/', 'http://[::1]:9/x'].every(isLoopback)).toBe(true);
    expect(['https://example.com/localhost', 'http://127.0.0.1.x.example/'].some(isLoopback)).toBe(false);
  });
});

describe('a presented redirect URI', () => {
  const WEB = 'https://app.example.com/callback';
  const LOOPBACK = 'http://127.0.0.1/callback';
  test.for([
    [WEB, WEB],
    ['https://app.example.com/callback?tenant=a', 'https://app.example.com/callback?tenant=a'],
    [LOOPBACK, LOOPBACK],
    [LOOPBACK, 'http://127.0.0.1:1/callback'],
    [LOOPBACK, 'http://127.0.0.1:65535/callback'],
    ['http://127.0.0.1:8080/callback', 'http://127.0.0.1:49152/callback'],
    ['http://127.0.0.1:8080/callback', LOOPBACK],
    ['http://[::1]:8080/callback', 'http://[::1]:49152/callback'],
    ['http://localhost/callback?a=b', 'http://localhost:49152/callback?a=b'],
    ['http://localhost', 'http://localhost:49152'],
    ['com.example.app:/callback', 'com.example.app:/callback'],
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'cursor://anysphere.cursor-mcp/oauth/callback'],
  ] as const)('for the registered %s may be %s', ([registered, presented]) => {
    expect(matchesRedirectUri(['https://other.example.com/', registered], presented)).toBe(true);
  });

  test.for([
    [WEB, ''],
    [WEB, 'https://app.example.com/callback/'],
    [WEB, 'https://app.example.com/callback/../callback'],
    [WEB, 'https://app.example.com/./callback'],
    [WEB, 'https://app.example.com/callback?'],
    [WEB, 'https://app.example.com/callback?x=1'],
    [WEB, 'https://app.example.com/callback#'],
    [WEB, 'https://app.example.com/callback#x'],
    [WEB, 'https://app.example.com/Callback'],
    [WEB, 'https://app.example.com/%63allback'],
    [WEB, 'https://app.example.com:443/callback'],
    [WEB, 'https://app.example.com:8443/callback'],
    [WEB, 'https://app.example.com./callback'],
    [WEB, 'https://APP.example.com/callback'],
    [WEB, 'https://app.example.com@evil.example/callback'],
    [WEB, 'https://app.example.com%2eevil.example/callback'],
    [WEB, 'https://app.example.com\\@evil.example/callback'],
    [WEB, 'https://app.example.com.evil.example/callback'],
    [WEB, 'https://evil.example/?https://app.example.com/callback'],
    [WEB, 'https://sub.app.example.com/callback'],
    [WEB, 'http://app.example.com/callback'],
    [WEB, 'HTTPS://app.example.com/callback'],
    [WEB, ' https://app.example.com/callback'],
    [WEB, 'https://app.example.com/callback '],
    [WEB, 'https://app.example.com/callback\r\nSet-Cookie: a=b'],
    [WEB, '//app.example.com/callback'],
    [WEB, 'javascript:alert(1)'],
    [LOOPBACK, 'http://127.0.0.1:8080/other'],
    [LOOPBACK, 'http://127.0.0.1:8080/callback?x=1'],
    [LOOPBACK, 'http://127.0.0.1:8080/callback/'],
    [LOOPBACK, 'http://localhost:8080/callback'],
    [LOOPBACK, 'http://[::1]:8080/callback'],
    [LOOPBACK, 'https://127.0.0.1:8080/callback'],
    [LOOPBACK, 'http://127.0.0.1:8080@evil.example/callback'],
    [LOOPBACK, 'http://127.0.0.1:8080.evil.example/callback'],
    [LOOPBACK, 'http://127.0.0.1:65536/callback'],
    [LOOPBACK, 'http://127.0.0.1:0/callback'],
    [LOOPBACK, 'http://127.0.0.1:08080/callback'],
    [LOOPBACK, 'http://127.0.0.1:/callback'],
    [LOOPBACK, 'http://127.1/callback'],
    [LOOPBACK, 'http://2130706433/callback'],
    [LOOPBACK, 'http://127.0.0.1./callback'],
    [LOOPBACK, 'http://127.0.0.2/callback'],
    ['https://localhost/callback', 'https://localhost:8443/callback'],
    ['http://app.example.com/cb', 'http://app.example.com/cb'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
  ] as const)('for the registered %s is not %j', ([registered, presented]) => {
    expect(matchesRedirectUri([registered], presented)).toBe(false);
  });

  test('that matches goes to the host and the path of one that is registered, whatever it is made of', () => {
    const registered = [WEB, 'http://localhost:3000/cb?x=1', 'com.example.app:/callback'];
    const part = fc.constantFrom(
      ...['https:', 'http:', '//', '/', '\\', '@', ':', '.', '?', '#', '%2e', ' ', '8080', 'localhost', 'cb'],
      ...['app.example.com', 'evil.example', 'callback', 'x=1', 'com.example.app'],
      ...registered,
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const presented = parts.join('');
        if (!matchesRedirectUri(registered, presented)) return;
        const { protocol, hostname, pathname, search, username } = new URL(presented);
        const goals = registered.map((uri) => new URL(uri));
        expect(username).toBe('');
        expect(goals.map((url) => [url.protocol, url.hostname, url.pathname, url.search])).toContainEqual([
          protocol,
          hostname,
          pathname,
          search,
        ]);
      }),
      { numRuns: 20_000 },
    );
  });
});
