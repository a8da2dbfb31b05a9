import { createHash } from 'node:crypto';
import { wholeSeconds } from './compact-jws.ts';
import { displayName } from './display-name.ts';
import type { ForeignTokenRule } from './foreign-token.ts';
import {
  type GitHubProof,
  type IdentityProvider,
  type IdTokenProof,
  subjectOf,
} from './identity-provider.ts';
import { groupsIn, hasMoreGroups, isIdentifier } from './idp-claims.ts';
import { isJsonArray, type Json, JsonNumber, type JsonObject, member, stringMember } from './json.ts';
import { err, ok, type Result } from './result.ts';

/** Who a provider says the user is. */
export type Identity = {
  /** `sub`, unique at this provider. */
  readonly userId: string;
  /** For people to read. It decides nothing. */
  readonly displayName: string;
  readonly groups: readonly string[];
  /** The provider left the groups out because there are too many of them (Entra ID). */
  readonly hasMoreGroups: boolean;
  readonly authTimeSeconds: number;
};

/** Why an id token that is signed and in time is not the answer to our question. */
export type IdTokenRefusal = { readonly reason: 'bad_id_token'; readonly detail: string };

const SHA256_HALF_BYTES = 16;

/** What an id token of this provider is held to by `core/foreign-token`. */
export function idTokenRule(
  provider: IdentityProvider,
  proof: IdTokenProof,
  nowSeconds: number,
): ForeignTokenRule {
  return {
    types: [undefined, 'jwt'],
    issuer: proof.issuer,
    audiences: [provider.clientId],
    soleAudience: false,
    nowSeconds,
    maxLifetimeSeconds: undefined,
  };
}

/**
 * Reads who logged in from the claims of an id token that {@link idTokenRule} has passed (OpenID Connect Core §3.1.3.7). In this order:
 * `iat` is there, our nonce, `azp` is us where it is there and is there with several audiences, `at_hash` fits the access token where both
 * are there, `sub`, which with the provider's name before it is still an identifier of ours. Groups are a string or strings in the configured claim (`email` only where `email_verified` is true);
 * anything else is no group.
 */
export function readIdToken(
  claims: JsonObject,
  provider: IdentityProvider,
  proof: IdTokenProof,
  expected: { readonly nonce: string; readonly accessToken: string | undefined },
): Result<Identity, IdTokenRefusal> {
  const issuedAt = wholeSeconds(claims.get('iat'));
  if (issuedAt === undefined) return refuse('iat');
  if (claims.get('nonce') !== expected.nonce) return refuse('nonce');
  const azp = claims.get('azp');
  const audience = claims.get('aud');
  if (azp === undefined && isJsonArray(audience) && audience.length > 1) return refuse('azp');
  if (azp !== undefined && azp !== provider.clientId) return refuse('azp');
  const { accessToken } = expected;
  if (claims.has('at_hash') && accessToken !== undefined) {
    if (claims.get('at_hash') !== accessTokenHash(accessToken)) return refuse('at_hash');
  }
  const userId = stringMember(claims, 'sub');
  if (!isIdentifier(userId) || !isIdentifier(subjectOf(provider, userId))) return refuse('sub');
  return ok({
    userId,
    displayName: displayNameOf(claims, provider.usernameClaim, userId),
    groups: groupsIn(claims, proof.groupsClaim),
    hasMoreGroups: hasMoreGroups(claims),
    authTimeSeconds: wholeSeconds(claims.get('auth_time')) ?? issuedAt,
  });
}

/** Reads who logged in from GitHub's answer about its user: the number that never changes, and the name that does. */
export function readGitHubUser(
  user: Json,
  proof: GitHubProof,
  nowSeconds: number,
): Result<Identity, IdTokenRefusal> {
  const id = member(user, 'id');
  const login = stringMember(user, 'login');
  if (!(id instanceof JsonNumber) || !/^[1-9][0-9]{0,18}$/.test(id.lexeme) || !login) return refuse('user');
  return ok({
    userId: id.lexeme,
    displayName: displayName(login),
    groups: proof.groupsClaim === 'id' ? [id.lexeme] : [],
    hasMoreGroups: false,
    authTimeSeconds: nowSeconds,
  });
}

function displayNameOf(claims: JsonObject, claim: string, userId: string): string {
  const name = stringMember(claims, claim) ?? '';
  return displayName(name === '' ? userId : name);
}

/** Every algorithm that is accepted hashes with SHA-256 (OpenID Connect Core §3.1.3.6). */
function accessTokenHash(accessToken: string): string {
  const digest = createHash('sha256').update(accessToken).digest();
  return digest.subarray(0, SHA256_HALF_BYTES).toString('base64url');
}

function refuse(detail: string): Result<never, IdTokenRefusal> {
  return err({ reason: 'bad_id_token', detail });
}
