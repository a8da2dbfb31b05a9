import { type Context, Hono } from 'hono';
import type {
  AuditReader,
  CheckpointStore,
  CheckpointWitness,
  FoundRecord,
  Witness,
} from '../core/audit/audit-ports.ts';
import { readAuditQuery } from '../core/audit/query.ts';
import type { Denial } from '../core/denial.ts';
import { NO_ORG } from '../core/open-client.ts';
import type { Snapshot } from '../core/policy.ts';
import type { PolicyStore } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Sealer } from '../core/seal.ts';
import { type AccessFacts, accessRecords } from './access.ts';
import { type Authority, authorizeInOrg } from './administration.ts';
import { type AuditCursor, openCursor, sealCursor } from './audit/cursor.ts';
import { searchAudit } from './audit/search.ts';
import type { ModuleEnv, ModulePorts } from './module.ts';
import { denialProblem, problem } from './problem.ts';

/** What reading the audit log needs. */
export type AuditTrail = {
  readonly reader: AuditReader;
  readonly checkpoints: CheckpointStore;
  readonly witness: Pick<CheckpointWitness, 'read'>;
  /** Undefined while the sealing secret cannot be read. */
  readonly sealer: () => Promise<Sealer | undefined>;
  readonly randomBytes: (size: number) => Uint8Array;
};

type AuditPorts = ModulePorts & {
  readonly policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'>;
  readonly auditTrail: AuditTrail;
};
type AuditContext = Context<ModuleEnv>;

const MAX_CHECKPOINTS = 500;

/**
 * Reading the audit log. It takes a token for `ORIGIN` and a UI scope with `read_audit` on `all`: an administrator reads the records of its
 * own organisation, one of the platform's those of every one, and with `org=-` those of nobody who was verified; to the others, other
 * organisations are not there. That somebody reads is recorded before the answer; the pages that follow belong to the same reading.
 */
export function createAdminAudit(ports: AuditPorts): Hono<ModuleEnv> {
  const app = new Hono<ModuleEnv>();
  app.get('/admin/audit', (c) => readRecords(ports, c));
  app.get('/admin/audit/checkpoints', (c) => readCheckpoints(ports, c));
  return app;
}

async function readRecords(ports: AuditPorts, c: AuditContext): Promise<Response> {
  const { requestId } = c.env;
  const authority = await authorize(ports, c);
  if (!authority.ok) return denialProblem(authority.error, requestId);
  const sealer = await ports.auditTrail.sealer();
  if (sealer === undefined) return denialProblem(UNSEALED, requestId);
  const nowMs = ports.now();
  const { caller } = c.get('admission');
  const parameters = new URL(c.req.url).searchParams;
  const sealed = parameters.get('cursor');
  let cursor: AuditCursor | undefined;
  if (sealed === null) {
    const query = readAuditQuery(parameters, nowMs);
    if (!query.ok) return problem('invalid_argument', query.error, requestId);
    cursor = { query: { ...query.value, orgId: query.value.orgId ?? caller.orgId }, at: '' };
  } else {
    cursor = parameters.size === 1 ? openCursor(sealer, caller.key, sealed, nowMs) : undefined;
    if (cursor === undefined)
      return problem('invalid_argument', 'the cursor is not one to go on with', requestId);
  }
  const { query, at } = cursor;
  if (!mayRead(authority.value, caller.orgId, query.orgId)) return notFound(requestId);
  if (sealed === null) {
    const written = await record(ports, c, { area: 'audit', method: 'search', name: query.orgId });
    if (!written.ok) return denialProblem(written.error, requestId);
  }
  const page = await searchAudit(ports.auditTrail.reader, query, at === '' ? undefined : at, nowMs);
  if (!page.ok) return denialProblem(page.error, requestId);
  const { records, next, isAll } = page.value;
  const nonce = ports.auditTrail.randomBytes(12);
  return c.json({
    org_id: query.orgId,
    records: records.map(show),
    is_all: isAll,
    ...(next === undefined
      ? {}
      : { next: sealCursor(sealer, caller.key, { query, at: next }, { ms: nowMs, nonce }) }),
  });
}

async function readCheckpoints(ports: AuditPorts, c: AuditContext): Promise<Response> {
  const { requestId } = c.env;
  const authority = await authorize(ports, c);
  if (!authority.ok) return denialProblem(authority.error, requestId);
  const { caller } = c.get('admission');
  const parameters = new URL(c.req.url).searchParams;
  const orgId = parameters.get('org') ?? caller.orgId;
  const before = parameters.get('before') ?? undefined;
  const names = [...parameters.keys()].toSorted().join();
  if (!/^(?:before(?:,org)?|org)?$/.test(names) || !/^[1-9]\d{0,11}$/.test(before ?? '1')) {
    return problem(
      'invalid_argument',
      'the parameters are `org` and `before`, the number of a checkpoint',
      requestId,
    );
  }
  if (!mayRead(authority.value, caller.orgId, orgId)) return notFound(requestId);
  const written = await record(ports, c, { area: 'audit', method: 'read_checkpoints', name: orgId });
  if (!written.ok) return denialProblem(written.error, requestId);
  // With the newest ones, and before they are read: a later one may name what is not among them yet.
  const witness = before === undefined ? await ports.auditTrail.witness.read(orgId) : ok(undefined);
  if (!witness.ok) return denialProblem(witness.error, requestId);
  const read = await ports.auditTrail.checkpoints.newest(
    orgId,
    MAX_CHECKPOINTS,
    before === undefined ? undefined : Number(before),
  );
  if (!read.ok) return denialProblem(read.error, requestId);
  return c.json({
    org_id: orgId,
    checkpoints: read.value.checkpoints,
    is_all: read.value.isAll,
    ...(witness.value === undefined ? {} : { witness: showWitness(witness.value) }),
  });
}

const UNSEALED = { reason: 'unavailable', detail: 'the sealing secret cannot be read' } as const;

async function authorize(ports: AuditPorts, c: AuditContext): Promise<Result<Authority, Denial>> {
  const admission = c.get('admission');
  const authority = await authorizeInOrg(
    ports.policies,
    admission,
    'read_audit',
    Math.floor(ports.now() / 1000),
  );
  if (authority.ok) return authority;
  const records = accessRecords(ports, c.env, admission);
  await records.deny(authority.error, { area: 'audit', method: c.req.method });
  return authority;
}

async function record(
  ports: AuditPorts,
  c: AuditContext,
  facts: AccessFacts,
): Promise<Result<undefined, Denial>> {
  const records = accessRecords(ports, c.env, c.get('admission'));
  const written = await records.allow('read_audit', facts);
  return written.ok ? ok(undefined) : err(written.error);
}

function mayRead({ isOfPlatform, snapshot }: Authority, ownOrg: string, orgId: string): boolean {
  return orgId === ownOrg || (isOfPlatform && (orgId === NO_ORG || isKnown(snapshot, orgId)));
}

function isKnown({ orgs, clients, idps = [] }: Snapshot, orgId: string): boolean {
  return orgs.some(({ id }) => id === orgId) || [...clients, ...idps].some(({ org }) => org === orgId);
}

/** A record as it is stored, beside its key: whoever verifies needs every member as it is. */
function show({ key, record: members }: FoundRecord): Readonly<Record<string, unknown>> {
  return { key, record: members };
}

function showWitness({ number, hash, expiresAtSeconds }: Witness): Readonly<Record<string, unknown>> {
  return { number, hash, expires_at: expiresAtSeconds };
}

function notFound(requestId: string): Response {
  return problem('not_found', 'there is nothing here', requestId);
}
