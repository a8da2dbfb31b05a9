import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a proxy sends what it gets, and the token that it adds. */
export type Destination = { readonly origin: string; readonly token: string };

/** A proxy on loopback. */
export type BearerProxy = {
  readonly port: number;
  /** Nothing is served before. */
  sendTo(destination: Destination): void;
  close(): Promise<void>;
};

/**
 * Starts a proxy for clients that know nothing of tokens: it adds `Authorization` and changes nothing else, `Host` and `Origin` stay as
 * they are. Both directions are streamed, and either side's end is the other's.
 */
export async function startBearerProxy(): Promise<BearerProxy> {
  let destination: Destination | undefined;
  const server = createServer((incoming, outgoing) => {
    if (destination === undefined) return void outgoing.destroy();
    const { hostname, port } = new URL(destination.origin);
    const { method, url: path } = incoming;
    const headers = { ...incoming.headers, authorization: `Bearer ${destination.token}` };
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.once('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    onward.once('error', () => outgoing.destroy());
    outgoing.once('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  return {
    port,
    sendTo(next) {
      destination = next;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
