import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CLIENT = { org: 'acme', grants: ['client_credentials'], audience: 'gateway', scopes: ['runs/issue'] };

let cloud: Sallyport;
let directory: string;
let service: ChildProcess;
let serviceUrl: string;

beforeAll(async () => {
  const clients = ['coordinator', 'globex-coordinator'];
  cloud = await startSallyport({
    clients,
    config: {
      'scopes.yml': 'maps/read: [{ server: maps, methods: [initialize] }]',
      'servers.yml': '{}',
      'orgs.yml': 'orgs: { acme: {}, globex: {} }',
      'clients.yml': JSON.stringify({
        clients: Object.fromEntries(
          clients.map((id) => [
            id,
            {
              ...CLIENT,
              org: id.startsWith('globex') ? 'globex' : 'acme',
              secret: { ref: `sallyport/{stage}/clients/${id}` },
              run_namespaces: ['atlas', 'voyage-7'],
            },
          ]),
        ),
      }),
    },
  });
  directory = installService();
  service = spawn(process.execPath, ['service.mjs', cloud.origin, 'charts'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = service.stdout === null ? [''] : await once(createInterface(service.stdout), 'line');
  serviceUrl = `http://127.0.0.1:${JSON.parse(String(line)).port}/`;
});

afterAll(async () => {
  if (service?.exitCode === null) {
    service.kill();
    await once(service, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
  await cloud?.close();
});

/** A directory as `npm install` of the packed verifier leaves it: what `files` and `exports` of its package name, and nothing else. */
function installService(): string {
  const made = mkdtempSync(join(tmpdir(), 'sallyport-service-'));
  execFileSync('npm', ['run', '--silent', 'build:verifier'], { cwd: ROOT, stdio: 'pipe' });
  const packed = execFileSync(
    'npm',
    ['pack', '--silent', '--json', '--pack-destination', made, './verifier'],
    {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [{ filename = '' } = {}] = JSON.parse(packed);
  const installed = join(made, 'node_modules', 'sallyport-verifier');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(made, filename), '--strip-components=1', '-C', installed]);
  cpSync(join(ROOT, 'test', 'verifier', 'example-service.mjs'), join(made, 'service.mjs'));
  return made;
}

async function openRun(changes: Record<string, unknown>, coordinator = 'coordinator') {
  const response = await fetch(`${cloud.origin}/runs`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await cloud.token(coordinator)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ agent_name: 'pilot', ...changes }),
  });
  expect(response.status).toBe(201);
  return JSON.parse(await response.text());
}

const charts = (filters?: Record<string, string>, namespace = 'atlas') => ({
  services: { charts: { namespace, ...(filters === undefined ? {} : { scope_filters: filters }) } },
});

async function write(token: string, text: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(serviceUrl, { method: 'POST', headers, body: text })).status;
}

async function read(token: string): Promise<unknown> {
  const response = await fetch(serviceUrl, { headers: { authorization: `Bearer ${token}` } });
  return response.status === 200 ? response.json() : response.status;
}

test('a service of its own lets a run see exactly its namespace and filters', async () => {
  const one = await openRun(charts({ session: 's-1' }));
  const two = await openRun(charts({ session: 's-2' }));
  const whole = await openRun(charts());
  const elsewhere = await openRun(charts({ session: 's-1' }, 'voyage-7'));
  const globex = await openRun(charts(), 'globex-coordinator');
  expect(await write(one.service_token, 'of one')).toBe(201);
  expect(await write(two.service_token, 'of two')).toBe(201);
  expect(await write(whole.service_token, 'of all')).toBe(201);
  expect(await read(one.service_token)).toEqual(['of one', 'of all']);
  expect(await read(two.service_token)).toEqual(['of two', 'of all']);
  expect(await read(whole.service_token)).toEqual(['of one', 'of two', 'of all']);
  expect(await read(elsewhere.service_token)).toEqual([]);
  expect(await read(globex.service_token)).toEqual([]);
});

test('a run that may only read, or that has no section for the service, is refused there', async () => {
  const reader = await openRun({ ...charts({ session: 's-9' }), permissions: ['read'] });
  expect(await write(reader.service_token, 'no')).toBe(403);
  const other = await openRun({ context: { namespace: 'voyage-7' } });
  expect(await read(other.service_token)).toBe(403);
});

test('a split run gives each service a token that is good there alone', async () => {
  const { service_tokens: tokens } = await openRun({
    ...charts({ session: 's-3' }),
    context: { namespace: 'voyage-7' },
    split: true,
  });
  expect(await read(tokens.charts)).toEqual(['of all']);
  expect(await read(tokens['context-store'])).toBe(403);
});

test('no token, an access token, and a token whose last letter was changed are 401', async () => {
  const { service_token: token } = await openRun(charts());
  const last = token.at(-1) === 'A' ? 'B' : 'A';
  expect((await fetch(serviceUrl)).status).toBe(401);
  expect(await read(await cloud.token('coordinator'))).toBe(401);
  expect(await read(`${token.slice(0, -1)}${last}`)).toBe(401);
});

test('a token that is past its time is 401', { timeout: 30_000 }, async () => {
  const { service_token: token, expires_in: lifetime } = await openRun({ ...charts(), ttl: 1 });
  expect(lifetime).toBe(1);
  expect(await read(token)).toBeInstanceOf(Array);
  await expect.poll(() => read(token), { timeout: 20_000, interval: 500 }).toBe(401);
});
