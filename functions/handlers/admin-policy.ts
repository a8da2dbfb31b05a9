import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ConfigurationProblem } from '../core/configuration/yaml-reader.ts';
import type { Denial } from '../core/denial.ts';
import type { Invocation } from '../core/invocation.ts';
import { accessRecords } from './access.ts';
import { authorizeAdministration } from './administration.ts';
import type { ControlContext, ControlEnv, ControlPorts } from './control-ports.ts';
import { applyConfiguration, readFiles } from './policy-apply.ts';
import { denialProblem, problem } from './problem.ts';

const MAX_CONFIGURATION_BYTES = 2_000_000;

/**
 * The administration of the policy. It is one for every organisation, so whoever manages it rules all of them:
 * {@link authorizeAdministration} says who may, with `manage_policy`. Where several organisations have clients and none is the first in
 * `orgs.yml`, a deploy alone changes the policy.
 */
export function createAdminPolicy(ports: ControlPorts): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  app.get('/admin/policy', (c) => readPolicy(ports, c));
  app.put(
    '/admin/policy',
    bodyLimit({
      maxSize: MAX_CONFIGURATION_BYTES,
      onError: (c: ControlContext) =>
        problem('payload_too_large', 'a configuration is at most 2 MB', c.env.requestId),
    }),
    (c) => writePolicy(ports, c),
  );
  return app;
}

async function readPolicy(ports: ControlPorts, c: ControlContext): Promise<Response> {
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
async function writePolicy(ports: ControlPorts, c: ControlContext): Promise<Response> {
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

async function denyAdministration(ports: ControlPorts, c: ControlContext, denial: Denial): Promise<Response> {
  const records = accessRecords(ports, c.env, c.req.raw.headers, c.get('admission'));
  await records.deny(denial, { area: 'policy', method: c.req.method });
  return denialProblem(denial, c.env.requestId);
}
