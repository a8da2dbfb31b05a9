import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on loopback that answers by hand: the test holds the response. */
export type HeldServer = {
  readonly url: string;
  /** The response to the next request that nobody has taken yet. */
  next(): Promise<ServerResponse>;
  close(): Promise<void>;
};

/** Starts one. */
export async function startHeldServer(): Promise<HeldServer> {
  const waiting: ServerResponse[] = [];
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    outgoing.on('error', () => {});
    waiting.push(outgoing);
    server.emit('held');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async next() {
      for (let held = waiting.shift(); ; held = waiting.shift()) {
        if (held !== undefined) return held;
        await once(server, 'held');
      }
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
