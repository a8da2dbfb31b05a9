import { createHmac, createPublicKey, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RawResponse, sendRaw } from '../support/raw-request.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { encodePart, startTokenForge, type TokenForge } from '../support/token-forge.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

const METHODS = ['initialize', 'ping', 'tools/list', 'tools/call'];
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

type Header = readonly [name: string, value: string];

const JSON_CALL: readonly Header[] = [
  ['content-type', 'application/json'],
  ['accept', 'application/json, text/event-stream'],
];

let cloud: Sallyport;
let upstream: ToolServers;
let forge: TokenForge;
let good: string;
/** Every token that was sent, to look for afterwards where no token may be. */
const sent = new Set<string>();

const CLIENTS = {
  agent: { scopes: ['tools', 'documents'], namespace: 'ns' },
  narrow: { scopes: ['tools'], audience: 'resource' },
  foreign: { org: 'beta', scopes: ['tools'] },
  doomed: { scopes: ['tools', 'documents'], namespace: 'ns' },
  fired: { scopes: ['tools', 'documents'], namespace: 'ns' },
  admin: { scopes: ['administrators'] },
};

/** The whole configuration, with entries of `clients.yml` changed. */
function configuration(changed: Readonly<Record<string, object>> = {}): Record<string, string> {
  const servers = ['alpha', 'beta'];
  const rules = servers.map((server) => ({ server, methods: METHODS, tools: ['read'] }));
  const clients = Object.entries(CLIENTS).map(([id, entry]) => {
    const common = { org: 'acme', grants: ['client_credentials'], audience: 'gateway' };
    const secret = { ref: `sallyport/{stage}/clients/${id}` };
    return [id, { ...common, secret, ...entry, ...changed[id] }];
  });
  const files = {
    'orgs.yml': { orgs: { acme: {}, beta: {} } },
    'scopes.yml': {
      'UI-Scopes': { administrators: { manage_policy: ['all'] } },
      group_mappings: {},
      tools: rules,
      documents: [{ server: 'context-store', methods: METHODS, tools: ['doc_query'] }],
    },
    'servers.yml': {
      servers: Object.fromEntries(
        servers.map((name) => [name, { url: upstream.urlOf(name), private: true }]),
      ),
    },
    'clients.yml': { clients: Object.fromEntries(clients) },
  };
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, JSON.stringify(file)]));
}

beforeAll(async () => {
  upstream = await startToolServers({ alpha: ['read'], beta: ['read'] });
  cloud = await startSallyport({ clients: Object.keys(CLIENTS), config: configuration() });
  good = await cloud.token('agent');
  forge = await startTokenForge(cloud.origin, cloud.ready['AWS_ENDPOINT_URL_KMS'] ?? '', good);
});
afterAll(async () => {
  forge?.close();
  await cloud?.close();
  await upstream?.close();
});

const bearer = (token: string): Header => ['authorization', `Bearer ${token}`];

/** Three doors, each with a function of its own behind it. */
const DOORS = [
  {
    label: 'the MCP gateway',
    knock: (headers: readonly Header[], query = '') =>
      sendRaw(cloud.origin, {
        method: 'POST',
        target: `/alpha/mcp${query}`,
        headers: [...headers, ...JSON_CALL],
        body: CALL,
      }),
  },
  {
    label: 'the context store',
    knock: (headers: readonly Header[], query = '') =>
      sendRaw(cloud.origin, { target: `/context/documents${query}`, headers }),
  },
  {
    label: '/me',
    knock: (headers: readonly Header[], query = '') =>
      sendRaw(cloud.origin, { target: `/me${query}`, headers }),
  },
];

function expectUnauthorized(answer: RawResponse): void {
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const requestId = answer.headers.get('x-request-id');
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.parse(answer.body)).toEqual({
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    detail: 'a valid access token is needed',
    code: 'unauthenticated',
    request_id: requestId,
  });
}

async function expectRefusedEverywhere(headers: readonly Header[], query?: string): Promise<void> {
  const seenBefore = upstream.seen.length;
  for (const { knock } of DOORS) expectUnauthorized(await knock(headers, query));
  expect(upstream.seen.length).toBe(seenBefore);
}

async function expectBadToken(token: string): Promise<void> {
  sent.add(token);
  await expectRefusedEverywhere([bearer(token)]);
}

test('a good token, also one that is forged with the key itself, opens every door', async () => {
  for (const token of [good, await forge.sign({})]) {
    sent.add(token);
    for (const { knock } of DOORS) expect((await knock([bearer(token)])).status).toBe(200);
  }
});

describe('without the key', () => {
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const unsigned = (header: Readonly<Record<string, unknown>>) =>
    `${encodePart({ ...forge.header, ...header })}.${encodePart(forge.claims())}`;
  const signedByStranger = (header: Readonly<Record<string, unknown>> = {}) => {
    const input = unsigned(header);
    const signature = signWith('RSA-SHA256', Buffer.from(input), stranger.privateKey);
    return `${input}.${signature.toString('base64url')}`;
  };
  const keptSignature = (change: (header: string, payload: string) => readonly [string, string]) => {
    const [header = '', payload = '', signature = ''] = good.split('.');
    return [...change(header, payload), signature].join('.');
  };

  test.for<readonly [string, () => string]>([
    ['alg none, no signature', () => `${unsigned({ alg: 'none' })}.`],
    ['alg none, some signature', () => `${unsigned({ alg: 'none' })}.AAAA`],
    ['alg None', () => `${unsigned({ alg: 'None' })}.AAAA`],
    ['another RSA key under our key id', () => signedByStranger()],
    ['its own key in jwk', () => signedByStranger({ jwk: stranger.publicKey.export({ format: 'jwk' }) })],
    ['jku at a host of the attacker', () => signedByStranger({ jku: upstream.urlOf('alpha') })],
    ['x5u at a host of the attacker', () => signedByStranger({ x5u: upstream.urlOf('alpha') })],
    ['x5c', () => signedByStranger({ x5c: ['AAAA'] })],
    ['kid as a path', () => signedByStranger({ kid: '../../../../dev/null' })],
    ['kid as a URL', () => signedByStranger({ kid: upstream.urlOf('alpha') })],
    ['kid as a query', () => signedByStranger({ kid: "x' OR '1'='1" })],
    ['kid as the key of a table', () => signedByStranger({ kid: 'POLICY#current' })],
    ['an unknown kid', () => signedByStranger({ kid: 'A'.repeat(43) })],
    ['crit', () => signedByStranger({ crit: ['exp'] })],
    ['b64 false', () => signedByStranger({ b64: false, crit: ['b64'] })],
    ['altered claims', () => keptSignature((h) => [h, encodePart(forge.claims({ sub: 'admin' }))])],
    ['an altered header', () => keptSignature((_, p) => [encodePart({ ...forge.header, typ: 'JWT' }), p])],
    ['no signature', () => good.slice(0, good.lastIndexOf('.') + 1)],
    ['two parts', () => good.slice(0, good.lastIndexOf('.'))],
    ['four parts', () => `${good}.AAAA`],
    ['five parts, as JWE has', () => `${good}.AAAA.AAAA`],
    ['dots alone', () => '..'],
    ['JSON serialisation', () => JSON.stringify({ payload: good.split('.')[1], signatures: [] })],
    ['8193 bytes', () => 'A'.repeat(8193)],
    ['8193 bytes in three parts', () => `${good}${'A'.repeat(8193 - good.length)}`],
  ])('%s is 401', async ([, make]) => {
    await expectBadToken(make());
  });

  test.for(['HS256', 'HS384', 'HS512'])('%s with a public key as the secret is 401', async (alg) => {
    for (const jwk of Object.values(forge.publicKeys)) {
      const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
      for (const secret of [pem, JSON.stringify(jwk), String(jwk['n'])]) {
        const input = unsigned({ alg, kid: jwk['kid'] });
        const mac = createHmac(alg.replace('HS', 'sha'), secret).update(input);
        await expectBadToken(`${input}.${mac.digest('base64url')}`);
      }
    }
  });

  test('no other last character spells the same token', async () => {
    const others = [...BASE64URL].filter((character) => !good.endsWith(character));
    for (const character of others) {
      const variant = good.slice(0, -1) + character;
      await expectBadToken(variant);
    }
  });

  test.for<readonly [string, (token: string) => string]>([
    ['one padding', (token) => `${token}=`],
    ['two paddings', (token) => `${token}==`],
    ['padding inside', (token) => token.replace('.', '=.')],
    ['the other Base64 alphabet', (token) => token.replaceAll('-', '+').replaceAll('_', '/')],
    ['a space inside', (token) => token.replace('.', '. ')],
    ['a tab inside', (token) => token.replace('.', '.\t')],
    ['quotes', (token) => `"${token}"`],
    ['an encoded dot', (token) => token.replace('.', '%2e')],
    ['a comma after it', (token) => `${token},`],
    ['a second token after it', (token) => `${token}, Bearer ${token}`],
    ['a letter of Latin-1', (token) => `${token}é`],
    ['a letter in UTF-8', (token) => token + Buffer.from('é').toString('latin1')],
  ])('a good token with %s is 401', async ([, respell]) => {
    await expectBadToken(respell(good));
  });
});

describe('signed by the key itself', () => {
  const nowSeconds = () => Math.floor(Date.now() / 1000);
  const CLAIMS = ['iss', 'sub', 'aud', 'client_id', 'scope', 'org_id', 'iat', 'exp', 'jti'] as const;

  test.for(CLAIMS)('a token without %s is 401', async (name) => {
    await expectBadToken(await forge.sign({ payload: forge.claims({ [name]: undefined }) }));
  });

  const MISTYPED = [null, true, 1.5, -1, [], ['x'], {}, { x: 1 }];
  test.for(CLAIMS)('a token with %s of another type is 401', async (name) => {
    const isTime = name === 'iat' || name === 'exp';
    const values = [...MISTYPED, ...(isTime ? [String(nowSeconds() + 100), ''] : [nowSeconds()])];
    for (const value of values) {
      await expectBadToken(await forge.sign({ payload: forge.claims({ [name]: value }) }));
    }
  });

  test.for(['iss', 'sub', 'aud', 'client_id', 'org_id', 'jti'])('an empty %s is 401', async (name) => {
    await expectBadToken(await forge.sign({ payload: forge.claims({ [name]: '' }) }));
  });

  test.for<readonly [string, () => Readonly<Record<string, unknown>>]>([
    ['another issuer', () => ({ iss: 'https://issuer.example' })],
    ['our issuer with a slash', () => ({ iss: `${cloud.origin}/` })],
    ['the audience of another server', () => ({ aud: `${cloud.origin}/nowhere/mcp` })],
    ['an audience with a slash', () => ({ aud: `${cloud.origin}/` })],
    ['an audience in upper case', () => ({ aud: cloud.origin.toUpperCase() })],
    ['a list of audiences', () => ({ aud: [cloud.origin] })],
    ['another organisation', () => ({ org_id: 'beta' })],
    ['an unknown organisation', () => ({ org_id: 'gamma' })],
    ['an organisation that every object has', () => ({ org_id: '__proto__' })],
    ['a client of another organisation', () => ({ client_id: 'foreign', sub: 'foreign' })],
    ['an unknown client', () => ({ client_id: 'ghost', sub: 'ghost' })],
    ['a client that every object has', () => ({ client_id: 'constructor' })],
    ['a lifetime of 901 s', () => ({ iat: nowSeconds(), exp: nowSeconds() + 901 })],
    ['a lifetime of ten years', () => ({ exp: nowSeconds() + 315_360_000 })],
    ['no lifetime', () => ({ iat: nowSeconds(), exp: nowSeconds() })],
    ['exp before iat', () => ({ iat: nowSeconds() + 4, exp: nowSeconds() + 2 })],
    ['iat a minute ahead', () => ({ iat: nowSeconds() + 60, exp: nowSeconds() + 120 })],
    ['nbf a minute ahead', () => ({ nbf: nowSeconds() + 60 })],
    ['nbf of another type', () => ({ nbf: String(nowSeconds()) })],
    ['exp ten seconds ago', () => ({ iat: nowSeconds() - 100, exp: nowSeconds() - 10 })],
    ['exp in milliseconds', () => ({ exp: Date.now() + 100_000 })],
    ['token_kind run', () => ({ token_kind: 'run' })],
    ['token_kind identity', () => ({ token_kind: 'identity' })],
    ['an unknown token_kind', () => ({ token_kind: 'admin' })],
    ['groups as a string', () => ({ groups: 'administrators' })],
    ['groups of numbers', () => ({ groups: [1] })],
    ['teams as a string', () => ({ teams: 'a' })],
    ['act as a string', () => ({ act: 'a' })],
    ['auth_time as a string', () => ({ auth_time: 'a' })],
    ['a binding to a key', () => ({ cnf: { jkt: 'A'.repeat(43) } })],
    ['scopes as a list', () => ({ scope: ['tools'] })],
    ['two spaces between scopes', () => ({ scope: 'tools  documents' })],
    ['a jti longer than any key of storage', () => ({ jti: 'x'.repeat(2000) })],
    ['a sub longer than any key of storage', () => ({ sub: 'x'.repeat(2000) })],
  ])('a token with %s is 401', async ([, changed]) => {
    await expectBadToken(await forge.sign({ payload: forge.claims(changed()) }));
  });

  test.for<readonly [string, (payload: string) => string | Uint8Array]>([
    ['a repeated member', (payload) => payload.replace('{', '{"sub":"admin",')],
    ['the same member twice', (payload) => payload.replace('{', '{"sub":"agent",')],
    ['a repeated member in another spelling', (payload) => payload.replace('{', '{"su\\u0062":"admin",')],
    ['a member in another case', (payload) => payload.replace('{', '{"Sub":"admin",')],
    ['exp as an infinite number', (payload) => payload.replace(/"exp":\d+/, '"exp":1e400')],
    ['exp with a fraction of zero', (payload) => payload.replace(/("exp":\d+)/, '$1.0')],
    ['exp with an exponent', (payload) => payload.replace(/("exp":\d+)/, '$1e0')],
    ['a byte order mark', (payload) => `\ufeff${payload}`],
    ['text after the object', (payload) => `${payload}x`],
    ['a list around it', (payload) => `[${payload}]`],
    ['null for claims', () => 'null'],
    ['no JSON', () => 'claims'],
    ['a thousand levels', (payload) => payload.replace('{', `{"x":${'['.repeat(1000)}${']'.repeat(1000)},`)],
    [
      'invalid UTF-8',
      (payload) =>
        Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff]), Buffer.from(`",${payload.slice(1)}`)]),
    ],
    ['a lone surrogate', (payload) => payload.replace('{', '{"x":"\\ud800",')],
  ])('claims with %s are 401', async ([, respell]) => {
    await expectBadToken(await forge.sign({ payload: respell(JSON.stringify(forge.claims())) }));
  });

  test.for<readonly [string, Readonly<Record<string, unknown>>]>([
    ['typ JWT', { typ: 'JWT' }],
    ['typ AT+JWT', { typ: 'AT+JWT' }],
    ['typ application/at+jwt', { typ: 'application/at+jwt' }],
    ['no typ', { typ: undefined }],
    ['alg RS512', { alg: 'RS512' }],
    ['alg PS256', { alg: 'PS256' }],
    ['alg rs256', { alg: 'rs256' }],
    ['a list of algs', { alg: ['RS256'] }],
    ['no alg', { alg: undefined }],
    ['no kid', { kid: undefined }],
    ['a number for kid', { kid: 1 }],
    ['crit', { crit: ['exp'] }],
    ['an empty crit', { crit: [] }],
    ['b64', { b64: true }],
    ['cty', { cty: 'JWT' }],
    ['zip', { zip: 'DEF' }],
    ['jku', { jku: 'https://keys.example/' }],
    ['an unknown member', { note: 'x' }],
  ])('a header with %s is 401', async ([, changed]) => {
    await expectBadToken(await forge.sign({ header: { ...forge.header, ...changed } }));
  });

  test('a header with a repeated member is 401', async () => {
    const header = JSON.stringify(forge.header).replace('{', '{"alg":"none",');
    await expectBadToken(await forge.sign({ header }));
  });

  test('the identity key signs no access token', async () => {
    const header = { ...forge.header, kid: forge.keyIds.identity };
    await expectBadToken(await forge.sign({ header, key: 'identity' }));
    await expectBadToken(await forge.sign({ header: { ...header, typ: 'JWT' }, key: 'identity' }));
    await expectBadToken(await forge.sign({ key: 'identity' }));
    await expectBadToken(await forge.sign({ header }));
  });

  test('a scope that the client may not have opens nothing', async () => {
    const token = await forge.sign({ payload: forge.claims({ scope: 'administrators' }) });
    const answer = await sendRaw(cloud.origin, { target: '/admin/policy', headers: [bearer(token)] });
    expect(answer.status).toBe(403);
  });
});

describe('where the token stands', () => {
  test('no token is 401 without an error code', async () => {
    await expectRefusedEverywhere([]);
  });

  test.for(['access_token', 'token', 'ACCESS_TOKEN', 'access%5ftoken', 'api_key', 'authorization'])(
    'in the query as %s it is refused, alone and beside a good header',
    async (name) => {
      await expectRefusedEverywhere([], `?${name}=${good}`);
      await expectRefusedEverywhere([bearer(good)], `?${name}=${good}`);
    },
  );

  test.for<readonly [string, (token: string) => readonly Header[]]>([
    ['no scheme', (token) => [['authorization', token]]],
    ['a scheme without a token', () => [['authorization', 'Bearer']]],
    ['two spaces', (token) => [['authorization', `Bearer  ${token}`]]],
    ['a tab', (token) => [['authorization', `Bearer\t${token}`]]],
    ['no space', (token) => [['authorization', `Bearer${token}`]]],
    ['a colon', (token) => [['authorization', `Bearer: ${token}`]]],
    ['a comma before it', (token) => [['authorization', `, Bearer ${token}`]]],
    ['a parameter', (token) => [['authorization', `Bearer token=${token}`]]],
    ['Basic', () => [['authorization', `Basic ${btoa('agent:agent-secret')}`]]],
    ['DPoP', (token) => [['authorization', `DPoP ${token}`]]],
    ['a cookie', (token) => [['cookie', `access_token=${token}`]]],
    ['an underscore', (token) => [['x_authorization', `Bearer ${token}`]]],
    ['X-Service-Token', (token) => [['x-service-token', token]]],
    ['X-Service-Token with a scheme', (token) => [['x-service-token', `Bearer ${token}`]]],
    ['two Authorization headers', (token) => [bearer(token), bearer(token)]],
    ['two Authorization headers, one bad', (token) => [bearer(token), ['authorization', 'Basic x']]],
    ['two X-Authorization headers', (token) => twice(['x-authorization', `Bearer ${token}`])],
    [
      'X-Authorization and two Authorization headers',
      (token) => [['x-authorization', `Bearer ${token}`], ...twice(['authorization', 'Basic YTpi'])],
    ],
    ['a bad X-Authorization before a good Authorization', (token) => beside('Bearer bad', token)],
    ['an empty X-Authorization before a good Authorization', (token) => beside('', token)],
    ['another scheme in X-Authorization before a good one', (token) => beside('Basic YTpi', token)],
    ['X-Client-Id of another client', (token) => [bearer(token), ['x-client-id', 'narrow']]],
    ['X-Client-Id in another case', (token) => [bearer(token), ['x-client-id', 'Agent']]],
    ['an empty X-Client-Id', (token) => [bearer(token), ['x-client-id', '']]],
    ['two X-Client-Ids', (token) => [bearer(token), ['x-client-id', 'agent'], ['x-client-id', 'narrow']]],
    ['X-User-Pool-Id', (token) => [bearer(token), ['x-user-pool-id', 'us-east-1_Attacker']]],
    ['X-Region', (token) => [bearer(token), ['x-region', 'us-east-1']]],
  ])('%s is 401', async ([, headers]) => {
    await expectRefusedEverywhere(headers(good));
  });

  const twice = (header: Header): readonly Header[] => [header, header];
  const beside = (value: string, token: string): readonly Header[] => [
    ['x-authorization', value],
    bearer(token),
  ];

  test.for<readonly [string, (token: string) => readonly Header[]]>([
    ['the scheme in lower case', (token) => [['authorization', `bearer ${token}`]]],
    ['the scheme in upper case', (token) => [['authorization', `BEARER ${token}`]]],
    ['X-Authorization', (token) => [['x-authorization', `Bearer ${token}`]]],
    [
      'X-Authorization beside an Authorization of the upstream',
      (token) => [
        ['x-authorization', `Bearer ${token}`],
        ['authorization', 'Bearer of-the-upstream'],
      ],
    ],
    ['the X-Client-Id that it names', (token) => [bearer(token), ['x-client-id', 'agent']]],
  ])('%s is accepted', async ([, headers]) => {
    for (const { knock } of DOORS) expect((await knock(headers(good))).status).toBe(200);
  });
});

describe('a token for one server', () => {
  const call = (target: string, token: string) =>
    sendRaw(cloud.origin, {
      method: 'POST',
      target,
      headers: [bearer(token), ...JSON_CALL],
      body: CALL,
    });

  test('opens that server and nothing else', async () => {
    const token = await cloud.token('narrow', { server: 'alpha' });
    expect((await call('/alpha/mcp', token)).status).toBe(200);
    expectUnauthorized(await call('/beta/mcp', token));
    expectUnauthorized(await call('/%62eta/mcp', token));
    expectUnauthorized(await call('/context-store/mcp', token));
    for (const target of ['/me', '/servers', '/admin/policy', '/context/documents', '/egress/api/v1/x']) {
      expectUnauthorized(await sendRaw(cloud.origin, { target, headers: [bearer(token)] }));
    }
  });

  test('with ORIGIN as its audience is refused where the client is no gateway client', async () => {
    const claims = forge.claims({ client_id: 'narrow', sub: 'narrow', scope: 'tools' });
    const rightful = { ...claims, aud: `${cloud.origin}/alpha/mcp` };
    expect((await call('/alpha/mcp', await forge.sign({ payload: rightful }))).status).toBe(200);
    await expectBadToken(await forge.sign({ payload: claims }));
  });
});

describe('a live token', () => {
  const isDeadEverywhere = async (token: string): Promise<boolean> => {
    const answers = await Promise.all(DOORS.map(({ knock }) => knock([bearer(token)])));
    return answers.every(({ status }) => status === 401);
  };
  const openEverywhere = async (client: string): Promise<string> => {
    const token = await cloud.token(client);
    for (const { knock } of DOORS) expect((await knock([bearer(token)])).status).toBe(200);
    return token;
  };
  const revoke = (client: string, token: string) =>
    fetch(`${cloud.origin}/oauth/revoke`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
      body: new URLSearchParams({ token }),
    });

  test('dies on every door within 5 s of its revocation, and another client cannot revoke it', async () => {
    const token = await openEverywhere('doomed');
    expect((await revoke('agent', token)).status).toBe(200);
    for (const { knock } of DOORS) expect((await knock([bearer(token)])).status).toBe(200);
    expect((await revoke('doomed', token)).status).toBe(200);
    await expect.poll(() => isDeadEverywhere(token), { timeout: 5_000, interval: 250 }).toBe(true);
    const next = await cloud.token('doomed');
    for (const { knock } of DOORS) expect((await knock([bearer(next)])).status).toBe(200);
  });

  test('dies on every door within 15 s of an apply that disables its client, which gets no other', async () => {
    const token = await openEverywhere('fired');
    const applied = await fetch(`${cloud.origin}/admin/policy`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${await cloud.token('admin')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ files: configuration({ fired: { disabled: true } }) }),
    });
    expect(applied.status).toBe(200);
    await expect.poll(() => isDeadEverywhere(token), { timeout: 15_000, interval: 500 }).toBe(true);
    await expect
      .poll(async () => (await cloud.fetchToken('fired')).status, { timeout: 15_000, interval: 500 })
      .toBe(401);
  });
});

test('no log and no audit record holds a token that was sent', () => {
  const logs = ['authorizer', 'issuer', 'gateway', 'context-store', 'control'].map((name) =>
    cloud.logOf(name),
  );
  const records = JSON.stringify(cloud.audit());
  expect(records).toContain('bad_token');
  for (const token of sent) {
    const [, payload = '', signature = ''] = token.split('.');
    for (const part of [payload, signature].filter(({ length }) => length > 40)) {
      expect(records).not.toContain(part);
      for (const log of logs) expect(log).not.toContain(part);
    }
  }
});
