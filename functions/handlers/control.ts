import type { Hono } from 'hono';
import { accessRecords } from './access.ts';
import { createAdminPolicy } from './admin-policy.ts';
import { createApp } from './app.ts';
import { createCatalogue } from './catalogue.ts';
import type { ControlEnv, ControlPorts } from './control-ports.ts';
import { createMe } from './me.ts';
import { denialProblem } from './problem.ts';

/**
 * Who am I, what may I use, and administration. Everything needs a token for `ORIGIN`: who it is of is verified here, once; what that
 * caller may do, each route asks for itself.
 */
export function createControl(ports: ControlPorts): Hono<ControlEnv> {
  const app = createApp<ControlEnv>(ports.log, ports.allowedOrigins);
  app.use(async (c, next) => {
    const admission = await ports.ingress.authenticate(c.req.raw.headers, { kind: 'gateway' }, c.env.origin);
    if (!admission.ok) {
      await accessRecords(ports, c.env, c.req.raw.headers).deny(admission.error, { area: 'access' });
      return denialProblem(admission.error, c.env.requestId);
    }
    c.set('admission', admission.value);
    await next();
    c.header('x-request-id', c.env.requestId);
    c.header('cache-control', 'no-store');
    return undefined;
  });
  app.route('/', createMe());
  app.route('/', createCatalogue());
  app.route('/', createAdminPolicy(ports));
  return app;
}
