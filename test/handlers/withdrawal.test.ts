import { createServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUpstream } from '../../functions/aws/upstream.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Policy } from '../../functions/core/policy.ts';
import { err, ok, type Result } from '../../functions/core/result.ts';
import type { ScopeRule } from '../../functions/core/rules/rule.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import { NO_FOREIGN_KEYS } from '../support/foreign-issuer.ts';
import { gatewayWith } from '../support/gateway-app.ts';
import { invocationOf } from '../support/invocation.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';

const issuer = new TestIssuer();
const EVENT = 'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"one"}}\n\n';
const INITIALIZED = '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}';
const [HALF_ANSWER, OTHER_HALF] = ['{"jsonrpc":"2.0","id":7,"result":{"tools":[],"x":"se', 'cret"}}'];
/** Behind a held server that never ends its answers. */
let url = '';
let open: ServerResponse[] = [];
const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  if (body.includes('"initialize"')) {
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's-1' }).end(INITIALIZED);
    return;
  }
  if (/"tools\/list"|"slow"/.test(body)) {
    response.writeHead(200, { 'content-type': 'application/json' }).write(HALF_ANSWER);
    open.push(response);
    return;
  }
  const isEvents = request.method === 'GET' ? request.url !== '/plain' : true;
  response.writeHead(200, { 'content-type': isEvents ? 'text/event-stream' : 'application/octet-stream' });
  response.write(EVENT);
  open.push(response);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

type World = {
  policy: Policy;
  nowSeconds: number;
  revoked: Result<boolean, { reason: 'unavailable'; detail: string }>;
};

function policyWith(
  client: Parameters<typeof clientEntry>[1] = {},
  rules: readonly ScopeRule[] = [scopeRule('fin', ['tools/call'], ['all'])],
): Policy {
  return policyOf({
    servers: [serverEntry('fin', { url: `${url}/mcp`, private: true, getStream: true })],
    services: [
      {
        name: 'api',
        url,
        org: undefined,
        private: true,
        egress: { mode: 'none', key: 'client', fallback: 'none' },
        headers: [],
        timeout: serverEntry('fin').timeout,
        usedBy: ['fin'],
        allow: [{ method: '*', path: '/**' }],
      },
    ],
    scopes: [['fin/use', rules]],
    clients: [
      clientEntry('courier', { scopes: ['fin/use'], ...client }),
      clientEntry('fin-server', { server: 'fin' }),
    ],
  });
}

function startWorld() {
  open = [];
  const world: World = { policy: policyWith(), nowSeconds: NOW_SECONDS, revoked: ok(false) };
  const records: AuditRecord[] = [];
  const pending: Promise<unknown>[] = [];
  const gateway = gatewayWith({
    ingress: createIngress({
      rulebook: { read: async () => ok({ policy: world.policy, keys: issuer.keys }) },
      revocations: { isRevoked: async () => world.revoked, revoke: async () => ok(undefined) },
      foreignKeys: NO_FOREIGN_KEYS,
      clock: () => world.nowSeconds,
    }),
    audit: {
      async write(record) {
        records.push(record);
        return ok(undefined);
      },
    },
    credentials: createCredentials({
      ...NO_CONNECTIONS,
      ...NO_TOKEN_ENDPOINT,
      secrets: { read: async (name) => err({ reason: 'missing', detail: name }) },
      identityKey: {
        publicKey: async () => ok(issuer.identity.published),
        sign: async () => err({ reason: 'unavailable', detail: 'not asked' }),
      },
      stage: 'test',
      now: () => world.nowSeconds * 1_000,
    }),
    upstream: createUpstream(),
    now: () => world.nowSeconds * 1_000,
  });
  const call = (path: string, init: RequestInit) =>
    gateway.fetch(
      new Request(`${ORIGIN}${path}`, init),
      invocationOf({ waitUntil: (work: Promise<unknown>) => void pending.push(work) }),
    );
  return { world, records, pending, call };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const CALLS = {
  'a tool call that streams': (token: string) =>
    [
      '/fin/mcp',
      {
        method: 'POST',
        headers: { ...bearer(token), 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"wait"}}',
      },
    ] as const,
  'a standalone stream': (token: string) =>
    [
      '/fin/mcp',
      { method: 'GET', headers: { ...bearer(token), 'mcp-protocol-version': '2025-11-25' } },
    ] as const,
  'a long answer of an API': (token: string) =>
    [
      '/egress/api/plain',
      {
        method: 'GET',
        headers: {
          ...bearer(issuer.accessToken({ sub: 'fin-server', client_id: 'fin-server', jti: 'j-2' })),
          'x-delegation': issuer.identityToken({ aud: `${url}/mcp`, scope: 'fin/use', jti: token.slice(-8) }),
        },
      },
    ] as const,
};

const USE = scopeRule('fin', ['tools/call'], ['all']);
const NOTHING = scopeRule('fin', []);
const UNTIL_NOW = { timezone: 'UTC', notAfterSeconds: NOW_SECONDS - 1 };

const LOSSES: readonly (readonly [string, (world: World) => void])[] = [
  ['its token is revoked', (world) => Object.assign(world, { revoked: ok(true) })],
  ['its client is disabled', (world) => Object.assign(world, { policy: policyWith({ disabled: true }) })],
  ['its scope is taken away', (world) => Object.assign(world, { policy: policyWith({ scopes: [] }) })],
  [
    'its server is denied',
    (world) => Object.assign(world, { policy: policyWith({}, [USE, { ...NOTHING, deny: 'server' }]) }),
  ],
  [
    'its hours are over',
    (world) => Object.assign(world, { policy: policyWith({}, [{ ...USE, when: UNTIL_NOW }]) }),
  ],
  [
    'revocations cannot be read for longer than the store bears',
    (world) => Object.assign(world, { revoked: err({ reason: 'unavailable', detail: 'down' }) }),
  ],
];

describe.for(Object.entries(CALLS))('%s', ([, toCall]) => {
  test.concurrent.for(LOSSES)('ends when %s', async ([, lose]) => {
    const { world, records, pending, call } = startWorld();
    const [path, init] = toCall(issuer.accessToken({ scope: 'fin/use' }));
    const response = await call(path, init);
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(EVENT);
    lose(world);
    const rest = await readRest(reader);
    if (path.startsWith('/egress')) expect(rest).toBe('cut');
    else expect(rest).toContain('"error":{"code":-31003,"message":"this call is not allowed any more"');
    await Promise.all(pending);
    expect(records.at(-1)).toMatchObject({ event: 'outcome', reason: 'withdrawn' });
  });
});

const post = (token: string, method: string, params: object, headers: object = {}) =>
  [
    '/fin/mcp',
    {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }),
    },
  ] as const;
type Call = ReturnType<typeof startWorld>['call'];
const JSON_CALLS: readonly (readonly [string, (call: Call, token: string) => Promise<Response>])[] = [
  ['a list as JSON', async (call, token) => call(...post(token, 'tools/list', {}))],
  [
    'a JSON answer in a session',
    async (call, token) => {
      const version = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'a', version: '1' },
      };
      const started = await call(...post(token, 'initialize', version));
      const session = { 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' };
      return call(...post(token, 'tools/call', { name: 'slow' }, session));
    },
  ],
];

describe.for(JSON_CALLS)('%s that its server is slow to finish', ([, ask]) => {
  const start = async () => {
    const started = startWorld();
    const methods = ['initialize', 'tools/list', 'tools/call'];
    started.world.policy = policyWith({}, [scopeRule('fin', methods, ['all'])]);
    const answer = ask(started.call, issuer.accessToken({ scope: 'fin/use' }));
    await expect.poll(() => open.length).toBe(1);
    return { ...started, answer };
  };

  test.for([
    ['its token is revoked', (world: World) => Object.assign(world, { revoked: ok(true) }), 'revoked'],
    [
      'its client is disabled',
      (world: World) => Object.assign(world, { policy: policyWith({ disabled: true }) }),
      'client_disabled',
    ],
  ] as const)('is refused when %s', async ([, lose, reason]) => {
    const { world, records, pending, answer } = await start();
    const closed = new Promise((resolve) => open[0]?.once('close', resolve));
    lose(world);
    const response = await answer;
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain('result');
    await closed;
    await Promise.all(pending);
    expect(records.at(-1)).toMatchObject({ event: 'outcome', reason: `withdrawn: ${reason}` });
  });

  test('is given whole to who may still have it', async () => {
    const { records, pending, answer } = await start();
    open[0]?.end(OTHER_HALF);
    const response = await answer;
    expect([response.status, await response.json()]).toMatchObject([200, { result: { x: 'secret' } }]);
    await Promise.all(pending);
    expect(records.at(-1)).toMatchObject({ event: 'outcome', reason: 'complete' });
  });
});

async function readRest(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<string> {
  let text = '';
  try {
    for (;;) {
      const read = await reader?.read();
      if (read === undefined || read.done) return text;
      text += Buffer.from(read.value).toString();
    }
  } catch {
    return 'cut';
  }
}

test('a call that was admitted outlives its token, a standalone stream does not', async () => {
  const { world, call } = startWorld();
  const token = issuer.accessToken({ scope: 'fin/use' });
  const called = await call(...CALLS['a tool call that streams'](token));
  const standing = await call(...CALLS['a standalone stream'](token));
  const readers = [called.body?.getReader(), standing.body?.getReader()];
  for (const reader of readers) await reader?.read();
  world.nowSeconds += 3_600;
  expect(await readRest(readers[1])).toContain('this call is not allowed any more');
  open[0]?.end('data: {"jsonrpc":"2.0","id":7,"result":{}}\n\n');
  expect(await readRest(readers[0])).toBe('data: {"jsonrpc":"2.0","id":7,"result":{}}\n\n');
});

test('the server behind is let go of', async () => {
  const { world, call } = startWorld();
  const response = await call(...CALLS['a standalone stream'](issuer.accessToken({ scope: 'fin/use' })));
  const closed = new Promise((resolve) => open[0]?.once('close', resolve));
  const reader = response.body?.getReader();
  await reader?.read();
  world.revoked = ok(true);
  await readRest(reader);
  await closed;
});
