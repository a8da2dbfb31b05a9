/** Response headers that a browser client may read. */
export const EXPOSED_HEADERS: readonly string[] = ['Mcp-Session-Id', 'WWW-Authenticate', 'X-Request-Id'];

/** Methods that a browser client may use. */
export const ALLOWED_METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
];

/** Request headers that a browser client may send; `*` would not cover `Authorization`. */
export const ALLOWED_HEADERS: readonly string[] = [
  'Accept',
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Protocol-Version',
  'Mcp-Session-Id',
  'X-Atlassian-Cloud-Id',
  'X-Authorization',
  'X-Client-Id',
  'X-Provider-Id',
  'X-Region',
  'X-Service-Token',
  'X-User-Pool-Id',
];

/** How long a browser may remember the answer to a preflight request. */
export const PREFLIGHT_MAX_AGE_SECONDS = 600;
