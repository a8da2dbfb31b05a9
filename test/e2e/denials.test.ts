import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RawServer, startRawServer } from '../support/raw-server.ts';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';
import {
  type Connected,
  type Open,
  openV1,
  openV2Legacy,
  openV2Modern,
  SDK_CLIENTS,
} from '../support/sdk-clients.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

let cloud: Sallyport;
let upstream: ToolServers;
let silent: RawServer;
let tokens: Readonly<Record<'all' | 'reader' | 'outsider' | 'forged', string>>;

beforeAll(async () => {
  upstream = await startToolServers({ prices: ['latest', 'reset'], orders: ['find'] });
  silent = await startRawServer(() => {});
  const client = (id: string, scopes: readonly string[]) => ({
    grants: ['client_credentials'],
    scopes,
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
  });
  const names = ['prices', 'keyed', 'silent', 'gone'];
  const starting = ['initialize', 'tools/list'];
  cloud = await startSallyport({
    clients: ['agent', 'outsider'],
    config: {
      'scopes.yml': JSON.stringify({
        'desk/read': names.map((server) => ({ server, methods: starting })),
        'desk/execute': names.map((server) => ({ server, methods: ['tools/call'], tools: ['latest'] })),
        'other/read': [{ server: 'orders', methods: starting }],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          prices: { url: upstream.urlOf('prices'), private: true },
          orders: { url: upstream.urlOf('orders'), private: true },
          keyed: { url: upstream.urlOf('prices'), private: true, egress: { mode: 'service_account' } },
          silent: { url: `${silent.origin}/mcp`, private: true, timeout: { first_byte: '1s' } },
          gone: { url: 'http://127.0.0.1:9/mcp', private: true },
        },
      }),
      'clients.yml': JSON.stringify({
        clients: {
          agent: client('agent', ['desk/read', 'desk/execute']),
          outsider: client('outsider', ['other/read']),
        },
      }),
    },
  });
  tokens = {
    all: await cloud.token('agent'),
    reader: await cloud.token('agent', { scope: 'desk/read' }),
    outsider: await cloud.token('outsider'),
    forged: 'eyJhbGciOiJub25lIn0.e30.',
  };
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
  await silent?.close();
});

/** What the code of a user gets to see: a tool's answer, or the error that is thrown, with all the text that it has. */
type Seen =
  | { readonly isError: unknown; readonly text: string }
  | { readonly error: string; readonly code: unknown; readonly text: string };

async function see(
  open: Open,
  server: string,
  token: keyof typeof tokens | undefined,
  act?: (connected: Connected) => Promise<Readonly<Record<string, unknown>>>,
): Promise<Seen> {
  const headers: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${tokens[token]}` };
  try {
    const connected = await open(`${cloud.origin}/${server}/mcp`, headers);
    const result = (await act?.(connected)) ?? {};
    await connected.client.close();
    return { isError: result['isError'], text: JSON.stringify(result['content']) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const data = 'data' in error ? error.data : undefined;
    const status = typeof data === 'object' && data !== null && 'status' in data ? data.status : undefined;
    const code = status ?? ('code' in error ? error.code : undefined);
    return { error: error.constructor.name, code, text: `${error.message} ${JSON.stringify(data)}` };
  }
}

const isV1 = (open: Open) => open === openV1;
const isLegacy = (open: Open) => isV1(open) || open === openV2Legacy;
const protocolError = (open: Open) => (isV1(open) ? 'McpError' : 'ProtocolError');
const transportError = (open: Open) => (isV1(open) ? 'StreamableHTTPError' : 'SdkHttpError');

describe.each(SDK_CLIENTS)('$label sees', ({ open }) => {
  test('a tool that nobody may call as a result that the model can read', async () => {
    const seen = await see(open, 'prices', 'all', ({ client }) => client.callTool({ name: 'reset' }));
    expect(seen).toEqual({
      isError: true,
      text: expect.stringMatching(
        /access denied: this operation is not available to you \(request [0-9a-f-]{36}\)/,
      ),
    });
  });

  test('a tool that another token would open as that: in the answer, or as the challenge that its headers allow', async () => {
    const seen = await see(open, 'prices', 'reader', ({ client }) => client.callTool({ name: 'latest' }));
    const shape = isLegacy(open) ? { isError: true } : { error: 'InsufficientScopeError' };
    expect(seen).toMatchObject({ ...shape, text: expect.stringContaining('desk/execute') });
  });

  test.for<readonly [string, (connected: Connected) => Promise<Readonly<Record<string, unknown>>>]>([
    ['prompts/get', ({ client }) => client.getPrompt({ name: 'greet' })],
    ['prompts/list', ({ client }) => client.listPrompts()],
    ['resources/list', ({ client }) => client.listResources()],
    ['resources/templates/list', ({ client }) => client.listResourceTemplates()],
    ['resources/read', ({ client }) => client.readResource({ uri: 'doc://readme' })],
    [
      'completion/complete',
      ({ client }) =>
        client.complete({ ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'a', value: '' } }),
    ],
  ])('%s as an error of the protocol, with the id to ask about', async ([, act]) => {
    const seen = await see(open, 'prices', 'all', act);
    expect(seen).toEqual({
      error: protocolError(open),
      code: -31001,
      text: expect.stringMatching(/access denied: this operation.*"request_id":"[0-9a-f-]{36}"/),
    });
  });

  test('that no credential is set up for it', async () => {
    const seen = await see(open, 'keyed', 'all');
    // A client that is told to speak the stateless era alone says nothing else of a server that it may not discover.
    const expected =
      open === openV2Modern ? { error: 'SdkError' } : { error: protocolError(open), code: -31001 };
    const text =
      open === openV2Modern ? /no fallback in pin mode/ : /no credential is set up for this client/;
    expect(seen).toMatchObject({ ...expected, text: expect.stringMatching(text) });
  });

  test('a server that it has no business with as forbidden', async () => {
    const seen = await see(open, 'prices', 'outsider');
    expect(seen).toMatchObject(
      isV1(open) ? { error: 'StreamableHTTPError', code: 403 } : { error: 'InsufficientScopeError' },
    );
  });

  test('a server that does not exist as not found', async () => {
    const seen = await see(open, 'nowhere', 'all');
    expect(seen).toMatchObject(
      open === openV2Modern
        ? { error: 'SdkError', code: 'ERA_NEGOTIATION_FAILED' }
        : { error: transportError(open), code: 404, text: expect.stringContaining('there is nothing here') },
    );
  });

  test.for([undefined, 'forged'] as const)('a token that is %s as 401', async (token) => {
    const seen = await see(open, 'prices', token);
    expect(seen).toMatchObject({
      error: transportError(open),
      code: 401,
      text: expect.stringContaining('a valid access token is needed'),
    });
  });

  test.for([
    ['gone', 502, 'the server behind could not be reached'],
    ['silent', 504, 'the server behind did not answer in time'],
  ] as const)(
    'a server that is %s as %i, and does not take it for one of another era',
    async ([server, code, text]) => {
      const seen = await see(open, server, 'all');
      expect(seen).toMatchObject({ error: transportError(open), code, text: expect.stringContaining(text) });
      expect(seen.text).not.toContain('127.0.0.1');
    },
  );

  test('a body that is too large as 413', async () => {
    const text = 'x'.repeat(5_000_000);
    const seen = await see(open, 'prices', 'all', ({ client }) =>
      client.callTool({ name: 'latest', arguments: { text } }),
    );
    expect(seen).toMatchObject({ error: transportError(open), code: 413 });
  });
});

test('a client with a provider of credentials gets the scope that it is told of, and goes on', async () => {
  const authProvider = new ClientCredentialsProvider({
    clientId: 'agent',
    clientSecret: secretOf('agent'),
    expectedIssuer: cloud.origin,
    scope: 'desk/read',
  });
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const url = new URL(`${cloud.origin}/prices/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider }));
  expect((await client.listTools()).tools).toEqual([]);
  const { content } = await client.callTool({ name: 'latest', arguments: {} });
  expect(content).toEqual([{ type: 'text', text: 'prices/latest' }]);
  await client.close();
});
