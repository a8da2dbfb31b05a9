import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

/** Who the gateway says is calling: the verified claims of an identity token, and the token itself as delegation. */
export type Identity = {
  readonly token: string;
  readonly orgId: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAtSeconds: number;
};

/** `refused`: the token is missing or does not hold. `unavailable`: the issuer's keys cannot be read. */
export type IdentityResult =
  | { readonly ok: true; readonly value: Identity }
  | { readonly ok: false; readonly reason: 'refused' | 'unavailable' };

/** `origin` is the gateway's public origin and the token's issuer; `audience` is this server's own url. */
export type IdentityVerifierOptions = { readonly origin: string; readonly audience: string };

const MAX_LIFETIME_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * Returns a check of the `Authorization` header that the gateway sends to a server of egress mode `identity`.
 * Checks, in this order: signature by the gateway's published keys (RS256 and no other), issuer, audience, type, times,
 * the lifetime cap, and that it is an identity token: run tokens are signed by the same issuer.
 * Does not check scopes, which the gateway has decided on, nor replay.
 */
export function createIdentityVerifier({ origin, audience }: IdentityVerifierOptions) {
  const keys = createRemoteJWKSet(new URL(`${origin}/.well-known/jwks.json`), {
    timeoutDuration: 5000,
    cacheMaxAge: 300_000,
    cooldownDuration: 5000,
  });
  return async (authorization: string | null): Promise<IdentityResult> => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return { ok: false, reason: 'refused' };
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: origin,
        audience,
        typ: 'JWT',
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['sub', 'org_id', 'client_id', 'iat', 'exp', 'jti', 'token_kind'],
      });
      const { sub, org_id: orgId, client_id: clientId, iat, exp, scope, token_kind: kind } = payload;
      if (typeof sub !== 'string' || typeof orgId !== 'string' || typeof clientId !== 'string')
        return REFUSED;
      if (iat === undefined || exp === undefined || exp - iat > MAX_LIFETIME_SECONDS) return REFUSED;
      if (kind !== 'identity') return REFUSED;
      const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
      return {
        ok: true,
        value: { token, orgId, subject: sub, clientId, scopes, expiresAtSeconds: exp },
      };
    } catch (error) {
      return isRefusal(error) ? REFUSED : { ok: false, reason: 'unavailable' };
    }
  };
}

const REFUSED: IdentityResult = { ok: false, reason: 'refused' };

/** Everything that jose says about the token itself; a key set that cannot be fetched or read is an outage. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  );
}
