import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { readClientKey } from '../../functions/core/client-key.ts';
import { Secret } from '../../functions/core/secret.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwkOf = (key: KeyObject, more: object = {}) =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });

describe('a private key signs', () => {
  test.for([
    ['RS256', 'a PEM', pemOf(rsa), rsa],
    ['ES256', 'a PEM', pemOf(p256), p256],
    ['RS256', 'a JWK', jwkOf(rsa), rsa],
    ['PS256', 'a JWK that says so', jwkOf(rsa, { alg: 'PS256' }), rsa],
    ['ES256', 'a JWK', jwkOf(p256, { alg: 'ES256' }), p256],
  ] as const)('%s: %s', async ([algorithm, , text, key]) => {
    const read = readClientKey(new Secret(text));
    if (!read.ok) throw new Error(read.error);
    expect(read.value.algorithm).toBe(algorithm);
    const input = [{ alg: algorithm }, { iss: 'me' }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const verified = await compactVerify(`${input}.${read.value.sign(input)}`, createPublicKey(key));
    expect(JSON.parse(Buffer.from(verified.payload).toString())).toEqual({ iss: 'me' });
  });

  test('under its own `kid`, else under its thumbprint', async () => {
    const named = readClientKey(new Secret(jwkOf(rsa, { kid: 'k-1' })));
    expect(named.ok && named.value.keyId).toBe('k-1');
    for (const key of [rsa, p256]) {
      const read = readClientKey(new Secret(pemOf(key)));
      const jwk = createPublicKey(key).export({ format: 'jwk' });
      expect(read.ok && read.value.keyId).toBe(
        await calculateJwkThumbprint({ ...jwk, kty: String(jwk.kty) }),
      );
    }
  });
});

test.for<readonly [string, string]>([
  ['no key', 'not a key'],
  ['a JWK of nothing', '{"kty":"RSA"}'],
  ['a public JWK', JSON.stringify(createPublicKey(p256).export({ format: 'jwk' }))],
  ['a JSON text', '"x"'],
  ['RSA of 1024 bits', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
  ['another curve', pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)],
  ['another kind', pemOf(generateKeyPairSync('ed25519').privateKey)],
  ['another algorithm', jwkOf(rsa, { alg: 'RS512' })],
  ['an algorithm of another kind', jwkOf(p256, { alg: 'RS256' })],
])('%s is refused, and nothing of it is in the error', ([, text]) => {
  const read = readClientKey(new Secret(text));
  if (read.ok) throw new Error('read');
  expect(read.error).toMatch(/^`private_key` is n/);
});
