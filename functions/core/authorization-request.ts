import { serverOfResource, unknownResource } from './grant.ts';
import { isCodeChallenge } from './pkce.ts';
import type { ClientEntry } from './policy.ts';
import { err, ok, type Result } from './result.ts';

/** What a client asks a user for (RFC 6749 §4.1.1), by a client and a redirect URI that are known to be its own. */
export type AuthorizationRequest = {
  readonly clientId: string;
  readonly redirectUri: string;
  /** PKCE S256 (RFC 7636 §4.3). */
  readonly codeChallenge: string;
  readonly resource: string | undefined;
  /** Undefined: everything that the client may have. */
  readonly scopes: readonly string[] | undefined;
  readonly state: string | undefined;
  /** `none`: nothing may be shown. `login`: the user logs in again, whatever session there is. */
  readonly prompt: 'none' | 'login' | undefined;
};

/** An error that is sent to the client's redirect URI (RFC 6749 §4.1.2.1, RFC 8707 §2, OpenID Connect Core §3.1.2.6). */
export type AuthorizationRefusal = {
  readonly error:
    | 'invalid_request'
    | 'unauthorized_client'
    | 'access_denied'
    | 'unsupported_response_type'
    | 'invalid_scope'
    | 'invalid_target'
    | 'server_error'
    | 'temporarily_unavailable'
    | 'login_required'
    | 'consent_required'
    | 'request_not_supported'
    | 'request_uri_not_supported';
  /** For the client's developer; no quotes, backslashes or characters beyond ASCII (RFC 6749 §4.1.2.1). */
  readonly description: string;
};

/** The query of an authorization request: each parameter once, and the names of those that came more often. */
export type AuthorizationQuery = {
  readonly parameters: ReadonlyMap<string, string>;
  readonly repeated: ReadonlySet<string>;
};

const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/;
/** RFC 6749 appendix A.5. It comes back in the URL of the answer, and goes through the identity provider. */
const STATE = /^[\x20-\x7E]{1,2000}$/;

/** Reads a query. A parameter without a value counts as absent (RFC 6749 §3.1). */
export function readAuthorizationQuery(query: URLSearchParams): AuthorizationQuery {
  const parameters = new Map<string, string>();
  const repeated = new Set<string>();
  for (const [name, value] of query) {
    if (value === '') continue;
    if (parameters.has(name)) repeated.add(name);
    else parameters.set(name, value);
  }
  return { parameters, repeated };
}

/** The state to send back with whatever answer; undefined where there is none, or more than one. */
export function stateOf({ parameters, repeated }: AuthorizationQuery): string | undefined {
  const state = parameters.get('state');
  return state !== undefined && !repeated.has('state') && STATE.test(state) ? state : undefined;
}

/**
 * Judges a request whose redirect URI holds, of a client that may use the grant; every refusal goes to the client. In this order: no parameter twice, no request object (never
 * fetched), `response_type=code`, `response_mode=query`, PKCE S256 (always), one resource that is `ORIGIN` or
 * by its form an MCP endpoint of ours, scopes of which the client may have one, `state`, `prompt`. Unknown parameters are passed over.
 */
export function parseAuthorizationRequest(
  query: AuthorizationQuery,
  client: ClientEntry,
  redirectUri: string,
  origin: string,
): Result<AuthorizationRequest, AuthorizationRefusal> {
  const { parameters, repeated } = query;
  const [twice] = [...repeated].filter((name) => name !== 'resource');
  if (twice !== undefined) return refuse('invalid_request', `${printable(twice)} is repeated`);
  if (parameters.has('request')) return refuse('request_not_supported', 'request objects are not read');
  if (parameters.has('request_uri')) {
    return refuse('request_uri_not_supported', 'request objects are not read');
  }
  const responseType = parameters.get('response_type');
  if (responseType === undefined) return refuse('invalid_request', 'response_type is missing');
  if (responseType !== 'code') return refuse('unsupported_response_type', 'write response_type=code');
  if ((parameters.get('response_mode') ?? 'query') !== 'query') {
    return refuse('invalid_request', 'the only response_mode is query');
  }
  const codeChallenge = parameters.get('code_challenge') ?? '';
  if (parameters.get('code_challenge_method') !== 'S256' || !isCodeChallenge(codeChallenge)) {
    return refuse('invalid_request', 'PKCE is required: code_challenge with code_challenge_method=S256');
  }
  const resource = parameters.get('resource');
  const refusedResource = judgeResource(resource, repeated.has('resource'), client, origin);
  if (refusedResource !== undefined) return err(refusedResource);
  const scope = parameters.get('scope');
  if (scope !== undefined && !SCOPE.test(scope)) {
    return refuse('invalid_scope', 'scopes are separated by one space');
  }
  const scopes = scope?.split(' ');
  if (offeredScopes(client, scopes).length === 0) {
    return refuse('invalid_scope', 'none of these scopes is open to this client');
  }
  if (parameters.has('state') && stateOf(query) === undefined) {
    return refuse('invalid_request', 'state has at most 2000 characters of ASCII');
  }
  const prompts = parameters.get('prompt')?.split(' ') ?? [];
  if (prompts.includes('none') && prompts.length > 1) {
    return refuse('invalid_request', 'prompt=none stands alone');
  }
  const mustLogin = prompts.includes('login') || prompts.includes('select_account');
  return ok({
    clientId: client.id,
    redirectUri,
    codeChallenge,
    resource,
    // What the client may not have is neither shown nor carried along.
    scopes: scopes === undefined ? undefined : offeredScopes(client, scopes),
    state: stateOf(query),
    prompt: prompts.includes('none') ? 'none' : mustLogin ? 'login' : undefined,
  });
}

/** The scopes that a user is asked for: requested ∩ allowed for the client, in the order of its registration. */
export function offeredScopes(
  client: ClientEntry,
  requested: readonly string[] | undefined,
): readonly string[] {
  return requested === undefined ? client.scopes : client.scopes.filter((scope) => requested.includes(scope));
}

/** None named stands for `ORIGIN`, as at the token endpoint. */
function judgeResource(
  resource: string | undefined,
  isRepeated: boolean,
  client: ClientEntry,
  origin: string,
): AuthorizationRefusal | undefined {
  const refusal = (description: string) => ({ error: 'invalid_target', description }) as const;
  if (isRepeated) return refusal('ask for one resource at a time');
  const wanted = resource ?? origin;
  if (wanted === origin) {
    return client.audience === 'gateway'
      ? undefined
      : refusal(`name the server: resource=${origin}/{server}/mcp`);
  }
  return serverOfResource(wanted, origin) === undefined ? refusal(unknownResource(origin)) : undefined;
}

function printable(name: string): string {
  return name.slice(0, 40).replace(/[^A-Za-z0-9_.-]/g, '?');
}

function refuse(
  error: AuthorizationRefusal['error'],
  description: string,
): Result<never, AuthorizationRefusal> {
  return err({ error, description });
}
