import { type Context, Hono } from 'hono';
import { JWKS_MAX_AGE_SECONDS } from '../core/freshness.ts';
import type { Invocation } from '../core/invocation.ts';
import type { RulebookStore, Unavailable } from '../core/ports.ts';
import type { Result } from '../core/result.ts';
import { NAME, resourceOf } from '../core/route.ts';
import type { PublicKey } from '../core/signed-token.ts';
import { problem } from './problem.ts';
import { serverMetadata } from './server-metadata.ts';

/** The public keys of this deployment. */
export type IssuerKeys = {
  /**
   * The issuer's and the gateway's keys that are accepted now, once they are made known to every verifier. Idempotent. `missingKeyId`
   * asks for a fresh look.
   */
  publish(missingKeyId?: string): Promise<Result<readonly PublicKey[], Unavailable>>;
};

/** What keys sign: access and run tokens, or identity tokens for upstreams. */
const KEY_PURPOSES: ReadonlySet<string> = new Set<PublicKey['purpose']>(['access', 'identity']);
const CACHEABLE = { 'cache-control': `public, max-age=${JWKS_MAX_AGE_SECONDS}` } as const;

/** Discovery documents (RFC 8414, RFC 9728), the JWKS, and liveness. They list only what is built and switched on. */
export function createDiscovery({
  keys,
  rulebook,
}: {
  readonly keys: IssuerKeys;
  readonly rulebook: RulebookStore;
}): Hono<{ Bindings: Invocation }> {
  const app = new Hono<{ Bindings: Invocation }>();
  const metadata = async (c: Context<{ Bindings: Invocation }>) => {
    const book = await rulebook.read();
    if (!book.ok) return problem('unavailable', 'the policy cannot be read now', c.env.requestId);
    return c.json(serverMetadata(c.env.origin, book.value.policy), 200, CACHEABLE);
  };
  app.get('/.well-known/oauth-authorization-server', metadata);
  app.get('/.well-known/openid-configuration', metadata);

  // `purpose` leaves the keys of one purpose: a verifier that reads those alone takes no signature by the others for what it looks for.
  app.get('/.well-known/jwks.json', async (c) => {
    const purposes = c.req.queries('purpose') ?? [...KEY_PURPOSES];
    if (purposes.some((purpose) => !KEY_PURPOSES.has(purpose))) {
      const detail = `\`purpose\` is one of ${[...KEY_PURPOSES].join(', ')}`;
      return problem('invalid_argument', detail, c.env.requestId);
    }
    const published = await keys.publish();
    if (!published.ok) return problem('unavailable', 'the keys cannot be read now', c.env.requestId);
    const wanted = published.value.filter(({ purpose }) => purposes.includes(purpose));
    const jwks = wanted.map(({ keyId, n, e }) => ({
      kty: 'RSA',
      n,
      e,
      kid: keyId,
      alg: 'RS256',
      use: 'sig',
    }));
    return c.json({ keys: jwks }, 200, CACHEABLE);
  });

  // The same kind of answer for every well-formed name, so that nobody learns which servers exist.
  app.get('/.well-known/oauth-protected-resource/:server/mcp', (c) => {
    const server = c.req.param('server');
    if (!NAME.test(server)) return problem('not_found', 'there is nothing here', c.env.requestId);
    return c.json(resourceMetadata(resourceOf(server, c.env.origin), c.env.origin), 200, CACHEABLE);
  });
  app.get('/.well-known/oauth-protected-resource', (c) =>
    c.json(resourceMetadata(c.env.origin, c.env.origin), 200, CACHEABLE),
  );

  app.get('/healthz', (c) => c.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' }));
  return app;
}

function resourceMetadata(resource: string, origin: string): Readonly<Record<string, unknown>> {
  return { resource, authorization_servers: [origin], bearer_methods_supported: ['header'] };
}
