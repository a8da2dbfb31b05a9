import { Client, PrivateKeyJwtProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertionForm } from '../support/assertions.ts';
import { type DocumentHost, startDocumentHost } from '../support/document-host.ts';
import { makeEcKey } from '../support/foreign-issuer.ts';
import {
  APP_REDIRECT,
  companyBrowser,
  type LoginCloud,
  logInAs,
  startLoginCloud,
} from '../support/login-cloud.ts';
import { KeptLogin } from '../support/sdk-login.ts';

const key = makeEcKey();
const METADATA = {
  client_name: 'Field Notes',
  redirect_uris: [APP_REDIRECT],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

let running: LoginCloud;
let documents: DocumentHost;

beforeAll(async () => {
  documents = await startDocumentHost(METADATA);
  process.env['NODE_EXTRA_CA_CERTS'] = documents.certificateFile;
  running = await startLoginCloud({
    clients: {
      signer: {
        org: 'acme',
        auth: 'private_key_jwt',
        jwks: { keys: [key.published] },
        grants: ['client_credentials'],
        scopes: ['desk/read', 'desk/execute'],
        audience: 'gateway',
      },
    },
    registration: { dynamic: true, private: true, scopes: ['desk/read', 'desk/execute'] },
  });
});
afterAll(async () => {
  delete process.env['NODE_EXTRA_CA_CERTS'];
  await running?.close();
  await documents?.close();
});

const endpoint = () => new URL(`${running.cloud.origin}/prices/mcp`);

/** The official client finds out how to log in, its user does, and it calls a tool; who it was then. */
async function callAs(authProvider: KeptLogin, user: string) {
  const first = new StreamableHTTPClientTransport(endpoint(), { authProvider });
  await expect(new Client({ name: 'notes', version: '1.0.0' }).connect(first)).rejects.toThrow();
  const end = await logInAs(companyBrowser(), user, authProvider.authorizationUrl);
  await first.finishAuth(new URL(end.url).searchParams);
  const client = new Client({ name: 'notes', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(endpoint(), { authProvider }));
  const called = await client.callTool({ name: 'latest', arguments: {} });
  expect(called.content).toEqual([{ type: 'text', text: 'prices/latest' }]);
  await client.close();
  return decodeJwt(authProvider.tokens()?.access_token ?? '');
}

/** An official client that has no client id, but a document or the wish to register. */
class Newcomer extends KeptLogin {
  readonly clientMetadataUrl: string | undefined;
  override readonly clientMetadata = METADATA;
  #isKnown = false;

  constructor(clientMetadataUrl: string | undefined) {
    super('');
    this.clientMetadataUrl = clientMetadataUrl;
    const [read, save] = [this.clientInformation, this.saveClientInformation];
    Object.assign(this, {
      clientInformation: () => (this.#isKnown ? read() : undefined),
      saveClientInformation: (client: { client_id: string }) => {
        this.#isKnown = true;
        save(client);
      },
    });
  }
}

test('the official client names its document, and is a client by that', async () => {
  const id = `${documents.origin}/field-notes.json`;
  const claims = await callAs(new Newcomer(id), 'ada');
  expect(claims).toMatchObject({ sub: 'company:ada', client_id: id, org_id: 'acme', aud: endpoint().href });
  expect(documents.asked).toContain('/field-notes.json');
});

test('the official client registers itself where it has no document', async () => {
  const claims = await callAs(new Newcomer(undefined), 'ada');
  expect(claims).toMatchObject({ sub: 'company:ada', client_id: expect.stringMatching(/^dyn\./) });
});

test('the official client signs', async () => {
  const authProvider = new PrivateKeyJwtProvider({
    clientId: 'signer',
    privateKey: JSON.parse(JSON.stringify(key.privateKey.export({ format: 'jwk' }))),
    algorithm: 'ES256',
    expectedIssuer: running.cloud.origin,
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(endpoint(), { authProvider }));
  const answer = await client.callTool({ name: 'latest', arguments: {} });
  expect(answer.content).toEqual([{ type: 'text', text: 'prices/latest' }]);
  await client.close();
});

test('an assertion gets one token, whichever of many environments it reaches', async () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const times = { aud: running.cloud.origin, iat: nowSeconds, exp: nowSeconds + 300 };
  const form = { grant_type: 'client_credentials', ...assertionForm(key, 'signer', times) };
  const send = () =>
    fetch(`${running.cloud.origin}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
  // An environment that could not begin in its ten seconds has seen nothing; the next attempt reaches another.
  const ask = async (): Promise<number> => {
    const { status } = await send();
    return status === 502 ? ask() : status;
  };
  const statuses = await Promise.all(Array.from({ length: 12 }, ask));
  const ended = (status: number) => statuses.filter((each) => each === status).length;
  // A store that does not answer in time may have been the one to take it.
  const [won, outages] = [ended(200), ended(503)];
  expect(won).toBeLessThanOrEqual(1);
  expect(won + outages, `${statuses}`).toBeGreaterThanOrEqual(1);
  expect(won + outages + ended(401) + ended(429), `${statuses}`).toBe(12);
  // Whoever comes once it was taken gets nothing, however slow the others were.
  expect(await ask()).not.toBe(200);
});

test('what can be done is what the metadata lists', async () => {
  const configuration = await openid.discovery(
    new URL(running.cloud.origin),
    'desk-app',
    undefined,
    openid.None(),
    {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    },
  );
  expect(configuration.serverMetadata()).toMatchObject({
    token_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'none',
    ],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256'],
    client_id_metadata_document_supported: true,
    registration_endpoint: `${running.cloud.origin}/oauth/register`,
  });
});
