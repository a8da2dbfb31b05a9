import { describe, expect, test } from 'vitest';
import { parseJsonText } from '../../functions/core/json.ts';
import { readJwks } from '../../functions/core/jwks.ts';

const RSA = { kty: 'RSA', kid: 'a', n: 'n-1', e: 'AQAB' };
const EC = { kty: 'EC', kid: 'b', crv: 'P-256', x: 'x-1', y: 'y-1' };

function keysOf(document: unknown) {
  const parsed = parseJsonText(JSON.stringify(document));
  if (!parsed.ok) throw new Error('the test wrote no JSON');
  return readJwks(parsed.value);
}

describe('a set of keys', () => {
  test('gives its keys in their order, and of each the members that a verifier needs', () => {
    const described = { ...RSA, use: 'sig', alg: 'RS256', x5c: ['MIIB'], x5t: 't', issuer: 'https://x' };
    expect(keysOf({ keys: [described, EC], extra: 1 })).toEqual([{ ...RSA, use: 'sig', alg: 'RS256' }, EC]);
  });

  test.for([
    ['is for encryption', { ...RSA, use: 'enc' }],
    ['is for nothing that is known', { ...RSA, use: '' }],
    ['is for other operations', { ...RSA, key_ops: ['encrypt'] }],
    ['has operations that are no list', { ...RSA, key_ops: 'verify' }],
    ['is symmetric', { kty: 'oct', kid: 'a', k: 'secret' }],
    ['is symmetric in disguise', { ...RSA, k: 'secret' }],
    ['shows its private half', { ...RSA, d: 'private' }],
    ['shows a factor', { ...RSA, p: 'private' }],
    ['is of a type that nobody knows', { ...RSA, kty: 'XYZ' }],
    ['is of a type on no curve of ours', { kty: 'OKP', crv: 'Ed25519', x: 'x' }],
    ['has no type', { kid: 'a', n: 'n', e: 'e' }],
    ['has an id that is a number', { ...RSA, kid: 1 }],
    ['has an algorithm that is null', { ...RSA, alg: null }],
    ['is no object', 'key'],
    ['is null', null],
  ] as const)('passes over a key that %s', ([, key]) => {
    expect(keysOf({ keys: [key, EC] })).toEqual([EC]);
  });

  test('may say that a key verifies, and may be empty', () => {
    expect(keysOf({ keys: [{ ...RSA, key_ops: ['verify'] }] })).toEqual([RSA]);
    expect(keysOf({ keys: [] })).toEqual([]);
  });

  test.for([
    ['an array', [RSA]],
    ['one key', RSA],
    ['an object of keys', { keys: { a: RSA } }],
    ['null', null],
    ['a text', 'keys'],
    ['a set of 101 keys', { keys: Array.from({ length: 101 }, () => RSA) }],
  ] as const)('is not %s', ([, document]) => {
    expect(keysOf(document)).toBe(undefined);
  });
});
