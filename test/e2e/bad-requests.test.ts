import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RawRequest, type RawResponse, sendRaw } from '../support/raw-request.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

const METHODS = ['initialize', 'ping', 'tools/list', 'tools/call'];
const MODERN = '2026-07-28';
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';
const META = { [VERSION_META]: MODERN, 'io.modelcontextprotocol/clientCapabilities': {} };

type Header = readonly [name: string, value: string];
type Body = string | Uint8Array;

const PLAIN: readonly Header[] = [
  ['content-type', 'application/json'],
  ['accept', 'application/json, text/event-stream'],
];

let cloud: Sallyport;
let upstream: ToolServers;
let token: string;

beforeAll(async () => {
  const names = ['alpha', 'pass', 'foreign'];
  upstream = await startToolServers(Object.fromEntries(names.map((name) => [name, ['read', 'ungranted']])));
  const client = (id: string, entry: object = {}) => {
    const secret = { ref: `sallyport/{stage}/clients/${id}` };
    return {
      org: 'acme',
      grants: ['client_credentials'],
      audience: 'gateway',
      scopes: ['tools'],
      secret,
      ...entry,
    };
  };
  const clients = {
    agent: client('agent'),
    poster: client('poster', { auth: 'client_secret_post' }),
    narrow: client('narrow', { audience: 'resource' }),
    // Makes `other` a scope that exists and that the agent may not have.
    outsider: client('outsider', { org: 'beta', scopes: ['other'] }),
  };
  cloud = await startSallyport({
    clients: Object.keys(clients),
    config: {
      'orgs.yml': JSON.stringify({ orgs: { acme: {}, beta: {} } }),
      'scopes.yml': JSON.stringify({
        'UI-Scopes': {},
        group_mappings: {},
        tools: names.map((server) => ({ server, methods: METHODS, tools: ['read'] })),
        other: [{ server: 'foreign', methods: METHODS, tools: ['read'] }],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          alpha: { url: upstream.urlOf('alpha'), private: true, headers: ['X-Listed'] },
          pass: { url: upstream.urlOf('pass'), private: true, egress: { mode: 'passthrough' } },
          foreign: { url: upstream.urlOf('foreign'), private: true, org: 'beta' },
        },
      }),
      'clients.yml': JSON.stringify({ clients }),
    },
  });
  token = await cloud.token('agent');
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});
beforeEach(() => {
  upstream.seen.length = 0;
});

const authorized = (): Header => ['authorization', `Bearer ${token}`];

const post = (body: Body, headers: readonly Header[] = PLAIN, target = '/alpha/mcp') =>
  sendRaw(cloud.origin, { method: 'POST', target, headers: [authorized(), ...headers], body });

const rpc = (members: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, ...members });
const call = (params: unknown = { name: 'read' }) => rpc({ method: 'tools/call', params });

function requestIdOf(answer: RawResponse): string {
  const requestId = answer.headers.get('x-request-id') ?? '';
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  return requestId;
}

function expectProblem(answer: RawResponse, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const body = JSON.parse(answer.body);
  expect(body).toMatchObject({ type: 'about:blank', status, code, request_id: requestIdOf(answer) });
  expect(Object.keys(body).sort()).toEqual(['code', 'detail', 'request_id', 'status', 'title', 'type']);
  expect(upstream.seen).toEqual([]);
}

function expectRpcError(answer: RawResponse, code: number, id: unknown = 1, status = 400): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(JSON.parse(answer.body)).toMatchObject({
    jsonrpc: '2.0',
    id,
    error: { code, message: expect.any(String), data: { request_id: requestIdOf(answer) } },
  });
  expect(upstream.seen).toEqual([]);
}

function expectDeniedTool(answer: RawResponse): void {
  expect(answer.status).toBe(200);
  const { result } = JSON.parse(answer.body);
  const text = `access denied: this operation is not available to you (request ${requestIdOf(answer)})`;
  expect(result).toEqual({ content: [{ type: 'text', text }], isError: true });
  expect(upstream.seen).toEqual([]);
}

test('a good request reaches the server, once', async () => {
  expect((await post(call())).status).toBe(200);
  expect(upstream.seen.map(({ body }) => body)).toEqual([call()]);
});

describe('a body that is no JSON of ours', () => {
  const nested = (levels: number) =>
    call({ name: 'read', arguments: {} }).replace('{}', `{"x":${'['.repeat(levels)}${']'.repeat(levels)}}`);
  const withBytes = (...bytes: number[]) =>
    Buffer.concat([Buffer.from('{"jsonrpc":"2.0","x":"'), Buffer.from(bytes), Buffer.from('"}')]);

  test.for<readonly [string, Body]>([
    ['nothing', ''],
    ['an open brace', '{'],
    ['a comma at the end', '{"jsonrpc":"2.0","id":1,"method":"ping",}'],
    ['single quotes', "{'jsonrpc':'2.0'}"],
    ['a comment', `/**/${call()}`],
    ['NaN', '{"jsonrpc":"2.0","id":NaN,"method":"ping"}'],
    ['a number with a leading zero', '{"jsonrpc":"2.0","id":01,"method":"ping"}'],
    ['a bare control character', call({ name: 'read\n' }).replace('\\n', '\n')],
    ['text after it', `${call()}x`],
    ['a second message after it', call() + call()],
    ['NUL after it', `${call()}\0`],
    ['a vertical tab after it', `${call()}\v`],
    ['a byte order mark', `\ufeff${call()}`],
    ['UTF-16', Buffer.from(call(), 'utf16le')],
    ['gzip', gzipSync(call())],
    ['a byte that is no UTF-8', withBytes(0xff)],
    ['an overlong sequence', withBytes(0xc1, 0xa1)],
    ['a surrogate in UTF-8', withBytes(0xed, 0xa0, 0x80)],
    ['a lone surrogate', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\\ud800"}}'],
    ['a repeated method', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}'],
    ['a repeated name', call().replace('"name"', '"name":"ungranted","name"')],
    ['a repeated name in another spelling', call().replace('"name"', '"n\\u0061me":"ungranted","name"')],
    [
      'a repeated member of an argument',
      call({ name: 'read', arguments: {} }).replace('{}', '{"a":{"b":1,"b":2}}'),
    ],
    ['method in two cases', call().replace('"method"', '"Method":"ping","method"')],
    ['params and its look-alike with a dotted i', call({ name: 'read', arguments: { id: 1, '\u0130d': 2 } })],
    ['name in two cases', call().replace('"name"', '"NAME":"ungranted","name"')],
    ['params and its look-alike with a long s', call().replace('"params"', '"param\u017f":{},"params"')],
    ['65 levels', nested(62)],
    ['100,000 levels', nested(100_000)],
    ['a million open brackets', '['.repeat(1_000_000)],
  ])('%s is a parse error', async ([, body]) => {
    expectRpcError(await post(body), -32700, null);
  });

  test('64 levels are let through', async () => {
    expect((await post(nested(61))).status).toBe(200);
  });

  test.for<readonly [string, number]>([
    ['4.6 MB', 4_600_000],
    ['5 MB', 5_000_000],
    ['10.1 MB', 10_100_000],
  ])('%s are too much', async ([, bytes]) => {
    expectProblem(await post('x'.repeat(bytes)), 413, 'payload_too_large');
  });

  test.for<readonly [string, readonly Header[]]>([
    ['no content type', []],
    ['text/plain', [['content-type', 'text/plain']]],
    ['application/jsonx', [['content-type', 'application/jsonx']]],
    ['a form', [['content-type', 'application/x-www-form-urlencoded']]],
    ['another charset', [['content-type', 'application/json; charset=utf-16']]],
    ['two media types in one', [['content-type', 'application/json, text/plain']]],
    [
      'two content types',
      [
        ['content-type', 'application/json'],
        ['content-type', 'text/plain'],
      ],
    ],
  ])('%s is not taken', async ([, headers]) => {
    expectProblem(await post(call(), headers), 415, 'invalid_argument');
  });
});

describe('a body that is no message', () => {
  test.for<readonly [string, string, unknown]>([
    ['null', 'null', null],
    ['a number', '1', null],
    ['a string', '"tools/call"', null],
    ['a batch', `[${call()}]`, null],
    ['an empty batch', '[]', null],
    ['another version of JSON-RPC', call().replace('2.0', '1.0'), 1],
    ['no version', '{"id":1,"method":"ping"}', 1],
    ['Method for method', call().replace('method', 'Method'), 1],
    ['PARAMS for params', call().replace('params', 'PARAMS'), 1],
    ['a member that JSON-RPC does not have', rpc({ method: 'ping', extra: 1 }), 1],
    ['a prototype', '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{}}', 1],
    ['a method and a result', rpc({ method: 'ping', result: {} }), 1],
    ['a result and an error', rpc({ result: {}, error: {} }), 1],
    ['an object for an id', rpc({ id: {}, method: 'ping' }), null],
    ['null for an id', rpc({ id: null, method: 'ping' }), null],
    ['a fraction for an id', rpc({ id: 1.5, method: 'ping' }), null],
    ['true for an id', rpc({ id: true, method: 'ping' }), null],
    ['a number for a method', rpc({ method: 1 }), 1],
    ['a list for a method', rpc({ method: ['tools/call'] }), 1],
    ['an empty method', rpc({ method: '' }), 1],
  ])('%s is an invalid request', async ([, body, id]) => {
    expectRpcError(await post(body), -32600, id);
  });

  test.for<readonly [string, unknown]>([
    ['no params', undefined],
    ['no name', {}],
    ['a list for params', ['read']],
    ['a string for params', 'read'],
    ['null for params', null],
    ['a number for a name', { name: 1 }],
    ['null for a name', { name: null }],
    ['a list for a name', { name: ['read'] }],
    ['an object for a name', { name: {} }],
    ['an empty name', { name: '' }],
    ['arguments in another case', { name: 'read', Arguments: { text: 'x' } }],
    ['arguments with a long s', { name: 'read', 'argument\u017f': { text: 'x' } }],
    ['_meta in another case', { name: 'read', _META: {} }],
    ['a prototype beside its name', { name: 'read', ['__proto__']: { arguments: { text: 'x' } } }],
  ])('a tool call with %s has invalid parameters', async ([, params]) => {
    expectRpcError(await post(rpc({ method: 'tools/call', params })), -32602);
  });
});

describe('what is not granted', () => {
  test.for([
    'ungranted',
    'nowhere',
    'read ',
    ' read',
    'READ',
    'Read',
    'read\0',
    'read\n',
    'read\u200b',
    'ｒead',
    'reаd',
    '*',
    'all',
    '__proto__',
    'x'.repeat(2_048),
  ])('the tool %j is denied in the same words', async (name) => {
    expectDeniedTool(await post(call({ name })));
  });

  test.for([
    'read',
    'ungranted',
    'TOOLS/CALL',
    'tools/call ',
    'tools/call\0',
    'tools/call/read',
    'initialize ',
    'notifications/cancelled',
    'resources/list',
    'completion/complete',
    'rpc.discover',
    '*',
    '__proto__',
    'constructor',
  ])('the method %j is denied', async (method) => {
    expectRpcError(await post(rpc({ method, params: { name: 'read' } })), -31001, 1, 200);
  });

  test.for(['ungranted', 'nowhere'])('a call of %s without an id is denied, and not run', async (name) => {
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'tools/call', params: { name } });
    expectRpcError(await post(body), -31001, null, 403);
  });

  test.for(['resources/subscribe', 'evil'])('the method %s without an id is denied too', async (method) => {
    const body = JSON.stringify({ jsonrpc: '2.0', method, params: { uri: 'doc://readme' } });
    expectRpcError(await post(body), -31001, null, 403);
  });
});

describe('a modern request whose headers', () => {
  const headers = (changed: Readonly<Record<string, string | undefined>> = {}): readonly Header[] => {
    const all = {
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/call',
      'mcp-name': 'read',
      ...changed,
    };
    const present = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return [...PLAIN, ...present];
  };
  const body = (meta: unknown = META, name = 'read') => call({ name, arguments: {}, _meta: meta });
  const sentinel = (text: string) => `=?base64?${text}?=`;
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  test.for<readonly [string, string]>([
    ['as it is', 'read'],
    ['in Base64', sentinel(base64('read'))],
  ])('name the tool %s is let through', async ([, name]) => {
    expect((await post(body(), headers({ 'mcp-name': name }))).status).toBe(200);
    expect(upstream.seen).toHaveLength(1);
  });

  test.for<readonly [string, Readonly<Record<string, string | undefined>>]>([
    ['lack the method', { 'mcp-method': undefined }],
    ['lack the name', { 'mcp-name': undefined }],
    ['name another method', { 'mcp-method': 'tools/list' }],
    ['name the method in another case', { 'mcp-method': 'Tools/Call' }],
    ['encode the method', { 'mcp-method': sentinel(base64('tools/call')) }],
    ['have an empty method', { 'mcp-method': '' }],
    ['name another tool', { 'mcp-name': 'ungranted' }],
    ['name the tool in another case', { 'mcp-name': 'Read' }],
    ['have an empty name', { 'mcp-name': '' }],
    ['encode another tool', { 'mcp-name': sentinel(base64('ungranted')) }],
    ['encode in upper case', { 'mcp-name': `=?BASE64?${base64('read')}?=` }],
    ['encode what is no Base64', { 'mcp-name': sentinel('!!!!') }],
    ['encode without padding', { 'mcp-name': sentinel(base64('read').replace(/=+$/, '')) }],
    ['encode with a space', { 'mcp-name': sentinel(` ${base64('read')}`) }],
    ['encode with stray bits', { 'mcp-name': sentinel('cmVhZB==') }],
    ['encode what is no UTF-8', { 'mcp-name': sentinel('/w==') }],
    ['encode nothing', { 'mcp-name': sentinel('') }],
    ['lack an end of the encoding', { 'mcp-name': '=?base64?=' }],
    ['lack the version', { 'mcp-protocol-version': undefined }],
    ['have an older version', { 'mcp-protocol-version': '2025-11-25' }],
    ['have an unknown version', { 'mcp-protocol-version': '1999-01-01' }],
    ['have an empty version', { 'mcp-protocol-version': '' }],
  ])('%s disagrees with its body', async ([, changed]) => {
    expectRpcError(await post(body(), headers(changed)), -32020);
  });

  test.for<readonly [string, Header]>([
    ['name two tools', ['mcp-name', 'ungranted']],
    ['name one tool twice', ['mcp-name', 'read']],
    ['name two methods', ['mcp-method', 'tools/list']],
    ['have two versions', ['mcp-protocol-version', '2025-11-25']],
  ])('%s disagrees with its body', async ([, second]) => {
    expectRpcError(await post(body(), [...headers(), second]), -32020);
  });

  test.for<readonly [string, string, string]>([
    ['in UTF-8', 'caf\u00e9', Buffer.from('caf\u00e9').toString('latin1')],
    ['in Latin-1', 'caf\u00e9', 'caf\u00e9'],
    ['in bytes that are another name in Latin-1', '\u00e2\u0082\u00ac', '\u00e2\u0082\u00ac'],
    ['that is a sentinel, as it is', sentinel(base64('read')), sentinel(base64('read'))],
    ['that is a sentinel in capitals, as it is', '=?BASE64?cmVhZA==?=', '=?BASE64?cmVhZA==?='],
  ])('name a tool %s, which should be encoded, disagrees with its body', async ([, name, header]) => {
    expectRpcError(await post(body(META, name), headers({ 'mcp-name': header })), -32020);
  });

  test.for(['initialize', 'ping', 'tools/list', 'resources/subscribe'])(
    'name a tool for %s of the older era, which has none, disagree with its body',
    async (method) => {
      const older: readonly Header[] = [...PLAIN, ['mcp-name', 'read']];
      expectRpcError(await post(rpc({ method, params: { name: 'read', uri: 'read' } }), older), -32020);
    },
  );

  test('name a tool for a method that has none disagrees with its body', async () => {
    const list = rpc({ method: 'tools/list', params: { _meta: META } });
    expectRpcError(await post(list, headers({ 'mcp-method': 'tools/list' })), -32020);
  });

  test.for(['1999-01-01', '2024-11-05', '2099-01-01', 'x'])(
    'have the version %s, as its body has, is not supported',
    async (version) => {
      const meta = { ...META, [VERSION_META]: version };
      const answer = await post(body(meta), headers({ 'mcp-protocol-version': version }));
      expectRpcError(answer, -32022);
      const { data } = JSON.parse(answer.body).error;
      expect(data).toMatchObject({ requested: version, supported: expect.arrayContaining([MODERN]) });
    },
  );

  test.for<readonly [string, unknown]>([
    ['no version', {}],
    ['a number for a version', { ...META, [VERSION_META]: 20_260_728 }],
    ['a list for _meta', []],
    ['null for _meta', null],
    ['a string for _meta', 'x'],
  ])('are right and whose body has %s has invalid parameters', async ([, meta]) => {
    expectRpcError(await post(body(meta), headers()), -32602);
  });

  test('are of a client’s answer is refused: there are none in this era', async () => {
    const answered = { 'mcp-method': undefined, 'mcp-name': undefined };
    expectRpcError(await post(rpc({ result: {} }), headers(answered)), -32600);
  });

  test('lie about a request of the older era is refused too', async () => {
    const lying = { 'mcp-protocol-version': '2025-11-25', 'mcp-method': 'tools/list', 'mcp-name': undefined };
    expectRpcError(await post(call(), headers(lying)), -32020);
    expectRpcError(
      await post(call(), headers({ 'mcp-protocol-version': undefined, 'mcp-name': 'x' })),
      -32020,
    );
  });

  test('and body name a tool that is not granted is denied', async () => {
    const answer = await post(body(META, 'ungranted'), headers({ 'mcp-name': 'ungranted' }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body).result).toMatchObject({ isError: true, resultType: 'complete' });
    expect(upstream.seen).toEqual([]);
  });
});

describe('the path', () => {
  test.for([
    '//alpha/mcp',
    '/alpha//mcp',
    '/alpha/mcp/',
    '/alpha%2fmcp',
    '/alpha%5cmcp',
    '/alpha%0a/mcp',
    '/alpha/mcp%01',
    '/alpha/m%43p',
    '/%c4%b0lpha/mcp',
    '/alpha%ef%bc%8fmcp',
    '/alpha\\mcp',
    '/alpha/./mcp',
    '/./alpha/mcp',
    '/pass/../alpha/mcp',
    '/pass/%2e%2e/alpha/mcp',
    '/alpha;x=1/mcp',
    '/alpha/mcp;x=1',
    '/alpha/mcp%00',
    '/alpha%00/mcp',
    '/alpha/mcp%20',
    '/alpha%20/mcp',
    '/alpha/mcp%3f',
    '/alpha/mcp#x',
    '/alpha/mcpx',
    '/alpha/mcp/x',
    '/alpha/MCP',
    '/ALPHA/mcp',
    '/Alpha/mcp',
    '/%2561lpha/mcp',
    '/local/alpha/mcp',
    '/mcp',
    '/',
    '/*/mcp',
    '/all/mcp',
    '/__proto__/mcp',
    '/constructor/mcp',
    '/egress/mcp',
    '/oauth/mcp',
    '/nowhere/mcp',
    '/foreign/mcp',
    `/${'a'.repeat(64)}/mcp`,
    'http://elsewhere.example/alpha/mcp',
  ])('%s is nowhere', async (target) => {
    expectProblem(await post(call(), PLAIN, target), 404, 'not_found');
  });

  test.for(['/%/mcp', '/%zz/mcp', '/%ff/mcp', '/alpha%c0%afmcp', '/%c1%a1lpha/mcp', '/%ed%a0%80/mcp'])(
    '%s is malformed',
    async (target) => {
      expectProblem(await post(call(), PLAIN, target), 400, 'invalid_argument');
    },
  );

  test('with an encoded letter is the server that it decodes to', async () => {
    expect((await post(call(), PLAIN, '/%61lpha/mcp')).status).toBe(200);
    expect(upstream.seen.map(({ server }) => server)).toEqual(['alpha']);
  });

  test.for(['POST', 'GET', 'DELETE'])(
    'of another organisation’s server and of none are told apart by nobody (%s)',
    async (method) => {
      const look = async (server: string) => {
        const isPost = method === 'POST';
        const request: RawRequest = { method, target: `/${server}/mcp`, headers: [authorized(), ...PLAIN] };
        const answer = await sendRaw(cloud.origin, { ...request, ...(isPost ? { body: call() } : {}) });
        expectProblem(answer, 404, 'not_found');
        const varying = ['x-request-id', 'x-amzn-requestid', 'x-amz-apigw-id', 'date'];
        return {
          headers: [...answer.headers].filter(([name]) => !varying.includes(name)),
          body: answer.body.replace(requestIdOf(answer), ''),
        };
      };
      expect(await look('foreign')).toEqual(await look('nowhere'));
    },
  );
});

describe('the HTTP request', () => {
  test('GET is not allowed, and says what is', async () => {
    const answer = await sendRaw(cloud.origin, { target: '/alpha/mcp', headers: [authorized()] });
    expectProblem(answer, 405, 'invalid_argument');
    expect(answer.headers.get('allow')).toBe('POST');
  });

  test.for(['PUT', 'PATCH', 'TRACE'])('%s is no route', async (method) => {
    const answer = await sendRaw(cloud.origin, { method, target: '/alpha/mcp', headers: [authorized()] });
    expectProblem(answer, 404, 'not_found');
  });

  test('DELETE of a session that is nobody’s is not found', async () => {
    const headers: readonly Header[] = [authorized(), ['mcp-session-id', 'upstream-session']];
    const answer = await sendRaw(cloud.origin, { method: 'DELETE', target: '/alpha/mcp', headers });
    expectProblem(answer, 404, 'not_found');
  });

  test.for(['made-up', 'x'.repeat(3_000)])('a session id of nobody’s is not found', async (id) => {
    expectRpcError(await post(call(), [...PLAIN, ['mcp-session-id', id]]), -32600, 1, 404);
  });

  test.for(['https://evil.example', 'null', ''])(
    'from a page of the origin %j is forbidden',
    async (origin) => {
      const answer = await post(call(), [...PLAIN, ['origin', origin]]);
      expectProblem(answer, 403, 'permission_denied');
      expect(answer.headers.has('access-control-allow-origin')).toBe(false);
    },
  );

  test('with more than 10,240 bytes of headers is too large', async () => {
    expectProblem(await post(call(), [...PLAIN, ['x-big', 'x'.repeat(11_000)]]), 413, 'payload_too_large');
  });

  test('with a method override is the method that it is', async () => {
    expect((await post(call(), [...PLAIN, ['x-http-method-override', 'DELETE']])).status).toBe(200);
    expect(upstream.seen.map(({ method }) => method)).toEqual(['POST']);
  });
});

describe('what arrives at the server', () => {
  test('is every number as it was written', async () => {
    const written =
      '{"a":1e400,"b":1.0,"c":12345678901234567890,"d":-0,"e":1E+2,"f":0.10,"":0,"__proto__":{"x":1}}';
    const body = call({ name: 'read', arguments: {} }).replace('{}', written);
    await post(body);
    expect(upstream.seen.map((seen) => seen.body)).toEqual([body]);
  });

  test('is none of the caller’s headers but those of MCP and the listed ones', async () => {
    const travelling: readonly Header[] = [
      ['x-listed', 'yes'],
      ['mcp-param-region', 'eu'],
      ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ];
    const staying = [
      'cookie',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'forwarded',
      'x-real-ip',
      'x-user',
      'x-scopes',
      'x-org-id',
      'x-upstream-url',
      'x-service-token',
      'x-delegation',
      'x-api-key',
      'x_listed',
      'x-listed-too',
      'mcp-evil',
      'proxy-authorization',
      'keep-alive',
      'via',
      'origin-agent-cluster',
      'referer',
      'accept-encoding',
      'accept-language',
      'content-language',
      'tracestate',
      'baggage',
      'user-agent',
    ].map((name): Header => [name, 'canary']);
    const clientId: Header = ['x-client-id', 'agent'];
    expect((await post(call(), [...PLAIN, clientId, ...travelling, ...staying])).status).toBe(200);
    const [{ headers } = { headers: {} }] = upstream.seen;
    expect(headers).toEqual({
      ...Object.fromEntries([...PLAIN, ...travelling]),
      'user-agent': expect.stringMatching(/^sallyport\//),
      'content-length': String(call().length),
      host: expect.any(String),
      connection: 'keep-alive',
    });
  });

  test('is no header that Connection names', async () => {
    await post(call(), [...PLAIN, ['connection', 'x-secret, keep-alive'], ['x-secret', 'canary']]);
    expect(JSON.stringify(upstream.seen)).not.toContain('canary');
  });

  describe('of a server that takes the caller’s own Authorization', () => {
    const authorizationSeen = async (headers: readonly Header[]) => {
      const answer = await sendRaw(cloud.origin, {
        method: 'POST',
        target: '/pass/mcp',
        headers: [...headers, ...PLAIN],
        body: call(),
      });
      return [answer.status, ...upstream.seen.map((seen) => seen.headers.authorization)];
    };
    const ingress = (): Header => ['x-authorization', `Bearer ${token}`];

    test('is that header', async () => {
      expect(await authorizationSeen([ingress(), ['authorization', 'Bearer own']])).toEqual([
        200,
        'Bearer own',
      ]);
    });

    test('is never the token of the gateway, in whichever header it comes', async () => {
      // Nothing is sent at all: the server is called with a token of the caller's own, or not.
      expect(await authorizationSeen([authorized()])).toEqual([200]);
      expect(await authorizationSeen([ingress(), authorized()])).toEqual([200]);
      expect(await authorizationSeen([ingress()])).toEqual([200]);
    });

    test('is nothing where there are two', async () => {
      const two: readonly Header[] = [
        ingress(),
        ['authorization', 'Bearer a'],
        ['authorization', 'Bearer b'],
      ];
      expect(await authorizationSeen(two)).toEqual([401]);
    });
  });
});

describe('the token endpoint', () => {
  const GRANT = 'grant_type=client_credentials';
  const FORM: Header = ['content-type', 'application/x-www-form-urlencoded'];
  const basic = (id: string, secret: string): Header => ['authorization', `Basic ${btoa(`${id}:${secret}`)}`];
  const AGENT = basic('agent', 'agent-secret');
  const POSTED = 'client_id=poster&client_secret=poster-secret';
  const ask = (body: Body, headers: readonly Header[] = [AGENT, FORM], target = '/oauth/token') =>
    sendRaw(cloud.origin, { method: 'POST', target, headers, body });

  const resource = (path: string) => `${GRANT}&resource=${encodeURIComponent(cloud.origin + path)}`;

  function expectOAuthError(answer: RawResponse, status: number, error: string): void {
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      error,
      error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    requestIdOf(answer);
  }

  test('gives a token to each client by its own method', async () => {
    const answers = [await ask(GRANT), await ask(`${GRANT}&${POSTED}`, [FORM])];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  test.for<readonly [string, readonly Header[], string]>([
    ['a wrong secret', [basic('agent', 'wrong')], GRANT],
    ['an empty secret', [basic('agent', '')], GRANT],
    ['another client’s secret', [basic('agent', 'poster-secret')], GRANT],
    ['an unknown client', [basic('ghost', 'agent-secret')], GRANT],
    ['a client that every object has', [basic('__proto__', 'x')], GRANT],
    ['a client id in another case', [basic('AGENT', 'agent-secret')], GRANT],
    ['a client id that is a path of a secret', [basic('../clients/agent', 'agent-secret')], GRANT],
    ['a space before the secret', [basic('agent', ' agent-secret')], GRANT],
    ['no credentials', [], GRANT],
    ['an id alone', [], `${GRANT}&client_id=agent`],
    ['what is no Base64', [['authorization', 'Basic !!!']], GRANT],
    ['a token for a password', [['authorization', 'Bearer x']], GRANT],
    ['two Authorization headers', [AGENT, AGENT], GRANT],
    ['the body, for a client of the header', [], `${GRANT}&client_id=agent&client_secret=agent-secret`],
    ['the header, for a client of the body', [basic('poster', 'poster-secret')], GRANT],
    [
      'an assertion that is none',
      [],
      `${GRANT}&client_assertion_type=${encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')}&client_assertion=x`,
    ],
  ])('knows no client by %s', async ([, headers, body]) => {
    expectOAuthError(await ask(body, [...headers, FORM]), 401, 'invalid_client');
  });

  test('tells a wrong secret, an unknown client and a wrong method apart for nobody', async () => {
    const attempts = [basic('agent', 'wrong'), basic('ghost', 'wrong'), basic('poster', 'poster-secret')];
    const answers = await Promise.all(attempts.map((header) => ask(GRANT, [header, FORM])));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  });

  test('takes no credentials and no parameters from the query', async () => {
    const query = '/oauth/token?client_id=poster&client_secret=poster-secret';
    expectOAuthError(await ask(GRANT, [FORM], query), 401, 'invalid_client');
    expectOAuthError(await ask('', [AGENT, FORM], `/oauth/token?${GRANT}`), 400, 'invalid_request');
  });

  test.for<readonly [string, string]>([
    ['two ways of authentication', `${GRANT}&client_id=agent&client_secret=agent-secret`],
    ['two client ids', `${GRANT}&client_id=poster`],
    ['no grant type', 'scope=tools'],
    ['an empty grant type', 'grant_type='],
    ['a repeated grant type', `${GRANT}&${GRANT}`],
    ['a repeated grant type in another spelling', `${GRANT}&grant%5ftype=client_credentials`],
    ['a repeated scope', `${GRANT}&scope=tools&scope=tools`],
    ['an assertion of no type', `${GRANT}&client_assertion=x`],
    ['a repeated parameter of its own', `${GRANT}&x=1&x=2`],
    ['nothing', ''],
  ])('refuses %s', async ([, body]) => {
    expectOAuthError(await ask(body), 400, 'invalid_request');
  });

  test.for<readonly [string, readonly Header[]]>([
    ['JSON', [['content-type', 'application/json']]],
    ['a multipart form', [['content-type', 'multipart/form-data; boundary=x']]],
    ['no content type', []],
  ])('refuses %s', async ([, headers]) => {
    expectOAuthError(await ask(GRANT, [AGENT, ...headers]), 400, 'invalid_request');
  });

  test.for(['password', 'implicit', 'CLIENT_CREDENTIALS', 'client_credentials;x'])(
    'does not know the grant %s',
    async (grant) => {
      expectOAuthError(await ask(`grant_type=${grant}`), 400, 'unsupported_grant_type');
    },
  );

  test.for([
    'authorization_code',
    'refresh_token',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
  ])('gives a client that may not use it nothing for the grant %s', async (grant) => {
    const answer = await ask(`grant_type=${encodeURIComponent(grant)}`);
    const { error } = JSON.parse(answer.body);
    expect(['unauthorized_client', 'unsupported_grant_type']).toContain(error);
    expectOAuthError(answer, 400, error);
  });

  test.for<readonly [string, () => string]>([
    ['another organisation’s server', () => resource('/foreign/mcp')],
    ['no server', () => resource('/nowhere/mcp')],
    ['a slash at the end', () => resource('/alpha/mcp/')],
    ['a fragment', () => resource('/alpha/mcp#x')],
    ['a query', () => resource('/alpha/mcp?x')],
    ['an encoded letter', () => resource('/%61lpha/mcp')],
    ['a path alone', () => `${GRANT}&resource=/alpha/mcp`],
    ['another origin', () => `${GRANT}&resource=https://elsewhere.example/alpha/mcp`],
    [
      'two servers',
      () => `${resource('/alpha/mcp')}&resource=${encodeURIComponent(`${cloud.origin}/pass/mcp`)}`,
    ],
  ])('gives no token for %s', async ([, body]) => {
    expectOAuthError(await ask(body()), 400, 'invalid_target');
  });

  test('gives a resource client no token for the whole gateway', async () => {
    const narrow = [basic('narrow', 'narrow-secret'), FORM];
    expectOAuthError(await ask(GRANT, narrow), 400, 'invalid_target');
    expectOAuthError(await ask(resource(''), narrow), 400, 'invalid_target');
    expect((await ask(resource('/alpha/mcp'), narrow)).status).toBe(200);
  });

  test.for([
    'other',
    'nowhere',
    '*',
    'TOOLS',
    'tools/*',
    'tools  tools',
    ' tools',
    'tools"',
    'tools\tx',
    '\0',
    '%ff',
  ])('grants no scope %j', async (scope) => {
    const encoded = scope.startsWith('%') ? scope : encodeURIComponent(scope);
    expectOAuthError(await ask(`${GRANT}&scope=${encoded}`), 400, 'invalid_scope');
  });

  test('narrows the scope to what the client has, and says so', async () => {
    const answer = await ask(`${GRANT}&scope=tools+other`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body).scope).toBe('tools');
  });

  test.for<readonly [string, string]>([
    ['16 KB', `${GRANT}&x=${'x'.repeat(17_000)}`],
    ['20,000 parameters', `${GRANT}&${Array.from({ length: 20_000 }, (_, at) => `p${at}=1`).join('&')}`],
  ])('reads no form of more than %s', async ([, body]) => {
    expectOAuthError(await ask(body), 413, 'invalid_request');
  });

  test.for(['GET', 'PUT', 'DELETE'])('has no %s', async (method) => {
    const target = `/oauth/token?${GRANT}`;
    const answer = await sendRaw(cloud.origin, { method, target, headers: [AGENT] });
    expectProblem(answer, 404, 'not_found');
  });
});
