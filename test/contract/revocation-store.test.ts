import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import { createRevocationList } from '../../functions/aws/revocation-list.ts';
import { createRevocationStore } from '../../functions/aws/revocations.ts';
import type { RevocableToken, RevocationEntry, RevocationStore } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
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

  test('for a team kills the tokens that speak for it', async () => {
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId, { kind: 'team', id: 'blue' }));
    const look = (teams?: readonly string[]) =>
      openStore().isRevoked(tokenOf(orgId, teams === undefined ? {} : { teams }));
    expect(await look(['red', 'blue', 'blue'])).toEqual(YES);
    expect(await look(['red'])).toEqual(NO);
    expect(await look()).toEqual(NO);
    expect(await openStore().isRevoked(tokenOf(freshOrg(), { teams: ['blue'] }))).toEqual(NO);
  });

  test('for the last of very many teams kills the tokens that speak for it', async () => {
    const orgId = freshOrg();
    const teams = Array.from({ length: 450 }, (_, index) => `team-${index}`);
    expect(await openStore().isRevoked(tokenOf(orgId, { teams }))).toEqual(NO);
    await openStore().revoke(entryOf(orgId, { kind: 'team', id: 'team-449' }));
    expect(await openStore().isRevoked(tokenOf(orgId, { teams }))).toEqual(YES);
    const dynamo = interruptible(table.dynamo);
    const failing = {
      call(operation: string, input: unknown) {
        dynamo.isUp = dynamo.calls < 3;
        return dynamo.call(operation, input);
      },
    };
    expect(await openStore(failing).isRevoked(tokenOf(orgId, { teams }))).toMatchObject({ ok: false });
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

describe('an entry for the whole platform', () => {
  let other: EmbeddedTable;
  const open = (dynamo = other.dynamo) => createRevocationStore(dynamo, other.tableName, () => nowSeconds);
  const everything = (changes: Partial<RevocationEntry> = {}) =>
    entryOf('anyone', { kind: 'platform', id: 'anything', ...changes });

  beforeEach(async () => {
    nowSeconds = NOW_SECONDS;
    other = await startAuthTable();
  });

  afterEach(() => other.close());

  test('kills what every organisation issued until then, and nothing later', async () => {
    await open().revoke(everything());
    for (const orgId of [freshOrg(), freshOrg()]) {
      expect(await open().isRevoked(tokenOf(orgId))).toEqual(YES);
      expect(await open().isRevoked(tokenOf(orgId, { issuedAtSeconds: NOW_SECONDS + 1 }))).toEqual(NO);
    }
  });

  test('is not an organisation’s own, whatever that is called', async () => {
    await open().revoke(everything({ kind: 'org', id: '*' }));
    expect(await open().isRevoked(tokenOf(freshOrg()))).toEqual(NO);
  });

  test('is looked at once in 3 s for all tokens, and shows within 5 s at those that are remembered', async () => {
    const dynamo = interruptible(other.dynamo);
    const store = open(dynamo);
    const [one, two] = [tokenOf(freshOrg()), tokenOf(freshOrg())];
    const asked: number[] = [];
    const counting = {
      call(operation: string, input: unknown) {
        asked.push(JSON.stringify(input).split('REVOCATION#*').length - 1);
        return dynamo.call(operation, input);
      },
    };
    const counted = open(counting);
    expect([await counted.isRevoked(one), await counted.isRevoked(two)]).toEqual([NO, NO]);
    expect(asked).toEqual([1, 0]);
    expect(await store.isRevoked(one)).toEqual(NO);
    nowSeconds += 1;
    expect(await store.isRevoked(two)).toEqual(NO);
    await open().revoke(everything());
    expect(await store.isRevoked(two)).toEqual(NO);
    nowSeconds += 2;
    expect(await store.isRevoked(two)).toEqual(YES);
    dynamo.isUp = false;
    nowSeconds += 300;
    expect(await store.isRevoked(two)).toEqual(YES);
    expect(await store.isRevoked(one)).toMatchObject({ ok: false });
  });

  test('is looked at again where a fresh look is asked for', async () => {
    const store = open();
    expect(await store.isRevoked(tokenOf('acme'))).toEqual(NO);
    await open().revoke(everything());
    expect(await store.isRevoked(tokenOf('acme'))).toEqual(NO);
    expect(await store.isRevoked(tokenOf('acme'), { fresh: true })).toEqual(YES);
  });

  test('that cannot be read kills everything', async () => {
    const { tableName, dynamo } = other;
    const Item = { pk: { S: 'REVOCATION#*' }, sk: { S: 'PLATFORM#' }, before: { S: 'soon' } };
    await dynamo.call('PutItem', { TableName: tableName, Item });
    const late = tokenOf(freshOrg(), { issuedAtSeconds: NOW_SECONDS + 1_000_000 });
    expect(await open().isRevoked(late)).toEqual(YES);
  });
});

describe('the list', () => {
  const by = { clientId: 'admin', subject: 'corp:ann', atSeconds: NOW_SECONDS };
  const list = () => createRevocationList(table.dynamo, table.tableName, () => nowSeconds);

  test('has every entry of one organisation, in pages, with who made it', async () => {
    nowSeconds = NOW_SECONDS;
    const orgId = freshOrg();
    const entries = [
      entryOf(orgId, { kind: 'client', id: 'courier#1', by }),
      entryOf(orgId, { kind: 'family', id: 'f-1', by }),
      entryOf(orgId, { kind: 'jti', id: 'j-1' }),
      entryOf(orgId, { kind: 'team', id: 'blue' }),
    ];
    for (const entry of entries) await openStore().revoke(entry);
    await openStore().revoke(entryOf(freshOrg(), { id: 'another' }));
    const first = await list().read({ orgId, limit: 3 });
    if (!first.ok) throw new Error(first.error.detail);
    expect(first.value.entries).toEqual(entries.slice(0, 3));
    expect(await list().read({ orgId, limit: 3, after: first.value.next ?? '' })).toEqual({
      ok: true,
      value: { entries: entries.slice(3), next: undefined },
    });
    const elsewhere = await list().read({ orgId, kind: 'team', limit: 3, after: first.value.next ?? '' });
    expect(elsewhere).toEqual({ ok: true, value: { entries: [], next: undefined } });
    const teams = await list().read({ orgId, kind: 'team', limit: 3 });
    expect(teams).toEqual({ ok: true, value: { entries: entries.slice(3), next: undefined } });
  });

  test('leaves out what may be forgotten, and shows what was written before kinds were', async () => {
    nowSeconds = NOW_SECONDS;
    const orgId = freshOrg();
    await openStore().revoke(entryOf(orgId, { forgetAtSeconds: NOW_SECONDS }));
    const Item = { pk: { S: `REVOCATION#${orgId}` }, sk: { S: 'SUBJECT#corp:sam' } };
    await table.dynamo.call('PutItem', { TableName: table.tableName, Item });
    expect(await list().read({ orgId, limit: 10 })).toMatchObject({
      value: {
        entries: [{ orgId, kind: 'subject', id: 'corp:sam', beforeSeconds: Number.MAX_SAFE_INTEGER }],
      },
    });
  });

  test('of the platform has its one entry', async () => {
    const other = await startAuthTable();
    const entry = entryOf('acme', { kind: 'platform', id: '' });
    await createRevocationStore(other.dynamo, other.tableName, () => nowSeconds).revoke(entry);
    const found = await createRevocationList(other.dynamo, other.tableName, () => nowSeconds).read({
      orgId: undefined,
      limit: 5,
    });
    expect(found).toMatchObject({ value: { entries: [{ kind: 'platform', orgId: '*' }] } });
    await other.close();
  });

  test.for<readonly [string, Dynamo['call']]>([
    ['says nothing', () => Promise.resolve(ok({}))],
    ['is down', () => Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' }))],
    ['names a condition', () => Promise.resolve(err({ reason: 'condition_failed' }))],
  ])('is unavailable where DynamoDB %s', async ([, call]) => {
    const found = await createRevocationList({ call }, 't', () => nowSeconds).read({
      orgId: 'acme',
      limit: 5,
    });
    expect(found).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
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
