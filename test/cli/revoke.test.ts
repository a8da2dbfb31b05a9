import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { serveOnLoopback } from '../../local/demo/loopback.ts';
import { run } from './terminal.ts';

type Seen = { readonly method: string; readonly path: string; readonly body: unknown };

const seen: Seen[] = [];
let answer: { status: number; body: object };
let server: Awaited<ReturnType<typeof serveOnLoopback>>;
let directory = '';
let env: Record<string, string>;

const entry = {
  kind: 'client',
  org_id: 'acme',
  id: 'agent',
  before: 1_800_000_001,
  forget_at: 1_802_592_960,
};
const ends = ['ends every token of it', 'does not keep it out'];
const by = { revoked_at: 1_800_000_000, revoked_by: { client_id: 'admin', subject: 'company:ada' } };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-'));
  server = await serveOnLoopback(0, async (request) => {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    const body = text === '' ? undefined : JSON.parse(text);
    seen.push({ method: request.method, path: pathname + search, body });
    const dry_run = body?.dry_run === true;
    return Response.json(body === undefined ? answer.body : { ...answer.body, dry_run }, {
      status: answer.status,
    });
  });
  env = { SALLYPORT_ORIGIN: server.origin, SALLYPORT_TOKEN: 'admin-token' };
});

beforeEach(() => {
  seen.length = 0;
  answer = { status: 200, body: { revocation: { ...entry, ...by }, ends } };
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

const sent = () => seen.map(({ body }) => body);

describe('it says what would end, asks, and revokes', () => {
  test.for(['y', 'yes', 'Y '])('where the person says %s', async (reply) => {
    const { code, out, notes } = await run(['revoke', 'client', 'agent'], { env, answer: reply });
    expect([code, out]).toEqual([
      0,
      'revoked: client agent of acme, issued until 2027-01-15T08:00:01Z; it holds everywhere within 5 s',
    ]);
    expect(notes.split('\n')).toEqual([...ends, 'revoke? [y/N] ']);
    expect(sent()).toEqual([
      { kind: 'client', id: 'agent', dry_run: true },
      { kind: 'client', id: 'agent' },
    ]);
  });

  test.for(['', 'n', 'no', 'yess'])('and not where the person says `%s`', async (reply) => {
    const { code, notes } = await run(['revoke', 'client', 'agent'], { env, answer: reply });
    expect(code).toBe(1);
    expect(notes).toContain('nothing was done');
    expect(sent()).toEqual([{ kind: 'client', id: 'agent', dry_run: true }]);
  });

  test('or is told with --yes, and answers in JSON', async () => {
    const { code, out } = await run(['revoke', 'client', 'agent', '--yes', '--json'], { env, input: '' });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ revocation: { ...entry, ...by }, ends, dry_run: false });
  });

  test('without asking where nobody is there to be asked', async () => {
    const { code, notes } = await run(['revoke', 'client', 'agent'], { env, input: '' });
    expect([code, notes]).toEqual([0, ends.join('\n')]);
    expect(sent()).toHaveLength(2);
  });

  test('only the first with --dry-run', async () => {
    const { code, out } = await run(['revoke', 'client', 'agent', '--dry-run'], { env, input: '' });
    expect([code, out]).toEqual([0, ends.join('\n')]);
    expect(sent()).toHaveLength(1);
  });
});

test.for<readonly [readonly string[], object]>([
  [['user', 'company:ada', '--org', 'acme'], { kind: 'user', id: 'company:ada', org_id: 'acme' }],
  [['org'], { kind: 'org' }],
  [['org', '--org', 'acme', '--before', 'now'], { kind: 'org', org_id: 'acme' }],
  [['all', '--before', '2027-01-15T08:00Z'], { kind: 'all', before: 1_800_000_000 }],
  [
    ['team', 'blue', '--before', '2027-01-15T09:00:00+01:00'],
    { kind: 'team', id: 'blue', before: 1_800_000_000 },
  ],
])('revoke %j asks for %j', async ([argv, body]) => {
  await run(['revoke', ...argv, '--yes'], { env });
  expect(sent()).toEqual([{ ...body, dry_run: true }, body]);
});

describe('a token that names what ends', () => {
  const token = `e.${'x'.repeat(600)}.y`;

  test('comes from standard input, and is in no output', async () => {
    const { code, out, notes } = await run(['revoke', 'family', '-', '--yes'], { env, input: `${token}\n` });
    expect(code).toBe(0);
    expect(sent()).toEqual([
      { kind: 'family', token, dry_run: true },
      { kind: 'family', token },
    ]);
    expect(out + notes).not.toContain('xxx');
  });

  const secret = 'x'.repeat(42).concat('A');

  test.for([
    ['token', token],
    ['token', `YWNtZQ.${secret}.${secret}`],
    ['family', `YWNtZQ.${secret}.${secret}`],
    ['family', `YWNtZQ.${secret}`],
    ['run', `YWNtZQ.${secret}.${secret}`],
    ['client', token],
  ] as const)('is no argument: revoke %s %s', async ([kind, argument]) => {
    const { code, notes } = await run(['revoke', kind, argument, '--yes'], { env });
    expect([code, seen]).toEqual([2, []]);
    expect(notes).toContain('standard input');
    expect(notes).not.toContain('xxx');
  });

  test('is not there twice, nor missing', async () => {
    const file = join(directory, 'token');
    await writeFile(file, 'admin-token');
    expect(
      (await run(['revoke', 'token', '-', '--yes', '--token-file', '-'], { env, input: token })).code,
    ).toBe(2);
    expect((await run(['revoke', 'token', '-', '--yes'], { env, input: ' ' })).code).toBe(2);
    expect(seen).toEqual([]);
    expect(
      (await run(['revoke', 'token', '-', '--yes', '--token-file', file], { env, input: token })).code,
    ).toBe(0);
  });
});

test.for([
  [['jti', 'x']],
  [['client']],
  [['org', 'acme']],
  [['all', 'now']],
  [['client', 'x', '--before', 'yesterday']],
  [['client', 'x', '--before', '2026-11-21']],
  [['client', 'x', '--before', '2026-13-41T00:00Z']],
  [['list', 'jti']],
])('revoke %j is a usage error, and nothing is sent', async ([argv = []]) => {
  expect((await run(['revoke', ...argv, '--yes'], { env })).code).toBe(2);
  expect(seen).toEqual([]);
});

test('without a token nothing is sent', async () => {
  expect((await run(['revoke', 'org', '--yes'], { env: { ...env, SALLYPORT_TOKEN: '' } })).code).toBe(2);
  expect((await run(['revoke', 'list'], { env: { ...env, SALLYPORT_TOKEN: '' } })).code).toBe(2);
  expect(seen).toEqual([]);
});

test('a refusal is told in the gateway’s words', async () => {
  answer = {
    status: 404,
    body: { title: 'Not Found', detail: 'acme has no such client', request_id: 'r-1' },
  };
  const { code, notes } = await run(['revoke', 'client', 'x', '--yes'], { env });
  expect([code, notes]).toEqual([1, 'sallyport: 404 Not Found: acme has no such client (request r-1)']);
  expect((await run(['revoke', 'list'], { env })).code).toBe(1);
});

test('an answer that is none is no success', async () => {
  answer = { status: 200, body: { revocation: {} } };
  expect((await run(['revoke', 'client', 'x', '--yes'], { env })).code).toBe(1);
  answer = { status: 200, body: {} };
  expect((await run(['revoke', 'list'], { env })).code).toBe(1);
});

describe('the list', () => {
  test('is one line for each, and says how to go on', async () => {
    const token = { ...entry, kind: 'token', id: 'j-1' };
    const revocations = [
      { ...entry, ...by },
      { ...token, before: Number.MAX_SAFE_INTEGER },
      { ...entry, kind: 'org', id: 'acme' },
      { kind: 'all', before: Number.MAX_SAFE_INTEGER, forget_at: 1 },
    ];
    answer = { status: 200, body: { revocations, next: 'abc' } };
    const { out } = await run(['revoke', 'list', 'client', '--org', 'acme', '--cursor', 'xyz'], { env });
    expect(seen).toMatchObject([
      { method: 'GET', path: '/admin/revocations?kind=client&org_id=acme&cursor=xyz' },
    ]);
    expect(out.split('\n')).toEqual([
      'client agent of acme, issued until 2027-01-15T08:00:01Z (admin, 2027-01-15T08:00:00Z)',
      'token j-1 of acme',
      'org acme, issued until 2027-01-15T08:00:01Z',
      'everything, whenever issued',
      'more: --cursor=abc',
    ]);
  });

  test('of nothing says so, or how to go on', async () => {
    answer = { status: 200, body: { revocations: [] } };
    expect((await run(['revoke', 'list'], { env })).out).toBe('nothing is revoked');
    answer = { status: 200, body: { revocations: [], next: 'abc' } };
    expect((await run(['revoke', 'list'], { env })).out).toBe('more: --cursor=abc');
  });
});
