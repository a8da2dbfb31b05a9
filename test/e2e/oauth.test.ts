import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

let cloud: Sallyport;
let upstream: ToolServers;

beforeAll(async () => {
  upstream = await startToolServers({ prices: ['latest'] });
  const client = { org: 'acme', grants: ['client_credentials'], scopes: ['desk/read', 'desk/execute'] };
  const secret = (id: string) => ({ ref: `sallyport/{stage}/clients/${id}` });
  cloud = await startSallyport({
    clients: ['agent', 'poster', 'gateway-agent', 'brief'],
    config: {
      'scopes.yml': JSON.stringify({
        'desk/read': [{ server: 'prices', methods: ['initialize', 'tools/list'] }],
        'desk/execute': [
          { server: 'prices', methods: ['initialize', 'tools/list', 'tools/call'], tools: ['latest'] },
        ],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          prices: { url: upstream.urlOf('prices'), private: true },
          capped: { url: upstream.urlOf('prices'), private: true, token_ttl_max: 120 },
        },
      }),
      'clients.yml': JSON.stringify({
        clients: {
          agent: { ...client, secret: secret('agent'), auth: 'client_secret_basic' },
          poster: { ...client, secret: secret('poster'), auth: 'client_secret_post' },
          'gateway-agent': { ...client, secret: secret('gateway-agent'), audience: 'gateway' },
          brief: { ...client, secret: secret('brief'), token_ttl: 300 },
        },
      }),
    },
  });
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

function discover(clientId: string, auth: openid.ClientAuth): Promise<openid.Configuration> {
  return openid.discovery(new URL(cloud.origin), clientId, undefined, auth, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });
}

test.for([
  { clientId: 'agent', auth: () => openid.ClientSecretBasic(secretOf('agent')) },
  { clientId: 'poster', auth: () => openid.ClientSecretPost(secretOf('poster')) },
])('openid-client gets a token for $clientId that jose verifies by the JWKS', async ({ clientId, auth }) => {
  const configuration = await discover(clientId, auth());
  const resource = `${cloud.origin}/prices/mcp`;
  const granted = await openid.clientCredentialsGrant(configuration, { resource, scope: 'desk/execute' });
  expect(granted.expires_in).toBe(600);
  expect(granted.scope).toBe('desk/execute');

  const { jwks_uri } = configuration.serverMetadata();
  const { payload, protectedHeader } = await jwtVerify(
    granted.access_token,
    createRemoteJWKSet(new URL(jwks_uri ?? '')),
    { issuer: cloud.origin, audience: resource, typ: 'at+jwt', algorithms: ['RS256'] },
  );
  expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'kid', 'typ']);
  expect(payload).toMatchObject({
    sub: clientId,
    client_id: clientId,
    scope: 'desk/execute',
    org_id: 'acme',
  });
  expect(Number(payload.exp) - Number(payload.iat)).toBe(600);
});

function ping(token: string): Promise<Response> {
  return fetch(`${cloud.origin}/prices/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
}

test('openid-client revokes a token, and it is dead within five seconds', async () => {
  const configuration = await discover('agent', openid.ClientSecretBasic(secretOf('agent')));
  const resource = `${cloud.origin}/prices/mcp`;
  const { access_token } = await openid.clientCredentialsGrant(configuration, { resource });
  expect((await ping(access_token)).status).toBe(200);
  await openid.tokenRevocation(configuration, access_token);
  await expect.poll(async () => (await ping(access_token)).status, { timeout: 5_000 }).toBe(401);
});

test('a token of one client is not revoked by another, which learns nothing of it', async () => {
  const token = await cloud.token('agent', { server: 'prices' });
  const configuration = await discover('poster', openid.ClientSecretPost(secretOf('poster')));
  await openid.tokenRevocation(configuration, token);
  expect((await ping(token)).status).toBe(200);
});

test('the SDK client finds everything from the 401 alone and calls a tool', async () => {
  const authProvider = new ClientCredentialsProvider({ clientId: 'agent', clientSecret: secretOf('agent') });
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${cloud.origin}/prices/mcp`), { authProvider }),
  );
  const answer = await client.callTool({ name: 'latest', arguments: {} });
  expect(answer.content).toEqual([{ type: 'text', text: 'prices/latest' }]);
  await client.close();
});

test.for([
  { clientId: 'brief', server: 'prices', seconds: 300 },
  { clientId: 'agent', server: 'capped', seconds: 120 },
])('the lifetime for $clientId on $server is $seconds s', async ({ clientId, server, seconds }) => {
  const response = await cloud.fetchToken(clientId, { server });
  expect(await response.json()).toMatchObject({ expires_in: seconds });
});

test('only a gateway client has a token without naming a resource', async () => {
  expect((await cloud.fetchToken('gateway-agent')).status).toBe(200);
  const refused = await cloud.fetchToken('agent');
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: 'invalid_target' });
});

test('the JWKS has public members only, under thumbprints, and may be cached', async () => {
  const response = await fetch(`${cloud.origin}/.well-known/jwks.json`);
  expect(response.headers.get('cache-control')).toBe('public, max-age=300');
  const { keys }: { keys: Record<string, string>[] } = JSON.parse(await response.text());
  expect(keys).toHaveLength(4);
  for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  const { kid } = decodeProtectedHeader(await cloud.token('gateway-agent'));
  expect(keys.map((key) => key['kid'])).toContain(kid);
});

test('protected resource metadata is the same kind of answer for a server that exists and one that does not', async () => {
  const read = async (server: string) => {
    const response = await fetch(`${cloud.origin}/.well-known/oauth-protected-resource/${server}/mcp`);
    return { status: response.status, body: (await response.text()).replaceAll(server, 'X') };
  };
  expect(await read('prices')).toEqual(await read('no-such-server'));
  const metadata = await (
    await fetch(`${cloud.origin}/.well-known/oauth-protected-resource/prices/mcp`)
  ).json();
  expect(metadata).toMatchObject({
    resource: `${cloud.origin}/prices/mcp`,
    authorization_servers: [cloud.origin],
  });
});

test('a rotated client secret is accepted in its current and its previous version', async () => {
  const { SecretsManagerClient, PutSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const secrets = new SecretsManagerClient({
    region: cloud.ready['AWS_REGION'] ?? '',
    endpoint: cloud.ready['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const SecretId = 'sallyport/local/clients/brief';
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'a-new-secret' }));
  const ask = (secret: string) => cloud.fetchToken('brief', { server: 'prices', secret });
  expect((await ask('a-new-secret')).status).toBe(200);
  expect((await ask(secretOf('brief'))).status).toBe(200);
  expect((await ask('another')).status).toBe(401);
});
