import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVERY_CLIENT } from '../support/clients.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

const CLIENTS = {
  coordinator: { scopes: ['runs/issue'], run_namespaces: ['alpha', 'beta'] },
  'globex-coordinator': { org: 'globex', scopes: ['runs/issue'], run_namespaces: ['alpha'] },
  // Its name is the id of a run below: the two must never be taken for each other.
  namesake: { scopes: ['documents/all'], namespace: 'alpha' },
} as const;

let cloud: Sallyport;

beforeAll(async () => {
  cloud = await startSallyport({
    clients: Object.keys(CLIENTS),
    config: {
      'scopes.yml': 'documents/all: [{ server: context-store, methods: [all], tools: [all] }]',
      'servers.yml': '{}',
      'orgs.yml': 'orgs: { acme: {}, globex: {} }',
      'clients.yml': JSON.stringify({
        clients: Object.fromEntries(
          Object.entries(CLIENTS).map(([id, client]) => [
            id,
            {
              org: 'acme',
              grants: ['client_credentials'],
              audience: 'gateway',
              secret: { ref: `sallyport/{stage}/clients/${id}` },
              ...client,
            },
          ]),
        ),
      }),
    },
  });
});
afterAll(() => cloud?.close());

async function coordinate(
  path: string,
  body: Record<string, unknown> = {},
  coordinator = 'coordinator',
): Promise<Record<string, string>> {
  const response = await fetch(`${cloud.origin}/runs${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await cloud.token(coordinator)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  expect(response.ok).toBe(true);
  return JSON.parse(await response.text());
}

async function openRun(
  filters: Record<string, string> | undefined,
  { namespace = 'alpha', coordinator = 'coordinator', ...more }: Record<string, unknown> = {},
): Promise<{ readonly id: string; readonly token: string }> {
  const context = { namespace, ...(filters === undefined ? {} : { scope_filters: filters }) };
  const opened = await coordinate('', { agent_name: 'pilot', context, ...more }, String(coordinator));
  return { id: opened['run_id'] ?? '', token: opened['service_token'] ?? '' };
}

const byServiceToken = (token: string) => ({ 'x-service-token': token });
const byBearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function create(token: string, filename: string, headers = byServiceToken(token)): Promise<Response> {
  const form = new FormData();
  form.set('file', new File(['text'], filename, { type: 'text/plain' }));
  return fetch(`${cloud.origin}/context/documents`, { method: 'POST', headers, body: form });
}

async function list(headers: Record<string, string>): Promise<readonly string[] | number> {
  const response = await fetch(`${cloud.origin}/context/documents`, { headers });
  if (response.status !== 200) return response.status;
  const { documents } = JSON.parse(await response.text());
  return documents.map(({ filename }: { filename: string }) => filename).sort();
}

describe('at the context store', () => {
  test('a run sees what has its filters or none, in its namespace and organisation alone', async () => {
    const one = await openRun({ session: 's-1' });
    const two = await openRun({ session: 's-2' });
    const whole = await openRun(undefined);
    const beta = await openRun({ session: 's-1' }, { namespace: 'beta' });
    const globex = await openRun(undefined, { coordinator: 'globex-coordinator' });
    expect((await create(one.token, 'one')).status).toBe(201);
    expect((await create(two.token, 'two')).status).toBe(201);
    expect((await create(whole.token, 'all')).status).toBe(201);
    expect(await list(byServiceToken(one.token))).toEqual(['all', 'one']);
    expect(await list(byBearer(two.token))).toEqual(['all', 'two']);
    expect(await list(byServiceToken(whole.token))).toEqual(['all', 'one', 'two']);
    expect(await list(byServiceToken(beta.token))).toEqual([]);
    expect(await list(byServiceToken(globex.token))).toEqual([]);
  });

  test('a run that may only read, reads', async () => {
    const reader = await openRun(undefined, { permissions: ['read'] });
    expect(await list(byServiceToken(reader.token))).toContain('all');
    const refused = await create(reader.token, 'no');
    expect([refused.status, JSON.parse(await refused.text()).code]).toEqual([403, 'permission_denied']);
  });

  test.for(EVERY_CLIENT)(
    '$label sees the tools that the run may call, and calls them',
    async ({ label, connect }) => {
      const url = `${cloud.origin}/context-store/mcp`;
      const { token: reading } = await openRun({ session: 's-1' }, { permissions: ['read'] });
      const reader = await connect(url, byServiceToken(reading));
      expect([...(await reader.listTools())].sort()).toEqual([
        'doc_info',
        'doc_pull',
        'doc_query',
        'doc_read',
        'doc_search',
      ]);
      expect((await reader.callTool('doc_query')).text).toContain('one');
      expect(await reader.callTool('doc_create', { filename: 'x' })).toMatchObject({ isError: true });
      await reader.close();
      const { token: writing } = await openRun({ session: 's-1' });
      const writer = await connect(url, byBearer(writing));
      expect(await writer.listTools()).toContain('doc_create');
      expect(await writer.callTool('doc_create', { filename: `by ${label}` })).toMatchObject({
        isError: false,
      });
      await writer.close();
    },
  );

  test('a token of another run is refused in either header where it is no run token, or not for here', async () => {
    const access = await cloud.token('namesake');
    const elsewhere = await coordinate('', {
      agent_name: 'pilot',
      services: { charts: { namespace: 'alpha' } },
    });
    expect(await list(byServiceToken(access))).toBe(401);
    expect(await list(byServiceToken(elsewhere['service_token'] ?? ''))).toBe(403);
    expect(await list({ ...byBearer(access), ...byServiceToken('x.y.z') })).toBe(401);
  });
});

describe('elsewhere', () => {
  test('a run token opens nothing', async () => {
    const { token, id } = await openRun(undefined);
    for (const [method, path] of [
      ['GET', '/me'],
      ['GET', '/servers'],
      ['POST', '/runs'],
      ['POST', `/runs/${id}/token`],
      ['POST', '/maps/mcp'],
      ['GET', '/egress/maps/x'],
    ] as const) {
      for (const headers of [
        byBearer(token),
        byServiceToken(token),
        { 'x-authorization': `Bearer ${token}` },
      ]) {
        expect([path, (await fetch(cloud.origin + path, { method, headers })).status]).toEqual([path, 401]);
      }
    }
  });

  test('nor does it come in `X-Authorization` at the context store', async () => {
    const { token } = await openRun(undefined);
    expect(await list({ 'x-authorization': `Bearer ${token}` })).toBe(401);
  });
});

describe('a run that is completed', () => {
  test('is dead within 5 s, and with it every token that was refreshed', { timeout: 30_000 }, async () => {
    const { token, id } = await openRun(undefined);
    const { service_token: refreshed = '' } = await coordinate(`/${id}/token`);
    expect(await list(byServiceToken(token))).toBeInstanceOf(Array);
    expect(await list(byServiceToken(refreshed))).toBeInstanceOf(Array);
    await coordinate(`/${id}/complete`);
    await expect.poll(() => list(byServiceToken(token)), { timeout: 15_000, interval: 250 }).toBe(401);
    await expect.poll(() => list(byServiceToken(refreshed)), { timeout: 15_000, interval: 250 }).toBe(401);
  });

  test('takes nothing from a client of the same name', { timeout: 30_000 }, async () => {
    const access = await cloud.token('namesake');
    const { id } = await openRun(undefined, { run_id: 'namesake' });
    await coordinate(`/${id}/complete`);
    const { token: other } = await openRun(undefined);
    expect(await list(byBearer(access))).toBeInstanceOf(Array);
    expect(await list(byServiceToken(other))).toBeInstanceOf(Array);
  });
});

test('the record names the run, its coordinator and the tool, and never the token', async () => {
  const { token, id } = await openRun({ session: 's-1' });
  await list(byServiceToken(token));
  const records = cloud.audit().filter(({ kind, subject }) => kind === 'run' && subject === id);
  expect(records).toMatchObject([
    {
      area: 'context',
      decision: 'allow',
      client_id: 'coordinator',
      name: 'doc_query',
      reason: 'run:read,write',
    },
  ]);
  expect(JSON.stringify(cloud.audit())).not.toContain(token.split('.')[2]);
});
