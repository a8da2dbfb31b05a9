import { createHash } from 'node:crypto';
import { stringList, wholeSeconds } from './compact-jws.ts';
import {
  FOREIGN_CLOCK_TOLERANCE_SECONDS,
  type ForeignTokenRule,
  verifyForeignToken,
} from './foreign-token.ts';
import { type IdentityProvider, type IdTokenProof, subjectOf } from './identity-provider.ts';
import { groupsIn, isIdentifier } from './idp-claims.ts';
import type { JsonObject } from './json.ts';
import type { Policy } from './policy.ts';
import type { ForeignKey } from './ports.ts';
import { err, ok, type Result } from './result.ts';

/** An identity provider that signs tokens about its users. */
export type SigningProvider = IdentityProvider & { readonly proof: IdTokenProof };

/** What an identity provider asserts of a user, for one client and once (draft-ietf-oauth-identity-assertion-authz-grant §3). */
export type IdentityAssertion = {
  readonly subject: string;
  readonly orgId: string;
  readonly groups: readonly string[];
  /** What the identity provider lets the client have; undefined where it says nothing of it. */
  readonly scope: string | undefined;
  /** What it is for; none where the identity provider says nothing of it. */
  readonly resources: readonly string[];
  /** Names the assertion among all that were ever made, by whomever. */
  readonly onceId: string;
  readonly jti: string;
  /** As old as it may be: a clock that is ahead hides it from no revocation. */
  readonly issuedAtSeconds: number;
  readonly authTimeSeconds: number;
  /** When it can no longer be taken for a fresh one. */
  readonly forgetAtSeconds: number;
};

const TYPE = 'oauth-id-jag+jwt';
/**
 * What an assertion cannot say here, because it would say less than it is taken for: a key that it is bound to (RFC 7800), of which no
 * proof is looked at; a tenant of the provider, of whose users all others are taken for ours; details of the grant (RFC 9396).
 */
const UNREAD = ['cnf', 'tenant', 'authorization_details'] as const;
/** The assertion is made for one exchange that follows at once. */
const MAX_LIFETIME_SECONDS = 3_600;

/** The identity providers of an organisation that have this issuer and whose assertions are taken; `ORIGIN` is never one: what we issued ourselves is refused. */
export function assertingProviders(
  policy: Policy,
  orgId: string,
  issuer: string | undefined,
  origin: string,
): readonly SigningProvider[] {
  if (issuer === undefined || issuer === origin) return [];
  return policy.assertingIdpsOf(orgId).filter((idp): idp is SigningProvider => {
    return idp.proof.kind === 'id_token' && idp.proof.issuer === issuer;
  });
}

/**
 * Checks an identity assertion (ID-JAG). Its signature by a key of the provider, `typ`, `iss`, our issuer identifier as the sole audience,
 * an hour at most, then `client_id` the client that authenticated, nothing that is not read here, `sub`, `jti`, and `scope` and
 * `resource` typed where they are. The error is for the audit record. It does NOT say whether the assertion was used before.
 */
export function checkIdJag(
  compact: string,
  keys: readonly ForeignKey[],
  provider: SigningProvider,
  expected: { readonly clientId: string; readonly issuer: string; readonly nowSeconds: number },
): Result<IdentityAssertion, string> {
  const rule: ForeignTokenRule = {
    types: [TYPE],
    issuer: provider.proof.issuer,
    audiences: [expected.issuer],
    soleAudience: true,
    nowSeconds: expected.nowSeconds,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
  };
  const verified = verifyForeignToken(compact, keys, rule);
  if (!verified.ok) return err(verified.error.detail);
  const claims = verified.value;
  if (claims.get('client_id') !== expected.clientId) return err('client_id');
  const unread = UNREAD.find((name) => claims.has(name));
  if (unread !== undefined) return err(unread);
  if (claims.has('aud_tenant') && claims.get('aud_tenant') !== provider.org) return err('aud_tenant');
  const userId = claims.get('sub');
  const subject = isIdentifier(userId) ? subjectOf(provider, userId) : undefined;
  if (!isIdentifier(subject)) return err('sub');
  const jti = claims.get('jti');
  if (!isIdentifier(jti)) return err('jti');
  const scope = claims.get('scope');
  if (scope !== undefined && typeof scope !== 'string') return err('scope');
  const resources = resourcesOf(claims);
  if (resources === undefined) return err('resource');
  // Both are there: the rule bounds what is between them.
  const issuedAt = Number(wholeSeconds(claims.get('iat')));
  const expiresAt = Number(wholeSeconds(claims.get('exp')));
  return ok({
    subject,
    orgId: provider.org,
    groups: groupsIn(claims, provider.proof.groupsClaim),
    scope,
    resources,
    onceId: digest(provider.proof.issuer, jti),
    jti,
    issuedAtSeconds: issuedAt - FOREIGN_CLOCK_TOLERANCE_SECONDS,
    authTimeSeconds: wholeSeconds(claims.get('auth_time')) ?? issuedAt,
    forgetAtSeconds: expiresAt + FOREIGN_CLOCK_TOLERANCE_SECONDS,
  });
}

/** What is wrong, as {@link checkIdJag} names it, in words for the client's developer. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['header', 'the assertion is no signed JWT of an algorithm that is taken here'],
  ['type', `the header \`typ\` of the assertion has to be \`${TYPE}\``],
  [
    'issuer',
    'the claim `iss` of the assertion names no identity provider whose assertions are taken for this client',
  ],
  [
    'audience',
    'the claim `aud` of the assertion has to be the issuer identifier of this server, and nothing else',
  ],
  ['client_id', 'the claim `client_id` of the assertion has to be the client that presents it'],
  ['expired', 'the assertion is expired'],
  ['not_yet_valid', 'the assertion is not valid yet'],
  ['lifetime', 'the assertion lives for longer than an hour'],
  ['claims', 'the assertion needs the claims `iat` and `exp`'],
  ['assertion_used_twice', 'the assertion was used before'],
  ['cnf', 'the claim `cnf` is not taken here'],
  ['tenant', 'the claim `tenant` is not taken here'],
  ['authorization_details', 'the claim `authorization_details` is not taken here'],
  ['aud_tenant', 'the claim `aud_tenant` has to be the organisation of the client, or be left out'],
  ['sub', 'the claim `sub` is missing or malformed'],
  ['jti', 'the claim `jti` is missing or malformed'],
  ['scope', 'the claim `scope` is malformed'],
  ['resource', 'the claim `resource` is malformed'],
]);

/** What may be said of an assertion that is refused: what its own header or claims show. Its key, signature or revocation: no more than that it is not accepted. */
export function assertionWords(detail: string): string {
  return WORDS.get(detail) ?? 'the assertion is not accepted';
}

function resourcesOf(claims: JsonObject): readonly string[] | undefined {
  const resource = claims.get('resource');
  if (resource === undefined) return [];
  return typeof resource === 'string' ? [resource] : stringList(resource);
}

function digest(issuer: string, jti: string): string {
  return createHash('sha256')
    .update(JSON.stringify(['id-jag', issuer, jti]))
    .digest('base64url');
}
