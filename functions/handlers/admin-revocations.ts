import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { parseJson } from '../core/json.ts';
import type { RevocationEntry } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import {
  describeRevocation,
  planRevocation,
  type RevocationTarget,
  revocationKindOf,
} from '../core/revocation-plan.ts';
import { readRevocationRequest } from '../core/revocation-request.ts';
import { type AccessFacts, type AccessRecords, accessRecords } from './access.ts';
import { type Authority, authorizeInOrg } from './administration.ts';
import type { AppEnv } from './app.ts';
import type { Admission } from './ingress.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { denialProblem, problem } from './problem.ts';
import { readListQuery } from './revocation-query.ts';
import { findTarget, type TargetRefusal } from './revocation-target.ts';

type RevocationsEnv = AppEnv & {
  Variables: { admission: Admission; records: AccessRecords; authority: Authority };
};
type RevocationsContext = Context<RevocationsEnv>;

const MAX_BODY_BYTES = 16_384;

/**
 * Revocation by hand: what is named ends within 5 s on every route, open streams too (contract §4). It takes a token for `ORIGIN` and a UI
 * scope with `revoke` on `all`: an administrator revokes in its own organisation, one of the platform's in every one, and to the former
 * other organisations are not there. The record is durable before anything ends. The issuer has this door, because it alone can say what a
 * refresh token or a run is.
 */
export function createAdminRevocations(ports: IssuerPorts): Hono<RevocationsEnv> {
  const app = new Hono<RevocationsEnv>();
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c: RevocationsContext) =>
      problem('payload_too_large', 'the body is larger than 16 KB', c.env.requestId),
  });
  app.use('/admin/revocations', (c, next) => admit(ports, c, next));
  app.get('/admin/revocations', (c) => listRevocations(ports, c));
  app.post('/admin/revocations', limit, (c) => revoke(ports, c));
  return app;
}

async function admit(
  ports: IssuerPorts,
  c: RevocationsContext,
  next: () => Promise<void>,
): Promise<Response | undefined> {
  const { headers } = c.req.raw;
  const admission = await ports.ingress.authenticate(headers, { kind: 'gateway' }, c.env.origin);
  if (!admission.ok) {
    await accessRecords(ports, c.env).deny(admission.error, { area: 'revocation' });
    return denialProblem(admission.error, c.env.requestId);
  }
  const records = accessRecords(ports, c.env, admission.value);
  const authority = await authorizeInOrg(
    ports.policies,
    admission.value,
    'revoke',
    Math.floor(ports.now() / 1000),
  );
  if (!authority.ok) {
    await records.deny(authority.error, { area: 'revocation', method: c.req.method });
    return denialProblem(authority.error, c.env.requestId);
  }
  c.set('admission', admission.value);
  c.set('records', records);
  c.set('authority', authority.value);
  await next();
  c.header('cache-control', 'no-store');
  return undefined;
}

async function listRevocations(ports: IssuerPorts, c: RevocationsContext): Promise<Response> {
  const { isOfPlatform, snapshot } = c.get('authority');
  const { caller } = c.get('admission');
  const query = readListQuery(new URL(c.req.url).searchParams, {
    isOfPlatform,
    snapshot,
    orgId: caller.orgId,
  });
  if (!query.ok) return refuse(c, query.error);
  const written = await c.get('records').allow('revoke', { area: 'revocation', method: 'list' });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const page = await ports.revocationList.read(query.value);
  if (!page.ok) return denialProblem(page.error, c.env.requestId);
  const { entries, next } = page.value;
  return c.json({
    revocations: entries.map(showEntry),
    ...(next === undefined ? {} : { next: Buffer.from(next).toString('base64url') }),
  });
}

async function revoke(ports: IssuerPorts, c: RevocationsContext): Promise<Response> {
  const found = await findRequested(ports, c);
  if (!found.ok) return refuse(c, found.error);
  const { target, beforeSeconds, dryRun } = found.value;
  const nowSeconds = Math.floor(ports.now() / 1000);
  const planned = planRevocation(target, {
    nowSeconds,
    ...(beforeSeconds === undefined ? {} : { beforeSeconds }),
  });
  const answer = { revocation: showEntry(planned), ends: describeRevocation(planned), dry_run: dryRun };
  const method = dryRun ? `plan_${target.kind}` : target.kind;
  const facts: AccessFacts = { area: 'revocation', method, name: `${target.orgId}/${target.id}` };
  const records = c.get('records');
  const written = await records.allow('revoke', facts);
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  if (dryRun) return c.json(answer);
  const { clientId, subject } = c.get('admission').caller;
  const entry: RevocationEntry = { ...planned, by: { clientId, subject, atSeconds: nowSeconds } };
  const startedAtMs = ports.now();
  const revoked = await ports.revocations.revoke(entry);
  c.env.waitUntil(records.outcome(revoked.ok ? 'done' : 'unavailable', facts, { startedAtMs }));
  if (!revoked.ok) return denialProblem(revoked.error, c.env.requestId);
  return c.json({ ...answer, revocation: showEntry(entry) });
}

async function findRequested(
  ports: IssuerPorts,
  c: RevocationsContext,
): Promise<
  Result<
    {
      readonly target: RevocationTarget;
      readonly beforeSeconds: number | undefined;
      readonly dryRun: boolean;
    },
    TargetRefusal
  >
> {
  const body = parseJson(new Uint8Array(await c.req.arrayBuffer()));
  const request = body.ok ? readRevocationRequest(body.value) : err('the body is not strict JSON');
  if (!request.ok) {
    // Nothing of what was sent: it may be a token in any place.
    await c.get('records').deny({ reason: 'not_granted', obtainable: [] }, { area: 'revocation' });
    return err({ reason: 'invalid_argument', detail: request.error });
  }
  const { beforeSeconds, dryRun } = request.value;
  const target = await findTarget(ports, request.value, {
    ...c.get('authority'),
    orgId: c.get('admission').caller.orgId,
    invocation: c.env,
  });
  if (target.ok) return ok({ target: target.value, beforeSeconds, dryRun });
  // Not what was named: it may be a token in the place of an id.
  const facts: AccessFacts = { area: 'revocation', method: request.value.kind };
  await c.get('records').deny({ reason: 'not_granted', obtainable: [] }, facts);
  return target;
}

function refuse({ env }: RevocationsContext, refusal: TargetRefusal): Response {
  return refusal.reason === 'unavailable'
    ? denialProblem(refusal, env.requestId)
    : problem(refusal.reason, refusal.detail, env.requestId);
}

function showEntry(entry: RevocationEntry): Readonly<Record<string, unknown>> {
  const { kind, orgId, id, by } = entry;
  return {
    kind: revocationKindOf(kind),
    ...(kind === 'platform' ? {} : { org_id: orgId, id }),
    before: entry.beforeSeconds,
    forget_at: entry.forgetAtSeconds,
    ...(by === undefined
      ? {}
      : { revoked_at: by.atSeconds, revoked_by: { client_id: by.clientId, subject: by.subject } }),
  };
}
