import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

let cloud: Sallyport;
let upstream: ToolServers;

const CLIENTS = ['pilot', 'cook', 'chief', 'clerk', 'spy'] as const;

/** The configuration, with these members of the team `pilots` of `acme`. */
function filesOf(members: readonly string[]): Readonly<Record<string, string>> {
  const scopes = ['fleet/use', 'tokens/issue', 'steward'];
  const client = (id: string) => ({
    org: id === 'spy' ? 'rival' : 'acme',
    grants: ['client_credentials'],
    scopes,
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
  });
  const server = (name: string, visibility: string, org?: string) => ({
    url: upstream.urlOf(name),
    private: true,
    visibility,
    ...(org === undefined ? {} : { org }),
  });
  const files = {
    'scopes.yml': {
      'UI-Scopes': { steward: { manage_policy: ['all'] } },
      'fleet/use': [{ server: '*', methods: ['*'], tools: ['*'] }],
    },
    'servers.yml': {
      servers: {
        tower: server('tower', 'team:pilots'),
        deck: server('deck', 'team:deck', 'acme'),
        log: server('log', 'private:pilot'),
        maps: server('maps', 'org'),
      },
    },
    'clients.yml': { clients: Object.fromEntries(CLIENTS.map((id) => [id, client(id)])) },
    'orgs.yml': {
      orgs: {
        acme: {
          teams: {
            pilots: { members },
            deck: { parent: 'pilots', inherit: true },
            cooks: { members: ['cook'] },
          },
          roles: { steward: { scope: 'global', permissions: ['admin.system_config'] } },
          role_bindings: [
            { role: 'platform_admin', members: ['chief'] },
            { role: 'steward', members: ['pilot'] },
            { role: 'viewer', team: 'cooks', members: ['cook'] },
          ],
        },
        rival: { teams: { pilots: {} } },
      },
    },
  };
  return Object.fromEntries(Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)]));
}

beforeAll(async () => {
  upstream = await startToolServers({ tower: ['ask'], deck: ['ask'], log: ['ask'], maps: ['ask'] });
  cloud = await startSallyport({ clients: [...CLIENTS], config: filesOf(['pilot']) });
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

async function ask(token: string, path: string, body?: unknown, method = 'POST') {
  const response = await fetch(`${cloud.origin}${path}`, {
    method: body === undefined ? 'GET' : method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

/** Calls a server's one tool. */
const call = (token: string, server: string) =>
  ask(token, `/${server}/mcp`, {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  });

/** The servers that a token reaches, by calling each of them, and then by the catalogue. */
async function reached(token: string): Promise<readonly [string, string]> {
  const names = ['tower', 'deck', 'log', 'maps'];
  const statuses = await Promise.all(names.map(async (name) => [name, (await call(token, name)).status]));
  const called = statuses.filter(([, status]) => status === 200).map(([name]) => name);
  expect(statuses.every(([, status]) => status === 200 || status === 404)).toBe(true);
  const { servers } = JSON.parse((await ask(token, '/servers')).text);
  const listed = servers
    .map(({ name }: { name: string }) => name)
    .filter((name: string) => names.includes(name));
  return [called.join(' '), listed.join(' ')];
}

async function vend(token: string, body: unknown) {
  const { status, text } = await ask(token, '/tokens', body);
  return { status, answer: JSON.parse(text) };
}

const without = (text: string) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id');

describe('what is seen', () => {
  test.for([
    ['pilot', 'tower deck log maps'],
    ['cook', 'maps'],
    ['chief', 'tower deck maps'],
    ['spy', 'maps'],
  ] as const)('by %s is %s', async ([client, expected]) => {
    expect(await reached(await cloud.token(client))).toEqual([expected, expected]);
  });

  test('is nothing else, byte for byte but for the request id', async () => {
    const token = await cloud.token('cook');
    const nothing = without((await call(token, 'nothing')).text);
    for (const name of ['tower', 'deck', 'log'])
      expect(without((await call(token, name)).text)).toBe(nothing);
    const unlisted = without((await ask(token, '/servers/nothing')).text);
    expect(without((await ask(token, '/servers/tower')).text)).toBe(unlisted);
  });

  test('by a client that asks for less is less', async () => {
    const token = async (teams: string) => {
      const form = new URLSearchParams({ grant_type: 'client_credentials', teams });
      const basic = Buffer.from(`pilot:${secretOf('pilot')}`).toString('base64');
      const headers = { authorization: `Basic ${basic}` };
      const response = await fetch(`${cloud.origin}/oauth/token`, { method: 'POST', headers, body: form });
      return { status: response.status, ...JSON.parse(await response.text()) };
    };
    expect((await reached((await token('deck')).access_token))[0]).toBe('deck log maps');
    const none = await token('none');
    expect(none.warnings).toEqual([expect.stringMatching(/^public-only/)]);
    expect((await reached(none.access_token))[0]).toBe('maps');
    expect(await token('cooks')).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  test('by a token that was made of another is what it names', async () => {
    const whole = await cloud.token('pilot');
    const plain = await vend(whole, {});
    expect([plain.status, plain.answer.warnings]).toEqual([201, [expect.stringMatching(/^public-only/)]]);
    expect((await reached(plain.answer.access_token))[0]).toBe('maps');
    const deck = await vend(whole, { teams: ['deck'], scopes: ['fleet/use', 'tokens/issue'] });
    expect([deck.status, deck.answer.warnings]).toEqual([201, undefined]);
    expect((await reached(deck.answer.access_token))[0]).toBe('deck log maps');
    expect((await vend(deck.answer.access_token, { teams: ['pilots'] })).status).toBe(403);
    expect((await vend(whole, { teams: 'deck' })).status).toBe(400);
  });
});

describe('what may be done', () => {
  test('is what a role permits, and a UI scope alone is not enough', async () => {
    const statusOf = async (client: (typeof CLIENTS)[number]) =>
      (await ask(await cloud.token(client), '/admin/policy')).status;
    expect(await Promise.all((['chief', 'pilot', 'clerk', 'cook'] as const).map(statusOf))).toEqual([
      200, 200, 403, 403,
    ]);
  });

  test('is no administration with a token without teams', async () => {
    const { answer } = await vend(await cloud.token('chief'), { scopes: ['steward'] });
    expect((await ask(answer.access_token, '/admin/policy')).status).toBe(403);
  });

  test('is told to whoever asks', async () => {
    const me = async (client: (typeof CLIENTS)[number]) =>
      JSON.parse((await ask(await cloud.token(client), '/me')).text);
    expect(await me('pilot')).toMatchObject({
      teams: ['pilots', 'deck'],
      public_only: false,
      roles: [{ role: 'steward' }],
      permissions: ['admin.system_config'],
    });
    expect(await me('cook')).toMatchObject({ roles: [{ role: 'viewer', team: 'cooks' }], permissions: [] });
  });
});

test('who is taken out of a team is out of it with the tokens that live, and with those that name it', async () => {
  const whole = await cloud.token('pilot');
  const { answer } = await vend(whole, { teams: ['pilots'] });
  const applied = await ask(
    await cloud.token('chief'),
    '/admin/policy',
    { files: filesOf(['clerk']) },
    'PUT',
  );
  expect([applied.status, applied.status === 200 ? '' : applied.text]).toEqual([200, '']);
  await vi.waitFor(async () => expect((await call(whole, 'tower')).status).toBe(404), {
    timeout: 30_000,
    interval: 500,
  });
  await vi.waitFor(async () => expect((await reached(answer.access_token))[0]).toBe('maps'), {
    timeout: 30_000,
    interval: 500,
  });
  expect((await reached(whole))[0]).toBe('log maps');
}, 90_000);
