import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LoopbackServer, serveOnLoopback } from '../../local/demo/loopback.ts';
import { type SecretsApp, startSecretsApp } from '../support/secrets-app.ts';
import { ORIGIN } from '../support/test-issuer.ts';
import { run } from './terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-'));
let app: SecretsApp;
let server: LoopbackServer;

beforeAll(async () => {
  app = await startSecretsApp({
    providers: [
      {
        name: 'ours',
        displayName: 'P',
        org: 'acme',
        private: false,
        clientId: 'c',
        clientSecretName: 'sallyport/{stage}/providers/ours',
        tokenAuth: 'client_secret_post',
        authUrl: 'https://p.example.com/a',
        tokenUrl: 'https://p.example.com/t',
        scopes: [],
        scopeSeparator: ' ',
        authParams: [],
        tokenHeaders: [],
        pkce: true,
      },
    ],
  });
  server = await serveOnLoopback(0, async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    const { method, headers } = request;
    return app.fetch(
      new Request(`${ORIGIN}${pathname}${search}`, { method, headers, ...(body === '' ? {} : { body }) }),
    );
  });
});
afterAll(async () => {
  await server.close();
  await app.close();
  rmSync(directory, { recursive: true });
});

/** Runs `secret …` as the administrator of acme; the input is standard input. */
const secret = (argv: readonly string[], input?: string, org = 'acme') =>
  run(['secret', ...argv], {
    env: { SALLYPORT_ORIGIN: server.origin, SALLYPORT_TOKEN: app.token(org) },
    ...(input === undefined ? {} : { input }),
  });

/** What is stored, which goes nowhere but to its server. */
const storedFor = async (target: string, key: string, stage?: string) => {
  const text = await app.value(`sallyport/prod/credentials/acme/${target}/${key}`, stage);
  if (text === undefined) return undefined;
  const { url, ...value } = JSON.parse(text);
  expect(url).toBe(`https://${target}.internal.example.com/mcp`);
  return value;
};

describe('put', () => {
  test.for<readonly [string, readonly string[], string, object]>([
    ['bearer', ['--type', 'bearer'], 'sk-live-1\n', { type: 'bearer', token: 'sk-live-1' }],
    [
      'basic',
      ['--type', 'basic', '--username', 'u'],
      'pass word',
      { type: 'basic', username: 'u', password: 'pass word' },
    ],
    [
      'header',
      ['--type', 'header', '--name', 'X-API-Key'],
      'the-key-1\r\n',
      { type: 'header', name: 'X-API-Key', value: 'the-key-1' },
    ],
    [
      'query',
      ['--type', 'query', '--name', 'key'],
      'the-key-1',
      { type: 'query', name: 'key', value: 'the-key-1' },
    ],
    ['json', [], '{"type":"bearer","token":"in-json-1"}', { type: 'bearer', token: 'in-json-1' }],
  ])('stores a secret of the type %s from standard input', async ([name, options, input, stored]) => {
    const { code, out } = await secret(['put', 'maps', `client.${name}`, ...options], input);
    expect([code, out.split('\n')]).toEqual([
      0,
      [
        `client.${name} for maps of acme`,
        'stored: it is in use within 60 s, and at once where the old one is refused',
        `note: acme has no client ${name}: nothing uses it until there is one`,
      ],
    ]);
    expect(await storedFor('maps', `client.${name}`)).toEqual(stored);
  });

  test('takes any subject as it is, a value from a file, and answers as JSON', async () => {
    const file = join(directory, 'value');
    writeFileSync(file, 'token-of-ann');
    const argv = ['put', 'mail', 'user.idp:ann@example.com', '--type', 'bearer', '--file', file, '--json'];
    const { code, out } = await secret(argv);
    const key = `user.b64.${Buffer.from('idp:ann@example.com').toString('base64url')}`;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ org: 'acme', target: 'mail', key, stage: 'AWSCURRENT' });
    expect(await storedFor('mail', key)).toEqual({ type: 'bearer', token: 'token-of-ann' });
    expect((await secret(['put', 'mail', key, '--type', 'bearer'], 'once-again')).code).toBe(0);
    expect(await storedFor('mail', key)).toEqual({ type: 'bearer', token: 'once-again' });
  });

  test('stores our secret at a provider as it stands', async () => {
    expect((await secret(['put', '_providers', 'ours'], 'token-of-ours\n')).code).toBe(0);
    expect(await app.value('sallyport/prod/providers/ours')).toBe('token-of-ours');
  });

  test('says where nothing would use it', async () => {
    const { out } = await secret(['put', 'plain', 'client.x', '--type', 'bearer'], 'any-token');
    expect(out).toContain('note: its egress mode is none: no secret is put on');
  });

  test('is for another organisation where the platform’s administrator says so', async () => {
    const argv = ['put', 'maps', 'client.of-acme', '--type', 'bearer', '--org', 'acme'];
    expect((await secret(argv, 'any-token', 'platform')).code).toBe(0);
    expect(await storedFor('maps', 'client.of-acme')).toEqual({ type: 'bearer', token: 'any-token' });
  });

  test('tells the gateway’s words where it refuses, and nothing of the value', async () => {
    const { code, notes } = await secret(['put', 'maps', 'client.x'], '{"type":"bear","token":"sk-canary"}');
    expect(code).toBe(1);
    expect(notes).toMatch(/^sallyport: 400 .*`type` is none of/);
    expect(notes).not.toContain('sk-canary');
  });

  test('refuses what is too short for an echo of it to be seen, and says what to do', async () => {
    const { code, notes } = await secret(['put', 'maps', 'client.x', '--type', 'bearer'], 'seven77');
    expect(code).toBe(1);
    expect(notes).toMatch(/shorter than 8 characters.*use a longer one/);
    expect(notes).not.toContain('seven77');
  });

  test('tells nothing of an input that is no JSON', async () => {
    const { code, notes } = await secret(['put', 'maps', 'client.x'], 'sk-canary');
    expect([code, notes]).toEqual([
      1,
      'sallyport: the input is no JSON object; a bare secret goes with --type',
    ]);
  });
});

test('a rotation is staged, shown, and promoted', async () => {
  await secret(['put', 'maps', 'client.turn', '--type', 'bearer'], 'token-one');
  const staged = await secret(['rotate', 'maps', 'client.turn', '--type', 'bearer'], 'token-two');
  expect(staged.out).toContain('staged: it is used where the current one is refused');
  expect(await storedFor('maps', 'client.turn')).toEqual({ type: 'bearer', token: 'token-one' });
  const listed = await secret(['list', 'maps']);
  expect(listed.out).toMatch(/^maps {2}client\.turn +changed \d{4}-.*Z, a new version waits$/m);
  expect((await secret(['promote', 'maps', 'client.turn'])).code).toBe(0);
  expect(await storedFor('maps', 'client.turn')).toEqual({ type: 'bearer', token: 'token-two' });
});

test('a secret that is deleted is listed as such, and comes back', async () => {
  await secret(['put', 'maps', 'client.gone', '--type', 'bearer'], 'token-one');
  expect((await secret(['delete', 'maps', 'client.gone'])).code).toBe(0);
  expect((await secret(['list', 'maps'])).out).toMatch(/client\.gone +.*deleted \d{4}-/);
  expect((await secret(['restore', 'maps', 'client.gone'])).code).toBe(0);
  expect(await storedFor('maps', 'client.gone')).toEqual({ type: 'bearer', token: 'token-one' });
});

test('a list has every page, owners as they are called, and no value', async () => {
  for (let index = 0; index < 101; index += 1) {
    await secret(['put', 'of-acme', `client.${index}`, '--type', 'bearer'], 'sk-canary');
  }
  await secret(['put', 'of-acme', 'user.idp:ann', '--type', 'bearer'], 'sk-canary');
  const { out } = await secret(['list', 'of-acme', '--json']);
  expect(JSON.parse(out).secrets).toHaveLength(102);
  const text = (await secret(['list', 'of-acme'])).out;
  expect(text).toMatch(/^of-acme {2}user\.idp:ann/m);
  expect(out + text).not.toContain('sk-canary');
  const none = await secret(['list', 'plain', '--org', 'acme']);
  expect(none.out).toMatch(/^(?:plain|there is no secret of plain)/);
});

test.for<readonly [string, readonly string[], string | undefined]>([
  ['no verb', ['look', 'maps', 'client.x'], undefined],
  ['no owner', ['put', 'maps'], 'x'],
  ['a list of an owner', ['list', 'maps', 'client.x'], undefined],
  ['an owner of another kind', ['put', 'maps', 'agent.x'], '{}'],
  ['a person at the keyboard', ['put', 'maps', 'client.x'], undefined],
  ['an unknown type', ['put', 'maps', 'client.x', '--type', 'oauth2'], 'x'],
  ['a header without a name', ['put', 'maps', 'client.x', '--type', 'header'], 'x'],
  ['a name without a header', ['put', 'maps', 'client.x', '--name', 'X'], 'x'],
  ['a user without basic', ['put', 'maps', 'client.x', '--username', 'u'], 'x'],
  ['a type for a provider', ['put', '_providers', 'ours', '--type', 'bearer'], 'x'],
  ['a token on the same input', ['put', 'maps', 'client.x', '--token-file', '-'], 'x'],
])('%s is a usage error, and nothing is asked', async ([, argv, input]) => {
  const before = app.records.length;
  const { code } = await secret(argv, input);
  expect([code, app.records.length]).toEqual([2, before]);
});

test('a file that is not there is said', async () => {
  const { code, notes } = await secret(['put', 'maps', 'client.x', '--file', join(directory, 'none')]);
  expect([code, notes]).toEqual([1, expect.stringContaining('cannot read')]);
});
