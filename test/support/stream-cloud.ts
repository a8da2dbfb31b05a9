import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { type LocalCloudOptions, startLocalCloud } from '../../local/cloud.ts';

const AGENT = 'agent';
const SERVER = 'fin-server';
const CALL = '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"wait"}}';

/** What is behind the gateway: entries of `servers.yml` and `services.yml`, by name. A service is used by the server `fin`. */
export type Behind = {
  readonly servers: Readonly<Record<string, object>>;
  readonly services?: Readonly<Record<string, object>>;
};

/** The local cloud in this process, and a client that may call everything behind it. */
export type StreamCloud = {
  /** The environments that were started so far: each is a thread of this process. */
  readonly workers: readonly Worker[];
  /** Calls a tool. */
  start(server: string): ClientRequest;
  /** Calls a tool and resolves with the head of the answer, of which nothing more is read. */
  call(server: string, headers?: OutgoingHttpHeaders): Promise<IncomingMessage>;
  /** Calls a service as the server `fin` does, on behalf of whom the delegation names. */
  callService(path: string, delegation: string): Promise<IncomingMessage>;
  /** The reasons of the outcomes recorded so far, in their order. */
  outcomes(): readonly string[];
  close(): Promise<void>;
};

/** Starts one. Servers that put a credential on find one. */
export async function startStreamCloud(
  options: Pick<LocalCloudOptions, 'assemblyDir' | 'disconnects' | 'maxEnvironments'>,
  behind: Behind,
): Promise<StreamCloud> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-stream-'));
  const workers: Worker[] = [];
  const started = (worker: Worker) => void workers.push(worker);
  process.on('worker', started);
  const names = [...Object.keys(behind.servers), ...Object.keys(behind.services ?? {})];
  const cloud = await startLocalCloud({
    ...options,
    dataDir,
    port: 0,
    secrets: new Map([
      ...[AGENT, SERVER].map((id) => [`sallyport/local/clients/${id}`, `${id}-secret`] as const),
      ...names.map(
        (name) =>
          [
            `sallyport/local/credentials/default/${name}/client.${AGENT}`,
            JSON.stringify({ type: 'bearer', token: 'key-of-the-agent' }),
          ] as const,
      ),
    ]),
    log: () => {},
  });
  await cloud.invoke('control', { apply: { source: 'dev', files: configurationFor(behind) } });
  const tokens = new Map<string, string>();
  for (const id of 'fin' in behind.servers ? [AGENT, SERVER] : [AGENT])
    tokens.set(id, await fetchToken(cloud.origin, id));

  const open = (client: string, path: string, method: string, headers: OutgoingHttpHeaders) => {
    const authorization = `Bearer ${tokens.get(client) ?? ''}`;
    const options = { method, agent: false, headers: { authorization, ...headers } };
    return request(`${cloud.origin}${path}`, options).end(method === 'POST' ? CALL : undefined);
  };
  const start = (server: string, headers: OutgoingHttpHeaders = {}) =>
    open(AGENT, `/${server}/mcp`, 'POST', {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    });
  return {
    workers,
    start: (server) => start(server).on('error', () => {}),
    call: (server, headers) => headOf(start(server, headers)),
    callService: (path, delegation) =>
      headOf(open(SERVER, `/egress/${path}`, 'GET', { 'x-delegation': delegation })),
    outcomes: () =>
      readFileSync(join(dataDir, 'audit.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
        .filter(({ event }) => event === 'outcome')
        .map(({ reason }) => reason),
    async close() {
      process.off('worker', started);
      await cloud.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function headOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => void call.once('response', resolve).on('error', reject));
}

async function fetchToken(origin: string, clientId: string): Promise<string> {
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientId}-secret`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`token endpoint: ${response.status} ${text}`);
  return JSON.parse(text).access_token;
}

function configurationFor({ servers, services = {} }: Behind): Record<string, string> {
  const rules = Object.keys(servers).map((server) => ({ server, methods: ['all'], tools: ['all'] }));
  const client = (id: string, entry: object) => ({
    grants: ['client_credentials'],
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
    ...entry,
  });
  const clients = {
    [AGENT]: client(AGENT, { scopes: ['all/execute'] }),
    ...('fin' in servers ? { [SERVER]: client(SERVER, { scopes: [], server: 'fin' }) } : {}),
  };
  const allow = [{ method: 'GET', path: '/**' }];
  const entries = Object.entries(services).map(([name, entry]) => [
    name,
    { used_by: ['fin'], allow, ...entry },
  ]);
  return {
    'scopes.yml': JSON.stringify({ 'all/execute': rules }),
    'servers.yml': JSON.stringify({ servers }),
    'services.yml': JSON.stringify({ services: Object.fromEntries(entries) }),
    'clients.yml': JSON.stringify({ clients }),
  };
}
