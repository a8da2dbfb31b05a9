// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the configuration
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EMPTY_PLAN, startGateway } from './gateway.ts';
import { run } from './terminal.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
let root: string;
let env: Record<string, string>;

beforeAll(async () => {
  gateway = await startGateway();
  root = await mkdtemp(join(tmpdir(), 'sallyport-'));
  env = {
    SALLYPORT_ORIGIN: gateway.origin,
    SALLYPORT_TOKEN: 'admin-token',
    HOST: 'api.example.com',
    KEY: 'top-secret',
  };
});

beforeEach(() => {
  gateway.seen.length = 0;
  Object.assign(gateway.policyAnswer, { status: 200, body: { version: 7 } });
  Object.assign(gateway.planAnswer, { status: 200, body: EMPTY_PLAN });
});

afterAll(async () => {
  await gateway.close();
  await rm(root, { recursive: true });
});

async function makeDirectory(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(root, 'config-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

const sentFiles = () => JSON.parse(gateway.seen[0]?.body ?? '{}').files;

test('the files are sent with their variables resolved, and the version is printed', async () => {
  const directory = await makeDirectory({
    'servers.yml': 'url: https://${HOST}/${PATH_:-mcp}\n',
    'README.md': 'x',
  });
  const { code, out } = await run(['apply', directory], { env });
  expect([code, out]).toEqual([0, 'version 7 applied; it holds everywhere within 15 s']);
  expect(sentFiles()).toEqual({ 'servers.yml': 'url: https://api.example.com/mcp\n' });
  expect(JSON.parse((await run(['apply', directory, '--json'], { env })).out)).toEqual({
    version: 7,
    changes: [],
  });
});

describe('what it changes is shown before', () => {
  const text = 'the client a may now have the scope s';
  const changes = [
    { effect: 'gain', part: 'clients', name: 'a', text },
    { effect: 'loss', part: 'clients', name: 'b', text: 'the client b is gone' },
    { effect: 'change', part: 'servers', name: 'c', text: 'the server c moves\n\u{1b}[1A\u{202e}away' },
  ];
  const lines = [
    'over version 6:',
    `  + ${text}`,
    '  - the client b is gone',
    '  ~ the server c moves\\u{a}\\u{1b}[1A\\u{202e}away',
    '  … and 3 more',
  ];
  const plan = { ...EMPTY_PLAN, changes, more: 3 };
  const paths = () => gateway.seen.map(({ path, ifMatch }) => [path, ifMatch]);
  let directory = '';

  beforeEach(async () => {
    directory = await makeDirectory({ 'scopes.yml': 'a: 1' });
    Object.assign(gateway.planAnswer, { body: plan });
  });

  test('and applied over that version, where the person says yes', async () => {
    const { code, notes } = await run(['apply', directory], { env, answer: 'y' });
    expect([code, notes.split('\n')]).toEqual([0, [...lines, 'apply? [y/N] ']]);
    expect(paths()).toEqual([
      ['/admin/policy/plan', null],
      ['/admin/policy', '"6"'],
    ]);
  });

  test('and not applied where the person does not', async () => {
    expect((await run(['apply', directory], { env, answer: '' })).code).toBe(1);
    expect(paths()).toEqual([['/admin/policy/plan', null]]);
  });

  test.for([[['--yes'], undefined] as const, [[], ''] as const])(
    'and applied unasked with %j, input %j',
    async ([more, input]) => {
      const { code, notes } = await run(['apply', directory, ...more], {
        env,
        ...(input === undefined ? {} : { input }),
      });
      expect([code, notes.split('\n')]).toEqual([0, lines]);
    },
  );

  test('and is all that `plan` does', async () => {
    const { code, out } = await run(['plan', directory], { env });
    expect([code, out.split('\n')]).toEqual([0, lines]);
    expect(JSON.parse((await run(['plan', directory, '--json'], { env })).out)).toEqual(plan);
    expect(paths()).toEqual(Array(2).fill(['/admin/policy/plan', null]));
    Object.assign(gateway.planAnswer, { body: EMPTY_PLAN });
    expect((await run(['plan', directory], { env })).out).toBe('nothing changes: version 6 says the same');
  });

  test('and of a rollback too', async () => {
    Object.assign(gateway.policyAnswer, { body: { version: 8 } });
    const { code, out, notes } = await run(['rollback', '3'], { env, answer: 'yes' });
    expect([code, out]).toEqual([
      0,
      'version 8 applied, with the content of 3; it holds everywhere within 15 s',
    ]);
    expect(notes.split('\n')).toEqual([...lines, 'roll back? [y/N] ']);
    expect(gateway.seen.map(({ path, ifMatch, body }) => [path, ifMatch, body])).toEqual([
      ['/admin/policy/plan', null, '{"version":3}'],
      ['/admin/policy/rollback', '"6"', '{"version":3}'],
    ]);
    expect((await run(['rollback', '3'], { env, answer: 'n' })).code).toBe(1);
  });

  test('or it is no plan, and nothing is applied', async () => {
    Object.assign(gateway.planAnswer, { body: {} });
    for (const argv of [
      ['apply', directory],
      ['plan', directory],
      ['rollback', '3'],
    ]) {
      expect((await run(argv, { env })).code).toBe(1);
    }
    expect(paths()).toEqual(Array(3).fill(['/admin/policy/plan', null]));
  });
});

describe('the versions', () => {
  test('are one line each, newest first', async () => {
    const content_hash = '0123456789abcdef';
    const versions = [
      {
        version: 12,
        source: 'apply',
        content_hash,
        applied_at: 1_800_000_000,
        applied_by: { client_id: 'a', subject: 'a' },
        restored: 3,
      },
      {
        version: 11,
        source: 'apply',
        content_hash,
        applied_at: 1_800_000_000,
        applied_by: { client_id: 'a', subject: 'corp:ann' },
      },
      { version: 10, source: 'deploy', content_hash },
    ];
    Object.assign(gateway.policyAnswer, { body: { versions, next: 10 } });
    const { code, out } = await run(['versions', '--before', '13'], { env });
    expect([code, out.split('\n')]).toEqual([
      0,
      [
        '    12  2027-01-15T08:00:00Z  0123456789ab  rollback to 3 by a',
        '    11  2027-01-15T08:00:00Z  0123456789ab  apply by corp:ann with a',
        '    10  some time ago  0123456789ab  deploy',
        'more: --before 10',
      ],
    ]);
    Object.assign(gateway.policyAnswer, { body: { versions: [] } });
    expect((await run(['versions', '--json'], { env })).out).toBe('{"versions":[]}');
  });

  test.for([
    [['versions', '--before', 'x'], 2],
    [['rollback', 'x'], 2],
    [['rollback', '0'], 2],
    [['versions'], 1],
  ] as const)('%j ends with %i', async ([argv, code]) => {
    Object.assign(gateway.policyAnswer, { body: { version: [] } });
    expect((await run(argv, { env })).code).toBe(code);
  });

  test('are for who may manage the policy', async () => {
    for (const argv of [['versions'], ['rollback', '1']]) {
      expect((await run(argv, { env: { ...env, SALLYPORT_TOKEN: 'other' } })).code).toBe(1);
      expect((await run(argv, { env: { ...env, SALLYPORT_TOKEN: '' } })).code).toBe(2);
    }
  });
});

test('what the gateway warns of is printed beside the result', async () => {
  const warnings = [{ file: 'scopes.yml', line: 2, message: 'a /read scope with tools/call' }];
  Object.assign(gateway.planAnswer, { body: { ...EMPTY_PLAN, warnings } });
  const directory = await makeDirectory({ 'scopes.yml': 'a: 1' });
  const warning = `warning: ${directory}/scopes.yml:2: a /read scope with tools/call`;
  const { code, notes } = await run(['apply', directory], { env });
  expect([code, notes]).toEqual([0, `nothing changes: version 6 says the same\n${warning}`]);
  expect((await run(['plan', directory], { env })).notes).toBe(warning);
});

test('every error of the gateway is printed with file and line', async () => {
  const errors = [
    { file: 'servers.yml', line: 3, message: 'unknown key `ulr`; write `url`' },
    { file: 'clients.yml', line: 1, message: 'no such scope' },
  ];
  Object.assign(gateway.planAnswer, { status: 400, body: { title: 'Bad Request', errors } });
  const directory = await makeDirectory({ 'servers.yml': 'a: 1' });
  const { code, notes } = await run(['apply', directory], { env });
  expect(code).toBe(1);
  expect(notes.split('\n').slice(1)).toEqual([
    `${directory}/servers.yml:3: unknown key \`ulr\`; write \`url\``,
    `${directory}/clients.yml:1: no such scope`,
  ]);
  const { out } = await run(['apply', directory, '--json'], { env });
  expect(JSON.parse(out).error.errors).toEqual(errors);
});

test('a token without the right is told why', async () => {
  const { code, notes } = await run(['apply', await makeDirectory({ 'orgs.yml': 'orgs: {}' })], {
    env: { ...env, SALLYPORT_TOKEN: 'other' },
  });
  expect([code, notes]).toEqual([1, 'sallyport: 403 Forbidden: manage_policy is missing (request r-1)']);
});

describe('nothing is sent', () => {
  test.for([
    [
      'a variable is missing',
      { 'servers.yml': 'a: 1\nb: ${NOT_SET}' },
      /servers\.yml:2: `NOT_SET` is not set/,
    ],
    ['a file has an unknown name', { 'server.yml': 'a: 1' }, /server\.yml:1: not a configuration file/],
    ['a file has another ending', { 'scopes.yaml': 'a: 1' }, /scopes\.yaml:1: not a configuration file/],
    ['there are no files', {}, /has no configuration files/],
  ] as const)('where %s', async ([, files, message]) => {
    const { code, notes } = await run(['apply', await makeDirectory({ ...files })], { env });
    expect(code).toBe(1);
    expect(notes).toMatch(message);
    expect(gateway.seen).toEqual([]);
  });

  test('where the directory is missing', async () => {
    const { code, notes } = await run(['apply', join(root, 'none')], { env });
    expect(code).toBe(1);
    expect(notes).toBe(`sallyport: there is no directory \`${join(root, 'none')}\``);
  });

  test('without a token', async () => {
    const directory = await makeDirectory({ 'orgs.yml': 'orgs: {}' });
    expect((await run(['apply', directory], { env: { ...env, SALLYPORT_TOKEN: '' } })).code).toBe(2);
  });
});

describe('secrets stay here', () => {
  test('secrets.local files are not sent', async () => {
    const directory = await makeDirectory({
      'orgs.yml': 'orgs: {}',
      'secrets.local.yml': 'name: value-of-a-secret',
      'secrets.local.example.yml': 'name: x',
    });
    expect((await run(['apply', directory], { env })).code).toBe(0);
    expect(Object.keys(sentFiles())).toEqual(['orgs.yml']);
  });

  test('a directory with secrets.local.yml is refused for another machine', async () => {
    const directory = await makeDirectory({ 'orgs.yml': 'orgs: {}', 'secrets.local.yml': 'name: value' });
    const { code, notes } = await run(['apply', directory, '--origin', 'https://gate.example.com'], { env });
    expect(code).toBe(1);
    expect(notes).toContain('for the local mode alone');
  });

  test('so does one whose value stands on another line than its key', async () => {
    const directory = await makeDirectory({ 'providers.yml': 'github:\n  client_secret:\n    ${KEY}\n' });
    expect((await run(['apply', directory], { env })).code).toBe(0);
    expect(sentFiles()['providers.yml']).not.toContain('top-secret');
  });

  test('a secret-valued variable of an identity provider stays a reference, set or not', async () => {
    const directory = await makeDirectory({
      'idps.yml': 'okta:\n  client_id: ${HOST}\n  client_secret: ${KEY}\n  auth_url: https://${NOT_SET}/x\n',
    });
    expect((await run(['apply', directory], { env })).code).toBe(0);
    expect(parse(sentFiles()['idps.yml'])).toEqual({
      okta: { client_id: 'api.example.com', client_secret: '${KEY}', auth_url: 'https://${NOT_SET}/x' },
    });
  });
});
