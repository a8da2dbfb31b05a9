import { type Context, Hono } from 'hono';
import type { Invocation } from '../core/invocation.ts';
import type { Unavailable } from '../core/ports.ts';
import type { Result } from '../core/result.ts';
import { NAME, resourceOf } from '../core/route.ts';
import type { PublicKey } from '../core/signed-token.ts';
import { problem } from './problem.ts';

/** The public keys of this deployment. */
export type IssuerKeys = {
  /** The issuer's and the gateway's keys, read from KMS and made known to every verifier. Idempotent. */
  publish(): Promise<Result<readonly PublicKey[], Unavailable>>;
};

const CACHEABLE = { 'cache-control': 'public, max-age=300' } as const;

/** Discovery documents (RFC 8414, RFC 9728), the JWKS, and liveness. They list only what is built. */
export function createDiscovery(keys: IssuerKeys): Hono<{ Bindings: Invocation }> {
  const app = new Hono<{ Bindings: Invocation }>();
  const metadata = (c: Context<{ Bindings: Invocation }>) =>
    c.json(serverMetadata(c.env.origin), 200, CACHEABLE);
  app.get('/.well-known/oauth-authorization-server', metadata);
  app.get('/.well-known/openid-configuration', metadata);

  app.get('/.well-known/jwks.json', async (c) => {
    const published = await keys.publish();
    if (!published.ok) return problem('unavailable', 'the keys cannot be read now', c.env.requestId);
    const jwks = published.value.map(({ keyId, n, e }) => ({
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

  // Clients take metadata without an authorization endpoint for broken, so there is one; without an identity provider it logs
  // nobody in, and `response_types_supported` says so. It never redirects: no redirect URI is known to be anybody's.
  app.get('/oauth/authorize', (c) =>
    c.text(
      'No login is configured here. Ask your administrator for a client with client_credentials.\n',
      400,
      {
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
      },
    ),
  );

  app.get('/healthz', (c) => c.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' }));
  return app;
}

function serverMetadata(origin: string): Readonly<Record<string, unknown>> {
  const methods = ['client_secret_basic', 'client_secret_post'];
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/oauth/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    jwks_uri: `${origin}/.well-known/jwks.json`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
  };
}

function resourceMetadata(resource: string, origin: string): Readonly<Record<string, unknown>> {
  return { resource, authorization_servers: [origin], bearer_methods_supported: ['header'] };
}
