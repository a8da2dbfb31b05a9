import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyCredential,
  credentialName,
  defaultCredentialName,
  isTooShort,
  mayGoTo,
  parseCredential,
} from '../../functions/core/credential.ts';

const owner = { orgId: 'acme', clientId: 'courier', subject: 'alice@example.com' };
const encoded = (id: string) => `b64.${Buffer.from(id).toString('base64url')}`;

describe('the name of a secret', () => {
  test('is that of the client, of the user, or of the target’s default', () => {
    expect(credentialName('prod', 'maps', 'client', owner)).toBe(
      'sallyport/prod/credentials/acme/maps/client.courier',
    );
    expect(credentialName('prod', 'maps', 'user', owner)).toBe(
      `sallyport/prod/credentials/acme/maps/user.${encoded('alice@example.com')}`,
    );
    expect(defaultCredentialName('prod', 'maps', 'acme')).toBe(
      'sallyport/prod/credentials/acme/maps/_default',
    );
  });

  test.for([
    'a/b',
    '../courier',
    '..',
    'a b',
    'a*',
    'https://client.example.com/meta',
    'auth0|123',
    'é',
    '',
    'a\nb',
    'b64.Y291cmllcg',
    'b64.',
  ])('has no character of %j that could lead elsewhere', (clientId) => {
    const name = credentialName('prod', 'maps', 'client', { ...owner, clientId });
    const isPlain = clientId === '..';
    expect(name).toBe(
      `sallyport/prod/credentials/acme/maps/client.${isPlain ? clientId : encoded(clientId)}`,
    );
    expect(name.split('/')).toHaveLength(6);
  });

  test('is another for every organisation, target, kind and id', () => {
    const id = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.constantFrom('a', 'A', 'a/b', 'b64.YQ', 'b64.', 'b64.YjY0LllR', 'client.a', '_default'),
    );
    const who = fc.record({ orgId: id, clientId: id, subject: id });
    const ask = fc.tuple(fc.constantFrom('maps', 'mail'), fc.constantFrom('client', 'user'), who);
    fc.assert(
      fc.property(ask, ask, (one, other) => {
        const used = ([target, key, by]: typeof one) => [
          target,
          key,
          by.orgId,
          key === 'client' ? by.clientId : by.subject,
        ];
        const names = [one, other].map(([target, key, by]) => credentialName('prod', target, key, by));
        expect(names[0] === names[1]).toBe(JSON.stringify(used(one)) === JSON.stringify(used(other)));
        expect(names).not.toContain(defaultCredentialName('prod', 'maps', one[2].orgId));
      }),
      { numRuns: 2_000 },
    );
  });
});

function applied(
  value: unknown,
  url = 'https://api.example.com/v1?a=1',
  headers: Readonly<Record<string, string>> = {},
) {
  const credential = parseCredential(JSON.stringify(value));
  if (!credential.ok || credential.value.type === 'oauth2') throw new Error('nothing to put on');
  const target = new URL(url);
  const put = new Map(Object.entries(headers));
  const secrets = applyCredential(credential.value, target, put).map((secret) => secret.reveal());
  return { href: target.href, headers: Object.fromEntries(put), secrets };
}

describe('a credential is put on', () => {
  const stale = { authorization: 'Bearer of-the-caller', 'x-api-key': 'of-the-caller' };

  test('as a bearer token', () => {
    expect(applied({ type: 'bearer', token: 't-1' }, undefined, stale).headers).toEqual({
      ...stale,
      authorization: 'Bearer t-1',
    });
  });

  test('as HTTP Basic', () => {
    const { headers, secrets } = applied(
      { type: 'basic', username: 'u', password: 'pä:ss' },
      undefined,
      stale,
    );
    expect(headers).toEqual({
      ...stale,
      authorization: `Basic ${Buffer.from('u:pä:ss').toString('base64')}`,
    });
    expect(secrets).toEqual(['pä:ss', 'u:pä:ss']);
  });

  test.for(['', 'x', 'X', 'api_token', 'x-oauth-basic'])(
    'as HTTP Basic with a key in the place of the user and %j in that of the password: the key does not come back',
    (password) => {
      const { secrets } = applied({ type: 'basic', username: 'sk-live-1', password });
      expect(secrets).toEqual(['sk-live-1', `sk-live-1:${password}`]);
    },
  );

  test('as a header, which replaces the one that was there', () => {
    expect(applied({ type: 'header', name: 'X-API-Key', value: 'k 1' }, undefined, stale).headers).toEqual({
      ...stale,
      'x-api-key': 'k 1',
    });
  });

  test.for<readonly [string, string, readonly string[]]>([
    ['X-Api-Key', 'k-1', []],
    ['Authorization', 'Bearer t-1', ['t-1']],
    ['X-Auth', 'Token  t-1==', ['t-1==']],
    ['Authorization', 'Token token="t-1", id=a', ['token="t-1", id=a', 't-1', 'a']],
    ['Authorization', 'basic dTpwOnc=', ['dTpwOnc=', 'u:p:w', 'p:w']],
    ['Cookie', 'session=t=1; lang="en"; flag', ['t=1', 'en']],
  ])('as the header %s: %s, whose parts do not come back either', ([name, value, parts]) => {
    expect(applied({ type: 'header', name, value }).secrets).toEqual([value, ...parts]);
  });

  test('as a parameter, which replaces all that were there, in whatever case', () => {
    const { href } = applied(
      { type: 'query', name: 'apiKey', value: 'k&a=2#' },
      'https://h/p?apiKey=x&a=1&apiKey=y&apikey=z&%41piKEY=w',
    );
    expect([...new URL(href).searchParams]).toEqual([
      ['a', '1'],
      ['apiKey', 'k&a=2#'],
    ]);
    expect(new URL(href).hash).toBe('');
  });

  test('as a parameter, which leaves spaces and pluses what they are to every reader', () => {
    const { href } = applied({ type: 'query', name: 'key', value: 'k k+k' }, 'https://h/p?q=a%20b%2Bc');
    expect(href).toBe('https://h/p?q=a%20b%2Bc&key=k%20k%2Bk');
  });

  test('whatever the caller sent, never twice', () => {
    for (const value of [
      { type: 'bearer', token: 't' },
      { type: 'header', name: 'Authorization', value: 't' },
    ]) {
      const names = Object.keys(applied(value, undefined, stale).headers);
      expect(names.filter((name) => name.toLowerCase() === 'authorization')).toEqual(['authorization']);
    }
  });
});

describe('a secret that is too short for an echo of it to be seen', () => {
  const oauth2 = { type: 'oauth2', token_url: 'https://a/', client_id: 'client-id' };
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  test.for<readonly [string, unknown, boolean]>([
    ['is a token of 7 characters', { type: 'bearer', token: 'seven77' }, true],
    ['is none of 8', { type: 'bearer', token: 'eight888' }, false],
    ['is a password of 7', { type: 'basic', username: 'somebody', password: 'seven77' }, true],
    ['is none of 8', { type: 'basic', username: 'u', password: 'eight888' }, false],
    ['is no password of 4 that take 8 bytes', { type: 'basic', username: 'u', password: 'ääää' }, false],
    ['is no key in the place of the user', { type: 'basic', username: 'eight888', password: '' }, false],
    ['is a short one there', { type: 'basic', username: 'seven77', password: 'x' }, true],
    ['is a header of 7', { type: 'header', name: 'x-key', value: 'seven77' }, true],
    ['is what follows a scheme', { type: 'header', name: 'x-key', value: 'Token seven77' }, true],
    ['is none of 8 there', { type: 'header', name: 'x-key', value: 'Token eight888' }, false],
    ['is no cookie beside a short one', { type: 'header', name: 'Cookie', value: 'a=1; b=eight888' }, false],
    [
      'is a password of 7 in a header',
      { type: 'header', name: 'Authorization', value: basic('u:seven77') },
      true,
    ],
    [
      'is a key in the place of the user',
      { type: 'header', name: 'x-key', value: basic('eight888:x') },
      false,
    ],
    ['is none of 8 after no name', { type: 'header', name: 'x-key', value: basic('eight888') }, false],
    ['is a parameter of 7', { type: 'query', name: 'key', value: 'seven77' }, true],
    ['is the secret of a client', { ...oauth2, client_secret: 'seven77' }, true],
    ['is none of 8 there', { ...oauth2, client_secret: 'eight888' }, false],
  ])('%s: %j', ([, value, isShort]) => {
    const parsed = parseCredential(JSON.stringify(value));
    expect(parsed.ok && isTooShort(parsed.value)).toBe(isShort);
  });
});

describe('a value that is refused, with an error that does not repeat it', () => {
  const bad = 'CANARY';
  test.for<readonly [string, unknown]>([
    ['no JSON', bad],
    ['an array', [bad]],
    ['no type', { token: bad }],
    ['an unknown type', { type: 'oauth1', token_url: bad, client_id: bad, client_secret: bad }],
    ['a client with a malformed id', { type: 'oauth2', token_url: bad, client_id: '', client_secret: bad }],
    ['a place that is no URL', { type: 'bearer', token: bad, url: bad }],
    ['a place that is no text', { type: 'bearer', token: bad, url: 1 }],
    ['a type in another case', { type: 'Bearer', token: bad }],
    ['no token', { type: 'bearer', value: bad }],
    ['an empty token', { type: 'bearer', token: '' }],
    ['a token that is a number', { type: 'bearer', token: 1 }],
    ['a token with a line feed', { type: 'bearer', token: `${bad}\nX-Admin: 1` }],
    ['a token with CRLF', { type: 'bearer', token: `${bad}\r\nX-Admin: 1` }],
    ['a token with a NUL', { type: 'bearer', token: `${bad}\0` }],
    ['a token with a leading space', { type: 'bearer', token: ` ${bad}` }],
    ['a token with a trailing space', { type: 'bearer', token: `${bad} ` }],
    ['a token with a trailing line feed', { type: 'bearer', token: `${bad}\n` }],
    ['a token beyond ASCII', { type: 'bearer', token: `${bad}é` }],
    ['a value with a line feed', { type: 'header', name: 'x-key', value: `${bad}\n` }],
    ['no name', { type: 'header', value: bad }],
    ['an empty name', { type: 'header', name: '', value: bad }],
    ['an empty parameter', { type: 'query', name: '', value: bad }],
    ['a name with a colon', { type: 'header', name: 'x:y', value: bad }],
    ['a name with a space', { type: 'header', name: 'x y', value: bad }],
    ['a name with a line feed', { type: 'header', name: 'x\nhost', value: bad }],
    ...[
      'Host',
      'content-length',
      'Content-Type',
      'Content-Encoding',
      'Transfer-Encoding',
      'Connection',
      'TE',
      'Trailer',
      'Upgrade',
      'Keep-Alive',
      'Expect',
      'Mcp-Session-Id',
      'Mcp-Name',
      'MCP-Protocol-Version',
    ].map((name) => [`the header ${name}`, { type: 'header', name, value: bad }] as const),
    ['no user', { type: 'basic', password: bad }],
    ['no password', { type: 'basic', username: 'u' }],
    ['a user with a colon', { type: 'basic', username: `u:${bad}`, password: bad }],
    ['a password that is a list', { type: 'basic', username: 'u', password: [bad] }],
  ])('%s', ([, value]) => {
    const parsed = parseCredential(typeof value === 'string' ? value : JSON.stringify(value));
    expect(parsed).toEqual({ ok: false, error: expect.any(String) });
    expect(JSON.stringify(parsed)).not.toContain(bad);
  });

  test.for<readonly [string, string, string]>([
    ['a binding in another case', 'Url', ' `Url`'],
    ['a binding with a typing error', 'uri', ' `uri`'],
    ['a secret in the place of a name', 'CANARY-1', ''],
  ])('%s: a member that is not known', ([, name, named]) => {
    const members = [
      { type: 'bearer', token: 't' },
      { type: 'basic', username: 'u', password: 'p' },
      { type: 'header', name: 'x-key', value: 'v' },
      { type: 'query', name: 'key', value: 'v' },
    ];
    for (const value of members) {
      const text = JSON.stringify({ ...value, [name]: 'https://api.example.com/' });
      expect(parseCredential(text)).toEqual({
        ok: false,
        error: `there is a member that is not known${named}`,
      });
    }
  });

  test('a duplicate member', () => {
    expect(parseCredential('{"type":"bearer","token":"a","token":"b"}').ok).toBe(false);
  });
});

test('a parsed credential prints nothing of its secret', () => {
  for (const value of [
    { type: 'bearer', token: 'CANARY' },
    { type: 'basic', username: 'u', password: 'CANARY' },
    { type: 'header', name: 'x-key', value: 'CANARY' },
    { type: 'query', name: 'key', value: 'CANARY' },
  ]) {
    const credential = parseCredential(JSON.stringify(value));
    expect(credential.ok).toBe(true);
    expect(inspect(credential, { depth: 9 }) + JSON.stringify(credential)).not.toContain('CANARY');
  }
});

test.for<readonly [string | undefined, string, boolean]>([
  [undefined, 'https://any.example.com/x', true],
  ['https://api.example.com', 'https://api.example.com/v2/a', true],
  ['https://api.example.com/v2', 'https://api.example.com/v2', true],
  ['https://api.example.com/v2/', 'https://api.example.com/v2', true],
  ['https://api.example.com/v2/', 'https://api.example.com/v2/a?b', true],
  ['https://api.example.com/v2', 'https://api.example.com/v20', false],
  ['https://api.example.com/v2', 'https://api.example.com/', false],
  ['https://api.example.com/v2', 'http://api.example.com/v2', false],
  ['https://api.example.com/v2', 'https://api.example.com:8443/v2', false],
  ['https://api.example.com/v2', 'https://api.example.com.evil.example/v2', false],
])('a credential for %s may go to %s: %s', ([url, target, may]) => {
  const parsed = parseCredential(JSON.stringify({ type: 'bearer', token: 't', url }));
  if (!parsed.ok) throw new Error(parsed.error);
  expect(mayGoTo(parsed.value, new URL(target))).toBe(may);
});
