import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import { err, ok } from '../../functions/core/result.ts';
import { createExplain, type ExplainPorts } from '../../functions/handlers/explain.ts';
import { createModule } from '../../functions/handlers/module.ts';
import { ingressOver } from '../support/ingress.ts';
import { invocationOf } from '../support/invocation.ts';
import { clientEntry, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const SNAPSHOT: Snapshot = {
  format: 2,
  scopes: [
    ['fin/quote', [scopeRule('fin', ['tools/call'], ['quote'])]],
    ['fin/trade', [{ ...scopeRule('fin', ['tools/call'], ['trade']), at: 'scopes.yml:9' }]],
    ['fin/deny', [{ ...scopeRule('fin', ['tools/call'], ['wipe']), deny: 'part', at: 'scopes.yml:12' }]],
  ],
  uiScopes: [
    ['steward', [['manage_policy', ['all']]]],
    ['guard', [['revoke', ['all']]]],
  ],
  groups: [],
  servers: [serverEntry('fin'), serverEntry('diary', { org: 'acme', visibility: 'private:someone' })],
  services: [],
  clients: [
    clientEntry('platform-admin', { org: 'platform', scopes: ['steward'] }),
    clientEntry('acme-admin', { scopes: ['steward', 'guard'] }),
    clientEntry('agent', { scopes: ['fin/quote', 'fin/trade', 'fin/deny'] }),
    clientEntry('paused', { disabled: true }),
    clientEntry('foreign', { org: 'globex' }),
    clientEntry('frozen-agent', { org: 'frozen' }),
  ],
  orgs: ['platform', 'acme', 'globex', 'frozen'].map((id) => ({ id, suspended: id === 'frozen' })),
};

let records: AuditRecord[] = [];
let canRecord = true;
let app: ReturnType<typeof createModule>;

beforeAll(() => {
  const pointer = { version: 4, source: 'dev', contentHash: '', chunks: 1, deployedHash: undefined } as const;
  const policy = new Policy(SNAPSHOT, 4);
  const unused = () => Promise.resolve(err({ reason: 'unavailable', detail: 'not asked' } as const));
  const ports: ExplainPorts = {
    ingress: ingressOver({ policy, keys: issuer.keys }),
    policies: {
      readPointer: () => Promise.resolve(ok(pointer)),
      readSnapshot: () => Promise.resolve(ok(SNAPSHOT)),
      contentHashOf: () => '',
      write: unused,
    },
    audit: {
      write(record) {
        records.push(record);
        return Promise.resolve(canRecord ? ok(undefined) : err({ reason: 'unavailable', detail: 'down' }));
      },
    },
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1000,
    log: () => {},
  };
  app = createModule(ports);
  app.route('/', createExplain(ports));
});

beforeEach(() => {
  records = [];
  canRecord = true;
});

afterAll(() => {
  records = [];
});

async function ask(
  body: unknown,
  as = 'agent',
  scope = 'fin/quote fin/deny steward guard',
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const org = SNAPSHOT.clients.find(({ id }) => id === as)?.org;
  const token = issuer.accessToken({ sub: as, client_id: as, org_id: org, scope });
  const invocation: Invocation = invocationOf();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sent = typeof body === 'string' ? body : JSON.stringify(body);
  const request = new Request(`${ORIGIN}/me/explain`, { method: 'POST', headers, body: sent });
  const response = await app.fetch(request, invocation);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const call = (name: string, more: object = {}) => ({ server: 'fin', method: 'tools/call', name, ...more });
const GENERIC = 'access denied: this operation is not available to you';

test.for<readonly [string, object, object]>([
  [
    'that it may',
    call('quote'),
    { decision: 'allow', reason: 'granted', text: 'this is allowed', scopes: ['fin/quote'] },
  ],
  [
    'which scope it may ask for',
    call('trade'),
    {
      decision: 'deny',
      reason: 'not_granted',
      text: `${GENERIC} with this token; a token with the scope \`fin/trade\` would allow it`,
      required_scopes: ['fin/trade'],
    },
  ],
  [
    'no more than that it may not, where a deny is',
    call('wipe'),
    { decision: 'deny', reason: 'not_granted', text: GENERIC },
  ],
  [
    'the same where nothing grants',
    call('other'),
    { decision: 'deny', reason: 'not_granted', text: GENERIC },
  ],
  [
    'that nothing is there, where something is hidden',
    { ...call('x'), server: 'diary' },
    { decision: 'deny', reason: 'unknown_server', text: 'there is nothing here' },
  ],
  [
    'the same where nothing is',
    { ...call('x'), server: 'nothing' },
    { decision: 'deny', reason: 'unknown_server', text: 'there is nothing here' },
  ],
])('a caller is told %s', async ([, body, answer]) => {
  expect(await ask(body)).toEqual({ status: 200, body: answer });
});

test('a caller may ask with arguments, and what is recorded is a question: no call, and none of them', async () => {
  await ask(call('quote', { arguments: { symbol: 'SECRET-SYMBOL' } }));
  expect(records).toMatchObject([
    {
      area: 'policy',
      decision: 'allow',
      reason: 'explain',
      server: 'fin',
      method: 'explain',
      name: 'tools/call as agent',
    },
  ]);
  expect(JSON.stringify(records)).not.toContain('SECRET-SYMBOL');
});

test('an administrator is told the rule and the smallest change', async () => {
  const { status, body } = await ask(call('wipe', { caller: { client_id: 'agent' } }), 'acme-admin');
  expect([status, body]).toEqual([
    200,
    {
      decision: 'deny',
      reason: 'not_granted',
      text: GENERIC,
      rule: { scope: 'fin/deny', at: 'scopes.yml:12', words: 'denied by the scope fin/deny' },
      remedies: [],
      policy_version: 4,
    },
  ]);
  const trade = await ask(
    call('trade', { caller: { client_id: 'agent', scopes: ['fin/quote'] } }),
    'acme-admin',
  );
  expect(trade.body).toMatchObject({
    required_scopes: ['fin/trade'],
    remedies: [{ kind: 'ask_for_scope' }, { kind: 'extend_rule' }],
  });
  expect(records.at(-1)).toMatchObject({
    area: 'policy',
    decision: 'allow',
    reason: 'explain',
    method: 'explain',
    server: 'fin',
    name: 'tools/call as agent',
    client_id: 'acme-admin',
  });
  const allowed = await ask(call('quote', { caller: { client_id: 'agent' } }), 'acme-admin');
  expect(allowed.body).toMatchObject({
    decision: 'allow',
    scopes: ['fin/quote'],
    rule: { at: 'scopes.yml:1' },
  });
});

test.for([
  ['agent', 'fin/quote'],
  ['acme-admin', 'guard'],
])('nobody else may ask about others: %s with %s', async ([as = '', scope]) => {
  const refused = await ask(call('quote', { caller: { client_id: as } }), as, scope);
  expect(refused.status).toBe(403);
  expect(records).toMatchObject([{ decision: 'deny', area: 'policy', method: 'explain' }]);
});

test('who is not there, or in another organisation, is not told apart', async () => {
  const about = (caller: object, as = 'acme-admin') => ask(call('quote', { caller }), as);
  const absent = await about({ client_id: 'nobody' });
  expect(absent.status).toBe(404);
  expect(await about({ client_id: 'foreign' })).toEqual(absent);
  expect(await about({ client_id: 'foreign', org_id: 'globex' })).toEqual(absent);
  expect(await about({ client_id: 'foreign', org_id: 'nowhere' })).toEqual(absent);
  expect((await about({ client_id: 'foreign', org_id: 'globex' }, 'platform-admin')).status).toBe(200);
  expect((await about({ client_id: 'foreign', org_id: 'nowhere' }, 'platform-admin')).status).toBe(404);
});

test.for([
  [{ client_id: 'paused' }, 'acme-admin', 'client_disabled'],
  [{ client_id: 'frozen-agent', org_id: 'frozen' }, 'platform-admin', 'org_suspended'],
  [{ client_id: 'agent', subject: 'gone:ann' }, 'acme-admin', 'identity_provider_gone'],
] as const)('who is refused everywhere is told why: %j', async ([caller, as, reason]) => {
  const { status, body } = await ask(call('quote', { caller }), as);
  expect([status, body]).toMatchObject([200, { decision: 'deny', reason, remedies: [] }]);
});

test.for(['{', '[]', '{"server":"fin"}', '{"server":"fin","server":"x","method":"ping"}'])(
  '%s is refused',
  async (text) => {
    expect((await ask(text)).status).toBe(400);
    expect(records).toEqual([]);
  },
);

test('a body that is too large is refused', async () => {
  expect((await ask(call('quote', { arguments: { a: 'x'.repeat(70_000) } }))).status).toBe(413);
});

test.for([call('quote'), call('quote', { caller: { client_id: 'agent' } })])(
  'nothing is told without a record: %j',
  async (body) => {
    canRecord = false;
    expect((await ask(body, 'acme-admin')).status).toBe(503);
  },
);
