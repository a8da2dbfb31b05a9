import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { VerifiedRunToken } from '../../functions/core/run-token.ts';
import { ServiceRun } from '../../functions/core/service-run.ts';
import { KeySet, type PublicKey } from '../../functions/core/signed-token.ts';
import { type TokenKind, VerifiedToken } from '../../functions/core/token.ts';
import { MADE_KEYS } from './made-keys.ts';

/** The origin of the deployment that the tests speak of, and the second at which their clock stands. */
export const ORIGIN = 'https://gate.example.com';
export const NOW_SECONDS = 1_800_000_000;

/** A private key and what is published of it. */
export type TestKey = { readonly privateKey: KeyObject; readonly published: PublicKey };

/** Members to set or, by `undefined`, to take away. */
export type Changes = Readonly<Record<string, unknown>>;

/** Keys that nobody in this worker has yet. */
const made: string[] = JSON.parse(process.env[MADE_KEYS] ?? '[]');

/** Makes an RSA key that no other in this worker is, and whose id is its RFC 7638 thumbprint. */
export function makeKey(purpose: PublicKey['purpose']): TestKey {
  const pem = made.pop();
  const privateKey =
    pem === undefined
      ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
      : createPrivateKey(pem);
  const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const keyId = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  return { privateKey, published: { keyId, purpose, n, e } };
}

/** Signs whatever it is given, with real keys: honest tokens and every forgery. */
export class TestIssuer {
  readonly access = makeKey('access');
  readonly identity = makeKey('identity');
  readonly keys = new KeySet([this.access.published, this.identity.published]);

  /** A compact JWS over any two texts or bytes. */
  sign(header: string | Uint8Array, payload: string | Uint8Array, key: TestKey = this.access): string {
    const input = `${encode(header)}.${encode(payload)}`;
    return `${input}.${sign('RSA-SHA256', Buffer.from(input), key.privateKey).toString('base64url')}`;
  }

  header(changes: Changes = {}, key: TestKey = this.access): string {
    const typ = key.published.purpose === 'access' ? 'at+jwt' : 'JWT';
    return JSON.stringify({ alg: 'RS256', typ, kid: key.published.keyId, ...changes });
  }

  claims(changes: Changes = {}): string {
    return JSON.stringify({
      iss: ORIGIN,
      sub: 'courier',
      aud: ORIGIN,
      client_id: 'courier',
      scope: '',
      org_id: 'acme',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 300,
      jti: 'j-1',
      token_kind: 'session',
      ...changes,
    });
  }

  /** An honest access token but for the changes. */
  accessToken(claims: Changes = {}, header: Changes = {}): string {
    return this.sign(this.header(header), this.claims(claims));
  }

  /** An honest identity token but for the changes. */
  identityToken(claims: Changes = {}, header: Changes = {}): string {
    const payload = this.claims({ token_kind: 'identity', ...claims });
    return this.sign(this.header(header, this.identity), payload, this.identity);
  }

  /** An honest token of the run `run-1`, for the context store alone, but for the changes. */
  runToken(claims: Changes = {}, key: TestKey = this.access): string {
    const payload = this.claims({
      sub: 'run-1',
      aud: ['context-store'],
      client_id: 'coordinator',
      scope: undefined,
      exp: NOW_SECONDS + 600,
      token_kind: 'run',
      permissions: ['read', 'write'],
      services: { 'context-store': { namespace: 'alpha' } },
      ...claims,
    });
    return this.sign(this.header({ typ: 'JWT' }, key), payload, key);
  }

  /** That run as the context store sees it; the claims must be ones that hold. */
  run(claims: Changes = {}): ServiceRun {
    const expected = { issuer: ORIGIN, keys: this.keys, nowSeconds: NOW_SECONDS };
    const verified = VerifiedRunToken.verify(this.runToken(claims), expected);
    if (!verified.ok) throw new Error(`the test's own run token is refused: ${verified.error.detail}`);
    return new ServiceRun(verified.value, 'context-store');
  }

  verify(compact: string, nowSeconds = NOW_SECONDS, kind: TokenKind = 'access') {
    return VerifiedToken.verify(compact, { kind, issuer: ORIGIN, keys: this.keys, nowSeconds });
  }

  /** A verified token; the claims must be ones that hold. */
  verified(claims: Changes = {}): VerifiedToken {
    const verified = this.verify(this.accessToken(claims));
    if (!verified.ok) throw new Error(`the test's own token is refused: ${verified.error.detail}`);
    return verified.value;
  }
}

function encode(part: string | Uint8Array): string {
  return Buffer.from(part).toString('base64url');
}
