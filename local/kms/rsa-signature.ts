import {
  constants,
  createHash,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  sign,
  verify,
} from 'node:crypto';
import { AwsError } from '../endpoint/aws-call.ts';

type Scheme = { readonly hash: string; readonly padding: number; readonly digestInfo: string };

const { RSA_PKCS1_PADDING: PKCS1, RSA_PKCS1_PSS_PADDING: PSS } = constants;

/** KMS's names of what an RSA key signs with. `digestInfo`: DER prefix of the digest, RFC 8017 §9.2. */
// biome-ignore format: one row per algorithm
const SCHEMES: Readonly<Record<string, Scheme>> = {
  RSASSA_PKCS1_V1_5_SHA_256: { hash: 'sha256', padding: PKCS1, digestInfo: '3031300d060960864801650304020105000420' },
  RSASSA_PKCS1_V1_5_SHA_384: { hash: 'sha384', padding: PKCS1, digestInfo: '3041300d060960864801650304020205000430' },
  RSASSA_PKCS1_V1_5_SHA_512: { hash: 'sha512', padding: PKCS1, digestInfo: '3051300d060960864801650304020305000440' },
  RSASSA_PSS_SHA_256: { hash: 'sha256', padding: PSS, digestInfo: '' },
  RSASSA_PSS_SHA_384: { hash: 'sha384', padding: PSS, digestInfo: '' },
  RSASSA_PSS_SHA_512: { hash: 'sha512', padding: PSS, digestInfo: '' },
};

/** The signing algorithms of an RSA key, by KMS's names. */
export const SIGNING_ALGORITHMS: readonly string[] = Object.keys(SCHEMES);

/** What is signed: a whole message (at most 4,096 bytes, KMS's limit) or its digest. */
export type Signable = { readonly bytes: Buffer; readonly isDigest: boolean };

/** Signs as `Sign` does. @throws AwsError where the algorithm or the message does not fit */
export function signRsa(key: KeyObject, algorithm: string, message: Signable): Buffer {
  const { hash, padding, digestInfo } = check(algorithm, message);
  if (message.isDigest) return privateEncrypt({ key, padding }, toEncoded(digestInfo, message));
  return sign(hash, message.bytes, { key, padding, ...pssSalt(padding) });
}

/** Verifies as `Verify` does. @throws AwsError where the algorithm or the message does not fit */
export function verifyRsa(key: KeyObject, algorithm: string, message: Signable, signature: Buffer): boolean {
  const { hash, padding, digestInfo } = check(algorithm, message);
  if (!message.isDigest) return verify(hash, message.bytes, { key, padding, ...pssSalt(padding) }, signature);
  try {
    return publicDecrypt({ key, padding }, signature).equals(toEncoded(digestInfo, message));
  } catch {
    return false;
  }
}

function check(algorithm: string, { bytes, isDigest }: Signable): Scheme {
  const scheme = SCHEMES[algorithm];
  if (scheme === undefined)
    throw new AwsError('ValidationException', `the key cannot sign with ${algorithm}`);
  if (isDigest && scheme.padding === PSS) {
    throw new AwsError(
      'UnsupportedOperationException',
      'a digest cannot be signed with PSS here; send the message',
    );
  }
  const digestBytes = createHash(scheme.hash).digest().length;
  if (isDigest && bytes.length !== digestBytes)
    throw new AwsError('ValidationException', 'Digest is invalid length');
  if (bytes.length === 0 || bytes.length > 4096)
    throw new AwsError('ValidationException', 'Message is invalid length');
  return scheme;
}

function toEncoded(digestInfo: string, { bytes }: Signable): Buffer {
  return Buffer.concat([Buffer.from(digestInfo, 'hex'), bytes]);
}

function pssSalt(padding: number): { saltLength?: number } {
  return padding === PSS ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
}
