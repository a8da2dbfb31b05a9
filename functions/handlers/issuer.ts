import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createAdminKeys } from './admin-keys.ts';
import { createAdminRevocations } from './admin-revocations.ts';
import { type AppEnv, createApp } from './app.ts';
import { createDiscovery } from './discovery.ts';
import { introspectToken } from './introspection-endpoint.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { createLogin } from './login/login.ts';
import { NO_STORE, recordDecision } from './oauth-answer.ts';
import { registerClient } from './registration-endpoint.ts';
import { revokeToken } from './revocation-endpoint.ts';
import { createRuns } from './runs.ts';
import { issueToken } from './token-endpoint.ts';
import { createVending } from './vending.ts';
import { sourceOf } from './viewer.ts';

const MAX_FORM_BYTES = 16_384;

/** The authorization server: discovery, tokens (RFC 6749) and revocation (RFC 7009). */
export function createIssuer(ports: IssuerPorts): Hono<AppEnv> {
  const app = createApp(ports.log, ports.allowedOrigins);
  const limit = bodyLimit({
    maxSize: MAX_FORM_BYTES,
    onError: async (c) => {
      const area = c.req.path === '/oauth/revoke' ? 'revocation' : 'token';
      await recordDecision(ports, c.env, { area, decision: 'deny', reason: 'payload_too_large' });
      const body = { error: 'invalid_request', error_description: 'a form is at most 16 KB' };
      return c.json(body, 413, { ...NO_STORE, 'x-request-id': c.env.requestId });
    },
  });
  app.use(async (c, next) => {
    c.env = { ...c.env, sourceIp: await sourceOf(ports, c.req.raw.headers, c.env.sourceIp) };
    await next();
    c.header('x-request-id', c.env.requestId);
  });
  app.route('/', createDiscovery(ports));
  app.route('/', createLogin(ports));
  app.post('/oauth/token', limit, (c) => issueToken(ports, c.req.raw, c.env));
  app.post('/oauth/revoke', limit, (c) => revokeToken(ports, c.req.raw, c.env));
  app.post('/oauth/introspect', limit, (c) => introspectToken(ports, c.req.raw, c.env));
  app.route('/', createVending(ports));
  app.post('/oauth/register', (c) => registerClient(ports, c.req.raw, c.env));
  app.route('/', createRuns(ports));
  app.route('/', createAdminKeys(ports));
  app.route('/', createAdminRevocations(ports));
  return app;
}
