import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { CompactJws } from './compact-jws.ts';
import type { ForeignKey } from './ports.ts';

/** The algorithms that a token of somebody else may be signed with (RFC 7518 §3.1). */
export const FOREIGN_ALGORITHMS = ['RS256', 'PS256', 'ES256'] as const;

/** One of {@link FOREIGN_ALGORITHMS}. */
export type ForeignAlgorithm = (typeof FOREIGN_ALGORITHMS)[number];

const MIN_RSA_BITS = 2048;
/** Verifying costs by the square of the length; nobody signs tokens with more. */
const MAX_RSA_BITS = 8192;
/** Verifying costs by the length of the exponent too: one as long as the modulus is over a hundred times the work of 65537. */
const MAX_RSA_EXPONENT = 2n ** 32n;

/** Is the name, compared as it stands, one of the accepted algorithms? */
export function isForeignAlgorithm(name: unknown): name is ForeignAlgorithm {
  return FOREIGN_ALGORITHMS.some((known) => known === name);
}

/**
 * Is the key made for the algorithm: its type and curve, its own `alg` and `use` where it says so? Does NOT look at the numbers in it.
 */
export function fitsAlgorithm(key: ForeignKey, algorithm: ForeignAlgorithm): boolean {
  const isOfType =
    algorithm === 'ES256' ? key['kty'] === 'EC' && key['crv'] === 'P-256' : key['kty'] === 'RSA';
  const isForIt = key['alg'] === undefined || key['alg'] === algorithm;
  return isOfType && isForIt && (key['use'] === undefined || key['use'] === 'sig');
}

/** Could any accepted signature be verified with this key? No where {@link isSignedBy} would always say no. */
export function isUsableKey(key: ForeignKey): boolean {
  return (
    FOREIGN_ALGORITHMS.some((algorithm) => fitsAlgorithm(key, algorithm)) && importKey(key) !== undefined
  );
}

/** Did this key sign? No where the key is malformed, too weak (RFC 7518 §3.3: 2048 bits), too costly (an exponent beyond 2^32) or does not fit the algorithm. */
export function isSignedBy(jws: CompactJws, key: ForeignKey, algorithm: ForeignAlgorithm): boolean {
  if (!fitsAlgorithm(key, algorithm)) return false;
  const publicKey = importKey(key);
  if (publicKey === undefined) return false;
  return verify('sha256', jws.signingInput, { key: publicKey, ...optionsOf(algorithm) }, jws.signature);
}

function optionsOf(algorithm: ForeignAlgorithm) {
  switch (algorithm) {
    case 'RS256':
      return { padding: constants.RSA_PKCS1_PADDING };
    case 'PS256':
      return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    case 'ES256':
      return { dsaEncoding: 'ieee-p1363' } as const;
  }
}

/** Takes the public members and nothing else; undefined where they are no key, or a weak one. */
function importKey({ kty, n, e, crv, x, y }: ForeignKey): KeyObject | undefined {
  const jwk = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y };
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
  // A key on a curve has neither.
  const { modulusLength = 0, publicExponent = 0n } = { ...key.asymmetricKeyDetails };
  if (key.asymmetricKeyType === 'ec') return key;
  // With an exponent of 1 a signature is its own padding: anybody can write one.
  const isSound = publicExponent >= 3n && publicExponent <= MAX_RSA_EXPONENT;
  return isSound && modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS ? key : undefined;
}
