import { Hono } from 'hono';
import { CONTEXT_STORE } from '../core/policy.ts';
import { resourceOf } from '../core/route.ts';
import type { ControlEnv } from './control-ports.ts';
import type { Admission } from './ingress.ts';
import { problem } from './problem.ts';

/** The catalogue of servers, pruned to what the caller may use. What it may not use is answered as what does not exist. */
export function createCatalogue(): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  app.get('/servers', (c) => c.json({ servers: usableServers(c.get('admission'), c.env.origin) }));
  app.get('/servers/:server', (c) => {
    const name = c.req.param('server');
    const found = usableServers(c.get('admission'), c.env.origin).find((server) => server['name'] === name);
    return found === undefined
      ? problem('not_found', 'there is nothing here', c.env.requestId)
      : c.json(found);
  });
  return app;
}

/** The servers on which this caller has any rule, with the methods and tools that those rules grant. */
function usableServers(
  { caller, policy }: Admission,
  origin: string,
): readonly Readonly<Record<string, unknown>>[] {
  return [...policy.servers.keys(), CONTEXT_STORE].flatMap((name) => {
    const rules = caller.scopes.flatMap((scope) => policy.rules(scope, name));
    if (rules.length === 0 || !policy.hasServer(name, caller)) return [];
    const calling = rules.filter((rule) => rule.everyMethod || rule.methods.has('tools/call'));
    const methods = rules.some((rule) => rule.everyMethod) ? '*' : union(rules.map((rule) => rule.methods));
    const tools = calling.some((rule) => rule.everyTool) ? '*' : union(calling.map((rule) => rule.tools));
    return [{ name, url: resourceOf(name, origin), methods, tools }];
  });
}

function union(sets: readonly ReadonlySet<string>[]): readonly string[] {
  return [...new Set(sets.flatMap((set) => [...set]))];
}
