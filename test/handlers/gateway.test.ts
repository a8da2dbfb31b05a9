import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, type GatewayApp, startGatewayApp } from '../support/gateway-app.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const METHODS = ['initialize', 'tools/list', 'tools/call'];
const parts = {
  servers: [
    serverEntry('fin', { getStream: true }),
    serverEntry('quotes', { egress: { mode: 'identity', key: 'client', fallback: 'none' } }),
  ],
  services: [
    {
      ...serverEntry('api', { url: 'https://api.example.com/' }),
      usedBy: ['quotes'],
      allow: [{ method: 'GET', path: '/**' }],
      egress: { mode: 'service_account', key: 'client', fallback: 'none' } as const,
    },
  ],
  scopes: [
    ['wide', [scopeRule('fin', METHODS, ['payroll']), scopeRule('quotes', METHODS, ['all'])]],
    ['narrow', [scopeRule('fin', METHODS, ['route'])]],
  ] as const,
};
const courier = clientEntry('courier', { scopes: ['wide', 'narrow'] });
const server = clientEntry('quotes-server', { server: 'quotes' });
const policy = policyOf({ ...parts, clients: [courier, server] });

let app: GatewayApp;

beforeEach(() => {
  app = startGatewayApp(issuer, policy);
  app.secrets.set(
    'sallyport/prod/credentials/acme/api/client.courier',
    '{"type":"bearer","token":"api-key-of-courier"}',
  );
});

const bearer = (scope = 'wide narrow') => `Bearer ${issuer.accessToken({ scope })}`;

function post(
  path: string,
  method: string,
  {
    scope,
    headers = {},
    params = {},
  }: { scope?: string; headers?: Record<string, string>; params?: unknown } = {},
): Promise<Response> {
  const isNotification = method.startsWith('notifications/');
  return app.fetch(path, {
    method: 'POST',
    headers: { authorization: bearer(scope), 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', ...(isNotification ? {} : { id: 1 }), method, params }),
  });
}

/** Opens a session with a token of these scopes; the id that the client sees. */
async function openSession(scope?: string): Promise<string> {
  app.answer = () =>
    answerOf('{"jsonrpc":"2.0","id":1,"result":{}}', { headers: { 'mcp-session-id': 'upstream-1' } });
  const response = await post('/fin/mcp', 'initialize', scope === undefined ? {} : { scope });
  return response.headers.get('mcp-session-id') ?? '';
}

test.for([401, 407])(
  'a server that answers %i does not take the gateway’s credential, and is there',
  async (status) => {
    app.answer = () => answerOf('who are you?', { status, headers: { 'www-authenticate': 'Basic' } });
    const response = await post('/quotes/mcp', 'tools/call', { params: { name: 'all' } });
    const { error } = JSON.parse(await response.text());
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([502, null]);
    expect(error).toMatchObject({
      code: -31003,
      message: 'the server behind did not accept how the gateway authenticated to it',
    });
    expect(app.records.at(-1)).toMatchObject({
      event: 'outcome',
      reason: `refused_credential: the upstream answered ${status}`,
    });
  },
);

describe('in a session', () => {
  test('an answer without a body stays one, whatever its status', async () => {
    const session = { 'mcp-session-id': await openSession() };
    for (const status of [202, 204]) {
      app.answer = () => answerOf('', { status });
      const response = await post('/fin/mcp', 'notifications/initialized', { headers: session });
      expect([response.status, await response.text()]).toEqual([status, '']);
    }
    app.answer = () => answerOf('', { status: 204 });
    const stream = await app.fetch('/fin/mcp', { headers: { authorization: bearer(), ...session } });
    expect(stream.status).toBe(204);
  });

  test('what was answered to a wider token is not for a narrower one to resume', async () => {
    const wide = { 'mcp-session-id': await openSession('wide narrow') };
    const narrow = { 'mcp-session-id': await openSession('narrow') };
    const resume = async (scope: string, session: Record<string, string>) => {
      const headers = { authorization: bearer(scope), ...session, 'last-event-id': 'e-1' };
      return (await app.fetch('/fin/mcp', { headers })).status;
    };
    expect(await resume('narrow', wide)).toBe(404);
    expect((await post('/fin/mcp', 'tools/list', { scope: 'narrow', headers: wide })).status).toBe(404);
    // One that has grown goes on: a client steps up in the middle of a session.
    expect(await resume('wide narrow', narrow)).toBe(200);
    expect(await resume('wide narrow', wide)).toBe(200);
  });
});

test('what describes a message travels with a message alone', async () => {
  const session = { 'mcp-session-id': await openSession() };
  const headers = { ...session, 'mcp-method': 'tools/call', 'mcp-name': 'erase', 'mcp-param-x': '1' };
  for (const method of ['GET', 'DELETE']) {
    app.sent.length = 0;
    await app.fetch('/fin/mcp', { method, headers: { authorization: bearer(), ...headers } });
    const [sent] = app.sent;
    expect(sent?.headers.get('mcp-session-id')).toBe('upstream-1');
    expect(
      [...(sent?.headers.keys() ?? [])].filter((name) => /^mcp-(?:method|name|param)/.test(name)),
    ).toEqual([]);
  }
});

describe('a delegation', () => {
  const delegationOf = async () => {
    await post('/quotes/mcp', 'tools/call', { params: { name: 'get' } });
    return app.sent.at(-1)?.headers.get('authorization')?.replace('Bearer ', '') ?? '';
  };
  const callOut = async (delegation: string) => {
    const token = issuer.accessToken({ sub: 'quotes-server', client_id: 'quotes-server' });
    const headers = { authorization: `Bearer ${token}`, 'x-delegation': delegation };
    return (await app.fetch('/egress/api/v1/quotes', { headers })).status;
  };

  test('is worth nothing once its caller may not call the server any more', async () => {
    const delegation = await delegationOf();
    expect(await callOut(delegation)).toBe(200);
    const hidden = serverEntry('quotes', { ...parts.servers[1], visibility: 'private:somebody-else' });
    const lost = [
      policyOf({ ...parts, clients: [{ ...courier, scopes: ['narrow'] }, server] }),
      policyOf({ ...parts, servers: [hidden], clients: [courier, server] }),
    ];
    for (const now of lost) {
      app.policy = now;
      app.sent.length = 0;
      expect([await callOut(delegation), app.sent]).toEqual([403, []]);
    }
  });
});
