import type { RefusalCause } from './decide.ts';
import type { Denial } from './denial.ts';
import { windowWords } from './rules/time-window.ts';

/** The JSON-RPC codes of our own, outside the range that the protocol reserves (mcp 2026-07-28 §basic). */
export const RPC_DENIED = -31001;
/** The user has to connect an account first; `data.url` says where. */
const RPC_CONNECTION_REQUIRED = -31002;
/** The server behind failed. */
export const RPC_UPSTREAM = -31003;
const RPC_UNAVAILABLE = -31004;
const RPC_RATE_LIMITED = -31005;

/** All of them: what bears one speaks as the gateway. */
export const RPC_OF_GATEWAY: ReadonlySet<number> = new Set([
  RPC_DENIED,
  RPC_CONNECTION_REQUIRED,
  RPC_UPSTREAM,
  RPC_UNAVAILABLE,
  RPC_RATE_LIMITED,
]);

/** What a denial looks like from outside. `text` is all that the client may know. */
export type Wire = {
  readonly status: number;
  readonly code:
    | 'invalid_argument'
    | 'unauthenticated'
    | 'permission_denied'
    | 'not_found'
    | 'failed_precondition'
    | 'payload_too_large'
    | 'rate_limited'
    | 'upstream_error'
    | 'unavailable';
  readonly rpcCode: number;
  readonly text: string;
};

const UNAUTHENTICATED: Wire = {
  status: 401,
  code: 'unauthenticated',
  rpcCode: RPC_DENIED,
  text: 'a valid access token for this resource is required',
};

const DENIED_TEXT = 'access denied: this operation is not available to you';

/** The one table from a reason to what the world sees. It has no default: a new reason does not compile until it has a row. */
export function toWire(denial: Denial): Wire {
  switch (denial.reason) {
    case 'no_token':
    case 'malformed_token_header':
    case 'bad_token':
    case 'bad_idp_token':
    case 'selector_mismatch':
    case 'revoked':
    case 'unknown_client':
    case 'client_disabled':
    case 'org_mismatch':
    case 'org_suspended':
    case 'identity_provider_gone':
    case 'malformed_scope':
      return UNAUTHENTICATED;
    case 'malformed_message':
      return { status: 400, code: 'invalid_argument', rpcCode: denial.code, text: denial.message };
    case 'unknown_server':
    case 'unknown_item':
      return { status: 404, code: 'not_found', rpcCode: RPC_DENIED, text: 'there is nothing here' };
    case 'no_server_access':
    case 'not_granted':
      return { status: 403, code: 'permission_denied', rpcCode: RPC_DENIED, text: DENIED_TEXT };
    case 'no_namespace':
      return {
        status: 403,
        code: 'permission_denied',
        rpcCode: RPC_DENIED,
        text: 'access denied: this token opens no namespace of the context store',
      };
    case 'run_namespace_not_allowed':
      return {
        status: 403,
        code: 'permission_denied',
        rpcCode: RPC_DENIED,
        text: 'access denied: this client may open no runs for one of these namespaces; `run_namespaces` in clients.yml names those that it may',
      };
    case 'payload_too_large':
      return {
        status: 413,
        code: 'payload_too_large',
        rpcCode: -32600,
        text: 'the body is larger than 4.5 MB',
      };
    case 'unsupported_media_type':
      return {
        status: 415,
        code: 'invalid_argument',
        rpcCode: -32600,
        text: 'send `Content-Type: application/json` in UTF-8',
      };
    case 'forbidden_origin':
      return {
        status: 403,
        code: 'permission_denied',
        rpcCode: RPC_DENIED,
        text: 'this origin may not call',
      };
    case 'method_not_allowed':
      return {
        status: 405,
        code: 'invalid_argument',
        rpcCode: -32600,
        text: 'this method is not allowed here: POST to it (Streamable HTTP; the HTTP+SSE transport of 2024-11-05 is not served)',
      };
    case 'unknown_session':
      return {
        status: 404,
        code: 'not_found',
        rpcCode: -32600,
        text: 'there is no such session; initialize again',
      };
    case 'missing_credential':
      return {
        status: 403,
        code: 'permission_denied',
        rpcCode: RPC_DENIED,
        text: 'access denied: no credential is set up for this client; ask an administrator, giving the request id',
      };
    case 'missing_upstream_token':
      return {
        status: 403,
        code: 'permission_denied',
        rpcCode: RPC_DENIED,
        text: 'access denied: this server takes a token of your own: send the token of this gateway in `X-Authorization`, and your own for the server in `Authorization`',
      };
    case 'refused_upstream_token':
      return {
        status: 403,
        code: 'permission_denied',
        rpcCode: RPC_DENIED,
        text: 'access denied: the server does not accept your own token for it, which you send in `Authorization`; get a new one',
      };
    case 'connection_required':
      return {
        status: 403,
        code: 'failed_precondition',
        rpcCode: RPC_CONNECTION_REQUIRED,
        text: `this needs an account at ${denial.displayName}: its user connects it at ${denial.url} and then tries again`,
      };
    case 'bad_delegation':
      return {
        status: 403,
        code: 'permission_denied',
        rpcCode: RPC_DENIED,
        text: 'the delegation is not accepted',
      };
    case 'path_not_allowed':
      return { status: 403, code: 'permission_denied', rpcCode: RPC_DENIED, text: DENIED_TEXT };
    case 'outside_perimeter':
    case 'refused_address':
      return {
        status: 502,
        code: 'upstream_error',
        rpcCode: RPC_UPSTREAM,
        text: 'the server behind is outside the enterprise perimeter, where this gateway calls nothing',
      };
    case 'redirect':
      return {
        status: 502,
        code: 'upstream_error',
        rpcCode: RPC_UPSTREAM,
        text: 'the server behind answered with a redirect, which is not followed',
      };
    case 'refused_credential':
      return {
        status: 502,
        code: 'upstream_error',
        rpcCode: RPC_UPSTREAM,
        text: 'the server behind did not accept how the gateway authenticated to it',
      };
    case 'unreachable':
      return {
        status: 502,
        code: 'upstream_error',
        rpcCode: RPC_UPSTREAM,
        text: 'the server behind could not be reached',
      };
    case 'timeout':
      return {
        status: 504,
        code: 'upstream_error',
        rpcCode: RPC_UPSTREAM,
        text: 'the server behind did not answer in time',
      };
    case 'rate_limited':
      return {
        status: 429,
        code: 'rate_limited',
        rpcCode: RPC_RATE_LIMITED,
        text: `too many requests; try again in ${denial.retryAfterSeconds} s`,
      };
    case 'unavailable':
      return { status: 503, code: 'unavailable', rpcCode: RPC_UNAVAILABLE, text: 'try again in a moment' };
  }
}

/** The value of `WWW-Authenticate` for a scope that this client may obtain (RFC 6750 §3.1, RFC 9728 §5.1). */
export function scopeChallenge(scopes: readonly string[], metadataUrl: string): string {
  return `Bearer error="insufficient_scope", scope="${scopes.join(' ')}", resource_metadata="${metadataUrl}"`;
}

/** What a refused caller is told in words: all that it may know of the reason, and the scopes that it may ask for. */
export function refusalText(denial: Denial): string {
  const { text } = toWire(denial);
  if (denial.reason !== 'not_granted') return text;
  const said = denial.cause === undefined ? text : (causeText(denial.cause) ?? text);
  if (denial.obtainable.length === 0) return said;
  return `${said} with this token; a token with the scope \`${denial.obtainable.join(' ')}\` would allow it`;
}

/** What a rule of the caller's own says, never what was sent; of a deny the caller may not even know that there is one. */
function causeText(cause: RefusalCause): string | undefined {
  switch (cause.kind) {
    case 'denied':
      return undefined;
    case 'closed':
      return cause.isOver
        ? `access denied: this was allowed ${windowWords(cause.when)}`
        : `access denied now: this is allowed ${windowWords(cause.when)}`;
    case 'constrained': {
      const { argument, constraint } = cause.failure;
      const what = argument === '' ? 'the arguments' : `the argument \`${argument}\``;
      return `access denied: ${what} ${constraint}`;
    }
  }
}
