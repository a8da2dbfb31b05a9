import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EgressMode } from '../../functions/core/policy.ts';
import { type ConnectCloud, startConnectCloud, userBrowser } from '../support/connect-cloud.ts';
import { CARRIER_SECRET } from '../support/oidc-carrier.ts';
import {
  type RecordedRequest,
  type RecordingServer,
  startRecordingServer,
} from '../support/recording-server.ts';
import { startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...key.privateKey.export({ format: 'jwk' }), kid: 'machine-1' };
const SCOPE = 'prices/read';
const oauth = (client_id: string, more: object) => ({ type: 'oauth2', client_id, scope: SCOPE, ...more });
const SECRET_OF = { basic: 'canary-client-secret-basic', post: 'canary-client-secret-post' } as const;

/** A stored secret of every type, for the server and for the service of that name. */
const STORED: Readonly<Record<string, object>> = {
  bearer: { type: 'bearer', token: 'canary-bearer/1+2' },
  basic: { type: 'basic', username: 'robot', password: 'canary pass/word"1' },
  'basic-name': { type: 'basic', username: 'canary-key-as-a-name', password: '' },
  header: { type: 'header', name: 'X-Api-Key', value: 'canary-header-1' },
  query: { type: 'query', name: 'key', value: 'canary query&1' },
  'oauth2-basic': oauth('m2m', { client_secret: SECRET_OF.basic }),
  'oauth2-post': oauth('posted', { client_secret: SECRET_OF.post, auth: 'client_secret_post' }),
  'oauth2-key': oauth('keyed', { auth: 'private_key_jwt', private_key: jwk }),
};
const PASSED_THROUGH = 'canary-of-the-caller-0123456789';
const FIXED = [
  'canary-bearer/1+2',
  'canary pass/word"1',
  'canary-key-as-a-name',
  'canary-header-1',
  'canary query&1',
  SECRET_OF.basic,
  SECRET_OF.post,
  String(jwk.d),
  PASSED_THROUGH,
  CARRIER_SECRET,
];
const SERVICE_KINDS = [...Object.keys(STORED), 'identity', 'user_oauth', 'hybrid'];
const KINDS = [...SERVICE_KINDS, 'passthrough'];

/** What a hostile upstream does with what it was given. */
const DEEDS = [
  'echo',
  'headers',
  'events',
  'error',
  'refused',
  'redirect',
  'gzip',
  'br',
  'deflate',
  'crash',
  'silence',
  'reset',
] as const;

let cloud: ConnectCloud;
let upstream: RecordingServer;
let machines: TokenEndpoint;
let token: string;
let serverToken: string;
let delegation: string;

/** Everything that an upstream could give back of what it got, in many a spelling. */
function echoOf({ url, headers }: RecordedRequest): string {
  const seen = JSON.stringify({ url, headers });
  const [, pair = ''] = (headers.authorization ?? '').split(' ');
  const bytes = Buffer.from(headers.authorization ?? String(headers['x-api-key']));
  return [
    seen,
    JSON.stringify(seen),
    Buffer.from(seen).toString('base64'),
    Buffer.from(pair, 'base64').toString(),
    bytes.toString('hex'),
    bytes.toString('hex').replace(/../g, '$& ').trim(),
    [...bytes].join(','),
    encodeURIComponent(seen),
  ].join(' ');
}

const PACKED = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync };

function respond(request: RecordedRequest, answer: ServerResponse): void {
  const echo = echoOf(request);
  const isTool = request.url.endsWith('/mcp') || request.url.includes('/mcp?');
  const { id = 1, params = {} } = isTool ? JSON.parse(request.body) : {};
  const deed: string = isTool ? params.name : (/\/([a-z]+)(?:\?|$)/.exec(request.url)?.[1] ?? '');
  const result = isTool
    ? JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: echo }] } })
    : JSON.stringify({ echo });
  const json = { 'content-type': 'application/json' };
  const inHeaders = encodeURIComponent(echo);
  const asName = Buffer.from(request.headers.authorization ?? request.url)
    .toString('hex')
    .slice(0, 200);
  switch (deed) {
    case 'headers':
      answer.writeHead(200, {
        ...json,
        etag: `"${inHeaders}"`,
        'retry-after': inHeaders,
        link: inHeaders,
        [`x-ratelimit-${asName}`]: '1',
      });
      answer.end(result);
      return;
    case 'events':
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of `data: ${result}\n\n`.match(/[\s\S]{1,700}/g) ?? []) answer.write(part);
      answer.end();
      return;
    case 'error':
      answer.writeHead(500, { 'content-type': 'text/plain' }).end(echo);
      return;
    case 'refused':
      answer.writeHead(401, { 'www-authenticate': `Bearer realm="${inHeaders}"` }).end(echo);
      return;
    case 'redirect':
      answer
        .writeHead(307, { location: `${upstream.origin}/stolen?${new URLSearchParams({ echo })}` })
        .end(echo);
      return;
    case 'gzip':
    case 'br':
    case 'deflate':
      answer.writeHead(200, { ...json, 'content-encoding': deed }).end(PACKED[deed](result));
      return;
    case 'crash':
      answer.writeHead(200, json);
      answer.write(result.slice(0, -20), () => answer.destroy());
      return;
    case 'silence':
      answer.writeHead(200, json);
      answer.write(result.slice(0, -20));
      return;
    case 'reset':
      answer.destroy();
      return;
    default:
      answer.writeHead(200, json).end(result);
  }
}

beforeAll(async () => {
  machines = await startTokenEndpoint([
    { id: 'm2m', scope: SCOPE, secret: SECRET_OF.basic, auth: 'client_secret_basic' },
    { id: 'posted', scope: SCOPE, secret: SECRET_OF.post, auth: 'client_secret_post' },
    {
      id: 'keyed',
      scope: SCOPE,
      publicKey: { ...key.publicKey.export({ format: 'jwk' }), kid: 'machine-1' },
    },
  ]);
  upstream = await startRecordingServer(respond);
  const egressOf = (kind: string) => {
    if (kind in STORED) return { mode: 'service_account', key: 'client' };
    const needsProvider = kind === 'user_oauth' || kind === 'hybrid';
    return { mode: kind, ...(needsProvider ? { provider: 'carrier' } : {}) };
  };
  const entry = (kind: string) => ({ private: true, egress: egressOf(kind), timeout: { silence: '1s' } });
  const servers = KINDS.map((kind) => [kind, { url: `${upstream.origin}/${kind}/mcp`, ...entry(kind) }]);
  const services = SERVICE_KINDS.map((kind) => [
    `api-${kind}`,
    {
      url: `${upstream.origin}/${kind}/api/`,
      used_by: ['identity'],
      allow: [{ method: 'GET', path: '/**' }],
      ...entry(kind),
    },
  ]);
  const credentials = Object.entries(STORED).flatMap(([kind, value]) => {
    const text = JSON.stringify('client_id' in value ? { ...value, token_url: machines.url } : value);
    return [kind, `api-${kind}`].map((target) => [
      `sallyport/{stage}/credentials/acme/${target}/client.cli`,
      text,
    ]);
  });
  cloud = await startConnectCloud({
    servers: Object.fromEntries(servers),
    services: Object.fromEntries(services),
    credentials: Object.fromEntries(credentials),
    clients: {
      'the-server': {
        org: 'acme',
        secret: { ref: 'sallyport/{stage}/clients/the-server' },
        grants: ['client_credentials'],
        scopes: [],
        audience: 'gateway',
        server: 'identity',
      },
    },
  });
  const browser = userBrowser();
  token = await cloud.userToken(browser, 'ada');
  serverToken = await cloud.cloud.token('the-server');
  const asked = await fetch(`${cloud.cloud.origin}/connections/carrier`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const { url } = JSON.parse(await asked.text());
  await cloud.goThrough(browser, await browser.open(url), 'ada');
  await callTool('identity', 'echo');
  delegation = String(upstream.seen.at(-1)?.headers.authorization).replace('Bearer ', '');
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
  await machines?.close();
});

/** Everything of an answer that its client gets to see. */
async function seenOf(response: Response): Promise<string> {
  let seen = `${response.status} ${JSON.stringify([...response.headers])}`;
  try {
    for await (const chunk of response.body ?? []) seen += Buffer.from(chunk).toString('latin1');
  } catch {
    seen += ' (broken off)';
  }
  return seen;
}

async function callTool(server: string, tool: string): Promise<string> {
  const isPassed = server === 'passthrough';
  const response = await fetch(`${cloud.cloud.origin}/${server}/mcp`, {
    method: 'POST',
    headers: {
      [isPassed ? 'x-authorization' : 'authorization']: `Bearer ${token}`,
      ...(isPassed ? { authorization: `Bearer ${PASSED_THROUGH}` } : {}),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }),
  });
  return seenOf(response);
}

async function callService(kind: string, path: string): Promise<string> {
  const headers = { authorization: `Bearer ${serverToken}`, 'x-delegation': delegation };
  return seenOf(await fetch(`${cloud.cloud.origin}/egress/api-${kind}/${path}`, { headers }));
}

/** What nobody is ever to see, of tokens what is a secret in them. */
function canaries(): readonly string[] {
  const tokens = upstream.seen
    .map(({ headers }) => headers.authorization ?? '')
    .filter((text) => /^Bearer ey/.test(text));
  const signatures = [...tokens, token, serverToken].map((jwt) => jwt.slice(jwt.lastIndexOf('.') + 1));
  return [...FIXED, ...machines.issued, ...cloud.carrier.given, ...new Set(signatures)];
}

/** The spellings in which nobody is to see a secret. */
function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ x: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, '').slice(0, -1),
    bytes.toString('base64url').slice(0, -1),
    hex,
    // Of tokens that live for minutes, byte by byte is out of reach (docs/security.md).
    ...(bytes.length > 128 ? [] : [hex.replace(/../g, '$& ').trim(), [...bytes].join(',')]),
  ];
}

const leaksIn = (text: string) =>
  canaries().filter((canary) => spellings(canary).some((one) => text.includes(one)));

/** Whatever comes of a call, there is nothing of a secret in it; and where the secret was written back, it was taken out. */
async function expectNothing(call: (deed: string) => Promise<string>): Promise<void> {
  const all = await Promise.all(DEEDS.map(async (deed) => [deed, await call(deed)] as const));
  for (const [deed, seen] of all) expect([deed, leaksIn(seen)]).toEqual([deed, []]);
  await vi.waitFor(async () => expect(await call('echo')).toContain('[redacted]'), { timeout: 40_000 });
}

test('every mode that puts something on and every type of secret is among them', () => {
  const types = Object.values(STORED).map((value) => 'type' in value && value.type);
  expect(new Set(types)).toEqual(new Set(['bearer', 'basic', 'header', 'query', 'oauth2']));
  const modes = { identity: 0, passthrough: 0, service_account: 0, user_oauth: 0, hybrid: 0, none: 0 };
  const known: Readonly<Record<EgressMode, number>> = modes;
  expect(
    KINDS.filter((kind) => !(kind in STORED))
      .concat('service_account', 'none')
      .sort(),
  ).toEqual(Object.keys(known).sort());
});

describe('what is put on as', () => {
  test.for(KINDS)('%s: no deed of a server shows it to the caller', (kind) =>
    expectNothing((deed) => callTool(kind, deed)),
  );

  test.for(SERVICE_KINDS)('%s: no deed of an API shows it to the server', (kind) =>
    expectNothing((deed) => callService(kind, deed)),
  );
});

test('nothing was sent to where an upstream redirects', () => {
  expect(upstream.seen.filter(({ url }) => url.startsWith('/stolen'))).toEqual([]);
});

test('no log, no record and no table holds a secret', () => {
  const files = readdirSync(cloud.cloud.dataDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('assembly') && !name.endsWith('secrets.json'))
    .map((name) => join(cloud.cloud.dataDirectory, name))
    .filter((path) => statSync(path).isFile());
  for (const name of ['audit.jsonl', 'gateway.log'])
    expect(files.some((path) => path.endsWith(name))).toBe(true);
  expect(files.flatMap((path) => leaksIn(readFileSync(path, 'latin1')).map((one) => [path, one]))).toEqual(
    [],
  );
});
