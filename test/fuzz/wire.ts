import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What one HTTP request was on the wire: its first line, its headers in lower case, its body as bytes. */
export type WireRequest = {
  readonly line: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
};

/** A server that keeps every byte that reaches it, whether or not it makes a request. */
export type Wire = {
  readonly origin: string;
  /** All bytes since the last {@link Wire.clear}. */
  bytes(): Buffer;
  requests(): readonly WireRequest[];
  clear(): void;
  close(): Promise<void>;
};

const ANSWER = '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}';
const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${ANSWER.length}\r\n\r\n${ANSWER}`;

/** Listens below HTTP, so that no parser stands between what was sent and what is looked at. */
export async function startWire(): Promise<Wire> {
  let received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received.push(chunk);
      pending = Buffer.concat([pending, chunk]);
      for (let request = readRequest(pending); request !== undefined; request = readRequest(pending)) {
        pending = pending.subarray(request.length);
        socket.write(RESPONSE);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    bytes: () => Buffer.concat(received),
    requests() {
      const found: WireRequest[] = [];
      let rest = Buffer.concat(received);
      for (let request = readRequest(rest); request !== undefined; request = readRequest(rest)) {
        found.push(request.request);
        rest = rest.subarray(request.length);
      }
      return found;
    },
    clear() {
      received = [];
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function readRequest(bytes: Buffer): { readonly request: WireRequest; readonly length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(
    lines.map((text) => [
      text.slice(0, text.indexOf(':')).toLowerCase(),
      text.slice(text.indexOf(':') + 1).trim(),
    ]),
  );
  const length = end + 4 + Number(headers.get('content-length') ?? 0);
  if (bytes.length < length) return undefined;
  return { request: { line, headers, body: bytes.subarray(end + 4, length) }, length };
}
