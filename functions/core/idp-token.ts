import { createHash } from 'node:crypto';
import { stringList, wholeSeconds } from './compact-jws.ts';
import {
  FOREIGN_CLOCK_TOLERANCE_SECONDS,
  type ForeignTokenRefusal,
  verifyForeignToken,
} from './foreign-token.ts';
import { type AcceptedIdp, subjectOf } from './identity-provider.ts';
import {
  clientIdOf,
  groupsIn,
  hasMoreGroups,
  isAccessToken,
  isClientItself,
  isIdentifier,
  scopesOf,
} from './idp-claims.ts';
import type { JsonObject } from './json.ts';
import type { Policy } from './policy.ts';
import type { ForeignKey } from './ports.ts';
import { err, ok, type Result } from './result.ts';
import { NAME, resourceOf } from './route.ts';
import { readTeamsClaim } from './team-claim.ts';
import type { Claims } from './token.ts';

/** Why an access token of an IdP is refused; for the audit record, never for its sender. */
export type IdpTokenRefusal = {
  readonly reason: 'bad_idp_token';
  readonly detail:
    | ForeignTokenRefusal['detail']
    | 'not_an_access_token'
    | 'client_not_listed'
    | 'groups_left_out';
};

/** Contract §13. An id token may be longer, but none is taken here. */
const MAX_TOKEN_BYTES = 8_192;
/** The longest that Cognito gives, and what Auth0 gives where nothing else is set. */
const MAX_LIFETIME_SECONDS = 86_400;
/** Okta and Cognito name no type, others one that id tokens have as well: what it is for is told by the claims. */
const TYPES = ['at+jwt', 'jwt', undefined] as const;
const USER_POOL = /\/(([a-z]{2}(?:-[a-z]+)+-[0-9]+)_[A-Za-z0-9]+)$/;

/**
 * The IdPs of this policy that have this issuer and whose access tokens are taken; organisations may share one. Nobody is asked for the
 * issuer where there are none, and `ORIGIN` is never the issuer of another.
 */
export function acceptedIdps(
  policy: Policy,
  origin: string,
  readIssuer: () => string | undefined,
): readonly AcceptedIdp[] {
  const issuer = policy.acceptedIdps.length === 0 ? undefined : readIssuer();
  return issuer === origin ? [] : policy.acceptedIdps.filter(({ proof }) => proof.issuer === issuer);
}

/** The user pool and region that an issuer of Cognito names; undefined of every other issuer. */
export function userPoolOf(issuer: string): { readonly id: string; readonly region: string } | undefined {
  const [, id, region] = USER_POOL.exec(issuer) ?? [];
  return id === undefined || region === undefined ? undefined : { id, region };
}

/**
 * The claims of an access token of an IdP, in the terms of ours. In this order: size, {@link verifyForeignToken} (a day at most, 60 s of
 * tolerance), an access token and no other, an allow-listed client, meant for us, scopes and subject typed. Meant for us is what
 * names `ORIGIN`, one of its resources or the configured audience; a token of Cognito that names no audience is, for the allow-list stands
 * in for it. A `teams` claim narrows, see core/team-claim. A client by itself keeps its id as subject, a user is `{idp}:{sub}`. The token counts as 60 s older than it says, so that a
 * clock that is ahead hides it from no revocation, and lasts 60 s longer.
 */
export function verifyIdpToken(
  compact: string,
  keys: readonly ForeignKey[],
  expected: { readonly idp: AcceptedIdp; readonly origin: string; readonly nowSeconds: number },
): Result<Claims, IdpTokenRefusal> {
  const { idp, origin, nowSeconds } = expected;
  if (compact.length > MAX_TOKEN_BYTES) return refuse('not_a_compact_jws');
  const verified = verifyForeignToken(compact, keys, {
    types: TYPES,
    issuer: idp.proof.issuer,
    audiences: [],
    soleAudience: false,
    nowSeconds,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
  });
  if (!verified.ok) return refuse(verified.error.detail);
  const claims = verified.value;
  if (!isAccessToken(claims)) return refuse('not_an_access_token');
  const clientId = clientIdOf(claims);
  // A token that is bound to a key (RFC 7800) is no bearer token, and no proof is looked at here.
  if (clientId === undefined || claims.has('cnf')) return refuse('claims');
  if (!idp.acceptAccessTokens.clientIds.includes(clientId)) return refuse('client_not_listed');
  const audience = audienceOf(claims, idp, origin);
  if (audience === undefined) return refuse('audience');
  const scopes = scopesOf(claims);
  const subject = subjectIn(claims, idp, clientId);
  // A deny may hang on any of them, and a default grants without them.
  if (hasMoreGroups(claims)) return refuse('groups_left_out');
  const jti = claims.get('jti');
  const issuedAt = wholeSeconds(claims.get('iat'));
  const expiresAt = wholeSeconds(claims.get('exp'));
  const teams = readTeamsClaim(claims);
  const isTimed = issuedAt !== undefined && expiresAt !== undefined;
  if (scopes === undefined || subject === undefined || teams === undefined || !isTimed) {
    return refuse('claims');
  }
  return ok({
    idp: idp.name,
    issuer: idp.proof.issuer,
    subject,
    audience,
    clientId,
    orgId: idp.org,
    scopes,
    groups: groupsIn(claims, idp.proof.groupsClaim),
    issuedAtSeconds: issuedAt - FOREIGN_CLOCK_TOLERANCE_SECONDS,
    expiresAtSeconds: expiresAt + FOREIGN_CLOCK_TOLERANCE_SECONDS,
    jti: `${idp.name}:${isIdentifier(jti) ? jti : digestOf(compact)}`,
    standing: 'session',
    teams: teams.names,
    namespace: undefined,
    scopeFilters: undefined,
  });
}

function audienceOf(claims: JsonObject, idp: AcceptedIdp, origin: string): string | undefined {
  const { audience: configured } = idp.acceptAccessTokens;
  const claim = claims.get('aud');
  if (claim === undefined) {
    return configured === undefined && claims.get('token_use') === 'access' ? origin : undefined;
  }
  const audiences = typeof claim === 'string' ? [claim] : (stringList(claim) ?? []);
  if (audiences.includes(origin)) return origin;
  if (configured !== undefined) return audiences.includes(configured) ? origin : undefined;
  const [resource, ...more] = audiences.filter((audience) => isResource(audience, origin));
  return more.length === 0 ? resource : undefined;
}

function isResource(audience: string, origin: string): boolean {
  const name = audience.slice(origin.length + 1, -'/mcp'.length);
  return NAME.test(name) && audience === resourceOf(name, origin);
}

function subjectIn(claims: JsonObject, idp: AcceptedIdp, clientId: string): string | undefined {
  if (isClientItself(claims, clientId)) return clientId;
  const userId = claims.get('sub');
  const subject = isIdentifier(userId) ? subjectOf(idp, userId) : undefined;
  return isIdentifier(subject) ? subject : undefined;
}

/** Names a token whose issuer gave it no id, whatever its signature is spelled like. */
function digestOf(compact: string): string {
  const signed = compact.slice(0, compact.lastIndexOf('.'));
  return createHash('sha256').update(signed).digest('base64url');
}

function refuse(detail: IdpTokenRefusal['detail']): Result<never, IdpTokenRefusal> {
  return err({ reason: 'bad_idp_token', detail });
}
