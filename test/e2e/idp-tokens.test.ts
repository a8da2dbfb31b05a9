import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RawResponse, sendRaw } from '../support/raw-request.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import type { Changes } from '../support/test-issuer.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';
import { startUserPools, type UserPools } from '../support/user-pool.ts';

const POOL = 'eu-central-1_Accepted';
const SILENT_POOL = 'eu-central-1_LoginOnly';
const SECRET = 'the-secret-of-the-upstream';
const METHODS = ['initialize', 'tools/list', 'tools/call'];

type Header = readonly [name: string, value: string];

let cloud: Sallyport;
let upstream: ToolServers;
let pools: UserPools;
/** A pool whose keys nobody can fetch. */
let lost: UserPools;

function idp(pool: UserPools, id: string, changes: object): object {
  const issuer = pool.issuerOf(id);
  return {
    client_id: 'login',
    auth_url: `${issuer}/authorize`,
    token_url: `${issuer}/token`,
    issuer,
    jwks_url: `${issuer}/.well-known/jwks.json`,
    scopes: ['openid'],
    groups_claim: 'cognito:groups',
    private: true,
    org: 'acme',
    ...changes,
  };
}

function configuration(): Record<string, string> {
  const client = (entry: object) => ({
    org: 'acme',
    auth: 'none',
    grants: [],
    audience: 'gateway',
    ...entry,
  });
  const accept = (...ids: readonly string[]) => ({ accept_access_tokens: { client_ids: ids } });
  const files = {
    'orgs.yml': { orgs: { acme: {}, gone: { suspended: true } } },
    'scopes.yml': {
      'UI-Scopes': {},
      group_mappings: { readers: ['maps/read'] },
      'maps/read': [{ server: 'maps', methods: METHODS, tools: ['read'] }],
      'maps/write': [{ server: 'maps', methods: METHODS, tools: ['write'] }],
      documents: [{ server: 'context-store', methods: METHODS, tools: ['doc_query'] }],
    },
    'servers.yml': {
      servers: {
        maps: {
          url: upstream.urlOf('maps'),
          private: true,
          egress: { mode: 'service_account', key: 'client' },
        },
      },
    },
    'clients.yml': {
      clients: {
        robot: client({ scopes: ['maps/read', 'documents'], namespace: 'ns' }),
        desk: client({ scopes: ['maps/read', 'maps/write'] }),
        narrow: client({ scopes: ['maps/read'], audience: 'resource' }),
        fired: client({ scopes: ['maps/read'], disabled: true }),
        ghost: client({ org: 'gone', scopes: ['maps/read'] }),
        unlisted: client({ scopes: ['maps/read'] }),
      },
    },
    'idps.yml': {
      providers: {
        cognito: idp(pools, POOL, accept('robot', 'desk', 'narrow', 'fired')),
        shared: idp(pools, POOL, { org: 'gone', login: false, ...accept('ghost') }),
        silent: idp(pools, SILENT_POOL, {}),
        lost: idp(lost, POOL, accept('robot')),
      },
    },
  };
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, JSON.stringify(file)]));
}

beforeAll(async () => {
  [upstream, pools, lost] = await Promise.all([
    startToolServers({ maps: ['read', 'write'] }),
    startUserPools(),
    startUserPools(),
  ]);
  const config = configuration();
  await lost.close();
  const bearer = { type: 'bearer', token: SECRET };
  const credentials = {
    'sallyport/{stage}/credentials/acme/maps/client.robot': JSON.stringify(bearer),
    'sallyport/{stage}/credentials/acme/maps/client.desk': JSON.stringify(bearer),
  };
  cloud = await startSallyport({ clients: [], config, credentials });
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
  await pools?.close();
});

const bearer = (token: string): Header => ['x-authorization', `Bearer ${token}`];

function call(tool: string, headers: readonly Header[]): Promise<RawResponse> {
  const json: readonly Header[] = [
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
  ];
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: tool, arguments: {} },
  });
  return sendRaw(cloud.origin, { method: 'POST', target: '/maps/mcp', headers: [...headers, ...json], body });
}

const me = (headers: readonly Header[]) => sendRaw(cloud.origin, { target: '/me', headers });
const documents = (headers: readonly Header[]) =>
  sendRaw(cloud.origin, { target: '/context/documents', headers });
/** Three doors, each with a function of its own behind it. */
const DOORS = [(headers: readonly Header[]) => call('read', headers), me, documents];

async function expectRefused(token: string, ...headers: readonly Header[]): Promise<void> {
  const seenBefore = upstream.seen.length;
  for (const knock of DOORS) {
    const answer = await knock([bearer(token), ...headers]);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  }
  expect(upstream.seen.length).toBe(seenBefore);
}

const nowSeconds = () => Math.floor(Date.now() / 1000);
const robot = (claims: Changes = {}, header: Changes = {}) =>
  pools.token(POOL, 'robot', { scope: 'maps/read documents', ...claims }, header);

describe('an agent with a token of its user pool', () => {
  test('calls the tools of its scopes, with the secret of its client, at every door', async () => {
    const token = robot();
    const read = await call('read', [bearer(token)]);
    expect([read.status, read.body]).toEqual([200, expect.stringContaining('maps/read')]);
    expect(upstream.seen.at(-1)?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(JSON.stringify(upstream.seen.at(-1)?.headers)).not.toContain(token);
    expect((await documents([bearer(token)])).status).toBe(200);
    expect(JSON.parse((await me([bearer(token)])).body)).toMatchObject({
      subject: 'robot',
      client_id: 'robot',
      org_id: 'acme',
      kind: 'agent',
      scopes: ['maps/read', 'documents'],
    });
  });

  test('may send it in `Authorization` too', async () => {
    expect((await me([['authorization', `Bearer ${robot()}`]])).status).toBe(200);
  });

  test('has no scope that its token or its entry lacks', async () => {
    for (const scope of ['maps/write', '', 'documents', 'openid']) {
      expect((await call('read', [bearer(robot({ scope }))])).status).toBe(403);
    }
  });

  test('is recorded as what it is, and its token nowhere', async () => {
    const token = robot();
    await call('read', [bearer(token)]);
    const record = cloud
      .audit()
      .findLast(({ decision, method }) => decision === 'allow' && method === 'tools/call');
    expect(record).toMatchObject({ subject: 'robot', client_id: 'robot', org_id: 'acme', kind: 'agent' });
    expect(record?.['jti']).toMatch(/^cognito:pool-token-[0-9]+$/);
    const [, , signature = ''] = token.split('.');
    const logs = ['authorizer', 'gateway'].map((name) => cloud.logOf(name)).join('\n');
    expect(JSON.stringify(cloud.audit()) + logs).not.toContain(signature);
  });

  test('whose entry is for single servers is refused: the token names none', async () => {
    await expectRefused(pools.token(POOL, 'narrow', { scope: 'maps/read' }));
    const aud = `${cloud.origin}/maps/mcp`;
    const named = pools.token(POOL, 'narrow', { scope: 'maps/read', aud });
    expect((await me([bearer(named)])).status).toBe(401);
    expect((await documents([bearer(named)])).status).toBe(401);
  });
});

describe('a user with a token of the pool', () => {
  const user = (claims: Changes = {}) =>
    pools.token(POOL, 'desk', {
      sub: 'u-1',
      username: 'ada',
      scope: 'openid',
      'cognito:groups': ['readers'],
      ...claims,
    });

  test('may what its groups are mapped to', async () => {
    expect((await call('read', [bearer(user())])).body).toContain('maps/read');
    expect(JSON.parse((await call('write', [bearer(user())])).body).result.isError).toBe(true);
    expect(JSON.parse((await me([bearer(user())])).body)).toMatchObject({
      subject: 'cognito:u-1',
      kind: 'user',
      client_id: 'desk',
      scopes: ['maps/read'],
    });
  });

  test('may nothing without a group', async () => {
    const answer = await call('read', [bearer(user({ 'cognito:groups': [] }))]);
    expect(answer.status).toBe(403);
  });
});

describe('selectors', () => {
  const right: readonly Header[] = [
    ['X-User-Pool-Id', POOL],
    ['X-Client-Id', 'robot'],
    ['X-Region', 'eu-central-1'],
  ];

  test('that are right, all or some of them, change nothing', async () => {
    expect((await me([bearer(robot()), ...right])).status).toBe(200);
    for (const header of right) expect((await me([bearer(robot()), header])).status).toBe(200);
  });

  test.for<Header>([
    ['X-User-Pool-Id', SILENT_POOL],
    ['X-User-Pool-Id', POOL.toLowerCase()],
    ['X-User-Pool-Id', ''],
    ['X-Client-Id', 'desk'],
    ['X-Region', 'us-east-1'],
    ['X-Region', 'eu-central-1, eu-central-1'],
  ])('%s: %s is refused', async (header) => {
    await expectRefused(robot(), header);
  });
});

describe('a token is refused', () => {
  test.for<readonly [string, () => string]>([
    ['that is an id token', () => robot({ token_use: 'id', aud: 'robot' })],
    ['that says no use', () => robot({ token_use: undefined })],
    ['of a client that is not listed', () => pools.token(POOL, 'unlisted', { scope: 'maps/read' })],
    ['of a client that nobody knows', () => pools.token(POOL, 'nobody', { scope: 'maps/read' })],
    ['of a client that is disabled', () => pools.token(POOL, 'fired', { scope: 'maps/read' })],
    ['of an organisation that is suspended', () => pools.token(POOL, 'ghost', { scope: 'maps/read' })],
    [
      'of a pool whose users may log in only',
      () => pools.token(SILENT_POOL, 'robot', { scope: 'maps/read' }),
    ],
    ['of a pool that nobody configured', () => pools.token('eu-central-1_Unknown', 'robot')],
    ['of another region', () => pools.token(POOL.replace('eu-central', 'us-east'), 'robot')],
    ['for another audience', () => robot({ aud: 'https://other.example.com' })],
    ['that ended 61 s ago', () => robot({ iat: nowSeconds() - 400, exp: nowSeconds() - 61 })],
    ['that begins in 5 minutes', () => robot({ iat: nowSeconds() + 300 })],
    ['that lives for two days', () => robot({ exp: nowSeconds() + 172_800 })],
    ['that is changed', () => robot().replace(/.{9}$/, 'AAAAAAAAA')],
    ['of no algorithm', () => robot({}, { alg: 'none' })],
    [
      'with another key in its header',
      () => robot({}, { kid: 'x', jku: 'https://evil.example.com/jwks.json' }),
    ],
    ['that must be understood', () => robot({}, { crit: ['x'], x: 1 })],
  ])('%s', async ([, make]) => {
    await expectRefused(make());
  });

  test.for<readonly [string, () => Changes]>([
    ['ended 30 s ago', () => ({ iat: nowSeconds() - 400, exp: nowSeconds() - 30 })],
    ['begins in 30 s', () => ({ iat: nowSeconds() + 30 })],
  ])('but not where it %s: clocks differ', async ([, changes]) => {
    expect((await me([bearer(robot(changes()))])).status).toBe(200);
  });

  test('without a look anywhere, where nobody configured its issuer', async () => {
    await me([bearer(robot())]);
    const before = pools.seen.length;
    for (const pool of ['eu-central-1_Unknown', SILENT_POOL, 'us-east-1_Accepted']) {
      await expectRefused(pools.token(pool, 'robot'));
    }
    expect(pools.seen.slice(before)).toEqual([]);
    expect(new Set(pools.seen.map(({ url }) => url))).toEqual(new Set([`/${POOL}/.well-known/jwks.json`]));
  });

  test('however many name unknown keys: their flood leads to no flood of ours, and the honest pass through it', async () => {
    await me([bearer(robot())]);
    const before = pools.seen.length;
    for (let round = 0; round < 10; round += 1) {
      const flood = Array.from({ length: 10 }, (_, index) => robot({}, { kid: `unknown-${round}-${index}` }));
      const answers = await Promise.all([...flood, robot()].map((token) => me([bearer(token)])));
      expect(answers.map(({ status }) => status)).toEqual([...flood.map(() => 401), 200]);
    }
    // Each environment that the flood made looks for itself, once in 30 s; there are about as many as come at once.
    expect(pools.seen.length - before).toBeLessThan(40);
  });

  test('for now where the keys cannot be had', async () => {
    const answer = await me([bearer(lost.token(POOL, 'robot', { scope: 'maps/read' }))]);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^[0-9]+$/);
  });
});

test('why is in the audit record, and not in the answer', async () => {
  await me([bearer(robot({ token_use: 'id' }))]);
  const reasons = cloud.audit().map(({ reason }) => reason);
  expect(reasons.at(-1)).toBe('bad_idp_token: not_an_access_token');
  expect(reasons).toEqual(
    expect.arrayContaining([
      'bad_idp_token: client_not_listed',
      'bad_idp_token: unknown_key',
      'bad_idp_token: expired',
      'selector_mismatch',
      'client_disabled',
      'org_suspended',
    ]),
  );
});
