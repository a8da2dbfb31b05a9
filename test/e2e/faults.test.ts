import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RawResponse, sendRaw } from '../support/raw-request.ts';
import {
  answerTool,
  type RecordedRequest,
  type RecordingServer,
  startRecordingServer,
} from '../support/recording-server.ts';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';

const CANARY = 'canary-of-a-credential';
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';
const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

/** Ways in which a service of AWS is down; `timeout` hangs up after 50 ms, so that a test does not wait for the SDK to give up. */
const OUTAGES = [{ mode: 'error' }, { mode: 'throttle' }, { mode: 'timeout', ms: 50 }] as const;

/** A secret that could not be had is not looked for again before. */
const FAILURE_HELD_SECONDS = 5;

/** Values of a credential that are none. */
const MALFORMED: readonly (readonly [label: string, value: unknown])[] = [
  ['no JSON', CANARY],
  ['a JSON string', JSON.stringify(CANARY)],
  ['a list', JSON.stringify([{ type: 'bearer', token: CANARY }])],
  ['no type', JSON.stringify({ token: CANARY })],
  ['an unknown type', JSON.stringify({ type: 'magic', token: CANARY })],
  ['a repeated member', `{"type":"bearer","token":"${CANARY}","token":"x"}`],
  ['no token', JSON.stringify({ type: 'bearer', value: CANARY })],
  ['an empty token', JSON.stringify({ type: 'bearer', token: '' })],
  ['a number for a token', JSON.stringify({ type: 'bearer', token: 1 })],
  ['a line break in the token', JSON.stringify({ type: 'bearer', token: `${CANARY}\r\nX-Admin: 1` })],
  ['a line feed in the token', JSON.stringify({ type: 'bearer', token: `${CANARY}\nX-Admin: 1` })],
  ['NUL in the token', JSON.stringify({ type: 'bearer', token: `${CANARY}\0` })],
  ['a letter beyond ASCII in the token', JSON.stringify({ type: 'bearer', token: `${CANARY}é` })],
  ['a line break in the name', JSON.stringify({ type: 'header', name: 'X-Key\r\nX-Admin', value: CANARY })],
  ['a colon in the name', JSON.stringify({ type: 'header', name: 'X-Key:', value: CANARY })],
  ['an empty name', JSON.stringify({ type: 'header', name: '', value: CANARY })],
  ['Host for a name', JSON.stringify({ type: 'header', name: 'Host', value: CANARY })],
  ['Content-Length for a name', JSON.stringify({ type: 'header', name: 'Content-Length', value: '0' })],
  ['Transfer-Encoding for a name', JSON.stringify({ type: 'header', name: 'Transfer-Encoding', value: 'x' })],
  ['Mcp-Session-Id for a name', JSON.stringify({ type: 'header', name: 'Mcp-Session-Id', value: CANARY })],
  ['a colon in the user name', JSON.stringify({ type: 'basic', username: 'a:b', password: CANARY })],
  ['no password', JSON.stringify({ type: 'basic', username: CANARY })],
  ['an empty query name', JSON.stringify({ type: 'query', name: '', value: CANARY })],
];
const malformedClient = (at: number) => `malformed-${at}`;

type Respond = (request: RecordedRequest, answer: ServerResponse) => void;

/** What each server answers, at its own path; `good` for those that only want another credential. */
const SERVED: Readonly<Record<string, Respond>> & { readonly good: Respond } = {
  silent: () => {},
  hangup: (_, answer) => answer.destroy(),
  redirect: (_, answer) => answer.writeHead(307, { location: '/stolen' }).end(),
  unauthorized: (_, answer) => answer.writeHead(401, { 'www-authenticate': 'Bearer realm="inner"' }).end(),
  crash: (_, answer) =>
    answer
      .writeHead(500, { 'content-type': 'text/plain' })
      .end('Error: boom\n    at handler (/srv/app.js:1:2)'),
  'json-crash': (_, answer) =>
    answer.writeHead(500, { 'content-type': 'application/json' }).end('{"stack":"Error at /srv/app.js:1:2"}'),
  page: (_, answer) =>
    answer.writeHead(200, { 'content-type': 'text/html' }).end('<script>/srv/app.js</script>'),
  untyped: (_, answer) => answer.writeHead(200).end('Error at /srv/app.js:1:2'),
  gzip: (_, answer) =>
    answer
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(gzipSync('{"jsonrpc":"2.0","id":1,"result":{}}')),
  garbage: (_, answer) => answer.writeHead(200, { 'content-type': 'application/json' }).end('{"tools":'),
  huge: (_, answer) =>
    answer
      .writeHead(200, { 'content-type': 'application/json' })
      .end(`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"x":"${'x'.repeat(17_000_000)}"}}`),
  gone: ({ body }, answer) =>
    answer
      .writeHead(body.includes('notifications/') ? 202 : 404, { 'content-type': 'text/plain' })
      .end('at /srv/app.js:1:2'),
  torn: (_, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.write('data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\ndata: {"jsonrpc"');
    setTimeout(() => answer.destroy(), 20);
  },
  good: (request, answer) => answerTool(request, answer, 'done'),
  'many-headers': (_, answer) => answer.writeHead(200, { 'x-big': 'x'.repeat(40_000) }).end(),
};

let cloud: Sallyport;
let upstream: RecordingServer;
/** Access tokens that were got in good times. */
const tokens = new Map<string, string>();
const answers: RawResponse[] = [];

const CLIENTS = [
  'agent',
  'keyless',
  'denied',
  ...OUTAGES.flatMap(({ mode }) => [`vault-${mode}`, `login-${mode}`]),
  ...MALFORMED.map((_, at) => malformedClient(at)),
];

beforeAll(async () => {
  upstream = await startRecordingServer((request, answer) =>
    (SERVED[request.url.slice(1)] ?? SERVED.good)(request, answer),
  );
  const timeout = { connect: '300ms', first_byte: '300ms', silence: '300ms', call: '1s' };
  const server = (name: string, entry: object = {}) => [
    name,
    { url: `${upstream.origin}/${name}`, private: true, timeout, ...entry },
  ];
  const servers = Object.fromEntries([
    ...Object.keys(SERVED).map((name) => server(name)),
    server('refused', { url: 'http://127.0.0.1:1/refused' }),
    server('keyed', { egress: { mode: 'service_account', key: 'client' } }),
    server('signed', { egress: { mode: 'identity' } }),
  ]);
  const rules = Object.keys(servers).map((name) => ({
    server: name,
    methods: ['initialize', 'tools/list', 'tools/call'],
    tools: ['read'],
  }));
  const credential = (id: string) => `sallyport/{stage}/credentials/acme/keyed/client.${id}`;
  const usable = JSON.stringify({ type: 'bearer', token: CANARY });
  cloud = await startSallyport({
    hasOwnClock: true,
    clients: CLIENTS,
    credentials: {
      ...Object.fromEntries(
        ['agent', 'denied', ...OUTAGES.map(({ mode }) => `vault-${mode}`)].map((id) => [
          credential(id),
          usable,
        ]),
      ),
      ...Object.fromEntries(MALFORMED.map(([, value], at) => [credential(malformedClient(at)), value])),
    },
    config: {
      'scopes.yml': JSON.stringify({
        'UI-Scopes': {},
        group_mappings: {},
        tools: rules,
        documents: [{ server: 'context-store', methods: ['tools/call'], tools: ['doc_query'] }],
      }),
      'servers.yml': JSON.stringify({ servers }),
      'clients.yml': JSON.stringify({
        clients: Object.fromEntries(
          CLIENTS.map((id) => [
            id,
            {
              org: 'acme',
              secret: { ref: `sallyport/{stage}/clients/${id}` },
              grants: ['client_credentials'],
              scopes: ['tools', 'documents'],
              audience: 'gateway',
              namespace: 'ns',
            },
          ]),
        ),
      }),
    },
  });
  const early = CLIENTS.filter((id) => !id.startsWith('login-'));
  // One after another: all at once they start an environment each, which a busy machine does too slowly.
  for (const id of early) tokens.set(id, await cloud.token(id));
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});
beforeEach(() => {
  upstream.seen.length = 0;
});
afterEach(async () => {
  await cloud.clearFaults();
});

async function ask(id: string, target: string, body?: string): Promise<RawResponse> {
  const answer = await sendRaw(cloud.origin, {
    method: body === undefined ? 'GET' : 'POST',
    target,
    headers: [
      ['authorization', `Bearer ${tokens.get(id)}`],
      ['content-type', 'application/json'],
      ['accept', 'application/json, text/event-stream'],
    ],
    ...(body === undefined ? {} : { body }),
  });
  answers.push(answer);
  return answer;
}

const call = (id: string, server: string, body = CALL) => ask(id, `/${server}/mcp`, body);

/** A token that nothing is remembered of yet. */
async function freshToken(id: string): Promise<void> {
  tokens.set(id, await cloud.token(id));
}

function expectUnavailable(answer: RawResponse): void {
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(upstream.seen).toEqual([]);
}

function expectFailedServer(answer: RawResponse, status: number): void {
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.body)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: -31003,
      message: expect.any(String),
      data: { reason: 'upstream_error', request_id: answer.headers.get('x-request-id') },
    },
  });
}

function expectNoCredential(answer: RawResponse): void {
  expect(answer.status).toBe(200);
  const requestId = answer.headers.get('x-request-id');
  const text = `access denied: no credential is set up for this client; ask an administrator, giving the request id (request ${requestId})`;
  expect(JSON.parse(answer.body).result).toEqual({ content: [{ type: 'text', text }], isError: true });
  expect(upstream.seen).toEqual([]);
}

async function expectNoToken(id: string): Promise<void> {
  const response = await cloud.fetchToken(id);
  const text = await response.text();
  expect(response.status).toBe(503);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(JSON.parse(text)).toEqual({
    error: 'temporarily_unavailable',
    error_description: expect.any(String),
  });
}

test('without a fault everything answers', async () => {
  for (const server of ['good', 'keyed', 'signed']) expect((await call('agent', server)).status).toBe(200);
  expect(upstream.seen.map(({ url }) => url)).toEqual(['/good', '/keyed', '/signed']);
  expect(upstream.seen[1]?.headers.authorization).toBe(`Bearer ${CANARY}`);
  for (const target of ['/me', '/context/documents']) expect((await ask('agent', target)).status).toBe(200);
});

describe('Secrets Manager', () => {
  test.for(OUTAGES)(
    'down by $mode: no call without its key, no token, and both again afterwards',
    async (fault) => {
      await cloud.fault({ service: 'secretsmanager', ...fault });
      const [answer] = await Promise.all([
        call(`vault-${fault.mode}`, 'keyed'),
        expectNoToken(`login-${fault.mode}`),
      ]);
      expectUnavailable(answer);
      expect((await call('agent', 'keyed')).status).toBe(200);
      await cloud.clearFaults();
      upstream.seen.length = 0;
      cloud.pass(FAILURE_HELD_SECONDS);
      const again = { timeout: 25_000, interval: 1_000 };
      await expect.poll(async () => (await call(`vault-${fault.mode}`, 'keyed')).status, again).toBe(200);
      expect(upstream.seen[0]?.headers.authorization).toBe(`Bearer ${CANARY}`);
      await expect.poll(async () => (await cloud.fetchToken(`login-${fault.mode}`)).status, again).toBe(200);
    },
  );

  test('refusing the gateway: the call is denied, and the log says which secret', async () => {
    await cloud.fault({ service: 'secretsmanager', mode: 'deny' });
    expectNoCredential(await call('denied', 'keyed'));
    await expect.poll(() => cloud.logOf('gateway')).toContain('client.denied');
    await cloud.clearFaults();
    cloud.pass(FAILURE_HELD_SECONDS);
    await expect
      .poll(async () => (await call('denied', 'keyed')).status, { timeout: 25_000, interval: 1_000 })
      .toBe(200);
  });
});

describe('DynamoDB', () => {
  const EVERY = [...OUTAGES, { mode: 'deny' }] as const;

  test.for(EVERY)(
    'AuthTable down by $mode: nobody is let in on a token that may be revoked',
    async (fault) => {
      await freshToken('agent');
      await cloud.fault({ service: 'dynamodb', table: 'AuthTable', ...fault });
      const [revoked, ...refused] = await Promise.all([
        fetch(`${cloud.origin}/oauth/revoke`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa('agent:agent-secret')}` },
          body: new URLSearchParams({ token: tokens.get('agent') ?? '' }),
        }),
        call('agent', 'good'),
        ...['/me', '/servers', '/context/documents'].map((target) => ask('agent', target)),
      ]);
      for (const answer of refused) expectUnavailable(answer);
      expect(revoked.status).toBe(503);
      await cloud.clearFaults();
      expect((await call('agent', 'good')).status).toBe(200);
    },
  );

  test.for(EVERY)('AuditTable down by $mode: nothing goes out that no record tells of', async (fault) => {
    await cloud.fault({ service: 'dynamodb', table: 'AuditTable', ...fault });
    const [, ...refused] = await Promise.all([
      expectNoToken('agent'),
      ...['good', 'keyed', 'signed'].map((server) => call('agent', server)),
    ]);
    for (const answer of refused) expectUnavailable(answer);
    await cloud.clearFaults();
    expect((await call('agent', 'good')).status).toBe(200);
    expect((await cloud.fetchToken('agent')).status).toBe(200);
  });

  test.for(EVERY)('ContextTable down by $mode: documents are unavailable, the rest is not', async (fault) => {
    await cloud.fault({ service: 'dynamodb', table: 'ContextTable', ...fault });
    expectUnavailable(await ask('agent', '/context/documents'));
    expect((await call('agent', 'good')).status).toBe(200);
    await cloud.clearFaults();
    expect((await ask('agent', '/context/documents')).status).toBe(200);
  });
});

describe('KMS', () => {
  test.for([...OUTAGES, { mode: 'deny' }] as const)(
    'down by $mode: no token is issued, and none is made for a server',
    async (fault) => {
      await freshToken('agent');
      await cloud.fault({ service: 'kms', ...fault });
      const [answer] = await Promise.all([call('agent', 'signed'), expectNoToken('agent')]);
      expectUnavailable(answer);
      expect((await call('agent', 'good')).status).toBe(200);
      await cloud.clearFaults();
      expect((await call('agent', 'signed')).status).toBe(200);
      expect((await cloud.fetchToken('agent')).status).toBe(200);
    },
  );
});

describe('a credential', () => {
  test('that does not exist is named to nobody but the operator', async () => {
    expectNoCredential(await call('keyless', 'keyed'));
    const name = 'create the secret `sallyport/local/credentials/acme/keyed/client.keyless`';
    await expect.poll(() => cloud.logOf('gateway')).toContain(name);
  });

  test.for(MALFORMED.map(([label], at) => ({ label, at })))(
    'that is $label is never sent',
    async ({ at }) => {
      expectNoCredential(await call(malformedClient(at), 'keyed'));
      await expect.poll(() => cloud.logOf('gateway')).toContain(`client.${malformedClient(at)}\``);
    },
  );
});

describe('a server', () => {
  test.for<readonly [string, number]>([
    ['refused', 502],
    ['hangup', 502],
    ['silent', 504],
    ['redirect', 502],
    ['unauthorized', 502],
    ['crash', 502],
    ['json-crash', 502],
    ['page', 502],
    ['untyped', 502],
    ['gzip', 502],
    ['many-headers', 502],
  ])('that is %s is a %i which shows nothing of it', async ([server, status]) => {
    for (const body of [CALL, LIST]) {
      const answer = await call('agent', server, body);
      expectFailedServer(answer, status);
      expect([...answer.headers.keys()]).not.toContain('www-authenticate');
      expect([...answer.headers.keys()]).not.toContain('location');
    }
    expect(upstream.seen.filter(({ url }) => url !== `/${server}`)).toEqual([]);
  });

  test.for(['garbage', 'huge'])('whose list is %s lists nothing', async (server) => {
    expectFailedServer(await call('agent', server, LIST), 502);
  });

  test('whose refusal is a page keeps its status, and not the page', async () => {
    const answer = await call('agent', 'gone');
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', id: 1, error: { code: -31003 } });
  });

  test('that takes a notification with a word of its own has taken it', async () => {
    const answer = await call('agent', 'gone', '{"jsonrpc":"2.0","method":"notifications/initialized"}');
    expect([answer.status, answer.body]).toEqual([202, '']);
  });

  test('whose stream is torn off in an event leaves no half of it to be read', async () => {
    const answer = await call('agent', 'torn');
    expect(answer.status).toBe(200);
    const events = answer.body.split('\n\n').slice(0, -1);
    // A small half is held back, and the stream ends in order: with an error.
    const said = events.map((event) => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? ''));
    expect(said).toMatchObject([{ method: 'notifications/progress' }, { error: { code: -31003 } }]);
  });
});

test('no answer, log or audit record holds a secret, and no answer shows what is inside', () => {
  const written = ['authorizer', 'issuer', 'gateway', 'context-store', 'control'].map((name) =>
    cloud.logOf(name),
  );
  const everything = [...written, JSON.stringify(cloud.audit()), JSON.stringify(answers)].join('\n');
  expect(everything).toContain('missing_credential');
  expect(everything).not.toContain(CANARY);
  expect(everything).not.toContain(secretOf('agent'));
  const inside =
    /\/srv\/|app\.js|node_modules|arn:|AuthTable|AuditTable|ContextTable|sallyport\/local|127\.0\.0\.1/;
  for (const answer of answers) expect(answer.body.replaceAll(cloud.origin, '')).not.toMatch(inside);
});
