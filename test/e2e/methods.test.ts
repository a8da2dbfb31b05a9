import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type RecordedRequest,
  type RecordingServer,
  startRecordingServer,
} from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

const MODERN = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Who may use which methods. */
const GRANTS = {
  everything: ['all'],
  starter: ['initialize'],
  completer: ['completion/complete'],
  prompter: ['completion/complete', 'prompts/get'],
  reader: ['completion/complete', 'resources/read', 'subscriptions/listen'],
  listener: ['subscriptions/listen'],
  watcher: ['resources/subscribe'],
  tasker: ['tasks/get', 'tasks/result'],
} as const;
type Client = keyof typeof GRANTS;
type Era = 'modern' | 'legacy';

const RESULT = '{"resultType":"complete","odd":1.0e2,"escaped":"\\u00e9\\/","x":[]}';

let upstream: RecordingServer;
let cloud: Sallyport;
const tokens = new Map<string, string>();
/** What the server behind answers to a request, where it is not {@link RESULT}. */
let respond: ((request: RecordedRequest, answer: ServerResponse) => void) | undefined;

beforeAll(async () => {
  upstream = await startRecordingServer((request, answer) => {
    if (respond !== undefined) return respond(request, answer);
    const { id } = JSON.parse(request.body);
    if (id === undefined) return void answer.writeHead(202).end();
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${RESULT}}`);
  });
  const names = Object.keys(GRANTS);
  const client = (name: string) => ({
    grants: ['client_credentials'],
    scopes: [name],
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${name}` },
  });
  cloud = await startSallyport({
    clients: names,
    config: {
      'scopes.yml': JSON.stringify(
        Object.fromEntries(
          Object.entries(GRANTS).map(([name, methods]) => [
            name,
            [{ server: 'wire', methods, tools: ['run'] }],
          ]),
        ),
      ),
      'servers.yml': JSON.stringify({
        servers: { wire: { url: `${upstream.origin}/mcp`, private: true, get_stream: true } },
      }),
      'clients.yml': JSON.stringify({
        clients: Object.fromEntries(names.map((name) => [name, client(name)])),
      }),
    },
  });
  for (const name of names) tokens.set(name, await cloud.token(name));
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});
beforeEach(() => {
  upstream.seen.length = 0;
  respond = undefined;
});

type Sent = { readonly response: Response; readonly body: string; readonly sent: string };

/** The member of `params` that a header mirrors. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

type Options = {
  readonly id?: string;
  readonly isNotification?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Sends one message as a client of that era would; its id is 7 where nothing is said. */
async function ask(
  client: Client,
  era: Era,
  method: string,
  params: Record<string, unknown> = {},
  { id, isNotification = false, headers = {} }: Options = {},
): Promise<Sent> {
  const envelope = { jsonrpc: '2.0', ...(isNotification ? {} : { id: id ?? 7 }), method };
  const sent = JSON.stringify({
    ...envelope,
    params: era === 'modern' ? { ...params, _meta: META } : params,
  });
  const named = NAMED_BY[method];
  const mirrored = {
    'mcp-protocol-version': MODERN,
    'mcp-method': method,
    ...(named === undefined ? {} : { 'mcp-name': String(params[named]) }),
  };
  const response = await fetch(`${cloud.origin}/wire/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.get(client)}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(era === 'modern' ? mirrored : { 'mcp-protocol-version': '2025-11-25' }),
      ...headers,
    },
    body: sent,
  });
  return { response, body: await response.text(), sent };
}

function expectPassed({ response, body, sent }: Sent): void {
  expect(response.status).toBe(200);
  expect(body).toBe(`{"jsonrpc":"2.0","id":7,"result":${RESULT}}`);
  expect(upstream.seen.map((request) => request.body)).toEqual([sent]);
}

function expectDenied({ response, body }: Sent): void {
  const requestId = response.headers.get('x-request-id');
  expect([response.status, JSON.parse(body)]).toEqual([
    200,
    {
      jsonrpc: '2.0',
      id: 7,
      error: {
        code: -31001,
        message: 'access denied: this operation is not available to you',
        data: { reason: 'permission_denied', request_id: requestId },
      },
    },
  ]);
  expect(upstream.seen).toEqual([]);
}

const GREET = { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'city', value: 'p' } };
const MAP = { ref: { type: 'ref/resource', uri: 'doc://{city}' }, argument: { name: 'city', value: 'p' } };
const LISTEN = { notifications: { toolsListChanged: true } };
const WATCH = { notifications: { resourceSubscriptions: ['doc://readme'] } };
const ROUND = {
  name: 'run',
  arguments: { n: 1 },
  inputResponses: { who: { action: 'accept', content: { name: 'é/ü' } } },
  requestState: 'eyJ.opaque/+=\u00e9\\"',
};

type Row = readonly [client: Client, era: Era, method: string, params?: Record<string, unknown>];

describe('passes as it was sent, and its answer as it came:', () => {
  test.for<Row>([
    ['starter', 'modern', 'server/discover'],
    ['starter', 'legacy', 'initialize', { protocolVersion: '2025-03-26', capabilities: {} }],
    ['starter', 'legacy', 'ping'],
    ['everything', 'modern', 'server/discover'],
    ['everything', 'modern', 'tools/call', ROUND],
    ['everything', 'modern', 'prompts/get', { ...ROUND, name: 'greet' }],
    ['everything', 'modern', 'resources/read', { ...ROUND, uri: 'doc://readme' }],
    ['everything', 'modern', 'tools/call', { name: 'run', _meta: { progressToken: 'p', traceparent: 't' } }],
    ['everything', 'modern', 'tasks/get', { taskId: 't-1' }],
    ['everything', 'modern', 'tasks/update', { taskId: 't-1', inputResponses: { a: 1 } }],
    ['everything', 'modern', 'tasks/cancel', { taskId: 't-1' }],
    ['everything', 'legacy', 'tools/call', { name: 'run', task: { ttl: 60_000 } }],
    ['everything', 'legacy', 'tasks/get', { taskId: 't-1' }],
    ['everything', 'legacy', 'tasks/list', { cursor: 'c' }],
    ['everything', 'legacy', 'tasks/result', { taskId: 't-1' }],
    ['everything', 'legacy', 'tasks/cancel', { taskId: 't-1' }],
    ['everything', 'legacy', 'logging/setLevel', { level: 'debug' }],
    ['everything', 'legacy', 'resources/unsubscribe', { uri: 'doc://readme' }],
    ['tasker', 'modern', 'tasks/get', { taskId: 't-1' }],
    ['tasker', 'legacy', 'tasks/result', { taskId: 't-1' }],
    ['prompter', 'modern', 'completion/complete', GREET],
    ['prompter', 'legacy', 'completion/complete', GREET],
    ['reader', 'modern', 'completion/complete', MAP],
    ['reader', 'legacy', 'completion/complete', MAP],
    ['listener', 'modern', 'subscriptions/listen', LISTEN],
    ['reader', 'modern', 'subscriptions/listen', WATCH],
    ['watcher', 'legacy', 'resources/subscribe', { uri: 'doc://readme' }],
  ])('%s, %s: %s %j', async ([client, era, method, params]) => {
    expectPassed(await ask(client, era, method, params));
  });

  test('an id that is a string', async () => {
    for (const id of ['é', '"', 'a/b']) {
      upstream.seen.length = 0;
      const { body, sent } = await ask('everything', 'modern', 'tools/call', { name: 'run' }, { id });
      expect(body).toBe(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${RESULT}}`);
      expect(upstream.seen.map((request) => request.body)).toEqual([sent]);
    }
  });
});

describe('is denied, in the one text, and reaches nobody:', () => {
  test.for<Row>([
    ['starter', 'modern', 'tools/list'],
    ['starter', 'modern', 'subscriptions/listen', LISTEN],
    ['starter', 'modern', 'tasks/get', { taskId: 't-1' }],
    ['starter', 'legacy', 'logging/setLevel', { level: 'debug' }],
    ['tasker', 'modern', 'server/discover'],
    ['tasker', 'legacy', 'initialize', { protocolVersion: '2025-11-25', capabilities: {} }],
    ['tasker', 'modern', 'tasks/update', { taskId: 't-1', inputResponses: {} }],
    ['tasker', 'modern', 'tasks/cancel', { taskId: 't-1' }],
    ['tasker', 'legacy', 'tasks/cancel', { taskId: 't-1' }],
    ['tasker', 'legacy', 'tasks/list'],
    ['completer', 'modern', 'completion/complete', GREET],
    ['completer', 'legacy', 'completion/complete', GREET],
    ['completer', 'legacy', 'completion/complete', MAP],
    ['prompter', 'modern', 'completion/complete', MAP],
    ['reader', 'modern', 'completion/complete', GREET],
    ['prompter', 'modern', 'prompts/list'],
    ['listener', 'modern', 'subscriptions/listen', WATCH],
    ['listener', 'legacy', 'resources/subscribe', { uri: 'doc://readme' }],
    ['reader', 'legacy', 'resources/subscribe', { uri: 'doc://readme' }],
    ['watcher', 'legacy', 'resources/unsubscribe', { uri: 'doc://readme' }],
    ['watcher', 'legacy', 'resources/read', { uri: 'doc://readme' }],
  ])('%s, %s: %s %j', async ([client, era, method, params]) => {
    expectDenied(await ask(client, era, method, params));
  });

  test('a tool call of a later round, as that of the first', async () => {
    const { body } = await ask('everything', 'modern', 'tools/call', { ...ROUND, name: 'hidden' });
    // Every tool is granted to `everything` by no rule but `run`'s.
    expect(JSON.parse(body).result).toMatchObject({ isError: true });
    expect(upstream.seen).toEqual([]);
  });
});

describe('what cannot be decided on is refused where the method is granted:', () => {
  test.for<Row>([
    ['everything', 'modern', 'completion/complete', {}],
    ['everything', 'legacy', 'completion/complete', { ref: { type: 'ref/tool', name: 'run' } }],
    ['everything', 'modern', 'subscriptions/listen', { notifications: { resourceSubscriptions: 'doc://a' } }],
  ])('%s, %s: %s %j', async ([client, era, method, params]) => {
    const { response, body } = await ask(client, era, method, params);
    expect([response.status, JSON.parse(body)]).toMatchObject([400, { id: 7, error: { code: -32602 } }]);
    expect(upstream.seen).toEqual([]);
  });
});

describe('what a client tells without asking passes with any right on the server:', () => {
  test.for<readonly [Era, string, Record<string, unknown>]>([
    ['legacy', 'notifications/initialized', {}],
    ['legacy', 'notifications/cancelled', { requestId: 3, reason: 'enough' }],
    ['legacy', 'notifications/progress', { progressToken: 'p', progress: 1 }],
    ['legacy', 'notifications/roots/list_changed', {}],
    ['modern', 'notifications/cancelled', { requestId: 'listen:1' }],
  ])('%s: %s', async ([era, method, params]) => {
    const { response, body, sent } = await ask('tasker', era, method, params, { isNotification: true });
    expect([response.status, body]).toEqual([202, '']);
    expect(upstream.seen.map((request) => request.body)).toEqual([sent]);
  });
});

describe('a question to the client passes byte for byte:', () => {
  const QUESTION =
    '{ "jsonrpc": "2.0", "id": 7, "result": {"resultType":"input_required",' +
    '"requestState":"a\\u002fb\\/c","inputRequests":{"who":{"method":"elicitation/create","params":{"n":1.50}}}} }';

  test.for<readonly ['json' | 'sse', string, Record<string, unknown>]>([
    ['json', 'tools/call', { name: 'run' }],
    ['json', 'prompts/get', { name: 'greet' }],
    ['json', 'resources/read', { uri: 'doc://readme' }],
    ['sse', 'tools/call', { name: 'run' }],
    ['sse', 'prompts/get', { name: 'greet' }],
    ['sse', 'resources/read', { uri: 'doc://readme' }],
  ])('%s: %s', async ([form, method, params]) => {
    respond = (_, answer) => {
      answer.writeHead(200, { 'content-type': form === 'sse' ? 'text/event-stream' : 'application/json' });
      answer.end(form === 'sse' ? `event: message\ndata: ${QUESTION}\n\n` : QUESTION);
    };
    const { response, body } = await ask('everything', 'modern', method, params);
    expect(response.status).toBe(200);
    expect(body.replace(/^event: message\ndata: |\n\n$/g, '')).toBe(QUESTION);
  });
});

describe('sessions of the `initialize` era', () => {
  const open = async () => {
    respond = (_, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'upstream-1' });
      answer.end('{"jsonrpc":"2.0","id":7,"result":{}}');
    };
    const { response } = await ask('everything', 'legacy', 'initialize');
    upstream.seen.length = 0;
    return response.headers.get('mcp-session-id') ?? '';
  };
  const get = (client: Client, headers: Record<string, string>) =>
    fetch(`${cloud.origin}/wire/mcp`, {
      headers: { authorization: `Bearer ${tokens.get(client)}`, accept: 'text/event-stream', ...headers },
    });

  test('a stream is taken up where it broke off, in the session of its caller', async () => {
    const session = await open();
    respond = (_, answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      answer.end('id: e-8\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n');
    };
    const resumed = await get('everything', { 'mcp-session-id': session, 'last-event-id': 'e-7' });
    expect(await resumed.text()).toContain('id: e-8');
    expect(upstream.seen.map(({ headers }) => [headers['mcp-session-id'], headers['last-event-id']])).toEqual(
      [['upstream-1', 'e-7']],
    );
    const stolen = await get('tasker', { 'mcp-session-id': session, 'last-event-id': 'e-7' });
    expect(stolen.status).toBe(404);
    const outside = await get('everything', { 'mcp-protocol-version': '2025-11-25', 'last-event-id': 'e-7' });
    await outside.text();
    expect(upstream.seen.map(({ headers }) => headers['last-event-id'])).toEqual(['e-7', undefined]);
  });

  test('are nothing to a stateless request: what it says of them goes no further', async () => {
    const session = await open();
    const { response } = await ask(
      'everything',
      'modern',
      'tools/call',
      { name: 'run' },
      {
        headers: { 'mcp-session-id': session, 'last-event-id': 'e-7' },
      },
    );
    expect(response.headers.has('mcp-session-id')).toBe(false);
    expect(upstream.seen.map(({ headers }) => [headers['mcp-session-id'], headers['last-event-id']])).toEqual(
      [[undefined, undefined]],
    );
  });

  test.for(['GET', 'DELETE'])('%s in the stateless era is not allowed', async (method) => {
    const session = await open();
    const response = await fetch(`${cloud.origin}/wire/mcp`, {
      method,
      headers: {
        authorization: `Bearer ${tokens.get('everything')}`,
        'mcp-protocol-version': MODERN,
        'mcp-session-id': session,
      },
    });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(upstream.seen).toEqual([]);
  });
});

test.for(['/.well-known/oauth-protected-resource/wire/mcp', '/.well-known/oauth-authorization-server'])(
  'whatever a request says of where it went, %s names the configured origin',
  async (path) => {
    const { hostname, port } = new URL(cloud.origin);
    const forged = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
    };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ hostname, port, path, headers: { ...forged, 'x-forwarded-proto': 'gopher' } }, resolve).on(
        'error',
        reject,
      );
    });
    const document = await text(answer);
    expect(answer.statusCode).toBe(200);
    expect(document).toContain(`"${cloud.origin}`);
    expect(document).not.toContain('evil.example');
  },
);
