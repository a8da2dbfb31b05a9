import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { traceIdOf } from '../core/audit.ts';
import type { Invocation } from '../core/invocation.ts';
import { pump } from './pump.ts';

/** An app in the shape of Hono's `fetch`. */
export type FetchApp = {
  fetch(request: Request, invocation: Invocation): Response | Promise<Response>;
};

/** The response stream that the Lambda runtime hands to a streaming handler. */
type ResponseStream = Writable & { setContentType?(type: string): void };

type StreamPrelude = {
  statusCode: number;
  headers: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
};

/** Globals of the Lambda Node.js runtime (response streaming). */
declare const awslambda: {
  streamifyResponse<E>(handler: (event: E, stream: ResponseStream) => Promise<void>): unknown;
  HttpResponseStream: { from(stream: ResponseStream, prelude: StreamPrelude): ResponseStream };
};

/** RFC 9110 §7.6.1: never forwarded; `transfer-encoding` and lengths are the platform's own. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 §5.6.2. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Headers of an API Gateway event, repeated ones joined as `Headers` joins them. A value that arrives as text beyond Latin-1 is put
 * back into bytes, which is all that `Headers` takes: a caller's odd header must refuse the caller, not break the function, whose
 * exception would have the value in it. So a character that `Headers` refuses is another control character, which no token, method or
 * upstream takes either, and what is no name of a header is left out.
 */
export function toHeaders(event: {
  readonly multiValueHeaders: Readonly<Record<string, string[] | undefined>> | null;
}): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {})) {
    if (!FIELD_NAME.test(name)) continue;
    for (const value of values ?? []) headers.append(name, toByteString(value));
  }
  return headers;
}

function toByteString(value: string): string {
  const isLatin1 = [...value].every((character) => character <= '\u00ff');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the Fetch standard names these as the ones that no value has
  return (isLatin1 ? value : Buffer.from(value).toString('latin1')).replace(/[\u0000\r\n]/g, '\u0001');
}

/**
 * Turns a REST API proxy event into a web `Request`; undefined where its path means another one as a URL (dot segments,
 * backslashes, control characters): the route that was authorized is the route that is served. The URL's origin is
 * configuration (stage variable `origin`), so nothing downstream can see `Host`. A body on GET or HEAD is dropped: `Request` has
 * no place for it and no route reads it.
 */
export function toRequest(event: APIGatewayProxyEvent, signal: AbortSignal): Request | undefined {
  const url = new URL(originOf(event));
  url.pathname = event.path;
  if (decodePath(url.pathname) !== decodePath(event.path)) return undefined;
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    for (const value of values ?? []) url.searchParams.append(name, value);
  }
  const hasBody = event.httpMethod !== 'GET' && event.httpMethod !== 'HEAD' && event.body !== null;
  return new Request(url, {
    method: event.httpMethod,
    headers: toHeaders(event),
    body: hasBody ? Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8') : null,
    signal,
  });
}

/** A URL percent-encodes what a path may not have as it stands, which changes no meaning; everything else is a change. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * The id of a request, for answers and records. API Gateway lets its caller choose one (`x-amzn-RequestId`); what is not
 * shaped like an id is replaced by a digest of itself, the same in every function.
 */
export function requestIdOf({ requestId }: { readonly requestId: string }): string {
  if (/^[\w-]{1,64}$/.test(requestId)) return requestId;
  return createHash('sha256').update(requestId).digest('hex').slice(0, 32);
}

/**
 * The public origin of the deployment.
 * @throws Error where the stage has no `origin` variable: a deployment fault, answered 500
 */
export function originOf(event: Pick<APIGatewayProxyEvent, 'stageVariables'>): string {
  const origin = event.stageVariables?.['origin'];
  if (!origin) throw new Error('stage variable `origin` is missing');
  return origin;
}

function toInvocation(
  event: APIGatewayProxyEvent,
  signal: AbortSignal,
  pending: Promise<unknown>[],
): Invocation {
  return {
    requestId: requestIdOf(event.requestContext),
    origin: originOf(event),
    sourceIp: event.requestContext.identity.sourceIp,
    ...traceOf(event),
    signal,
    waitUntil: (work) => void pending.push(work),
  };
}

/** The trace of a request's one well-formed `traceparent`. */
export function traceOf({
  multiValueHeaders,
}: {
  readonly multiValueHeaders: Readonly<Record<string, string[] | undefined>> | null;
}): Pick<Invocation, 'traceId'> {
  const entry = Object.entries(multiValueHeaders ?? {}).find(
    ([name]) => name.toLowerCase() === 'traceparent',
  );
  const [value = null, ...more] = entry?.[1] ?? [];
  const traceId = more.length === 0 ? traceIdOf(value) : undefined;
  return traceId === undefined ? {} : { traceId };
}

/** A handler for a route whose integration answers whole (`BUFFERED`). A body that fails fails the invocation, once what it keeps alive is done. */
export function createBufferedHandler(
  app: FetchApp,
): (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult> {
  return async (event) => {
    const { signal } = new AbortController();
    const pending: Promise<unknown>[] = [];
    try {
      const response = await serve(app, event, toInvocation(event, signal, pending));
      const { statusCode, ...headers } = toPrelude(response);
      const body = Buffer.from(await response.arrayBuffer()).toString('base64');
      return { statusCode, ...headers, body, isBase64Encoded: true };
    } finally {
      await Promise.allSettled(pending);
    }
  };
}

/**
 * A handler for a route whose integration streams (`STREAM`). The prelude leaves before the first chunk; a chunk leaves
 * as it arrives and waits for the stream to drain. A body that fails fails the invocation, which cuts the response short: what is
 * half must not look whole. It never fails the process. Where the platform reports that the client is gone, the invocation's signal aborts and the body is cancelled.
 */
export function createStreamingHandler(app: FetchApp): unknown {
  return awslambda.streamifyResponse(async (event: APIGatewayProxyEvent, stream: ResponseStream) => {
    const gone = new AbortController();
    stream.on('error', () => gone.abort());
    stream.on('close', () => {
      if (!stream.writableFinished) gone.abort();
    });
    const pending: Promise<unknown>[] = [];
    const response = await serve(app, event, toInvocation(event, gone.signal, pending));
    const out = awslambda.HttpResponseStream.from(stream, toPrelude(response));
    out.write('');
    try {
      await pump(response.body, out, gone.signal);
    } finally {
      await Promise.allSettled(pending);
    }
  });
}

async function serve(app: FetchApp, event: APIGatewayProxyEvent, invocation: Invocation): Promise<Response> {
  const request = toRequest(event, invocation.signal);
  return request === undefined ? refusePath(invocation.requestId) : app.fetch(request, invocation);
}

/** RFC 9457, as the handlers answer. */
function refusePath(requestId: string): Response {
  const body = {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'the path is not written as it is meant',
    code: 'invalid_argument',
    request_id: requestId,
  };
  const headers = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
  };
  return new Response(JSON.stringify(body), { status: 400, headers });
}

function toPrelude(response: Response): StreamPrelude {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    if (!CONNECTION_HEADERS.has(name) && name !== 'set-cookie') headers[name] = value;
  }
  const cookies = response.headers.getSetCookie();
  return {
    statusCode: response.status,
    headers,
    ...(cookies.length > 0 ? { multiValueHeaders: { 'set-cookie': cookies } } : {}),
  };
}
