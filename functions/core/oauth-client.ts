import { readClientKey } from './client-key.ts';
import { isJsonObject, type Json, type JsonObject, parseJsonText, stringMember, writeJson } from './json.ts';
import { checkMembers } from './known-members.ts';
import { err, ok, type Result } from './result.ts';
import { Secret } from './secret.ts';

/** A client of ours at another party's token endpoint (RFC 6749 §4.4), as a secret of the type `oauth2` spells it. */
export type OAuthClient = {
  /** As it was written; whether it may be called is for `core/perimeter` to say. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly auth: OAuthClientAuth;
  /** Form parameters beside the grant and the client: scope, audience, resource, and those of `parameters`. */
  readonly parameters: readonly (readonly [string, string])[];
};

/** How it authenticates: with its secret, or with an assertion that its private key signs (RFC 7523 §2.2). */
export type OAuthClientAuth =
  | { readonly method: 'client_secret_basic'; readonly secret: Secret }
  | { readonly method: 'client_secret_post'; readonly secret: Secret }
  | { readonly method: 'private_key_jwt'; readonly privateKey: Secret; readonly keyId: string | undefined };

const PRINTABLE = /^[\x20-\x7e]+$/;

const MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'token_url',
  'client_id',
  'client_secret',
  'private_key',
  'key_id',
  'auth',
  'scope',
  'audience',
  'resource',
  'parameters',
  'url',
]);
/** What `parameters` may not say: it would take the place of what the gateway says itself. */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'scope',
  'audience',
  'resource',
]);

/**
 * Reads a secret's value of the type `oauth2`. A member that is not known is refused. The error names what is wrong and never what was read. Does NOT read the private key; see {@link checkOAuthClient}.
 */
export function parseOAuthClient(value: JsonObject): Result<OAuthClient, string> {
  const checked = checkMembers(value, MEMBERS);
  if (!checked.ok) return checked;
  const tokenUrl = printableMember(value, 'token_url');
  const clientId = printableMember(value, 'client_id');
  if (tokenUrl === undefined || clientId === undefined) {
    return err('`token_url` or `client_id` is missing or malformed');
  }
  const auth = parseAuth(value);
  if (!auth.ok) return auth;
  const named = ['scope', 'audience', 'resource'].filter((name) => value.has(name));
  const parameters: [string, string][] = [];
  for (const name of named) {
    const text = printableMember(value, name);
    if (text === undefined) return err(`\`${name}\` is no text, or an empty one`);
    parameters.push([name, text]);
  }
  const more = value.get('parameters') ?? new Map<string, Json>();
  if (!isJsonObject(more)) return err('`parameters` is no object');
  for (const [name, text] of more) {
    const isFit = typeof text === 'string' && PRINTABLE.test(name) && !OWN_PARAMETERS.has(name);
    if (!isFit) return err('`parameters` holds something that is no text, or that has a member of its own');
    parameters.push([name, text]);
  }
  return ok({ tokenUrl, clientId, auth: auth.value, parameters });
}

function parseAuth(value: JsonObject): Result<OAuthClientAuth, string> {
  const method = value.has('auth') ? value.get('auth') : 'client_secret_basic';
  const secret = stringMember(value, 'client_secret');
  const jwk = value.get('private_key');
  const privateKey = isJsonObject(jwk) ? writeJson(jwk) : stringMember(value, 'private_key');
  if (method === 'private_key_jwt') {
    if (!privateKey || value.has('client_secret'))
      return err('`private_key_jwt` goes with `private_key` alone');
    const keyId = printableMember(value, 'key_id');
    if (keyId === undefined && value.has('key_id')) return err('`key_id` is no text, or an empty one');
    return ok({ method, privateKey: new Secret(privateKey), keyId });
  }
  if (method !== 'client_secret_basic' && method !== 'client_secret_post') {
    return err('`auth` is none of client_secret_basic, client_secret_post, private_key_jwt');
  }
  const isAlone = !value.has('private_key') && !value.has('key_id');
  return secret && isAlone
    ? ok({ method, secret: new Secret(secret) })
    : err('`client_secret` is missing, or there is a `private_key` without `"auth": "private_key_jwt"`');
}

/** What {@link parseOAuthClient} leaves until it is needed: can the private key, where there is one, sign? */
export function checkOAuthClient({ auth }: OAuthClient): Result<void, string> {
  if (auth.method !== 'private_key_jwt') return ok(undefined);
  const key = readClientKey(auth.privateKey);
  return key.ok ? ok(undefined) : key;
}

/** What of it must not come back in an answer of anybody's: of a JWK, its private exponent alone too. */
export function secretsOf({ auth }: OAuthClient): readonly Secret[] {
  if (auth.method !== 'private_key_jwt') return [auth.secret];
  const parsed = parseJsonText(auth.privateKey.reveal());
  const exponent = parsed.ok ? stringMember(parsed.value, 'd') : undefined;
  return [auth.privateKey, ...(exponent === undefined ? [] : [new Secret(exponent)])];
}

function printableMember(value: JsonObject, name: string): string | undefined {
  const text = stringMember(value, name);
  return text !== undefined && PRINTABLE.test(text) ? text : undefined;
}
