import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { type LocalCloud, startLocalCloud } from '../../local/cloud.ts';
import { secretOf } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = 'https://app.example.com';
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';

/** A running deployment, and a token for it. */
type Deployment = { readonly cloud: LocalCloud; readonly token: string };

const cleanUps: (() => Promise<void> | void)[] = [];
let upstream: ToolServers;

beforeAll(async () => {
  upstream = await startToolServers({ tools: ['read', 'slow'] });
});
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  await upstream?.close();
});

async function deploy(context: Readonly<Record<string, string>>): Promise<Deployment> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-pages-'));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  const assemblyDir = join(directory, 'assembly');
  await synthesize(assemblyDir, context);
  const cloud = await startLocalCloud({
    assemblyDir,
    dataDir: join(directory, 'data'),
    port: 0,
    secrets: new Map([['sallyport/local/clients/agent', secretOf('agent')]]),
    log: () => {},
  });
  cleanUps.push(() => cloud.close());
  const rules = ['tools', 'gone', 'context-store'].map((server) => ({
    server,
    methods: ['initialize', 'tools/call'],
    tools: ['read', 'slow', 'doc_query', 'doc_read'],
  }));
  const agent = {
    grants: ['client_credentials'],
    scopes: ['use'],
    audience: 'gateway',
    namespace: 'n',
    secret: { ref: 'sallyport/{stage}/clients/agent' },
  };
  const servers = {
    tools: { url: upstream.urlOf('tools'), private: true },
    gone: { url: 'http://127.0.0.1:9/mcp', private: true },
  };
  const files = {
    'scopes.yml': JSON.stringify({ use: rules }),
    'servers.yml': JSON.stringify({ servers }),
    'clients.yml': JSON.stringify({ clients: { agent } }),
  };
  await cloud.invoke('control', { apply: { source: 'dev', files } });
  const answer = await fetch(`${cloud.origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`agent:${secretOf('agent')}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return { cloud, token: JSON.parse(await answer.text()).access_token };
}

async function synthesize(outDir: string, context: Readonly<Record<string, string>>): Promise<void> {
  const settings = { ...cdkJson.context, stage: 'local', allowedOrigins: PAGE, ...context };
  await promisify(execFile)(process.execPath, [join(ROOT, 'infra', 'app.ts')], {
    cwd: ROOT,
    env: {
      ...process.env,
      // What the app starts in turn runs on the same Node.
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
      CDK_OUTDIR: outDir,
      CDK_CONTEXT_JSON: JSON.stringify(settings),
    },
  });
}

type Row = {
  readonly label: string;
  readonly path: string;
  readonly status: number;
  readonly body?: string;
  readonly isAnonymous?: boolean;
};

const ROWS: readonly Row[] = [
  { label: 'a tool', path: '/tools/mcp', body: CALL, status: 200 },
  { label: 'a stream', path: '/tools/mcp', body: CALL.replace('read', 'slow'), status: 200 },
  { label: 'a denied tool', path: '/tools/mcp', body: CALL.replace('read', 'hidden'), status: 200 },
  { label: 'a message that cannot be read', path: '/tools/mcp', body: '{', status: 400 },
  { label: 'a server that does not exist', path: '/nowhere/mcp', body: CALL, status: 404 },
  { label: 'a method that is not allowed', path: '/tools/mcp', status: 405 },
  { label: 'a server that is gone', path: '/gone/mcp', body: CALL, status: 502 },
  { label: 'the context store', path: '/context/documents', status: 200 },
  { label: 'a document that does not exist', path: '/context/documents/absent', status: 404 },
  { label: 'the metadata of the issuer', path: '/.well-known/oauth-authorization-server', status: 200 },
  { label: 'the metadata of a server', path: '/.well-known/oauth-protected-resource/tools/mcp', status: 200 },
  { label: 'the keys', path: '/.well-known/jwks.json', status: 200 },
  { label: 'a token request that is refused', path: '/oauth/token', body: '{}', status: 400 },
  { label: 'who am I', path: '/me', status: 200 },
  { label: 'no token', path: '/tools/mcp', body: CALL, status: 401, isAnonymous: true },
  { label: 'no route', path: '/no/such/route', status: 404 },
];

function ask(
  { cloud, token }: Deployment,
  { path, body, isAnonymous }: Row,
  origin: string,
): Promise<Response> {
  return fetch(`${cloud.origin}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      origin,
      accept: 'application/json, text/event-stream',
      ...(isAnonymous ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
  });
}

const FRONTS: readonly { readonly front: string; readonly context: Readonly<Record<string, string>> }[] = [
  {
    front: 'a domain name of its own',
    context: {
      domainName: 'gate.example.com',
      certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/one',
    },
  },
  { front: 'CloudFront', context: {} },
];

describe.each(FRONTS)('behind $front, a page of the listed origin reads', ({ context }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await deploy(context);
  });

  test.for(ROWS)('$label ($status)', async (row) => {
    const response = await ask(deployment, row, PAGE);
    expect([response.status, await response.text()]).toEqual([row.status, expect.any(String)]);
    // A header that two of them had set would be there twice, which no browser takes.
    expect(response.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(response.headers.get('access-control-expose-headers')?.split(/,\s*/)).toEqual([
      'Mcp-Session-Id',
      'WWW-Authenticate',
      'X-Request-Id',
    ]);
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  });

  test('what it may ask, before it asks', async () => {
    const response = await fetch(`${deployment.cloud.origin}/tools/mcp`, {
      method: 'OPTIONS',
      headers: { origin: PAGE, 'access-control-request-method': 'POST' },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, PAGE]);
    const allowed = response.headers.get('access-control-allow-headers')?.toLowerCase().split(/,\s*/);
    const needed = ['authorization', 'content-type', 'mcp-method', 'mcp-name', 'mcp-protocol-version'];
    expect(allowed).toEqual(expect.arrayContaining([...needed, 'mcp-session-id', 'last-event-id']));
  });

  test('and no page of another origin: it is refused, and not told why', async () => {
    const [row] = ROWS;
    if (row === undefined) throw new Error('no row');
    const response = await ask(deployment, row, 'https://evil.example.com');
    await response.text();
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });
});
