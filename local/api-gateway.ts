import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RestApi, type RestApiOptions } from './api-gateway/rest-api.ts';

/** Node's limit on the head of a request; well above API Gateway's, so that the latter answers. */
const NODE_MAX_HEAD_BYTES = 64 * 1024;

/** A running REST API. */
export type RunningApi = { readonly origin: string; readonly close: () => Promise<void> };

/**
 * Serves the REST API of a template at the root of `http://127.0.0.1:{port}`, as a custom domain would, with the stage
 * variable `origin` set to that origin. Port 0 takes any free one.
 * @throws Error naming the port where it is taken; Error where the template uses something that is not emulated
 */
export async function startApiGateway(
  options: RestApiOptions & { readonly port: number },
): Promise<RunningApi> {
  const server = createServer({
    maxHeaderSize: NODE_MAX_HEAD_BYTES,
    requestTimeout: 0,
    keepAliveTimeout: 30_000,
  });
  const origin = `http://127.0.0.1:${await listen(server, options.port)}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  try {
    const api = new RestApi(options, origin);
    server.on('request', (request, response) => void api.handle(request, response));
    server.on('clientError', refuseMalformed);
    return { origin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Answers what Node cannot read as HTTP. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '413 Content Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\nX-Request-Id: ${randomUUID()}\r\n\r\n`,
  );
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} on 127.0.0.1 is in use`) : error);
    });
    server.listen(port, '127.0.0.1', () => {
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: a server that listens on TCP has a TCP address
      resolve((server.address() as AddressInfo).port);
    });
  });
}
