import { fromActClaim, fromActorTokensClaim } from './act-claim.ts';
import { stringList, wholeSeconds } from './compact-jws.ts';
import type { AcceptedIdp } from './identity-provider.ts';
import { type IdpTokenRefusal, verifyIdpToken } from './idp-token.ts';
import type { Json, JsonObject } from './json.ts';
import type { ForeignKey } from './ports.ts';
import { ok, type Result } from './result.ts';
import {
  badToken,
  CLOCK_TOLERANCE_SECONDS,
  type KeyPurpose,
  type KeySet,
  openSignedToken,
  type TokenRefusal,
} from './signed-token.ts';
import { readTeamsClaim, type TokenStanding } from './team-claim.ts';

/** The kinds of token of this issuer: access tokens (RFC 9068) and identity tokens for upstreams (contract §7). */
export type TokenKind = 'access' | 'identity';

type KindRule = {
  readonly type: string;
  readonly purpose: KeyPurpose;
  readonly maxLifetimeSeconds: number;
  readonly tokenKind: readonly (string | undefined)[];
};

/** `token_kind` of an access token whose holder authenticated for it (core/team-claim); one that says less is an `api` token. */
export const SESSION = 'session';

/**
 * `token_kind` of an access token that may be used so many times, which `max_uses` says; otherwise an `api` token. What does not know to count
 * does not know this kind either, and refuses it.
 */
export const COUNTED = 'counted';

const RULES: Readonly<Record<TokenKind, KindRule>> = {
  access: {
    type: 'at+jwt',
    purpose: 'access',
    maxLifetimeSeconds: 900,
    tokenKind: [undefined, 'access', 'api', SESSION, COUNTED],
  },
  identity: { type: 'JWT', purpose: 'identity', maxLifetimeSeconds: 300, tokenKind: ['identity'] },
};

/** RFC 6749 §3.3, or nothing at all. */
const SCOPE = /^(?:[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*)?$/;
/** RFC 7519 sets no bound; identifiers become keys of storage, which are bounded. OpenID Connect gives `sub` as many. */
const MAX_IDENTIFIER_CHARACTERS = 255;

/** The claims of a verified token. Times are seconds since the epoch. */
export type Claims = {
  /** The IdP whose own access token this is; undefined for a token of ours. */
  readonly idp?: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly clientId: string;
  readonly orgId: string;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** `iat`, or `parent_iat` where that is older: a token is as old as the one that it was minted from. */
  readonly issuedAtSeconds: number;
  /** `exp`; of an IdP's token, the end of the tolerance after it. */
  readonly expiresAtSeconds: number;
  readonly jti: string;
  /** Those who act for the subject (`act`), the present one first; nobody where it is absent. */
  readonly actors?: readonly string[];
  /** The `jti` of the tokens by which they came to act; none where the claim is absent. */
  readonly actorTokens?: readonly string[];
  /** What `teams` means. */
  readonly standing: TokenStanding;
  /** The names in `teams`; absent where the claim is. */
  readonly teams?: readonly string[] | undefined;
  /** How many requests the token is good for; undefined: as many as there are. */
  readonly maxUses?: number | undefined;
  /** `namespace` and `scope_filters` as they stand; `core/visibility` judges them. */
  readonly namespace: Json | undefined;
  readonly scopeFilters: Json | undefined;
};

/**
 * A token whose signature and claims were verified. Only {@link VerifiedToken.verify} and {@link VerifiedToken.verifyOfIdp} make one:
 * the constructor is private, and `VerifiedToken.is` refuses at run time what was cast.
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
    const rule = RULES[expected.kind];
    const opened = openSignedToken(compact, { type: rule.type, purpose: rule.purpose, keys: expected.keys });
    if (!opened.ok) return opened;
    const claims = readClaims(opened.value, rule);
    if (claims === undefined) return badToken('claims');
    if (claims.issuer !== expected.issuer) return badToken('issuer');
    const { lifetimeSeconds } = claims;
    if (lifetimeSeconds <= 0 || lifetimeSeconds > rule.maxLifetimeSeconds) return badToken('lifetime');
    if (claims.notBeforeSeconds > expected.nowSeconds + CLOCK_TOLERANCE_SECONDS)
      return badToken('not_yet_valid');
    const token = new VerifiedToken(expected.kind, claims);
    return token.isExpired(expected.nowSeconds) ? badToken('expired') : ok(token);
  }

  /** Verifies an access token of an IdP, see {@link verifyIdpToken}, which says what is checked. The same is NOT checked as of ours. */
  static verifyOfIdp(
    compact: string,
    keys: readonly ForeignKey[],
    expected: { readonly idp: AcceptedIdp; readonly origin: string; readonly nowSeconds: number },
  ): Result<VerifiedToken, IdpTokenRefusal> {
    const claims = verifyIdpToken(compact, keys, expected);
    return claims.ok ? ok(new VerifiedToken('access', claims.value)) : claims;
  }

  /** Is the token past `exp`, with the tolerance for clocks (contract §13)? For a token that was remembered. */
  isExpired(nowSeconds: number): boolean {
    const toleranceSeconds = this.claims.idp === undefined ? CLOCK_TOLERANCE_SECONDS : 0;
    return nowSeconds >= this.claims.expiresAtSeconds + toleranceSeconds;
  }

  /** Is the token meant for one of these resources, compared byte for byte (RFC 8707 §2)? */
  admits(audiences: readonly string[]): boolean {
    return audiences.includes(this.claims.audience);
  }
}

function readClaims(
  payload: JsonObject,
  rule: KindRule,
): (Claims & { readonly notBeforeSeconds: number; readonly lifetimeSeconds: number }) | undefined {
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
  const teams = readTeamsClaim(payload);
  if (!issuer || !subject || !audience || !clientId || !orgId || !jti) return undefined;
  if (issuedAtSeconds === undefined || expiresAtSeconds === undefined || groups === undefined)
    return undefined;
  const maxUses = readMaxUses(payload);
  if (teams === undefined || maxUses === undefined) return undefined;
  if (parentIssuedAtSeconds === undefined) return undefined;
  if (typeof scope !== 'string' || !SCOPE.test(scope)) return undefined;
  if (!rule.tokenKind.some((kind) => kind === payload.get('token_kind'))) return undefined;
  const actors = fromActClaim(payload.get('act'));
  const actorTokens = fromActorTokensClaim(payload.get('act_jti'));
  if (actors === undefined || actorTokens === undefined) return undefined;
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
    actors,
    actorTokens,
    standing: tokenStanding(payload.get('token_kind')),
    teams: teams.names,
    maxUses: maxUses.value,
    namespace: payload.get('namespace'),
    scopeFilters: payload.get('scope_filters'),
  };
}

/**
 * `auth_time` decides nothing here yet, but a mistyped one is a token of nobody's making. A token that is
 * bound to a key (RFC 7800 `cnf`) is no bearer token, and this layer checks no proof.
 */
function optionalClaimsAreTyped(payload: JsonObject): boolean {
  return (
    !payload.has('cnf') && (!payload.has('auth_time') || wholeSeconds(payload.get('auth_time')) !== undefined)
  );
}

/** The claim `max_uses`, which a token of the kind {@link COUNTED} has and no other. Undefined: the token is of nobody's making. */
function readMaxUses(payload: JsonObject): { readonly value: number | undefined } | undefined {
  const isCounted = payload.get('token_kind') === COUNTED;
  if (payload.has('max_uses') !== isCounted) return undefined;
  if (!isCounted) return { value: undefined };
  const value = wholeSeconds(payload.get('max_uses'));
  return value !== undefined && value > 0 ? { value } : undefined;
}

function tokenStanding(kind: Json | undefined): TokenStanding {
  return kind === SESSION || kind === 'identity' ? kind : 'api';
}

function text(payload: JsonObject, name: string): string | undefined {
  const value = payload.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function identifier(payload: JsonObject, name: string): string | undefined {
  const value = text(payload, name);
  return value !== undefined && value.length <= MAX_IDENTIFIER_CHARACTERS ? value : undefined;
}
