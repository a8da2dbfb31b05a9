import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inject } from 'vitest';
import { putInClock } from './function-clock.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A running local cloud, started as its user starts it. */
export type Sallyport = {
  readonly origin: string;
  readonly controlUrl: string;
  /** What the ready line names: endpoints and region for SDKs. */
  readonly ready: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  /** The audit records so far. */
  audit(): readonly Readonly<Record<string, unknown>>[];
  /** The log lines of a function so far. */
  logOf(name: string): string;
  token(clientId: string, options?: TokenOptions): Promise<string>;
  fetchToken(clientId: string, options?: TokenOptions): Promise<Response>;
  /** Puts the clock of the functions forward, where they were started with one of their own. */
  pass(seconds: number): void;
  fault(body: Readonly<Record<string, unknown>>): Promise<void>;
  clearFaults(): Promise<void>;
  close(): Promise<void>;
};

/** What a token is asked for: a server's resource, or none. The secret of a test client is `{id}-secret`. */
export type TokenOptions = {
  readonly server?: string;
  readonly scope?: string;
  readonly method?: 'basic' | 'post';
  readonly secret?: string;
};

/** The secret that {@link startSallyport} seeds for a client. */
export function secretOf(clientId: string): string {
  return `${clientId}-secret`;
}

/** Starts `sallyport dev` with its own configuration and data; `credentials` are seeded beside the clients' secrets. */
export async function startSallyport(options: {
  readonly config: Readonly<Record<string, string>>;
  readonly clients: readonly string[];
  readonly credentials?: Readonly<Record<string, unknown>>;
  /** Browser origins that may call; with any, the cloud is synthesized anew. */
  readonly allowedOrigins?: readonly string[];
  /** Do the functions go by a clock that {@link Sallyport.pass} puts forward? By the machine's otherwise. */
  readonly hasOwnClock?: boolean;
}): Promise<Sallyport> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-e2e-'));
  const configDirectory = join(directory, 'config');
  mkdirSync(configDirectory);
  for (const [name, text] of Object.entries(options.config)) writeFileSync(join(configDirectory, name), text);
  const seeds = Object.fromEntries([
    ...options.clients.map((id) => [`sallyport/{stage}/clients/${id}`, secretOf(id)]),
    ...Object.entries(options.credentials ?? {}),
  ]);
  writeFileSync(join(configDirectory, 'secrets.local.yml'), JSON.stringify(seeds));
  const origins = options.allowedOrigins?.join(',') ?? '';
  const allowed = origins === '' ? [] : ['--allowed-origins', origins];
  return start(directory, ['--config', configDirectory, ...allowed], secretOf, options.hasOwnClock);
}

/** Starts `sallyport dev` as a newcomer does: the shipped configuration, the demo servers, generated secrets. */
export function startDemoCloud(options: { readonly hasOwnClock?: boolean } = {}): Promise<Sallyport> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-e2e-'));
  const secretOfDemo = (clientId: string) => {
    const secrets = JSON.parse(readText(join(directory, 'data', 'demo-secrets.json')));
    return secrets.clients[clientId];
  };
  return start(directory, [], secretOfDemo, options.hasOwnClock);
}

async function start(
  directory: string,
  args: readonly string[],
  seededSecretOf: (clientId: string) => string,
  hasOwnClock = false,
): Promise<Sallyport> {
  const dataDirectory = join(directory, 'data');
  mkdirSync(dataDirectory);
  const assemblyDirectory = join(dataDirectory, 'assembly');
  cpSync(inject('assemblyDirectory'), assemblyDirectory, { recursive: true });
  const clock = hasOwnClock ? putInClock(assemblyDirectory) : undefined;
  const child = spawn(
    process.execPath,
    ['cli/main.ts', 'dev', ...args, '--data', dataDirectory, '--port', '0', '--json'],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ready = await readReady(child);
  const origin = ready['origin'] ?? '';
  const controlUrl = ready['control_url'] ?? '';

  const fetchToken = (clientId: string, asked: TokenOptions = {}): Promise<Response> => {
    const { server, scope, method = 'basic', secret = seededSecretOf(clientId) } = asked;
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (server !== undefined) form.set('resource', `${origin}/${server}/mcp`);
    if (scope !== undefined) form.set('scope', scope);
    if (method === 'post') {
      form.set('client_id', clientId);
      form.set('client_secret', secret);
    }
    const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString(
      'base64',
    );
    const headers: Record<string, string> = method === 'basic' ? { authorization: `Basic ${basic}` } : {};
    return fetch(`${origin}/oauth/token`, { method: 'POST', headers, body: form });
  };

  return {
    origin,
    controlUrl,
    ready,
    dataDirectory,
    audit: () =>
      readText(join(dataDirectory, 'audit.jsonl'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    logOf: (name) => readText(join(dataDirectory, 'logs', `${name}.log`)),
    fetchToken,
    async token(clientId, asked) {
      const response = await fetchToken(clientId, asked);
      const body = await response.text();
      if (response.status !== 200) throw new Error(`token endpoint: ${response.status} ${body}`);
      return JSON.parse(body).access_token;
    },
    pass(seconds) {
      if (clock === undefined) throw new Error('the functions go by the clock of the machine');
      clock.pass(seconds);
    },
    async fault(body) {
      const response = await fetch(`${controlUrl}/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`faults: ${response.status} ${await response.text()}`);
    },
    async clearFaults() {
      await fetch(`${controlUrl}/faults`, { method: 'DELETE' });
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGINT');
        await exited;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function readReady(child: ChildProcess): Promise<Readonly<Record<string, string>>> {
  let words = '';
  child.stderr?.on('data', (chunk) => {
    words += chunk;
  });
  if (child.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: child.stdout })) {
    const parsed = JSON.parse(line);
    if (parsed.ready === true) return parsed;
    words += line;
  }
  throw new Error(`sallyport dev ended before it was ready:\n${words}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
