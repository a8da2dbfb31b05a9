import { createHash } from 'node:crypto';
import type { Message, MessageRefusal, RequestId } from './action.ts';
import type { CallerRefusal } from './caller.ts';
import type { PolicyRefusal, RefusalCause } from './decide.ts';
import type { IdpTokenRefusal } from './idp-token.ts';
import { writeJson } from './json.ts';
import type { Unavailable, UpstreamFailure } from './ports.ts';
import type { RateLimited } from './rate-limit.ts';
import { windowWords } from './rules/time-window.ts';
import type { RunRefusal } from './run.ts';
import type { TokenRefusal } from './signed-token.ts';
import type { ItemRefusal } from './spi.ts';
import type { ScopeRefusal } from './visibility.ts';

/** A request that carries no credential, or one that stands for nobody. */
export type IngressRefusal =
  | TokenRefusal
  | IdpTokenRefusal
  | CallerRefusal
  | { readonly reason: 'no_token' }
  | { readonly reason: 'malformed_token_header' }
  | { readonly reason: 'selector_mismatch' }
  | { readonly reason: 'revoked' };

/** A request that is refused for its form. */
export type FormRefusal = {
  readonly reason:
    | 'payload_too_large'
    | 'unsupported_media_type'
    | 'forbidden_origin'
    | 'method_not_allowed'
    | 'unknown_session';
};

/** An egress that is refused: no credential to put on, or a delegation that does not hold. `detail` is the operator's. */
export type EgressRefusal = {
  readonly reason:
    | 'missing_credential'
    | 'missing_upstream_token'
    | 'refused_upstream_token'
    | 'bad_delegation'
    | 'path_not_allowed'
    | 'outside_perimeter';
  readonly detail: string;
};

/** A call of a user who has no connection that it could be made with. `detail` is the operator's. */
export type ConnectionRequired = {
  readonly reason: 'connection_required';
  /** The page of ours on which the user connects: the same for the same need, and without a secret. */
  readonly url: string;
  /** The provider as people read it. */
  readonly displayName: string;
  readonly detail: string;
  /** Sealed, where the client can be asked to open the URL and to send its request again (mcp 2026-07-28 §mrtr); absent elsewhere. */
  readonly requestState?: string;
  /** The upstream has just refused the connection that there is. */
  readonly isRefused?: true;
};

/** Every reason to refuse. */
export type Denial =
  | IngressRefusal
  | ConnectionRequired
  | MessageRefusal
  | PolicyRefusal
  | FormRefusal
  | EgressRefusal
  | ScopeRefusal
  | RunRefusal
  | ItemRefusal
  | UpstreamFailure
  | RateLimited
  | Unavailable;

/** The JSON-RPC codes of our own, outside the range that the protocol reserves (mcp 2026-07-28 §basic). */
export const RPC_DENIED = -31001;
/** The user has to connect an account first; `data.url` says where. */
export const RPC_CONNECTION_REQUIRED = -31002;
/** The same in the `initialize` era, where the protocol has a code for it (mcp 2025-11-25 §elicitation). */
const RPC_URL_ELICITATION_REQUIRED = -32042;
/** The server behind failed. */
export const RPC_UPSTREAM = -31003;
const RPC_UNAVAILABLE = -31004;
const RPC_RATE_LIMITED = -31005;

/** A denial as a record names it: its reason, and what an operator needs beside it, the rule that stood in the way. */
export function recordedReason(denial: Denial): string {
  if ('detail' in denial) return `${denial.reason}: ${denial.detail}`;
  const cause = 'cause' in denial ? denial.cause : undefined;
  return cause === undefined ? denial.reason : `${denial.reason}: ${cause.kind} by ${cause.at}`;
}

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

/** For how many seconds whoever is refused should wait (RFC 9110 §10.2.3); undefined where waiting changes nothing. */
export function retryAfterSeconds(denial: Denial): number | undefined {
  if (denial.reason === 'rate_limited') return denial.retryAfterSeconds;
  return denial.reason === 'unavailable' ? 2 : undefined;
}

/** Refusals that a client reads as an answer of the protocol; a bare 403 would be a broken transport to it. */
const ANSWERED_IN_PROTOCOL: ReadonlySet<Denial['reason']> = new Set([
  'not_granted',
  'missing_credential',
  'missing_upstream_token',
  'refused_upstream_token',
  'no_namespace',
]);

/** A denial as an answer of the MCP endpoint. */
export type McpAnswer = { readonly status: number; readonly body: string };

/**
 * The answer to an MCP message that is denied, in the form that clients understand: a refused tool call is a tool result
 * that a model can read, another request that policy refuses is a JSON-RPC error with status 200, everything else keeps
 * its status and still carries a JSON-RPC error. Scopes are named only where this client may obtain them.
 */
export function toMcpAnswer(denial: Denial, message: Message | undefined, requestId: string): McpAnswer {
  const wire = toWire(denial);
  if (denial.reason === 'connection_required' && message?.kind === 'request') {
    return { status: 200, body: askToConnect(denial, message, wire, requestId) };
  }
  if (ANSWERED_IN_PROTOCOL.has(denial.reason) && message?.kind === 'request') {
    const text = explain(denial, wire.text);
    return message.method === 'tools/call'
      ? { status: 200, body: toolError(message, `${text} (request ${requestId})`) }
      : { status: 200, body: rpcError(message.id, wire.rpcCode, text, dataOf(denial, wire, requestId)) };
  }
  const id = message?.id ?? (denial.reason === 'malformed_message' ? denial.id : undefined);
  return {
    status: wire.status,
    body: rpcError(id, wire.rpcCode, wire.text, dataOf(denial, wire, requestId)),
  };
}

/** The error member of a JSON-RPC answer, as text. An unknown id is `null` (JSON-RPC 2.0 §5). */
export function rpcError(
  id: RequestId | undefined,
  code: number,
  message: string,
  data: Readonly<Record<string, unknown>>,
): string {
  const error = JSON.stringify({ code, message, data });
  return `{"jsonrpc":"2.0","id":${id === undefined ? 'null' : writeJson(id)},"error":${error}}`;
}

/** The value of `WWW-Authenticate` for a scope that this client may obtain (RFC 6750 §3.1, RFC 9728 §5.1). */
export function scopeChallenge(scopes: readonly string[], metadataUrl: string): string {
  return `Bearer error="insufficient_scope", scope="${scopes.join(' ')}", resource_metadata="${metadataUrl}"`;
}

/** What a refused caller is told in words: all that it may know of the reason, and the scopes that it may ask for. */
export function refusalText(denial: Denial): string {
  return explain(denial, toWire(denial).text);
}

function explain(denial: Denial, text: string): string {
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
      return `access denied now: this is allowed ${windowWords(cause.when)}`;
    case 'constrained': {
      const { argument, constraint } = cause.failure;
      const what = argument === '' ? 'the arguments' : `the argument \`${argument}\``;
      return `access denied: ${what} ${constraint}`;
    }
  }
}

function dataOf(denial: Denial, wire: Wire, requestId: string): Readonly<Record<string, unknown>> {
  const scopes = denial.reason === 'not_granted' ? denial.obtainable : [];
  return {
    ...(denial.reason === 'malformed_message' ? denial.data : {}),
    reason: wire.code,
    ...(scopes.length > 0 ? { required_scopes: scopes } : {}),
    ...(denial.reason === 'connection_required' ? { url: denial.url } : {}),
    ...(denial.reason === 'rate_limited' ? { retry_after_seconds: denial.retryAfterSeconds } : {}),
    request_id: requestId,
  };
}

/**
 * What a client is told that can have its user open a URL: in the `initialize` era by the protocol's own error, in the stateless era by a
 * result that asks for it where there is a sealed state; where it cannot, by an error of ours with the URL.
 */
function askToConnect(denial: ConnectionRequired, message: Message, wire: Wire, requestId: string): string {
  const { url, requestState } = denial;
  const data = dataOf(denial, wire, requestId);
  const asked = { mode: 'url', message: connectWords(denial), url };
  if (message.era === 'legacy') {
    const elicitationId = createHash('sha256').update(url).digest('base64url').slice(0, 22);
    const elicitations = [{ ...asked, elicitationId }];
    return rpcError(message.id, RPC_URL_ELICITATION_REQUIRED, wire.text, { ...data, elicitations });
  }
  if (requestState === undefined) return rpcError(message.id, wire.rpcCode, wire.text, data);
  return rpcResult(message, {
    resultType: 'input_required',
    inputRequests: { [CONNECT_REQUEST]: { method: 'elicitation/create', params: asked } },
    requestState,
  });
}

/** The key of our one request among `inputRequests`. */
export const CONNECT_REQUEST = 'sallyport_connect';

function connectWords({ displayName }: ConnectionRequired): string {
  return `Connect your account at ${displayName}: this call is made in your name there.`;
}

function toolError(message: Message, text: string): string {
  const result = {
    content: [{ type: 'text', text }],
    isError: true,
    ...(message.era === 'modern' ? { resultType: 'complete' } : {}),
  };
  return rpcResult(message, result);
}

function rpcResult(message: Message, result: Readonly<Record<string, unknown>>): string {
  const id = message.id === undefined ? 'null' : writeJson(message.id);
  return `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`;
}
