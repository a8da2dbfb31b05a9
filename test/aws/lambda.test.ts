import { PassThrough, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createAuthorizerHandler } from '../../functions/aws/authorizer-event.ts';
import {
  createBufferedHandler,
  createStreamingHandler,
  requestIdOf,
  toHeaders,
  toRequest,
} from '../../functions/aws/lambda.ts';
import { selectIngressToken } from '../../functions/core/ingress-token.ts';
import { ORIGIN } from '../support/test-issuer.ts';

function eventOf(path: string, requestId = 'r-1'): APIGatewayProxyEvent {
  const event: unknown = {
    path,
    httpMethod: 'GET',
    multiValueHeaders: {},
    multiValueQueryStringParameters: null,
    body: null,
    isBase64Encoded: false,
    stageVariables: { origin: ORIGIN },
    requestContext: { requestId, identity: { sourceIp: '192.0.2.1' } },
  };
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the members that the adapter reads
  return event as APIGatewayProxyEvent;
}

const { signal } = new AbortController();
const pathnameOf = (path: string): string | undefined => {
  const request = toRequest(eventOf(path), signal);
  return request && new URL(request.url).pathname;
};

const echo = createBufferedHandler({
  fetch: (request, { requestId }) => Response.json({ path: new URL(request.url).pathname, requestId }),
});

describe('a header', () => {
  test.for(['Bearer to\u0000ken', 'Bearer to\nken', 'Bearer to\rken'])(
    'with a character that none may have is read as a malformed one: %j',
    (value) => {
      const headers = toHeaders({ multiValueHeaders: { authorization: [value] } });
      expect(headers.get('authorization')).toBe('Bearer to\u0001ken');
      expect(selectIngressToken(headers, false)).toMatchObject({ ok: false });
    },
  );

  test('whose name is none is left out', () => {
    const headers = toHeaders({ multiValueHeaders: { 'auth orization': ['x'], '': ['y'], accept: ['z'] } });
    expect([...headers]).toEqual([['accept', 'z']]);
  });
});

describe('a path', () => {
  test.for<readonly [string, string]>([
    ['/weather/mcp', '/weather/mcp'],
    ['/', '/'],
    ['/egress/polygon/v2/a%2Fb', '/egress/polygon/v2/a%2Fb'],
    ['/context/documents/a%20b', '/context/documents/a%20b'],
    ['/context/documents/a b', '/context/documents/a%20b'],
    ['/context/documents/é', '/context/documents/%C3%A9'],
    ['/context/documents/?#', '/context/documents/%3F%23'],
    ['/egress/polygon/100%', '/egress/polygon/100%'],
    ['/egress/polygon/...', '/egress/polygon/...'],
    ['//me', '//me'],
  ])('%s is served as it is', ([path, pathname]) => {
    expect(pathnameOf(path)).toBe(pathname);
  });

  test.for([
    '/egress/polygon/../admin/policy',
    '/egress/polygon/%2e%2e/me',
    '/egress/polygon/.%2E/me',
    '/egress/./polygon',
    '/egress/polygon/.',
    '/egress/polygon/..',
    '/egress\\polygon\\..\\me',
    '\\me',
    '/egress/polygon/.\t./me',
    '/me\n',
    'me',
    '',
  ])('that is another one as a URL is refused: %j', async (path) => {
    expect(pathnameOf(path)).toBeUndefined();
    const answer = await echo(eventOf(path));
    expect(answer).toMatchObject({
      statusCode: 400,
      headers: { 'content-type': 'application/problem+json', 'x-request-id': 'r-1' },
    });
    const problem = JSON.parse(Buffer.from(answer.body, 'base64').toString());
    expect(problem).toMatchObject({ status: 400, code: 'invalid_argument', request_id: 'r-1' });
  });

  test('has as many segments as it had, each the same', () => {
    const segment = fc.oneof(fc.constantFrom('.', '..', '%2e', 'a', '%2F', '\\', ''), fc.string());
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1 }), (segments) => {
        const pathname = pathnameOf(`/${segments.join('/')}`);
        if (pathname === undefined) return;
        expect(pathname.split('/').length).toBe(`/${segments.join('/')}`.split('/').length);
        expect(pathname.split('/')).not.toContain('..');
      }),
    );
  });
});

describe('a request id', () => {
  test.for(['r-1', '3f1e1f5e-5c7d-4a55-9f3b-0a5f7c6d1e2f', 'A_b', 'x'.repeat(64)])(
    '%s stays',
    (requestId) => {
      expect(requestIdOf({ requestId })).toBe(requestId);
    },
  );

  test.for(['', 'a b', 'x'.repeat(65), 'a#b', 'r\n{"level":"error"}', '<script>', 'é'])(
    '%j that a caller chose is replaced, always by the same',
    async (requestId) => {
      const replaced = requestIdOf({ requestId });
      expect(replaced).toMatch(/^[0-9a-f]{32}$/);
      expect(requestIdOf({ requestId })).toBe(replaced);
      const { body } = await echo(eventOf('/me', requestId));
      expect(JSON.parse(Buffer.from(body, 'base64').toString()).requestId).toBe(replaced);
    },
  );
});

describe('a trace id', () => {
  const told = createBufferedHandler({ fetch: (_request, { traceId }) => Response.json({ traceId }) });
  const traceOf = async (multiValueHeaders: Record<string, string[]>) => {
    const { body } = await told({ ...eventOf('/me'), multiValueHeaders });
    return JSON.parse(Buffer.from(body, 'base64').toString()).traceId;
  };
  const TRACE = '0af7651916cd43dd8448eb211c80319c';
  const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

  test('is that of the one `traceparent`, however it is written', async () => {
    expect(await traceOf({ traceparent: [PARENT] })).toBe(TRACE);
    expect(await traceOf({ TraceParent: [PARENT] })).toBe(TRACE);
  });

  test('is told to the authorizer, whose refusals are records too', async () => {
    const traces: unknown[] = [];
    const authorize = createAuthorizerHandler(({ traceId }) => {
      traces.push(traceId);
      return Promise.resolve({ verdict: 'unauthorized' });
    });
    const { requestContext, ...given } = eventOf('/me');
    const event = {
      ...given,
      type: 'REQUEST',
      methodArn: 'arn',
      requestContext: { ...requestContext, authorizer: undefined },
      pathParameters: {},
      queryStringParameters: {},
      multiValueQueryStringParameters: {},
    } as const;
    await expect(authorize({ ...event, multiValueHeaders: { traceparent: [PARENT] } })).rejects.toThrow();
    await expect(authorize({ ...event, multiValueHeaders: {} })).rejects.toThrow();
    expect(traces).toEqual([TRACE, undefined]);
  });

  test.for([[[]], [['']], [[PARENT, PARENT]], [[`${PARENT}-`]], [[PARENT.toUpperCase()]]])(
    'is none of %j',
    async ([values = []]) => {
      expect(await traceOf({ traceparent: values })).toBeUndefined();
    },
  );
});

describe('a whole answer', () => {
  test('of a body that fails is none, once everything is recorded', async () => {
    const done: string[] = [];
    const recorded = Promise.withResolvers<void>();
    const handler = createBufferedHandler({
      fetch(_request, { waitUntil }) {
        waitUntil(recorded.promise.then(() => done.push('recorded')));
        return new Response(new ReadableStream({ start: (body) => body.error(new Error('torn')) }));
      },
    });
    const handled = handler(eventOf('/me')).finally(() => done.push('over'));
    // Its failure has every turn that it could need to end it before.
    await turn();
    recorded.resolve();
    await expect(handled).rejects.toThrow('torn');
    expect(done).toEqual(['recorded', 'over']);
  });
});

describe('a streamed answer', () => {
  type Streaming = (event: APIGatewayProxyEvent, stream: Writable) => Promise<void>;

  /** The globals of the runtime, as far as the adapter uses them; the prelude is the first line. */
  const runtime = {
    streamifyResponse: (handler: Streaming) => handler,
    HttpResponseStream: {
      from(stream: Writable, prelude: { statusCode: number }) {
        stream.write(`${prelude.statusCode}\n`);
        return stream;
      },
    },
  };

  /** A body that gives these chunks and then ends, or fails. */
  function bodyOf(chunks: readonly string[], failure?: Error): ReadableStream<Uint8Array> {
    const rest = chunks.map((chunk) => Buffer.from(chunk));
    return new ReadableStream({
      pull(controller) {
        const chunk = rest.shift();
        if (chunk !== undefined) controller.enqueue(chunk);
        else if (failure === undefined) controller.close();
        else controller.error(failure);
      },
    });
  }

  function startHandler(body: ReadableStream<Uint8Array>, done: string[] = []): Streaming {
    vi.stubGlobal('awslambda', runtime);
    const handler = createStreamingHandler({
      fetch(_request, { waitUntil }) {
        waitUntil(Promise.resolve().then(() => done.push('recorded')));
        return new Response(body);
      },
    });
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: what the stubbed runtime gave back
    return handler as Streaming;
  }

  test('ends with its body', async () => {
    const stream = new PassThrough();
    await startHandler(bodyOf(['one,', 'two']))(eventOf('/me'), stream);
    expect(await text(stream)).toBe('200\none,two');
  });

  test('of a body that fails is left to the runtime to cut short, once everything is recorded', async () => {
    const stream = new PassThrough();
    const done: string[] = [];
    const handler = startHandler(bodyOf(['one,'], new Error('torn')), done);
    await expect(handler(eventOf('/me'), stream)).rejects.toThrow();
    expect([stream.writableEnded, stream.destroyed, done]).toEqual([false, false, ['recorded']]);
  });

  test('is read no faster than it is taken', async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1;
          if (pulls > 5) controller.close();
          else controller.enqueue(Buffer.from('chunk'));
        },
      },
      { highWaterMark: 0 },
    );
    const handled = startHandler(body)(eventOf('/me'), stream);
    await turn();
    expect(pulls).toBe(1);
    expect(await text(stream)).toBe(`200\n${'chunk'.repeat(5)}`);
    await handled;
  });

  test('of a body that fails while nobody takes anything is over', async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    let fail: (() => void) | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          fail = () => controller.error(new Error('torn'));
        },
        pull(controller) {
          controller.enqueue(Buffer.from('chunk'));
        },
      },
      { highWaterMark: 0 },
    );
    const handled = expect(startHandler(body)(eventOf('/me'), stream)).rejects.toThrow('torn');
    await turn();
    fail?.();
    await handled;
    expect(stream.writableEnded).toBe(false);
  });

  test('for a client that is gone ends quietly', async () => {
    const stream = new PassThrough();
    const handled = startHandler(new ReadableStream())(eventOf('/me'), stream);
    stream.destroy();
    await expect(handled).resolves.toBeUndefined();
  });
});
