import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from './certificate.ts';

/** A host of metadata documents on loopback, over TLS. */
export type DocumentHost = {
  readonly origin: string;
  /** A file with its certificate: processes that are started with it in `NODE_EXTRA_CA_CERTS` trust the host. */
  readonly certificateFile: string;
  /** How often documents were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
};

/** Serves the same metadata at every path, as the document of the client that the URL names. */
export async function startDocumentHost(metadata: object): Promise<DocumentHost> {
  const { cert, key } = selfSigned('localhost');
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-documents-'));
  const certificateFile = join(directory, 'certificate.pem');
  writeFileSync(certificateFile, cert);
  const asked: string[] = [];
  const server = createServer({ cert, key }, (request, answer) => {
    asked.push(request.url ?? '');
    const client_id = `https://${request.headers.host}${request.url}`;
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ client_id, ...metadata }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://localhost:${port}`,
    certificateFile,
    asked,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
