import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Upstream } from '../../../functions/core/ports.ts';
import { current, type Exchange } from './exchange.ts';

/** Servers and services on loopback. */
export type UpstreamServer = { readonly origin: string; close(): Promise<void> };

/**
 * Puts an upstream on loopback. Which request it is called for it learns by `find` from the trace id that travels with each; a
 * connection is one isolation key, so that one which serves two callers is found.
 */
export async function startUpstreamServer(
  upstream: Upstream,
  find: (traceparent: string) => Exchange | undefined,
  onStranger: (request: IncomingMessage) => void,
): Promise<UpstreamServer> {
  const connections = new WeakMap<object, string>();
  let opened = 0;
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const exchange = find(String(incoming.headers['traceparent']));
    if (exchange === undefined) {
      onStranger(incoming);
      return void outgoing.destroy();
    }
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort());
    const answer = await current.run(exchange, () =>
      upstream.send({
        url: new URL(incoming.url ?? '', origin),
        method: incoming.method ?? '',
        headers: new Map(
          Object.entries(incoming.headersDistinct).map(([name, values]) => [name, String(values)]),
        ),
        body: Buffer.concat(chunks),
        allowPrivate: true,
        isolationKey: connections.get(incoming.socket) ?? '',
        timeout: { connectMs: 0, firstByteMs: 0, silenceMs: 0, callMs: 0 },
        signal: gone.signal,
      }),
    );
    if (answer.ok) return send(outgoing, answer.value.status, answer.value.headers, answer.value.body);
    if (answer.error.reason === 'redirect') outgoing.writeHead(302, { location: '/elsewhere' }).end();
    else outgoing.destroy();
  };
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.on('connection', (socket) => {
    opened += 1;
    connections.set(socket, `connection ${opened}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function send(
  outgoing: ServerResponse,
  status: number,
  headers: ReadonlyMap<string, string>,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  outgoing.writeHead(status, Object.fromEntries(headers));
  for await (const chunk of body) outgoing.write(chunk);
  outgoing.end();
}
