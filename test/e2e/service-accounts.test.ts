import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answerTool,
  type RecordedRequest,
  type RecordingServer,
  startRecordingServer,
} from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...key.privateKey.export({ format: 'jwk' }), kid: 'machine-1' };
const SCOPE = 'agentcore/invoke';
const oauth = (clientId: string, more: object) => ({
  type: 'oauth2',
  token_url: 'to be known',
  client_id: clientId,
  scope: SCOPE,
  ...more,
});

/** A secret of every type, and what of it nobody is ever to see. */
const CREDENTIALS: Readonly<
  Record<string, { readonly value: object; readonly canaries: readonly string[] }>
> = {
  bearer: {
    value: { type: 'bearer', token: 'canary-bearer-1' },
    canaries: ['canary-bearer-1'],
  },
  basic: {
    value: { type: 'basic', username: 'robot', password: 'canary pass/word' },
    canaries: ['canary pass/word', 'robot:canary pass/word'],
  },
  header: {
    value: { type: 'header', name: 'X-Api-Key', value: 'canary-header-1' },
    canaries: ['canary-header-1'],
  },
  query: { value: { type: 'query', name: 'key', value: 'canary query&1' }, canaries: ['canary query&1'] },
  cognito: {
    value: oauth('m2m', { client_secret: 'canary-client-secret-basic' }),
    canaries: ['canary-client-secret-basic'],
  },
  posted: {
    value: oauth('posted', { client_secret: 'canary-client-secret-post', auth: 'client_secret_post' }),
    canaries: ['canary-client-secret-post'],
  },
  agentcore: {
    value: oauth('keyed', { auth: 'private_key_jwt', private_key: jwk }),
    canaries: [String(jwk.d)],
  },
};
const NAMES = Object.keys(CREDENTIALS);

let cloud: Sallyport;
let upstream: RecordingServer;
let machines: TokenEndpoint;
let token: string;

/** Everything that an upstream could give back of what it got. */
function echoOf({ url, headers }: RecordedRequest): string {
  const seen = JSON.stringify({ url, headers });
  const { authorization = '' } = headers;
  return `${seen} ${Buffer.from(seen).toString('base64')} ${Buffer.from(authorization.replace('Basic ', ''), 'base64')}`;
}

/** Answers as the tool that is called says. */
async function respond(request: RecordedRequest, answer: ServerResponse): Promise<void> {
  const { id, params } = JSON.parse(request.body);
  const echo = echoOf(request);
  const [, name = ''] = request.url.split(/[/?]/);
  const { authorization = '' } = request.headers;
  const isOAuth = JSON.stringify(CREDENTIALS[name]?.value).includes('"oauth2"');
  const isKnown = isOAuth ? await machines.takes(authorization.replace('Bearer ', ''), SCOPE) : true;
  if (!isKnown) {
    answer.writeHead(401, { 'www-authenticate': `Bearer realm="${encodeURIComponent(echo)}"` }).end(echo);
    return;
  }
  const result = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: echo }] } });
  switch (params.name) {
    case 'echo':
      answer.writeHead(200, { 'content-type': 'application/json', 'x-echo': 'x' }).end(result);
      return;
    case 'events':
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of `data: ${result}\n\n`.match(/[\s\S]{1,7}/g) ?? []) answer.write(part);
      answer.end();
      return;
    case 'error':
      answer.writeHead(500, { 'content-type': 'text/plain' }).end(echo);
      return;
    case 'redirect':
      answer
        .writeHead(307, { location: `${upstream.origin}/stolen?${new URLSearchParams({ echo })}` })
        .end(echo);
      return;
    case 'gzip':
      answer
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(result));
      return;
    case 'crash':
      answer.writeHead(200, { 'content-type': 'application/json' });
      answer.write(result.slice(0, -20), () => answer.destroy());
      return;
    case 'silence':
      answer.writeHead(200, { 'content-type': 'application/json' });
      answer.write(result.slice(0, -20));
      return;
    default:
      answerTool(request, answer, 'done');
  }
}

beforeAll(async () => {
  machines = await startTokenEndpoint([
    { id: 'm2m', scope: SCOPE, secret: 'canary-client-secret-basic', auth: 'client_secret_basic' },
    { id: 'posted', scope: SCOPE, secret: 'canary-client-secret-post', auth: 'client_secret_post' },
    {
      id: 'keyed',
      scope: SCOPE,
      publicKey: { ...key.publicKey.export({ format: 'jwk' }), kid: 'machine-1' },
    },
  ]);
  upstream = await startRecordingServer((request, answer) => void respond(request, answer));
  const server = (name: string) => ({
    url: `${upstream.origin}/${name}`,
    private: true,
    egress: { mode: 'service_account', key: 'client' },
    timeout: { silence: '1s' },
  });
  const values = Object.entries(CREDENTIALS).map(([name, { value }]) => {
    const spelled = 'token_url' in value ? { ...value, token_url: machines.url } : value;
    return [`sallyport/{stage}/credentials/acme/${name}/client.agent`, JSON.stringify(spelled)];
  });
  cloud = await startSallyport({
    clients: ['agent'],
    credentials: Object.fromEntries(values),
    config: {
      'scopes.yml': JSON.stringify({
        'UI-Scopes': {},
        group_mappings: {},
        tools: NAMES.map((name) => ({ server: name, methods: ['tools/call'], tools: ['all'] })),
      }),
      'servers.yml': JSON.stringify({
        servers: Object.fromEntries(NAMES.map((name) => [name, server(name)])),
      }),
      'clients.yml': JSON.stringify({
        clients: {
          agent: {
            org: 'acme',
            grants: ['client_credentials'],
            audience: 'gateway',
            scopes: ['tools'],
            secret: { ref: 'sallyport/{stage}/clients/agent' },
          },
        },
      }),
    },
  });
  token = await cloud.token('agent');
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
  await machines?.close();
});

/** Calls a tool, and tells everything that its client gets to see. */
async function call(server: string, tool: string): Promise<{ status: number; seen: string }> {
  const response = await fetch(`${cloud.origin}/${server}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }),
  });
  let seen = JSON.stringify([...response.headers]);
  try {
    for await (const chunk of response.body ?? []) seen += Buffer.from(chunk).toString();
  } catch {
    seen += ' (broken off)';
  }
  return { status: response.status, seen };
}

/** The spellings in which nobody is to see a secret. */
function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ x: secret }).toString().slice(2),
    bytes.toString('base64').replace(/=+$/, '').slice(0, -1),
    bytes.toString('base64url').slice(0, -1),
    bytes.toString('hex'),
  ];
}

const canaries = () => [
  ...Object.values(CREDENTIALS).flatMap((credential) => credential.canaries),
  ...machines.issued,
];

const leaks = (text: string) =>
  canaries().filter((canary) => spellings(canary).some((one) => text.includes(one)));

describe('a credential of the type', () => {
  test.for(NAMES)('%s reaches the server that it is for, and its client never sees it', async (name) => {
    const plain = await call(name, 'echo');
    expect(plain.status).toBe(200);
    expect(plain.seen).toContain('[redacted]');
    expect(leaks(plain.seen)).toEqual([]);
    for (const tool of ['events', 'error', 'redirect', 'gzip', 'crash', 'silence']) {
      const { seen } = await call(name, tool);
      expect([tool, leaks(seen)]).toEqual([tool, []]);
    }
    expect(upstream.seen.filter(({ url }) => url.startsWith('/stolen'))).toEqual([]);
  });
});

test('one token of each client serves all its calls, and one that is revoked is replaced', {
  timeout: 60_000,
}, async () => {
  const first = [...machines.issued];
  expect(first).toHaveLength(3);
  for (const issued of first) await machines.revoke(issued);
  // Of a token that is some seconds old, the next call has a new one; of a younger one, a call within 5 s.
  for (const name of ['cognito', 'posted', 'agentcore']) {
    await expect.poll(async () => (await call(name, 'echo')).status, { timeout: 20_000 }).toBe(200);
  }
  expect(machines.issued).toHaveLength(6);
});

test('nothing of a secret is in a log, a record or a table', () => {
  const files = readdirSync(cloud.dataDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('assembly') && !name.endsWith('secrets.json'))
    .map((name) => join(cloud.dataDirectory, name))
    .filter((path) => statSync(path).isFile());
  expect(files.some((path) => path.endsWith('audit.jsonl'))).toBe(true);
  expect(files.some((path) => path.endsWith('gateway.log'))).toBe(true);
  const found = files.flatMap((path) => leaks(readFileSync(path, 'latin1')).map((canary) => [path, canary]));
  expect(found).toEqual([]);
});
