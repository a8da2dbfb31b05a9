import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ConfigurationProblem } from '../core/configuration/yaml-reader.ts';
import type { Denial } from '../core/denial.ts';
import type { Snapshot } from '../core/policy.ts';
import type { PolicyPointer, PolicyWriting } from '../core/ports.ts';
import { type AccessFacts, type AccessRecords, accessRecords } from './access.ts';
import { authorizeAdministration } from './administration.ts';
import type { ControlContext, ControlEnv } from './control-ports.ts';
import { LOCKOUT, locksOut } from './lockout.ts';
import type { ModulePorts } from './module.ts';
import { planAnswer, problemsAnswer } from './policy-answer.ts';
import { type ApplyFailure, applyConfiguration } from './policy-apply.ts';
import { type PlanFailure, type PolicyPorts, planConfiguration, planRollback } from './policy-plan.ts';
import {
  etagOf,
  readAllowLockout,
  readFiles,
  readIfMatch,
  readPlanned,
  readVersionNumber,
} from './policy-request.ts';
import { type RollbackFailure, rollBack } from './policy-rollback.ts';
import { denialProblem, problem } from './problem.ts';
import { readParameters } from './query-parameters.ts';

const MAX_CONFIGURATION_BYTES = 2_000_000;
const MAX_VERSIONS = 100;

/** The ports of the administration of the policy. */
export type PolicyAdminPorts = ModulePorts & PolicyPorts;

/** Who may manage the policy, and the pointer that this was judged by. */
type Managed = { readonly pointer: PolicyPointer; readonly records: AccessRecords };

/**
 * The administration of the policy. It is one for every organisation, so whoever manages it rules all of them:
 * {@link authorizeAdministration} says who may, with `manage_policy`. Where several organisations have clients and none is the first in
 * `orgs.yml`, a deploy alone changes the policy. Every look and every change is recorded before; a change follows the version that it was
 * judged by, or none.
 */
export function createAdminPolicy(ports: PolicyAdminPorts): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  const limit = bodyLimit({
    maxSize: MAX_CONFIGURATION_BYTES,
    onError: (c: ControlContext) =>
      problem('payload_too_large', 'a configuration is at most 2 MB', c.env.requestId),
  });
  const managed = (work: (c: ControlContext, managed: Managed) => Promise<Response>) => (c: ControlContext) =>
    manage(ports, c, work);
  app.get('/admin/policy', managed(readPolicy));
  app.get(
    '/admin/policy/versions',
    managed((c, who) => readVersions(ports, c, who)),
  );
  app.post(
    '/admin/policy/plan',
    limit,
    managed((c, who) => plan(ports, c, who)),
  );
  app.put(
    '/admin/policy',
    limit,
    managed((c, who) => apply(ports, c, who)),
  );
  app.post(
    '/admin/policy/rollback',
    limit,
    managed((c, who) => restore(ports, c, who)),
  );
  return app;
}

/** Lets an administrator through whose change, where the request is one, follows the version that runs. */
async function manage(
  ports: PolicyAdminPorts,
  c: ControlContext,
  work: (c: ControlContext, managed: Managed) => Promise<Response>,
): Promise<Response> {
  const admission = c.get('admission');
  const authorized = await authorizeAdministration(
    ports.policies,
    admission,
    'manage_policy',
    Math.floor(ports.now() / 1000),
  );
  const records = accessRecords(ports, c.env, admission);
  if (!authorized.ok) return refuse(c, records, authorized.error);
  const meant = readIfMatch(c.req.raw.headers);
  if (!meant.ok) {
    return problem('invalid_argument', '`If-Match` is one version, such as "12"', c.env.requestId);
  }
  const pointer = authorized.value;
  if (meant.value !== undefined && meant.value !== pointer.version) {
    const detail = `version ${pointer.version} runs by now, not ${meant.value}; look at it and try again`;
    return problem('failed_precondition', detail, c.env.requestId);
  }
  return work(c, { pointer, records });
}

async function readPolicy(c: ControlContext, { pointer, records }: Managed): Promise<Response> {
  const written = await records.allow('manage_policy', { area: 'policy', method: 'read' });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  c.header('etag', etagOf(pointer.version));
  return c.json(describeVersion(pointer));
}

async function readVersions(
  ports: PolicyAdminPorts,
  c: ControlContext,
  { records }: Managed,
): Promise<Response> {
  const parameters = readParameters(new URL(c.req.url).searchParams, ['before']);
  const before = parameters?.get('before');
  if (parameters === undefined || (before !== undefined && !/^[1-9][0-9]{0,14}$/.test(before))) {
    return problem('invalid_argument', '`before` is the number of a version', c.env.requestId);
  }
  const written = await records.allow('manage_policy', { area: 'policy', method: 'versions' });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const page = await ports.policyHistory.read(
    MAX_VERSIONS,
    before === undefined ? undefined : Number(before),
  );
  if (!page.ok) return denialProblem(page.error, c.env.requestId);
  const { versions, next } = page.value;
  return c.json({ versions: versions.map(describeVersion), ...(next === undefined ? {} : { next }) });
}

/** Says what a configuration, or an earlier version, would change. A valid one is no promise: another may be applied meanwhile. */
async function plan(
  ports: PolicyAdminPorts,
  c: ControlContext,
  { pointer, records }: Managed,
): Promise<Response> {
  const planned = readPlanned(await c.req.json().catch(() => undefined));
  if (planned === undefined) {
    const detail = 'send JSON: {"files": {"scopes.yml": "…"}} or {"version": 12}';
    return problem('invalid_argument', detail, c.env.requestId);
  }
  const written = await records.allow('manage_policy', { area: 'policy', method: 'plan' });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const made =
    planned.kind === 'files'
      ? await planConfiguration(ports, planned.files, pointer, isLockout(ports, c))
      : await planRollback(ports, planned.version, pointer, isLockout(ports, c));
  if (!made.ok) return fail(c, made.error);
  const lockout = { file: 'clients.yml', line: 1, message: LOCKOUT };
  const warnings = made.value.isLockout ? [...made.value.warnings, lockout] : made.value.warnings;
  return c.json(planAnswer({ ...made.value, warnings }));
}

/** A refused configuration says every error with file and line. */
async function apply(
  ports: PolicyAdminPorts,
  c: ControlContext,
  { pointer, records }: Managed,
): Promise<Response> {
  const body: unknown = await c.req.json().catch(() => undefined);
  const files = readFiles(body);
  if (files === undefined) {
    return problem('invalid_argument', 'send JSON: {"files": {"scopes.yml": "…"}}', c.env.requestId);
  }
  return change(ports, c, records, { area: 'policy', method: 'apply' }, (written) =>
    applyConfiguration(ports.policies, files, 'apply', {
      over: pointer,
      written,
      ...(readAllowLockout(body) ? {} : { isRefused: isLockout(ports, c) }),
    }),
  );
}

async function restore(
  ports: PolicyAdminPorts,
  c: ControlContext,
  { pointer, records }: Managed,
): Promise<Response> {
  const body: unknown = await c.req.json().catch(() => undefined);
  const version = readVersionNumber(body);
  if (version === undefined)
    return problem('invalid_argument', 'send JSON: {"version": 12}', c.env.requestId);
  const facts: AccessFacts = { area: 'policy', method: 'rollback', name: `version:${version}` };
  return change(ports, c, records, facts, (written) =>
    rollBack(ports, version, pointer, written, readAllowLockout(body) ? undefined : isLockout(ports, c)),
  );
}

/** Would whoever asks be locked out by a policy? */
function isLockout(ports: PolicyAdminPorts, c: ControlContext): (snapshot: Snapshot) => boolean {
  return (snapshot) => locksOut(snapshot, c.get('admission').caller, Math.floor(ports.now() / 1000));
}

/** The record is durable before the change. */
async function change<
  T extends { readonly version: number; readonly warnings?: readonly ConfigurationProblem[] },
  E extends ApplyFailure | RollbackFailure,
>(
  ports: PolicyAdminPorts,
  c: ControlContext,
  records: AccessRecords,
  facts: AccessFacts,
  work: (
    written: PolicyWriting,
  ) => Promise<{ readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }>,
): Promise<Response> {
  const recorded = await records.allow('manage_policy', facts);
  if (!recorded.ok) return denialProblem(recorded.error, c.env.requestId);
  const startedAtMs = ports.now();
  const { clientId, subject } = c.get('admission').caller;
  const done = await work({ atSeconds: Math.floor(startedAtMs / 1000), by: { clientId, subject } });
  const end = done.ok ? `version:${done.value.version}` : done.error.reason;
  c.env.waitUntil(records.outcome(end, facts, { startedAtMs }));
  if (!done.ok) return fail(c, done.error);
  c.header('etag', etagOf(done.value.version));
  const { warnings } = done.value;
  return c.json({ ...done.value, ...(warnings === undefined ? {} : { warnings: problemsAnswer(warnings) }) });
}

function fail(
  { env }: ControlContext,
  failure: ApplyFailure | PlanFailure | RollbackFailure,
): Response | Promise<Response> {
  switch (failure.reason) {
    case 'invalid':
      return invalidConfiguration(failure.problems, env.requestId);
    case 'unknown_version':
      return problem('not_found', 'no such version is kept', env.requestId);
    case 'newer_apply':
    case 'conflict': {
      const detail = 'another policy was applied meanwhile; look at it and apply again';
      return problem('conflict', detail, env.requestId);
    }
    case 'lockout': {
      const detail = `${LOCKOUT}; nothing was changed. If it is meant: \`--allow-lockout\`, \`allow_lockout: true\` in a request`;
      return problem('failed_precondition', detail, env.requestId);
    }
    case 'unavailable':
      return denialProblem(failure, env.requestId);
  }
}

async function invalidConfiguration(
  errors: readonly ConfigurationProblem[],
  requestId: string,
): Promise<Response> {
  const base = problem('invalid_argument', 'the configuration is not valid; nothing was changed', requestId);
  return new Response(JSON.stringify({ ...Object(await base.json()), errors: problemsAnswer(errors) }), base);
}

async function refuse(c: ControlContext, records: AccessRecords, denial: Denial): Promise<Response> {
  await records.deny(denial, { area: 'policy', method: c.req.method });
  return denialProblem(denial, c.env.requestId);
}

function describeVersion({ version, source, contentHash, written }: PolicyPointer): object {
  return {
    version,
    source,
    content_hash: contentHash,
    ...(written === undefined ? {} : { applied_at: written.atSeconds }),
    ...(written?.by === undefined
      ? {}
      : { applied_by: { client_id: written.by.clientId, subject: written.by.subject } }),
    ...(written?.restored === undefined ? {} : { restored: written.restored }),
  };
}
