import { stringList } from './compact-jws.ts';
import { isUsableKey } from './foreign-algorithm.ts';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from './json.ts';
import { isPrivateMember, readJwks } from './jwks.ts';
import { OPEN_CLIENT_GRANTS } from './open-client.ts';
import { parseUpstreamUrl } from './perimeter.ts';
import type { ForeignKey } from './ports.ts';
import { isLoopbackHost, parseRedirectUri } from './redirect-uri.ts';
import { err, ok, type Result } from './result.ts';

/** What a client says of itself (RFC 7591 §2), in its metadata document or when it registers: as much of it as is used. */
export type ClientMetadata = {
  /** Its own words, which nobody has checked; undefined where it says nothing. */
  readonly clientName: string | undefined;
  readonly redirectUris: readonly string[];
  readonly auth: 'none' | 'private_key_jwt';
  /** Some of {@link OPEN_CLIENT_GRANTS}, `authorization_code` among them. */
  readonly grants: readonly string[];
  readonly jwks: readonly ForeignKey[];
  readonly jwksUri: string | undefined;
  /** The scopes that it will ask for at most; undefined where it says nothing. */
  readonly scopes?: readonly string[];
};

/** Why metadata is refused (RFC 7591 §3.2.2); `description` is for the client's developer. */
export type MetadataRefusal = {
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata';
  readonly description: string;
};

const MAX_REDIRECT_URIS = 20;
/** No control characters, no line ends, nothing that turns the direction of the text around it. */
const CLIENT_NAME = /^[^\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]{1,100}$/u;

/**
 * Reads the metadata of a client. In this order: no secret in it; redirect URIs of the form of {@link parseRedirectUri}, and https alone
 * for `application_type: web`; authentication `none` (also where it says nothing) or `private_key_jwt` with public keys; grants and
 * response types with codes among them; a name that can be shown; `scope` a text. Unknown members are ignored (RFC 7591 §2). Does NOT say which
 * scopes it may have: that is not the client's to say. With `allowPrivate` its keys may be at a private address. Does NOT fetch anything.
 */
export function parseClientMetadata(
  metadata: JsonObject,
  { allowPrivate }: { readonly allowPrivate: boolean },
): Result<ClientMetadata, MetadataRefusal> {
  if (metadata.has('client_secret') || metadata.has('client_secret_expires_at')) {
    return refuse('a client here has no secret: leave `client_secret` out');
  }
  const redirectUris = readRedirectUris(metadata);
  if (!redirectUris.ok) return redirectUris;
  const authentication = readAuthentication(metadata, allowPrivate);
  if (!authentication.ok) return authentication;
  const grantTypes = textsOf(metadata, 'grant_types', ['authorization_code']);
  if (!grantTypes?.includes('authorization_code')) return refuse('`grant_types` needs `authorization_code`');
  if (!textsOf(metadata, 'response_types', ['code'])?.includes('code')) {
    return refuse('`response_types` needs `code`');
  }
  const clientName = metadata.get('client_name');
  if (clientName !== undefined && (typeof clientName !== 'string' || !CLIENT_NAME.test(clientName))) {
    return refuse('`client_name` is a text of 100 characters at most, without control characters');
  }
  const scope = metadata.get('scope');
  if (scope !== undefined && typeof scope !== 'string') return refuse('`scope` is a text');
  const scopes = scope?.split(' ').filter((name) => name !== '') ?? [];
  return ok({
    clientName,
    ...(scopes.length > 0 ? { scopes } : {}),
    redirectUris: redirectUris.value,
    ...authentication.value,
    grants: OPEN_CLIENT_GRANTS.filter((grant) => grantTypes.includes(grant)),
  });
}

/** The metadata as its client could have written it: what {@link parseClientMetadata} reads as the same. */
export function writeClientMetadata(metadata: ClientMetadata): Readonly<Record<string, unknown>> {
  const { clientName, redirectUris, auth, grants, jwks, jwksUri, scopes } = metadata;
  return {
    ...(clientName === undefined ? {} : { client_name: clientName }),
    redirect_uris: redirectUris,
    token_endpoint_auth_method: auth,
    grant_types: grants,
    response_types: ['code'],
    ...(jwks.length > 0 ? { jwks: { keys: jwks } } : {}),
    ...(jwksUri === undefined ? {} : { jwks_uri: jwksUri }),
    ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
  };
}

/** Of the scopes that it asked for, those that it may have; where it may have none of them, it is as if it had said nothing. */
export function narrowScopes(
  { scopes = [], ...metadata }: ClientMetadata,
  open: readonly string[],
): ClientMetadata {
  const common = open.filter((scope) => scopes.includes(scope));
  return common.length > 0 ? { ...metadata, scopes: common } : metadata;
}

function readRedirectUris(metadata: JsonObject): Result<readonly string[], MetadataRefusal> {
  const uris = stringList(metadata.get('redirect_uris'));
  if (uris === undefined || uris.length === 0 || uris.length > MAX_REDIRECT_URIS) {
    return refuseUri(`\`redirect_uris\` is a list of 1 to ${MAX_REDIRECT_URIS} texts`);
  }
  const type = metadata.get('application_type');
  if (type !== undefined && type !== 'web' && type !== 'native') {
    return refuse('`application_type` is `web` or `native`');
  }
  for (const text of uris) {
    const uri = parseRedirectUri(text);
    if (!uri.ok) return refuseUri(uri.error);
    if (type === 'web' && (uri.value.protocol !== 'https:' || isLoopbackHost(uri.value))) {
      return refuseUri('with `application_type: web` every redirect URI is https, and none on loopback');
    }
  }
  return ok(uris);
}

type Authentication = Pick<ClientMetadata, 'auth' | 'jwks' | 'jwksUri'>;

function readAuthentication(
  metadata: JsonObject,
  allowPrivate: boolean,
): Result<Authentication, MetadataRefusal> {
  const auth = metadata.get('token_endpoint_auth_method') ?? 'none';
  if (auth !== 'none' && auth !== 'private_key_jwt') {
    return refuse('`token_endpoint_auth_method` is `none` or `private_key_jwt`');
  }
  const set = metadata.get('jwks');
  if (set !== undefined && hasPrivateKey(set)) return refuse('`jwks` has a private or a shared key in it');
  if (auth === 'none') return ok({ auth, jwks: [], jwksUri: undefined });
  const jwksUri = metadata.get('jwks_uri');
  if ((set === undefined) === (jwksUri === undefined)) return refuse('write either `jwks` or `jwks_uri`');
  if (set !== undefined) {
    const jwks = (readJwks(set) ?? []).filter(isUsableKey);
    return jwks.length > 0
      ? ok({ auth, jwks, jwksUri: undefined })
      : refuse('`jwks` has no key for RS256, PS256 or ES256');
  }
  if (typeof jwksUri !== 'string') return refuse('`jwks_uri` is a text');
  const url = parseUpstreamUrl(jwksUri, allowPrivate);
  return url.ok ? ok({ auth, jwks: [], jwksUri }) : refuse(`\`jwks_uri\`: ${url.error}`);
}

function hasPrivateKey(set: Json): boolean {
  const keys = isJsonObject(set) ? set.get('keys') : undefined;
  if (!isJsonArray(keys)) return false;
  return keys.some((key) => isJsonObject(key) && [...key.keys()].some(isPrivateMember));
}

function textsOf(
  metadata: JsonObject,
  name: string,
  otherwise: readonly string[],
): readonly string[] | undefined {
  return metadata.has(name) ? stringList(metadata.get(name)) : otherwise;
}

function refuse(description: string): Result<never, MetadataRefusal> {
  return err({ error: 'invalid_client_metadata', description });
}

function refuseUri(description: string): Result<never, MetadataRefusal> {
  return err({ error: 'invalid_redirect_uri', description });
}
