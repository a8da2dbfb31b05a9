import { describe, expect, test } from 'vitest';
import {
  narrowScopes,
  parseClientMetadata,
  writeClientMetadata,
} from '../../functions/core/client-metadata.ts';
import { isJsonObject, parseJsonText } from '../../functions/core/json.ts';
import { makeEcKey, makeRsaKey } from '../support/foreign-issuer.ts';

const ec = makeEcKey();
const KEY = ec.published;
const SET = { jwks: { keys: [KEY] } };
const APP = { redirect_uris: ['https://app.example.com/cb'] };
const SIGNER = { ...APP, token_endpoint_auth_method: 'private_key_jwt' };

function read(metadata: object, allowPrivate = false) {
  const parsed = parseJsonText(JSON.stringify(metadata));
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error('the test’s own metadata is no object');
  return parseClientMetadata(parsed.value, { allowPrivate });
}

describe('what a client says of itself', () => {
  test('is as little as where codes go', () => {
    expect(read(APP)).toEqual({
      ok: true,
      value: {
        clientName: undefined,
        redirectUris: APP.redirect_uris,
        auth: 'none',
        grants: ['authorization_code'],
        jwks: [],
        jwksUri: undefined,
      },
    });
  });

  test('is what Claude Code publishes', () => {
    const published = {
      client_id: 'https://claude.ai/oauth/claude-code-client-metadata',
      client_name: 'Claude Code',
      client_uri: 'https://claude.ai',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
    expect(read(published)).toMatchObject({
      value: {
        clientName: 'Claude Code',
        redirectUris: published.redirect_uris,
        grants: ['authorization_code', 'refresh_token'],
      },
    });
  });

  test('is where its keys are, or which they are', () => {
    expect(read({ ...SIGNER, ...SET })).toMatchObject({ value: { auth: 'private_key_jwt', jwks: [KEY] } });
    const uri = { jwks_uri: 'https://app.example.com/jwks' };
    expect(read({ ...SIGNER, ...uri })).toMatchObject({ value: { jwks: [], jwksUri: uri.jwks_uri } });
  });

  test.for<readonly [string, object]>([
    [
      'members that nobody reads',
      { logo_uri: 'javascript:x', scope: 'everything', tos_uri: 7, contacts: null },
    ],
    ['its keys, although it does not sign', SET],
    [
      'more grants and response types',
      { grant_types: ['implicit', 'authorization_code'], response_types: ['token', 'code'] },
    ],
    ['a name in another script', { client_name: 'کلاینت ✈️ 客户端' }],
    ['that it is a web application', { application_type: 'web' }],
    [
      'that it is a native one',
      { application_type: 'native', redirect_uris: ['http://127.0.0.1/', 'com.example.app:/cb'] },
    ],
  ])('may be %s', ([, more]) => {
    expect(read({ ...APP, ...more }).ok).toBe(true);
  });

  test('is read again as it was written', () => {
    for (const metadata of [
      APP,
      { ...SIGNER, ...SET, client_name: 'App' },
      { ...SIGNER, jwks_uri: 'https://a.example/j' },
    ]) {
      const first = read({ ...metadata, grant_types: ['refresh_token', 'authorization_code'] });
      if (!first.ok) throw new Error(first.error.description);
      expect(read(writeClientMetadata(first.value))).toEqual(first);
    }
  });
});

describe('a client is refused', () => {
  test.for<readonly [string, object]>([
    ['no redirect URI', {}],
    ['an empty list of them', { redirect_uris: [] }],
    ['a text in place of a list', { redirect_uris: 'https://app.example.com/cb' }],
    ['a number among them', { redirect_uris: ['https://app.example.com/cb', 1] }],
    [
      '21 of them',
      { redirect_uris: Array.from({ length: 21 }, (_, index) => `https://app.example.com/${index}`) },
    ],
    ['plain http', { redirect_uris: ['http://app.example.com/cb'] }],
    ['a fragment', { redirect_uris: ['https://app.example.com/cb#x'] }],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['a scheme without a dot', { redirect_uris: ['myapp:/cb'] }],
    ['one bad one among good ones', { redirect_uris: ['https://app.example.com/cb', 'data:x'] }],
    ['a web application on loopback', { application_type: 'web', redirect_uris: ['http://localhost/cb'] }],
    [
      'a web application on loopback with https',
      { application_type: 'web', redirect_uris: ['https://localhost/cb'] },
    ],
    [
      'a web application with a scheme of its own',
      { application_type: 'web', redirect_uris: ['com.example.app:/cb'] },
    ],
  ])('for its redirect URIs: %s', ([, metadata]) => {
    expect(read(metadata)).toMatchObject({ ok: false, error: { error: 'invalid_redirect_uri' } });
  });

  test.for<readonly [string, object]>([
    ['a secret', { ...APP, client_secret: 'x' }],
    ['the end of a secret', { ...APP, client_secret_expires_at: 0 }],
    ['a method with a secret', { ...APP, token_endpoint_auth_method: 'client_secret_basic' }],
    ['another method with a secret', { ...APP, token_endpoint_auth_method: 'client_secret_jwt' }],
    ['a method that is no text', { ...APP, token_endpoint_auth_method: ['none'] }],
    [
      'a method that is null',
      { ...APP, token_endpoint_auth_method: null, jwks: { keys: [{ kty: 'oct', k: 'x' }] } },
    ],
    ['a private key', { ...SIGNER, jwks: { keys: [ec.privateKey.export({ format: 'jwk' })] } }],
    [
      'a private key that it does not use',
      { ...APP, jwks: { keys: [ec.privateKey.export({ format: 'jwk' })] } },
    ],
    ['a private key beside a public one', { ...SIGNER, jwks: { keys: [KEY, { ...KEY, d: 'x' }] } }],
    ['a shared key', { ...SIGNER, jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }],
    ['signing without keys', SIGNER],
    ['signing with keys in two places', { ...SIGNER, ...SET, jwks_uri: 'https://app.example.com/jwks' }],
    ['a set without keys', { ...SIGNER, jwks: { keys: [] } }],
    ['a set that is none', { ...SIGNER, jwks: [KEY] }],
    ['a key on another curve', { ...SIGNER, jwks: { keys: [makeEcKey({}, 'P-384').published] } }],
    ['a weak key', { ...SIGNER, jwks: { keys: [makeRsaKey({}, 1024).published] } }],
    ['keys over http', { ...SIGNER, jwks_uri: 'http://app.example.com/jwks' }],
    ['keys at an address that is refused', { ...SIGNER, jwks_uri: 'https://169.254.169.254/jwks' }],
    ['keys on loopback', { ...SIGNER, jwks_uri: 'https://127.0.0.1/jwks' }],
    ['keys at no text', { ...SIGNER, jwks_uri: 7 }],
    ['no code among its grants', { ...APP, grant_types: ['client_credentials'] }],
    ['no grant at all', { ...APP, grant_types: [] }],
    ['grants that are no list', { ...APP, grant_types: 'authorization_code' }],
    ['no code among its response types', { ...APP, response_types: ['token'] }],
    ['another type of application', { ...APP, application_type: 'service' }],
    ['an empty name', { ...APP, client_name: '' }],
    ['a name of 101 characters', { ...APP, client_name: 'x'.repeat(101) }],
    ['a name of two lines', { ...APP, client_name: 'App\nTrusted by acme' }],
    ['a name that turns the text around', { ...APP, client_name: 'App \u202emoc.live' }],
    ['a name that is no text', { ...APP, client_name: { en: 'App' } }],
  ])('for %s', ([, metadata]) => {
    expect(read(metadata)).toMatchObject({ ok: false, error: { error: 'invalid_client_metadata' } });
  });

  test('but its keys may be on loopback where everything may', () => {
    expect(read({ ...SIGNER, jwks_uri: 'http://127.0.0.1:9000/jwks' }, true).ok).toBe(true);
    expect(read({ ...SIGNER, jwks_uri: 'http://169.254.169.254/jwks' }, true).ok).toBe(false);
  });
});

describe('scopes that a client asks for', () => {
  const asking = (scope: unknown) => read({ ...APP, scope });
  const scopesOf = (scope: unknown) => {
    const parsed = asking(scope);
    return parsed.ok ? parsed.value.scopes : parsed.error;
  };

  test('are a text of names, and none where it names none', () => {
    expect(scopesOf('maps/read  maps/execute')).toEqual(['maps/read', 'maps/execute']);
    expect(scopesOf('')).toBeUndefined();
    expect(scopesOf(' ')).toBeUndefined();
    expect(asking(['maps/read'])).toMatchObject({ ok: false, error: { description: '`scope` is a text' } });
  });

  test('are written as they were read', () => {
    const parsed = asking('maps/read maps/execute');
    expect(parsed.ok && writeClientMetadata(parsed.value)['scope']).toBe('maps/read maps/execute');
    const silent = read(APP);
    expect(silent.ok && 'scope' in writeClientMetadata(silent.value)).toBe(false);
  });

  test.for<readonly [string, readonly string[], readonly string[] | undefined]>([
    ['maps/read admin', ['maps/execute', 'maps/read'], ['maps/read']],
    ['admin', ['maps/read'], undefined],
    ['maps/read', [], undefined],
    ['', ['maps/read'], undefined],
  ])('of %j, where %j may be had, are %j', ([scope, open, left]) => {
    const parsed = asking(scope);
    if (!parsed.ok) throw new Error(parsed.error.description);
    expect(narrowScopes(parsed.value, open)).toEqual({ ...parsed.value, scopes: left });
  });
});
