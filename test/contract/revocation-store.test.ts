import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRevocationStore } from '../../functions/aws/revocations.ts';
import type { RevocableToken, RevocationEntry, RevocationStore } from '../../functions/core/ports.ts';
import { type EmbeddedTable, interruptible, startAuthTable } from '../support/auth-table.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let table: EmbeddedTable;
let nowSeconds = NOW_SECONDS;
let orgs = 0;

beforeAll(async () => {
  table = await startAuthTable();
});

afterAll(() => table.close());

const openStore = (dynamo = table.dynamo): RevocationStore =>
  createRevocationStore(dynamo, table.tableName, () => nowSeconds);

/** An organisation that no other test has seen. */
function freshOrg(): string {
  orgs += 1;
  return `org-${orgs}`;
}

function tokenOf(orgId: string, changes: Partial<RevocableToken> = {}): RevocableToken {
  return {
    orgId,
    jti: 'j-1',
    clientId: 'courier',
    subject: 'corp:sam',
    issuedAtSeconds: NOW_SECONDS,
    expiresAtSeconds: NOW_SECONDS + 600,
    ...changes,
  };
}

function entryOf(orgId: string, changes: Partial<RevocationEntry> = {}): RevocationEntry {
  return {
    orgId,
    kind: 'client',
    id: 'courier',
    beforeSeconds: NOW_SECONDS,
    forgetAtSeconds: NOW_SECONDS + 900,
    ...changes,
  };
}

const YES = { ok: true, value: true };
const NO = { ok: true, value: false };

test('a clock that is set back makes no old answer fresh', async () => {
  const orgId = freshOrg();
  const store = openStore();
  expect(await store.isRevoked(tokenOf(orgId))).toEqual(NO);
  await store.revoke(entryOf(orgId));
  nowSeconds = NOW_SECONDS - 3600;
  try {
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(YES);
  } finally {
    nowSeconds = NOW_SECONDS;
  }
});

test.for([{}, { Responses: {} }, { Responses: { 'another-table': [] } }])(
  'an answer of DynamoDB that says nothing of the table, %j, does not say that nothing is revoked',
  async (answer) => {
    const store = openStore({ call: () => Promise.resolve({ ok: true, value: answer }) });
    expect(await store.isRevoked(tokenOf(freshOrg()))).toMatchObject({
      ok: false,
      error: { reason: 'unavailable' },
    });
  },
);

describe('an entry', () => {
  test.for([
    ['jti', 'j-1'],
    ['client', 'courier'],
    ['subject', 'corp:sam'],
  ] as const)('for a %s kills its tokens, and no other organisation’s', async ([kind, id]) => {
    const orgId = freshOrg();
    expect(await openStore().revoke(entryOf(orgId, { kind, id }))).toEqual({ ok: true, value: undefined });
    expect(await openStore().isRevoked(tokenOf(orgId))).toEqual(YES);
    expect(await openStore().isRevoked(tokenOf(freshOrg()))).toEqual(NO);
    const other = tokenOf(orgId, { jti: 'j-2', clientId: 'other', subject: 'other' });
    expect(await openStore().isRevoked(other)).toEqual(NO);
  });

  test.for([
    ['family', 'login', ['login.a', 'login.a.b', 'login.a.b.c'], ['logi.a', 'login-2.a', 'x.login']],
    ['jti', 'login.a', ['login.a', 'login.a.b'], ['login.b', 'login.ab', 'login']],
    ['jti', 'j-1', ['j-1', 'j-1.x'], ['j-2', 'x.j-1', 'j-1x']],
  ] as const)('for %s %s kills what descends from it, nothing beside', async ([kind, id, dead, alive]) => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId, { kind, id }));
    const look = (jti: string) => openStore().isRevoked(tokenOf(orgId, { jti }));
    for (const jti of dead) expect([jti, await look(jti)]).toEqual([jti, YES]);
    for (const jti of alive) expect([jti, await look(jti)]).toEqual([jti, NO]);
  });

  test('for a run kills the tokens of that run', async () => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId, { kind: 'run', id: 'run_1' }));
    expect(await openStore().isRevoked(tokenOf(orgId, { runId: 'run_1' }))).toEqual(YES);
    expect(await openStore().isRevoked(tokenOf(orgId, { runId: 'run_2' }))).toEqual(NO);
    expect(await openStore().isRevoked(tokenOf(orgId, { subject: 'run_1' }))).toEqual(NO);
  });

  test.for([
    ['that it was delegated through', { actors: ['broker', 'relay'] }, 'relay', YES],
    ['that it is about', { subject: 'agent', actors: ['broker'] }, 'agent', YES],
    ['that it is about, whoever acts', { subject: 'agent' }, 'agent', YES],
    ['of the same name as a user', {}, 'corp:sam', NO],
    ['that is named twice', { clientId: 'broker', actors: ['broker', 'broker'] }, 'broker', YES],
  ] as const)('for a client kills a token by the client %s', async ([, changes, id, answer]) => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId, { kind: 'client', id }));
    expect(await openStore().isRevoked(tokenOf(orgId, changes))).toEqual(answer);
  });

  test.for([
    ['acts', { actors: ['corp:ann', 'broker'] }, 'corp:ann', YES],
    ['acted before', { subject: 'agent', actors: ['broker', 'corp:ann'] }, 'corp:ann', YES],
    ['acts for themselves', { actors: ['corp:sam'] }, 'corp:sam', YES],
    ['does neither', { actors: ['broker'] }, 'corp:ann', NO],
  ] as const)('for a user kills a token in which this user %s', async ([, changes, id, answer]) => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId, { kind: 'subject', id }));
    expect(await openStore().isRevoked(tokenOf(orgId, changes))).toEqual(answer);
  });

  test('for an organisation kills every token of it', async () => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId, { kind: 'org', id: orgId }));
    expect(await openStore().isRevoked(tokenOf(orgId, { jti: 'any', clientId: 'any' }))).toEqual(YES);
  });

  test('kills what was issued at its second, and nothing later', async () => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId));
    expect(await openStore().isRevoked(tokenOf(orgId, { issuedAtSeconds: NOW_SECONDS }))).toEqual(YES);
    expect(await openStore().isRevoked(tokenOf(orgId, { issuedAtSeconds: NOW_SECONDS + 1 }))).toEqual(NO);
  });

  test('is not taken back by an older one, nor by itself', async () => {
    const orgId = freshOrg();
    const store = openStore();
    const newer = entryOf(orgId, { beforeSeconds: NOW_SECONDS + 100 });
    for (const entry of [newer, entryOf(orgId, { beforeSeconds: NOW_SECONDS - 100 }), newer]) {
      expect(await store.revoke(entry)).toEqual({ ok: true, value: undefined });
    }
    expect(await openStore().isRevoked(tokenOf(orgId, { issuedAtSeconds: NOW_SECONDS + 50 }))).toEqual(YES);
  });

  test('gives way to a newer one', async () => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId));
    await openStore().revoke(entryOf(orgId, { beforeSeconds: NOW_SECONDS + 100 }));
    expect(await openStore().isRevoked(tokenOf(orgId, { issuedAtSeconds: NOW_SECONDS + 50 }))).toEqual(YES);
  });
});

describe('what is remembered', () => {
  test('does not count where a fresh look is asked for', async () => {
    const orgId = freshOrg();
    const store = openStore();
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(NO);
    await openStore().revoke(entryOf(orgId));
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(NO);
    expect(await store.isRevoked(tokenOf(orgId), { fresh: true })).toEqual(YES);
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(YES);
  });

  test('of a younger token says nothing of an older one with the same names', async () => {
    const orgId = freshOrg();
    const store = openStore();
    await store.revoke(entryOf(orgId));
    expect(await store.isRevoked(tokenOf(orgId, { issuedAtSeconds: NOW_SECONDS + 1 }))).toEqual(NO);
    expect(await store.isRevoked(tokenOf(orgId, { issuedAtSeconds: NOW_SECONDS }))).toEqual(YES);
  });

  test('is forgotten within 5 s where it lets a token live, and kept where it does not', async () => {
    const orgId = freshOrg();
    const dynamo = interruptible(table.dynamo);
    const store = openStore(dynamo);
    nowSeconds = NOW_SECONDS;
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(NO);
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(NO);
    expect(dynamo.calls).toBe(1);
    await openStore().revoke(entryOf(orgId));
    nowSeconds += 4;
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(YES);
    dynamo.isUp = false;
    nowSeconds += 300;
    expect(await store.isRevoked(tokenOf(orgId))).toEqual(YES);
  });
});

test('what cannot be looked up is unavailable, never alive', async () => {
  const dynamo = interruptible(table.dynamo);
  dynamo.isUp = false;
  expect(await openStore(dynamo).isRevoked(tokenOf(freshOrg()))).toMatchObject({
    ok: false,
    error: { reason: 'unavailable' },
  });
  expect(await openStore(dynamo).revoke(entryOf(freshOrg()))).toMatchObject({
    ok: false,
    error: { reason: 'unavailable' },
  });
});
