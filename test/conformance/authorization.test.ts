import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { calculateJwkThumbprint, decodeProtectedHeader, type JWK } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { companyBrowser, type LoginCloud, logInAs, startLoginCloud } from '../support/login-cloud.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const COMMAND = join(ROOT, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');
/** A native app, whose port the suite chooses. */
const APP = 'suite-app';

let running: LoginCloud;

beforeAll(async () => {
  running = await startLoginCloud({
    clients: {
      [APP]: {
        org: 'acme',
        auth: 'none',
        grants: ['authorization_code', 'refresh_token'],
        scopes: ['desk/read'],
        redirect_uris: ['http://127.0.0.1/callback'],
      },
    },
    secretClients: {
      'suite-agent': {
        org: 'acme',
        grants: ['client_credentials'],
        scopes: ['desk/read'],
        audience: 'gateway',
        secret: { ref: 'sallyport/{stage}/clients/suite-agent' },
      },
    },
  });
});
afterAll(() => running?.close());

test('the public suite for authorization servers passes, with a user who logs in at a provider', {
  timeout: 60_000,
}, async ({ signal }) => {
  expect(await runAuthorizationSuite(signal)).toEqual({
    'authorization-server-metadata-endpoint': ['SUCCESS', 'SUCCESS'],
    'authorization-code-grant': ['SUCCESS'],
  });
});

test('one document under both well-known names, whose issuer is the URL that it was asked at', async () => {
  const read = async (name: string) => {
    const answer = await fetch(`${running.cloud.origin}/.well-known/${name}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    return answer.json();
  };
  const metadata = await read('oauth-authorization-server');
  expect(await read('openid-configuration')).toEqual(metadata);
  expect(metadata).toMatchObject({ issuer: running.cloud.origin });
});

test('every key goes by its thumbprint, and the one of a token is among them', async () => {
  const answer = await fetch(`${running.cloud.origin}/.well-known/jwks.json`);
  const { keys }: { keys: JWK[] } = JSON.parse(await answer.text());
  const thumbprints = await Promise.all(keys.map((key) => calculateJwkThumbprint(key)));
  expect(keys.map(({ kid }) => kid)).toEqual(thumbprints);
  expect(new Set(thumbprints).size).toBe(keys.length);
  expect(thumbprints).toContain(decodeProtectedHeader(await running.cloud.token('suite-agent')).kid);
});

/** Runs every scenario; a browser of ours opens the URL that the suite prints, and logs `ada` in. The statuses of each one's checks. */
async function runAuthorizationSuite(signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const { origin } = running.cloud;
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-conformance-'));
  const callback = await freeCallback();
  const options = ['--url', origin, '--client-id', APP, '--resource', `${origin}/prices/mcp`];
  const run = spawn(
    process.execPath,
    [COMMAND, 'authorization', ...options, '-p', callback.port, '-o', directory],
    { stdio: ['ignore', 'pipe', 'ignore'], signal },
  );
  const exited = once(run, 'exit');
  try {
    const end = await logInAs(companyBrowser(callback.href), 'ada', await printedUrl(run));
    await (await fetch(end.url)).text();
    await exited;
    return Object.fromEntries(readdirSync(directory).map((name) => readScenario(directory, name)));
  } finally {
    run.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function printedUrl(run: ChildProcess): Promise<string> {
  if (run.stdout === null) throw new Error('no standard output');
  const lines = createInterface({ input: run.stdout });
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.startsWith(`${running.cloud.origin}/oauth/authorize?`)) resolve(line);
    });
    lines.on('close', () => reject(new Error('the suite printed no URL')));
  });
}

/** Directories are named `authorization-server-{scenario}-{time}`. */
function readScenario(directory: string, name: string): readonly [string, readonly string[]] {
  const checks: { status: string }[] = JSON.parse(readFileSync(join(directory, name, 'checks.json'), 'utf8'));
  const scenario = name.replace(/^authorization-server-/, '').replace(/-\d{4}-\d{2}-\d{2}T[\d-]+Z$/, '');
  return [scenario, checks.map(({ status }) => status)];
}

/** A redirect URI on loopback, at a port that was free a moment ago. */
async function freeCallback(): Promise<URL> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const closed = once(server, 'close');
  server.close();
  await closed;
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return new URL(`http://127.0.0.1:${address.port}/callback`);
}
