import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { ForeignKey, ForeignKeys } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { type Changes, NOW_SECONDS } from './test-issuer.ts';

/** Keys of nobody, for a policy without IdPs. */
export const NO_FOREIGN_KEYS: ForeignKeys = { find: () => Promise.resolve(ok([])) };

/** A key of somebody else: the private half, and what its owner publishes. */
export type ForeignTestKey = { readonly privateKey: KeyObject; readonly published: ForeignKey };

/** Makes an RSA key; `published` gets `changes` on top of what an identity provider publishes. */
export function makeRsaKey(changes: Readonly<Record<string, string>> = {}, bits = 2048): ForeignTestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, published: { kty: 'RSA', use: 'sig', kid: 'rsa-1', n, e, ...changes } };
}

/** Makes a key on a curve; `published` gets `changes` on top. */
export function makeEcKey(changes: Readonly<Record<string, string>> = {}, curve = 'P-256'): ForeignTestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const { x = '', y = '', crv = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, published: { kty: 'EC', use: 'sig', kid: 'ec-1', crv, x, y, ...changes } };
}

/** The signature over an input, as the algorithm wants it. */
export function signatureOf(input: string, algorithm: string, key: KeyObject): Buffer {
  const data = Buffer.from(input);
  const hash = `sha${algorithm.slice(2)}`;
  switch (algorithm.slice(0, 2)) {
    case 'RS':
      return sign(hash, data, key);
    case 'PS':
      return sign(hash, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'ES':
      return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
    default:
      throw new Error(`no algorithm ${algorithm}`);
  }
}

/** A compact JWS over any two texts or bytes; the header names the key and the algorithm unless it is given. */
export function signForeign(
  key: ForeignTestKey,
  payload: string | Uint8Array | Changes,
  header: string | Uint8Array | Changes = {},
  algorithm = key.published['kty'] === 'EC' ? 'ES256' : 'RS256',
): string {
  const members = { alg: algorithm, typ: 'JWT', kid: key.published['kid'] };
  const first =
    typeof header === 'string' || header instanceof Uint8Array ? header : { ...members, ...header };
  const input = `${encode(first)}.${encode(payload)}`;
  return `${input}.${signatureOf(input, algorithm, key.privateKey).toString('base64url')}`;
}

/** Claims of an id token, but for the changes. */
export function foreignClaims(changes: Changes = {}): Changes {
  return {
    iss: FOREIGN_ISSUER,
    sub: 'u-1',
    aud: 'sallyport',
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 300,
    ...changes,
  };
}

/** The issuer that these tokens claim. */
export const FOREIGN_ISSUER = 'https://idp.example.com/realms/acme';

function encode(part: string | Uint8Array | Changes): string {
  const isBytes = typeof part === 'string' || part instanceof Uint8Array;
  return Buffer.from(isBytes ? part : JSON.stringify(part)).toString('base64url');
}
