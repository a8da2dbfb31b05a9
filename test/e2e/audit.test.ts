import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { readCheckpoint } from '../../functions/core/audit/checkpoint.ts';
import { recordKeyOf } from '../../functions/core/audit/record-key.ts';
import { type LocalCloud, startLocalCloud } from '../../local/cloud.ts';
import { run } from '../cli/terminal.ts';
import { type AdministeredTable, openTable } from '../support/cloud-tables.ts';
import { type RecordingServer, startRecordingServer } from '../support/recording-server.ts';

/** Every secret that is sent says what it is, and has this in it. */
const MARK = 'c4n4ry';
const secret = (kind: string) => `${MARK}-${kind}-${kind.length}f3a9`;
const CLIENTS = ['auditor', 'agent', 'beta-auditor', 'coordinator', 'desk-server'];
const TRACE = '0af7651916cd43dd8448eb211c80319c';

let directory: string;
let cloud: LocalCloud;
let server: RecordingServer;
let table: AdministeredTable;
const tokens = new Map<string, string>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-audit-'));
  const assemblyDir = join(directory, 'assembly');
  cpSync(inject('assemblyDirectory'), assemblyDir, { recursive: true });
  // The issuer seals when a test says so, and never between two steps of one.
  for (const name of readdirSync(assemblyDir).filter((one) => one.endsWith('.template.json'))) {
    const template = readFileSync(join(assemblyDir, name), 'utf8');
    writeFileSync(join(assemblyDir, name), template.replaceAll('rate(1 minute)', 'rate(1 day)'));
  }
  server = await startRecordingServer(({ url, body }, answer) => {
    if (url.includes('silent')) return;
    const { id = 1 } = JSON.parse(body || '{}');
    const text = `${secret('answer')} ${body}`;
    answer.writeHead(url.includes('broken') ? 500 : 200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } }));
  });
  const seeds = [
    ...[...CLIENTS, 'poster'].map((id) => [`clients/${id}`, `${secret('client-secret')}-${id}`]),
    ['credentials/acme/desk/client.agent', JSON.stringify({ type: 'bearer', token: secret('api-key') })],
    ['credentials/acme/broken/client.agent', JSON.stringify({ type: 'bearer', token: secret('api-key') })],
  ];
  cloud = await startLocalCloud({
    assemblyDir,
    dataDir: join(directory, 'data'),
    port: 0,
    secrets: new Map(seeds.map(([name, value]) => [`sallyport/local/${name}`, value ?? ''])),
    log: () => {},
  });
  await cloud.invoke('control', { apply: { source: 'dev', files: configuration() } });
  for (const id of CLIENTS) tokens.set(id, await fetchToken(id));
  table = await openTable(cloud.endpoints, 'AuditTable');
}, 120_000);

afterAll(async () => {
  table?.close();
  await cloud?.close();
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

function configuration(): Record<string, string> {
  const entry = (path: string, more: object = {}) => ({
    url: `${server.origin}/${path}`,
    org: 'acme',
    private: true,
    egress: { mode: 'service_account', key: 'client' },
    timeout: { connect: '2s', first_byte: '20s', silence: '20s', call: '30s' },
    ...more,
  });
  const client = (id: string, org: string, scopes: string[], more: object = {}) => ({
    org,
    auth: 'client_secret_basic',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
    grants: ['client_credentials', 'token-exchange', 'jwt-bearer'],
    audience: 'gateway',
    scopes,
    ...more,
  });
  const servers = ['desk', 'silent', 'broken', 'context-store'];
  return {
    'scopes.yml': JSON.stringify({
      'UI-Scopes': { auditing: { read_audit: ['all'], manage_policy: ['all'], revoke: ['all'] } },
      'all/execute': servers.map((name) => ({ server: name, methods: ['all'], tools: ['all'] })),
    }),
    'servers.yml': JSON.stringify({
      servers: {
        desk: entry('desk'),
        silent: entry('silent', { egress: { mode: 'none' } }),
        broken: entry('broken'),
      },
    }),
    'services.yml': JSON.stringify({
      services: {
        api: {
          url: `${server.origin}/`,
          private: true,
          used_by: ['desk'],
          egress: { mode: 'none' },
          allow: [{ method: 'GET', path: '/**' }],
        },
      },
    }),
    'clients.yml': JSON.stringify({
      clients: {
        poster: client('poster', 'acme', [], { auth: 'client_secret_post' }),
        'desk-server': client('desk-server', 'acme', [], { server: 'desk' }),
        auditor: client('auditor', 'acme', ['auditing']),
        'beta-auditor': client('beta-auditor', 'beta', ['auditing']),
        agent: client('agent', 'acme', ['all/execute', 'tokens/issue'], { namespace: 'proj' }),
        coordinator: client('coordinator', 'acme', ['runs/issue'], { run_namespaces: ['proj'] }),
      },
    }),
    'orgs.yml': JSON.stringify({ orgs: { acme: {}, beta: {} } }),
  };
}

function basicOf(id: string, value = `${secret('client-secret')}-${id}`): string {
  return `Basic ${Buffer.from(`${id}:${value}`).toString('base64')}`;
}

async function fetchToken(id: string): Promise<string> {
  const response = await fetch(`${cloud.origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: basicOf(id), traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`token endpoint: ${response.status} ${text}`);
  return JSON.parse(text).access_token;
}

type Row = { readonly [name: string]: unknown };

function records(): readonly Row[] {
  const text = readFileSync(join(directory, 'data', 'audit.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function call(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${cloud.origin}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.get('agent')}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const rpc = (method: string, params: object) => ({ jsonrpc: '2.0', id: 1, method, params });
const tool = (name: string, kind: string) => rpc('tools/call', { name, arguments: { text: secret(kind) } });
const form = (fields: Readonly<Record<string, string>>, authorization = basicOf('agent')): RequestInit => ({
  method: 'POST',
  headers: authorization === NOBODY ? {} : { authorization },
  body: new URLSearchParams(fields),
});
/** Without an `Authorization`. */
const NOBODY = '';
const json = (body: unknown, id = 'agent', method = 'POST'): RequestInit => ({
  method,
  headers: { authorization: `Bearer ${tokens.get(id)}`, 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const CREDENTIALS = { grant_type: 'client_credentials' };
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Every way in, right and wrong, with a secret of some kind in every place that can have one; the status that it is answered with. */
// biome-ignore format: one row per place
const PLACES: readonly (readonly [kind: string, status: number, send: () => Promise<Response>])[] = [
  ['a secret', 401, () => askToken(CREDENTIALS, basicOf('agent', secret('basic')))],
  ['a posted secret', 401, () => askToken({ ...CREDENTIALS, client_id: 'poster', client_secret: secret('post') }, NOBODY)],
  ['a client id', 401, () => askToken(CREDENTIALS, basicOf(secret('client-id')))],
  ['a client assertion', 401, () => askToken({ ...CREDENTIALS, client_assertion_type: ASSERTION, client_assertion: jwtLike('client-assertion') }, NOBODY)],
  ['a code', 400, () => askToken({ grant_type: 'authorization_code', code: secret('code'), code_verifier: secret('verifier'.repeat(6)), redirect_uri: 'https://a.example.com/' })],
  ['a refresh token', 400, () => askToken({ grant_type: 'refresh_token', refresh_token: secret('refresh') })],
  ['a subject token', 400, () => askToken({ grant_type: EXCHANGE, subject_token: jwtLike('subject'), subject_token_type: ACCESS })],
  ['an id token', 400, () => askToken({ grant_type: EXCHANGE, subject_token: jwtLike('id-token'), subject_token_type: ID_TOKEN })],
  ['an assertion', 400, () => askToken({ grant_type: JWT_BEARER, assertion: jwtLike('assertion') })],
  ['a scope', 400, () => askToken({ ...CREDENTIALS, scope: secret('scope') })],
  ['a resource', 400, () => askToken({ ...CREDENTIALS, resource: `https://${secret('resource')}.example.com/` })],
  ['a grant type', 400, () => askToken({ grant_type: secret('grant') })],
  ['a token to revoke', 200, () => ask('/oauth/revoke', form({ token: secret('revoked') }))],
  ['a token to introspect', 200, () => ask('/oauth/introspect', form({ token: jwtLike('introspected') }))],
  ['a state', 400, () => ask(`/oauth/authorize?response_type=code&client_id=agent&redirect_uri=https://a.example.com/&state=${secret('state')}&code_challenge=${secret('challenge')}&code_challenge_method=S256`)],
  ['a code of a provider', 400, () => ask(`/oauth/callback/office?code=${secret('provider-code')}&state=${secret('provider-state')}`, withCookies({}))],
  ['a consent', 403, () => ask('/oauth/consent', withCookies(form({ ticket: secret('ticket') }, NOBODY)))],
  ['metadata', 404, () => ask('/oauth/register', json({ redirect_uris: [`https://a.example.com/${secret('metadata')}`] }))],
  ['a bearer token', 401, () => call('/desk/mcp', tool('look', 'unread'), { authorization: `Bearer ${secret('bearer')}` })],
  ['a forged token', 401, () => call('/desk/mcp', tool('look', 'unread'), { authorization: `Bearer ${jwtLike('forged')}` })],
  ['a token in a query', 401, () => call(`/desk/mcp?access_token=${secret('query')}`, tool('look', 'unread'))],
  ['arguments and a cookie', 200, () => call('/desk/mcp', tool('look', 'arguments'), { cookie: `session=${secret('cookie')}` })],
  ['a token for the upstream', 200, () => call('/desk/mcp', tool('look', 'arguments'), { 'x-authorization': `Bearer ${tokens.get('agent')}`, authorization: `Bearer ${secret('upstream')}` })],
  ['arguments of a broken server', 500, () => call('/broken/mcp', tool('look', 'broken-arguments'))],
  ['arguments of no server', 404, () => call('/nowhere/mcp', tool('look', 'nowhere-arguments'))],
  ['a malformed body', 400, () => call('/desk/mcp', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"${secret('malformed')}"`)],
  ['arguments of a prompt', 200, () => call('/desk/mcp', rpc('prompts/get', { name: 'draft', arguments: { text: secret('prompt') } }))],
  ['a URI', 200, () => call('/desk/mcp', rpc('resources/read', { uri: `https://u:${secret('userinfo')}@files.example.com/a?key=${secret('uri-query')}` }))],
  ['a delegation, a path and a query', 403, () => ask(`/egress/api/v1/${secret('egress-path')}?apikey=${secret('egress-query')}`, as('desk-server', { headers: { 'x-delegation': jwtLike('delegation') } }))],
  ['a document', 201, () => ask('/context/documents', as('agent', { method: 'POST', body: document('plan.md', secret('content')) }))],
  ['a search', 200, () => ask(`/context/search?q=${secret('search')}`, as('agent'))],
  ['a document by a tool', 200, () => call('/context-store/mcp', rpc('tools/call', { name: 'doc_create', arguments: { name: 'x', content: secret('tool-content') } }))],
  ['a filter of a run', 201, () => ask('/runs', json({ agent_name: 'planner', context: { namespace: 'proj', scope_filters: { root: secret('filter') } } }, 'coordinator'))],
  ['a scope of a vended token', 400, () => ask('/tokens', json({ scope: secret('vended-scope') }))],
  ['a configuration', 400, () => ask('/admin/policy', json({ files: { 'scopes.yml': `a: ${secret('configuration')}` } }, 'auditor', 'PUT'))],
  ['a revocation', 404, () => ask('/admin/revocations', json({ kind: 'token', token: jwtLike('to-revoke') }, 'auditor'))],
  ['a cursor', 400, () => ask(`/admin/audit?cursor=${secret('cursor')}`, as('auditor'))],
];

function askToken(fields: Readonly<Record<string, string>>, authorization?: string): Promise<Response> {
  return ask('/oauth/token', form(fields, authorization));
}

function as(id: string, init: RequestInit = {}): RequestInit {
  return { ...init, headers: { ...init.headers, authorization: `Bearer ${tokens.get(id)}` } };
}

function document(name: string, content: string): FormData {
  const fields = new FormData();
  fields.append('file', new Blob([content]), name);
  return fields;
}

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${cloud.origin}${path}`, { redirect: 'manual', ...init });
}

function withCookies(init: RequestInit): RequestInit {
  const value = secret('cookie');
  const cookie = `__Host-sallyport-login=${value}; __Host-sallyport-session=${value}`;
  return { ...init, headers: { ...init.headers, cookie } };
}

/** Three parts, as a token has them, with a secret in its claims and in its signature. */
function jwtLike(kind: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: cloud.origin,
    sub: secret(kind),
    jti: secret(`${kind}-jti`),
    email: secret(`${kind}-email`),
  };
  return `${part({ alg: 'RS256', kid: 'k', typ: 'at+jwt' })}.${part(claims)}.${Buffer.from(secret(kind)).toString('base64url')}`;
}

describe('with secrets in every place', () => {
  test.for(PLACES)('%s: %i', async ([, status, send]) => {
    const response = await send();
    await response.text();
    expect(response.status).toBe(status);
  });

  test('a client that leaves before the answer is recorded as one that did', async () => {
    const leaving = new AbortController();
    const seen = server.seen.length;
    const left = fetch(`${cloud.origin}/silent/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokens.get('agent')}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(tool('look', 'abandoned')),
      signal: leaving.signal,
    }).catch(() => undefined);
    await expect.poll(() => server.seen.length, { timeout: 20_000 }).toBeGreaterThan(seen);
    leaving.abort();
    await left;
    const ends = () =>
      records().filter(({ server: name, event }) => name === 'silent' && event === 'outcome');
    await expect.poll(ends, { timeout: 20_000 }).toMatchObject([{ decision: 'allow', reason: 'abandoned' }]);
  });

  test('no record and no log has one, nor a part of a token', () => {
    const logs = join(directory, 'data', 'logs');
    const texts = [
      ...readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8')),
      readFileSync(join(directory, 'data', 'audit.jsonl'), 'utf8'),
    ];
    const wanted = [
      MARK,
      ...[0, 1, 2].map((shift) => encodedPart(MARK, shift)),
      ...[...tokens.values()].map((token) => token.slice(-60)),
    ];
    expect(texts.join('').length).toBeGreaterThan(20_000);
    for (const needle of wanted) {
      expect(
        texts
          .filter((text) => text.includes(needle))
          .map((text) => text.slice(Math.max(0, text.indexOf(needle) - 300), text.indexOf(needle) + 40)),
      ).toEqual([]);
    }
  });
});

/** What stays the same of a text in base64url, wherever in a longer one it begins. */
function encodedPart(text: string, shift: number): string {
  const encoded = Buffer.from(' '.repeat(shift) + text).toString('base64url');
  return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + text.length) * 8) / 6));
}

/** The members that contract §11 names, those that say more about who and about what, and those of the chain. */
const MEMBERS = new Set([
  'ts',
  'request_id',
  'event',
  'decision',
  'reason',
  'org_id',
  'subject',
  'kind',
  'client_id',
  'jti',
  'scopes',
  'server',
  'method',
  'name',
  'policy_version',
  'upstream_status',
  'duration_ms',
  'trace_id',
  'area',
  'actors',
  'pk',
  'sk',
  'chain',
  'seq',
  'prev',
  'pending',
  'failed',
  'expires_at',
  'hash',
]);

describe('a record', () => {
  test('has what the contract names, and nothing else', () => {
    const seen = new Set(records().flatMap((record) => Object.keys(record)));
    expect([...seen].filter((name) => !MEMBERS.has(name))).toEqual([]);
    for (const name of ['ts', 'request_id', 'event', 'decision', 'reason', 'area', 'hash', 'expires_at']) {
      expect(records().filter((record) => record[name] === undefined)).toEqual([]);
    }
  });

  test('of a token has who, which, what for, by which policy, and whose trace', () => {
    expect(records().find(({ area, client_id }) => area === 'token' && client_id === 'agent')).toMatchObject({
      event: 'decision',
      decision: 'allow',
      reason: 'client_credentials',
      org_id: 'acme',
      subject: 'agent',
      kind: 'agent',
      jti: expect.any(String),
      scopes: ['all/execute', 'tokens/issue'],
      name: cloud.origin,
      policy_version: 1,
      trace_id: TRACE,
    });
  });

  test('of a call has a decision before and an outcome after', () => {
    const ofDesk = records().filter(({ server: name, name: called }) => name === 'desk' && called === 'look');
    const [decision, outcome] = ofDesk;
    expect(decision).toMatchObject({
      event: 'decision',
      decision: 'allow',
      area: 'access',
      method: 'tools/call',
      client_id: 'agent',
      reason: expect.stringContaining('scopes.yml'),
      policy_version: 1,
    });
    expect(outcome).toMatchObject({
      event: 'outcome',
      request_id: decision?.['request_id'],
      reason: 'complete',
      upstream_status: 200,
      duration_ms: expect.any(Number),
    });
  });

  test('names a resource without what its URI has for secrets', () => {
    const read = records().filter(({ method }) => method === 'resources/read');
    expect(new Set(read.map(({ name }) => name))).toEqual(new Set(['https://…@files.example.com/a?…']));
  });
});

const audit = (id: string, ...argv: string[]) =>
  run(['audit', ...argv, '--json'], {
    env: { SALLYPORT_ORIGIN: cloud.origin, SALLYPORT_TOKEN: tokens.get(id) ?? '' },
  });
const verify = async (...argv: string[]) => JSON.parse((await audit('auditor', 'verify', ...argv)).out);
const seal = () => cloud.invoke('issuer', { checkpoint: 'scheduled' });

describe('the log', () => {
  test('is searched by an auditor of its organisation alone', async () => {
    const own = await audit(
      'auditor',
      'search',
      '--of-client',
      'agent',
      '--decision',
      'allow',
      '--server',
      'desk',
    );
    expect(JSON.parse(own.out)).toMatchObject({ org_id: 'acme', is_all: true });
    expect(JSON.parse(own.out).records.length).toBeGreaterThan(2);
    const other = JSON.parse((await audit('beta-auditor', 'search')).out);
    expect(new Set(other.records.map((record: Row) => record['org_id']))).toEqual(new Set(['beta']));
    expect(JSON.parse((await audit('beta-auditor', 'search', '--org', 'acme')).out)).toMatchObject({
      exit: 1,
      error: { status: 404 },
    });
    expect(JSON.parse((await audit('agent', 'search')).out)).toMatchObject({
      exit: 1,
      error: { status: 403 },
    });
    expect(JSON.parse((await audit('auditor', 'search', '--org', '-')).out).records.length).toBeGreaterThan(
      2,
    );
  });

  test('holds, once the issuer has sealed it', async () => {
    const total = records().filter(({ org_id }) => org_id === 'acme').length;
    await expect
      .poll(
        async () => {
          expect(await seal()).toMatchObject({ failed: 0 });
          return verify();
        },
        { timeout: 60_000, interval: 3_000 },
      )
      .toSatisfy((result) => result.records >= total && result.records - result.unsealed >= total);
    expect(await verify()).toMatchObject({
      is_sound: true,
      findings: [],
      failed_writes: 0,
      unconfirmed: 0,
      unchained: 0,
    });
    expect(await verify('--org', '-')).toMatchObject({ is_sound: true, org_id: '-' });
    expect(await verify('--org', 'beta')).toMatchObject({ is_sound: true, org_id: 'beta' });
  }, 90_000);

  test('of which somebody changed a record does not', async () => {
    const changed = records().find(({ server: name, event }) => name === 'desk' && event === 'decision');
    const { ts, chain, seq } = changed ?? {};
    const { pk, sk } = recordKeyOf({
      org_id: 'acme',
      ts: String(ts),
      chain: String(chain),
      seq: Number(seq),
    });
    const [item] = (await table.items(pk)).filter((one) => one['sk']?.S === sk);
    await table.put({ ...item, decision: { S: 'deny' } });
    const { code, out } = await audit('auditor', 'verify');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ is_sound: false, findings: [{ kind: 'changed', chain, seq }] });
  });
});

describe('newest records that somebody removed with the newest checkpoint', () => {
  let left: number;
  let newest: number;

  beforeAll(async () => {
    left = (await numbersOfBeta()).at(-1) ?? 0;
    expect(left).toBeGreaterThan(0);
    await fetchToken('beta-auditor');
    newest = await vi.waitFor(
      async () => {
        await seal();
        const number = (await numbersOfBeta()).at(-1) ?? 0;
        expect(number).toBeGreaterThan(left);
        return number;
      },
      { timeout: 60_000, interval: 1_000 },
    );
    expect(await verify('--org', 'beta')).toMatchObject({ is_sound: true, findings: [] });
    const checkpoints = await table.items('CHECKPOINT#beta');
    const last = checkpoints.find(({ sk }) => Number(sk?.S) === left);
    const { through = '' } = readCheckpoint(last?.['jws']?.S ?? '')?.checkpoint ?? {};
    const uncovered = (await table.items('RECORD#beta#')).filter(({ sk }) => String(sk?.S) >= through);
    expect(uncovered.length).toBeGreaterThan(0);
    await table.remove([...checkpoints.filter(({ sk }) => Number(sk?.S) > left), ...uncovered]);
  }, 120_000);

  test('are missed at once', async () => {
    const { code, out } = await audit('auditor', 'verify', '--org', 'beta');
    const detail = 'it is not there any more: the issuer knows of it as its newest';
    expect([code, JSON.parse(out)]).toMatchObject([
      1,
      { is_sound: false, findings: [{ kind: 'checkpoint', number: newest, detail }] },
    ]);
  });

  test('are missed for ever once the issuer has sealed again, which says so and gives no number twice', async () => {
    for (let run = 0; run < 2; run += 1) expect(await seal()).toMatchObject({ failed: 0 });
    expect(lostOfBeta()).toMatchObject([{ level: 'error', number: newest }]);
    expect((await numbersOfBeta()).slice(-2)).toEqual([left, newest + 1]);
    const detail = 'it was removed, and perhaps others before it';
    const { findings } = await verify('--org', 'beta');
    expect(findings).toContainEqual({ kind: 'checkpoint', number: newest, detail });
  });
});

/** The numbers of its checkpoints, in order. */
async function numbersOfBeta(): Promise<readonly number[]> {
  const checkpoints = await table.items('CHECKPOINT#beta');
  return checkpoints.map(({ sk }) => Number(sk?.S)).sort((a, b) => a - b);
}

/** What the issuer has logged that it misses. */
function lostOfBeta(): readonly Row[] {
  const text = readFileSync(join(directory, 'data', 'logs', 'issuer.log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes('"checkpoint_lost"'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))))
    .filter(({ org_id }) => org_id === 'beta');
}
