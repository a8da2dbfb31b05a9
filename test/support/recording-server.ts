import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the server saw it. */
export type RecordedRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** A server on loopback that keeps what reached it. */
export type RecordingServer = {
  readonly origin: string;
  readonly seen: RecordedRequest[];
  close(): Promise<void>;
};

/** Starts a server whose answers are `respond`'s alone: nothing is added, and it need not answer at all. */
export async function startRecordingServer(
  respond: (request: RecordedRequest, answer: ServerResponse) => void,
): Promise<RecordingServer> {
  const seen: RecordedRequest[] = [];
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(request);
      respond(request, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers a JSON-RPC request with one text, whatever it asks. */
export function answerTool(request: RecordedRequest, answer: ServerResponse, text: string): void {
  const id = JSON.parse(request.body).id ?? null;
  answer.writeHead(200, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } }));
}
