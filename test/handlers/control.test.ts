import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createPolicyHistory } from '../../functions/aws/policy-history.ts';
import { createPolicyStore } from '../../functions/aws/policy-store.ts';
import { createRevocationStore } from '../../functions/aws/revocations.ts';
import { createRulebookStore } from '../../functions/aws/rulebook.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import { err, ok } from '../../functions/core/result.ts';
import { createControl } from '../../functions/handlers/control.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import { applyConfiguration } from '../../functions/handlers/policy-apply.ts';
import { NO_AUDIT_TRAIL } from '../support/audit-trail.ts';
import { type EmbeddedTable, startAuthTable } from '../support/auth-table.ts';
import { NO_FOREIGN_KEYS } from '../support/foreign-issuer.ts';
import { invocationOf } from '../support/invocation.ts';
import { NO_CONNECTING } from '../support/no-connecting.ts';
import { NO_SECRET_ADMINISTRATION } from '../support/no-secret-administration.ts';
import { publishKeys } from '../support/published-keys.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
let table: EmbeddedTable;
let records: AuditRecord[];
let canRecord: boolean;

beforeEach(async () => {
  await table?.close();
  table = await startAuthTable();
  records = [];
  canRecord = true;
});

afterAll(() => table.close());

const SCOPES = {
  'UI-Scopes': { steward: { manage_policy: ['all'] }, reader: { manage_policy: ['fininfo'] } },
};

/** A configuration with one client per organisation, all of them stewards but where a scope is given. */
function filesOf(
  clientOrgs: readonly string[],
  orgs: readonly string[] = [],
  scope = 'steward',
): ReadonlyMap<string, string> {
  const clients = clientOrgs.map((org) => [
    `${org}-admin`,
    {
      org,
      auth: 'client_secret_basic',
      secret: { ref: `sallyport/{stage}/clients/${org}-admin` },
      grants: ['client_credentials'],
      scopes: [scope],
      audience: 'gateway',
    },
  ]);
  return new Map([
    ['scopes.yml', JSON.stringify(SCOPES)],
    ['servers.yml', ''],
    ['clients.yml', JSON.stringify({ clients: Object.fromEntries(clients) })],
    ...(orgs.length === 0
      ? []
      : [['orgs.yml', JSON.stringify({ orgs: Object.fromEntries(orgs.map((org) => [org, {}])) })] as const]),
  ]);
}

/** The app over a configuration that is running, and a way to call it as a client of an organisation. */
async function startControl(files: ReadonlyMap<string, string>) {
  const { dynamo, tableName } = table;
  const policies = createPolicyStore(dynamo, tableName);
  const applied = await applyConfiguration(policies, files, 'dev');
  if (!applied.ok) throw new Error(JSON.stringify(applied.error));
  await publishKeys(dynamo, tableName, [issuer.access.published]);
  const clock = () => NOW_SECONDS;
  const app = createControl({
    ingress: createIngress({
      rulebook: createRulebookStore(dynamo, tableName, clock),
      revocations: createRevocationStore(dynamo, tableName, clock),
      foreignKeys: NO_FOREIGN_KEYS,
      clock,
    }),
    policies,
    policyHistory: createPolicyHistory(dynamo, tableName),
    audit: {
      write(record) {
        if (!canRecord) return Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' }));
        records.push(record);
        return Promise.resolve(ok(undefined));
      },
    },
    auditTrail: NO_AUDIT_TRAIL,
    ...NO_SECRET_ADMINISTRATION,
    connecting: NO_CONNECTING,
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1000,
    log: () => {},
  });
  return async (org: string, method: string, body?: unknown): Promise<Response> => {
    const scope = 'steward reader';
    const token = issuer.accessToken({ sub: `${org}-admin`, client_id: `${org}-admin`, org_id: org, scope });
    const pending: Promise<unknown>[] = [];
    const { signal } = new AbortController();
    const invocation: Invocation = invocationOf({ signal, waitUntil: (work) => void pending.push(work) });
    const response = await app.fetch(
      new Request(`${ORIGIN}/admin/policy`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
      invocation,
    );
    await Promise.all(pending);
    return response;
  };
}

const asBody = (files: ReadonlyMap<string, string>) => ({ files: Object.fromEntries(files) });

describe('the policy is managed', () => {
  test.for<readonly [string, readonly string[], readonly string[], string, number]>([
    ['by the only organisation', ['acme'], [], 'acme', 200],
    ['by none but the first, though it alone has clients', ['acme'], ['platform', 'acme'], 'acme', 403],
    ['by the first organisation of several', ['acme', 'platform'], ['platform', 'acme'], 'platform', 200],
    ['by no other of several', ['acme', 'platform'], ['platform', 'acme'], 'acme', 403],
    ['by none of several without an order', ['acme', 'platform'], [], 'platform', 403],
  ])('%s', async ([, clientOrgs, orgs, org, status]) => {
    const files = filesOf(clientOrgs, orgs);
    const call = await startControl(files);
    expect((await call(org, 'GET')).status).toBe(status);
    expect((await call(org, 'PUT', asBody(files))).status).toBe(status);
  });

  test('by nobody whose UI scope names single servers', async () => {
    const call = await startControl(filesOf(['acme'], [], 'reader'));
    const response = await call('acme', 'GET');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'permission_denied', request_id: 'r-1' });
    expect(records).toMatchObject([{ area: 'policy', decision: 'deny', reason: 'not_granted' }]);
  });

  test('as it is stored: who lost the rule a second ago has none', async () => {
    const call = await startControl(filesOf(['acme', 'platform'], ['acme', 'platform']));
    const other = filesOf(['acme', 'platform'], ['platform', 'acme']);
    const handingOver = { ...asBody(other), allow_lockout: true };
    expect((await call('acme', 'PUT', handingOver)).status).toBe(200);
    expect((await call('acme', 'GET')).status).toBe(403);
  });
});

describe('every look at the policy and every change', () => {
  test('is recorded', async () => {
    const files = filesOf(['acme']);
    const call = await startControl(files);
    const read = await call('acme', 'GET');
    expect(await read.json()).toMatchObject({ version: 1, source: 'dev' });
    await call('acme', 'PUT', asBody(filesOf(['acme'], ['acme'])));
    const allowed = { area: 'policy', decision: 'allow', org_id: 'acme', client_id: 'acme-admin' };
    expect(records).toMatchObject([
      { ...allowed, event: 'decision', reason: 'manage_policy', method: 'read' },
      { ...allowed, event: 'decision', reason: 'manage_policy', method: 'apply' },
      { ...allowed, event: 'outcome', reason: 'version:2', method: 'apply' },
    ]);
  });

  test('does not happen where it cannot be recorded', async () => {
    const call = await startControl(filesOf(['acme']));
    canRecord = false;
    expect((await call('acme', 'GET')).status).toBe(503);
    expect((await call('acme', 'PUT', asBody(filesOf(['acme'], ['acme'])))).status).toBe(503);
    canRecord = true;
    expect(await (await call('acme', 'GET')).json()).toMatchObject({ version: 1 });
  });
});

describe('a configuration that is not taken', () => {
  test('is a problem that says every error', async () => {
    const call = await startControl(filesOf(['acme']));
    const files = { ...asBody(filesOf(['acme'])).files, 'servers.yml': 'server: {}', 'x.yml': '' };
    const response = await call('acme', 'PUT', { files });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('x-request-id')).toBe('r-1');
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'the configuration is not valid; nothing was changed',
      code: 'invalid_argument',
      request_id: 'r-1',
      errors: [
        { file: 'x.yml', line: 1, message: expect.stringContaining('unknown file') },
        { file: 'servers.yml', line: 1, message: expect.stringContaining('unknown key `server`') },
      ],
    });
  });

  test.for([undefined, 'text', { file: {} }, { files: { 'scopes.yml': 1 } }])(
    'because it is none is a problem: %j',
    async (body) => {
      const call = await startControl(filesOf(['acme']));
      const response = await call('acme', 'PUT', body);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        400,
        'application/problem+json',
      ]);
    },
  );
});
