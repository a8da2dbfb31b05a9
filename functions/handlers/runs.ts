import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Invocation } from '../core/invocation.ts';
import { parseJson } from '../core/json.ts';
import type { Policy } from '../core/policy.ts';
import type { RecordKey, StoredRecord, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { authorizeRun, type Run, readRun, writeRun } from '../core/run.ts';
import { isRunId, MAX_RUN_TTL_SECONDS, parseRunRequest } from '../core/run-request.ts';
import { mintRunTokens, type RunTokens } from '../core/run-token.ts';
import { type AccessRecords, accessRecords } from './access.ts';
import type { AppEnv } from './app.ts';
import type { Admission } from './ingress.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { denialProblem, problem } from './problem.ts';
import { lookForRevocation } from './revocation-look.ts';
import { readSigningKey, signCompact } from './signature.ts';

type RunEnv = AppEnv & { Variables: { admission: Admission; records: AccessRecords } };
type RunContext = Context<RunEnv>;

const MAX_BODY_BYTES = 65_536;
/** A run is kept this long after its last token was issued. */
const KEPT_SECONDS = 30 * 24 * 3600;

/**
 * Runs of a coordinator (contract §5): opening one gives its tokens, which carry the scope that the model never sees. A run belongs to
 * the client that opened it; to every other it does not exist. Every answer needs a token for `ORIGIN` with the scope `runs/issue`.
 */
export function createRuns(ports: IssuerPorts): Hono<RunEnv> {
  const app = new Hono<RunEnv>();
  app.use('/runs/*', (c, next) => admit(ports, c, next));
  app.post(
    '/runs',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c: RunContext) =>
        problem('payload_too_large', 'the body is larger than 64 KB', c.env.requestId),
    }),
    (c) => openRun(ports, c),
  );
  app.get('/runs/:id', (c) => describeRun(ports, c));
  app.post('/runs/:id/token', (c) => refreshRun(ports, c));
  app.post('/runs/:id/complete', (c) => completeRun(ports, c));
  return app;
}

async function admit(
  ports: IssuerPorts,
  c: RunContext,
  next: () => Promise<void>,
): Promise<Response | undefined> {
  const { headers } = c.req.raw;
  const admission = await ports.ingress.authenticate(headers, { kind: 'gateway' }, c.env.origin);
  if (!admission.ok) {
    await accessRecords(ports, c.env).deny(admission.error, { area: 'token' });
    return denialProblem(admission.error, c.env.requestId);
  }
  c.set('admission', admission.value);
  c.set('records', accessRecords(ports, c.env, admission.value));
  await next();
  c.header('cache-control', 'no-store');
  return undefined;
}

async function openRun(ports: IssuerPorts, c: RunContext): Promise<Response> {
  const { caller } = c.get('admission');
  const body = parseJson(new Uint8Array(await c.req.arrayBuffer()));
  if (!body.ok)
    return problem('invalid_argument', `the body is not strict JSON: ${body.error.detail}`, c.env.requestId);
  const request = parseRunRequest(body.value);
  if (!request.ok) return problem('invalid_argument', request.error.message, c.env.requestId);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const run: Run = {
    ...request.value,
    runId: request.value.runId ?? `run_${ports.randomId()}`,
    clientId: caller.clientId,
    openedAtSeconds: nowSeconds,
    completedAtSeconds: undefined,
  };
  return issueTokens(ports, c, run, nowSeconds, 201, async () => {
    const created = await ports.records.create(keyOf(c, run.runId), writeRun(run), nowSeconds + KEPT_SECONDS);
    if (created.ok) return created;
    if (created.error.reason === 'unavailable') return err(created.error);
    return err(problem('conflict', 'there is a run of this id already', c.env.requestId));
  });
}

async function refreshRun(ports: IssuerPorts, c: RunContext): Promise<Response> {
  const found = await findRun(ports, c);
  if (!found.ok) return found.error;
  const { run, record, isRevoked } = found.value;
  const closed = () => problem('conflict', 'this run is completed; open another one', c.env.requestId);
  if (run.completedAtSeconds !== undefined) return closed();
  if (isRevoked) return problem('conflict', 'this run is revoked; open another one', c.env.requestId);
  const nowSeconds = Math.floor(ports.now() / 1000);
  return issueTokens(ports, c, run, nowSeconds, 200, async () => {
    // Written although nothing in it changes: a run that was completed meanwhile is of another revision.
    const kept = await ports.records.replace(
      keyOf(c, run.runId),
      record,
      record.text,
      nowSeconds + KEPT_SECONDS,
    );
    if (kept.ok) return kept;
    return err(kept.error.reason === 'unavailable' ? kept.error : await afterConflict(ports, c, closed));
  });
}

/** Another refresh won, or the run was completed; the first is no news to anybody. */
async function afterConflict(ports: IssuerPorts, c: RunContext, closed: () => Response): Promise<Response> {
  const again = await findRun(ports, c);
  if (!again.ok) return again.error;
  if (again.value.run.completedAtSeconds !== undefined) return closed();
  return problem('conflict', 'this run was refreshed at the same moment; ask again', c.env.requestId);
}

/**
 * Authorises, records, signs, and then lets `commit` write the run; the tokens are nobody's before that. An outage of the audit log or of
 * KMS leaves the run as it was.
 */
async function issueTokens(
  ports: IssuerPorts,
  c: RunContext,
  run: Run,
  nowSeconds: number,
  status: 200 | 201,
  commit: () => Promise<Result<void, Unavailable | Response>>,
): Promise<Response> {
  const { caller, policy } = c.get('admission');
  const records = c.get('records');
  const facts = { area: 'token', method: 'run_token', name: run.runId } as const;
  const authorized = authorizeRun(policy, caller, run.services);
  if (!authorized.ok) {
    await records.deny(authorized.error, facts);
    return denialProblem(authorized.error, c.env.requestId);
  }
  const written = await records.allow('runs/issue', facts);
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const startedAtMs = ports.now();
  const tokens = await signTokens(ports, run, caller.orgId, c.env, nowSeconds);
  if (!tokens.ok) {
    await records.outcome('unavailable', facts, { startedAtMs });
    return denialProblem(tokens.error, c.env.requestId);
  }
  const committed = await commit();
  if (!committed.ok) {
    return committed.error instanceof Response
      ? committed.error
      : denialProblem(committed.error, c.env.requestId);
  }
  return c.json({ run_id: run.runId, ...tokens.value, expires_in: run.ttlSeconds }, status);
}

async function signTokens(
  ports: IssuerPorts,
  run: Run,
  orgId: string,
  invocation: Invocation,
  nowSeconds: number,
): Promise<Result<Readonly<Record<string, unknown>>, Unavailable>> {
  const key = await readSigningKey(ports, invocation);
  if (!key.ok) return key;
  const unsigned: RunTokens = mintRunTokens(run, {
    keyId: key.value.keyId,
    issuer: invocation.origin,
    orgId,
    nowSeconds,
    makeJti: ports.randomId,
  });
  const tokens = new Map<string, string>();
  for (const [service, { signingInput }] of unsigned) {
    const signed = await signCompact(ports, signingInput, key.value.keyId, invocation);
    if (!signed.ok) return signed;
    tokens.set(service, signed.value);
  }
  return ok(
    run.split ? { service_tokens: Object.fromEntries(tokens) } : { service_token: [...tokens.values()][0] },
  );
}

async function describeRun(ports: IssuerPorts, c: RunContext): Promise<Response> {
  const found = await findRun(ports, c);
  if (!found.ok) return found.error;
  const { run, isRevoked } = found.value;
  const running = isRevoked ? 'revoked' : 'open';
  return c.json({
    run_id: run.runId,
    agent_name: run.agentName,
    status: run.completedAtSeconds === undefined ? running : 'completed',
    services: [...run.services.keys()],
    permissions: run.permissions,
    ttl: run.ttlSeconds,
    split: run.split,
    opened_at: run.openedAtSeconds,
    ...(run.completedAtSeconds === undefined ? {} : { completed_at: run.completedAtSeconds }),
  });
}

/** Closes a run: no more tokens, and those that are out are dead when this answers. Asked again, it revokes again. */
async function completeRun(ports: IssuerPorts, c: RunContext): Promise<Response> {
  const found = await findRun(ports, c);
  if (!found.ok) return found.error;
  const { run, record } = found.value;
  const { caller } = c.get('admission');
  const written = await c
    .get('records')
    .allow('completed', { area: 'revocation', method: 'complete_run', name: run.runId });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const completed = { ...run, completedAtSeconds: run.completedAtSeconds ?? nowSeconds };
  if (run.completedAtSeconds === undefined) {
    const closed = await ports.records.replace(
      keyOf(c, run.runId),
      record,
      writeRun(completed),
      nowSeconds + KEPT_SECONDS,
    );
    if (!closed.ok) {
      return closed.error.reason === 'unavailable'
        ? denialProblem(closed.error, c.env.requestId)
        : problem('conflict', 'this run was changed at the same moment; ask again', c.env.requestId);
    }
  }
  const revoked = await ports.revocations.revoke({
    orgId: caller.orgId,
    kind: 'run',
    id: run.runId,
    // Every token of it: a run never opens again, and a clock elsewhere may be ahead of this one.
    beforeSeconds: nowSeconds + MAX_RUN_TTL_SECONDS,
    forgetAtSeconds: nowSeconds + MAX_RUN_TTL_SECONDS + 60,
  });
  if (!revoked.ok) return denialProblem(revoked.error, c.env.requestId);
  return c.json({ run_id: run.runId, status: 'completed', completed_at: completed.completedAtSeconds });
}

/** A run that was found. `isRevoked`: by itself, or with its client or organisation since it was opened. */
type FoundRun = { readonly run: Run; readonly record: StoredRecord; readonly isRevoked: boolean };

/** The run of the path, where this client opened it and may still open runs. */
async function findRun(ports: IssuerPorts, c: RunContext): Promise<Result<FoundRun, Response>> {
  const { caller, policy } = c.get('admission');
  const id = c.req.param('id') ?? '';
  const authorized = authorizeRun(policy, caller, new Map());
  if (!authorized.ok) {
    await c.get('records').deny(authorized.error, { area: 'token', name: id });
    return err(denialProblem(authorized.error, c.env.requestId));
  }
  const absent = err(problem('not_found', 'there is no such run', c.env.requestId));
  if (!isRunId(id)) return absent;
  const record = await ports.records.read(keyOf(c, id));
  if (!record.ok) return err(denialProblem(record.error, c.env.requestId));
  const run = record.value === undefined ? undefined : readRun(record.value.text);
  if (record.value === undefined || run === undefined || run.clientId !== caller.clientId) return absent;
  const revoked = await isRevoked(ports, policy, caller.orgId, run, record.value);
  if (!revoked.ok) return err(denialProblem(revoked.error, c.env.requestId));
  return ok({ run, record: record.value, isRevoked: revoked.value });
}

/** An open run is as old as its opening, however often its tokens were refreshed. It has no token of its own that could be revoked. */
function isRevoked(
  ports: IssuerPorts,
  policy: Policy,
  orgId: string,
  { runId, clientId, openedAtSeconds }: Run,
  { expiresAtSeconds }: StoredRecord,
): Promise<Result<boolean, Unavailable>> {
  const about = { orgId, jti: '', clientId, subject: clientId, runId };
  return lookForRevocation(
    ports.revocations,
    policy,
    { ...about, issuedAtSeconds: openedAtSeconds, expiresAtSeconds },
    { fresh: true },
  );
}

function keyOf(c: RunContext, id: string): RecordKey {
  return { kind: 'RUN', orgId: c.get('admission').caller.orgId, id };
}
