import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrowserAgent } from '../support/browser-agent.ts';
import { connectModern, EVERY_CLIENT } from '../support/clients.ts';
import { type Sallyport, startDemoCloud } from '../support/sallyport.ts';

const AGGREGATES = {
  stock_ticker: 'AAPL',
  multiplier: 1,
  timespan: 'day',
  from_date: '2024-01-01',
  to_date: '2024-01-05',
};

let cloud: Sallyport;
let secrets: SecretsManagerClient;

beforeAll(async () => {
  cloud = await startDemoCloud({ hasOwnClock: true });
  secrets = new SecretsManagerClient({
    region: cloud.ready['AWS_REGION'] ?? '',
    endpoint: cloud.ready['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  secrets?.destroy();
  await cloud?.close();
});

async function accountOf(clientId: string, server: string, tool: string, args: object): Promise<string> {
  const headers = { authorization: `Bearer ${await cloud.token(clientId, { server })}` };
  const client = await connectModern(`${cloud.origin}/${server}/mcp`, headers);
  const { text, isError } = await client.callTool(tool, { ...args });
  await client.close();
  expect(isError, text).toBe(false);
  return JSON.parse(text).account;
}

test.for(EVERY_CLIENT)('$label: two clients get their own data through fininfo', async ({ connect }) => {
  for (const clientId of ['analyst', 'trader']) {
    const headers = { authorization: `Bearer ${await cloud.token(clientId, { server: 'fininfo' })}` };
    const client = await connect(`${cloud.origin}/fininfo/mcp`, headers);
    expect(await client.listTools()).toEqual(['get_stock_aggregates', 'print_stock_data']);
    const { text } = await client.callTool('get_stock_aggregates', AGGREGATES);
    expect(JSON.parse(text)).toMatchObject({ ticker: 'AAPL', account: clientId });
    await client.close();
  }
});

test('a rotated key takes effect without a restart, by the ordinary SDK', async () => {
  const name = (service: string) => `sallyport/local/credentials/acme/${service}/client.analyst`;
  const keys = JSON.parse(readFileSync(join(cloud.dataDirectory, 'demo-secrets.json'), 'utf8'));
  expect(await accountOf('analyst', 'fininfo', 'get_stock_aggregates', AGGREGATES)).toBe('analyst');
  expect(await accountOf('analyst', 'weather', 'current_weather', { city: 'Oslo' })).toBe('analyst');

  const put = (service: string, value: object) =>
    secrets.send(new PutSecretValueCommand({ SecretId: name(service), SecretString: JSON.stringify(value) }));
  await put('weather', { type: 'header', name: 'X-Api-Key', value: keys.weather.trader });
  await put('polygon', { type: 'bearer', token: keys.polygon.trader });
  // What the gateway holds may be that old.
  cloud.pass(60);
  expect(await accountOf('analyst', 'weather', 'current_weather', { city: 'Oslo' })).toBe('trader');
  expect(await accountOf('analyst', 'fininfo', 'get_stock_aggregates', AGGREGATES)).toBe('trader');
});

test('a key is in no answer, log or audit record', async () => {
  const keys = JSON.parse(readFileSync(join(cloud.dataDirectory, 'demo-secrets.json'), 'utf8'));
  const canaries = [keys.clients, keys.polygon, keys.weather].flatMap((group) =>
    Object.values<string>(group),
  );
  expect(canaries.length).toBeGreaterThan(6);
  const written = [
    JSON.stringify(cloud.audit()),
    ...['gateway', 'issuer', 'authorizer', 'control'].map((name) => cloud.logOf(name)),
  ].join('\n');
  expect(written).toContain('fininfo');
  expect(canaries.filter((canary) => written.includes(canary))).toEqual([]);
});

test('every decision is recorded, and joined to its outcome by the request id of the answer', async () => {
  const token = await cloud.token('trader', { server: 'weather' });
  const response = await fetch(`${cloud.origin}/weather/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    body: '{"jsonrpc":"2.0","id":7,"method":"tools/list"}',
  });
  await response.text();
  const requestId = response.headers.get('x-request-id');
  const records = () => cloud.audit().filter((record) => record['request_id'] === requestId);
  await expect.poll(records).toHaveLength(2);
  const common = { org_id: 'acme', client_id: 'trader', server: 'weather', method: 'tools/list' };
  expect(records()).toMatchObject([
    { ...common, event: 'decision', decision: 'allow', trace_id: '0af7651916cd43dd8448eb211c80319c' },
    { ...common, event: 'outcome', upstream_status: 200 },
  ]);
});

test('a caller sees the servers that it may use, and who it is', async () => {
  const headers = { authorization: `Bearer ${await cloud.token('analyst')}` };
  const me = await (await fetch(`${cloud.origin}/me`, { headers })).json();
  expect(me).toMatchObject({ client_id: 'analyst', org_id: 'acme', kind: 'agent' });
  const servers = JSON.parse(await (await fetch(`${cloud.origin}/servers`, { headers })).text());
  expect(servers.servers.map(({ name }: { name: string }) => name).sort()).toEqual(['fininfo', 'weather']);
  expect((await fetch(`${cloud.origin}/servers/context-store`, { headers })).status).toBe(404);
});

describe('a person logs in at the demo company', () => {
  const redirect_uri = 'http://127.0.0.1:9/callback';

  async function logIn(person: RegExp, server: string): Promise<openid.TokenEndpointResponse> {
    const configuration = await openid.discovery(new URL(cloud.origin), 'desktop', undefined, openid.None(), {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      resource: `${cloud.origin}/${server}/mcp`,
    });
    const browser = new BrowserAgent((at) => at.startsWith(redirect_uri));
    const consent = await browser.open(url.href);
    expect(consent.text).toContain('Allow Demo desktop to act for you?');
    const company = await browser.submit(consent);
    expect(company.text).toContain('Demo company: who are you?');
    const end = await browser.submit(company, (text) => person.test(text));
    return openid.authorizationCodeGrant(configuration, new URL(end.url), { pkceCodeVerifier });
  }

  test('Ada uses both servers, each with the key of her application', async () => {
    for (const [server, tool, args] of [
      ['fininfo', 'get_stock_aggregates', AGGREGATES],
      ['weather', 'current_weather', { city: 'Oslo' }],
    ] as const) {
      const { access_token } = await logIn(/^Ada/, server);
      const client = await connectModern(`${cloud.origin}/${server}/mcp`, {
        authorization: `Bearer ${access_token}`,
      });
      const { text } = await client.callTool(tool, args);
      expect(JSON.parse(text)).toMatchObject({ account: 'desktop' });
      await client.close();
    }
  });

  test('Guy sees one tool of three', async () => {
    const { access_token } = await logIn(/^Guy/, 'weather');
    const client = await connectModern(`${cloud.origin}/weather/mcp`, {
      authorization: `Bearer ${access_token}`,
    });
    expect(await client.listTools()).toEqual(['current_weather']);
    await client.close();
  });

  test('Eve gets nothing', async () => {
    await expect(logIn(/^Eve/, 'weather')).rejects.toMatchObject({ error: 'access_denied' });
  });
});
