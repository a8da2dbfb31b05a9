import type { Hono } from 'hono';
import { createAdminAudit } from './admin-audit.ts';
import { createAdminPolicy } from './admin-policy.ts';
import { createAdminSecrets } from './admin-secrets.ts';
import { type AppEnv, createApp } from './app.ts';
import { createCatalogue } from './catalogue.ts';
import { createConnect } from './connect/connect.ts';
import type { ConnectPorts } from './connect/connect-ports.ts';
import { createConnectionsApi } from './connect/connections-api.ts';
import type { ControlEnv, ControlPorts } from './control-ports.ts';
import { createExplain } from './explain.ts';
import { createMe } from './me.ts';
import { createModule, type ModulePorts } from './module.ts';

/**
 * Who am I, what may I use, my connections, and administration. Everything but the connect pages, which go by the session of a browser, needs
 * a token for `ORIGIN`: who it is of is verified here, once; what that caller may do, each route asks for itself.
 */
export function createControl(ports: ControlPorts): Hono<AppEnv> {
  const connecting = { ...ports, ...ports.connecting };
  const pages = createApp(ports.log);
  pages.route('/', createConnect(connecting));
  pages.route('/', createTokenRoutes(ports, connecting));
  return pages;
}

function createTokenRoutes(ports: ControlPorts, connecting: ModulePorts & ConnectPorts): Hono<ControlEnv> {
  const app = createModule(ports);
  app.route('/', createMe());
  app.route('/', createExplain(ports));
  app.route('/', createCatalogue(ports));
  app.route('/', createAdminPolicy(ports));
  app.route('/', createAdminAudit(ports));
  app.route('/', createAdminSecrets(ports));
  app.route('/', createConnectionsApi(connecting));
  return app;
}
