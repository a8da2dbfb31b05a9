import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCredential } from '../../functions/core/credential.ts';
import { checkOAuthClient, type OAuthClient, secretsOf } from '../../functions/core/oauth-client.ts';

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const CLIENT = {
  type: 'oauth2',
  token_url: 'https://auth.example.com/token',
  client_id: 'gateway',
  client_secret: 's3cret-word',
};
const { client_secret: _, ...WITHOUT_SECRET } = CLIENT;
const SIGNING = { ...WITHOUT_SECRET, auth: 'private_key_jwt', private_key: jwk };

function clientOf(value: unknown): OAuthClient {
  const credential = parseCredential(JSON.stringify(value));
  if (!credential.ok || credential.value.type !== 'oauth2') throw new Error('no client');
  return credential.value.client;
}

describe('a secret of the type oauth2', () => {
  test('is a client that authenticates by HTTP Basic unless it says another way', () => {
    expect(clientOf(CLIENT)).toMatchObject({
      tokenUrl: 'https://auth.example.com/token',
      clientId: 'gateway',
      auth: { method: 'client_secret_basic' },
      parameters: [],
    });
    expect(clientOf({ ...CLIENT, auth: 'client_secret_post' }).auth.method).toBe('client_secret_post');
  });

  test('asks for what it names, each once', () => {
    const named = { scope: 'gw/genesis-gateway:invoke', audience: 'https://api', resource: 'https://r' };
    const parameters = { aws_client_metadata: '{"tenant":"acme"}' };
    expect(clientOf({ ...CLIENT, ...named, parameters }).parameters).toEqual([
      ...Object.entries(named),
      ...Object.entries(parameters),
    ]);
  });

  test.for([
    ['a JWK', SIGNING],
    ['a JWK as text', { ...SIGNING, private_key: JSON.stringify(jwk) }],
  ] as const)('holds a private key as %s', ([, value]) => {
    const client = clientOf(value);
    expect(client.auth).toMatchObject({ method: 'private_key_jwt', keyId: undefined });
    expect(checkOAuthClient(client)).toEqual({ ok: true, value: undefined });
    const [whole, exponent] = secretsOf(client).map((secret) => secret.reveal());
    expect([JSON.parse(whole ?? ''), exponent]).toEqual([jwk, jwk.d]);
  });

  test('names its key where the key does not', () => {
    expect(clientOf({ ...SIGNING, key_id: 'k-1' }).auth).toMatchObject({ keyId: 'k-1' });
  });

  test('has nothing to check where it has a client secret, which is its secret', () => {
    expect(checkOAuthClient(clientOf(CLIENT)).ok).toBe(true);
    expect(secretsOf(clientOf({ ...SIGNING, private_key: 'PEM' })).map(String)).toHaveLength(1);
    expect(secretsOf(clientOf(CLIENT)).map((secret) => secret.reveal())).toEqual(['s3cret-word']);
  });

  test('with a key that cannot sign is found out when it is looked at', () => {
    expect(checkOAuthClient(clientOf({ ...SIGNING, private_key: 'none' })).ok).toBe(false);
  });

  test.for<readonly [string, Readonly<Record<string, unknown>>]>([
    ['a member that nobody knows', { client_secrets: 'x' }],
    ['no token URL', { token_url: undefined }],
    ['a token URL that is no text', { token_url: 1 }],
    ['no client id', { client_id: '' }],
    ['a client id with a line break', { client_id: 'a\nb' }],
    ['no secret', { client_secret: undefined }],
    ['an empty secret', { client_secret: '' }],
    ['another way to authenticate', { auth: 'tls_client_auth' }],
    ['a way that is no text', { auth: null }],
    ['a secret and a key', { auth: 'private_key_jwt', private_key: jwk }],
    ['a key that is not meant', { private_key: jwk }],
    ['a name of a key that is not there', { key_id: 'k-1' }],
    ['no key', { auth: 'private_key_jwt', client_secret: undefined }],
    [
      'an empty name of a key',
      { auth: 'private_key_jwt', client_secret: undefined, private_key: jwk, key_id: '' },
    ],
    ['a scope that is a list', { scope: ['a'] }],
    ['an empty audience', { audience: '' }],
    ['parameters in a list', { parameters: [] }],
    ['a parameter that is a number', { parameters: { a: 1 } }],
    ['a parameter without a name', { parameters: { '': 'a' } }],
    ['another grant by a parameter', { parameters: { grant_type: 'password' } }],
    ['another client by a parameter', { parameters: { client_id: 'x' } }],
    ['a scope by a parameter', { parameters: { scope: 'x' } }],
  ])('is refused with %s, and nothing of it is in the error', ([, changes]) => {
    const parsed = parseCredential(JSON.stringify({ ...CLIENT, ...changes }));
    if (parsed.ok) throw new Error('parsed');
    expect(parsed.error).not.toMatch(/s3cret|gateway|example/);
  });
});
