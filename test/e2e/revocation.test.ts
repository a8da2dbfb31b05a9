import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HeldServer, startHeldServer } from '../support/held-server.ts';
import { COMPANY_SECRET, type CompanyIdp, companyEntry, startCompanyIdp } from '../support/idp-oidc.ts';
import { companyBrowser, logInAs } from '../support/login-cloud.ts';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

const REDIRECT = 'http://127.0.0.1:9/callback';
const ACCEPT = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const CALL = '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"latest"}}';

let cloud: Sallyport;
let tools: ToolServers;
let held: HeldServer;
let idp: CompanyIdp;

beforeAll(async () => {
  tools = await startToolServers({ prices: ['latest'] });
  held = await startHeldServer();
  idp = await startCompanyIdp({ ada: ['traders'], bob: ['traders'] });
  const machine = (org: string, scopes: readonly string[], id: string, more: object = {}) => ({
    org,
    scopes,
    grants: ['client_credentials'],
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
    ...more,
  });
  const agents = ['agent', 'second', 'third', 'member'];
  const working = ['desk/execute', 'runs/issue', 'tokens/issue'];
  cloud = await startSallyport({
    hasOwnClock: true,
    clients: [...agents, 'admin', 'globex-admin', 'globex-agent', 'workbench'],
    credentials: { 'sallyport/{stage}/env/COMPANY_IDP_SECRET': COMPANY_SECRET },
    config: {
      'orgs.yml': JSON.stringify({
        orgs: { acme: { teams: { blue: { members: ['member'] } } }, globex: {} },
      }),
      'scopes.yml': JSON.stringify({
        'UI-Scopes': { guard: { revoke: ['all'] } },
        group_mappings: { traders: ['desk/execute'] },
        'desk/execute': [
          { server: 'prices', methods: ['all'], tools: ['latest'] },
          { server: 'held', methods: ['all'], tools: ['latest'] },
          { server: 'context-store', methods: ['all'], tools: ['all'] },
        ],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          prices: { url: tools.urlOf('prices'), private: true },
          held: { url: held.url, private: true },
        },
      }),
      'clients.yml': JSON.stringify({
        clients: {
          ...Object.fromEntries(
            agents.map((id) => [
              id,
              machine('acme', working, id, { run_namespaces: ['alpha'], namespace: 'alpha' }),
            ]),
          ),
          admin: machine('acme', ['guard'], 'admin'),
          'globex-admin': machine('globex', ['guard'], 'globex-admin'),
          'globex-agent': machine('globex', ['desk/execute'], 'globex-agent'),
          workbench: machine('acme', ['desk/execute'], 'workbench', {
            grants: ['authorization_code', 'refresh_token'],
            redirect_uris: [REDIRECT],
          }),
        },
      }),
      'idps.yml': JSON.stringify({ providers: { company: companyEntry(idp.issuer, { org: 'acme' }) } }),
    },
  });
  idp.open(cloud.origin);
});

afterAll(async () => {
  await cloud?.close();
  await Promise.all([tools?.close(), held?.close(), idp?.close()]);
});

async function revoke(
  body: object,
  as = 'admin',
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(`${cloud.origin}/admin/revocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await cloud.token(as)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const call = (token: string, server = 'prices') =>
  fetch(`${cloud.origin}/${server}/mcp`, {
    method: 'POST',
    headers: { ...ACCEPT, authorization: `Bearer ${token}` },
    body: CALL,
  });
const get = (path: string, token: string, header = 'authorization') =>
  fetch(`${cloud.origin}${path}`, {
    headers: { [header]: header === 'authorization' ? `Bearer ${token}` : token },
  });

/** Every door that takes an access token, and what it answers. */
const DOORS: Readonly<Record<string, (token: string) => Promise<Response>>> = {
  gateway: (token) => call(token),
  'context store': (token) => get('/context/documents', token),
  control: (token) => get('/me', token),
  'issuer, runs': (token) => get('/runs/none', token),
  'issuer, vending': (token) =>
    fetch(`${cloud.origin}/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: '[]',
    }),
};

/** A function looks again at what is revoked after this long. */
const HELD_SECONDS = 5;

const statuses = (token: string) =>
  Promise.all(Object.values(DOORS).map(async (open) => (await open(token)).status));

/** Waits until every door refuses a token: they do once that is over. */
async function everyDoorRefuses(token: string): Promise<void> {
  cloud.pass(HELD_SECONDS);
  await expect.poll(() => statuses(token), { timeout: 20_000 }).toEqual(Object.keys(DOORS).map(() => 401));
}

/** A token that was issued after everything that was revoked so far, with the second by which clocks may differ. */
async function laterToken(client: string): Promise<string> {
  cloud.pass(2);
  return cloud.token(client);
}

async function openRun(client: string) {
  const headers = {
    authorization: `Bearer ${await cloud.token(client)}`,
    'content-type': 'application/json',
  };
  const body = JSON.stringify({ agent_name: 'pilot', context: { namespace: 'alpha' } });
  const opened = JSON.parse(
    await (await fetch(`${cloud.origin}/runs`, { method: 'POST', headers, body })).text(),
  );
  return { id: String(opened.run_id), token: String(opened.service_token) };
}

const refreshRun = async (id: string, token: string) =>
  (
    await fetch(`${cloud.origin}/runs/${id}/token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
  ).status;

describe('a client that is revoked', () => {
  test('is refused at every door, its open stream and its run end, and it gets new tokens', async () => {
    const token = await cloud.token('agent');
    expect(await statuses(token)).toEqual([200, 200, 200, 404, 400]);
    const run = await openRun('agent');
    expect((await get('/context/documents', run.token, 'x-service-token')).status).toBe(200);
    const streaming = call(token, 'held');
    const upstream = await held.next();
    upstream.writeHead(200, { 'content-type': 'text/event-stream' });
    upstream.write('data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n');
    const stream = await streaming;
    expect(stream.status).toBe(200);

    expect((await revoke({ kind: 'client', id: 'agent' })).status).toBe(200);
    // The server behind never ends its answer: what ends it is the revocation.
    await stream.text().catch(() => '');
    await everyDoorRefuses(token);
    await expect
      .poll(async () => (await get('/context/documents', run.token, 'x-service-token')).status, {
        timeout: 20_000,
      })
      .toBe(401);
    const fresh = await laterToken('agent');
    expect(await statuses(fresh)).toEqual([200, 200, 200, 404, 400]);
    expect(await refreshRun(run.id, fresh)).toBe(409);
    expect(await statuses(token)).toEqual(Object.keys(DOORS).map(() => 401));
  });

  test('is recorded before, and no token is in the records', async () => {
    const token = await cloud.token('second');
    await revoke({ kind: 'token', token });
    await everyDoorRefuses(token);
    const records = cloud.audit().filter(({ area, method }) => area === 'revocation' && method === 'token');
    expect(records.map(({ event, decision }) => [event, decision])).toEqual([
      ['decision', 'allow'],
      ['outcome', 'allow'],
    ]);
    expect(JSON.stringify(cloud.audit())).not.toContain(token.split('.')[2]);
    expect(cloud.logOf('issuer')).not.toContain(token.split('.')[2]);
  });
});

test('a run that is revoked gives no more tokens, and its tokens are dead', async () => {
  const run = await openRun('third');
  const token = await cloud.token('third');
  expect(await refreshRun(run.id, token)).toBe(200);
  expect((await revoke({ kind: 'run', id: run.id })).status).toBe(200);
  expect(await refreshRun(run.id, token)).toBe(409);
  await expect
    .poll(async () => (await get('/context/documents', run.token, 'x-service-token')).status, {
      timeout: 20_000,
    })
    .toBe(401);
  expect((await get('/me', token)).status).toBe(200);
});

test('a team that is revoked: its members are refused, and nobody else', async () => {
  const [member, other] = [await cloud.token('member'), await laterToken('third')];
  expect((await revoke({ kind: 'team', id: 'blue' })).status).toBe(200);
  await everyDoorRefuses(member);
  expect((await get('/me', other)).status).toBe(200);
});

describe('a user who is revoked', () => {
  async function begin() {
    const configuration = await openid.discovery(
      new URL(cloud.origin),
      'workbench',
      undefined,
      openid.ClientSecretBasic(secretOf('workbench')),
      { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] },
    );
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const expectedState = openid.randomState();
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: REDIRECT,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
    });
    return {
      configuration,
      url: url.href,
      redeem: (answer: string) =>
        openid.authorizationCodeGrant(configuration, new URL(answer), { pkceCodeVerifier, expectedState }),
    };
  }

  test('loses tokens, refresh tokens, codes and the browser session, and no other user does', async () => {
    const browser = companyBrowser(REDIRECT);
    const first = await begin();
    const tokens = await first.redeem((await logInAs(browser, 'ada', first.url)).url);
    const second = await begin();
    browser.visited.length = 0;
    const unredeemed = await logInAs(browser, 'ada', second.url);
    expect(browser.visited.join(' ')).not.toContain(idp.issuer);
    const other = await begin();
    const bob = await other.redeem((await logInAs(companyBrowser(REDIRECT), 'bob', other.url)).url);

    expect((await revoke({ kind: 'user', id: 'company:ada' })).status).toBe(200);
    await expect(second.redeem(unredeemed.url)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(
      openid.refreshTokenGrant(first.configuration, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect.poll(async () => (await call(tokens.access_token)).status, { timeout: 20_000 }).toBe(401);
    expect((await call(bob.access_token)).status).toBe(200);
    const renewed = await openid.refreshTokenGrant(other.configuration, bob.refresh_token ?? '');
    expect((await call(renewed.access_token)).status).toBe(200);

    cloud.pass(3);
    const third = await begin();
    browser.visited.length = 0;
    const again = await logInAs(browser, 'ada', third.url);
    expect(browser.visited.join(' ')).toContain(idp.issuer);
    const fresh = await third.redeem(again.url);
    expect((await call(fresh.access_token)).status).toBe(200);
  });

  test('loses one login by its refresh token, and keeps the other', async () => {
    const [one, two] = [await begin(), await begin()];
    const lost = await one.redeem((await logInAs(companyBrowser(REDIRECT), 'bob', one.url)).url);
    const kept = await two.redeem((await logInAs(companyBrowser(REDIRECT), 'bob', two.url)).url);
    expect((await revoke({ kind: 'family', token: lost.refresh_token })).status).toBe(200);
    await expect.poll(async () => (await call(lost.access_token)).status, { timeout: 20_000 }).toBe(401);
    await expect(openid.refreshTokenGrant(one.configuration, lost.refresh_token ?? '')).rejects.toMatchObject(
      {
        error: 'invalid_grant',
      },
    );
    expect((await call(kept.access_token)).status).toBe(200);
  });
});

describe('organisations', () => {
  test('are revoked each by its own administrators, and by the platform’s', async () => {
    const [mine, theirs] = [await laterToken('third'), await cloud.token('globex-agent')];
    expect((await revoke({ kind: 'org', org_id: 'acme' }, 'globex-admin')).status).toBe(404);
    expect((await revoke({ kind: 'client', id: 'third' }, 'globex-admin')).status).toBe(404);
    expect((await revoke({ kind: 'all' }, 'globex-admin')).status).toBe(404);
    expect((await revoke({ kind: 'org', org_id: 'globex' })).status).toBe(200);
    await expect.poll(async () => (await call(theirs)).status, { timeout: 20_000 }).toBe(401);
    expect((await get('/me', mine)).status).toBe(200);
  });

  test('are all revoked at once, the administrator’s own too', async () => {
    const tokens = [await laterToken('third'), await cloud.token('globex-agent'), await cloud.token('admin')];
    expect((await revoke({ kind: 'all' })).status).toBe(200);
    for (const token of tokens) {
      await expect.poll(async () => (await get('/me', token)).status, { timeout: 20_000 }).toBe(401);
    }
    expect((await call(await laterToken('globex-agent'))).status).toBe(200);
  });
});

test('an outage of the revocations lets nobody in, and revokes nothing in silence', async () => {
  const token = await laterToken('third');
  const admin = await cloud.token('admin');
  await cloud.fault({ service: 'dynamodb', table: 'auth', mode: 'error' });
  const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
  const asked = await fetch(`${cloud.origin}/admin/revocations`, {
    method: 'POST',
    headers,
    body: '{"kind":"org"}',
  });
  expect(asked.status).toBe(503);
  expect((await get('/me', token)).status).toBe(503);
  await cloud.clearFaults();
  await expect.poll(async () => (await get('/me', token)).status, { timeout: 20_000 }).toBe(200);
});
