import type { IncomingMessage } from 'node:http';

/** API Gateway's limit on the request line and all headers together, in bytes. */
const MAX_HEAD_BYTES = 10_240;

/** API Gateway's limit on a request body, in bytes. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Hop-by-hop headers and others that API Gateway takes off before a function sees the request. */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** One HTTP request as API Gateway holds it: whole, with header names as they were sent. */
export type GatewayRequest = {
  readonly method: string;
  /** Path as received, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  readonly sourceIp: string;
};

/** Reads a request; `undefined` where its head or body is beyond API Gateway's limits. @throws where the client goes away */
export async function readRequest(message: IncomingMessage): Promise<GatewayRequest | undefined> {
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Read to its end even where it is too large: a client that is still sending would miss the answer.
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (headBytes(message) > MAX_HEAD_BYTES || bytes > MAX_BODY_BYTES) return undefined;
  const sourceIp = (message.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
  return {
    method: message.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark)),
    headers: toHeaders(message, sourceIp),
    body: Buffer.concat(chunks),
    sourceIp,
  };
}

/** The last value of a header by its name in any case, as API Gateway picks one of several. */
export function lastHeader(
  headers: ReadonlyMap<string, readonly string[]>,
  name: string,
): string | undefined {
  for (const [given, values] of headers) {
    if (given.toLowerCase() === name.toLowerCase()) return values.at(-1);
  }
  return undefined;
}

function headBytes(message: IncomingMessage): number {
  const line = `${message.method} ${message.url} HTTP/${message.httpVersion}\r\n`;
  return message.rawHeaders.reduce(
    (sum, text) => sum + Buffer.byteLength(text, 'latin1') + 2,
    Buffer.byteLength(line, 'latin1'),
  );
}

/** Headers that differ in case only are one header, under the name that came first. */
function toHeaders(message: IncomingMessage, sourceIp: string): Map<string, string[]> {
  const names = new Map<string, string>();
  const headers = new Map<string, string[]>();
  const add = (given: string, value: string) => {
    const name = names.get(given.toLowerCase()) ?? given;
    names.set(given.toLowerCase(), name);
    headers.set(name, [...(headers.get(name) ?? []), value]);
  };
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    const name = message.rawHeaders[index] ?? '';
    // Header values are bytes: Node reads them as latin1, API Gateway as UTF-8.
    const value = Buffer.from(message.rawHeaders[index + 1] ?? '', 'latin1').toString('utf8');
    if (!DROPPED.has(name.toLowerCase())) add(name, value);
  }
  const before = lastHeader(headers, 'X-Forwarded-For');
  for (const name of ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto']) {
    headers.delete(names.get(name.toLowerCase()) ?? name);
  }
  headers.set('X-Forwarded-For', [before === undefined ? sourceIp : `${before}, ${sourceIp}`]);
  headers.set('X-Forwarded-Port', [String(message.socket.localPort ?? 443)]);
  headers.set('X-Forwarded-Proto', ['http']);
  return headers;
}
