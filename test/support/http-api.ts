import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the API saw it; header lines as they came. */
export type ApiRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
};

/** An HTTP API on loopback that keeps files, as RFC 9110 has it. */
export type HttpApi = {
  readonly origin: string;
  /** All that reached it, in order. */
  readonly seen: ApiRequest[];
  /** Puts a file there, and gives its entity tag. */
  put(path: string, content: Uint8Array | string, type?: string): string;
  /** Answers one path in a way of its own. */
  on(path: string, answer: (request: ApiRequest, response: ServerResponse) => void): void;
  close(): Promise<void>;
};

type File = { readonly content: Buffer; readonly type: string; readonly etag: string };

/** When every file was changed last. */
export const LAST_MODIFIED = 'Tue, 20 Oct 2026 07:28:00 GMT';

/**
 * Starts an API of files: GET and HEAD with conditions (RFC 9110 §13) and one range of bytes (§14), PUT with conditions, DELETE, POST
 * which makes a file below its path. Anything else is 405 with `Allow`.
 */
export async function startHttpApi(): Promise<HttpApi> {
  const files = new Map<string, File>();
  const ways = new Map<string, (request: ApiRequest, response: ServerResponse) => void>();
  const seen: ApiRequest[] = [];
  const put = (path: string, content: Uint8Array | string, type = 'text/plain'): string => {
    const bytes = Buffer.from(content);
    const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}"`;
    files.set(path, { content: bytes, type, etag });
    return etag;
  };
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming);
    seen.push(request);
    const [path = ''] = request.url.split('?');
    const way = ways.get(path);
    if (way === undefined) serveFile(files, put, path, request, response);
    else way(request, response);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    seen,
    put,
    on: (path, answer) => void ways.set(path, answer),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { method = '', url = '', headers, trailers } = incoming;
  return { method, url, headers, trailers, body: Buffer.concat(chunks) };
}

function serveFile(
  files: Map<string, File>,
  put: HttpApi['put'],
  path: string,
  request: ApiRequest,
  response: ServerResponse,
): ServerResponse {
  const file = files.get(path);
  const type = String(request.headers['content-type'] ?? 'application/octet-stream');
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return file === undefined ? end(response, 404) : sendFile(file, request, response);
    case 'PUT': {
      if (!isAllowedBy(request, file)) return end(response, 412);
      response.setHeader('etag', put(path, request.body, type));
      return end(response, file === undefined ? 201 : 204);
    }
    case 'POST': {
      response.setHeader('location', `${path}/1?from=post`);
      response.setHeader('content-location', `${path}/1`);
      response.setHeader('etag', put(`${path}/1`, request.body, type));
      return end(response, 201);
    }
    case 'DELETE':
      return end(response, files.delete(path) ? 204 : 404);
    default:
      response.setHeader('allow', 'GET, HEAD, PUT, POST, DELETE');
      return end(response, 405);
  }
}

/** RFC 9110 §13.1.1 and §13.1.2 for a change. */
function isAllowedBy({ headers }: ApiRequest, file: File | undefined): boolean {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  if (match !== undefined && (file === undefined || !lists(match, file.etag))) return false;
  return noneMatch === undefined || file === undefined || !lists(noneMatch, file.etag);
}

function sendFile(file: File, { method, headers }: ApiRequest, response: ServerResponse): ServerResponse {
  response.setHeader('etag', file.etag);
  response.setHeader('last-modified', LAST_MODIFIED);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('cache-control', 'private, max-age=60');
  response.setHeader('vary', 'Accept-Language');
  const { 'if-none-match': noneMatch, 'if-modified-since': since, 'if-match': match } = headers;
  if (match !== undefined && !lists(match, file.etag)) return end(response, 412);
  const isSame = noneMatch === undefined ? since === LAST_MODIFIED : lists(noneMatch, file.etag);
  if (isSame) return end(response, 304);
  response.setHeader('content-type', file.type);
  const size = file.content.byteLength;
  const ifRange = headers['if-range'];
  const isOfThis = ifRange === undefined || ifRange === file.etag || ifRange === LAST_MODIFIED;
  const range =
    isOfThis && method === 'GET' ? /^bytes=(\d+)-(\d*)$/.exec(String(headers['range'] ?? '')) : null;
  if (range === null) return end(response, 200, method === 'HEAD' ? undefined : file.content, size);
  const from = Number(range[1]);
  const to = range[2] === '' ? size - 1 : Math.min(Number(range[2]), size - 1);
  if (from > to) {
    response.setHeader('content-range', `bytes */${size}`);
    return end(response, 416);
  }
  response.setHeader('content-range', `bytes ${from}-${to}/${size}`);
  return end(response, 206, file.content.subarray(from, to + 1));
}

function lists(value: string | string[], etag: string): boolean {
  return (
    value === '*' ||
    String(value)
      .split(/\s*,\s*/)
      .includes(etag)
  );
}

function end(response: ServerResponse, status: number, body?: Buffer, length?: number): ServerResponse {
  if (status !== 204 && status !== 304) {
    response.setHeader('content-length', String(length ?? body?.byteLength ?? 0));
  }
  return response.writeHead(status).end(body);
}
