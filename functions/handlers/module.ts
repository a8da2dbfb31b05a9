import type { Context, Hono } from 'hono';
import type { Denial } from '../core/denial.ts';
import type { Invocation } from '../core/invocation.ts';
import type { Item } from '../core/item.ts';
import type { Permission } from '../core/permission.ts';
import { err, ok, type Result } from '../core/result.ts';
import { authorizeItem } from '../core/spi.ts';
import { type AccessFacts, accessRecords, type RecordPorts } from './access.ts';
import { createApp } from './app.ts';
import type { Admission, Ingress } from './ingress.ts';
import { denialProblem } from './problem.ts';

/** The ports that every module has beside its own. */
export type ModulePorts = RecordPorts & {
  readonly ingress: Ingress;
  /** Browser origins whose pages may read the answers. */
  readonly allowedOrigins: readonly string[];
};

/** What every route of a module has: the invocation, and who was admitted to it. */
export type ModuleEnv = { Bindings: Invocation; Variables: { admission: Admission } };

/** What a module does to an item: the permission that it takes, and what the record says of it. */
export type Operation = { readonly permission: Permission } & AccessFacts;

/**
 * An app of which every route, known or not, takes a token for `ORIGIN`: who it is of is verified here, once, and a route gets a `Caller` and never
 * a claim. A refusal is recorded and answered here; no answer is cached. What a caller may do, each route asks by {@link authorize}
 * or `decide`.
 */
export function createModule(ports: ModulePorts): Hono<ModuleEnv> {
  const app = createApp<ModuleEnv>(ports.log, ports.allowedOrigins);
  app.use(async (c, next) => {
    const admission = await ports.ingress.authenticate(c.req.raw.headers, { kind: 'gateway' }, c.env.origin);
    if (!admission.ok) {
      await accessRecords(ports, c.env).deny(admission.error, { area: 'access' });
      return denialProblem(admission.error, c.env.requestId);
    }
    c.set('admission', admission.value);
    await next();
    c.header('x-request-id', c.env.requestId);
    c.header('cache-control', 'no-store');
    return undefined;
  });
  return app;
}

/**
 * May the caller do this to an item? The error is the answer: 404 where the item is not there for this caller, 403 where its roles do
 * not permit it, 503 where what is allowed cannot be recorded. The record is durable when it resolves, before any effect.
 */
export async function authorize<T extends Item>(
  ports: ModulePorts,
  c: Context<ModuleEnv>,
  { permission, ...facts }: Operation,
  item: T | undefined,
): Promise<Result<T, Response>> {
  const admission = c.get('admission');
  const records = accessRecords(ports, c.env, admission);
  const refuse = (denial: Denial) => err(denialProblem(denial, c.env.requestId));
  const authorized = authorizeItem(admission.caller, permission, item);
  if (!authorized.ok) {
    await records.deny(authorized.error, facts);
    return refuse(authorized.error);
  }
  const written = await records.allow(permission, facts);
  return written.ok ? ok(authorized.value) : refuse(written.error);
}
