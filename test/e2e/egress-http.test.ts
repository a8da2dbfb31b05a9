import { request as openRequest } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type HttpApi, LAST_MODIFIED, startHttpApi } from '../support/http-api.ts';
import { type RawRequest, type RawResponse, sendRaw } from '../support/raw-request.ts';
import { type RawServer, startRawServer } from '../support/raw-server.ts';
import { answerTool, type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';
const KEY = 'canary-key-of-agent';
const TEXT = 'abcdefghijklmnopqrstuvwxyz';

type Header = readonly [name: string, value: string];

let cloud: Sallyport;
let server: RecordingServer;
let api: HttpApi;
/** An API that speaks no HTTP, or badly. */
let broken: RawServer;
/** What it does once it is asked. */
let misbehave: (socket: Socket) => void;
let etag: string;
let own: readonly Header[];

beforeAll(async () => {
  server = await startRecordingServer((request, answer) => answerTool(request, answer, 'done'));
  api = await startHttpApi();
  broken = await startRawServer((socket) => misbehave(socket));
  const client = (id: string, entry: object) => ({
    grants: ['client_credentials'],
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
    ...entry,
  });
  cloud = await startSallyport({
    clients: ['agent', 'files-server'],
    credentials: {
      'sallyport/{stage}/credentials/default/files/client.agent': JSON.stringify({
        type: 'header',
        name: 'X-Api-Key',
        value: KEY,
      }),
    },
    config: {
      'scopes.yml': JSON.stringify({
        files: [{ server: 'files-mcp', methods: ['tools/call'], tools: ['read'] }],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          'files-mcp': { url: `${server.origin}/mcp`, private: true, egress: { mode: 'identity' } },
        },
      }),
      'services.yml': JSON.stringify({
        services: {
          files: {
            url: `${api.origin}/v1/`,
            private: true,
            used_by: ['files-mcp'],
            egress: { mode: 'service_account', key: 'client' },
            headers: ['X-Tenant'],
            timeout: { first_byte: '5s', silence: '5s' },
            allow: [{ method: '*', path: '/**' }],
          },
          broken: {
            url: broken.origin,
            private: true,
            used_by: ['files-mcp'],
            egress: { mode: 'none' },
            timeout: { first_byte: '500ms', silence: '500ms', call: '3s' },
            allow: [{ method: '*', path: '/**' }],
          },
        },
      }),
      'clients.yml': JSON.stringify({
        clients: {
          agent: client('agent', { scopes: ['files'] }),
          'files-server': client('files-server', { server: 'files-mcp' }),
        },
      }),
    },
  });
  const answer = await sendRaw(cloud.origin, {
    method: 'POST',
    target: '/files-mcp/mcp',
    headers: [
      ['authorization', `Bearer ${await cloud.token('agent')}`],
      ['content-type', 'application/json'],
    ],
    body: CALL,
  });
  expect(answer.status).toBe(200);
  const delegation = String(server.seen.at(-1)?.headers.authorization).replace('Bearer ', '');
  own = [
    ['authorization', `Bearer ${await cloud.token('files-server')}`],
    ['x-delegation', delegation],
  ];
});
afterAll(async () => {
  await cloud?.close();
  await server?.close();
  await api?.close();
  await broken?.close();
});
beforeEach(() => {
  etag = api.put('/v1/alphabet', TEXT);
  api.seen.length = 0;
});

/** One request through the gate, as the server makes it. */
function ask(path: string, { headers = [], ...request }: Partial<RawRequest> = {}): Promise<RawResponse> {
  return sendRaw(cloud.origin, { target: `/egress/files${path}`, ...request, headers: [...own, ...headers] });
}

describe('a file of the API', () => {
  test('comes as it is, with what describes it', async () => {
    const answer = await ask('/alphabet');
    expect([answer.status, answer.body]).toEqual([200, TEXT]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      etag,
      'last-modified': LAST_MODIFIED,
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=60',
      vary: 'Accept-Language',
      'content-type': 'text/plain',
    });
    expect(api.seen[0]?.headers['x-api-key']).toBe(KEY);
  });

  const whole = [200, TEXT, undefined] as const;
  test.for<readonly [string, () => readonly Header[], readonly [number, string, string?]]>([
    ['its beginning', () => [['range', 'bytes=0-2']], [206, 'abc', 'bytes 0-2/26']],
    ['its middle', () => [['range', 'bytes=10-12']], [206, 'klm', 'bytes 10-12/26']],
    ['its end', () => [['range', 'bytes=23-']], [206, 'xyz', 'bytes 23-25/26']],
    ['more than there is', () => [['range', 'bytes=30-40']], [416, '', 'bytes */26']],
    [
      'a range of what it still is, by its tag',
      () => [
        ['range', 'bytes=0-2'],
        ['if-range', etag],
      ],
      [206, 'abc', 'bytes 0-2/26'],
    ],
    [
      'a range of what it still is, by its date',
      () => [
        ['range', 'bytes=0-2'],
        ['if-range', LAST_MODIFIED],
      ],
      [206, 'abc', 'bytes 0-2/26'],
    ],
    [
      'a range of what it was',
      () => [
        ['range', 'bytes=0-2'],
        ['if-range', '"old"'],
      ],
      whole,
    ],
    ['what is known already', () => [['if-none-match', etag]], [304, '']],
    ['what is known among others', () => [['if-none-match', `"a", ${etag}`]], [304, '']],
    ['what has not changed since', () => [['if-modified-since', LAST_MODIFIED]], [304, '']],
    ['what is known no more', () => [['if-none-match', '"old"']], whole],
    ['what it must be', () => [['if-match', etag]], whole],
    ['what it is not', () => [['if-match', '"old"']], [412, '']],
  ])('asked for %s', async ([, conditions, [status, body, range]]) => {
    const answer = await ask('/alphabet', { headers: conditions() });
    expect([answer.status, answer.body, answer.headers.get('content-range')]).toEqual([status, body, range]);
    expect(answer.headers.get('etag')).toBe(etag);
  });

  test('is described to HEAD without its content', async () => {
    const answer = await ask('/alphabet', { method: 'HEAD' });
    expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([200, '', etag]);
    expect(api.seen.map(({ method }) => method)).toEqual(['HEAD']);
  });

  test.for<readonly [string, () => readonly Header[], number]>([
    ['as it is now', () => [['if-match', etag]], 204],
    ['as it was', () => [['if-match', '"old"']], 412],
    ['only where there is none', () => [['if-none-match', '*']], 412],
  ])('is replaced %s: %i', async ([, conditions, status]) => {
    const headers: readonly Header[] = [['content-type', 'text/csv'], ...conditions()];
    const answer = await ask('/alphabet', { method: 'PUT', headers, body: 'a,b' });
    expect(answer.status).toBe(status);
    expect(api.seen[0]?.headers['content-type']).toBe('text/csv');
  });

  test('is made below another, and where it is leads through the gate', async () => {
    const made = await ask('/notes', { method: 'POST', body: 'new', headers: [['idempotency-key', 'k-1']] });
    expect(made.status).toBe(201);
    expect(api.seen[0]?.headers['idempotency-key']).toBe('k-1');
    expect(made.headers.get('content-location')).toBe('/egress/files/notes/1');
    expect(made.headers.get('location')).toBe('/egress/files/notes/1?from=post');
    const read = await sendRaw(cloud.origin, { target: made.headers.get('location') ?? '', headers: own });
    expect([read.status, read.body]).toEqual([200, 'new']);
  });

  test('is deleted, and gone', async () => {
    api.put('/v1/gone', 'x');
    expect((await ask('/gone', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/gone')).status).toBe(404);
  });

  test('answers a method that it does not know with those that it does', async () => {
    const answer = await ask('/alphabet', { method: 'PATCH', body: 'x' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, POST, DELETE']);
  });
});

describe('a body', () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

  test('of any bytes arrives as it was sent, and comes back so', async () => {
    const headers: readonly Header[] = [['content-type', 'application/octet-stream']];
    expect((await ask('/bytes', { method: 'PUT', headers, body: every })).status).toBe(201);
    expect(api.seen[0]?.body.equals(every)).toBe(true);
    expect(api.seen[0]?.headers['content-length']).toBe('256');
    const back = await fetch(`${cloud.origin}/egress/files/bytes`, { headers: own.map(([a, b]) => [a, b]) });
    expect(Buffer.from(await back.arrayBuffer()).equals(every)).toBe(true);
  });

  test('of a form with files is not looked into', async () => {
    const body = '--b\r\ncontent-disposition: form-data; name="f"; filename="x"\r\n\r\n\u0000\r\n--b--\r\n';
    const headers: readonly Header[] = [['content-type', 'multipart/form-data; boundary=b']];
    expect((await ask('/form', { method: 'PUT', headers, body })).status).toBe(201);
    expect(api.seen[0]?.headers['content-type']).toBe('multipart/form-data; boundary=b');
    expect(api.seen[0]?.body.toString()).toBe(body);
  });

  test('that is compressed stays so, and says it', async () => {
    const body = gzipSync('x'.repeat(1_000));
    const headers: readonly Header[] = [['content-encoding', 'gzip']];
    expect((await ask('/packed', { method: 'PUT', headers, body })).status).toBe(201);
    expect([api.seen[0]?.headers['content-encoding'], api.seen[0]?.body.equals(body)]).toEqual([
      'gzip',
      true,
    ]);
  });

  test('may have 4.5 MB and not a byte more', async () => {
    const body = Buffer.alloc(4_500_000, 'x');
    expect((await ask('/large', { method: 'PUT', body })).status).toBe(201);
    expect(api.seen[0]?.body.byteLength).toBe(4_500_000);
    api.seen.length = 0;
    const larger = await ask('/large', { method: 'PUT', body: Buffer.alloc(4_500_001, 'x') });
    expect([larger.status, JSON.parse(larger.body).code]).toEqual([413, 'payload_too_large']);
    expect(api.seen).toEqual([]);
  });

  test('of an answer comes as it is made, piece by piece', async () => {
    let release = () => {};
    api.on('/v1/slow', (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: one\n\n');
      release = () => void response.end('data: two\n\n');
    });
    const headers = own.map(([a, b]): [string, string] => [a, b]);
    const answer = await fetch(`${cloud.origin}/egress/files/slow`, { headers });
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: one\n\n');
    release();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: two\n\n');
    expect((await reader?.read())?.done).toBe(true);
  });

  test('of an answer loses its trailers', async () => {
    api.on('/v1/trailed', (_, response) => {
      response.writeHead(200, { trailer: 'X-Sum', 'content-type': 'text/plain' });
      response.write('body');
      response.addTrailers({ 'X-Sum': KEY });
      response.end();
    });
    const answer = await ask('/trailed');
    expect([answer.body, answer.headers.has('trailer')]).toEqual(['body', false]);
    expect(JSON.stringify([...answer.headers])).not.toContain(KEY);
  });
});

describe('the parameters of a call', () => {
  test.for([
    ['?q=a%20b', '?q=a%20b'],
    ['?q=a+b', '?q=a%20b'],
    ['?q=a%2Bb', '?q=a%2Bb'],
    ['?q=a%26b%3Dc', '?q=a%26b%3Dc'],
    ['?q=%C3%A9', '?q=%C3%A9'],
    ['?a=1&b=2&a=3', '?a=1&a=3&b=2'],
    ['?b=2&a=1', '?b=2&a=1'],
    ['?q=~x*,y', '?q=~x%2A%2Cy'],
    ['?q=', '?q='],
    ['?q', '?q='],
    ['', ''],
  ])('%s arrive as %s', async ([written, arrived]) => {
    expect((await ask(`/alphabet${written}`)).status).toBe(200);
    expect(api.seen.map(({ url }) => url)).toEqual([`/v1/alphabet${arrived}`]);
  });
});

describe('the headers of a call', () => {
  test('are those of content, conditions, preferences and the listed ones, and nothing else', async () => {
    const travelling: readonly Header[] = [
      ['accept', 'text/plain'],
      ['accept-language', 'de'],
      ['cache-control', 'no-cache'],
      ['prefer', 'return=minimal'],
      ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
      ['x-tenant', 't-1'],
    ];
    const staying: readonly Header[] = [
      ['accept-encoding', 'gzip'],
      ['cookie', 'a=b'],
      ['x-http-method-override', 'DELETE'],
      ['x-forwarded-host', 'elsewhere.example'],
      ['x-user', 'root'],
      ['te', 'trailers'],
      ['expect', '100-continue'],
    ];
    await ask('/alphabet', { headers: [...travelling, ...staying] });
    expect(api.seen[0]?.headers).toEqual({
      ...Object.fromEntries(travelling),
      'x-api-key': KEY,
      'user-agent': expect.stringMatching(/^sallyport\//),
      host: new URL(api.origin).host,
      connection: 'keep-alive',
    });
  });
});

describe('the headers of an answer', () => {
  test('say what is left of a quota, and when to come back', async () => {
    const told = {
      'retry-after': '7',
      'x-ratelimit-remaining': '0',
      'ratelimit-policy': '"burst";q=100;w=60',
      ratelimit: '"burst";r=0;t=7',
      'x-rate-limit-reset': '1795262400',
      'ratelimit-reset': '7',
    };
    api.on('/v1/busy', (_, response) => {
      response.writeHead(429, { ...told, 'x-ratelimited-by': 'host-1', 'content-type': 'text/plain' });
      response.end('slow down');
    });
    const answer = await ask('/busy');
    expect([answer.status, answer.body]).toEqual([429, 'slow down']);
    expect(Object.fromEntries(answer.headers)).toMatchObject(told);
    expect(answer.headers.has('x-ratelimited-by')).toBe(false);
  });

  test.for<readonly [string, string]>([
    ['another host', 'https://elsewhere.example/v1/x'],
    ['another part of the API', '/v2/x'],
    ['the API itself', '/v1'],
    ['a path in another spelling', '/v1/a%2f..%2fb'],
    ['a user', 'http://user@{host}/v1/x'],
    ['no URL', 'http://'],
  ])('never name a place outside the service: %s', async ([, location]) => {
    api.on('/v1/made', (_, response) => {
      response.writeHead(201, { location: location.replace('{host}', new URL(api.origin).host) }).end();
    });
    const answer = await ask('/made', { method: 'POST' });
    expect([answer.status, answer.headers.has('location')]).toEqual([201, false]);
  });

  test.for([301, 302, 303, 305, 307, 308])('lead nowhere with %i', async (status) => {
    api.on('/v1/moved', (_, response) => {
      response.writeHead(status, { location: `${api.origin}/v1/alphabet` }).end('moved');
    });
    const answer = await ask('/moved');
    expect([answer.status, answer.headers.has('location')]).toEqual([502, false]);
    expect(api.seen.map(({ url }) => url)).toEqual(['/v1/moved']);
  });
});

describe('an API that', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';
  const says = (text: string) => (socket: Socket) => void socket.write(text);
  const askBroken = () => sendRaw(cloud.origin, { target: '/egress/broken/x', headers: own });

  test.for<readonly [string, (socket: Socket) => void, number]>([
    ['says nothing', () => {}, 504],
    ['goes away', (socket) => socket.destroy(), 502],
    ['speaks HTTP/0.9', says('<h1>hello</h1>'), 502],
    ['speaks another protocol', says('SSH-2.0-OpenSSH_9.9\r\n'), 502],
    ['has a head of 40 KB', says(`${HEAD}X-Big: ${'x'.repeat(40_000)}\r\n\r\n`), 502],
    ['switches protocols', says('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'), 502],
    ['gives two lengths', says(`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk`), 502],
    ['compresses unasked', says(`${HEAD}Content-Encoding: br\r\nContent-Length: 2\r\n\r\nok`), 502],
    ['has early hints alone', says('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'), 504],
  ])('%s is %i, with nothing of its own', async ([, behave, status]) => {
    misbehave = behave;
    const answer = await askBroken();
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([status, 'upstream_error']);
    expect(answer.body).not.toMatch(/hello|SSH|127\.0\.0\.1/);
  });

  test.for<readonly [string, (socket: Socket) => void]>([
    ['ends before its length', (socket) => socket.end(`${HEAD}Content-Length: 90\r\n\r\nhalf`)],
    ['falls silent', says(`${HEAD}Content-Length: 90\r\n\r\nhalf`)],
    ['sends a chunk of no size', says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n`)],
  ])('%s is cut, and never looks whole', async ([, behave]) => {
    misbehave = behave;
    await expect(askBroken()).rejects.toThrow();
  });

  test('hints early and then answers is answered for', async () => {
    misbehave = says(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${HEAD}Content-Length: 2\r\n\r\nok`);
    const answer = await askBroken();
    expect([answer.status, answer.body, answer.headers.has('link')]).toEqual([200, 'ok', false]);
  });
});

describe('a method', () => {
  test.for(['TRACE', 'PROPFIND', 'LINK'])('that no rule can name is no route: %s', async (method) => {
    const answer = await ask('/alphabet', { method });
    expect([404, 405]).toContain(answer.status);
    expect(api.seen).toEqual([]);
  });

  test('that would open a tunnel opens none', async () => {
    const { hostname, port } = new URL(cloud.origin);
    const headers = Object.fromEntries(own);
    const path = new URL(api.origin).host;
    const tunnel = await new Promise<string>((resolve) => {
      const sent = openRequest({ hostname, port, method: 'CONNECT', path, headers });
      sent.on('connect', ({ statusCode }, socket) => {
        socket.destroy();
        resolve(statusCode === 200 ? 'open' : 'refused');
      });
      sent.on('response', () => resolve('refused'));
      sent.on('error', () => resolve('refused'));
      sent.end();
    });
    expect(tunnel).toBe('refused');
    expect(api.seen).toEqual([]);
  });

  test('with a switch of protocols is served as it would be without', async () => {
    const headers: readonly Header[] = [
      ['connection', 'upgrade'],
      ['upgrade', 'websocket'],
    ];
    const answer = await ask('/alphabet', { headers });
    expect([answer.status, answer.body]).toEqual([200, TEXT]);
    expect(api.seen[0]?.headers['upgrade']).toBeUndefined();
  });
});
