import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

let cloud: Sallyport;
let upstream: ToolServers;

const SCOPES = ['fleet/use', 'tokens/issue', 'runs/issue', 'steward'];
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A platform, and a tenant that is suspended or not. */
function filesOf(suspended: boolean): Readonly<Record<string, string>> {
  const client = (id: string, org: string, changes: object = {}) => ({
    org,
    grants: ['client_credentials', 'token-exchange'],
    scopes: SCOPES,
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
    exchange_from: ['agent'],
    ...changes,
  });
  const files = {
    'scopes.yml': {
      'UI-Scopes': { steward: { manage_policy: ['all'], revoke: ['all'] } },
      'fleet/use': [{ server: '*', methods: ['*'], tools: ['*'] }],
    },
    'servers.yml': { servers: { maps: { url: upstream.urlOf('maps'), private: true } } },
    'clients.yml': {
      clients: {
        chief: client('chief', 'platform', { exchange_from: [] }),
        agent: client('agent', 'tenant', { namespace: 'proj', run_namespaces: ['proj'], exchange_from: [] }),
        broker: client('broker', 'tenant'),
      },
    },
    'orgs.yml': { orgs: { platform: {}, tenant: { suspended } } },
  };
  return Object.fromEntries(Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)]));
}

beforeAll(async () => {
  upstream = await startToolServers({ maps: ['ask'] });
  cloud = await startSallyport({ clients: ['chief', 'agent', 'broker'], config: filesOf(false) });
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

function send(path: string, headers: Readonly<Record<string, string>>, method: string, body?: unknown) {
  return fetch(`${cloud.origin}${path}`, {
    method,
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function form(path: string, clientId: string, fields: Readonly<Record<string, string>>): Promise<Response> {
  const basic = Buffer.from(`${clientId}:${secretOf(clientId)}`).toString('base64');
  return fetch(`${cloud.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams(fields),
  });
}

test('a suspended organisation is refused at every door, with every token that it had', async () => {
  const access = await cloud.token('agent');
  const vended = JSON.parse(await (await send('/tokens', bearer(access), 'POST', {})).text()).access_token;
  const exchanging = {
    grant_type: EXCHANGE,
    subject_token: access,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
  const exchanged = JSON.parse(await (await form('/oauth/token', 'broker', exchanging)).text()).access_token;
  const opened = await send('/runs', bearer(access), 'POST', {
    agent_name: 'helper',
    context: { namespace: 'proj' },
  });
  const run = JSON.parse(await opened.text());
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  const doors: readonly (readonly [string, number, () => Promise<Response>])[] = [
    ...[access, vended, exchanged].flatMap((token, index) => [
      [`a server, with token ${index}`, 401, () => send('/maps/mcp', bearer(token), 'POST', ping)] as const,
      [`who am I, with token ${index}`, 401, () => send('/me', bearer(token), 'GET')] as const,
    ]),
    ['the catalogue', 401, () => send('/servers', bearer(access), 'GET')],
    ['administration', 401, () => send('/admin/policy', bearer(access), 'GET')],
    ['documents', 401, () => send('/context/documents', bearer(access), 'GET')],
    [
      'documents, for a run',
      401,
      () => send('/context/documents', { 'x-service-token': run.service_token }, 'GET'),
    ],
    ['documents as tools', 401, () => send('/context-store/mcp', bearer(access), 'POST', ping)],
    ['an API', 401, () => send('/egress/nothing/x', bearer(access), 'GET')],
    ['a token for a part of the work', 401, () => send('/tokens', bearer(access), 'POST', {})],
    [
      'a new run',
      401,
      () => send('/runs', bearer(access), 'POST', { agent_name: 'x', context: { namespace: 'proj' } }),
    ],
    ['a run', 401, () => send(`/runs/${run.run_id}`, bearer(access), 'GET')],
    ['a token of a run', 401, () => send(`/runs/${run.run_id}/token`, bearer(access), 'POST')],
    ['a token', 401, () => form('/oauth/token', 'agent', { grant_type: 'client_credentials' })],
    ['an exchange', 401, () => form('/oauth/token', 'broker', exchanging)],
    ['introspection', 401, () => form('/oauth/introspect', 'agent', { token: access })],
    ['revocation', 401, () => form('/oauth/revoke', 'agent', { token: access })],
  ];
  for (const [door, , knock] of doors) expect([door, (await knock()).status]).not.toEqual([door, 401]);

  const chief = await cloud.token('chief');
  const applied = await send('/admin/policy', bearer(chief), 'PUT', { files: filesOf(true) });
  expect([applied.status, applied.ok ? '' : await applied.text()]).toEqual([200, '']);
  for (const [door, status, knock] of doors) {
    // Each function looks at the policy in its own time, within the bound of a change.
    await vi.waitFor(async () => expect([door, (await knock()).status]).toEqual([door, status]), {
      timeout: 30_000,
      interval: 500,
    });
  }
}, 120_000);
