import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { Snapshot } from '../../functions/core/policy.ts';
import { ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { createContextStore } from '../../functions/handlers/context-store.ts';
import { createControl } from '../../functions/handlers/control.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { createGateway } from '../../functions/handlers/gateway.ts';
import { NO_AUDIT_TRAIL } from '../support/audit-trail.ts';
import { cursorSeal } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { UNASKED } from '../support/counters.ts';
import { answerOf } from '../support/gateway-app.ts';
import { NO_CONNECTING } from '../support/no-connecting.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { NO_SECRET_ADMINISTRATION } from '../support/no-secret-administration.ts';
import { createNotes, NoteStore } from '../support/notes-module.ts';
import { scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';
import { denyMatrix, type Probe, roleBinding, type World } from './deny-matrix.ts';

const NO_TRAIL = { auditTrail: NO_AUDIT_TRAIL, connecting: NO_CONNECTING } as const;

/** Servers of every kind, and a scope for all of them. */
const FLEET: Partial<Snapshot> = {
  servers: [
    serverEntry('maps'),
    serverEntry('tower', { org: 'acme', visibility: 'team:pilots' }),
    serverEntry('diary', { org: 'acme', visibility: 'private:courier' }),
    serverEntry('depot', { org: 'acme' }),
  ],
  scopes: [['fleet/use', [scopeRule('*', ['initialize', 'tools/call'], ['fly', 'doc_query', 'doc_read'])]]],
};

const sealer = () => Promise.resolve(new Sealer(['0'.repeat(64)]));

/** What the control plane asks only of who administers. */
const policies = ({ policy, snapshot }: World) => {
  const pointer = {
    version: policy.version,
    source: 'dev',
    contentHash: 'h',
    chunks: 1,
    deployedHash: undefined,
  } as const;
  return {
    policies: {
      readPointer: () => Promise.resolve(ok(pointer)),
      readSnapshot: () => Promise.resolve(ok(snapshot)),
      contentHashOf: () => 'h',
      write: () => Promise.resolve(ok(pointer)),
    },
    policyHistory: {
      read: () => Promise.resolve(ok({ versions: [pointer] })),
      find: () => Promise.resolve(ok(pointer)),
    },
  };
};

describe('a module of our own', () => {
  const notes = new NoteStore();
  const note = (id: string, visibility: string) =>
    notes.put({ id, orgId: 'acme', visibility, text: 'written in confidence' });
  const put = (id: string): Probe => ({ path: `/notes/${id}`, init: { method: 'PUT', body: 'changed' } });
  denyMatrix({
    policy: {
      roles: [
        {
          org: 'acme',
          name: 'keeper',
          scope: undefined,
          permissions: ['resources.read', 'resources.update'],
        },
        { org: 'acme', name: 'reader', scope: undefined, permissions: ['resources.read'] },
      ],
      roleBindings: [roleBinding('keeper', 'courier'), roleBinding('reader', 'stranger')],
    },
    start({ ports }) {
      note('plan', 'team:pilots');
      note('diary', 'private:courier');
      note('news', 'org');
      return createNotes({ ...ports, notes });
    },
    allowed: put('news'),
    effects: () => notes.writes,
    isRecorded: true,
    missing: { path: '/notes/nothing' },
    items: {
      ofTeam: { path: '/notes/plan' },
      ofCourier: { path: '/notes/diary' },
      ofOrg: { path: '/notes/news' },
    },
    unpermitted: { probe: put('news'), as: 'stranger', status: 403 },
  });
});

describe('the catalogue of servers', () => {
  denyMatrix({
    policy: FLEET,
    client: { scopes: ['fleet/use'] },
    claims: { scope: 'fleet/use' },
    start: (world) =>
      createControl({ ...world.ports, ...policies(world), ...NO_TRAIL, ...NO_SECRET_ADMINISTRATION }),
    allowed: { path: '/servers/maps' },
    isRecorded: false,
    missing: { path: '/servers/nothing' },
    items: {
      ofTeam: { path: '/servers/tower' },
      ofCourier: { path: '/servers/diary' },
      ofOrg: { path: '/servers/depot' },
    },
    unpermitted: { probe: { path: '/admin/policy' }, status: 403 },
  });
});

describe('the administration of the policy', () => {
  denyMatrix({
    policy: {
      uiScopes: [['steward', [['manage_policy', ['all']]]]],
      roles: [{ org: 'acme', name: 'steward', scope: undefined, permissions: ['admin.system_config'] }],
      roleBindings: [roleBinding('steward', 'courier')],
    },
    client: { scopes: ['steward'] },
    claims: { scope: 'steward' },
    start: (world) =>
      createControl({ ...world.ports, ...policies(world), ...NO_TRAIL, ...NO_SECRET_ADMINISTRATION }),
    allowed: { path: '/admin/policy' },
    isRecorded: true,
    missing: { path: '/admin/nothing' },
    // The UI scope alone is not enough where the organisation gives roles.
    unpermitted: { probe: { path: '/admin/policy' }, as: 'stranger', status: 403 },
  });
});

describe('the audit log', () => {
  denyMatrix({
    policy: {
      uiScopes: [['auditor', [['read_audit', ['all']]]]],
      roles: [{ org: 'acme', name: 'auditor', scope: undefined, permissions: ['admin.security_audit'] }],
      roleBindings: [roleBinding('auditor', 'courier')],
    },
    client: { scopes: ['auditor'] },
    claims: { scope: 'auditor' },
    start: (world) =>
      createControl({ ...world.ports, ...policies(world), ...NO_TRAIL, ...NO_SECRET_ADMINISTRATION }),
    allowed: { path: '/admin/audit/checkpoints' },
    isRecorded: true,
    missing: { path: '/admin/audit/checkpoints?org=nowhere' },
    unpermitted: { probe: { path: '/admin/audit' }, as: 'stranger', status: 403 },
  });
});

describe('the gateway', () => {
  let sent = 0;
  const call = (server: string, tool: string): Probe => ({
    path: `/${server}/mcp`,
    init: {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: tool, arguments: {} },
      }),
    },
  });
  denyMatrix({
    policy: FLEET,
    client: { scopes: ['fleet/use'] },
    claims: { scope: 'fleet/use' },
    start: ({ ports, issuer }) =>
      createGateway({
        ...ports,
        credentials: createCredentials({
          ...NO_CONNECTIONS,
          ...NO_TOKEN_ENDPOINT,
          secrets: {
            read: (name) => Promise.resolve({ ok: false, error: { reason: 'missing', detail: name } }),
          },
          identityKey: {
            publicKey: () => Promise.resolve(ok(issuer.identity.published)),
            sign: () => Promise.resolve(ok('')),
          },
          stage: 'prod',
          now: ports.now,
        }),
        upstream: {
          send() {
            sent += 1;
            return Promise.resolve(ok(answerOf('{"jsonrpc":"2.0","id":1,"result":{}}')));
          },
        },
        sealer,
        nonce: () => randomBytes(12),
        counter: UNASKED,
      }),
    allowed: call('maps', 'fly'),
    effects: () => sent,
    isRecorded: true,
    missing: call('nothing', 'fly'),
    items: { ofTeam: call('tower', 'fly'), ofCourier: call('diary', 'fly'), ofOrg: call('depot', 'fly') },
    // Answered in the protocol: a model reads it (contract §6).
    unpermitted: { probe: call('maps', 'crash'), status: 200 },
  });
});

describe('the context store', () => {
  let table: EmbeddedContextTable;

  beforeAll(async () => {
    table = await startContextTable();
  });
  afterAll(() => table.close());

  denyMatrix({
    policy: FLEET,
    client: { scopes: ['fleet/use'], namespace: 'proj' },
    claims: { scope: 'fleet/use', namespace: 'proj' },
    start({ ports }) {
      return createContextStore({
        ...ports,
        documents: () =>
          createDocumentStore({
            tables: table.tables(() => NOW_SECONDS),
            seal: cursorSeal(),
            clock: () => NOW_SECONDS,
          }),
        sealer,
        randomBytes,
        counter: UNASKED,
        clock: () => NOW_SECONDS,
      });
    },
    allowed: { path: '/context/documents' },
    isRecorded: true,
    missing: { path: '/context/documents/doc-nothing' },
    unpermitted: {
      probe: { path: '/context/documents/doc-nothing', init: { method: 'DELETE' } },
      status: 403,
    },
  });
});
