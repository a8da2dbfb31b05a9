import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { serveOnLoopback } from '../../local/demo/loopback.ts';
import { run } from './terminal.ts';

const seen: unknown[] = [];
let answer: { status: number; body: object };
let server: Awaited<ReturnType<typeof serveOnLoopback>>;
let directory = '';
let env: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-'));
  server = await serveOnLoopback(0, async (request) => {
    seen.push(JSON.parse(await request.text()));
    return Response.json(answer.body, { status: answer.status });
  });
  env = { SALLYPORT_ORIGIN: server.origin, SALLYPORT_TOKEN: 'token' };
});

beforeEach(() => {
  seen.length = 0;
  answer = { status: 200, body: { decision: 'allow', reason: 'granted', text: 'this is allowed' } };
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

test('what is allowed is 0, in words and as JSON', async () => {
  expect(await run(['explain', 'fin', 'tools/call', 'quote'], { env })).toMatchObject({
    code: 0,
    out: 'this is allowed',
  });
  expect(JSON.parse((await run(['explain', 'fin', 'ping', '--json'], { env })).out)).toEqual(answer.body);
  expect(seen).toEqual([
    { server: 'fin', method: 'tools/call', name: 'quote' },
    { server: 'fin', method: 'ping' },
  ]);
});

test('what is not is 1, with the rule and what would allow it', async () => {
  const rule = { scope: 's', at: 'scopes.yml:3', words: 'denied by the scope s' };
  const remedies = [{ kind: 'remove_deny', text: 'remove the deny at scopes.yml:3' }];
  answer.body = { decision: 'deny', reason: 'not_granted', text: 'access denied: no', rule, remedies };
  const { code, out } = await run(['explain', 'fin', 'tools/call', 'x'], { env });
  expect([code, out.split('\n')]).toEqual([
    1,
    [
      'access denied: no',
      'denied by the scope s, scopes.yml:3',
      'to allow it, one of these:',
      '  remove the deny at scopes.yml:3',
    ],
  ]);
  answer.body = {
    decision: 'deny',
    reason: 'unknown_server',
    text: 'there is nothing here',
    required_scopes: ['a', 'b'],
  };
  expect((await run(['explain', 'fin', 'tools/call', 'x'], { env })).out).toBe(
    'deny: there is nothing here\nask for a token with: a b',
  );
});

test('somebody else is asked about with what is said of them', async () => {
  await run(
    [
      ...['explain', 'fin', 'tools/list', '--as', 'desk', '--as-user', 'corp:ann', '--as-org', 'acme'],
      ...['--as-groups', 'a  b', '--as-scopes', '', '--as-teams', 't'],
    ],
    { env },
  );
  const caller = {
    client_id: 'desk',
    subject: 'corp:ann',
    org_id: 'acme',
    groups: ['a', 'b'],
    scopes: [],
    teams: ['t'],
  };
  expect(seen).toEqual([{ server: 'fin', method: 'tools/list', caller }]);
});

test('arguments come from a file or standard input', async () => {
  const file = join(directory, 'arguments.json');
  await writeFile(file, '{"a":1}');
  await run(['explain', 'fin', 'tools/call', 'x', '--arguments', file], { env });
  await run(['explain', 'fin', 'tools/call', 'x', '--arguments', '-'], { env, input: '{"b":2}' });
  expect(seen).toMatchObject([{ arguments: { a: 1 } }, { arguments: { b: 2 } }]);
});

test.for([
  [['explain', 'fin', 'ping', '--as-user', 'corp:ann'], 2],
  [['explain', 'fin', 'ping', '--arguments', '-'], 2],
  [['explain', 'fin', 'ping', '--arguments', 'no-such-file'], 1],
  [['explain', 'fin'], 2],
] as const)('%j ends with %i, and nothing is asked', async ([argv, code]) => {
  expect((await run(argv, { env, input: 'not json' })).code).toBe(code);
  expect(seen).toEqual([]);
});

test('without a token nothing is asked; a refusal and an answer that is none are failures', async () => {
  expect((await run(['explain', 'fin', 'ping'], { env: { ...env, SALLYPORT_TOKEN: '' } })).code).toBe(2);
  answer = { status: 403, body: { title: 'Forbidden', detail: 'no' } };
  expect((await run(['explain', 'fin', 'ping'], { env })).code).toBe(1);
  answer = { status: 200, body: {} };
  expect((await run(['explain', 'fin', 'ping'], { env })).code).toBe(1);
});
