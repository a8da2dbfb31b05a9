import { createHash } from 'node:crypto';
import { wholeSeconds } from './compact-jws.ts';
import { fitsAlgorithm } from './foreign-algorithm.ts';
import {
  FOREIGN_CLOCK_TOLERANCE_SECONDS,
  type ForeignHeader,
  readForeignHeader,
  verifyForeignToken,
} from './foreign-token.ts';
import type { ForeignKey } from './ports.ts';
import { err, ok, type Result } from './result.ts';

/** An assertion that its client signed, and what keeps it from being used twice. */
export type ClientAssertion = {
  /** Equal for two assertions with one `jti` of one client, and for no others. */
  readonly onceId: string;
  /** When it can no longer be mistaken for a fresh one, in seconds since the epoch. */
  readonly forgetAtSeconds: number;
};

/** `typ` is free in RFC 7523; its successor asks for the last of these. */
const TYPES = [undefined, 'jwt', 'client-authentication+jwt'] as const;
const MAX_AHEAD_SECONDS = 300;
const MAX_JTI_CHARACTERS = 255;

/** Keys that nobody signs with. A client that is unknown is checked with one of them, so that time tells no client id. */
const NOBODYS_KEYS: readonly ForeignKey[] = [
  {
    kty: 'RSA',
    e: 'AQAB',
    n: 'vGcSRJ5DRnSW6rISEGpVirnStxNMGvl_NrtP134yyLOFP_c0uftxLbBzlAyWu-1xd8kjN7O73NCuNIsKrLXGZLU7AAwW1Z4hQ2qYDPwfNWr_iae0CPx8TOT3YjmhfCHjfBgkTU6s4k7CjFRvCS_V5nNpR2UoiYhYNkrFnjzqtWs6Ue9qTfIL-XVFfyzG3wn0pruWbkqz9xt0ikEIJ2AjiZVX_Z7RmXt-Noe-feicU5uisTgGKS-WemCEf5R9n33hufmbLiaSMACnT4b6umzfvRYxzO1TEJItU5mMR26UVdocTmh0XosgA0QO56xHNsd85o2O9eP2bLuYFCMdGyWYUw',
  },
  {
    kty: 'EC',
    crv: 'P-256',
    x: 'gUNgnjnr1F2TmRIV957ktJQYGCoQZkYKSRDFD7eXjjo',
    y: 'TuxvUBJBxPZTVx1FKF70SXbRT7tCMZO2L4mvswb8yY0',
  },
];

/**
 * Checks the assertion by which a client authenticates (RFC 7523 §3). Its signature by one of the client's keys, named by `kid` where more than one fits, `iss` and `sub` the
 * client, `aud` our issuer identifier alone and not in a list, `exp` at most 5 minutes ahead, a `jti`; clocks may be off by 60 s. The error
 * is for the audit record. It does NOT say whether the assertion was used before. With no key that fits, a signature is checked all the
 * same and refused whatever comes of it.
 */
export function checkClientAssertion(
  assertion: string,
  keys: readonly ForeignKey[],
  expected: { readonly clientId: string; readonly issuer: string; readonly nowSeconds: number },
): Result<ClientAssertion, string> {
  const { clientId, issuer, nowSeconds } = expected;
  const header = readForeignHeader(assertion);
  const nobodys = NOBODYS_KEYS.map((key) => ({ ...key, kid: header?.keyId ?? '' }));
  // As many keys are looked through where there are none.
  const fitting = fittingKeys(header, keys.length === 0 ? nobodys : keys);
  const fallback = fittingKeys(header, nobodys);
  const isKnown = keys.length > 0 && fitting.length > 0;
  const tried = isKnown ? fitting : fallback;
  const verified = verifyForeignToken(assertion, tried, {
    types: TYPES,
    issuer: clientId,
    audiences: [issuer],
    soleAudience: true,
    nowSeconds,
    maxLifetimeSeconds: undefined,
  });
  if (!isKnown) return err('unknown_key');
  if (!verified.ok) return err(verified.error.detail);
  const claims = verified.value;
  if (typeof claims.get('aud') !== 'string') return err('audience');
  if (claims.get('sub') !== clientId) return err('subject');
  const expiresAtSeconds = wholeSeconds(claims.get('exp'));
  const tolerated = FOREIGN_CLOCK_TOLERANCE_SECONDS;
  if (expiresAtSeconds === undefined || expiresAtSeconds > nowSeconds + MAX_AHEAD_SECONDS + tolerated)
    return err('lifetime');
  const jti = claims.get('jti');
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_CHARACTERS) return err('jti');
  return ok({ onceId: digest(clientId, jti), forgetAtSeconds: expiresAtSeconds + tolerated });
}

/** The keys that the header of an assertion asks for; none where it names none and more than one fits: nothing is tried out. */
function fittingKeys(header: ForeignHeader | undefined, keys: readonly ForeignKey[]): readonly ForeignKey[] {
  if (header === undefined) return [];
  const { algorithm, keyId } = header;
  const fitting = keys.filter(
    (key) => (keyId === undefined || key['kid'] === keyId) && fitsAlgorithm(key, algorithm),
  );
  return keyId === undefined && fitting.length > 1 ? [] : fitting;
}

function digest(clientId: string, jti: string): string {
  const text = JSON.stringify(['assertion', clientId, jti]);
  return createHash('sha256').update(text).digest('base64url');
}
