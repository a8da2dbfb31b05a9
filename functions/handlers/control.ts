import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ConfigurationProblem } from '../core/configuration/yaml-reader.ts';
import type { Denial } from '../core/denial.ts';
import type { Invocation } from '../core/invocation.ts';
import { CONTEXT_STORE } from '../core/policy.ts';
import type { PolicyStore } from '../core/ports.ts';
import { resourceOf } from '../core/route.ts';
import { accessRecords, type RecordPorts } from './access.ts';
import { authorizeAdministration } from './administration.ts';
import { createApp } from './app.ts';
import type { Admission, Ingress } from './ingress.ts';
import { applyConfiguration, readFiles } from './policy-apply.ts';
import { denialProblem, problem } from './problem.ts';

/** The ports of the control plane. */
export type ControlPorts = RecordPorts & {
  readonly ingress: Ingress;
  readonly policies: PolicyStore;
  /** Browser origins whose pages may read the answers. */
  readonly allowedOrigins: readonly string[];
};

type ControlEnv = { Bindings: Invocation; Variables: { admission: Admission } };

const MAX_CONFIGURATION_BYTES = 2_000_000;

/**
 * Who am I, what may I use, and the administration of the policy. Everything needs a token for `ORIGIN`.
 *
 * The policy is one for every organisation, so whoever manages it rules all of them: {@link authorizeAdministration} says who may, with
 * `manage_policy`. Where several organisations have clients and none is the first in `orgs.yml`, a deploy alone changes the policy.
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
  app.get('/me', (c) => c.json(describeCaller(c.get('admission'))));
  app.get('/servers', (c) => c.json({ servers: usableServers(c.get('admission'), c.env.origin) }));
  app.get('/servers/:server', (c) => {
    const name = c.req.param('server');
    const found = usableServers(c.get('admission'), c.env.origin).find((server) => server['name'] === name);
    return found === undefined ? notFound(c.env) : c.json(found);
  });
  app.get('/admin/policy', (c) => readPolicy(ports, c));
  app.put(
    '/admin/policy',
    bodyLimit({
      maxSize: MAX_CONFIGURATION_BYTES,
      onError: (c: Context<ControlEnv>) =>
        problem('payload_too_large', 'a configuration is at most 2 MB', c.env.requestId),
    }),
    (c) => writePolicy(ports, c),
  );
  return app;
}

async function readPolicy(ports: ControlPorts, c: Context<ControlEnv>): Promise<Response> {
  const admission = c.get('admission');
  const managed = await authorizeAdministration(ports.policies, admission, 'manage_policy');
  if (!managed.ok) return denyAdministration(ports, c, managed.error);
  const records = accessRecords(ports, c.env, c.req.raw.headers, admission);
  const written = await records.allow('manage_policy', { area: 'policy', method: 'read' });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const { version, source, contentHash } = managed.value;
  return c.json({ version, source, content_hash: contentHash });
}

/** The record is durable before the change. A refused configuration says every error with file and line. */
async function writePolicy(ports: ControlPorts, c: Context<ControlEnv>): Promise<Response> {
  const admission = c.get('admission');
  const managed = await authorizeAdministration(ports.policies, admission, 'manage_policy');
  if (!managed.ok) return denyAdministration(ports, c, managed.error);
  const files = readFiles(await c.req.json().catch(() => undefined));
  if (files === undefined) {
    return problem('invalid_argument', 'send JSON: {"files": {"scopes.yml": "…"}}', c.env.requestId);
  }
  const records = accessRecords(ports, c.env, c.req.raw.headers, admission);
  const written = await records.allow('manage_policy', { area: 'policy', method: 'apply' });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const startedAtMs = ports.now();
  const applied = await applyConfiguration(ports.policies, files, 'apply', managed.value);
  const end = applied.ok ? `version:${applied.value.version}` : applied.error.reason;
  c.env.waitUntil(records.outcome(end, { area: 'policy', method: 'apply' }, { startedAtMs }));
  if (applied.ok) return c.json(applied.value);
  switch (applied.error.reason) {
    case 'invalid':
      return invalidConfiguration(applied.error.problems, c.env);
    case 'newer_apply':
    case 'conflict':
      return problem(
        'conflict',
        'another policy was applied meanwhile; look at it and apply again',
        c.env.requestId,
      );
    case 'unavailable':
      return denialProblem(applied.error, c.env.requestId);
  }
}

async function invalidConfiguration(
  errors: readonly ConfigurationProblem[],
  { requestId }: Invocation,
): Promise<Response> {
  const base = problem('invalid_argument', 'the configuration is not valid; nothing was changed', requestId);
  return new Response(JSON.stringify({ ...Object(await base.json()), errors }), base);
}

async function denyAdministration(
  ports: ControlPorts,
  c: Context<ControlEnv>,
  denial: Denial,
): Promise<Response> {
  const records = accessRecords(ports, c.env, c.req.raw.headers, c.get('admission'));
  await records.deny(denial, { area: 'policy', method: c.req.method });
  return denialProblem(denial, c.env.requestId);
}

function describeCaller({ caller }: Admission): Readonly<Record<string, unknown>> {
  return {
    org_id: caller.orgId,
    subject: caller.subject,
    kind: caller.kind,
    client_id: caller.clientId,
    scopes: caller.scopes,
    groups: caller.groups,
    audience: caller.audience,
    expires_at: caller.expiresAtSeconds,
  };
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

function notFound(invocation: Invocation): Response {
  return problem('not_found', 'there is nothing here', invocation.requestId);
}
