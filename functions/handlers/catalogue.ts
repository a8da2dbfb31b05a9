import { Hono } from 'hono';
import { CONTEXT_STORE } from '../core/policy.ts';
import { resourceOf } from '../core/route.ts';
import { reachOf } from '../core/rules/reach.ts';
import type { ControlContext, ControlEnv, ControlPorts } from './control-ports.ts';
import type { Admission } from './ingress.ts';
import { problem } from './problem.ts';

/** The catalogue of servers, pruned to what the caller may use. What it may not use is answered as what does not exist. */
export function createCatalogue({ now }: Pick<ControlPorts, 'now'>): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  const usable = (c: ControlContext) =>
    usableServers(c.get('admission'), c.env.origin, Math.floor(now() / 1_000));
  app.get('/servers', (c) => c.json({ servers: usable(c) }));
  app.get('/servers/:server', (c) => {
    const name = c.req.param('server');
    const found = usable(c).find((server) => server['name'] === name);
    return found === undefined
      ? problem('not_found', 'there is nothing here', c.env.requestId)
      : c.json(found);
  });
  return app;
}

/** The servers on which this caller may do anything now, with the methods and tools that it may use. */
function usableServers(
  { caller, policy }: Admission,
  origin: string,
  nowSeconds: number,
): readonly Readonly<Record<string, unknown>>[] {
  return [...policy.servers.keys(), CONTEXT_STORE].flatMap((name) => {
    const reach = reachOf(policy, caller, name, nowSeconds);
    return reach === undefined ? [] : [{ name, url: resourceOf(name, origin), ...reach }];
  });
}
