import { createHash } from 'node:crypto';
import { stringList, wholeSeconds } from './compact-jws.ts';
import type { ExchangeSubject } from './exchange.ts';
import { FOREIGN_CLOCK_TOLERANCE_SECONDS, verifyForeignToken } from './foreign-token.ts';
import { type AcceptedIdp, subjectOf } from './identity-provider.ts';
import { groupsIn, isIdentifier } from './idp-claims.ts';
import type { JsonObject } from './json.ts';
import { findLiveClient } from './parties.ts';
import type { Policy } from './policy.ts';
import type { ForeignKey } from './ports.ts';
import { err, ok, type Result } from './result.ts';
import { standingOf } from './standing.ts';
import { readTeamsClaim } from './team-claim.ts';
import { userScopes } from './user-grant.ts';

/** Okta gives an hour, Cognito a day at most. */
const MAX_LIFETIME_SECONDS = 86_400;

/** How identity providers mark an id token, where they do: Cognito, Keycloak. */
const MARKS = [
  ['token_use', 'id'],
  ['typ', 'ID'],
] as const;

/**
 * Whom an id token is about that an identity provider gave to one of its clients, to be exchanged (RFC 8693). Its signature, `iss`, as
 * audience one client alone, of those whose tokens are taken, `azp` the same, no mark of another kind of token, `sub`, and `teams` that can be
 * read, which narrow. That client
 * is one of ours too, and may take part; the scopes are those that the user's groups give through it. The error is for the audit record.
 * It does NOT check revocation.
 */
export function checkSubjectIdToken(
  compact: string,
  keys: readonly ForeignKey[],
  idp: AcceptedIdp,
  place: { readonly policy: Policy; readonly origin: string; readonly nowSeconds: number },
): Result<ExchangeSubject, string> {
  const verified = verifyForeignToken(compact, keys, {
    types: [undefined, 'jwt'],
    issuer: idp.proof.issuer,
    audiences: idp.acceptAccessTokens.clientIds,
    soleAudience: true,
    nowSeconds: place.nowSeconds,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
  });
  if (!verified.ok) return err(verified.error.detail);
  const claims = verified.value;
  if (MARKS.some(([name, mark]) => claims.has(name) && claims.get(name) !== mark) || claims.has('cnf')) {
    return err('not_an_id_token');
  }
  const clientId = audienceOf(claims);
  if (clientId === undefined || (claims.has('azp') && claims.get('azp') !== clientId)) return err('azp');
  const client = findLiveClient(place.policy, clientId, idp.org);
  if (!client.ok) return err(client.error.reason);
  const userId = claims.get('sub');
  const subject = isIdentifier(userId) ? subjectOf(idp, userId) : undefined;
  if (!isIdentifier(subject)) return err('sub');
  const jti = claims.get('jti');
  const groups = groupsIn(claims, idp.proof.groupsClaim);
  const named = readTeamsClaim(claims);
  if (named === undefined) return err('teams');
  const { teams, isPublicOnly } = standingOf(
    place.policy,
    { orgId: idp.org, subject, groups },
    { standing: 'session', claim: named.names },
    place.nowSeconds,
  );
  return ok({
    subject,
    kind: 'user',
    clientId,
    orgId: idp.org,
    scopes: userScopes(place.policy, client.value, groups, undefined),
    groups,
    teams,
    isPublicOnly,
    jti: `${idp.name}:${isIdentifier(jti) ? jti : digestOf(compact)}`,
    actors: [],
    actorTokens: [],
    maxUses: undefined,
    // Both are there: the rule bounds what is between them.
    issuedAtSeconds: Number(wholeSeconds(claims.get('iat'))) - FOREIGN_CLOCK_TOLERANCE_SECONDS,
    endsAtSeconds: Number(wholeSeconds(claims.get('exp'))),
    audience: place.origin,
    context: { namespace: undefined, scopeFilters: undefined },
  });
}

function audienceOf(claims: JsonObject): string | undefined {
  const claim = claims.get('aud');
  return typeof claim === 'string' ? claim : stringList(claim)?.[0];
}

/** Names a token whose issuer gave it no id, whatever its signature is spelled like. */
function digestOf(compact: string): string {
  return createHash('sha256')
    .update(compact.slice(0, compact.lastIndexOf('.')))
    .digest('base64url');
}
