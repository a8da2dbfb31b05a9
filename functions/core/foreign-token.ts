import { type CompactJws, parseJwsObject, splitCompactJws, stringList, wholeSeconds } from './compact-jws.ts';
import { type ForeignAlgorithm, fitsAlgorithm, isForeignAlgorithm, isSignedBy } from './foreign-algorithm.ts';
import type { JsonObject } from './json.ts';
import type { ForeignKey } from './ports.ts';
import { err, ok, type Result } from './result.ts';

/** What a token of somebody else must be. */
export type ForeignTokenRule = {
  /** Accepted `typ` values, lower case and without `application/`; undefined in the list: the header may lack it. */
  readonly types: readonly (string | undefined)[];
  readonly issuer: string;
  /** One of these must be the audience, or among the audiences; none listed: the audience is not looked at. */
  readonly audiences: readonly string[];
  /** Must the audience be one value alone, a string or an array of one? */
  readonly soleAudience: boolean;
  readonly nowSeconds: number;
  /** `exp - iat` at most; `iat` must be there where it is set. */
  readonly maxLifetimeSeconds: number | undefined;
};

/** Why a foreign token is refused; for the audit record, never for its sender. */
export type ForeignTokenRefusal = {
  readonly reason: 'bad_foreign_token';
  readonly detail:
    | 'not_a_compact_jws'
    | 'not_canonical'
    | 'header'
    | 'type'
    | 'unknown_key'
    | 'signature'
    | 'claims'
    | 'issuer'
    | 'audience'
    | 'lifetime'
    | 'not_yet_valid'
    | 'expired';
};

/** The header of a foreign token, as far as anything in it is used. */
export type ForeignHeader = {
  readonly algorithm: ForeignAlgorithm;
  readonly keyId: string | undefined;
  /** Lower case, without `application/`. */
  readonly type: string | undefined;
};

/** Contract §13: how far the clocks of others may be off. */
export const FOREIGN_CLOCK_TOLERANCE_SECONDS = 60;

/** An id token of Entra names up to 200 groups, which is more than a token of ours may be long. */
const MAX_TOKEN_BYTES = 16_384;
const MAX_KEY_ID_LENGTH = 255;
/** Whoever publishes many keys that fit has the first of them tried alone: each costs a verification. */
const MAX_CANDIDATES = 10;
const MEDIA_TYPE = /^(?:application\/)?([a-z0-9.+_-]+)$/;
/**
 * Members that change how a token is to be read: extensions that must be understood (RFC 7515 §4.1.11), an unencoded payload (RFC 7797),
 * and compression. What brings or names a key (`jwk`, `jku`, `x5u`, `x5c`) is passed over: keys come from their owner's JWKS alone.
 */
const REFUSED_HEADERS = ['crit', 'b64', 'zip'] as const;

/** The unverified header of a foreign token, to find its key by; undefined where it is no compact JWS of an accepted algorithm. */
export function readForeignHeader(compact: string): ForeignHeader | undefined {
  const split = splitCompactJws(compact, MAX_TOKEN_BYTES);
  return split.ok ? readHeader(split.value) : undefined;
}

/**
 * The issuer that a foreign token claims, unverified, to find whose keys to ask for; undefined where nothing can be read. What it names is
 * a key of a list of known issuers and nothing else.
 */
export function readForeignIssuer(compact: string): string | undefined {
  const split = splitCompactJws(compact, MAX_TOKEN_BYTES);
  const issuer = split.ok ? parseJwsObject(split.value.payload)?.get('iss') : undefined;
  return typeof issuer === 'string' ? issuer : undefined;
}

/**
 * The claims of a token of somebody else (RFC 7515, RFC 7519, RFC 8725). In this order: size and alphabet, canonical base64url, header,
 * `typ`, a key that has the header's `kid` (any key where it names none), among the first 10 such, and is made for its algorithm, signature, JSON without duplicates,
 * `iss` exact, `aud`, `exp` there and `iat` and `nbf` typed where they are, lifetime, `nbf` and `iat`, `exp`. Clocks may be off by 60 s.
 * It does NOT check `sub`, `nonce`, `jti`, or any other claim, and says nothing about replay: an ES256 signature has two spellings.
 */
export function verifyForeignToken(
  compact: string,
  keys: readonly ForeignKey[],
  rule: ForeignTokenRule,
): Result<JsonObject, ForeignTokenRefusal> {
  const split = splitCompactJws(compact, MAX_TOKEN_BYTES);
  if (!split.ok) return refuse(split.error);
  const header = readHeader(split.value);
  if (header === undefined) return refuse('header');
  if (!rule.types.includes(header.type)) return refuse('type');

  const { algorithm, keyId } = header;
  const candidates = keys
    .filter((key) => (keyId === undefined || key['kid'] === keyId) && fitsAlgorithm(key, algorithm))
    .slice(0, MAX_CANDIDATES);
  if (candidates.length === 0) return refuse('unknown_key');
  if (!candidates.some((key) => isSignedBy(split.value, key, algorithm))) return refuse('signature');

  const claims = parseJwsObject(split.value.payload);
  if (claims === undefined) return refuse('claims');
  const refusal = refusalOf(claims, rule);
  return refusal === undefined ? ok(claims) : refuse(refusal);
}

function readHeader(jws: CompactJws): ForeignHeader | undefined {
  const header = parseJwsObject(jws.header);
  const algorithm = header?.get('alg');
  if (header === undefined || !isForeignAlgorithm(algorithm)) return undefined;
  if (REFUSED_HEADERS.some((name) => header.has(name))) return undefined;
  const keyId = header.get('kid');
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) return undefined;
  if (keyId !== undefined && keyId.length > MAX_KEY_ID_LENGTH) return undefined;
  if (!header.has('typ')) return { algorithm, keyId, type: undefined };
  const type = header.get('typ');
  const named = typeof type === 'string' ? MEDIA_TYPE.exec(asciiLowerCase(type))?.[1] : undefined;
  return named === undefined ? undefined : { algorithm, keyId, type: named };
}

function refusalOf(claims: JsonObject, rule: ForeignTokenRule): ForeignTokenRefusal['detail'] | undefined {
  if (claims.get('iss') !== rule.issuer) return 'issuer';
  if (!hasAudience(claims, rule)) return 'audience';
  const expiresAt = wholeSeconds(claims.get('exp'));
  const issuedAt = wholeSeconds(claims.get('iat'));
  const notBefore = wholeSeconds(claims.get('nbf'));
  if (expiresAt === undefined) return 'claims';
  if (claims.has('iat') && issuedAt === undefined) return 'claims';
  if (claims.has('nbf') && notBefore === undefined) return 'claims';
  const cap = rule.maxLifetimeSeconds;
  if (cap !== undefined && issuedAt === undefined) return 'claims';
  if (issuedAt !== undefined && expiresAt <= issuedAt) return 'lifetime';
  if (cap !== undefined && issuedAt !== undefined && expiresAt - issuedAt > cap) return 'lifetime';
  const latest = rule.nowSeconds + FOREIGN_CLOCK_TOLERANCE_SECONDS;
  if ((issuedAt ?? 0) > latest || (notBefore ?? 0) > latest) return 'not_yet_valid';
  return rule.nowSeconds >= expiresAt + FOREIGN_CLOCK_TOLERANCE_SECONDS ? 'expired' : undefined;
}

function hasAudience(claims: JsonObject, rule: ForeignTokenRule): boolean {
  if (rule.audiences.length === 0 && !rule.soleAudience) return true;
  const claim = claims.get('aud');
  const audiences = typeof claim === 'string' ? [claim] : stringList(claim);
  if (audiences === undefined || (rule.soleAudience && audiences.length !== 1)) return false;
  return rule.audiences.length === 0 || audiences.some((audience) => rule.audiences.includes(audience));
}

/** Letters of ASCII alone: `K` (Kelvin) would become a `k`. */
function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function refuse(detail: ForeignTokenRefusal['detail']): Result<never, ForeignTokenRefusal> {
  return err({ reason: 'bad_foreign_token', detail });
}
