/** Headers of the MCP transports, of content, and of tracing: all that travels to an MCP server of its own accord. */
const MCP_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
  'traceparent',
]);
const MCP_PARAMETER_HEADER = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** What of an MCP server's answer reaches the client. Credentials, cookies and topology do not. */
const MCP_RESPONSE_HEADERS: ReadonlySet<string> = new Set(['content-type', 'retry-after', 'allow']);

/** What of a service's answer reaches the server that called it through the egress gateway. */
const SERVICE_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'accept-patch',
  'accept-ranges',
  'age',
  'allow',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-language',
  'content-range',
  'content-type',
  'deprecation',
  'etag',
  'expires',
  'last-modified',
  'link',
  'preference-applied',
  'repr-digest',
  'retry-after',
  'sunset',
  'vary',
]);
/** How APIs say what is left of a quota; the names are those of many of them and of a draft of the IETF. Known words alone: an upstream could write a secret into a name. */
const QUOTA_HEADER =
  /^(?:x-)?rate-?limit(?:-(?:limit|remaining|reset|after|used|policy|resource|cost|window|interval|type|scope|bucket|global|requests?|tokens?|input|output|project|user|day|hour|minute|second|month|daily|hourly|ms))*$/;

/** Conditional, range, preference and content headers of a call to a service (RFC 9110 §8, §12–§14; RFC 7240). */
const SERVICE_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'prefer',
  'range',
  'repr-digest',
  'traceparent',
]);

/** How the gateway names itself to upstreams. */
export const USER_AGENT = 'sallyport/0.1.0';

/** The headers of a request to an MCP server, from an empty list: the transport's own, and those that the server's entry lists. */
export function mcpRequestHeaders(incoming: Headers, listed: readonly string[]): Map<string, string> {
  return pick(incoming, (name) => MCP_REQUEST_HEADERS.has(name) || MCP_PARAMETER_HEADER.test(name), listed);
}

/** Takes away what describes a message: its method, its name, its parameters (mcp 2026-07-28 §transports). */
export function dropMessageHeaders(headers: Map<string, string>): void {
  for (const name of [...headers.keys()]) {
    if (name === 'mcp-method' || name === 'mcp-name' || MCP_PARAMETER_HEADER.test(name)) headers.delete(name);
  }
}

/** The headers of a request to a service, from an empty list. */
export function serviceRequestHeaders(incoming: Headers, listed: readonly string[]): Map<string, string> {
  return pick(incoming, (name) => SERVICE_REQUEST_HEADERS.has(name), listed);
}

/** What the client sees of an MCP server's headers. */
export function mcpResponseHeaders(upstream: ReadonlyMap<string, string>): Headers {
  return select(upstream, (name) => MCP_RESPONSE_HEADERS.has(name));
}

/** What a server sees of a service's headers. */
export function serviceResponseHeaders(upstream: ReadonlyMap<string, string>): Headers {
  return select(upstream, (name) => SERVICE_RESPONSE_HEADERS.has(name) || QUOTA_HEADER.test(name));
}

/** The media type of a `Content-Type`, lower case, without parameters. */
export function mediaTypeOf(contentType: string | null | undefined): string {
  const [type = ''] = (contentType ?? '').split(';');
  return type.trim().toLowerCase();
}

/** Is it JSON, and in UTF-8 where a charset is named (RFC 8259 §8.1)? */
export function isUtf8Json(contentType: string | null): boolean {
  const charset = charsetOf(contentType);
  const isUtf8 = charset === undefined || charset === 'utf-8';
  return mediaTypeOf(contentType) === 'application/json' && isUtf8;
}

/** The charset that a `Content-Type` names, lower case; undefined where it names none. */
export function charsetOf(contentType: string | null | undefined): string | undefined {
  return /;\s*charset\s*=\s*["']?([^"';\s]*)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
}

function pick(
  incoming: Headers,
  travels: (name: string) => boolean,
  listed: readonly string[],
): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of incoming) {
    if (travels(name) || listed.includes(name)) headers.set(name, value);
  }
  headers.set('user-agent', USER_AGENT);
  return headers;
}

function select(upstream: ReadonlyMap<string, string>, reaches: (name: string) => boolean): Headers {
  const headers = new Headers();
  for (const [name, value] of upstream) {
    if (reaches(name)) headers.set(name, value);
  }
  return headers;
}
