import { beforeEach, describe, expect, test } from 'vitest';
import type { Limit } from '../../functions/core/rules/limit.ts';
import { memoryCounter } from '../support/counters.ts';
import { answerOf, type GatewayApp, startGatewayApp } from '../support/gateway-app.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const QUOTES_URL = serverEntry('quotes').url;
const METHODS = ['initialize', 'ping', 'tools/list', 'tools/call', 'completion/complete'];
const PARTS = {
  servers: [
    serverEntry('fin', { getStream: true }),
    serverEntry('quotes', { egress: { mode: 'none', key: 'client', fallback: 'none' } }),
  ],
  services: [
    {
      ...serverEntry('api', { url: 'https://api.example.com/' }),
      usedBy: ['quotes'],
      allow: [{ method: 'GET', path: '/**' }],
      egress: { mode: 'none', key: 'client', fallback: 'none' } as const,
    },
  ],
  scopes: [
    ['use', [scopeRule('fin', METHODS, ['route', 'map']), scopeRule('quotes', METHODS, ['all'])]],
  ] as const,
  groups: [['g', ['use']]] as const,
  idps: [identityProvider('corp')],
  clients: [
    clientEntry('courier', { scopes: ['use'] }),
    clientEntry('other', { scopes: ['use'] }),
    clientEntry('rival', { scopes: ['use'], org: 'rival' }),
    clientEntry('quotes-server', { server: 'quotes' }),
  ],
};

let counter: ReturnType<typeof memoryCounter>;
let app: GatewayApp;
let tokens = 0;

const limit = (per: Limit['per'], changes: Partial<Limit> = {}): Limit => ({
  per,
  requests: 2,
  windowSeconds: 60,
  at: 'scopes.yml:1',
  ...changes,
});

function start(...limits: readonly Limit[]): void {
  counter = memoryCounter();
  app = startGatewayApp(issuer, policyOf({ ...PARTS, limits }), counter);
}

beforeEach(() => start());

type Asked = {
  readonly claims?: Changes;
  readonly server?: string;
  readonly method?: string;
  readonly params?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isNotification?: boolean;
};

/** Asks with a token that nobody asked with before. */
function ask(asked: Asked = {}): Promise<Response> {
  const { claims = {}, server = 'fin', method = 'tools/call', params, headers = {}, isNotification } = asked;
  tokens += 1;
  const token = issuer.accessToken({
    scope: 'use',
    jti: `t-${tokens}`,
    aud: 'https://gate.example.com',
    ...claims,
  });
  const name = method === 'tools/call' ? { name: 'route' } : {};
  return app.fetch(`/${server}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      jsonrpc: '2.0',
      ...(isNotification ? {} : { id: 1 }),
      method,
      params: { ...name, ...params },
    }),
  });
}

/** Asks one after another; the statuses. */
async function askAll(...all: readonly Asked[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const asked of all) statuses.push((await ask(asked)).status);
  return statuses;
}

const other = { client_id: 'other', sub: 'other' };
const rival = { client_id: 'rival', sub: 'rival', org_id: 'rival' };
const ann = { sub: 'corp:ann', groups: ['g'] };
const bob = { sub: 'corp:bob', groups: ['g'] };

describe('a request beyond a limit', () => {
  test('is answered 429 with when to come back, in JSON-RPC, and goes nowhere', async () => {
    start(limit(['client']));
    expect(await askAll({}, {})).toEqual([200, 200]);
    const response = await ask();
    const seconds = 60 - (NOW_SECONDS % 60);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, String(seconds)]);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(await response.text())).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -31005,
        message: `too many requests; try again in ${seconds} s`,
        data: { reason: 'rate_limited', retry_after_seconds: seconds, request_id: 'r-1' },
      },
    });
    expect(app.sent).toHaveLength(2);
    expect(app.records.at(-1)).toMatchObject({
      event: 'decision',
      decision: 'deny',
      reason: 'rate_limited',
      client_id: 'courier',
      server: 'fin',
      method: 'tools/call',
      name: 'route',
    });
  });

  test('of fifty at once is every one but those that may', async () => {
    start(limit(['client'], { requests: 20 }));
    const responses = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(app.sent).toHaveLength(20);
  });

  test('is a problem where no message was read', async () => {
    start(limit(['client']));
    await askAll({}, {});
    const headers = {
      authorization: `Bearer ${issuer.accessToken({ scope: 'use' })}`,
      'mcp-session-id': 'x',
    };
    const response = await app.fetch('/fin/mcp', { headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      429,
      'application/problem+json',
    ]);
    expect(JSON.parse(await response.text())).toMatchObject({ code: 'rate_limited', status: 429 });
  });

  test('is not what was refused anyway: that counts nothing', async () => {
    start(limit(['client']));
    const refused = { params: { name: 'payroll' } };
    await askAll(refused, refused, refused, { server: 'nowhere' }, { claims: { exp: NOW_SECONDS - 60 } });
    expect(counter.asked).toBe(0);
    expect(await askAll({}, {}, {})).toEqual([200, 200, 429]);
  });
});

describe('a limit counts', () => {
  test.for<readonly [string, Limit, readonly Asked[], readonly number[]]>([
    ['a client, whoever it acts for', limit(['client']), [{}, { claims: ann }, {}], [200, 200, 429]],
    ['no other client', limit(['client']), [{}, {}, { claims: other }], [200, 200, 200]],
    [
      'a user, whatever it acts through',
      limit(['user']),
      [{ claims: ann }, { claims: { ...ann, client_id: 'other' } }, { claims: ann }],
      [200, 200, 429],
    ],
    ['no other user', limit(['user']), [{ claims: ann }, { claims: ann }, { claims: bob }], [200, 200, 200]],
    ['an organisation', limit(['org']), [{}, { claims: other }, {}], [200, 200, 429]],
    ['no other organisation', limit(['org']), [{}, {}, { claims: rival }], [200, 200, 200]],
    [
      'a server for each organisation',
      limit(['server']),
      [{}, { claims: other }, {}, { claims: rival }],
      [200, 200, 429, 200],
    ],
    ['no other server', limit(['server']), [{}, {}, { server: 'quotes' }], [200, 200, 200]],
    ['a tool', limit(['tool']), [{}, {}, {}], [200, 200, 429]],
    ['no other tool', limit(['tool']), [{}, {}, { params: { name: 'map' } }], [200, 200, 200]],
    ['no tool of the same name elsewhere', limit(['tool']), [{}, {}, { server: 'quotes' }], [200, 200, 200]],
    ['calls of tools alone', limit(['tool']), [{}, {}, { method: 'ping' }], [200, 200, 200]],
    [
      'the tools that it names',
      limit(['client'], { tools: ['map'] }),
      [{}, {}, {}, { params: { name: 'map' } }],
      [200, 200, 200, 200],
    ],
    [
      'its server alone',
      limit(['client'], { server: 'quotes' }),
      [{}, {}, {}, { server: 'quotes' }],
      [200, 200, 200, 200],
    ],
    ['its organisation alone', limit(['client'], { org: 'rival' }), [{}, {}, {}], [200, 200, 200]],
    [
      'nobody who is not entitled to its scope',
      limit(['client'], { scope: 'elsewhere' }),
      [{}, {}, {}],
      [200, 200, 200],
    ],
    [
      'every tool where it names all',
      limit(['client'], { tools: ['all'] }),
      [{}, { params: { name: 'map' } }, { method: 'ping' }, {}],
      [200, 200, 200, 429],
    ],
    [
      'what it names together',
      limit(['client', 'tool']),
      [{}, {}, { params: { name: 'map' } }, { claims: other }, {}],
      [200, 200, 200, 200, 429],
    ],
    ['who is entitled to its scope', limit(['client'], { scope: 'use' }), [{}, {}, {}], [200, 200, 429]],
    [
      'a token',
      limit(['token']),
      [{ claims: { jti: 'one' } }, { claims: { jti: 'one' } }, { claims: { jti: 'one' } }, {}],
      [200, 200, 429, 200],
    ],
    [
      'every request, whatever its method',
      limit(['client']),
      [{ method: 'ping' }, { method: 'initialize' }, {}],
      [200, 200, 429],
    ],
    [
      'a call that asks for no answer',
      limit(['client']),
      [{ isNotification: true }, { isNotification: true }, {}],
      [200, 200, 429],
    ],
  ])('%s', async ([, given, asked, statuses]) => {
    start(given);
    expect(await askAll(...asked)).toEqual(statuses);
  });

  test('nothing that is said in headers, and nothing that is said of other names', async () => {
    start(limit(['client']));
    const headers = {
      'x-client-id': 'courier',
      'x-forwarded-for': '1.1.1.1',
      'mcp-session-id': '',
      'x-request-id': 'other',
    };
    await askAll({}, {});
    for (const [name, value] of Object.entries(headers)) {
      if (name === 'x-client-id' || value === '') continue;
      expect((await ask({ headers: { [name]: value } })).status, name).toBe(429);
    }
    expect((await ask({ params: { name: 'route', _meta: { progressToken: 'x' } } })).status).toBe(429);
  });

  test('no notification that a client owes to the protocol', async () => {
    start(limit(['client']));
    app.answer = () => answerOf('', { status: 202 });
    const told = { method: 'notifications/initialized', isNotification: true };
    expect(await askAll(told, told, told)).toEqual([202, 202, 202]);
    expect(counter.asked).toBe(0);
  });
});

describe('limits', () => {
  test('hold each for itself, the tightest first to end', async () => {
    start(limit(['client'], { requests: 3 }), limit(['tool'], { requests: 1 }));
    expect(await askAll({}, {}, { params: { name: 'map' } }, { params: { name: 'map' } })).toEqual([
      200, 429, 200, 429,
    ]);
  });

  test('of which one refuses give back what the others counted: what is refused uses up nothing', async () => {
    const byTool = limit(['tool'], { requests: 1 });
    start(limit(['client'], { requests: 3 }), byTool, limit(['org'], { requests: 3, windowSeconds: 3_600 }));
    expect(await askAll({}, {}, {}, {}, { params: { name: 'map' } }, { method: 'ping' }, {})).toEqual([
      200, 429, 429, 429, 200, 200, 429,
    ]);
    expect([...counter.counts.values()].sort()).toEqual([1, 1, 3, 3]);
  });

  const shared = [['tool'], ['server'], ['org'], ['server', 'tool']] as const;
  test.for([
    ['the uses of its token', [], { jti: 'one', token_kind: 'counted', max_uses: 5 }],
    ['a limit on its token', [['token']], { jti: 'one' }],
    ['a limit on its user', [['user']], ann],
    ['a limit on its client', [['client']], {}],
    ['a limit on itself in its organisation', [['org', 'client']], {}],
  ] as const)('that others share are not asked where a caller has used up %s', async ([, own, claims]) => {
    for (const per of shared) {
      start(
        limit(per, { requests: 1, server: 'fin' }),
        ...own.map((one) => limit(one, { requests: 5, windowSeconds: 3_600, tools: ['route'] })),
      );
      expect(await askAll(...Array.from({ length: 5 }, () => ({ claims, server: 'quotes' })))).toEqual(
        Array.from({ length: 5 }, () => 200),
      );
      const { asked } = counter;
      expect(await askAll({ claims })).toEqual([429]);
      expect([counter.asked - asked, counter.counts.size]).toEqual([1, 1]);
    }
  });

  test('on the same are counted by their requests, the fewest first', async () => {
    start(limit(['org'], { requests: 9 }), limit(['org'], { requests: 1 }));
    expect(await askAll({}, {})).toEqual([200, 429]);
    expect(counter.asked).toBe(3);
  });

  test('of equal size give back what was counted before the one that refuses', async () => {
    start(limit(['client']), limit(['tool']));
    expect(await askAll({}, { claims: other }, {}, {}, { params: { name: 'map' } })).toEqual([
      200, 200, 429, 429, 200,
    ]);
  });

  test('that are met at once let through as many as they may together, and no more', async () => {
    start(limit(['client'], { requests: 30 }), limit(['tool'], { requests: 20 }));
    const responses = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(20);
    expect([...counter.counts.values()].sort()).toEqual([20, 20]);
  });

  test('of which one cannot be counted give back what the others counted', async () => {
    start(limit(['client']), limit(['tool']));
    const { count } = counter;
    counter.count = (id, max, forget) =>
      counter.asked === 1
        ? Promise.resolve({ ok: false, error: { reason: 'unavailable', detail: 'a test’s outage' } })
        : count.call(counter, id, max, forget);
    expect(await askAll({})).toEqual([503]);
    expect([...counter.counts.values()]).toEqual([0]);
  });

  test('that say the same twice count once', async () => {
    start(limit(['client']), limit(['client'], { at: 'scopes.yml:9' }));
    expect(await askAll({}, {}, {})).toEqual([200, 200, 429]);
  });

  test('that differ in their window or their number do not share a count', async () => {
    start(limit(['client'], { requests: 5 }), limit(['client'], { windowSeconds: 3_600 }));
    expect(await askAll({}, {}, {})).toEqual([200, 200, 429]);
    expect(counter.counts.size).toBe(2);
  });

  test('cost nothing where none counts the request', async () => {
    start(limit(['client'], { server: 'quotes' }), limit(['client'], { org: 'rival' }));
    expect(await askAll({}, { method: 'ping' }, {})).toEqual([200, 200, 200]);
    expect(counter.asked).toBe(0);
  });

  test('that cannot be counted refuse with 503, and nothing goes out; who is not limited is served', async () => {
    start(limit(['client'], { server: 'fin' }));
    const down = { reason: 'unavailable', detail: 'a test’s outage' } as const;
    counter.count = () => Promise.resolve({ ok: false, error: down });
    const response = await ask();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(app.sent).toEqual([]);
    expect((await ask({ server: 'quotes' })).status).toBe(200);
  });
});

describe('a token that may be used so many times', () => {
  const counted = (jti: string, maxUses = 2) => ({
    claims: { jti, token_kind: 'counted', max_uses: maxUses },
  });

  test('is, and no more, whatever it asks for; another one has uses of its own', async () => {
    const [one, other] = [counted('one'), counted('other')];
    const all = [one, { ...one, method: 'ping' }, one, { ...one, server: 'quotes' }, other];
    expect(await askAll(...all)).toEqual([200, 200, 429, 429, 200]);
    expect(app.sent).toHaveLength(3);
    expect(app.records.at(-2)).toMatchObject({ decision: 'deny', reason: 'rate_limited', jti: 'one' });
  });

  test('says until when it is of no use: until it ends', async () => {
    await ask(counted('brief', 1));
    const response = await ask(counted('brief', 1));
    expect(response.headers.get('retry-after')).toBe('300');
  });

  test('of thirty at once comes through as often as it may', async () => {
    const responses = await Promise.all(Array.from({ length: 30 }, () => ask(counted('busy', 7))));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(7);
  });

  test('is used by what is allowed alone, and not by what the protocol owes', async () => {
    app.answer = () => answerOf('', { status: 202 });
    const told = { ...counted('quiet', 1), method: 'notifications/initialized', isNotification: true };
    const refused = { ...counted('quiet', 1), params: { name: 'payroll' } };
    await askAll(told, told, refused, refused);
    expect(counter.asked).toBe(0);
    app.answer = () => answerOf('{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(await askAll(counted('quiet', 1), counted('quiet', 1))).toEqual([200, 429]);
  });

  test('is used by what a limit lets through, and is refused while it cannot be counted', async () => {
    start(limit(['client'], { requests: 1 }));
    expect(await askAll(counted('one'), counted('one'))).toEqual([200, 429]);
    expect([...counter.counts.values()]).toEqual([1, 1]);
    start(limit(['client'], { requests: 2 }));
    expect(await askAll(counted('spent', 1), counted('spent', 1), counted('next', 1))).toEqual([
      200, 429, 200,
    ]);
    start();
    const down = { reason: 'unavailable', detail: 'a test’s outage' } as const;
    counter.count = () => Promise.resolve({ ok: false, error: down });
    expect(await askAll(counted('one'), {})).toEqual([503, 200]);
    expect(app.sent).toHaveLength(1);
  });

  test.for<readonly [string, Changes]>([
    ['of no kind that says so', { max_uses: 2 }],
    ['of a session', { max_uses: 2, token_kind: 'session' }],
    ['that does not say how often', { token_kind: 'counted' }],
    ['that says never', { token_kind: 'counted', max_uses: 0 }],
    ['that says a text', { token_kind: 'counted', max_uses: '2' }],
    ['that says a part', { token_kind: 'counted', max_uses: 1.5 }],
    ['that says nothing', { token_kind: 'counted', max_uses: null }],
  ])('%s is no token', async ([, claims]) => {
    expect((await ask({ claims })).status).toBe(401);
    expect(counter.asked).toBe(0);
  });
});

describe('requests of a server to a service', () => {
  function egress(client = 'courier'): Promise<Response> {
    const delegation = issuer.sign(
      issuer.header({}, issuer.identity),
      issuer.claims({
        aud: QUOTES_URL,
        scope: 'use',
        token_kind: 'identity',
        client_id: client,
        sub: client,
      }),
      issuer.identity,
    );
    const own = issuer.accessToken({ sub: 'quotes-server', client_id: 'quotes-server', jti: `s-${tokens}` });
    const headers = { authorization: `Bearer ${own}`, 'x-delegation': delegation };
    return app.fetch('/egress/api/v1/x', { headers });
  }

  test('count for whom they are made, on limits that name the service', async () => {
    start(limit(['client'], { server: 'api' }));
    const statuses = [(await egress()).status, (await egress()).status];
    const refused = await egress();
    expect([...statuses, refused.status]).toEqual([200, 200, 429]);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await egress('other')).status).toBe(200);
    expect(app.sent).toHaveLength(3);
  });

  test('count on limits that are on everything too, with what the caller asks of servers itself', async () => {
    start(limit(['client']));
    expect([(await egress()).status, ...(await askAll({}))]).toEqual([200, 200]);
    expect((await egress()).status).toBe(429);
    expect((await egress('other')).status).toBe(200);
    start(limit(['org'], { requests: 3 }));
    expect([(await egress()).status, (await egress('other')).status, (await egress()).status]).toEqual([
      200, 200, 200,
    ]);
    expect((await egress()).status).toBe(429);
  });

  test('are no calls of tools, and nothing that a limit on another server counts', async () => {
    start(limit(['tool'], { requests: 1 }), limit(['client'], { requests: 1, server: 'quotes' }));
    for (let time = 0; time < 3; time += 1) expect((await egress()).status).toBe(200);
    expect(counter.asked).toBe(0);
  });
});
