import type { Hono } from 'hono';
import { createAdminAudit } from './admin-audit.ts';
import { createAdminPolicy } from './admin-policy.ts';
import { createCatalogue } from './catalogue.ts';
import type { ControlEnv, ControlPorts } from './control-ports.ts';
import { createExplain } from './explain.ts';
import { createMe } from './me.ts';
import { createModule } from './module.ts';

/**
 * Who am I, what may I use, and administration. Everything needs a token for `ORIGIN`: who it is of is verified here, once; what that
 * caller may do, each route asks for itself.
 */
export function createControl(ports: ControlPorts): Hono<ControlEnv> {
  const app = createModule(ports);
  app.route('/', createMe());
  app.route('/', createExplain(ports));
  app.route('/', createCatalogue(ports));
  app.route('/', createAdminPolicy(ports));
  app.route('/', createAdminAudit(ports));
  return app;
}
