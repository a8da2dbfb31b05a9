import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A running HTTP server on 127.0.0.1. */
export type LoopbackServer = { readonly url: string; readonly close: () => Promise<void> };

/**
 * Serves on a free port of 127.0.0.1. A handler that throws answers 500; a client that goes away is not a failure. A request
 * for another host than loopback is refused, so that no web page reaches it by a name that it made resolve here.
 */
export function startLoopbackServer(
  handle: (request: IncomingMessage, body: Buffer, response: ServerResponse) => Promise<void>,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? '')) {
      response.writeHead(421).end();
      return;
    }
    void readBody(request)
      .then((body) => handle(request, body, response))
      .catch((error: unknown) => {
        if (request.destroyed && !request.complete) return;
        if (response.headersSent) response.destroy();
        else response.writeHead(500, { 'Content-Type': 'text/plain' }).end(String(error));
      });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: a server that listens on TCP has a TCP address
      const { port } = server.address() as AddressInfo;
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        });
      resolve({ url: `http://127.0.0.1:${port}`, close });
    });
  });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
