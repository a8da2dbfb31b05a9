import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { startStreamCloud } from './stream-cloud.ts';

const BLOCK_BYTES = 64 * 1024;

/** What an upstream has to say: events of a kilobyte, one event that never ends, JSON with one long text, or bytes. */
export type Bulk = 'events' | 'event' | 'json' | 'bytes';

/** Large answers through the whole local cloud, from an upstream that never tires. */
export type BulkStreams = {
  /** The one environment of the gateway. */
  readonly gateway: Worker;
  /** A tool's answer. `searched`: every event or body is looked at, for lists and for the credential that was put on. */
  call(bulk: Bulk, bytes: number, how?: 'plain' | 'searched'): Promise<IncomingMessage>;
  /** An API's answer to a server, by the egress gateway; a credential is put on. */
  callService(bulk: Bulk, bytes: number): Promise<IncomingMessage>;
  /** How often an environment was started, of whatever function. */
  environments(): number;
  /** What was recorded of the last call. */
  lastOutcome(): string | undefined;
  close(): Promise<void>;
};

/** Starts everything, and calls the gateway once. */
export async function startBulkStreams(assemblyDir: string): Promise<BulkStreams> {
  let next: { readonly bulk: Bulk; readonly bytes: number } = { bulk: 'json', bytes: 0 };
  let delegation = '';
  const upstream = createServer((incoming, outgoing) => {
    const { authorization = '' } = incoming.headers;
    if (incoming.url === '/fin') delegation = authorization.slice('Bearer '.length);
    incoming.resume();
    answer(outgoing, next.bulk, next.bytes);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const entry = (path: string, mode: string) => ({
    url: `${origin}/${path}`,
    private: true,
    egress: { mode },
  });
  const cloud = await startStreamCloud(
    { assemblyDir, maxEnvironments: 1 },
    {
      servers: {
        plain: entry('plain', 'none'),
        searched: entry('searched', 'service_account'),
        fin: entry('fin', 'identity'),
      },
      services: { bulk: entry('', 'service_account') },
    },
  );
  const first = await cloud.call('fin');
  await once(first.resume(), 'end');
  const gateway = cloud.workers.at(-1);
  if (gateway === undefined) throw new Error('the gateway has no environment');
  const session = String((await cloud.call('searched')).resume().headers['mcp-session-id']);
  return {
    gateway,
    call(bulk, bytes, how = 'plain') {
      next = { bulk, bytes };
      return cloud.call(how, how === 'searched' ? { 'mcp-session-id': session } : {});
    },
    callService(bulk, bytes) {
      next = { bulk, bytes };
      return cloud.callService('bulk/all', delegation);
    },
    environments: () => cloud.workers.length,
    lastOutcome: () => cloud.outcomes().at(-1),
    async close() {
      await cloud.close();
      const closed = once(upstream, 'close');
      upstream.close();
      upstream.closeAllConnections();
      await closed;
    },
  };
}

function answer(outgoing: ServerResponse, bulk: Bulk, bytes: number): void {
  const type = {
    events: 'text/event-stream',
    event: 'text/event-stream',
    json: 'application/json',
    bytes: 'image/png',
  };
  outgoing.writeHead(200, { 'content-type': type[bulk], 'mcp-session-id': 'of-the-upstream' });
  Readable.from(blocks(bulk, bytes), { objectMode: false }).pipe(outgoing);
}

function* blocks(bulk: Bulk, bytes: number): Generator<Buffer> {
  const params = `{"progress":1,"message":"${'x'.repeat(900)}"}`;
  const event = `data: {"jsonrpc":"2.0","method":"notifications/progress","params":${params}}\n\n`;
  const frames = {
    events: ['', event.repeat(BLOCK_BYTES / event.length), ''],
    event: ['data: ', 'x'.repeat(BLOCK_BYTES), '\n\n'],
    json: ['{"jsonrpc":"2.0","id":5,"result":{"text":"', 'x'.repeat(BLOCK_BYTES), '"}}'],
    bytes: ['', '\u0007'.repeat(BLOCK_BYTES), ''],
  } as const;
  const [head, middle, tail] = frames[bulk].map((text) => Buffer.from(text));
  if (head !== undefined && head.length > 0) yield head;
  for (let sent = 0; middle !== undefined && sent < bytes; sent += middle.length) yield middle;
  if (tail !== undefined && tail.length > 0) yield tail;
}
