import type { Context } from 'hono';

/** Response headers that a page may read: the same that CloudFront and API Gateway name for their own answers (`infra/cors.ts`). */
const EXPOSED_HEADERS = 'Mcp-Session-Id,WWW-Authenticate,X-Request-Id';

/**
 * Lets a page of a listed origin read this answer (Fetch §3.2.3): no other origin, never `*`, never with credentials. CloudFront sets
 * the same headers in place of these; without it they are all that there is. Preflight requests never come here.
 */
export function allowOrigin(c: Context, allowedOrigins: readonly string[]): void {
  if (allowedOrigins.length === 0) return;
  // Which answer a cache may give to whom differs by origin, also where this one has none.
  c.header('Vary', 'Origin', { append: true });
  const origin = c.req.header('Origin');
  if (origin === undefined || !allowedOrigins.includes(origin)) return;
  c.header('Access-Control-Allow-Origin', origin);
  c.header('Access-Control-Expose-Headers', EXPOSED_HEADERS);
}
