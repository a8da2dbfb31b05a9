import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readSecretValue } from '../../functions/handlers/secret-value.ts';
import { type SecretsApp, startSecretsApp } from '../support/secrets-app.ts';

const bearer = (token: string) => ({ type: 'bearer', token });
const nameOf = (org: string, target: string, key: string) =>
  `sallyport/prod/credentials/${org}/${target}/${key}`;
/** As a bearer token is stored: bound to where the entry points. */
const stored = (token: string, target = 'maps') =>
  JSON.stringify({ ...bearer(token), url: `https://${target}.internal.example.com/mcp` });
const provider = {
  displayName: 'P',
  private: false,
  clientId: 'c',
  tokenAuth: 'client_secret_post',
  authUrl: 'https://p.example.com/a',
  tokenUrl: 'https://p.example.com/t',
  scopes: [],
  scopeSeparator: ' ',
  authParams: [],
  tokenHeaders: [],
  pkce: true,
} as const;

/** What an answer may say. */
const Answer = z.object({
  code: z.string().optional(),
  detail: z.string().optional(),
  stage: z.string().optional(),
  note: z.string().optional(),
  next: z.string().optional(),
  secrets: z
    .array(z.looseObject({ target: z.string(), key: z.string(), deleted_at: z.number().optional() }))
    .default([]),
});
const read = async (response: Response) => Answer.parse(await response.json());

let app: SecretsApp;
let serial = 0;
/** An owner whom no other test uses. */
const fresh = () => `client.c-${++serial}`;

beforeAll(async () => {
  app = await startSecretsApp({
    providers: [
      { ...provider, name: 'shared', org: undefined, clientSecretName: 'sallyport/{stage}/providers/shared' },
      { ...provider, name: 'ours', org: 'acme', clientSecretName: 'sallyport/{stage}/providers/ours' },
      { ...provider, name: 'elsewhere', org: 'acme', clientSecretName: 'sallyport/{stage}/env/X' },
      { ...provider, name: 'public', org: 'acme', clientSecretName: undefined },
    ],
  });
});
afterAll(() => app.close());
afterEach(() => {
  app.records.length = 0;
  app.logged.length = 0;
  app.canRecord = true;
  app.faults.clear();
});

describe('a secret', () => {
  test('is created, then replaced at once, and the version before stays the previous one', async () => {
    const key = fresh();
    const name = nameOf('acme', 'maps', key);
    const created = await app.ask('PUT', `/maps/${key}`, { body: bearer('token-one') });
    expect(created.status).toBe(201);
    expect(created.headers.get('cache-control')).toBe('no-store');
    expect(await created.json()).toEqual({
      org: 'acme',
      target: 'maps',
      key,
      version: expect.any(String),
      stage: 'AWSCURRENT',
      note: expect.stringContaining('acme has no client c-'),
    });
    const replaced = await app.ask('PUT', `/maps/${key}`, { body: bearer('token-two') });
    expect(replaced.status).toBe(200);
    expect([await app.value(name), await app.value(name, 'AWSPREVIOUS')]).toEqual([
      stored('token-two'),
      stored('token-one'),
    ]);
  });

  test('is rotated in two steps: a version that waits, and that it is the current one', async () => {
    const key = fresh();
    const name = nameOf('acme', 'maps', key);
    await app.ask('PUT', `/maps/${key}`, { body: bearer('token-one') });
    for (const token of ['typing-error', 'token-two']) {
      const staged = await app.ask('POST', `/maps/${key}/rotate`, { body: bearer(token) });
      expect([staged.status, (await read(staged)).stage]).toEqual([200, 'AWSPENDING']);
    }
    expect([await app.value(name), await app.value(name, 'AWSPENDING')]).toEqual([
      stored('token-one'),
      stored('token-two'),
    ]);
    const promoted = await app.ask('POST', `/maps/${key}/promote`);
    expect([promoted.status, (await read(promoted)).stage]).toEqual([200, 'AWSCURRENT']);
    expect(await app.stages(name)).toEqual([['AWSPREVIOUS'], [], ['AWSCURRENT']]);
    expect((await app.ask('POST', `/maps/${key}/promote`)).status).toBe(412);
  });

  test('is deleted for a week in which it can be restored', async () => {
    const key = fresh();
    const name = nameOf('acme', 'maps', key);
    await app.ask('PUT', `/maps/${key}`, { body: bearer('token-one') });
    expect((await app.ask('DELETE', `/maps/${key}`)).status).toBe(200);
    expect(await app.value(name)).toBeUndefined();
    for (const [method, path] of [
      ['PUT', ''],
      ['POST', '/rotate'],
      ['POST', '/promote'],
    ] as const) {
      const refused = await app.ask(method, `/maps/${key}${path}`, { body: bearer('token-two') });
      expect([refused.status, (await read(refused)).code]).toEqual([412, 'failed_precondition']);
    }
    expect((await app.ask('POST', `/maps/${key}/restore`)).status).toBe(200);
    expect(await app.value(name)).toBe(stored('token-one'));
  });

  test.for([
    ['POST', '/rotate', bearer('any-token')],
    ['POST', '/promote', undefined],
    ['POST', '/restore', undefined],
    ['DELETE', '', undefined],
  ] as const)('that is not there: %s %s answers 404', async ([method, path, body]) => {
    const answer = await app.ask(method, `/maps/${fresh()}${path}`, { body });
    expect([answer.status, (await read(answer)).detail]).toEqual([404, 'there is no such secret']);
  });

  test('of a user, and the one that stands in, are written where the gateway looks for them', async () => {
    const ann = `user.b64.${Buffer.from('idp:ann').toString('base64url')}`;
    for (const key of [ann, '_default']) {
      expect((await app.ask('PUT', `/mail/${key}`, { body: bearer('any-token') })).status).toBe(201);
      expect(await app.value(nameOf('acme', 'mail', key))).toBe(stored('any-token', 'mail'));
    }
  });

  test.for([
    ['plain', 'client.x', 'its egress mode is none: no secret is put on'],
    ['maps', 'user.x', 'its entry says `key: client`: this one is not looked for'],
    ['maps', '_default', 'its entry does not say `fallback: default`: nothing stands in'],
    ['mail', '_default', undefined],
    ['maps', 'client.nobody', 'acme has no client nobody: nothing uses it until there is one'],
    ['maps', `client.b64.${Buffer.from('https://app.example/client.json').toString('base64url')}`, undefined],
  ] as const)('of %s for %s is stored, and told whether anything uses it', async ([target, key, note]) => {
    const answer = await app.ask('PUT', `/${target}/${key}`, { body: bearer('any-token') });
    expect([answer.ok, (await read(answer)).note]).toEqual([true, note]);
  });
});

describe('a value', () => {
  const oauth = { type: 'oauth2', client_id: 'c', client_secret: 'sk-canary' };
  test.for<readonly [string, unknown]>([
    ['no JSON', 'sk-canary'],
    ['a list', ['sk-canary']],
    ['a member twice', '{"type":"bearer","token":"sk-canary","token":"sk-canary"}'],
    ['an unknown type', { type: 'digest', token: 'sk-canary' }],
    ['a token that is no header value', bearer('sk-canary\r\nx: y')],
    ['a header that frames the message', { type: 'header', name: 'host', value: 'sk-canary' }],
    ['a token URL without TLS', { ...oauth, token_url: 'http://auth.example.com/token' }],
    ['a token URL at a private address', { ...oauth, token_url: 'https://10.0.0.1/token' }],
    ['a token URL outside the perimeter', { ...oauth, token_url: 'https://auth.example.org/token' }],
    [
      'a key that cannot sign',
      {
        type: 'oauth2',
        client_id: 'c',
        token_url: 'https://auth.example.com/token',
        auth: 'private_key_jwt',
        private_key: 'sk-canary',
      },
    ],
    ['shorter than 8 characters', bearer('sk-cana')],
    ['a password shorter than 8 characters', { type: 'basic', username: 'sk-canary', password: 'secret7' }],
    ['a header of a scheme and 7 characters', { type: 'header', name: 'x-key', value: 'Token sk-cana' }],
    ['for another place', { ...bearer('sk-canary'), url: 'https://maps.example.org/mcp' }],
    ['nothing', undefined],
  ])('that is %s is refused, unwritten and unrepeated', async ([, body]) => {
    const key = fresh();
    for (const [method, path] of [
      ['PUT', ''],
      ['POST', '/rotate'],
    ] as const) {
      const answer = await app.ask(method, `/maps/${key}${path}`, { body });
      const text = await answer.text();
      expect([answer.status, text.includes('sk-canary')]).toEqual([400, false]);
    }
    expect(await app.value(nameOf('acme', 'maps', key))).toBeUndefined();
    expect(JSON.stringify([app.records, app.logged])).not.toContain('sk-canary');
  });

  test('of more than 64 KB is refused', async () => {
    const answer = await app.ask('PUT', `/maps/${fresh()}`, { body: bearer('x'.repeat(66_000)) });
    expect(answer.status).toBe(413);
  });

  test('that is for the place where the entry points is stored with it', async () => {
    const key = fresh();
    const body = { ...bearer('any-token'), url: 'https://maps.internal.example.com/' };
    expect((await app.ask('PUT', `/maps/${key}`, { body })).status).toBe(201);
    expect(await app.value(nameOf('acme', 'maps', key))).toBe(JSON.stringify(body));
  });

  test.for<readonly [string, string, boolean]>([
    ['http://127.0.0.1:9001/token', 'https://maps.example.com/mcp', false],
    ['http://localhost:9001/token', 'http://10.0.0.2/mcp', false],
    ['http://10.0.0.1/token', 'http://10.0.0.2/mcp', true],
    ['http://127.0.0.1:9001/token', 'http://127.0.0.1:8080/mcp', true],
  ])('with a token URL %s, for a private entry at %s: %s', ([token_url, url, isTaken]) => {
    const bytes = Buffer.from(JSON.stringify({ ...oauth, token_url }));
    expect(readSecretValue(bytes, { url, isPrivate: true, perimeter: undefined }).ok).toBe(isTaken);
  });

  test('of the type oauth2 is stored where its endpoint may be called', async () => {
    const body = { ...oauth, token_url: 'https://auth.example.com/token' };
    expect((await app.ask('PUT', `/maps/${fresh()}`, { body })).status).toBe(201);
  });
});

describe('an administrator', () => {
  test.for<readonly [string, string, string, string]>([
    ['of another organisation with its name', 'beta', 'keeper', '/maps/client.x?org=acme'],
    ['of an organisation that there is not', 'acme', 'keeper', '/maps/client.x?org=nobody'],
    ['of a server of another organisation', 'beta', 'keeper', '/of-acme/client.x'],
    ['of a server that there is not', 'acme', 'keeper', '/nothing/client.x'],
    ['for an owner in another spelling', 'acme', 'keeper', '/maps/client.b64.eA'],
    ['for no owner', 'acme', 'keeper', '/maps/x'],
    ['of a provider of every organisation', 'acme', 'keeper', '/_providers/shared'],
    ['of a provider of another organisation', 'beta', 'keeper', '/_providers/ours'],
    ['of a provider whose secret is kept elsewhere', 'acme', 'keeper', '/_providers/elsewhere'],
    ['of a provider without a secret', 'acme', 'keeper', '/_providers/public'],
    ['of a provider that there is not', 'acme', 'keeper', '/_providers/nothing'],
  ])('%s finds nothing there', async ([, org, scope, path]) => {
    const answer = await app.ask('PUT', path, { body: bearer('any-token'), org, scope });
    expect([answer.status, (await read(answer)).code]).toEqual([404, 'not_found']);
    expect(app.records).toEqual([]);
  });

  test.for<readonly [string, string, number]>([
    ['narrow', '/maps/client.n', 201],
    ['narrow', '/mail/client.n', 403],
    ['narrow', '/_providers/ours', 403],
    ['steward', '/maps/client.n', 403],
  ])('with the UI scope %s: %s %i', async ([scope, path, status]) => {
    expect((await app.ask('PUT', path, { body: bearer('any-token'), scope })).status).toBe(status);
    const decision = { event: 'decision', area: 'secrets', decision: status === 403 ? 'deny' : 'allow' };
    expect(app.records[0]).toMatchObject(decision);
  });

  test('of the platform writes for every organisation, and each has its own', async () => {
    const key = fresh();
    for (const org of ['acme', 'beta']) {
      const body = bearer(`token-of-${org}`);
      expect((await app.ask('PUT', `/maps/${key}?org=${org}`, { body, org: 'platform' })).status).toBe(201);
    }
    expect(await app.value(nameOf('beta', 'maps', key))).toBe(stored('token-of-beta'));
  });

  test.for([
    ['platform', 'shared'],
    ['acme', 'ours'],
  ] as const)('of %s writes our secret at the provider %s, as it stands', async ([org, name]) => {
    const refused = await app.ask('PUT', `/_providers/${name}`, { body: bearer('any-token'), org });
    expect(refused.status).toBe(400);
    const body = { client_secret: 'of-the-provider' };
    expect((await app.ask('PUT', `/_providers/${name}`, { body, org })).status).toBe(201);
    expect(await app.value(`sallyport/prod/providers/${name}`)).toBe('of-the-provider');
  });
});

describe('the list', () => {
  test('has names, stages and times of its own organisation, and no value', async () => {
    const key = `user.b64.${Buffer.from('idp:list').toString('base64url')}`;
    await app.ask('PUT', `/mail/${key}`, { body: bearer('sk-canary') });
    await app.ask('PUT', '/mail/client.of-beta', { body: bearer('sk-canary'), org: 'beta' });
    const answer = await app.ask('GET', '');
    const text = await answer.text();
    expect(text).not.toMatch(/sk-canary|of-beta/);
    const listed = Answer.parse(JSON.parse(text)).secrets.find((one) => one.key === key);
    expect(listed).toEqual({
      target: 'mail',
      key,
      id: 'idp:list',
      created_at: expect.any(Number),
      changed_at: expect.any(Number),
      versions: [{ id: expect.any(String), stages: ['AWSCURRENT'] }],
    });
  });

  test('is of one server, for whoever may administer that one alone', async () => {
    await app.ask('PUT', '/maps/client.one', { body: bearer('any-token') });
    await app.ask('PUT', '/mail/client.other', { body: bearer('any-token') });
    const answer = await app.ask('GET', '?target=maps', { scope: 'narrow' });
    const { secrets } = await read(answer);
    expect(new Set(secrets.map(({ target }) => target))).toEqual(new Set(['maps']));
    expect((await app.ask('GET', '', { scope: 'narrow' })).status).toBe(403);
    expect((await app.ask('GET', '?target=mail', { scope: 'narrow' })).status).toBe(403);
  });

  test('says what is deleted, and goes on where it stopped', async () => {
    const keys = Array.from({ length: 103 }, (_, index) => `client.page-${String(index).padStart(3, '0')}`);
    for (const key of keys) await app.ask('PUT', `/of-acme/${key}`, { body: bearer('any-token') });
    await app.ask('DELETE', `/of-acme/${keys[0]}`);
    const first = await read(await app.ask('GET', '?target=of-acme'));
    const after = encodeURIComponent(first.next ?? '');
    const second = await read(await app.ask('GET', `?target=of-acme&after=${after}`));
    const all = [...first.secrets, ...second.secrets];
    expect([all.map(({ key }) => key), second.next]).toEqual([keys, undefined]);
    expect(all.filter(({ deleted_at }) => deleted_at !== undefined).map(({ key }) => key)).toEqual([keys[0]]);
  });

  test('and a change take each parameter once: of two organisations neither is meant', async () => {
    for (const twice of ['org=acme&org=beta', 'org=acme&org=acme', 'org=acme&stage=prod']) {
      expect((await app.ask('GET', `?${twice}`)).status).toBe(400);
      for (const [method, path] of [
        ['DELETE', '/maps/client.courier'],
        ['POST', '/maps/client.courier/promote'],
      ] as const) {
        expect((await app.ask(method, `${path}?${twice}`)).status).toBe(400);
      }
    }
  });

  test('of providers is the platform’s', async () => {
    await app.ask('PUT', '/_providers/shared', { body: { client_secret: 'any-secret' }, org: 'platform' });
    const answer = await app.ask('GET', '?target=_providers', { org: 'platform' });
    const { secrets } = await read(answer);
    expect(secrets.find(({ key }) => key === 'shared')).toMatchObject({
      target: '_providers',
      key: 'shared',
    });
    expect((await app.ask('GET', '?target=_providers')).status).toBe(404);
  });

  test.for(['?x=1', '?after=', `?after=${'a'.repeat(4_097)}`])(
    'refuses a malformed question',
    async (query) => {
      expect((await app.ask('GET', query)).status).toBe(400);
    },
  );

  test('of another organisation is not there', async () => {
    expect((await app.ask('GET', '?org=beta')).status).toBe(404);
  });
});

describe('the record', () => {
  test('says who changed which secret and how, before and after, and nothing of its value', async () => {
    const key = fresh();
    await app.ask('PUT', `/maps/${key}`, { body: bearer('sk-canary') });
    const about = {
      area: 'secrets',
      client_id: 'acme-admin',
      server: 'maps',
      method: 'put',
      name: `acme/maps/${key}`,
    };
    expect(app.records).toEqual([
      expect.objectContaining({ ...about, event: 'decision', decision: 'allow', reason: 'manage_secrets' }),
      expect.objectContaining({ ...about, event: 'outcome', reason: 'done' }),
    ]);
    expect(JSON.stringify(app.records)).not.toContain('sk-canary');
  });

  test.for([
    ['PUT', ''],
    ['POST', '/rotate'],
    ['POST', '/promote'],
    ['DELETE', ''],
    ['POST', '/restore'],
  ] as const)('that cannot be written: %s %s does nothing', async ([method, path]) => {
    const key = fresh();
    const name = nameOf('acme', 'maps', key);
    await app.ask('PUT', `/maps/${key}`, { body: bearer('token-one') });
    const before = await app.stages(name);
    app.canRecord = false;
    const answer = await app.ask(method, `/maps/${key}${path}`, { body: bearer('token-two') });
    expect([answer.status, await app.stages(name)]).toEqual([503, before]);
    expect((await app.ask('GET', '')).status).toBe(503);
  });

  test.for(['deny', 'error'] as const)('of a write that Secrets Manager answers with %s', async (mode) => {
    app.faults.add({ service: 'secretsmanager', mode }, Date.now());
    const answer = await app.ask('PUT', `/maps/${fresh()}`, { body: bearer('sk-canary') });
    expect(answer.status).toBe(503);
    expect(app.records.at(-1)).toMatchObject({ event: 'outcome', reason: 'unavailable' });
    expect(app.logged).toHaveLength(1);
    expect(JSON.stringify([app.records, app.logged, await answer.text()])).not.toContain('sk-canary');
  });
});
