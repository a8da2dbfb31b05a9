import { createHash } from 'node:crypto';
import type { Message, RequestId } from './action.ts';
import type { ConnectionRequired, Denial } from './denial.ts';
import { refusalText, toWire, type Wire } from './denial-wire.ts';
import { writeJson } from './json.ts';

/** The same in the `initialize` era, where the protocol has a code for it (mcp 2025-11-25 §elicitation). */
const RPC_URL_ELICITATION_REQUIRED = -32042;

/** The key of our one request among `inputRequests`. */
export const CONNECT_REQUEST = 'sallyport_connect';

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
    const text = refusalText(denial);
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
  return `{"jsonrpc":"2.0","id":${idText(id)},"error":${error}}`;
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
  return `{"jsonrpc":"2.0","id":${idText(message.id)},"result":${JSON.stringify(result)}}`;
}

function idText(id: RequestId | undefined): string {
  return id === undefined ? 'null' : writeJson(id);
}
