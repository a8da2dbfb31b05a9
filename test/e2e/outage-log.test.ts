import { DisableKeyCommand, EnableKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

const CLIENTS = ['agent', 'late'];
const FUNCTIONS = ['authorizer', 'issuer', 'gateway', 'control', 'context-store'];

let cloud: Sallyport;
let upstream: ToolServers;
let token: string;

beforeAll(async () => {
  upstream = await startToolServers({ plain: ['read'], signed: ['read'], keyed: ['read'] });
  const server = (name: string, mode: string) => ({
    url: upstream.urlOf(name),
    private: true,
    egress: { mode, ...(mode === 'service_account' ? { key: 'client' } : {}) },
  });
  const administration = ['manage_policy', 'manage_secrets', 'revoke', 'read_audit'];
  const scopes = ['tools', 'administration', 'runs/issue', 'tokens/issue'];
  cloud = await startSallyport({
    clients: CLIENTS,
    credentials: {
      'sallyport/{stage}/credentials/acme/keyed/client.agent': JSON.stringify({ type: 'bearer', token: 'k' }),
    },
    config: {
      'orgs.yml': JSON.stringify({ orgs: { acme: {} } }),
      'scopes.yml': JSON.stringify({
        'UI-Scopes': {
          administration: Object.fromEntries(administration.map((action) => [action, ['all']])),
        },
        tools: ['plain', 'signed', 'keyed', 'context-store'].map((name) => ({
          server: name,
          methods: ['all'],
          tools: ['all'],
        })),
      }),
      'servers.yml': JSON.stringify({
        servers: {
          plain: server('plain', 'none'),
          signed: server('signed', 'identity'),
          keyed: server('keyed', 'service_account'),
        },
      }),
      'clients.yml': JSON.stringify({
        clients: Object.fromEntries(
          CLIENTS.map((id) => [
            id,
            {
              org: 'acme',
              secret: { ref: `sallyport/{stage}/clients/${id}` },
              grants: ['client_credentials'],
              scopes,
              audience: 'gateway',
              namespace: 'ns',
              run_namespaces: ['ns'],
            },
          ]),
        ),
      }),
    },
  });
  token = await cloud.token('agent');
  // Every function has started, and holds a policy.
  for (const path of ['/me', '/context/documents', '/runs/none', '/plain/mcp']) await open({ path });
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});
afterEach(() => cloud.clearFaults());

type Door = {
  readonly path: string;
  readonly method?: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly client?: string;
};

const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
const RUN = { agent_name: 'pilot', context: { namespace: 'ns' } };
const TOKEN: Door = { path: '/oauth/token', form: { grant_type: 'client_credentials' }, client: 'agent' };

async function open({ path, method, json, form, client }: Door): Promise<Response> {
  const body = form === undefined ? json && JSON.stringify(json) : new URLSearchParams(form).toString();
  const basic = btoa(`${client}:${secretOf(client ?? '')}`);
  const response = await fetch(cloud.origin + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: form === undefined ? `Bearer ${token}` : `Basic ${basic}`,
      accept: 'application/json, text/event-stream',
      'content-type': form === undefined ? 'application/json' : 'application/x-www-form-urlencoded',
    },
    redirect: 'manual',
    ...(typeof body === 'string' ? { body } : {}),
  });
  await response.arrayBuffer();
  return response;
}

/** What the logs say of one request at level `error`. */
function errorsOf(response: Response): readonly Readonly<Record<string, unknown>>[] {
  const id = response.headers.get('x-request-id');
  const lines = FUNCTIONS.flatMap((name) => cloud.logOf(name).split('\n'));
  return lines
    .map((line) => line.slice(line.indexOf(' ') + 1))
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ level, request_id }) => level === 'error' && request_id === id);
}

async function expectOneLine(door: Door): Promise<Readonly<Record<string, unknown>>> {
  const response = await open(door);
  expect(response.status, door.path).toBe(503);
  await expect.poll(() => errorsOf(response).length, { timeout: 10_000 }).toBe(1);
  const [line = {}] = errorsOf(response);
  expect(`${line['detail']} ${line['reason']}`).toMatch(/dynamodb|kms|secret|condition|500|Error|Exception/i);
  expect(JSON.stringify(line)).not.toMatch(/arn:/);
  return line;
}

describe('every 503 has one line in the log that says which dependency failed', () => {
  const BEHIND_AUDIT: readonly Door[] = [
    TOKEN,
    { path: '/tokens', json: { scopes: ['tools'] } },
    { path: '/runs', json: RUN },
    { path: '/admin/keys' },
    { path: '/admin/revocations' },
    { path: '/admin/policy' },
    { path: '/admin/policy/versions' },
    { path: '/admin/audit' },
    { path: '/plain/mcp', json: CALL },
    { path: '/context-store/mcp', json: CALL },
    { path: '/context/documents' },
  ];
  test.for(BEHIND_AUDIT)('the audit log is down: $path', async (door) => {
    await cloud.fault({ service: 'dynamodb', table: 'AuditTable', mode: 'error' });
    await expectOneLine(door);
  });

  test.for<Door>([
    TOKEN,
    { path: '/oauth/introspect', form: { token: 'x' }, client: 'agent' },
    { path: '/plain/mcp', json: CALL },
    { path: '/me' },
  ])('the state is down: $path', async (door) => {
    token = await cloud.token('agent');
    await cloud.fault({ service: 'dynamodb', table: 'AuthTable', mode: 'error' });
    await expectOneLine(door);
  });

  test('the documents are down', async () => {
    await cloud.fault({ service: 'dynamodb', table: 'ContextTable', mode: 'error' });
    await expectOneLine({ path: '/context/documents' });
  });

  test.for<Door>([
    { ...TOKEN, client: 'late' },
    { path: '/keyed/mcp', json: CALL },
  ])('Secrets Manager is down: $path', async (door) => {
    await cloud.fault({ service: 'secretsmanager', mode: 'error' });
    await expectOneLine(door);
  });

  test.for<Door>([TOKEN, { path: '/tokens', json: { scopes: ['tools'] } }, { path: '/runs', json: RUN }])(
    'KMS is down, and the outcome is recorded: $path',
    async (door) => {
      await cloud.fault({ service: 'kms', mode: 'error' });
      expect(await expectOneLine(door)).toMatchObject({
        event: 'signing_failed',
        detail: expect.stringMatching(/^kms Sign with A1: /),
      });
      const outcomes = () => cloud.audit().filter(({ event }) => event === 'outcome');
      await expect.poll(() => outcomes().at(-1)).toMatchObject({ reason: 'unavailable' });
    },
  );

  test('KMS is down for a server that gets identity tokens', async () => {
    await cloud.fault({ service: 'kms', mode: 'error' });
    expect(await expectOneLine({ path: '/signed/mcp', json: CALL })).toMatchObject({ event: 'unavailable' });
  });
});

test('a signing key that is disabled is named in the log, and a rotation to one that is says which', async () => {
  const kms = new KMSClient({
    endpoint: cloud.ready['AWS_ENDPOINT_URL_KMS'] ?? '',
    region: cloud.ready['AWS_REGION'] ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const { Keys = [] } = await kms.send(new ListKeysCommand({}));
  const ids = Keys.map(({ KeyId }) => KeyId ?? '');
  for (const KeyId of ids) await kms.send(new DisableKeyCommand({ KeyId }));
  try {
    const line = await expectOneLine(TOKEN);
    expect(line).toMatchObject({ event: 'signing_failed', detail: 'kms Sign with A1: DisabledException' });
    const response = await fetch(`${cloud.origin}/admin/keys/issuer/rotate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"key":"B1"}',
    });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('the key B1 cannot be read where it is kept: it is disabled');
    await expect.poll(() => errorsOf(response).length, { timeout: 10_000 }).toBe(1);
  } finally {
    for (const KeyId of ids) await kms.send(new EnableKeyCommand({ KeyId }));
    kms.destroy();
  }
});
