import { toActClaim } from './act-claim.ts';
import type { Caller } from './caller.ts';
import { signingInputOf } from './compact-jws.ts';
import type { Descent, GrantPlan } from './grant.ts';
import { fittingTeams } from './team-claim.ts';
import { COUNTED, SESSION } from './token.ts';
import { descendantOf } from './token-line.ts';

/** The unsigned half of a token: what KMS signs, and the claims that name it. */
export type Unsigned = {
  readonly signingInput: string;
  readonly jti: string;
  readonly expiresAtSeconds: number;
};

/** Contract §7: a token for an upstream lives 300 s at most. */
const IDENTITY_LIFETIME_SECONDS = 300;

/**
 * An access token (RFC 9068 §2) as planned. `jti` is random and unguessable.
 *
 * @throws RangeError on a descent that is too long, which no plan has
 */
export function mintAccessToken(
  plan: GrantPlan,
  signing: {
    readonly keyId: string;
    readonly issuer: string;
    readonly nowSeconds: number;
    readonly jti: string;
  },
): Unsigned {
  const expiresAtSeconds = signing.nowSeconds + plan.lifetimeSeconds;
  return encodeToken('at+jwt', signing.keyId, {
    iss: signing.issuer,
    sub: plan.subject,
    aud: plan.audience,
    client_id: plan.clientId,
    scope: plan.scopes.join(' '),
    org_id: plan.orgId,
    iat: signing.nowSeconds,
    exp: expiresAtSeconds,
    jti: plan.descent === undefined ? signing.jti : descend(plan.descent, signing.jti),
    ...(plan.descent === undefined ? {} : { parent_iat: plan.descent.issuedAtSeconds }),
    ...(plan.standing === 'session' ? { token_kind: SESSION } : {}),
    ...(plan.maxUses === undefined ? {} : { token_kind: COUNTED, max_uses: plan.maxUses }),
    ...(plan.teams === undefined || plan.teams.length === 0 ? {} : { teams: plan.teams }),
    act: toActClaim(plan.actors ?? []),
    ...actorTokensClaim(plan.actorTokens ?? []),
    ...(plan.authTimeSeconds === undefined ? {} : { auth_time: plan.authTimeSeconds }),
    ...(plan.groups.length > 0 ? { groups: plan.groups } : {}),
    ...plan.context,
  });
}

/**
 * An identity token for an upstream (contract §7): who calls, for this server alone. It ends with the caller's own token where that is
 * sooner, and names the caller's own `jti` and, as `parent_iat`, its age, so that whatever revokes one revokes the other.
 */
export function mintIdentityToken(
  caller: Caller,
  audience: string,
  signing: { readonly keyId: string; readonly issuer: string; readonly nowSeconds: number },
): Unsigned {
  const expiresAtSeconds = Math.min(signing.nowSeconds + IDENTITY_LIFETIME_SECONDS, caller.endsAtSeconds);
  return encodeToken('JWT', signing.keyId, {
    iss: signing.issuer,
    sub: caller.subject,
    aud: audience,
    client_id: caller.clientId,
    scope: caller.scopes.join(' '),
    org_id: caller.orgId,
    ...(caller.groups.length > 0 ? { groups: caller.groups } : {}),
    // None is not the same as nothing said: see core/team-claim.
    ...(caller.isPublicOnly ? {} : { teams: fittingTeams(caller.teams) }),
    act: toActClaim(caller.actors),
    ...actorTokensClaim(caller.actorTokens),
    iat: signing.nowSeconds,
    parent_iat: caller.issuedAtSeconds,
    exp: expiresAtSeconds,
    jti: caller.jti,
    token_kind: 'identity',
  });
}

/** The unsigned half of a token of ours: header exactly `{alg: RS256, typ, kid}` (contract §4). */
export function encodeToken(
  type: string,
  keyId: string,
  claims: Readonly<Record<string, unknown>> & { readonly jti: string; readonly exp: number },
): Unsigned {
  const signingInput = signingInputOf(type, keyId, claims);
  return { signingInput, jti: claims.jti, expiresAtSeconds: claims.exp };
}

function actorTokensClaim(ids: readonly string[]): Readonly<Record<string, unknown>> {
  return ids.length === 0 ? {} : { act_jti: ids };
}

function descend({ ancestor }: Descent, id: string): string {
  const jti = descendantOf(ancestor, id);
  if (jti === undefined) throw new RangeError('a line of tokens is too long');
  return jti;
}
