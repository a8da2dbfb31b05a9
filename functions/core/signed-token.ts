import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parseJwsObject, splitCompactJws } from './compact-jws.ts';
import type { JsonObject } from './json.ts';
import { err, ok, type Result } from './result.ts';

/** What a key may sign. The token layer accepts a key for its own kinds of token alone. */
export type KeyPurpose = 'access' | 'identity';

/** An RSA public key of ours. `keyId` is its RFC 7638 thumbprint. */
export type PublicKey = {
  readonly keyId: string;
  readonly purpose: KeyPurpose;
  readonly n: string;
  readonly e: string;
};

/** Why a token is refused; for the audit record, never for the client. */
export type TokenRefusal = {
  readonly reason: 'bad_token';
  readonly detail:
    | 'not_a_compact_jws'
    | 'not_canonical'
    | 'header'
    | 'unknown_key'
    | 'signature'
    | 'claims'
    | 'issuer'
    | 'lifetime'
    | 'not_yet_valid'
    | 'expired'
    | 'audience';
  /** The key that was named where it is not known, so that a store may look again. */
  readonly missingKeyId?: string;
};

/** The clock of a verifier may be this far from the issuer's (contract §13). */
export const CLOCK_TOLERANCE_SECONDS = 5;

const MAX_TOKEN_BYTES = 8192;

/** A set of public keys, looked up by key id. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, { readonly purpose: KeyPurpose; readonly key: KeyObject }>;

  constructor(keys: readonly PublicKey[]) {
    this.#keys = new Map(
      keys.map(({ keyId, purpose, n, e }) => [
        keyId,
        { purpose, key: createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }) },
      ]),
    );
  }

  find(keyId: string): { readonly purpose: KeyPurpose; readonly key: KeyObject } | undefined {
    return this.#keys.get(keyId);
  }
}

/**
 * Opens a compact JWS (RFC 7515) that one of our keys signed (RFC 8725). In this order: size and alphabet, canonical base64url (one
 * token has one spelling), header exactly `{alg: RS256, typ, kid}`, key known and meant for this purpose, signature, payload a strict
 * JSON object. It judges no claim. `maxBytes` is that of a token where nothing is said.
 */
export function openSignedToken(
  compact: string,
  expected: { readonly type: string; readonly purpose: KeyPurpose; readonly keys: KeySet },
  maxBytes: number = MAX_TOKEN_BYTES,
): Result<JsonObject, TokenRefusal> {
  const split = splitCompactJws(compact, maxBytes);
  if (!split.ok) return badToken(split.error);
  const { header, payload, signingInput, signature } = split.value;
  const keyId = keyIdOf(header, expected.type);
  if (keyId === undefined) return badToken('header');
  const known = expected.keys.find(keyId);
  if (known === undefined) {
    return err({ reason: 'bad_token', detail: 'unknown_key', missingKeyId: keyId });
  }
  if (known.purpose !== expected.purpose) return badToken('unknown_key');
  if (!verify('RSA-SHA256', signingInput, known.key, signature)) return badToken('signature');
  const claims = parseJwsObject(payload);
  return claims === undefined ? badToken('claims') : ok(claims);
}

/** A token that is refused. */
export function badToken(detail: TokenRefusal['detail']): Result<never, TokenRefusal> {
  return err({ reason: 'bad_token', detail });
}

function keyIdOf(segment: string, type: string): string | undefined {
  const header = parseJwsObject(segment);
  const keyId = header?.get('kid');
  const exact = header?.size === 3 && header.get('alg') === 'RS256' && header.get('typ') === type;
  return exact && typeof keyId === 'string' ? keyId : undefined;
}
