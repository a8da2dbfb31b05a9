import { stringList } from './compact-jws.ts';
import { type Json, type JsonObject, member, stringMember } from './json.ts';

/** How IdPs call the client that a token was issued to: RFC 9068 and Cognito, OpenID Connect, Okta, Entra ID v1. */
const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'] as const;
/** What stands in id tokens and logout tokens alone (OpenID Connect Core §3.1.3.6 and §3.3.2.11, Back-Channel Logout §2.4). */
const CLAIMS_OF_OTHER_TOKENS = ['at_hash', 'c_hash', 's_hash', 'events'] as const;
/** Where one of these is, a person has logged in, whatever the subject says (RFC 9700 §4.15). */
const CLAIMS_OF_USERS = ['username', 'cognito:groups', 'email', 'sid', 'amr'] as const;
/** RFC 6749 §3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const MAX_IDENTIFIER_LENGTH = 255;

/**
 * Is this an access token, by what IdPs say of theirs: Cognito `token_use`, Keycloak `typ`, and nothing that stands in id tokens alone?
 * A `nonce` does too, but older Keycloak servers repeat it in the access token.
 */
export function isAccessToken(claims: JsonObject): boolean {
  if (claims.has('token_use') && claims.get('token_use') !== 'access') return false;
  if (claims.has('typ') && claims.get('typ') !== 'Bearer') return false;
  if (claims.has('nonce') && claims.get('typ') !== 'Bearer') return false;
  return CLAIMS_OF_OTHER_TOKENS.every((name) => !claims.has(name));
}

/** The client that the token was issued to; undefined where none is named, or two are. An id token names none, or only its audience. */
export function clientIdOf(claims: JsonObject): string | undefined {
  const named = CLIENT_CLAIMS.filter((name) => claims.has(name)).map((name) => claims.get(name));
  const [first] = named;
  return isIdentifier(first) && named.every((value) => value === first) ? first : undefined;
}

/**
 * The scopes of the token: `scope` (RFC 9068), `scp` (Okta a list, Entra ID a text), or the application roles by which Entra ID grants to a
 * client that acts by itself. Undefined where there are none of them, which is so for an id token, or a malformed one.
 */
export function scopesOf(claims: JsonObject): readonly string[] | undefined {
  const isEntraApplication = claims.has('tid') && claims.get('idtyp') === 'app';
  const name = ['scope', 'scp', ...(isEntraApplication ? ['roles'] : [])].find((one) => claims.has(one));
  if (name === undefined) return undefined;
  const value = claims.get(name);
  const scopes =
    typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : stringList(value);
  return scopes?.every((scope) => SCOPE_TOKEN.test(scope)) === true ? scopes : undefined;
}

/**
 * The groups under the claim that the IdP uses for them: a text or texts; anything else is no group. An address is a group only where it
 * was verified: one that nobody has verified is anybody's.
 */
export function groupsIn(claims: JsonObject, groupsClaim: string | undefined): readonly string[] {
  if (groupsClaim === undefined) return [];
  if (groupsClaim === 'email' && claims.get('email_verified') !== true) return [];
  const claim = claims.get(groupsClaim);
  const groups = typeof claim === 'string' ? [claim] : (stringList(claim) ?? []);
  return [...new Set(groups)].filter((group) => group !== '');
}

/** Has the user groups that are not in the token, because there are too many of them (Entra ID)? */
export function hasMoreGroups(claims: JsonObject): boolean {
  return claims.get('hasgroups') === true || member(claims.get('_claim_names'), 'groups') !== undefined;
}

/**
 * Does the client act by itself? IdPs say so with its id as the subject (Cognito, Okta), with a suffix (Auth0) or in a claim of its own
 * (Entra ID). Where nothing says so it is a user: that gives less.
 */
export function isClientItself(claims: JsonObject, clientId: string): boolean {
  if (CLAIMS_OF_USERS.some((name) => claims.has(name))) return false;
  const subject = stringMember(claims, 'sub');
  const isEntraApplication = claims.has('tid') && claims.get('idtyp') === 'app';
  return subject === clientId || subject === `${clientId}@clients` || isEntraApplication;
}

/** May this be the id of a user, or of a token: 1 to 255 characters, none of them a control character? It becomes a key of storage. */
export function isIdentifier(value: Json | undefined): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_IDENTIFIER_LENGTH &&
    !/\p{Cc}/u.test(value)
  );
}
