import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from './gateway.ts';
import { run } from './terminal.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
let env: Record<string, string>;

beforeAll(async () => {
  gateway = await startGateway();
  env = { SALLYPORT_ORIGIN: gateway.origin, SALLYPORT_TOKEN: 'mcp-token' };
});

afterAll(() => gateway.close());

describe.for([{ era: [] }, { era: ['--legacy'] }, { era: ['--modern'] }])('options $era', ({ era }) => {
  const mcp = (...argv: string[]) => run(['mcp', ...argv, ...era], { env });
  const protocol = era[0] === '--legacy' ? '2025-11-25' : '2026-07-28';

  test('ping', async () => {
    const { code, out } = await mcp('ping', 'tools');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^tools 1\\.2\\.3 answers \\(${protocol}, \\d+ ms\\)$`));
  });

  test('list', async () => {
    expect((await mcp('list', 'tools')).out).toBe('echo  Says it again.\ndeny');
  });

  test('basic', async () => {
    expect((await mcp('basic', 'tools')).out).toBe(
      `tools 1.2.3 (${protocol}): 2 tools, 0 prompts, 0 resources`,
    );
  });

  test('call', async () => {
    expect(await mcp('call', 'tools', 'echo', '{"text":"hello"}')).toEqual({
      code: 0,
      out: 'hello',
      notes: '',
    });
  });

  test('a denied call prints its text and exits with 1', async () => {
    const { code, out } = await mcp('call', 'tools', 'deny');
    expect([code, out]).toEqual([1, 'Denied: this client may not call `deny`.']);
  });

  test('a token that is not accepted is said so', async () => {
    const { code, notes } = await run(['mcp', 'list', 'tools', ...era], {
      env: { ...env, SALLYPORT_TOKEN: 'other' },
    });
    expect([code, notes]).toEqual([
      1,
      'sallyport: 401 the token is missing, expired, or not for this server',
    ]);
  });

  test('the reason that the gateway gives is passed on', async () => {
    const { code, notes } = await mcp('ping', 'broken');
    expect(code).toBe(1);
    expect(notes.split('\n')).toEqual([
      'sallyport: 503 the server behind the gateway failed',
      '503 Unavailable: no credential store',
    ]);
  });

  test('a server that is not there is exit code 3', async () => {
    const { code } = await run(['mcp', 'ping', 'tools', ...era], {
      env: { ...env, SALLYPORT_ORIGIN: 'http://127.0.0.1:1' },
    });
    expect(code).toBe(3);
  });
});

test('--json prints results as they came', async () => {
  const json = async (...argv: string[]) => JSON.parse((await run(['mcp', ...argv, '--json'], { env })).out);
  expect((await json('list', 'tools')).tools.map(({ name }: { name: string }) => name)).toEqual([
    'echo',
    'deny',
  ]);
  expect(await json('call', 'tools', 'deny')).toMatchObject({ isError: true });
  expect(await json('basic', 'tools')).toEqual({
    name: 'tools',
    version: '1.2.3',
    protocol: '2026-07-28',
    tools: 2,
    prompts: 0,
    resources: 0,
  });
});

test('with --url there is no server, and it is said what was perhaps meant', async () => {
  const { code, notes } = await run(['mcp', 'list', 'tools', '--url', gateway.origin], { env });
  expect(code).toBe(2);
  expect(notes).toContain('with --url there is no SERVER; the gateway is --origin');
});

test.for([
  ['mcp', 'ping', 'tools'],
  ['token', '--client', 'a', '--secret-file', '-'],
])('nobody there is asked about where it would be this machine: %j', async (argv) => {
  const asked = { env: { ...env, SALLYPORT_ORIGIN: 'http://127.0.0.1:1' }, input: 'secret' };
  const { code, notes } = await run(argv, asked);
  expect([code, notes.endsWith('; is `sallyport dev` running?')]).toEqual([3, true]);
});

test('a server that is down is one line: what failed, the request, and where the log is', async () => {
  const { code, notes } = await run(['mcp', 'list', 'down', '--modern'], { env });
  expect([code, notes]).toEqual([
    1,
    'sallyport: 502 the server behind the gateway failed: the server behind could not be reached (request r-7; see gateway.log in the `logs` of the data directory)',
  ]);
});

test('a scope that is missing is named, with the server that needs it', async () => {
  const { code, notes } = await run(['mcp', 'list', 'guarded'], { env });
  expect([code, notes]).toEqual([
    1,
    `sallyport: 403 the token does not have the scope that ${gateway.origin}/guarded/mcp needs for this: \`tools/read\``,
  ]);
});

test('--url takes an endpoint in place of the server', async () => {
  const { out } = await run(
    ['mcp', 'call', '--url', `${gateway.origin}/tools/mcp`, 'echo', '{"text":"hi"}'],
    { env },
  );
  expect(out).toBe('hi');
});

describe('a token goes to the gateway alone', () => {
  const foreign = (variables: Record<string, string>, ...argv: string[]) =>
    run(['mcp', 'ping', '--url', `${gateway.origin}/tools/mcp`, ...argv], {
      env: { SALLYPORT_ORIGIN: 'https://gate.example.com', ...variables },
    });

  test.for<readonly [string, Record<string, string>, readonly string[]]>([
    ['SALLYPORT_TOKEN', { SALLYPORT_TOKEN: 'mcp-token' }, []],
    ['the token of a client', { SALLYPORT_CLIENT_SECRET: 's3cret+/' }, ['--client', 'analyst']],
    ['to the local one by default', { SALLYPORT_ORIGIN: '', SALLYPORT_TOKEN: 'mcp-token' }, []],
  ])('%s is not sent elsewhere', async ([, variables, argv]) => {
    gateway.seen.length = 0;
    const { code, notes } = await foreign(variables, ...argv);
    expect(code).toBe(2);
    expect(notes).toContain(`pass \`--origin ${gateway.origin}\``);
    expect(gateway.seen).toEqual([]);
  });

  test.for(['', '/prod'])('it is sent with --origin, path or not: %j', async (path) => {
    const { code } = await foreign({ SALLYPORT_TOKEN: 'mcp-token' }, '--origin', gateway.origin + path);
    expect(code).toBe(0);
  });

  test('what a file gives for this endpoint is sent to it', async () => {
    const { code } = await run(['mcp', 'ping', '--url', `${gateway.origin}/tools/mcp`, '--token-file', '-'], {
      env: { SALLYPORT_ORIGIN: 'https://gate.example.com', SALLYPORT_TOKEN: 'other' },
      input: 'mcp-token',
    });
    expect(code).toBe(0);
  });

  test('an endpoint elsewhere is asked without one', async () => {
    expect((await foreign({})).notes).toContain('401');
  });
});

test.for([
  'https://me@gate.example.com',
  'https://me:pass-word@gate.example.com',
  'https://:pass-word@h.example',
])('a URL with a user or a password is refused, and not repeated: %s', async (url) => {
  for (const argv of [
    ['mcp', 'ping', '--url', `${url}/tools/mcp`],
    ['mcp', 'ping', 'tools', '--origin', url],
  ]) {
    const { code, notes } = await run(argv, { env });
    expect(code).toBe(2);
    expect(notes).not.toContain('pass-word');
  }
});

test('--client gets a token for the server first', async () => {
  const withSecret = { SALLYPORT_ORIGIN: gateway.origin, SALLYPORT_CLIENT_SECRET: 's3cret+/' };
  const { code } = await run(['mcp', 'ping', 'tools', '--client', 'analyst'], { env: withSecret });
  expect(code).toBe(0);
  expect(gateway.seen.at(-1)?.body).toContain(encodeURIComponent(`${gateway.origin}/tools/mcp`));
});

test.for([
  ['mcp'],
  ['mcp', 'ping'],
  ['mcp', 'frob', 'tools'],
  ['mcp', 'ping', 'Tools/..'],
  ['mcp', 'ping', 'tools', 'extra'],
  ['mcp', 'call', 'tools'],
  ['mcp', 'call', 'tools', 'echo', 'not json'],
  ['mcp', 'call', 'tools', 'echo', '[1]'],
  ['mcp', 'ping', 'tools', '--legacy', '--modern'],
  ['mcp', 'ping', '--url', 'http://gate.example.com/tools/mcp'],
])('usage error: %o', async (argv) => {
  expect((await run(argv, { env })).code).toBe(2);
});

test('a server without a token is a usage error, an endpoint is asked as it is', async () => {
  const withoutToken = { SALLYPORT_ORIGIN: gateway.origin };
  expect((await run(['mcp', 'ping', 'tools'], { env: withoutToken })).code).toBe(2);
  expect(
    (await run(['mcp', 'ping', '--url', `${gateway.origin}/tools/mcp`], { env: withoutToken })).code,
  ).toBe(1);
});
