import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RawRequest, type RawResponse, sendRaw } from '../support/raw-request.ts';
import { answerTool, type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { decodeToken, startTokenForge, type TokenForge } from '../support/token-forge.ts';

const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';

/** What each client is to be known by at the API, and nobody else is ever to see. */
const KEYS = { agent: 'canary-key-of-agent', second: 'canary-key-of-second' } as const;

type Header = readonly [name: string, value: string];

let cloud: Sallyport;
/** The MCP servers, which receive delegations. */
let servers: RecordingServer;
/** The API behind the egress gateway. */
let api: RecordingServer;
let forge: TokenForge;
let serverToken: string;
let delegation: string;

beforeAll(async () => {
  servers = await startRecordingServer((request, answer) => answerTool(request, answer, 'done'));
  api = await startRecordingServer(({ url, headers, method }, answer) => {
    const [path = ''] = url.split('?');
    if (path.endsWith('/redirect')) {
      answer.writeHead(302, { location: `${api.origin}/stolen` }).end('go on');
    } else if (path.endsWith('/error')) {
      answer.writeHead(500, { 'content-type': 'text/plain' }).end('Error: at handler (/srv/api/index.js:1)');
    } else if (path.endsWith('/encoded')) {
      answer.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(headers)));
    } else {
      const echo = JSON.stringify({ method, url, headers });
      answer.writeHead(200, {
        'content-type': 'application/json',
        etag: '"1"',
        link: `<https://api.example/next?${new URLSearchParams({ key: String(headers['x-api-key']) })}>`,
        'set-cookie': ['session=1', 'theme=dark'],
        server: 'api/1.0',
        'x-powered-by': 'secrets',
        'x-internal-host': '10.0.0.1',
        location: 'https://elsewhere.example/',
        'www-authenticate': 'Basic',
        'access-control-allow-origin': '*',
        'x-request-id': 'of-the-api',
      });
      answer.write(echo.slice(0, echo.indexOf('canary-key') + 5));
      setTimeout(() => answer.end(echo.slice(echo.indexOf('canary-key') + 5)), 20);
    }
  });
  const names = ['fin', 'other'];
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
    second: client('second'),
    keyless: client('keyless'),
    foreign: client('foreign', { org: 'beta' }),
    'fin-server': client('fin-server', { server: 'fin', scopes: [] }),
    'fin-server-of-beta': client('fin-server-of-beta', { server: 'fin', scopes: [], org: 'beta' }),
    'other-server': client('other-server', { server: 'other', scopes: [] }),
  };
  const service = (entry: object) => ({
    url: `${api.origin}/base/`,
    private: true,
    used_by: ['fin'],
    egress: { mode: 'service_account', key: 'client' },
    allow: [
      { method: 'GET', path: '/v2/**' },
      { method: 'POST', path: '/v2/orders' },
    ],
    ...entry,
  });
  const credential = (target: string, id: string) =>
    `sallyport/{stage}/credentials/acme/${target}/client.${id}`;
  const header = (value: string) => JSON.stringify({ type: 'header', name: 'X-Api-Key', value });
  cloud = await startSallyport({
    clients: Object.keys(clients),
    credentials: {
      [credential('api', 'agent')]: header(KEYS.agent),
      [credential('api', 'second')]: header(KEYS.second),
      [credential('api', 'fin-server')]: header('canary-key-of-the-server'),
      [credential('queried', 'agent')]: JSON.stringify({ type: 'query', name: 'key', value: KEYS.agent }),
      [credential('named', 'agent')]: JSON.stringify({ type: 'basic', username: 'u', password: KEYS.agent }),
    },
    config: {
      'orgs.yml': JSON.stringify({ orgs: { acme: {}, beta: {} } }),
      'scopes.yml': JSON.stringify({
        'UI-Scopes': {},
        group_mappings: {},
        tools: names.map((server) => ({ server, methods: ['tools/call'], tools: ['read'] })),
      }),
      'servers.yml': JSON.stringify({
        servers: Object.fromEntries(
          names.map((name) => [
            name,
            { url: `${servers.origin}/${name}`, private: true, egress: { mode: 'identity' } },
          ]),
        ),
      }),
      'services.yml': JSON.stringify({
        services: {
          api: service({}),
          queried: service({}),
          named: service({}),
          'of-beta': service({ org: 'beta' }),
        },
      }),
      'clients.yml': JSON.stringify({ clients }),
    },
  });
  forge = await startTokenForge(
    cloud.origin,
    cloud.ready['AWS_ENDPOINT_URL_KMS'] ?? '',
    await cloud.token('agent'),
  );
  serverToken = await cloud.token('fin-server');
  delegation = await delegationOf(await cloud.token('agent'));
});
afterAll(async () => {
  forge?.close();
  await cloud?.close();
  await servers?.close();
  await api?.close();
});
beforeEach(() => {
  api.seen.length = 0;
});

/** What the server receives when the holder of a token calls it. */
async function delegationOf(token: string, server = 'fin'): Promise<string> {
  const answer = await sendRaw(cloud.origin, {
    method: 'POST',
    target: `/${server}/mcp`,
    headers: [
      ['authorization', `Bearer ${token}`],
      ['content-type', 'application/json'],
    ],
    body: CALL,
  });
  expect(answer.status).toBe(200);
  return String(servers.seen.at(-1)?.headers.authorization).replace('Bearer ', '');
}

const ask = (
  path: string,
  changed: Readonly<Record<string, string | undefined>> = {},
  request: Partial<RawRequest> = {},
): Promise<RawResponse> => {
  const all = { authorization: `Bearer ${serverToken}`, 'x-delegation': delegation, ...changed };
  const headers = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return sendRaw(cloud.origin, {
    target: `/egress/${path}`,
    ...request,
    headers: [...headers, ...(request.headers ?? [])],
  });
};

function expectRefused(answer: RawResponse, status: number, code: string): void {
  expect(answer.status).toBe(status);
  const requestId = answer.headers.get('x-request-id') ?? '';
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.parse(answer.body)).toMatchObject({ status, code, request_id: requestId });
  expect(answer.body).not.toMatch(/canary|secret|arn:|127\.0\.0\.1|services?\.yml/);
  expect(api.seen).toEqual([]);
}

describe('the API', () => {
  test('sees the key of the calling client, and no token of anybody', async () => {
    const headers: readonly Header[] = [
      ['cookie', 'canary=1'],
      ['x-api-key', 'canary-of-the-caller'],
      ['x-forwarded-for', 'canary'],
      ['x-user', 'canary'],
      ['proxy-authorization', 'Basic canary'],
      ['x-unlisted', 'canary'],
      ['referer', 'https://canary.example/'],
      ['accept', 'application/json'],
      ['if-none-match', '"0"'],
    ];
    const answer = await ask('api/v2/prices?ticker=A&ticker=B&q=a%20b%26c', {}, { headers });
    expect(answer.status).toBe(200);
    expect(api.seen).toEqual([
      {
        method: 'GET',
        url: expect.any(String),
        headers: {
          accept: 'application/json',
          'if-none-match': '"0"',
          'x-api-key': KEYS.agent,
          'user-agent': expect.stringMatching(/^sallyport\//),
          host: new URL(api.origin).host,
          connection: 'keep-alive',
        },
        body: '',
      },
    ]);
    const url = new URL(api.seen[0]?.url ?? '', api.origin);
    expect(url.pathname).toBe('/base/v2/prices');
    expect([...url.searchParams]).toEqual([
      ['ticker', 'A'],
      ['ticker', 'B'],
      ['q', 'a b&c'],
    ]);
  });

  test('gets the body of a call as it was sent', async () => {
    const body = '{"a":1e400,"a":2}';
    const request = { method: 'POST', body, headers: [['content-type', 'application/json']] } as const;
    expect((await ask('api/v2/orders', {}, request)).status).toBe(200);
    expect(api.seen.map((seen) => [seen.method, seen.body])).toEqual([['POST', body]]);
  });

  test('never sees one client’s key in another client’s call, however they mix', async () => {
    const second = await delegationOf(await cloud.token('second'));
    const calls = Array.from({ length: 24 }, (_, at) => (at % 2 === 0 ? 'agent' : 'second'));
    await Promise.all(
      calls.map((id) => ask(`api/v2/of/${id}`, { 'x-delegation': id === 'agent' ? delegation : second })),
    );
    expect(api.seen).toHaveLength(calls.length);
    for (const { url, headers } of api.seen) {
      expect(headers['x-api-key']).toBe(url.endsWith('/agent') ? KEYS.agent : KEYS.second);
    }
  });

  test('gets its key in the query only once, whatever the caller puts there', async () => {
    expect((await ask('queried/v2/x?key=mine&key=again&a=1')).status).toBe(200);
    const { searchParams } = new URL(api.seen[0]?.url ?? '', api.origin);
    expect(searchParams.getAll('key')).toEqual([KEYS.agent]);
    expect(searchParams.get('a')).toBe('1');
  });

  test.for(['api', 'queried', 'named'])(
    'of %s that echoes what it got shows the server no key',
    async (name) => {
      const answer = await ask(`${name}/v2/echo`);
      expect(answer.status).toBe(200);
      expect(JSON.stringify(api.seen)).toMatch(name === 'named' ? /Basic / : /canary-key-of-agent/);
      const shown = answer.body + JSON.stringify([...answer.headers]);
      expect(shown).toContain('[redacted]');
      expect(shown).not.toContain(KEYS.agent);
      expect(shown).not.toContain(btoa(`u:${KEYS.agent}`));
    },
  );

  test('passes on no cookie, no topology and no header of its own making', async () => {
    const answer = await ask('api/v2/x');
    const ofTheGateway = ['x-amzn-requestid', 'x-amz-apigw-id', 'date', 'connection', 'keep-alive'];
    const names = [...answer.headers.keys()].filter((name) => !ofTheGateway.includes(name));
    expect(names.sort()).toEqual(['content-type', 'etag', 'link', 'transfer-encoding', 'x-request-id']);
    expect(answer.headers.get('x-request-id')).not.toBe('of-the-api');
  });

  test('leads nowhere by a redirect', async () => {
    const answer = await ask('api/v2/redirect');
    expect(answer.status).toBe(502);
    expect(answer.headers.has('location')).toBe(false);
    expect(answer.body).not.toContain('stolen');
    expect(api.seen.map(({ url }) => url)).toEqual(['/base/v2/redirect']);
  });

  test('is not passed on in an encoding that nobody asked for and nobody can look into', async () => {
    expect((await ask('api/v2/encoded')).status).toBe(502);
  });

  test('answers for itself where it fails', async () => {
    expect((await ask('api/v2/error')).status).toBe(500);
  });
});

describe('a call', () => {
  test.for<readonly [string, () => string | undefined | Promise<string>]>([
    ['no delegation', () => undefined],
    ['an empty delegation', () => ''],
    ['a scheme in the delegation', () => `Bearer ${delegation}`],
    ['two delegations in one header', () => `${delegation}, ${delegation}`],
    ['an access token as the delegation', () => cloud.token('agent')],
    ['its own token as the delegation', () => serverToken],
    ['a delegation for another server', async () => delegationOf(await cloud.token('agent'), 'other')],
    ['a delegation of another organisation', async () => delegationOf(await cloud.token('foreign'))],
    [
      'a delegation with one letter changed',
      () => `${delegation.slice(0, -1)}${delegation.endsWith('A') ? 'Q' : 'A'}`,
    ],
    ['a padded delegation', () => `${delegation}=`],
  ])('with %s is refused', async ([, given]) => {
    const value = await given();
    expectRefused(await ask('api/v2/x', { 'x-delegation': value }), 403, 'permission_denied');
  });

  test('with two delegations is refused', async () => {
    const headers: readonly Header[] = [['x-delegation', delegation]];
    expectRefused(await ask('api/v2/x', {}, { headers }), 403, 'permission_denied');
  });

  const nowSeconds = () => Math.floor(Date.now() / 1000);
  test.for<readonly [string, () => Readonly<Record<string, unknown>>]>([
    ['expired', () => ({ iat: nowSeconds() - 200, exp: nowSeconds() - 10 })],
    ['of more than 300 s', () => ({ exp: nowSeconds() + 301 })],
    ['of the future', () => ({ iat: nowSeconds() + 60, exp: nowSeconds() + 120 })],
    ['for ORIGIN', () => ({ aud: cloud.origin })],
    ['for the server’s resource', () => ({ aud: `${cloud.origin}/fin/mcp` })],
    ['for the server’s URL with a slash', () => ({ aud: `${servers.origin}/fin/` })],
    ['for two servers', () => ({ aud: [`${servers.origin}/fin`, `${servers.origin}/other`] })],
    ['of another issuer', () => ({ iss: 'https://issuer.example' })],
    ['of an unknown client', () => ({ client_id: 'ghost', sub: 'ghost' })],
    ['of a client in another organisation', () => ({ client_id: 'foreign', org_id: 'acme' })],
    ['of an unknown organisation', () => ({ org_id: 'gamma' })],
    ['without a kind', () => ({ token_kind: undefined })],
    ['of the kind access', () => ({ token_kind: 'access' })],
    ['without exp', () => ({ exp: undefined })],
    ['without jti', () => ({ jti: undefined })],
  ])('with a delegation %s, signed by the key itself, is refused', async ([, changed]) => {
    const [header, claims] = decodeToken(delegation);
    const iat = nowSeconds();
    const payload = { ...claims, iat, exp: iat + 200, ...changed() };
    const forged = await forge.sign({ header, payload, key: 'identity' });
    expectRefused(await ask('api/v2/x', { 'x-delegation': forged }), 403, 'permission_denied');
    const rightful = await forge.sign({
      header,
      payload: { ...claims, iat, exp: iat + 200 },
      key: 'identity',
    });
    expect((await ask('api/v2/x', { 'x-delegation': rightful })).status).toBe(200);
  });

  test.for<readonly [string, () => Parameters<TokenForge['sign']>[0]]>([
    ['the issuer’s key under its own id', () => ({ header: { ...forge.header, typ: 'JWT' } })],
    ['the issuer’s key under the other id', () => ({ header: { ...decodeToken(delegation)[0] } })],
    [
      'the right key, typed as an access token',
      () => ({ header: { ...decodeToken(delegation)[0], typ: 'at+jwt' }, key: 'identity' }),
    ],
  ])('with a delegation signed by %s is refused', async ([, parts]) => {
    const [, claims] = decodeToken(delegation);
    const forged = await forge.sign({ ...parts(), payload: claims });
    expectRefused(await ask('api/v2/x', { 'x-delegation': forged }), 403, 'permission_denied');
  });

  test.for(['agent', 'other-server'])('by %s, which the service is not for, finds nothing', async (id) => {
    const authorization = `Bearer ${await cloud.token(id)}`;
    expectRefused(await ask('api/v2/x', { authorization }), 404, 'not_found');
    expectRefused(await ask('nowhere/v2/x', { authorization }), 404, 'not_found');
  });

  test('by the same server of another organisation is refused', async () => {
    const authorization = `Bearer ${await cloud.token('fin-server-of-beta')}`;
    expectRefused(await ask('api/v2/x', { authorization }), 403, 'permission_denied');
  });

  test.for(['nowhere', 'fin', 'of-beta', '__proto__', 'API'])('to %s finds nothing', async (name) => {
    expectRefused(await ask(`${name}/v2/x`), 404, 'not_found');
  });

  test.for<readonly [string, () => Readonly<Record<string, string | undefined>>]>([
    ['without a token', () => ({ authorization: undefined })],
    ['with the delegation for a token', () => ({ authorization: `Bearer ${delegation}` })],
    ['under the name of the client', () => ({ 'x-client-id': 'agent' })],
  ])('%s is unauthenticated', async ([, changed]) => {
    expectRefused(await ask('api/v2/x', changed()), 401, 'unauthenticated');
  });

  test('for a client that has no key is refused, and only the log says which secret is missing', async () => {
    const keyless = await delegationOf(await cloud.token('keyless'));
    expectRefused(await ask('api/v2/x', { 'x-delegation': keyless }), 403, 'permission_denied');
    await expect
      .poll(() => cloud.logOf('gateway'))
      .toContain('sallyport/local/credentials/acme/api/client.keyless');
  });
});

describe('the path', () => {
  test.for([
    'v1/x',
    'v2',
    'v2x',
    'V2/x',
    'v2/%252e%252e/v1',
    'v2/x%25y',
    '',
    'v2/../v1/x',
    'v2/%2e%2e/v1/x',
    'v2/.%2e/v1/x',
    'v2/..%2fv1',
    'v2/%2e%2e%2fv1',
    'v2/./x',
    'v2/%2e/x',
    'v2/x/..',
    'v2//x',
    '/v2/x',
    'v2/x;y=1',
    'v2/x%3by',
    'v2/x%00',
    'v2/x%2Fy',
    'v2/x%5c..%5cv1',
    'v2/x\\..\\v1',
    'v2/%ff',
    'v2/%zz',
  ])('%j is refused', async (path) => {
    const answer = await ask(`api/${path}`);
    expect([400, 403, 404]).toContain(answer.status);
    expectRefused(answer, answer.status, JSON.parse(answer.body).code);
  });

  test.for(['v2/a%20b', 'v2/a%3Fb', 'v2/a%23b', 'v2/%C3%A9', 'v2/a@b:c', 'v2/...', 'v2/~a'])(
    '%j arrives as it was written',
    async (path) => {
      expect((await ask(`api/${path}`)).status).toBe(200);
      expect(api.seen.map(({ url }) => url)).toEqual([`/base/${path}`]);
    },
  );

  test.for(['POST', 'PUT', 'PATCH', 'DELETE'])('is for the listed methods alone, not %s', async (method) => {
    const request = { method, body: '{}', headers: [['content-type', 'application/json']] } as const;
    expectRefused(await ask('api/v2/x', {}, request), 403, 'permission_denied');
  });

  test('is not asked by HEAD either, which the list does not name', async () => {
    expect((await ask('api/v2/x', {}, { method: 'HEAD' })).status).toBe(403);
    expect(api.seen).toEqual([]);
  });
});

describe('a delegation', () => {
  test('does not outlive the token that it stands for', async () => {
    const iat = Math.floor(Date.now() / 1000);
    const short = await forge.sign({ payload: forge.claims({ iat, exp: iat + 60 }) });
    const [, claims] = decodeToken(await delegationOf(short));
    expect(claims).toMatchObject({ exp: iat + 60, client_id: 'agent', aud: `${servers.origin}/fin` });
  });

  test('dies within 5 s of the revocation of that token', async () => {
    const token = await cloud.token('second');
    const short = await delegationOf(token);
    expect((await ask('api/v2/x', { 'x-delegation': short })).status).toBe(200);
    const revoked = await fetch(`${cloud.origin}/oauth/revoke`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('second:second-secret')}` },
      body: new URLSearchParams({ token }),
    });
    expect(revoked.status).toBe(200);
    await expect
      .poll(async () => (await ask('api/v2/x', { 'x-delegation': short })).status, {
        timeout: 5_000,
        interval: 250,
      })
      .toBe(403);
  });
});

test('no log and no audit record holds a key or a delegation', () => {
  const written = ['authorizer', 'gateway', 'issuer'].map((name) => cloud.logOf(name)).join('');
  const records = JSON.stringify(cloud.audit());
  expect(records).toContain('bad_delegation');
  const [, , signature = ''] = delegation.split('.');
  for (const secret of ['canary-key', btoa(`u:${KEYS.agent}`), signature]) {
    expect(written).not.toContain(secret);
    expect(records).not.toContain(secret);
  }
});
