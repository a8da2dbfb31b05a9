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
const MCP_RESPONSE_HEADERS: readonly string[] = ['content-type', 'retry-after', 'allow'];

/** What of a service's answer reaches the server that called it through the egress gateway. */
const SERVICE_RESPONSE_HEADERS: readonly string[] = [
  'content-type',
  'content-disposition',
  'content-language',
  'content-range',
  'accept-ranges',
  'cache-control',
  'etag',
  'expires',
  'last-modified',
  'link',
  'retry-after',
  'vary',
];

/** Conditional, range and content headers of a call to a service (RFC 9110 §8, §12–§14). */
const SERVICE_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
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
  return select(upstream, MCP_RESPONSE_HEADERS);
}

/** What a server sees of a service's headers. */
export function serviceResponseHeaders(upstream: ReadonlyMap<string, string>): Headers {
  return select(upstream, SERVICE_RESPONSE_HEADERS);
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

function select(upstream: ReadonlyMap<string, string>, names: readonly string[]): Headers {
  const headers = new Headers();
  for (const name of names) {
    const value = upstream.get(name);
    if (value !== undefined) headers.set(name, value);
  }
  return headers;
}
