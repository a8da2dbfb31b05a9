import { type Message, readMessage } from '../../functions/core/action.ts';
import type { Denial } from '../../functions/core/denial.ts';
import { toMcpAnswer } from '../../functions/core/mcp-denial.ts';

export const malformed: Denial & { readonly reason: 'malformed_message' } = {
  reason: 'malformed_message',
  code: -32600,
  message: 'not JSON-RPC',
  id: undefined,
};
export const notGranted = { reason: 'not_granted', obtainable: [] } as const;

/** Every reason, and what the world sees of it. A reason that is not here does not compile. */
export const WIRE: {
  readonly [R in Denial['reason']]: readonly [Denial & { readonly reason: R }, number, string];
} = {
  run_namespace_not_allowed: [
    { reason: 'run_namespace_not_allowed', detail: 'charts' },
    403,
    'permission_denied',
  ],
  no_token: [{ reason: 'no_token' }, 401, 'unauthenticated'],
  malformed_token_header: [{ reason: 'malformed_token_header' }, 401, 'unauthenticated'],
  bad_token: [{ reason: 'bad_token', detail: 'signature', missingKeyId: 'k-1' }, 401, 'unauthenticated'],
  bad_idp_token: [{ reason: 'bad_idp_token', detail: 'expired' }, 401, 'unauthenticated'],
  selector_mismatch: [{ reason: 'selector_mismatch' }, 401, 'unauthenticated'],
  revoked: [{ reason: 'revoked' }, 401, 'unauthenticated'],
  unknown_client: [{ reason: 'unknown_client' }, 401, 'unauthenticated'],
  client_disabled: [{ reason: 'client_disabled' }, 401, 'unauthenticated'],
  org_mismatch: [{ reason: 'org_mismatch' }, 401, 'unauthenticated'],
  org_suspended: [{ reason: 'org_suspended' }, 401, 'unauthenticated'],
  identity_provider_gone: [{ reason: 'identity_provider_gone' }, 401, 'unauthenticated'],
  malformed_scope: [{ reason: 'malformed_scope' }, 401, 'unauthenticated'],
  malformed_message: [malformed, 400, 'invalid_argument'],
  unknown_server: [{ reason: 'unknown_server', obtainable: [] }, 404, 'not_found'],
  unknown_item: [{ reason: 'unknown_item' }, 404, 'not_found'],
  no_server_access: [{ reason: 'no_server_access', obtainable: [] }, 403, 'permission_denied'],
  not_granted: [notGranted, 403, 'permission_denied'],
  no_namespace: [{ reason: 'no_namespace' }, 403, 'permission_denied'],
  payload_too_large: [{ reason: 'payload_too_large' }, 413, 'payload_too_large'],
  unsupported_media_type: [{ reason: 'unsupported_media_type' }, 415, 'invalid_argument'],
  forbidden_origin: [{ reason: 'forbidden_origin' }, 403, 'permission_denied'],
  method_not_allowed: [{ reason: 'method_not_allowed' }, 405, 'invalid_argument'],
  unknown_session: [{ reason: 'unknown_session' }, 404, 'not_found'],
  missing_credential: [{ reason: 'missing_credential', detail: 'OPERATOR' }, 403, 'permission_denied'],
  missing_upstream_token: [
    { reason: 'missing_upstream_token', detail: 'OPERATOR' },
    403,
    'permission_denied',
  ],
  refused_upstream_token: [
    { reason: 'refused_upstream_token', detail: 'OPERATOR' },
    403,
    'permission_denied',
  ],
  refused_credential: [{ reason: 'refused_credential', detail: 'OPERATOR' }, 502, 'upstream_error'],
  connection_required: [
    {
      reason: 'connection_required',
      url: 'https://gate.example/connect/track?t=abc',
      displayName: 'Track',
      detail: 'OPERATOR',
    },
    403,
    'failed_precondition',
  ],
  bad_delegation: [{ reason: 'bad_delegation', detail: 'OPERATOR' }, 403, 'permission_denied'],
  path_not_allowed: [{ reason: 'path_not_allowed', detail: 'OPERATOR' }, 403, 'permission_denied'],
  outside_perimeter: [{ reason: 'outside_perimeter', detail: 'OPERATOR' }, 502, 'upstream_error'],
  refused_address: [{ reason: 'refused_address', detail: 'OPERATOR' }, 502, 'upstream_error'],
  unreachable: [{ reason: 'unreachable', detail: 'OPERATOR' }, 502, 'upstream_error'],
  redirect: [{ reason: 'redirect', detail: 'OPERATOR' }, 502, 'upstream_error'],
  timeout: [{ reason: 'timeout', detail: 'OPERATOR' }, 504, 'upstream_error'],
  rate_limited: [{ reason: 'rate_limited', retryAfterSeconds: 7 }, 429, 'rate_limited'],
  unavailable: [{ reason: 'unavailable', detail: 'OPERATOR' }, 503, 'unavailable'],
};

/** A message as it is read from a request of one era. */
export function message(
  method: string,
  params: unknown = {},
  kind: 'modern' | 'legacy' = 'legacy',
  id: unknown = 7,
): Message {
  const isModern = kind === 'modern';
  const meta = isModern ? { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } : {};
  const body = { jsonrpc: '2.0', id, method, params: Object.assign({}, params, meta) };
  const headers = new Headers(isModern ? { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method } : {});
  if (isModern && method === 'tools/call') headers.set('Mcp-Name', 'route');
  const read = readMessage(new TextEncoder().encode(JSON.stringify(body)), headers);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

/** What a client reads of a denial. */
export function answerOf(denial: Denial, to?: Message) {
  const { status, body } = toMcpAnswer(denial, to, 'r-1');
  return { status, body: JSON.parse(body) };
}

export const call = message('tools/call', { name: 'route' });
export const list = message('tools/list');
