import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RawResponse, sendRaw } from '../support/raw-request.ts';
import { answerTool, type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { SDK_CLIENTS } from '../support/sdk-clients.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';
import { startUserPools, type UserPools } from '../support/user-pool.ts';

const POOL = 'us-east-1_Example';
const METHODS = ['initialize', 'notifications/initialized', 'tools/list', 'tools/call'];
/** What the provider gave the agent, and nobody but the server behind is to see. */
const PROVIDER_TOKEN = 'canary-of-the-provider-0123456789';

type Header = readonly [name: string, value: string];

let cloud: Sallyport;
let tools: ToolServers;
/** A server that says what it was sent, and takes one token alone. */
let checking: RecordingServer;
let pools: UserPools;
let ingress: string;

beforeAll(async () => {
  [tools, pools, checking] = await Promise.all([
    startToolServers({ atlassian: ['jira_get_issue', 'jira_delete_issue'] }),
    startUserPools(),
    startRecordingServer((request, answer) => {
      const { authorization = '' } = request.headers;
      if (authorization.endsWith('expired')) answer.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      else answerTool(request, answer, `you sent ${authorization} and ${btoa(authorization)}`);
    }),
  ]);
  const issuer = pools.issuerOf(POOL);
  const passthrough = {
    private: true,
    egress: { mode: 'passthrough' },
    headers: ['X-Atlassian-Cloud-Id', 'X-Provider-Id'],
  };
  const client = { org: 'acme', auth: 'none', grants: [], audience: 'gateway', scopes: ['jira/read'] };
  const files = {
    'orgs.yml': { orgs: { acme: {} } },
    'scopes.yml': {
      'jira/read': ['atlassian', 'checking'].map((server) => ({
        server,
        methods: METHODS,
        tools: ['jira_get_issue'],
      })),
    },
    'servers.yml': {
      servers: {
        atlassian: { url: tools.urlOf('atlassian'), ...passthrough },
        checking: { url: `${checking.origin}/mcp`, ...passthrough },
      },
    },
    'clients.yml': { clients: { '5agent': client, other: { ...client, scopes: [] } } },
    'idps.yml': {
      providers: {
        cognito: {
          client_id: 'login',
          auth_url: `${issuer}/authorize`,
          token_url: `${issuer}/token`,
          issuer,
          jwks_url: `${issuer}/.well-known/jwks.json`,
          scopes: ['openid'],
          groups_claim: 'cognito:groups',
          private: true,
          org: 'acme',
          accept_access_tokens: { client_ids: ['5agent', 'other'] },
        },
      },
    },
  };
  const config = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, JSON.stringify(file)]),
  );
  cloud = await startSallyport({ clients: [], config });
  ingress = pools.token(POOL, '5agent', { scope: 'jira/read' });
});
afterAll(async () => {
  await cloud?.close();
  await tools?.close();
  await checking?.close();
  await pools?.close();
});
beforeEach(() => {
  tools.seen.length = 0;
  checking.seen.length = 0;
});

/** The headers of the auth guide's client configuration: two tokens, three selectors, one of the provider's. */
const guide = () => ({
  'X-Authorization': `Bearer ${ingress}`,
  'X-User-Pool-Id': POOL,
  'X-Client-Id': '5agent',
  'X-Region': 'us-east-1',
  Authorization: `Bearer ${PROVIDER_TOKEN}`,
  'X-Atlassian-Cloud-Id': '1234-5678-9abc',
});

describe.for(SDK_CLIENTS)('$label, configured as the guide does,', ({ label, open }) => {
  test('calls the server with the provider’s token, and with nothing of the gate', async () => {
    // The shape of `~/.vscode/mcp.json`: a URL and its headers.
    const configuration = {
      mcp: { servers: { atlassian: { url: `${cloud.origin}/atlassian/mcp`, headers: guide() } } },
    };
    const { url, headers } = configuration.mcp.servers.atlassian;
    const { client } = await open(url, headers);
    const listed = await client.listTools();
    expect(listed['tools']).toEqual([expect.objectContaining({ name: 'jira_get_issue' })]);
    const called = await client.callTool({ name: 'jira_get_issue', arguments: {} });
    expect(called['content']).toEqual([{ type: 'text', text: 'atlassian/jira_get_issue' }]);
    const denied = await client.callTool({ name: 'jira_delete_issue', arguments: {} });
    expect(denied['isError']).toBe(true);
    await client.close();

    expect(tools.seen.length).toBeGreaterThan(1);
    for (const seen of tools.seen) {
      expect(seen.headers['authorization']).toBe(`Bearer ${PROVIDER_TOKEN}`);
      expect(seen.headers['x-atlassian-cloud-id']).toBe('1234-5678-9abc');
      for (const name of ['x-authorization', 'x-user-pool-id', 'x-client-id', 'x-region']) {
        expect(seen.headers[name]).toBeUndefined();
      }
      expect(JSON.stringify(seen)).not.toContain(ingress);
    }
  });

  test('without the second token is told which to send', async () => {
    const { Authorization: _, ...headers } = guide();
    // A client that is pinned to a revision takes every error for another revision, and shows none.
    const says = label.endsWith('2026-07-28')
      ? /Version negotiation failed/
      : /token of this gateway in `X-Authorization`, and your own for the server in `Authorization`/;
    await expect(open(`${cloud.origin}/atlassian/mcp`, headers)).rejects.toThrow(says);
    expect(tools.seen).toEqual([]);
  });
});

/** One tool call, raw. */
function call(headers: Readonly<Record<string, string>>, server = 'checking'): Promise<RawResponse> {
  const all: readonly Header[] = [
    ...Object.entries(headers),
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
  ];
  const params = { name: 'jira_get_issue', arguments: {} };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  return sendRaw(cloud.origin, { method: 'POST', target: `/${server}/mcp`, headers: all, body });
}

/** What the model reads of a refused call. */
async function refusal(headers: Readonly<Record<string, string>>): Promise<string> {
  const answer = await call(headers);
  const { result } = JSON.parse(answer.body);
  expect([answer.status, result?.isError]).toEqual([200, true]);
  return result.content[0].text;
}

describe('a call', () => {
  test.for<readonly [string, (all: ReturnType<typeof guide>) => Readonly<Record<string, string>>]>([
    ['the gate’s token alone, in Authorization', () => ({ Authorization: `Bearer ${ingress}` })],
    ['the gate’s token alone, in X-Authorization', (all) => ({ 'X-Authorization': all['X-Authorization'] })],
    ['the gate’s token in both', (all) => ({ ...all, Authorization: `Bearer ${ingress}` })],
    ['the gate’s token in HTTP Basic', (all) => ({ ...all, Authorization: `Basic ${btoa(`x:${ingress}`)}` })],
    ['two tokens joined into one', (all) => ({ ...all, Authorization: 'Bearer a, Bearer b' })],
    ['a scheme without a token', (all) => ({ ...all, Authorization: 'Bearer' })],
  ])('with %s sends nothing to the server', async ([, changed]) => {
    expect(await refusal(changed(guide()))).toMatch(/send the token of this gateway in `X-Authorization`/);
    expect(checking.seen).toEqual([]);
  });

  test.for<readonly [string, Readonly<Record<string, string>>]>([
    ['another pool', { 'X-User-Pool-Id': 'us-east-1_Other' }],
    ['another client', { 'X-Client-Id': 'other' }],
    ['another region', { 'X-Region': 'eu-west-1' }],
  ])('that selects %s is unauthenticated', async ([, selector]) => {
    expect((await call({ ...guide(), ...selector })).status).toBe(401);
    expect(checking.seen).toEqual([]);
  });

  test('of a client without a scope is denied, whatever token it has for the server', async () => {
    const headers = {
      ...guide(),
      'X-Authorization': `Bearer ${pools.token(POOL, 'other')}`,
      'X-Client-Id': 'other',
    };
    expect((await call(headers)).status).toBe(403);
    expect(checking.seen).toEqual([]);
  });

  test('carries the headers of the provider that are listed, and no others', async () => {
    await call({ ...guide(), 'X-Provider-Id': 'p-1', 'X-Other-Id': 'o-1' });
    expect(checking.seen[0]?.headers).toMatchObject({ 'x-provider-id': 'p-1' });
    expect(checking.seen[0]?.headers['x-other-id']).toBeUndefined();
  });

  test('whose token the server refuses says which token, and not that the gate’s is bad', async () => {
    const text = await refusal({ ...guide(), Authorization: 'Bearer expired' });
    expect(text).toMatch(/the server does not accept your own token/);
  });

  test('shows nobody the token that the server echoes', async () => {
    const answer = await call(guide());
    expect(checking.seen[0]?.headers['authorization']).toBe(`Bearer ${PROVIDER_TOKEN}`);
    expect(answer.body).toContain('[redacted]');
    expect(answer.body).not.toContain(PROVIDER_TOKEN);
    expect(answer.body).not.toContain(btoa(`Bearer ${PROVIDER_TOKEN}`).slice(12, 40));
  });
});

test('no log and no audit record holds a token', () => {
  const written = ['authorizer', 'gateway'].map((name) => cloud.logOf(name)).join('');
  const records = JSON.stringify(cloud.audit());
  expect(records).toContain('missing_upstream_token');
  expect(records).toContain('refused_upstream_token');
  for (const secret of [PROVIDER_TOKEN, ingress.split('.')[2] ?? ingress]) {
    expect(written).not.toContain(secret);
    expect(records).not.toContain(secret);
  }
});
