import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadDemoSecrets } from '../../cli/demo-secrets.ts';
import { startGateway } from './gateway.ts';
import { run } from './terminal.ts';

const SECRET = 's3cret+/';
let gateway: Awaited<ReturnType<typeof startGateway>>;
let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  gateway = await startGateway();
  directory = await mkdtemp(join(tmpdir(), 'sallyport-'));
  await writeFile(join(directory, 'secret'), `${SECRET}\n`);
  env = { SALLYPORT_ORIGIN: gateway.origin, SALLYPORT_CLIENT_SECRET: SECRET };
});

beforeEach(() => {
  gateway.seen.length = 0;
});

afterAll(async () => {
  await gateway.close();
  await rm(directory, { recursive: true });
});

const nothing = () => ['--data', join(directory, 'none')];

describe('the secret', () => {
  test.for([
    [
      'a file',
      (dir: string) => ({ argv: ['--secret-file', join(dir, 'secret')], env: {}, input: undefined }),
    ],
    ['standard input, asked for', () => ({ argv: ['--secret-file', '-'], env: {}, input: `${SECRET}\n` })],
    ['standard input, where nothing else is', () => ({ argv: [], env: {}, input: SECRET })],
    ['the environment', () => ({ argv: [], env: { SALLYPORT_CLIENT_SECRET: SECRET }, input: undefined })],
  ] as const)('comes from %s', async ([, how]) => {
    const { argv, env: secretEnv, input } = how(directory);
    const options = {
      env: { ...secretEnv, SALLYPORT_ORIGIN: gateway.origin },
      ...(input === undefined ? {} : { input }),
    };
    const { code, out } = await run(['token', '--client', 'analyst', ...nothing(), ...argv], options);
    expect([code, out]).toEqual([0, 'any-token']);
  });

  test('is asked for where there is none', async () => {
    const result = await run(['token', '--client', 'analyst', ...nothing()], {
      env: { SALLYPORT_ORIGIN: gateway.origin },
    });
    expect(result.code).toBe(2);
    expect(result.notes).toMatch(
      /none has none of a demo: was it started \(`npm start`\), and with which `--data`\?$/,
    );
    expect(gateway.seen).toEqual([]);
    const piped = await run(['token', '--client', 'analyst', ...nothing()], {
      env: { SALLYPORT_ORIGIN: gateway.origin },
      input: '',
    });
    expect([piped.code, piped.notes.split('\n').at(-1)]).toEqual([
      2,
      expect.stringMatching(/the secret of analyst is missing: standard input is empty; .*`npm start`/),
    ]);
  });

  test('of the demo is used on this machine, and said so', async () => {
    const data = join(directory, 'demo');
    const secrets = await loadDemoSecrets(data);
    const result = await run(['token', '--client', 'analyst', '--data', data], {
      env: { SALLYPORT_ORIGIN: gateway.origin },
    });
    expect(result.notes).toContain(`using the demo secret of analyst in ${data}`);
    const sent = atob(gateway.seen[0]?.authorization?.replace('Basic ', '') ?? '');
    expect(sent).toBe(`analyst:${secrets.ok ? secrets.value.clients['analyst'] : ''}`);
  });

  test('of the demo is not sent to another machine', async () => {
    const data = join(directory, 'demo');
    await loadDemoSecrets(data);
    const argv = ['token', '--client', 'analyst', '--data', data, '--origin', 'https://gate.example.com'];
    expect((await run(argv, {})).code).toBe(2);
  });

  test('is never an argument, and never printed', async () => {
    expect((await run(['token', '--client', 'analyst', '--secret', SECRET], { env })).code).toBe(2);
    const wrong = await run(['token', '--client', 'analyst'], {
      env: { ...env, SALLYPORT_CLIENT_SECRET: 'wrong-secret' },
    });
    expect(wrong.code).toBe(1);
    expect(wrong.notes.split('\n')).toEqual([
      'sallyport: 401 invalid_client: unknown client or secret',
      expect.stringContaining('came from SALLYPORT_CLIENT_SECRET'),
    ]);
    expect(wrong.notes + wrong.out).not.toContain('wrong-secret');
  });
});

describe('the request', () => {
  test('names scope, teams and server', async () => {
    const argv = ['token', '--client', 'analyst', '--scope', 'a/read b/read', '--server', 'weather'];
    expect((await run([...argv, '--teams', 'quants crew'], { env })).code).toBe(0);
    expect(Object.fromEntries(new URLSearchParams(gateway.seen[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'a/read b/read',
      resource: `${gateway.origin}/weather/mcp`,
      teams: 'quants crew',
    });
  });

  test('can carry the secret in the form', async () => {
    expect((await run(['token', '--client', 'analyst', '--auth', 'client_secret_post'], { env })).code).toBe(
      0,
    );
    expect(gateway.seen[0]?.authorization).toBeNull();
  });

  test('that is refused for want of a server says what it takes', async () => {
    const { code, notes } = await run(['token', '--client', 'analyst', '--scope', 'of-one-server'], { env });
    expect([code, notes.split('\n')]).toEqual([
      1,
      [
        'sallyport: 400 invalid_target: name the server',
        expect.stringMatching(/`--server NAME` .* a client with `audience: gateway`$/),
      ],
    ]);
  });

  test('--json prints the whole answer, also a refusal', async () => {
    const { out } = await run(['token', '--client', 'analyst', '--json'], { env });
    expect(JSON.parse(out)).toEqual({
      access_token: 'any-token',
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'all',
    });
    const refused = await run(['token', '--client', 'nobody', '--json'], { env });
    expect(JSON.parse(refused.out)).toMatchObject({
      error: { error: 'invalid_client', status: 401 },
      exit: 1,
    });
  });
});

test('a gateway that is not there is exit code 3', async () => {
  const { code, notes } = await run(['token', '--client', 'analyst'], {
    env: { ...env, SALLYPORT_ORIGIN: 'http://127.0.0.1:1' },
  });
  expect(code).toBe(3);
  expect(notes).toMatch(/^sallyport: cannot reach http:\/\/127\.0\.0\.1:1: /);
});

test.for([
  'http://gate.example.com',
  'ftp://127.0.0.1',
  'gate.example.com',
  'https://a:b@gate.example.com',
  'https://x/?t=1',
])('no secret goes to %s', async (url) => {
  expect((await run(['token', '--client', 'analyst', '--origin', url], { env })).code).toBe(2);
});

test('the gateway is `--origin`, and `--url` is the same option', async () => {
  const argv = ['token', '--client', 'analyst'];
  const { code, notes } = await run([...argv, '--url', 'http://127.0.0.1:1'], { env });
  expect([code, notes]).toEqual([
    3,
    expect.stringMatching(/^sallyport: cannot reach http:\/\/127\.0\.0\.1:1: /),
  ]);
  const both = await run([...argv, '--url', 'http://127.0.0.1:1', '--origin', 'http://127.0.0.1:1'], { env });
  expect(both.code).toBe(2);
  expect(both.notes).toContain('`--url` is `--origin`: give one of them');
});
