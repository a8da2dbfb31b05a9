import { basicPair, secretsInHeader } from './header-secrets.ts';
import { isJsonObject, type JsonObject, parseJsonText, stringMember } from './json.ts';
import { checkMembers } from './known-members.ts';
import { type OAuthClient, parseOAuthClient, secretsOf } from './oauth-client.ts';
import { writeQuery } from './query.ts';
import { canHide } from './redact.ts';
import { err, ok, type Result } from './result.ts';
import { Secret } from './secret.ts';

/** A credential (contract §7), as a secret's value spells it: one to put on as it is, or a client by which a token is got first. */
export type Credential = (FixedCredential | { readonly type: 'oauth2'; readonly client: OAuthClient }) & {
  /** It goes there and below and nowhere else, wherever the entry of its server or service points; absent: where the entry points. */
  readonly url?: string;
};

/** A credential to put on as it is. */
export type FixedCredential =
  | { readonly type: 'bearer'; readonly token: Secret }
  | { readonly type: 'basic'; readonly username: string; readonly password: Secret }
  | { readonly type: 'header'; readonly name: string; readonly value: Secret }
  | { readonly type: 'query'; readonly name: string; readonly value: Secret };

/** Whose credential is asked for: verified claims, never a header or a parameter. */
export type CredentialOwner = {
  readonly orgId: string;
  readonly clientId: string;
  readonly subject: string;
};

/** What a value of each type may hold; a client's members are for {@link parseOAuthClient} to know. */
const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['bearer', ['type', 'url', 'token']],
  ['basic', ['type', 'url', 'username', 'password']],
  ['header', ['type', 'url', 'name', 'value']],
  ['query', ['type', 'url', 'name', 'value']],
]);
const PLAIN_ID = /^[A-Za-z0-9._-]+$/;
const FIELD_VALUE = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;
const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Names that frame a message or that the gateway sets itself; no secret may take them over. */
const FRAMING =
  /^(?:host|content-.*|transfer-encoding|connection|te|trailer|upgrade|keep-alive|expect|mcp-.*)$/;

/** Where an API takes its key as the name of a user, what stands in the place of the password. */
const NO_PASSWORD = /^(?:|[xX]|api_token|x-oauth-basic)$/;

/** The full name of the secret of one owner for one server or service (contract §7). */
export function credentialName(
  stage: string,
  target: string,
  key: 'client' | 'user',
  owner: CredentialOwner,
): string {
  const id = key === 'client' ? owner.clientId : owner.subject;
  return `${credentialPrefix(stage, owner.orgId, target)}/${key}.${encodeId(id)}`;
}

/** The full name of the secret that stands in where an entry says `fallback: default`. */
export function defaultCredentialName(stage: string, target: string, orgId: string): string {
  return `${credentialPrefix(stage, orgId, target)}/_default`;
}

/**
 * Reads a secret's value. Values that could not be a header are refused here, not when they are sent. The error names what
 * is wrong and never what was read.
 */
export function parseCredential(text: string): Result<Credential, string> {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return err('the secret is not a JSON object');
  const value = parsed.value;
  const known = MEMBERS.get(value.get('type'));
  const checked = known === undefined ? ok(undefined) : checkMembers(value, new Set(known));
  if (!checked.ok) return checked;
  const credential = parseByType(value);
  if (!credential.ok || !value.has('url')) return credential;
  const url = stringMember(value, 'url');
  return url !== undefined && URL.canParse(url)
    ? ok({ ...credential.value, url })
    : err('`url` is no URL: write where the credential may go');
}

/** May the credential go to this URL: its own scheme, host and port, its path or one below? */
export function mayGoTo({ url: bound }: Credential, target: URL): boolean {
  if (bound === undefined) return true;
  const { origin, pathname } = new URL(bound);
  const below = pathname.endsWith('/') ? pathname : `${pathname}/`;
  return origin === target.origin && `${target.pathname}/`.startsWith(below);
}

function parseByType(value: JsonObject): Result<Credential, string> {
  switch (value.get('type')) {
    case 'bearer': {
      const token = secretMember(value, 'token');
      return token === undefined
        ? err('`token` is missing or no header value')
        : ok({ type: 'bearer', token });
    }
    case 'basic': {
      const username = stringMember(value, 'username');
      const password = stringMember(value, 'password');
      const isWhole = username !== undefined && !username.includes(':') && password !== undefined;
      return isWhole
        ? ok({ type: 'basic', username, password: new Secret(password) })
        : err('`username` or `password` is missing or malformed');
    }
    case 'header':
    case 'query': {
      const type = value.get('type') === 'header' ? 'header' : 'query';
      const name = stringMember(value, 'name');
      const secret = secretMember(value, 'value');
      if (!name || secret === undefined) return err('`name` or `value` is missing or malformed');
      const isUsable =
        type === 'query' || (FIELD_NAME.test(name.toLowerCase()) && !FRAMING.test(name.toLowerCase()));
      return isUsable ? ok({ type, name, value: secret }) : err('`name` is no header that can be set');
    }
    case 'oauth2': {
      const client = parseOAuthClient(value);
      return client.ok ? ok({ type: 'oauth2', client: client.value }) : client;
    }
    default:
      return err('`type` is none of bearer, basic, header, query, oauth2');
  }
}

/**
 * Is what makes it a secret so short that nobody could tell an echo of it from other text ({@link canHide})? Of a header's value the parts are
 * looked at, and one that is long enough does; of HTTP Basic it is the password.
 */
export function isTooShort(credential: Credential): boolean {
  return !coreOf(credential).some(canHide);
}

function coreOf(credential: Credential): readonly Secret[] {
  switch (credential.type) {
    case 'bearer':
      return [credential.token];
    case 'basic':
      return [basicSecret(credential)];
    case 'header': {
      const pair = basicPair(credential.value.reveal());
      if (pair !== undefined) return [basicSecret({ ...pair, password: new Secret(pair.password) })];
      const parts = secretsInHeader(credential.name.toLowerCase(), credential.value.reveal());
      return parts.length > 0 ? parts : [credential.value];
    }
    case 'query':
      return [credential.value];
    case 'oauth2':
      return secretsOf(credential.client);
  }
}

/** Of a pair for HTTP Basic, the half that is the secret: the name, where the password is a word that APIs take for none. */
function basicSecret({
  username,
  password,
}: {
  readonly username: string;
  readonly password: Secret;
}): Secret {
  return NO_PASSWORD.test(password.reveal()) ? new Secret(username) : password;
}

/**
 * Puts a credential on a request: replaces, never appends. `headers` has lower-case names. Gives what must not come back: the
 * secret, for HTTP Basic the pair that is encoded as one, and what of a header's value is a secret by itself.
 */
export function applyCredential(
  credential: FixedCredential,
  url: URL,
  headers: Map<string, string>,
): readonly Secret[] {
  switch (credential.type) {
    case 'bearer':
      headers.set('authorization', `Bearer ${credential.token.reveal()}`);
      return [credential.token];
    case 'basic': {
      const pair = `${credential.username}:${credential.password.reveal()}`;
      headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
      return [basicSecret(credential), new Secret(pair)];
    }
    case 'header': {
      const name = credential.name.toLowerCase();
      const value = credential.value.reveal();
      headers.set(name, value);
      return [credential.value, ...secretsInHeader(name, value)];
    }
    case 'query':
      // To an API that reads names without case, the caller's own would come before it.
      for (const name of [...url.searchParams.keys()]) {
        if (name.toLowerCase() === credential.name.toLowerCase()) url.searchParams.delete(name);
      }
      url.searchParams.append(credential.name, credential.value.reveal());
      url.search = writeQuery(url.searchParams);
      return [credential.value];
  }
}

function credentialPrefix(stage: string, orgId: string, target: string): string {
  return `sallyport/${stage}/credentials/${encodeId(orgId)}/${target}`;
}

/** Secrets Manager's names have fewer characters than ids; `b64.` cannot collide with a plain id that starts so, which is encoded too. */
function encodeId(id: string): string {
  const isPlain = PLAIN_ID.test(id) && !id.startsWith('b64.');
  return isPlain ? id : `b64.${Buffer.from(id).toString('base64url')}`;
}

function secretMember(value: JsonObject, name: string): Secret | undefined {
  const text = stringMember(value, name);
  return text !== undefined && FIELD_VALUE.test(text) ? new Secret(text) : undefined;
}
