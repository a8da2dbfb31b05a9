import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalCloud } from '../../local/cloud.ts';
import { startFixtureCloud } from './fixture-cloud.ts';

let cloud: LocalCloud;

beforeAll(async () => {
  cloud = await startFixtureCloud({}, afterAll);
});

const call = (path: string, init?: RequestInit) => fetch(`${cloud.origin}${path}`, init);

async function echoed(path: string, init?: RequestInit) {
  const response = await call(path, init);
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
}

/** Sends bytes as they are and reads until the server hangs up. */
function raw(text: string): Promise<string> {
  const { port } = new URL(cloud.origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

const get = (target: string, headers = '') =>
  raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);

describe('routes', () => {
  test.for([
    ['GET', '/', '/', null],
    ['GET', '/echo', '/echo', null],
    ['GET', '/echo/exact', '/echo/exact', null],
    ['GET', '/echo/other', '/echo/{one}', { one: 'other' }],
    ['GET', '/echo/Exact', '/echo/{one}', { one: 'Exact' }],
    ['GET', '/echo/a/deep', '/echo/{one}/deep', { one: 'a' }],
    ['GET', '/echo/a/deep/er', '/echo/{one}/{rest+}', { one: 'a', rest: 'deep/er' }],
    ['PATCH', '/echo/a/b/c/', '/echo/{one}/{rest+}', { one: 'a', rest: 'b/c/' }],
    ['GET', '/echo/%C3%BC%20%2541', '/echo/{one}', { one: 'ü %41' }],
  ] as const)('%s %s goes to %s', async ([method, path, resource, pathParameters]) => {
    expect(await echoed(path, { method })).toMatchObject({
      resource,
      path,
      pathParameters,
      httpMethod: method,
    });
  });

  test.for([
    '//echo',
    '/echo//a',
    '/echo/',
    '/Echo',
    '/echo/.',
    '/echo/..',
    '/echo/a/../exact',
    '/echo/%2e%2e',
    '/echo/a/%2E',
    '/echo/a%2fb',
    '/echo/a%2Fdeep',
    '/echo/a%5cb',
    '/echo/a\\b',
    '/echo/a;b',
    '/echo/a%3Bb',
    '/echo/a%00',
    '/nothing',
    'http://127.0.0.1/echo',
  ])('%s is no route', async (target) => {
    const answer = await get(target);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('"type":"MISSING_AUTHENTICATION_TOKEN"');
  });

  test('a method that a path does not have is no route', async () => {
    expect((await call('/echo', { method: 'DELETE' })).status).toBe(404);
  });

  test('broken percent-encoding is refused', async () => {
    expect(await get('/echo/%zz')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await get('/echo/%ff')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('the proxy event', () => {
  test('has duplicate headers and query parameters in full, and the last of each', async () => {
    const answer = await get(
      '/echo?a=1&b=x%20y+z&a=2',
      'X-Dup: one\r\nx-dup: two\r\nCookie: a=b\r\nTE: trailers\r\n',
    );
    const event = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
    expect(event).toMatchObject({
      headers: { 'X-Dup': 'two', Cookie: 'a=b', Host: 'x', 'X-Forwarded-For': '127.0.0.1' },
      multiValueHeaders: { 'X-Dup': ['one', 'two'], Cookie: ['a=b'] },
      queryStringParameters: { a: '2', b: 'x y z' },
      multiValueQueryStringParameters: { a: ['1', '2'], b: ['x y z'] },
    });
    expect(event.headers).not.toHaveProperty('x-dup');
    expect(event.headers).not.toHaveProperty('TE');
    expect(event.headers).not.toHaveProperty('Connection');
  });

  test('has nulls where there is nothing, the stage, and the local origin in the place of the deployed one', async () => {
    const response = await call('/echo');
    const event = JSON.parse(await response.text());
    expect(event).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      body: null,
      isBase64Encoded: false,
      stageVariables: { origin: cloud.origin, color: 'blue' },
      requestContext: {
        accountId: '000000000000',
        httpMethod: 'GET',
        path: '/echo',
        protocol: 'HTTP/1.1',
        resourcePath: '/echo',
        stage: 'live',
        identity: { sourceIp: '127.0.0.1', userArn: null },
      },
    });
    expect(event.requestContext).not.toHaveProperty('authorizer');
    expect(event.requestContext.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('x-amzn-requestid')).toBe(event.requestContext.requestId);
    expect(response.headers.get('x-amz-apigw-id')).toMatch(/.{10}/);
  });

  test('is of exactly the members that AWS sends', async () => {
    expect(Object.keys(await echoed('/echo')).sort()).toEqual([
      'body',
      'headers',
      'httpMethod',
      'isBase64Encoded',
      'multiValueHeaders',
      'multiValueQueryStringParameters',
      'path',
      'pathParameters',
      'queryStringParameters',
      'requestContext',
      'resource',
      'stageVariables',
    ]);
  });

  test('carries a body byte for byte, there and back', async () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, index) => index % 256);
    const response = await call('/echo?do=echo-body', { method: 'POST', body: bytes });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(await echoed('/echo', { method: 'POST', body: 'text' })).toMatchObject({
      body: Buffer.from('text').toString('base64'),
      isBase64Encoded: true,
    });
  });

  test('appends to the X-Forwarded-For of the client, and takes nothing else of that family', async () => {
    const headers = { 'X-Forwarded-For': '10.0.0.1', 'X-Forwarded-Proto': 'gopher', 'X-Forwarded-Port': '1' };
    const event = await echoed('/echo', { headers });
    expect(event.headers['X-Forwarded-For']).toBe('10.0.0.1, 127.0.0.1');
    expect(Object.values(event.headers)).not.toContain('gopher');
  });
});

describe('the authorizer', () => {
  const guarded = (token: string, path = '/guarded') =>
    call(path, { headers: { Authorization: token, 'x-ask': 'me' } });

  test('admits, and its context reaches the function as text', async () => {
    const response = await guarded('Bearer good');
    const { requestContext } = JSON.parse(await response.text());
    expect(requestContext.authorizer).toEqual({
      number: '7',
      flag: 'true',
      text: 'x',
      principalId: 'someone',
      integrationLatency: expect.any(Number),
    });
  });

  test('is asked with the request but its body, and the method ARN', async () => {
    const response = await call('/guarded?q=1', {
      method: 'POST',
      headers: { Authorization: 'Bearer event' },
      body: 'secret body',
    });
    const proxyEvent = JSON.parse(await response.text());
    const event = JSON.parse(proxyEvent.requestContext.authorizer.event);
    const { apiId } = proxyEvent.requestContext;
    expect(event).toMatchObject({
      type: 'REQUEST',
      methodArn: `arn:aws:execute-api:us-east-1:000000000000:${apiId}/live/POST/guarded`,
      resource: '/guarded',
      path: '/guarded',
      httpMethod: 'POST',
      queryStringParameters: { q: '1' },
      stageVariables: { origin: cloud.origin },
    });
    expect(Object.keys(event)).not.toContain('body');
    expect(event.requestContext).not.toHaveProperty('authorizer');
    expect(event.requestContext.requestId).toBe(proxyEvent.requestContext.requestId);
  });

  test.for([
    ['no token', '', 401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer' }],
    ['an unknown token', 'Bearer what', 401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer' }],
    [
      'an explicit denial',
      'Bearer deny',
      403,
      'ACCESS_DENIED',
      { 'www-authenticate': 'Bearer error="insufficient_scope"' },
    ],
    [
      'an Allow of something else',
      'Bearer elsewhere',
      403,
      'ACCESS_DENIED',
      { 'www-authenticate': null, 'x-asked': 'me' },
    ],
    ['an authorizer that fails', 'Bearer broken', 503, 'AUTHORIZER_FAILURE', { 'retry-after': '5' }],
  ] as const)('%s is answered by its gateway response', async ([, token, status, type, headers]) => {
    const response = await guarded(token);
    expect(response.status).toBe(status);
    const body = JSON.parse(await response.text());
    expect(body).toMatchObject({ status, type, error: '', id: response.headers.get('x-request-id') });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    for (const [name, value] of Object.entries(headers)) expect(response.headers.get(name)).toBe(value);
  });

  test.for(['Bearer object', 'Bearer nothing'])('%s is a configuration error', async (token) => {
    const response = await guarded(token);
    expect(response.status).toBe(500);
    expect(response.headers.get('x-amzn-errortype')).toBe('AuthorizerConfigurationException');
    expect(response.headers.get('x-request-id')).toMatch(/./);
  });

  test('is asked before the function of a streamed route too', async () => {
    expect((await call('/guarded', { method: 'POST' })).status).toBe(401);
  });
});

describe('limits', () => {
  test('a head above 10,240 bytes is too large', async () => {
    const fits = 'x'.repeat(
      10_240 - 'GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-L: \r\n'.length,
    );
    expect(await get('/echo', `X-L: ${fits}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    const answer = await get('/echo', `X-L: ${fits}x\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"type":"REQUEST_TOO_LARGE"');
    expect(await get('/echo', `X-L: ${'x'.repeat(100_000)}\r\n`)).toMatch(/^HTTP\/1\.1 413 .*X-Request-Id/s);
  });

  test('a body above 10 MB is too large, announced or not', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    expect((await call('/echo', { method: 'POST', body })).status).toBe(413);
    const unannounced = new ReadableStream({
      start(controller) {
        controller.enqueue(body);
        controller.close();
      },
    });
    const init: RequestInit = { method: 'POST', body: unannounced, duplex: 'half' };
    expect((await call('/echo', init)).status).toBe(413);
  });

  test('a body that base64 takes above the 6 MB of Lambda is too large', async () => {
    const response = await call('/echo', { method: 'POST', body: Buffer.alloc(5 * 1024 * 1024) });
    expect(response.status).toBe(413);
  });

  test('what is no HTTP is answered with a request id', async () => {
    expect(await raw('GET / HTTP/9.9\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*X-Request-Id/s);
  });
});

describe('MOCK integrations', () => {
  test('answer OPTIONS from the template, without a function', async () => {
    const response = await call('/echo', { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(response.headers.get('x-request-id')).toBe(response.headers.get('x-amzn-requestid'));
    expect(response.headers.has('x-absent')).toBe(false);
    expect(await response.text()).toBe('');
  });
});

describe('CORS of the distribution in front', () => {
  const from = (origin: string, path: string, init: RequestInit = {}) =>
    call(path, { ...init, headers: { ...init.headers, Origin: origin } });

  test.for([
    ['a function', '/echo', 200],
    ['a stream', '/stream', 201],
    ['a gateway response', '/guarded', 401],
    ['no route', '/nothing', 404],
  ] as const)('is on the answer of %s for a listed origin, and for no other', async ([, path, status]) => {
    const listed = await from('http://localhost:6274', path);
    expect(listed.status).toBe(status);
    expect(listed.headers.get('access-control-allow-origin')).toBe('http://localhost:6274');
    expect(listed.headers.get('access-control-expose-headers')).toBe('X-Request-Id');
    expect(listed.headers.get('vary')).toBe('Origin');
    expect(listed.headers.has('access-control-allow-credentials')).toBe(false);
    const other = await from('https://evil.example.com', path);
    expect(other.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('answers a preflight with what is allowed', async () => {
    const headers = { 'Access-Control-Request-Method': 'POST' };
    const response = await from('http://localhost:6274', '/echo', { method: 'OPTIONS', headers });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:6274');
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, POST');
    expect(response.headers.get('access-control-allow-headers')).toBe('Authorization');
    expect(response.headers.get('access-control-max-age')).toBe('600');
  });
});

describe('a buffered integration', () => {
  test('renames what API Gateway sets itself, and keeps the rest', async () => {
    const { headers, body } = await new Promise<{ headers: NodeJS.Dict<string | string[]>; body: string }>(
      (resolve, reject) => {
        const request = httpRequest(`${cloud.origin}/echo?do=headers`, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }),
          );
        });
        request.on('error', reject).end();
      },
    );
    expect(headers).toMatchObject({
      'x-amzn-remapped-www-authenticate': 'Basic',
      'x-amzn-remapped-connection': 'close',
      'x-amzn-remapped-content-length': '999',
      'x-amzn-remapped-date': 'never',
      'x-amzn-remapped-server': 'mine',
      'content-type': 'application/json',
      'content-length': '2',
      'set-cookie': ['a=1', 'b=2'],
      'x-both': 'several',
    });
    expect(Buffer.from(String(headers['x-kept']), 'latin1').toString()).toBe('ü');
    expect(headers).not.toHaveProperty('www-authenticate');
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(body).toBe('ok');
  });

  test.for(['throw', 'crash', 'exit', 'no-object', 'object-body', 'bad-header', 'large'])(
    'answers 502 where the function does `%s`',
    async (what) => {
      const response = await call(`/echo?do=${what}`);
      expect(response.status).toBe(502);
      expect(await response.json()).toEqual({ message: 'Internal server error' });
      expect(response.headers.get('x-request-id')).toMatch(/./);
    },
  );

  test('answers 504 when the integration takes too long', async () => {
    const response = await call('/slow?do=hang');
    expect(response.status).toBe(504);
    expect(await response.json()).toEqual({ message: 'Endpoint request timed out' });
  });

  test('answers 502 when the function itself times out, and serves the next call', async () => {
    expect((await call('/slow?do=hang', { method: 'POST' })).status).toBe(502);
    expect((await call('/slow', { method: 'POST' })).status).toBe(200);
  });
});
