import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parseJwsObject, splitCompactJws, stringList, wholeSeconds } from './compact-jws.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
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

/** The kinds of token of this issuer: access tokens (RFC 9068) and identity tokens for upstreams (contract §7). */
export type TokenKind = 'access' | 'identity';

type KindRule = {
  readonly type: string;
  readonly purpose: KeyPurpose;
  readonly maxLifetimeSeconds: number;
  readonly tokenKind: readonly (string | undefined)[];
};

const RULES: Readonly<Record<TokenKind, KindRule>> = {
  access: { type: 'at+jwt', purpose: 'access', maxLifetimeSeconds: 900, tokenKind: [undefined, 'access'] },
  identity: { type: 'JWT', purpose: 'identity', maxLifetimeSeconds: 300, tokenKind: ['identity'] },
};

const MAX_TOKEN_BYTES = 8192;
const CLOCK_TOLERANCE_SECONDS = 5;
/** RFC 6749 §3.3, or nothing at all. */
const SCOPE = /^(?:[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*)?$/;
/** RFC 7519 sets no bound; identifiers become keys of storage, which are bounded. OpenID Connect gives `sub` as many. */
const MAX_IDENTIFIER_CHARACTERS = 255;

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

/** The claims of a verified token. Times are seconds since the epoch. */
export type Claims = {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly clientId: string;
  readonly orgId: string;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** `iat`, or `parent_iat` where that is older: a token is as old as the one that it was minted from. */
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly jti: string;
  /** `namespace` and `scope_filters` as they stand; `core/visibility` judges them. */
  readonly namespace: Json | undefined;
  readonly scopeFilters: Json | undefined;
};

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
 * A token whose signature and claims were verified. Only {@link VerifiedToken.verify} makes one: the constructor is
 * private, and `VerifiedToken.is` refuses at run time what was cast.
 */
export class VerifiedToken {
  readonly #kind: TokenKind;
  readonly claims: Claims;

  private constructor(kind: TokenKind, claims: Claims) {
    this.#kind = kind;
    this.claims = claims;
  }

  get kind(): TokenKind {
    return this.#kind;
  }

  static is(value: unknown): value is VerifiedToken {
    return typeof value === 'object' && value !== null && #kind in value;
  }

  /**
   * Verifies a compact JWS (RFC 7515) as a token of ours (RFC 9068 §4, RFC 8725). In this order: size and alphabet,
   * canonical base64url (one token has one spelling), header exactly `{alg: RS256, typ, kid}`, key known and meant for this
   * kind, signature, claims present and typed, issuer, lifetime cap, `iat` and `nbf`, `exp` (tolerance 5 s).
   * It does NOT check the audience (see {@link admits}), revocation, or whether client and organisation still exist.
   */
  static verify(
    compact: string,
    expected: {
      readonly kind: TokenKind;
      readonly issuer: string;
      readonly keys: KeySet;
      readonly nowSeconds: number;
    },
  ): Result<VerifiedToken, TokenRefusal> {
    const split = splitCompactJws(compact, MAX_TOKEN_BYTES);
    if (!split.ok) return refuse(split.error);
    const { header, payload, signingInput, signature } = split.value;

    const rule = RULES[expected.kind];
    const keyId = keyIdOf(header, rule.type);
    if (keyId === undefined) return refuse('header');
    const known = expected.keys.find(keyId);
    if (known === undefined) return { ok: false, error: { ...bad('unknown_key'), missingKeyId: keyId } };
    if (known.purpose !== rule.purpose) return refuse('unknown_key');
    if (!verify('RSA-SHA256', signingInput, known.key, signature)) return refuse('signature');

    const claims = readClaims(payload, rule);
    if (claims === undefined) return refuse('claims');
    if (claims.issuer !== expected.issuer) return refuse('issuer');
    const { lifetimeSeconds } = claims;
    if (lifetimeSeconds <= 0 || lifetimeSeconds > rule.maxLifetimeSeconds) return refuse('lifetime');
    if (claims.notBeforeSeconds > expected.nowSeconds + CLOCK_TOLERANCE_SECONDS)
      return refuse('not_yet_valid');
    const token = new VerifiedToken(expected.kind, claims);
    return token.isExpired(expected.nowSeconds) ? refuse('expired') : ok(token);
  }

  /** Is the token past `exp`, with 5 s of tolerance? For a token that was remembered. */
  isExpired(nowSeconds: number): boolean {
    return nowSeconds >= this.claims.expiresAtSeconds + CLOCK_TOLERANCE_SECONDS;
  }

  /** Is the token meant for one of these resources, compared byte for byte (RFC 8707 §2)? */
  admits(audiences: readonly string[]): boolean {
    return audiences.includes(this.claims.audience);
  }
}

function bad(detail: TokenRefusal['detail']): TokenRefusal {
  return { reason: 'bad_token', detail };
}

function refuse(detail: TokenRefusal['detail']): Result<never, TokenRefusal> {
  return err(bad(detail));
}

function keyIdOf(segment: string, type: string): string | undefined {
  const header = parseJwsObject(segment);
  const keyId = header?.get('kid');
  const exact = header?.size === 3 && header.get('alg') === 'RS256' && header.get('typ') === type;
  return exact && typeof keyId === 'string' ? keyId : undefined;
}

function readClaims(
  segment: string,
  rule: KindRule,
): (Claims & { readonly notBeforeSeconds: number; readonly lifetimeSeconds: number }) | undefined {
  const payload = parseJwsObject(segment);
  if (payload === undefined) return undefined;
  const issuer = text(payload, 'iss');
  const subject = identifier(payload, 'sub');
  const audience = text(payload, 'aud');
  const clientId = identifier(payload, 'client_id');
  const orgId = identifier(payload, 'org_id');
  const jti = identifier(payload, 'jti');
  const issuedAtSeconds = wholeSeconds(payload.get('iat'));
  const parentIssuedAtSeconds = payload.has('parent_iat')
    ? wholeSeconds(payload.get('parent_iat'))
    : issuedAtSeconds;
  const expiresAtSeconds = wholeSeconds(payload.get('exp'));
  const scope = payload.get('scope');
  const groups = payload.has('groups') ? stringList(payload.get('groups')) : [];
  if (!issuer || !subject || !audience || !clientId || !orgId || !jti) return undefined;
  if (issuedAtSeconds === undefined || expiresAtSeconds === undefined || groups === undefined)
    return undefined;
  if (parentIssuedAtSeconds === undefined) return undefined;
  if (typeof scope !== 'string' || !SCOPE.test(scope)) return undefined;
  if (!rule.tokenKind.some((kind) => kind === payload.get('token_kind'))) return undefined;
  const notBeforeSeconds = payload.has('nbf') ? wholeSeconds(payload.get('nbf')) : issuedAtSeconds;
  if (notBeforeSeconds === undefined || !optionalClaimsAreTyped(payload)) return undefined;
  return {
    issuer,
    subject,
    audience,
    clientId,
    orgId,
    scopes: scope === '' ? [] : scope.split(' '),
    groups,
    issuedAtSeconds: Math.min(issuedAtSeconds, parentIssuedAtSeconds),
    expiresAtSeconds,
    lifetimeSeconds: expiresAtSeconds - issuedAtSeconds,
    notBeforeSeconds: Math.max(notBeforeSeconds, issuedAtSeconds),
    jti,
    namespace: payload.get('namespace'),
    scopeFilters: payload.get('scope_filters'),
  };
}

/**
 * `teams`, `act` and `auth_time` decide nothing here yet, but a mistyped one is a token of nobody's making. A token that is
 * bound to a key (RFC 7800 `cnf`) is no bearer token, and this layer checks no proof.
 */
function optionalClaimsAreTyped(payload: JsonObject): boolean {
  return (
    !payload.has('cnf') &&
    (!payload.has('teams') || stringList(payload.get('teams')) !== undefined) &&
    (!payload.has('act') || isJsonObject(payload.get('act'))) &&
    (!payload.has('auth_time') || wholeSeconds(payload.get('auth_time')) !== undefined)
  );
}

function text(payload: JsonObject, name: string): string | undefined {
  const value = payload.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function identifier(payload: JsonObject, name: string): string | undefined {
  const value = text(payload, name);
  return value !== undefined && value.length <= MAX_IDENTIFIER_CHARACTERS ? value : undefined;
}
