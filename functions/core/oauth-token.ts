import { clientBasic } from './client-basic.ts';
import { readClientKey } from './client-key.ts';
import { type Json, JsonNumber, member, stringMember } from './json.ts';
import type { OAuthClient, OAuthClientAuth } from './oauth-client.ts';
import { ok, type Result } from './result.ts';
import { Secret } from './secret.ts';

/** An access token as its endpoint gave it, and for how many seconds it said that it lives. */
export type IssuedToken = { readonly token: Secret; readonly lifetimeSeconds: number };

/** A token of no known life is taken for one of this: it is asked for anew often enough, and not at every call. */
const DEFAULT_LIFETIME_SECONDS = 300;
const MAX_LIFETIME_SECONDS = 86_400;
const ASSERTION_SECONDS = 60;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MAX_TOKEN_CHARACTERS = 16_384;
const DECIMAL = /^\d{1,12}(?:\.\d+)?$/;
const TOKEN = /^[\x21-\x7e]+$/;

/** One request to a token endpoint: what is posted as a form, and the headers that authenticate. */
export type TokenRequest = {
  readonly form: URLSearchParams;
  readonly headers: readonly (readonly [string, string])[];
};

/**
 * The request for a token by client credentials. An assertion is for the token endpoint alone, lives 60 s and has the `jti` that is given,
 * random and used once.
 */
export function tokenRequest(
  client: OAuthClient,
  { nowSeconds, jti }: { readonly nowSeconds: number; readonly jti: string },
): Result<TokenRequest, string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  for (const [name, value] of client.parameters) form.set(name, value);
  const { auth, clientId } = client;
  switch (auth.method) {
    case 'client_secret_basic':
      return ok({ form, headers: [['authorization', clientBasic(clientId, auth.secret)]] });
    case 'client_secret_post':
      form.set('client_id', clientId);
      form.set('client_secret', auth.secret.reveal());
      return ok({ form, headers: [] });
    case 'private_key_jwt': {
      const assertion = assertionOf(client, auth, nowSeconds, jti);
      if (!assertion.ok) return assertion;
      form.set('client_id', clientId);
      form.set('client_assertion_type', ASSERTION_TYPE);
      form.set('client_assertion', assertion.value);
      return ok({ form, headers: [] });
    }
  }
}

/** RFC 7523 §3, as OpenID Connect Core §9 has it. */
function assertionOf(
  { clientId, tokenUrl }: OAuthClient,
  auth: Extract<OAuthClientAuth, { readonly method: 'private_key_jwt' }>,
  nowSeconds: number,
  jti: string,
): Result<string, string> {
  const key = readClientKey(auth.privateKey);
  if (!key.ok) return key;
  const header = { alg: key.value.algorithm, typ: 'JWT', kid: auth.keyId ?? key.value.keyId };
  const exp = nowSeconds + ASSERTION_SECONDS;
  const claims = { iss: clientId, sub: clientId, aud: tokenUrl, iat: nowSeconds, exp, jti };
  const signingInput = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return ok(`${signingInput}.${key.value.sign(signingInput)}`);
}

/** Reads a token endpoint's answer of status 200 (RFC 6749 §5.1); undefined where it holds no bearer token that can be sent. */
export function readIssuedToken(body: Json): IssuedToken | undefined {
  const token = stringMember(body, 'access_token');
  const type = member(body, 'token_type') ?? 'bearer';
  const isBearer = typeof type === 'string' && type.toLowerCase() === 'bearer';
  if (token === undefined || !isBearer || !TOKEN.test(token) || token.length > MAX_TOKEN_CHARACTERS) {
    return undefined;
  }
  const lifetimeSeconds = secondsOf(member(body, 'expires_in'));
  return { token: new Secret(token), lifetimeSeconds };
}

/** Some write it as a text, or 0, which is taken for 1 so that not every call asks. What is not there, or is no number, is {@link DEFAULT_LIFETIME_SECONDS}. */
function secondsOf(value: Json | undefined): number {
  const text = value instanceof JsonNumber ? value.lexeme : value;
  const isNumber = typeof text === 'string' && DECIMAL.test(text);
  if (!isNumber) return DEFAULT_LIFETIME_SECONDS;
  return Math.max(1, Math.min(MAX_LIFETIME_SECONDS, Math.floor(Number(text))));
}
