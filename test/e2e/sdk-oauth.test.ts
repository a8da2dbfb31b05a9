import {
  Client,
  type OAuthClientProvider,
  StaticPrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import type { OAuthClientProvider as OAuthClientProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import {
  ClientCredentialsProvider as ClientCredentialsProviderV1,
  PrivateKeyJwtProvider as PrivateKeyJwtProviderV1,
} from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertionClaims } from '../support/assertions.ts';
import type { BrowserAgent } from '../support/browser-agent.ts';
import { type DocumentHost, startDocumentHost } from '../support/document-host.ts';
import { makeEcKey, signForeign } from '../support/foreign-issuer.ts';
import {
  APP_REDIRECT,
  companyBrowser,
  type LoginCloud,
  logInAs,
  startLoginCloud,
} from '../support/login-cloud.ts';
import { secretOf } from '../support/sallyport.ts';
import { KeptLogin } from '../support/sdk-login.ts';

const METADATA = {
  client_name: 'Field Notes',
  redirect_uris: [APP_REDIRECT],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
const INFO = { name: 'notes', version: '1.0.0' };
const SCOPES = ['desk/read', 'desk/execute'];
const signingKey = makeEcKey();

let running: LoginCloud;
let documents: DocumentHost;

beforeAll(async () => {
  documents = await startDocumentHost(METADATA);
  process.env['NODE_EXTRA_CA_CERTS'] = documents.certificateFile;
  const machine = { org: 'acme', grants: ['client_credentials'], scopes: SCOPES };
  running = await startLoginCloud({
    hasOwnClock: true,
    clients: {
      signer: { ...machine, auth: 'private_key_jwt', jwks: { keys: [signingKey.published] } },
    },
    secretClients: {
      agent: { ...machine, secret: { ref: 'sallyport/{stage}/clients/agent' } },
    },
    registration: { dynamic: true, private: true, scopes: SCOPES },
  });
});
afterAll(async () => {
  delete process.env['NODE_EXTRA_CA_CERTS'];
  await running?.close();
  await documents?.close();
});

const endpoint = () => new URL(`${running.cloud.origin}/prices/mcp`);

/** What the two major versions have in common, once they are told apart. */
type Session = {
  connect(): Promise<void>;
  /** Takes the answer that the browser brought. */
  finish(answer: URLSearchParams): Promise<void>;
  call(): Promise<unknown>;
  close(): Promise<void>;
};

const openV1 = (authProvider: OAuthClientProviderV1): Session => {
  const transport = new TransportV1(endpoint(), { authProvider });
  const client = new ClientV1(INFO);
  return {
    connect: () => client.connect(transport),
    finish: (answer) => transport.finishAuth(answer.get('code') ?? ''),
    call: async () => (await client.callTool({ name: 'latest', arguments: {} })).content,
    close: () => client.close(),
  };
};

const openV2 = (authProvider: OAuthClientProvider, mode: 'legacy' | { pin: string } = 'legacy'): Session => {
  const transport = new StreamableHTTPClientTransport(endpoint(), { authProvider });
  const client = new Client(INFO, { versionNegotiation: { mode } });
  return {
    connect: () => client.connect(transport),
    finish: (answer) => transport.finishAuth(answer),
    call: async () => (await client.callTool({ name: 'latest', arguments: {} })).content,
    close: () => client.close(),
  };
};

const ANSWER = [{ type: 'text', text: 'prices/latest' }];
const SDKS = [
  { label: 'SDK 1.x', open: openV1 },
  { label: 'SDK 2.x', open: openV2 },
];

/** The user goes where the client sent the browser; what it brings back. */
async function answerOf(kept: KeptLogin, user: string, browser = companyBrowser()): Promise<URLSearchParams> {
  return new URL((await logInAs(browser, user, kept.authorizationUrl)).url).searchParams;
}

/** From nothing but the URL of the server to a connected client. */
async function logIn(
  open: (kept: KeptLogin) => Session,
  kept: KeptLogin,
  browser?: BrowserAgent,
): Promise<Session> {
  const first = open(kept);
  await expect(first.connect()).rejects.toThrow();
  await first.finish(await answerOf(kept, 'ada', browser));
  const session = open(kept);
  await session.connect();
  return session;
}

/** A client without an id: it has a document of itself, or registers. */
class Newcomer extends KeptLogin {
  readonly clientMetadataUrl: string | undefined;
  override readonly clientMetadata = METADATA;

  constructor(clientMetadataUrl: string | undefined) {
    super('');
    this.clientMetadataUrl = clientMetadataUrl;
    const read = this.clientInformation;
    Object.assign(this, { clientInformation: () => (read().client_id === '' ? undefined : read()) });
  }
}

describe('SDK 1.x, from the URL of the server alone to a tool,', () => {
  test.for<readonly [string, () => string | undefined, () => unknown]>([
    ['by the document at its id', () => `${documents.origin}/v1.json`, () => `${documents.origin}/v1.json`],
    ['by registering', () => undefined, () => expect.stringMatching(/^dyn\./)],
  ])('%s', async ([, metadataUrl, clientId]) => {
    const kept = new Newcomer(metadataUrl());
    const session = await logIn(openV1, kept);
    expect(await session.call()).toEqual(ANSWER);
    await session.close();
    expect(decodeJwt(kept.tokens()?.access_token ?? '')).toMatchObject({
      sub: 'company:ada',
      client_id: clientId(),
      aud: endpoint().href,
    });
  });
});

describe('without a user, from the URL of the server alone to a tool:', () => {
  const privateKey = () => JSON.parse(JSON.stringify(signingKey.privateKey.export({ format: 'jwk' })));

  test('SDK 1.x with a secret', async () => {
    const session = openV1(
      new ClientCredentialsProviderV1({
        clientId: 'agent',
        clientSecret: secretOf('agent'),
        expectedIssuer: running.cloud.origin,
      }),
    );
    await session.connect();
    expect(await session.call()).toEqual(ANSWER);
    await session.close();
  });

  test('SDK 1.x that signs', async () => {
    const session = openV1(
      new PrivateKeyJwtProviderV1({
        clientId: 'signer',
        privateKey: privateKey(),
        algorithm: 'ES256',
        expectedIssuer: running.cloud.origin,
      }),
    );
    await session.connect();
    expect(await session.call()).toEqual(ANSWER);
    await session.close();
  });

  test('SDK 2.x with an assertion that somebody else signed for it', async () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const times = { aud: running.cloud.origin, iat: nowSeconds, exp: nowSeconds + 60 };
    const session = openV2(
      new StaticPrivateKeyJwtProvider({
        clientId: 'signer',
        jwtBearerAssertion: signForeign(signingKey, assertionClaims('signer', times)),
        expectedIssuer: running.cloud.origin,
      }),
    );
    await session.connect();
    expect(await session.call()).toEqual(ANSWER);
    await session.close();
  });
});

/** A function looks again at what is revoked after this long. */
const HELD_SECONDS = 5;

/** Revokes a token as its public client does, and waits until the access token opens nothing. */
async function revoke(token: string | undefined, accessToken: string | undefined): Promise<void> {
  const body = new URLSearchParams({ token: token ?? '', client_id: 'desk-app' });
  const answer = await fetch(`${running.cloud.origin}/oauth/revoke`, { method: 'POST', body });
  expect(answer.status).toBe(200);
  running.cloud.pass(HELD_SECONDS);
  const ping = () =>
    fetch(endpoint(), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    });
  await expect.poll(async () => (await ping()).status, { timeout: 10_000 }).toBe(401);
}

/** One environment may know of a revocation some seconds before another. */
const UNTIL_EVERYWHERE = { timeout: 10_000 };

/** A client that forgets its tokens when it is told that they are worth nothing. */
class Forgetful extends KeptLogin {
  readonly forgotten: string[] = [];

  invalidateCredentials = (scope: string) => {
    this.forgotten.push(scope);
    Object.assign(this, { tokens: () => undefined });
  };
}

describe.for(SDKS)('$label, whose access token is over,', ({ open }) => {
  test('refreshes without its user, and goes on in the same session', async () => {
    const kept = new KeptLogin('desk-app');
    const session = await logIn(open, kept);
    expect(await session.call()).toEqual(ANSWER);
    const before = kept.tokens();
    kept.authorizationUrl = '';
    await revoke(before?.access_token, before?.access_token);
    await expect
      .poll(async () => {
        expect(await session.call()).toEqual(ANSWER);
        return kept.tokens()?.access_token;
      }, UNTIL_EVERYWHERE)
      .not.toBe(before?.access_token);
    expect(kept.authorizationUrl).toBe('');
    const after = kept.tokens();
    expect(after?.refresh_token).not.toBe(before?.refresh_token);
    await session.close();
  });

  test('asks its user again where the login is over too', async () => {
    const kept = new Forgetful('desk-app');
    const session = await logIn(open, kept);
    kept.authorizationUrl = '';
    await revoke(kept.tokens()?.refresh_token, kept.tokens()?.access_token);
    const outcome = () =>
      session.call().then(
        () => 'answered',
        (error: Error) => error.message,
      );
    await expect.poll(outcome, UNTIL_EVERYWHERE).toContain('Unauthorized');
    expect(kept.forgotten).toEqual(['tokens']);
    expect(kept.authorizationUrl).toContain(`${running.cloud.origin}/oauth/authorize?`);
    await session.close();
  });
});

/** A client that asks for no more than it needs. */
class Modest extends KeptLogin {
  override readonly clientMetadata = { ...METADATA, scope: 'desk/read' };
}

describe('SDK 2.x in the stateless era, whose user allowed less than a tool needs,', () => {
  const openModern = (kept: KeptLogin) => openV2(kept, { pin: '2026-07-28' });
  const scopeOf = (kept: KeptLogin) => decodeJwt(kept.tokens()?.access_token ?? '')['scope'];

  test('asks for what the 403 names and for what it had, and then calls the tool', async () => {
    const kept = new Modest('desk-app');
    const browser = companyBrowser();
    const session = await logIn(openModern, kept, browser);
    expect(scopeOf(kept)).toBe('desk/read');
    kept.authorizationUrl = '';
    await expect(session.call()).rejects.toThrow('Unauthorized');
    expect(new URL(kept.authorizationUrl).searchParams.get('scope')).toBe('desk/read desk/execute');
    await session.finish(await answerOf(kept, 'ada', browser));
    expect(await session.call()).toEqual(ANSWER);
    expect(scopeOf(kept)).toBe('desk/read desk/execute');
    await session.close();
  });

  test('is not sent to its user for what that user cannot give', async () => {
    const kept = new KeptLogin('desk-app');
    const first = openModern(kept);
    await expect(first.connect()).rejects.toThrow();
    await first.finish(await answerOf(kept, 'bob'));
    const session = openModern(kept);
    await session.connect();
    expect(scopeOf(kept)).toBe('desk/read');
    kept.authorizationUrl = '';
    const answer = await session.call();
    expect(kept.authorizationUrl).toBe('');
    expect(answer).toEqual([{ type: 'text', text: expect.stringMatching(/^access denied/) }]);
    await session.close();
  });
});
