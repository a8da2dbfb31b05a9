import { setTimeout } from 'node:timers/promises';
import {
  Client,
  CrossAppAccessProvider,
  discoverAndRequestJwtAuthGrant,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GrantCloud, startGrantCloud } from '../support/grant-cloud.ts';
import { APP_REDIRECT, companyBrowser, logInAs } from '../support/login-cloud.ts';
import { type Sallyport, secretOf } from '../support/sallyport.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';

let running: GrantCloud;
let cloud: Sallyport;

beforeAll(async () => {
  running = await startGrantCloud();
  ({ cloud } = running);
});
afterAll(() => running?.close());

function discover(clientId: string): Promise<openid.Configuration> {
  const auth = openid.ClientSecretBasic(secretOf(clientId));
  return openid.discovery(new URL(cloud.origin), clientId, undefined, auth, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });
}

const prices = () => `${cloud.origin}/prices/mcp`;

/** A user logs in through `workbench`; the URL with the code, and what redeems it. */
async function logIn(configuration: openid.Configuration) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedState = openid.randomState();
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: APP_REDIRECT,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  });
  const end = await logInAs(companyBrowser(), 'ada', url.href);
  return { answer: new URL(end.url), checks: { pkceCodeVerifier, expectedState } };
}

async function tokensOf(configuration: openid.Configuration) {
  const { answer, checks } = await logIn(configuration);
  return openid.authorizationCodeGrant(configuration, answer, checks);
}

/** The status of a ping with a token. */
async function ping(token: string): Promise<number> {
  const response = await fetch(prices(), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
  await response.body?.cancel();
  return response.status;
}

/** Within the promised five seconds. */
const dies = (token: string) => expect.poll(() => ping(token), { timeout: 5_000 }).toBe(401);
const refusal = (error: string) => expect.objectContaining({ error, status: 400 });

describe('openid-client', () => {
  test('redeems a code, refreshes, and finds both tokens dead after the old one is used again', async () => {
    const configuration = await discover('workbench');
    const first = await tokensOf(configuration);
    expect(await ping(first.access_token)).toBe(200);
    const next = await openid.refreshTokenGrant(configuration, first.refresh_token ?? '');
    expect(decodeJwt(next.access_token)).toMatchObject({ sub: 'company:ada', client_id: 'workbench' });
    expect(await ping(next.access_token)).toBe(200);
    const reuse = openid.refreshTokenGrant(configuration, first.refresh_token ?? '');
    await expect(reuse).rejects.toEqual(refusal('invalid_grant'));
    const newest = openid.refreshTokenGrant(configuration, next.refresh_token ?? '');
    await expect(newest).rejects.toEqual(refusal('invalid_grant'));
    await dies(first.access_token);
    await dies(next.access_token);
  });

  test('redeems a code once; the second time ends what the first one gave', async () => {
    const configuration = await discover('workbench');
    const { answer, checks } = await logIn(configuration);
    const { access_token, refresh_token } = await openid.authorizationCodeGrant(
      configuration,
      answer,
      checks,
    );
    expect(await ping(access_token)).toBe(200);
    const again = openid.authorizationCodeGrant(configuration, answer, checks);
    await expect(again).rejects.toEqual(refusal('invalid_grant'));
    const refreshed = openid.refreshTokenGrant(configuration, refresh_token ?? '');
    await expect(refreshed).rejects.toEqual(refusal('invalid_grant'));
    await dies(access_token);
  });

  test('introspects and revokes a refresh token, and the login is over', async () => {
    const configuration = await discover('workbench');
    const { access_token, refresh_token = '' } = await tokensOf(configuration);
    expect(await openid.tokenIntrospection(configuration, refresh_token)).toMatchObject({
      active: true,
      sub: 'company:ada',
      client_id: 'workbench',
    });
    await openid.tokenRevocation(configuration, refresh_token, { token_type_hint: 'refresh_token' });
    expect(await openid.tokenIntrospection(configuration, refresh_token)).toEqual({ active: false });
    await dies(access_token);
  });

  test('exchanges a user’s token for one server, and its end is the end of the new one', async () => {
    const workbench = await discover('workbench');
    const { access_token: subject, refresh_token = '' } = await tokensOf(workbench);
    const broker = await discover('broker');
    const parameters = {
      subject_token: subject,
      subject_token_type: ACCESS,
      resource: prices(),
      scope: 'desk/read',
    };
    const exchanged = await openid.genericGrantRequest(broker, EXCHANGE, parameters);
    expect(exchanged).toMatchObject({ issued_token_type: ACCESS, scope: 'desk/read' });
    expect(decodeJwt(exchanged.access_token)).toMatchObject({
      sub: 'company:ada',
      client_id: 'broker',
      aud: prices(),
      act: { sub: 'broker', act: { sub: 'workbench' } },
    });
    expect(await ping(exchanged.access_token)).toBe(200);
    const access = cloud
      .audit()
      .findLast(({ area, client_id }) => area === 'access' && client_id === 'broker');
    expect(access).toMatchObject({ subject: 'company:ada', actors: ['broker', 'workbench'] });
    await openid.tokenRevocation(workbench, refresh_token);
    await dies(exchanged.access_token);
  });

  test('may not exchange what it is not allowed to', async () => {
    const robot = await cloud.token('robot');
    const parameters = { subject_token: robot, subject_token_type: ACCESS, resource: prices() };
    const refused = openid.genericGrantRequest(await discover('broker'), EXCHANGE, parameters);
    await expect(refused).rejects.toEqual(refusal('unauthorized_client'));
  });

  test('asks, as the server that a token is for, whose it is', async () => {
    const token = await cloud.token('robot', { server: 'prices', scope: 'desk/read' });
    const server = await discover('prices-server');
    expect(await openid.tokenIntrospection(server, token)).toMatchObject({
      active: true,
      sub: 'robot',
      aud: prices(),
      scope: 'desk/read',
      org_id: 'acme',
    });
    expect(await openid.tokenIntrospection(server, await cloud.token('robot'))).toEqual({ active: false });
    await openid.tokenRevocation(await discover('robot'), token);
    expect(await openid.tokenIntrospection(server, token)).toEqual({ active: false });
  });
});

/** Counts are of one hour by the clock; what begins before its end must not go on in the next. */
async function awayFromTheHour(): Promise<void> {
  const leftMs = 3_600_000 - (Date.now() % 3_600_000);
  if (leftMs < 45_000) await setTimeout(leftMs + 1_000);
}

test('an agent makes itself a token for one server, ten times an hour', { timeout: 120_000 }, async () => {
  await awayFromTheHour();
  const own = await cloud.token('robot');
  const vend = (body: unknown) =>
    fetch(`${cloud.origin}/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${own}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const response = await vend({ scopes: ['desk/read'], resource: prices(), ttl: 120 });
  expect(response.status).toBe(201);
  const { access_token: made, expires_in } = JSON.parse(await response.text());
  expect([expires_in, decodeJwt(made)]).toMatchObject([
    120,
    { sub: 'robot', scope: 'desk/read', aud: prices() },
  ]);
  expect(await ping(made)).toBe(200);
  const more = await Promise.all(Array.from({ length: 12 }, () => vend({})));
  const statuses = more.map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(9);
  const limited = more.find(({ status }) => status === 429);
  expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await limited?.json()).toMatchObject({ code: 'rate_limited' });
  expect((await vend({ scopes: ['desk/other'] })).status).toBe(403);
  await openid.tokenRevocation(await discover('robot'), own);
  await dies(made);
});

test('the SDK connects a program of the office by an identity assertion alone, and calls a tool', async () => {
  const authProvider = new CrossAppAccessProvider({
    clientId: 'errand',
    clientSecret: secretOf('errand'),
    expectedIssuer: cloud.origin,
    assertion: async ({ authorizationServerUrl, resourceUrl, fetchFn }) => {
      const { jwtAuthGrant } = await discoverAndRequestJwtAuthGrant({
        idpUrl: running.office.issuer,
        audience: new URL(authorizationServerUrl).origin,
        resource: resourceUrl,
        idToken: running.office.idToken('kim'),
        clientId: 'office-program',
        fetchFn,
      });
      return jwtAuthGrant;
    },
  });
  const client = new Client({ name: 'errand', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(prices()), { authProvider }));
  const answer = await client.callTool({ name: 'latest', arguments: {} });
  expect(answer.content).toEqual([{ type: 'text', text: 'prices/latest' }]);
  await client.close();
  const token = decodeJwt(authProvider.tokens()?.access_token ?? '');
  expect(token).toMatchObject({ sub: 'office:kim', client_id: 'errand', aud: prices(), groups: ['traders'] });
  expect(authProvider.tokens()?.refresh_token).toBeUndefined();
});
