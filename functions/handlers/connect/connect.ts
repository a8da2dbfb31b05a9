import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from '../app.ts';
import { answer } from './answer.ts';
import { ask } from './ask.ts';
import { callback } from './callback.ts';
import type { ConnectPorts } from './connect-ports.ts';
import { overview } from './overview.ts';
import { endConnecting } from './situation.ts';

const MAX_FORM_BYTES = 16_384;

/** The pages on which a user connects accounts (contract §2). They take no token: who is there is the session of the browser. */
export function createConnect(ports: ConnectPorts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const limit = bodyLimit({
    maxSize: MAX_FORM_BYTES,
    onError: (c) => endConnecting(ports, c.env, 'too_large'),
  });
  app.use('/connect/*', async (c, next) => {
    await next();
    c.header('x-request-id', c.env.requestId);
  });
  app.get('/connect', (c) => overview(ports, c.req.raw, c.env));
  app.get('/connect/:provider', (c) => ask(ports, c.req.raw, c.req.param('provider'), c.env));
  app.post('/connect/:provider', limit, (c) => answer(ports, c.req.raw, c.req.param('provider'), c.env));
  app.get('/connect/:provider/callback', (c) => callback(ports, c.req.raw, c.req.param('provider'), c.env));
  return app;
}
