import { once } from 'node:events';
import { createServer } from 'node:http';

/** Where a browser comes back to after a login (RFC 8252 §7.3): a server on loopback that answers one page. */
export type RedirectListener = {
  readonly redirectUri: string;
  /** The query of the first request that carries this `state`; undefined where `signal` aborts before. */
  waitFor(state: string, signal: AbortSignal): Promise<URLSearchParams | undefined>;
  close(): void;
};

const PAGE = (text: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sallyport</title><p>${text}</p></html>\n`;
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

/** Listens on 127.0.0.1 at any free port, or at one that the client's registration names. */
export async function listenForRedirect(port: number): Promise<RedirectListener> {
  let arrived: ((query: URLSearchParams) => boolean) | undefined;
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '', 'http://127.0.0.1');
    const isOurs = url?.pathname === '/callback' && request.method === 'GET';
    const isTaken = isOurs && arrived?.(url.searchParams) === true;
    response.writeHead(isTaken ? 200 : 404, HEADERS);
    response.end(
      PAGE(isTaken ? 'Back at the command line. You may close this page.' : 'There is nothing here.'),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    redirectUri: `http://127.0.0.1:${bound}/callback`,
    waitFor(state, signal) {
      return new Promise((resolve) => {
        // Anything on this machine may call; what does not know the state is not the answer.
        arrived = (query) => {
          if (query.get('state') !== state) return false;
          resolve(query);
          return true;
        };
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
      });
    },
    close() {
      server.close();
      server.closeIdleConnections();
    },
  };
}
