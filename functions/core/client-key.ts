import { constants, createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { isJsonObject, parseJsonText, stringMember } from './json.ts';
import { err, ok, type Result } from './result.ts';
import type { Secret } from './secret.ts';

/** A private key of a client of ours at another party's token endpoint, ready to sign. */
export type ClientKey = {
  readonly algorithm: 'RS256' | 'PS256' | 'ES256';
  /** Its own `kid`, else its RFC 7638 thumbprint. */
  readonly keyId: string;
  /** The signature, encoded, over a compact JWS's first two parts. */
  sign(signingInput: string): string;
};

const MIN_RSA_BITS = 2048;

/**
 * Reads a private key: a JWK (RFC 7517) or a PEM of PKCS#8, RSA of at least 2048 bits (RS256, or PS256 where the JWK's `alg` says so) or
 * P-256 (ES256). The error names what is wrong and never what was read.
 */
export function readClientKey(text: Secret): Result<ClientKey, string> {
  const parsed = parseJsonText(text.reveal());
  const jwk = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
  const key = importKey(text.reveal(), jwk !== undefined);
  if (key === undefined) return err('`private_key` is neither a private JWK nor a PEM of PKCS#8');
  const algorithm = algorithmOf(key, stringMember(jwk, 'alg'));
  if (algorithm === undefined) {
    return err(
      '`private_key` is no RSA key of 2048 bits or more for RS256 or PS256, and no P-256 key for ES256',
    );
  }
  return ok({
    algorithm,
    keyId: stringMember(jwk, 'kid') ?? thumbprintOf(key),
    sign(signingInput) {
      const options =
        algorithm === 'ES256'
          ? ({ key, dsaEncoding: 'ieee-p1363' } as const)
          : {
              key,
              ...(algorithm === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}),
            };
      return sign('sha256', Buffer.from(signingInput), options).toString('base64url');
    },
  });
}

function importKey(text: string, isJwk: boolean): KeyObject | undefined {
  try {
    return isJwk ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' }) : createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function algorithmOf(key: KeyObject, named: string | undefined): ClientKey['algorithm'] | undefined {
  const details = key.asymmetricKeyDetails;
  const isRsa = key.asymmetricKeyType === 'rsa' && Number(details?.modulusLength) >= MIN_RSA_BITS;
  const isP256 = key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1';
  const fitting = [...(isRsa ? (['RS256', 'PS256'] as const) : []), ...(isP256 ? (['ES256'] as const) : [])];
  return named === undefined ? fitting[0] : fitting.find((algorithm) => algorithm === named);
}

/** RFC 7638 §3: the required members alone, in the order of their names. */
function thumbprintOf(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = createPublicKey(key).export({ format: 'jwk' });
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
