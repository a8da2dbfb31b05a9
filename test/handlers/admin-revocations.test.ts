import { afterEach, describe, expect, test } from 'vitest';
import { makeCode } from '../../functions/core/authorization-code.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import { makeRefreshToken, readRefreshToken, writeRefreshGrant } from '../../functions/core/refresh-token.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { IssuerPorts } from '../../functions/handlers/issuer-ports.ts';
import { makeRsaKey, signForeign } from '../support/foreign-issuer.ts';
import { cognitoEntry } from '../support/idp-entry.ts';
import { type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { clientEntry } from '../support/policies.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let app: IssuerApp;

afterEach(() => app.close());

const down = () => Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' } as const));
const LIFE = 30 * 86_400 + 960;

/** Two organisations, `platform` the first; each has an administrator and the client `{org}-agent`. */
function snapshotOf(orgs: readonly string[]): Snapshot {
  return {
    format: 1,
    scopes: [],
    uiScopes: [
      ['guard', [['revoke', ['all']]]],
      ['narrow', [['revoke', ['acme-agent']]]],
      ['keeper', [['manage_secrets', ['all']]]],
    ],
    groups: [],
    servers: [],
    services: [],
    clients: ['platform', 'acme'].flatMap((org) => [
      clientEntry(`${org}-admin`, { org, scopes: ['guard', 'narrow', 'keeper', 'runs/issue'] }),
      clientEntry(`${org}-agent`, { org, scopes: ['runs/issue'], runNamespaces: ['alpha'] }),
    ]),
    teams: [
      { org: 'acme', name: 'blue', members: ['acme-agent'], groups: [], parent: undefined, inherit: false },
      { org: 'platform', name: 'red', members: [], groups: [], parent: undefined, inherit: false },
    ],
    orgs: orgs.map((id) => ({ id, suspended: false })),
    idps: [cognitoEntry({ accepts: { clientIds: ['acme-agent'] } })],
  };
}

async function start(changes: Partial<IssuerPorts> = {}, orgs = ['platform', 'acme']): Promise<void> {
  const snapshot = snapshotOf(orgs);
  const pointer = { version: 1, source: 'dev', contentHash: '', chunks: 1, deployedHash: undefined } as const;
  app = await startIssuerApp(new Policy(snapshot, 1), {
    policies: { readPointer: async () => ok(pointer), readSnapshot: async () => ok(snapshot) },
    ...changes,
  });
}

function tokenOf(client: string, claims: Readonly<Record<string, unknown>> = {}): string {
  const org_id = client.split('-')[0];
  const times = { iat: app.nowSeconds, exp: app.nowSeconds + 300 };
  return app.issuer.accessToken({
    sub: client,
    client_id: client,
    org_id,
    scope: 'guard',
    ...times,
    ...claims,
  });
}

async function ask(
  body: unknown,
  {
    as = 'acme-admin',
    token = tokenOf(as),
    query = '',
  }: { as?: string; token?: string; query?: string } = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${token}` };
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await app.fetch(`/admin/revocations${query}`, init);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** Is a token of this client refused, as the admin door itself sees it? */
async function isRefused(token: string): Promise<boolean> {
  return (await ask(undefined, { token })).status === 401;
}

describe('nobody revokes', () => {
  test.for([
    ['without a token', '', 401],
    ['with a token of nobody', 'x.y.z', 401],
    ['with the right for one name', 'narrow', 403],
    ['with another right', 'keeper', 403],
  ] as const)('%s', async ([, scope, status]) => {
    await start();
    const token = status === 401 ? scope : tokenOf('acme-admin', { scope });
    expect((await ask({ kind: 'org' }, { token })).status).toBe(status);
    expect((await ask(undefined, { token })).status).toBe(status);
    expect(app.revoked).toEqual([]);
    expect(app.records).toHaveLength(2);
    for (const record of app.records) expect(record).toMatchObject({ area: 'revocation', decision: 'deny' });
  });

  test('without a record of it', async () => {
    await start({ audit: { write: down } });
    expect((await ask({ kind: 'org' })).status).toBe(503);
    expect((await ask(undefined)).status).toBe(503);
    expect(app.revoked).toEqual([]);
  });
});

describe('a party loses what it has', () => {
  test('a client: its tokens and those delegated through it, and not its next ones', async () => {
    await start();
    const tokens = [
      tokenOf('acme-agent'),
      tokenOf('acme-admin', { act: { sub: 'acme-agent' } }),
      tokenOf('platform-agent'),
    ];
    const { status, body } = await ask({ kind: 'client', id: 'acme-agent' });
    expect(status).toBe(200);
    const revocation = {
      kind: 'client',
      org_id: 'acme',
      id: 'acme-agent',
      before: NOW_SECONDS + 1,
      forget_at: NOW_SECONDS + LIFE,
      revoked_at: NOW_SECONDS,
      revoked_by: { client_id: 'acme-admin', subject: 'acme-admin' },
    };
    expect(body).toEqual({ revocation, ends: expect.any(Array), dry_run: false });
    expect(app.records.slice(0, 2)).toMatchObject([
      {
        area: 'revocation',
        event: 'decision',
        decision: 'allow',
        reason: 'revoke',
        method: 'client',
        name: 'acme/acme-agent',
        client_id: 'acme-admin',
      },
      { area: 'revocation', event: 'outcome', reason: 'done' },
    ]);
    expect(await Promise.all(tokens.map(isRefused))).toEqual([true, true, false]);
    app.nowSeconds += 2;
    expect(await isRefused(tokenOf('acme-agent'))).toBe(false);
  });

  test('an organisation: everything, its administrator’s too', async () => {
    await start();
    const tokens = [tokenOf('acme-admin'), tokenOf('platform-admin')];
    expect((await ask({ kind: 'org' })).body).toMatchObject({ revocation: { id: 'acme', org_id: 'acme' } });
    // The admin door has looked at its token a moment ago.
    app.nowSeconds += 3;
    expect(await Promise.all(tokens.map(isRefused))).toEqual([true, false]);
  });

  test('everybody: everything', async () => {
    await start();
    const tokens = [tokenOf('acme-admin'), tokenOf('platform-admin')];
    const { body } = await ask({ kind: 'all' }, { as: 'platform-admin' });
    expect(body).toMatchObject({ revocation: { kind: 'all', before: NOW_SECONDS + 1 } });
    expect(Object.keys(Object(body['revocation']))).not.toContain('org_id');
    app.nowSeconds += 3;
    expect(await Promise.all(tokens.map(isRefused))).toEqual([true, true]);
    expect(await isRefused(tokenOf('acme-admin'))).toBe(false);
  });

  test('until a time, and nothing after it', async () => {
    await start();
    const [old, young] = [
      tokenOf('acme-agent', { iat: NOW_SECONDS - 100 }),
      tokenOf('acme-agent', { iat: NOW_SECONDS - 10 }),
    ];
    await ask({ kind: 'client', id: 'acme-agent', before: NOW_SECONDS - 50 });
    expect([await isRefused(old), await isRefused(young)]).toEqual([true, false]);
  });

  test('a team: those who are in it, until then', async () => {
    await start();
    const tokens = [tokenOf('acme-agent'), tokenOf('acme-admin', { act: { sub: 'acme-agent' } })];
    const other = tokenOf('acme-admin', { jti: 'another' });
    expect((await ask({ kind: 'team', id: 'blue' })).status).toBe(200);
    expect(await Promise.all([...tokens, other].map(isRefused))).toEqual([true, true, false]);
    app.nowSeconds += 2;
    expect(await isRefused(tokenOf('acme-agent'))).toBe(false);
  });
});

describe('a token is revoked', () => {
  test('by its id, with what descends from it', async () => {
    await start();
    const tokens = ['one', 'one.two', 'two'].map((jti) => tokenOf('acme-agent', { jti }));
    expect((await ask({ kind: 'token', id: 'one' })).status).toBe(200);
    expect(await Promise.all(tokens.map(isRefused))).toEqual([true, true, false]);
  });

  test('by itself, and it is in no record and no answer', async () => {
    await start();
    const token = tokenOf('acme-agent', { jti: 'one.two' });
    const { body } = await ask({ kind: 'token', token });
    expect(body).toMatchObject({ revocation: { kind: 'token', id: 'one.two' } });
    expect(JSON.stringify([body, app.records])).not.toContain(token.split('.')[2]);
    expect(await isRefused(token)).toBe(true);
  });

  test('with the login that it came from', async () => {
    await start();
    const token = tokenOf('acme-agent', { jti: 'login.two' });
    const { body } = await ask({ kind: 'family', token });
    expect(body).toMatchObject({ revocation: { kind: 'family', id: 'login' } });
    expect(await isRefused(tokenOf('acme-agent', { jti: 'login.three' }))).toBe(true);
  });

  test('that is a refresh token, whichever of its login', async () => {
    await start();
    const [handle = '', secret = '', older = ''] = ['h', 's', 'o'].map((one) =>
      Buffer.alloc(32, one).toString('base64url'),
    );
    const token = makeRefreshToken('acme', handle, secret);
    const { id = '', secretDigest = '' } = readRefreshToken(token) ?? {};
    const grant = {
      clientId: 'acme-agent',
      resource: undefined,
      scopes: [],
      subject: 'corp:ann',
      groups: [],
      authTimeSeconds: NOW_SECONDS,
      family: 'login',
      beganAtSeconds: NOW_SECONDS,
      secretDigest,
    };
    await app.ports.records.create(
      { kind: 'REFRESH', orgId: 'acme', id },
      writeRefreshGrant(grant),
      NOW_SECONDS + 900,
    );
    for (const one of [token, makeRefreshToken('acme', handle, older)]) {
      expect((await ask({ kind: 'token', token: one })).body).toMatchObject({ revocation: { id: 'login' } });
    }
    expect((await ask({ kind: 'run', token })).status).toBe(400);
    const unknown = makeRefreshToken('acme', older, secret);
    expect((await ask({ kind: 'token', token: unknown })).status).toBe(404);
  });

  test.for(['acme-admin', 'platform-admin'])('that an identity provider made, by %s', async (as) => {
    const key = makeRsaKey({ alg: 'RS256', kid: 'pool-key' });
    await start({ foreignKeys: { find: async () => ok([key.published]) } });
    const { issuer } = cognitoEntry().proof;
    const claims = {
      iss: issuer,
      sub: 'acme-agent',
      client_id: 'acme-agent',
      token_use: 'access',
      scope: '',
    };
    const times = { iat: NOW_SECONDS - 10, exp: NOW_SECONDS + 3_000, auth_time: NOW_SECONDS - 10 };
    const token = signForeign(
      key,
      { ...claims, ...times, jti: 'of-the-pool', version: 2 },
      { typ: undefined },
    );
    expect((await ask({ kind: 'token', token }, { as })).body).toMatchObject({
      revocation: { kind: 'token', org_id: 'acme', id: 'cognito:of-the-pool' },
    });
    // It was looked at a moment ago, to see whose it is.
    app.nowSeconds += 3;
    expect(await isRefused(token)).toBe(true);
    expect((await ask({ kind: 'token', token }, { as })).status).toBe(404);
  });

  test.for([
    makeRefreshToken('acme', Buffer.alloc(32, 'h').toString('base64url'), 'c'.repeat(42).concat('A')),
    makeCode('acme', Buffer.alloc(32, 'c')),
  ])('never by a credential in the place of its id, and nothing of it is recorded: %s', async (id) => {
    await start();
    const ids = [id, tokenOf('acme-agent')];
    for (const [kind, one] of ['family', 'token'].flatMap((of) => ids.map((each) => [of, each] as const))) {
      const { status, body } = await ask({ kind, id: one });
      expect(status).toBe(400);
      expect(JSON.stringify(body)).not.toContain(one);
      expect(body['detail']).toContain('`jti`');
    }
    expect(app.revoked).toEqual([]);
    expect(app.records).toHaveLength(4);
    for (const record of app.records) {
      expect(record).toMatchObject({ area: 'revocation', decision: 'deny', client_id: 'acme-admin' });
      expect(record).not.toHaveProperty('name');
      for (const one of ids) expect(JSON.stringify(record)).not.toContain(one);
    }
  });

  test('never another organisation’s: it answers as no token does', async () => {
    await start();
    const foreign = await ask({ kind: 'token', token: tokenOf('platform-agent') });
    const expired = await ask({ kind: 'token', token: tokenOf('acme-agent', { iat: 1, exp: 300 }) });
    const nothing = await ask({ kind: 'token', token: 'x.y.z' });
    expect(foreign).toEqual(nothing);
    expect(expired).toEqual(nothing);
    expect(nothing.status).toBe(404);
    expect(app.revoked).toEqual([]);
    expect(
      (await ask({ kind: 'token', token: tokenOf('acme-agent') }, { as: 'platform-admin' })).status,
    ).toBe(200);
    const mixed = { kind: 'token', token: tokenOf('acme-agent'), org_id: 'platform' };
    expect((await ask(mixed, { as: 'platform-admin' })).status).toBe(404);
  });
});

describe('a run is revoked', () => {
  const opened = async (runId: string) => {
    const headers = {
      authorization: `Bearer ${tokenOf('acme-agent', { scope: 'runs/issue' })}`,
      'content-type': 'application/json',
    };
    const context = { namespace: 'alpha' };
    const body = JSON.stringify({ run_id: runId, agent_name: 'pilot', context });
    const open = await app.fetch('/runs', { method: 'POST', headers, body });
    const { service_token } = JSON.parse(await open.text());
    const refresh = async () => (await app.fetch(`/runs/${runId}/token`, { method: 'POST', headers })).status;
    const status = async () =>
      JSON.parse(await (await app.fetch(`/runs/${runId}`, { headers })).text()).status;
    return { token: String(service_token), refresh, status };
  };

  test.for(['id', 'token'])('by its %s: it gives no more tokens', async (by) => {
    await start();
    const run = await opened('r.1');
    expect([await run.refresh(), await run.status()]).toEqual([200, 'open']);
    const named = by === 'id' ? { id: 'r.1' } : { token: run.token };
    expect((await ask({ kind: 'run', ...named })).body).toMatchObject({ revocation: { id: 'r.1' } });
    expect([await run.refresh(), await run.status()]).toEqual([409, 'revoked']);
  });

  test.for([{ kind: 'client', id: 'acme-agent' }, { kind: 'team', id: 'blue' }, { kind: 'org' }])(
    'with %j, though its coordinator has a new token',
    async (body) => {
      await start();
      const run = await opened('r.2');
      await ask(body);
      app.nowSeconds += 2;
      const fresh = await opened('r.3');
      expect(await fresh.refresh()).toBe(200);
      const headers = { authorization: `Bearer ${tokenOf('acme-agent', { scope: 'runs/issue' })}` };
      const old = await app.fetch('/runs/r.2/token', { method: 'POST', headers });
      expect(old.status).toBe(409);
      expect(run.token).not.toBe('');
    },
  );
});

describe('what is not there', () => {
  test.for([
    { kind: 'client', id: 'acme-agnet' },
    { kind: 'client', id: 'platform-agent' },
    { kind: 'user', id: 'ann' },
    { kind: 'user', id: 'corp:ann' },
    { kind: 'team', id: 'green' },
    { kind: 'team', id: 'red' },
    { kind: 'run', id: 'r-9' },
    { kind: 'run', id: 'no run: at all' },
    { kind: 'all' },
    { kind: 'org', org_id: 'platform' },
    { kind: 'org', org_id: 'nowhere' },
    { kind: 'client', id: 'platform-agent', org_id: 'platform' },
  ])('is not revoked, and is recorded without its name: %j', async (body) => {
    await start();
    expect((await ask(body)).status).toBe(404);
    expect(app.revoked).toEqual([]);
    expect(app.records).toMatchObject([{ decision: 'deny', area: 'revocation', method: body.kind }]);
    expect(app.records[0]).not.toHaveProperty('name');
  });

  test('is another organisation to an administrator of one, and not to the platform’s', async () => {
    await start();
    const [foreign, absent] = [
      await ask({ kind: 'org', org_id: 'platform' }),
      await ask({ kind: 'org', org_id: 'nowhere' }),
    ];
    expect(foreign).toEqual(absent);
    const as = 'platform-admin';
    expect((await ask({ kind: 'org', org_id: 'nowhere' }, { as })).status).toBe(404);
    expect((await ask({ kind: 'client', id: 'acme-agent', org_id: 'acme' }, { as })).status).toBe(200);
    expect(app.revoked).toMatchObject([{ orgId: 'acme', kind: 'client', id: 'acme-agent' }]);
  });

  test('is nobody of several organisations that are in no order', async () => {
    await start({}, []);
    expect((await ask({ kind: 'all' }, { as: 'platform-admin' })).status).toBe(404);
    expect((await ask({ kind: 'org', org_id: 'acme' }, { as: 'platform-admin' })).status).toBe(404);
    expect((await ask({ kind: 'org' }, { as: 'platform-admin' })).status).toBe(200);
  });
});

test.for(['{', '{"kind":"org","kind":"org"}', '[]'])('a body that is none is refused: %s', async (text) => {
  await start();
  const headers = { authorization: `Bearer ${tokenOf('acme-admin')}` };
  const response = await app.fetch('/admin/revocations', { method: 'POST', headers, body: text });
  expect(response.status).toBe(400);
  const large = { method: 'POST', headers, body: ' '.repeat(20_000) };
  expect((await app.fetch('/admin/revocations', large)).status).toBe(413);
});

test('what would end can be seen, and nothing ends', async () => {
  await start();
  const { status, body } = await ask({ kind: 'client', id: 'acme-agent', dry_run: true });
  expect([status, body['dry_run']]).toEqual([200, true]);
  expect(Object(body['revocation'])).not.toHaveProperty('revoked_by');
  expect(String(body['ends'])).toContain('every token of the client acme-agent');
  expect(app.revoked).toEqual([]);
  expect(app.records).toMatchObject([{ decision: 'allow', method: 'plan_client' }]);
});

describe('an outage', () => {
  test('of the revocations ends nothing, and says so', async () => {
    await start();
    const { revoke } = app.ports.revocations;
    Object.assign(app.ports.revocations, { revoke: down });
    expect((await ask({ kind: 'org' })).status).toBe(503);
    expect(app.records.at(-1)).toMatchObject({ event: 'outcome', reason: 'unavailable' });
    Object.assign(app.ports.revocations, { revoke });
  });

  test.for([
    ['records', { records: { read: down, create: down, replace: down } }, { kind: 'run', id: 'r-1' }],
    [
      'records, for a refresh token',
      { records: { read: down, create: down, replace: down } },
      {
        kind: 'token',
        token: makeRefreshToken(
          'acme',
          Buffer.alloc(32, 1).toString('base64url'),
          Buffer.alloc(32, 2).toString('base64url'),
        ),
      },
    ],
    ['keys', { keys: { publish: down } }, { kind: 'token', token: 'x.y.z' }],
    ['the policy', { policies: { readPointer: down, readSnapshot: down } }, { kind: 'org' }],
  ] as const)('of %s is none of the one who asks', async ([, changes, body]) => {
    await start(changes);
    expect((await ask(body)).status).toBe(503);
    expect(app.revoked).toEqual([]);
  });

  test('of the list is one of the list', async () => {
    await start({ revocationList: { read: down } });
    expect((await ask(undefined)).status).toBe(503);
  });
});

describe('the list', () => {
  const list = async (query = '', as = 'platform-admin') => ask(undefined, { as, query });
  const namesOf = (body: Record<string, unknown>) =>
    Array.isArray(body['revocations']) ? body['revocations'].map(({ kind, id }) => `${kind} ${id}`) : [];

  test('has what was revoked in one organisation, by kind and in pages', async () => {
    await start();
    const as = 'platform-admin';
    for (const id of ['b', 'a', 'c']) await ask({ kind: 'token', id, org_id: 'acme' }, { as });
    await ask({ kind: 'client', id: 'acme-agent', org_id: 'acme' }, { as });
    expect(namesOf((await list('', 'acme-admin')).body)).toEqual([
      'client acme-agent',
      'token a',
      'token b',
      'token c',
    ]);
    expect(namesOf((await list()).body)).toEqual([]);
    const first = await list('?org_id=acme&kind=token&limit=2');
    expect(namesOf(first.body)).toEqual(['token a', 'token b']);
    const next = await list(`?org_id=acme&kind=token&limit=2&cursor=${first.body['next']}`);
    expect([namesOf(next.body), next.body['next']]).toEqual([['token c'], undefined]);
    app.nowSeconds += 2;
    await ask({ kind: 'all' }, { as });
    app.nowSeconds += 2;
    expect((await list('?kind=all')).body['revocations']).toMatchObject([{ kind: 'all' }]);
  });

  test.for([
    ['?kind=jti', 400],
    ['?kinds=token', 400],
    ['?limit=0', 400],
    ['?limit=1001', 400],
    ['?limit=1&limit=2', 400],
    ['?cursor=%2F', 400],
    ['?cursor=', 400],
    ['?cursor=A', 400],
    [`?cursor=${'x'.repeat(1_400)}`, 400],
    ['?org_id=platform', 404],
    ['?org_id=nowhere', 404],
    ['?kind=all', 404],
    ['?limit=1000', 200],
  ] as const)('is asked for as %s: %i', async ([query, status]) => {
    await start();
    expect((await list(query, 'acme-admin')).status).toBe(status);
  });

  test('shows another organisation’s to nobody: a cursor says only where to go on', async () => {
    await start();
    await ask({ kind: 'token', id: 'secret-id' }, { as: 'platform-admin' });
    const cursor = Buffer.from('CLIENT#').toString('base64url');
    expect(namesOf((await list(`?cursor=${cursor}`, 'acme-admin')).body)).toEqual([]);
  });
});
