import { describe, expect, test } from 'vitest';
import { readClientCredentials, readForm, secretMatches } from '../../functions/core/client-auth.ts';
import { Secret } from '../../functions/core/secret.ts';

const basic = (pair: string | Uint8Array, scheme = 'Basic') =>
  `${scheme} ${Buffer.from(pair).toString('base64')}`;
const form = (members: Readonly<Record<string, string>> = {}) => new Map(Object.entries(members));

describe('credentials in the header', () => {
  test.for([
    ['plain', 'courier:s3cret', 'courier', ['s3cret']],
    ['with colons in the secret', 'courier:a:b:c', 'courier', ['a:b:c']],
    ['form-encoded', 'https%3A%2F%2Fc.example.com:a%2Bb', 'https://c.example.com', ['a+b', 'a%2Bb']],
    ['in UTF-8', 'courier:p%C3%A4ss', 'courier', ['päss', 'p%C3%A4ss']],
    ['as curl sends it, not encoded at all', 'courier:a+b/c%', 'courier', ['a+b/c%']],
    ['not encoded, and another text if it were', 'courier:a+b', 'courier', ['a b', 'a+b']],
  ] as const)('%s', ([, pair, clientId, secrets]) => {
    expect(readClientCredentials(basic(pair), form())).toEqual({
      ok: true,
      value: { method: 'client_secret_basic', clientId, secrets },
    });
  });

  test('have a scheme in any case', () => {
    for (const scheme of ['basic', 'BASIC', 'bAsIc']) {
      expect(readClientCredentials(basic('a:b', scheme), form()).ok).toBe(true);
    }
  });

  test('may be repeated by the id in the body, if it is the same', () => {
    expect(readClientCredentials(basic('a:b'), form({ client_id: 'a' })).ok).toBe(true);
    expect(readClientCredentials(basic('a:b'), form({ client_id: 'x' }))).toMatchObject({
      error: { error: 'invalid_request' },
    });
  });

  test.for([
    ['nothing', ''],
    ['another scheme', 'Bearer YTpi'],
    ['no scheme', 'YTpi'],
    ['the scheme alone', 'Basic'],
    ['the scheme and a space', 'Basic '],
    ['two spaces', 'Basic  YTpi'],
    ['a tab', 'Basic\tYTpi'],
    ['no Base64', 'Basic %%%'],
    ['the URL alphabet', 'Basic _-_-'],
    ['no colon', basic('courier')],
    ['no id', basic(':secret')],
    ['no secret', basic('courier:')],
    ['a colon alone', basic(':')],
    ['a broken encoding of the id', basic('%zz:secret')],
    ['two of them', `${basic('a:b')}, ${basic('a:b')}`],
    ['bytes after it', `${basic('a:b')} x`],
    ['a line feed after it', `${basic('a:b')}\n`],
  ] as const)('are refused: %s', ([, header]) => {
    const read = readClientCredentials(header, form());
    expect(read).toMatchObject({ ok: false, error: { error: 'invalid_client' } });
  });

  test('without a secret say that it is missing: its variable was perhaps not set', () => {
    expect(readClientCredentials(basic('courier:'), form())).toMatchObject({
      error: { error: 'invalid_client', description: expect.stringContaining('have no secret') },
    });
  });

  test('are never looked for elsewhere once a header is there', () => {
    for (const header of ['Basic !', 'Bearer x', '']) {
      expect(readClientCredentials(header, form({ client_id: 'a' }))).toMatchObject({
        error: { error: 'invalid_client' },
      });
    }
  });
});

describe('credentials in the body', () => {
  test('are both members', () => {
    expect(readClientCredentials(null, form({ client_id: 'a', client_secret: 'b:+%' }))).toEqual({
      ok: true,
      value: { method: 'client_secret_post', clientId: 'a', secrets: ['b:+%'] },
    });
  });

  test.for<Readonly<Record<string, string>>>([
    {},
    { client_secret: 'b' },
    { CLIENT_ID: 'a', CLIENT_SECRET: 'b' },
  ])('are missing from %j', (members) => {
    expect(readClientCredentials(null, form(members))).toMatchObject({
      error: { error: 'invalid_client' },
    });
  });

  test('beside a header are two ways at once', () => {
    for (const header of [basic('a:b'), 'Bearer x', '']) {
      expect(readClientCredentials(header, form({ client_id: 'a', client_secret: 'b' }))).toMatchObject({
        error: { error: 'invalid_request' },
      });
    }
  });
});

describe('an id alone', () => {
  test('is a client that proves nothing', () => {
    expect(readClientCredentials(null, form({ client_id: 'a', grant_type: 'x' }))).toEqual({
      ok: true,
      value: { method: 'none', clientId: 'a' },
    });
  });
});

describe('an assertion', () => {
  const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const named = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.AA`;
  const read = (members: Readonly<Record<string, string>>, header: string | null = null) =>
    readClientCredentials(header, form(members));

  test('names its client in the body or by itself', () => {
    const assertion = named({ iss: 'signer' });
    expect(read({ client_assertion_type: TYPE, client_assertion: assertion })).toEqual({
      ok: true,
      value: { method: 'private_key_jwt', clientId: 'signer', assertion },
    });
    const other = read({ client_id: 'a', client_assertion_type: TYPE, client_assertion: assertion });
    expect(other).toMatchObject({ value: { method: 'private_key_jwt', clientId: 'a', assertion } });
  });

  test.for<readonly [string, Readonly<Record<string, string>>, string]>([
    ['without a type', { client_id: 'a', client_assertion: 'x' }, 'invalid_request'],
    ['that is only a type', { client_id: 'a', client_assertion_type: TYPE }, 'invalid_request'],
    ['of another type', { client_assertion_type: 'saml2-bearer', client_assertion: 'x' }, 'invalid_client'],
    ['that names nobody', { client_assertion_type: TYPE, client_assertion: named({}) }, 'invalid_client'],
    ['that is none', { client_assertion_type: TYPE, client_assertion: 'x' }, 'invalid_client'],
    [
      'whose name is no text',
      { client_assertion_type: TYPE, client_assertion: named({ iss: [1] }) },
      'invalid_client',
    ],
  ])('is refused: one %s', ([, members, error]) => {
    expect(read(members)).toMatchObject({ ok: false, error: { error } });
  });

  test('beside another way is two ways at once', () => {
    const assertion = { client_assertion_type: TYPE, client_assertion: named({ iss: 'a' }) };
    const tries = [
      read({ ...assertion, client_id: 'a', client_secret: 'b' }),
      read(assertion, basic('a:b')),
      read({ client_assertion_type: TYPE }, basic('a:b')),
      read({ client_assertion: 'x', client_secret: 'b' }),
    ];
    for (const one of tries) expect(one).toMatchObject({ error: { error: 'invalid_request' } });
  });
});

describe('a secret', () => {
  const live = [new Secret('current'), new Secret('previous')];

  test('is any of the live ones, whole', () => {
    for (const presented of ['current', 'previous']) expect(secretMatches([presented], live)).toBe(true);
    for (const presented of ['Current', 'curren', 'current ', 'currentprevious', '[secret]', '']) {
      expect(secretMatches([presented], live)).toBe(false);
    }
  });

  test('matches in any of its readings, and in no other', () => {
    expect(secretMatches(['curr ent', 'current'], live)).toBe(true);
    expect(secretMatches(['curr ent', 'curr+ent'], live)).toBe(false);
    expect(secretMatches([], live)).toBe(false);
  });

  test('is none where none is live, or where the live one is empty', () => {
    for (const presented of ['', 'x', 'undefined', '[secret]']) {
      expect(secretMatches([presented], [])).toBe(false);
      expect(secretMatches([presented], [new Secret('')])).toBe(false);
    }
  });
});

describe('a form', () => {
  test('has its parameters decoded, those without a value left out, and resources in a list', () => {
    const read = readForm(
      'grant_type=client_credentials&scope=a%2Fread+b&empty=&resource=x&other&resource=y',
    );
    expect(read).toEqual({
      ok: true,
      value: { form: form({ grant_type: 'client_credentials', scope: 'a/read b' }), resources: ['x', 'y'] },
    });
  });

  test.for([
    'scope=a&scope=a',
    'client_id=a&client_id=b',
    'scope=a&sc%6Fpe=b',
    '__proto__=1&__proto__=2',
    'grant_type=a&x=1&grant_type=b',
  ])('has no parameter twice: %s', (body) => {
    expect(readForm(body)).toMatchObject({ ok: false, error: { error: 'invalid_request' } });
  });

  test('names a repeated parameter in characters that an error may have', () => {
    const name = encodeURIComponent(`a"\n\u00e9${'x'.repeat(100)}`);
    const read = readForm(`${name}=1&${name}=2`);
    expect(read.ok ? '' : read.error.description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}$/);
  });

  test('keeps names apart that differ in case', () => {
    const read = readForm('scope=a&Scope=b');
    expect(read.ok && read.value.form.get('scope')).toBe('a');
  });

  test('is never broken, whatever the body', () => {
    for (const body of ['', '&&&', '=', '%', '%zz=%', '{"a":1}', '\0=\0'])
      expect(readForm(body).ok).toBe(true);
  });
});
