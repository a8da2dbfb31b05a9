import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { SecretStore } from '../../../functions/core/ports.ts';
import type { Provider } from '../../../functions/core/provider.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { CONNECT_REQUEST, type ConnectionCloud, startConnectionCloud } from '../../support/connection-app.ts';
import {
  hangUp,
  PROVIDER_CLIENT,
  PROVIDER_SECRET,
  type ScriptedProvider,
  send,
  sendNothing,
  startScriptedProvider,
} from '../../support/scripted-provider.ts';
import { StagedSecrets } from '../../support/staged-secrets.ts';

const NEED = { scopes: ['parcels.read'] };

let cloud: ConnectionCloud;
let provider: ScriptedProvider;
let users = 0;

beforeAll(async () => {
  cloud = await startConnectionCloud();
});
afterAll(() => cloud.close());
beforeEach(async () => {
  provider = await startScriptedProvider();
  return () => provider.close();
});

/** Somebody whom no other test knows. */
function somebody(orgId = 'acme') {
  users += 1;
  return { orgId, subject: `office:user-${users}` };
}

/** The entry with some of it changed; undefined takes a member away. */
function entryOf(changes: { readonly [K in keyof Provider]?: Provider[K] | undefined }): Provider {
  const entries = Object.entries({ ...provider.entry, ...changes }).filter(
    ([, value]) => value !== undefined,
  );
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: only optional members are taken away here
  return Object.fromEntries(entries) as unknown as Provider;
}

describe('connecting', () => {
  test('redeems the code with our secret and the verifier, and keeps what comes of it', async () => {
    const { connect, find, accessToken } = cloud.environment();
    const owner = somebody();
    const connected = await connect(owner, provider.entry, CONNECT_REQUEST);
    const shown = {
      provider: 'carrier',
      account: { id: 'account-1', name: 'ana@carrier' },
      scopes: ['parcels.read'],
      status: 'active',
      connectedAtSeconds: cloud.time.ms / 1_000,
      refreshedAtSeconds: cloud.time.ms / 1_000,
    };
    expect(connected).toEqual({ ok: true, value: shown });
    expect(provider.grants()).toEqual([
      {
        grant_type: 'authorization_code',
        code: 'code-1',
        redirect_uri: CONNECT_REQUEST.redirectUri,
        code_verifier: 'verifier-1',
        client_id: PROVIDER_CLIENT,
        client_secret: PROVIDER_SECRET,
      },
    ]);
    expect(await find(owner, provider.entry)).toEqual({ ok: true, value: shown });
    const token = await accessToken(owner, provider.entry, NEED);
    expect(token.ok && token.value.token.reveal()).toBe('access-token-1');
  });

  test('lays nothing readable into the table', async () => {
    const owner = somebody();
    await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
    const { dynamo, tableName } = cloud.table;
    const scanned = await dynamo.call('Query', {
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'CONNECTION#acme' } },
    });
    const text = JSON.stringify(scanned);
    expect(text).toContain('wrappedKey');
    for (const secret of ['access-token', 'refresh-token', 'account-1', 'ana@', 'parcels']) {
      expect(text).not.toContain(secret);
    }
  });

  test('says Basic where the provider wants it, the verifier only where it takes one, and its own headers', async () => {
    const entry = entryOf({
      tokenAuth: 'client_secret_basic',
      pkce: false,
      clientId: 'id with space',
      tokenHeaders: [['x-version', '2']],
      account: undefined,
    });
    const connected = await cloud.environment().connect(somebody(), entry, CONNECT_REQUEST);
    expect(connected).toMatchObject({ ok: true, value: { account: undefined } });
    const [request] = provider.server.seen;
    const basic = Buffer.from(`id+with+space:${PROVIDER_SECRET}`).toString('base64');
    expect(request?.headers).toMatchObject({ authorization: `Basic ${basic}`, 'x-version': '2' });
    expect(Object.keys(provider.grants()[0] ?? {}).sort()).toEqual(['code', 'grant_type', 'redirect_uri']);
  });

  test('is a public client’s too', async () => {
    const entry = entryOf({ clientSecretName: undefined });
    expect((await cloud.environment().connect(somebody(), entry, CONNECT_REQUEST)).ok).toBe(true);
    expect(provider.grants()[0]).not.toHaveProperty('client_secret');
    expect(provider.grants()[0]).toHaveProperty('client_id');
  });

  test('takes what was asked for as granted where the provider says nothing of it', async () => {
    provider.tokens = { scope: undefined };
    const connected = await cloud.environment().connect(somebody(), provider.entry, CONNECT_REQUEST);
    expect(connected).toMatchObject({ value: { scopes: ['parcels.read'] } });
  });

  test('another account in the place of the one that is connected is refused, until that is forgotten', async () => {
    const { connect, disconnect, find } = cloud.environment();
    const owner = somebody();
    await connect(owner, provider.entry, CONNECT_REQUEST);
    provider.account = { id: 'account-2', login: 'mallory@carrier' };
    expect(await connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({
      error: { reason: 'other_account', connected: 'ana@carrier' },
    });
    expect(await find(owner, provider.entry)).toMatchObject({ value: { account: { id: 'account-1' } } });
    await disconnect(owner, provider.entry);
    expect(await connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({
      value: { account: { id: 'account-2' } },
    });
  });

  test('one of which the provider does not say whose it is takes the place of none', async () => {
    const { connect, disconnect } = cloud.environment();
    const owner = somebody();
    const entry = entryOf({ account: undefined });
    await connect(owner, entry, CONNECT_REQUEST);
    expect(await connect(owner, entry, CONNECT_REQUEST)).toMatchObject({
      error: { reason: 'other_account' },
    });
    await disconnect(owner, entry);
    expect(await connect(owner, entry, CONNECT_REQUEST)).toMatchObject({ ok: true });
  });

  test('one whose token may not ask who it is has to open a site that is connected', async () => {
    const entry = entryOf({ sitesUrl: `${provider.server.origin}/sites` });
    let sites = ['site-1', 'site-2'];
    provider.instead = ({ url }, answer) =>
      url === '/me'
        ? send(answer, 403, {})
        : url === '/sites' &&
          send(
            answer,
            200,
            sites.map((id) => ({ id })),
          );
    const { connect } = cloud.environment();
    const owner = somebody();
    await connect(owner, entry, CONNECT_REQUEST);
    sites = ['site-2', 'site-3'];
    expect(await connect(owner, entry, CONNECT_REQUEST)).toMatchObject({ ok: true });
    sites = ['site-1'];
    expect(await connect(owner, entry, CONNECT_REQUEST)).toMatchObject({
      error: { reason: 'other_account' },
    });
  });

  test('of two accounts that are connected at the same moment one is refused', async () => {
    const owner = somebody();
    let accounts = 0;
    provider.instead = (request, answer) => {
      if (request.url !== '/me') return false;
      accounts += 1;
      return send(answer, 200, { id: `account-${accounts}` });
    };
    const environments = Array.from({ length: 4 }, () => cloud.environment());
    const done = await Promise.all(
      environments.map(({ connect }) => connect(owner, provider.entry, CONNECT_REQUEST)),
    );
    expect(done.filter(({ ok }) => ok)).toHaveLength(1);
    const refused = done.flatMap((one) => (one.ok ? [] : [one.error.reason]));
    expect(refused).toEqual(['other_account', 'other_account', 'other_account']);
  });

  test('nor is one refused any less that comes between two looks', async () => {
    const owner = somebody();
    const first = cloud.environment();
    let looks = 0;
    const between = cloud.environment({}, (dynamo) => ({
      async call(operation, input) {
        const answer = await dynamo.call(operation, input);
        if (operation === 'BatchGetItem') {
          looks += 1;
          if (looks === 1) await first.connect(owner, provider.entry, CONNECT_REQUEST);
          provider.account = { id: 'account-2' };
        }
        return answer;
      },
    }));
    provider.account = { id: 'account-1' };
    const late = between.connect(owner, entryOf({ account: undefined }), CONNECT_REQUEST);
    expect(await late).toMatchObject({ error: { reason: 'other_account' } });
    expect(await first.find(owner, provider.entry)).toMatchObject({
      value: { account: { id: 'account-1' } },
    });
  });

  test('the same account anew takes the place of its tokens, with the scopes of now', async () => {
    const { connect, accessToken } = cloud.environment();
    const owner = somebody();
    await connect(owner, provider.entry, CONNECT_REQUEST);
    provider.tokens = { scope: 'parcels.read parcels.write' };
    const both = { scopes: ['parcels.read', 'parcels.write'] };
    expect(await accessToken(owner, provider.entry, both)).toEqual({
      ok: false,
      error: { reason: 'lacks_scopes', missing: ['parcels.write'] },
    });
    await connect(owner, provider.entry, { ...CONNECT_REQUEST, ...both });
    expect(await accessToken(owner, provider.entry, both)).toMatchObject({ ok: true });
  });

  type Fault = readonly [string, NonNullable<ScriptedProvider['instead']>, string];
  const answering =
    (status: number, body: object | string, headers = {}) =>
    (...[, answer]: Parameters<NonNullable<ScriptedProvider['instead']>>): boolean => {
      answer
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
      return true;
    };
  const FAULTS: readonly Fault[] = [
    ['refuses the code', answering(400, { error: 'invalid_grant' }), 'refused'],
    [
      'refuses it with status 200, as GitHub does',
      answering(200, { error: 'bad_verification_code' }),
      'refused',
    ],
    ['does not take our client', answering(401, { error: 'invalid_client' }), 'refused'],
    ['answers no token', answering(200, { ok: true }), 'refused'],
    ['answers a token that is no text', answering(200, { access_token: 1 }), 'refused'],
    ['answers a token that would end a header', answering(200, { access_token: 'a\r\nb' }), 'refused'],
    ['answers a token of another type', answering(200, { access_token: 'a', token_type: 'DPoP' }), 'refused'],
    ['answers a type that is no text', answering(200, { access_token: 'a', token_type: 1 }), 'refused'],
    ['answers a list', answering(200, '[]'), 'refused'],
    ['answers no JSON', answering(200, 'access_token=a'), 'refused'],
    ['answers a member twice', answering(200, '{"access_token":"a","access_token":"b"}'), 'refused'],
    ['answers packed', answering(200, {}, { 'content-encoding': 'gzip' }), 'refused'],
    ['redirects', answering(302, {}, { location: 'https://elsewhere.example/' }), 'unavailable'],
    ['is ill', answering(500, 'oops'), 'unavailable'],
    ['is ill in JSON', answering(503, { error: 'temporarily_unavailable' }), 'unavailable'],
    ['has had enough', answering(429, {}), 'unavailable'],
    ['hangs up', (_, answer) => hangUp(answer), 'unavailable'],
    ['answers without end', answering(200, `{"access_token":"${'a'.repeat(300_000)}"}`), 'unavailable'],
  ];
  test.for(FAULTS)('a provider that %s connects nobody', async ([, instead, reason]) => {
    const { connect, find } = cloud.environment();
    const owner = somebody();
    provider.instead = (request, answer) => request.url === '/token' && instead(request, answer);
    expect(await connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({ error: { reason } });
    expect(await find(owner, provider.entry)).toEqual({ ok: true, value: undefined });
  });

  test.for(['code', 'code_verifier', 'client_secret'])(
    'a provider that writes %s back as its error has it in no record',
    async (name) => {
      provider.instead = ({ url, body }, answer) =>
        url === '/token' && send(answer, 400, { error: new URLSearchParams(body).get(name) });
      expect(await cloud.environment().connect(somebody(), provider.entry, CONNECT_REQUEST)).toEqual({
        ok: false,
        error: { reason: 'refused', detail: 'status 400, no known error code' },
      });
    },
  );

  test('a secret that comes back as a scope or a name is dropped, and as an account refused', async () => {
    const { connect } = cloud.environment();
    const token = 'access-token-0123456789';
    provider.tokens = { access_token: token, scope: `parcels.read ${PROVIDER_SECRET} x:${token}` };
    provider.account = { id: 'account-1', login: `at ${token}` };
    expect(await connect(somebody(), provider.entry, CONNECT_REQUEST)).toMatchObject({
      value: { scopes: ['parcels.read'], account: { id: 'account-1', name: undefined } },
    });
    provider.account = { id: token };
    expect(await connect(somebody(), provider.entry, CONNECT_REQUEST)).toMatchObject({
      error: { reason: 'refused', detail: 'account: status 200' },
    });
  });

  test('a secret that is not taken is read past the cache, once', async () => {
    let current = 'old';
    const reads: string[] = [];
    const { connect } = cloud.environment({
      secrets: {
        async read(_, { stage = 'AWSCURRENT', fresh = false } = {}) {
          reads.push(`${stage}${fresh ? ' past the cache' : ''}`);
          if (fresh) current = 'new';
          return { ok: true, value: { value: new Secret(current), versionId: current } };
        },
      },
    });
    provider.instead = (request, answer) => {
      const isOld = new URLSearchParams(request.body).get('client_secret') === 'old';
      if (isOld) send(answer, 401, { error: 'invalid_client' });
      return isOld;
    };
    expect(await connect(somebody(), provider.entry, CONNECT_REQUEST)).toMatchObject({ ok: true });
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT past the cache']);
  });

  test('a secret that is not taken any more stands back for the one that a rotation has staged', async () => {
    const secrets = new StagedSecrets().put('sallyport/test/providers/p', 'old');
    secrets.put('sallyport/test/providers/p', 'new', 'AWSPENDING');
    const read: SecretStore['read'] = (_, options) => secrets.read('sallyport/test/providers/p', options);
    const { connect } = cloud.environment({ secrets: { read } });
    provider.instead = (request, answer) => {
      const isOld = new URLSearchParams(request.body).get('client_secret') === 'old';
      if (isOld) send(answer, 401, { error: 'invalid_client' });
      return isOld;
    };
    expect(await connect(somebody(), provider.entry, CONNECT_REQUEST)).toMatchObject({ ok: true });
    secrets.drop('sallyport/test/providers/p', 'AWSPENDING');
    expect(await connect(somebody(), provider.entry, CONNECT_REQUEST)).toMatchObject({ ok: false });
  });

  test.for(['missing', 'denied', 'unavailable'] as const)(
    'a secret that is %s connects nobody',
    async (reason) => {
      const { connect } = cloud.environment({
        secrets: { read: async () => ({ ok: false, error: { reason, detail: '' } }) },
      });
      expect(await connect(somebody(), provider.entry, CONNECT_REQUEST)).toMatchObject({
        error: { reason: reason === 'unavailable' ? 'unavailable' : 'refused' },
      });
      expect(provider.grants()).toEqual([]);
      expect(cloud.logged).toContainEqual(
        expect.objectContaining({
          event: 'provider_secret_unreadable',
          secret: 'sallyport/test/providers/carrier',
        }),
      );
    },
  );

  const ACCOUNTS: readonly (readonly [string, number, object, string | undefined])[] = [
    ['says nothing of the account', 200, { login: 'x' }, 'refused'],
    ['does not know the token', 401, {}, 'refused'],
    ['is ill', 500, {}, 'unavailable'],
    ['does not let this token ask', 403, {}, undefined],
  ];
  test.for(ACCOUNTS)('a provider that %s', async ([, status, body, reason]) => {
    provider.instead = (request, answer) => {
      if (request.url !== '/me') return false;
      send(answer, status, body);
      return true;
    };
    const connected = await cloud.environment().connect(somebody(), provider.entry, CONNECT_REQUEST);
    if (reason === undefined) expect(connected).toMatchObject({ ok: true, value: { account: undefined } });
    else expect(connected).toMatchObject({ ok: false, error: { reason } });
  });

  test('finds the sites at Atlassian', async () => {
    const entry = entryOf({ sitesUrl: `${provider.server.origin}/sites` });
    provider.instead = (request, answer) => {
      if (request.url !== '/sites') return false;
      send(answer, 200, [{ id: 'site-1' }, { id: 'site/2' }, {}, { id: 'site-3' }]);
      return true;
    };
    const { connect, accessToken } = cloud.environment();
    const owner = somebody();
    expect(await connect(owner, entry, CONNECT_REQUEST)).toMatchObject({ value: { cloudId: 'site-1' } });
    const token = await accessToken(owner, entry, NEED);
    expect(token.ok && token.value.cloudIds).toEqual(['site-1', 'site-3']);
    provider.instead = (request, answer) => request.url === '/sites' && send(answer, 404, {});
    expect(await connect(owner, entry, CONNECT_REQUEST)).toMatchObject({ error: { reason: 'refused' } });
  });
});

describe('what lies in the vault', () => {
  test('belongs to one organisation, subject and provider', async () => {
    const { connect, find, list } = cloud.environment();
    const owner = somebody();
    const other = entryOf({ name: 'other' });
    await connect(owner, provider.entry, CONNECT_REQUEST);
    const strangers = [
      [{ ...owner, orgId: 'globex' }, provider.entry],
      [{ ...owner, subject: owner.subject.normalize('NFC').toUpperCase() }, provider.entry],
      [{ ...owner, subject: `${owner.subject}#carrier` }, provider.entry],
      [owner, other],
    ] as const;
    for (const [who, where] of strangers) {
      expect(await find(who, where)).toEqual({ ok: true, value: undefined });
      if (who !== owner) expect(await list(who, [where])).toEqual({ ok: true, value: [] });
    }
    expect(await list(owner, [other, provider.entry])).toMatchObject({ value: [{ provider: 'carrier' }] });
  });

  test.for(['token endpoint', 'client'] as const)('goes to no other %s', async (what) => {
    const { connect, accessToken, disconnect, find } = cloud.environment();
    const owner = somebody();
    await connect(owner, provider.entry, CONNECT_REQUEST);
    const other = await startScriptedProvider();
    onTestFinished(() => other.close());
    const entry = what === 'client' ? entryOf({ clientId: 'another-app' }) : other.entry;
    const before = provider.server.seen.length;
    expect(await find(owner, entry)).toMatchObject({ value: { status: 'broken' } });
    for (const hours of [0, 1]) {
      cloud.time.ms += hours * 3_600_000;
      expect(await accessToken(owner, entry, NEED)).toMatchObject({ error: { reason: 'broken' } });
    }
    expect(await disconnect(owner, entry)).toEqual({ ok: true, value: { revoked: false } });
    expect([provider.server.seen.length - before, other.server.seen.length]).toEqual([0, 0]);
  });

  const places = ['subject', 'organisation', 'provider'] as const;
  test.for(places)('does not open where it was put in the place of another %s', async (what) => {
    const { connect, accessToken, find, list } = cloud.environment();
    const [victim, thief] = [somebody(), somebody(what === 'organisation' ? 'globex' : 'acme')];
    const entry = what === 'provider' ? entryOf({ name: 'other' }) : provider.entry;
    await connect(victim, provider.entry, CONNECT_REQUEST);
    await connect(thief, entry, CONNECT_REQUEST);
    await move(cloud, { owner: victim, provider: 'carrier' }, { owner: thief, provider: entry.name });
    // Also where the key is still in memory, and where it is not.
    for (const environment of [{ accessToken, find, list }, cloud.environment()]) {
      expect(await environment.accessToken(thief, entry, NEED)).toMatchObject({
        error: { reason: 'unavailable' },
      });
      expect(await environment.find(thief, entry)).toMatchObject({ error: { reason: 'unavailable' } });
      expect(await environment.list(thief, [entry])).toMatchObject({
        value: [{ provider: entry.name, status: 'broken', account: undefined, scopes: [] }],
      });
    }
    expect(cloud.logged).toContainEqual(expect.objectContaining({ event: 'connection_unreadable' }));
  });

  const CHANGES: readonly (readonly [string, (body: string) => string])[] = [
    [
      'a byte of the ciphertext',
      (body) => body.replace(/"sealed":"(.)/, (_, c) => `"sealed":"${c === 'A' ? 'B' : 'A'}`),
    ],
    ['its end', (body) => body.replace(/"sealed":"([^"]{40})[^"]*"/, '"sealed":"$1"')],
    ['everything sealed', (body) => body.replace(/"sealed":"[^"]*"/, '"sealed":"AA"')],
    ['the wrapped key', (body) => body.replace(/"wrappedKey":"[^"]{8}/, '"wrappedKey":"AAAAAAAA')],
    ['its form', () => '{"v":1}'],
    ['its version', (body) => body.replace('"v":1', '"v":2')],
    ['its syntax', () => 'not json'],
  ];
  test.for(CHANGES)('is refused with %s changed, and can be forgotten and made again', async ([, change]) => {
    const { connect, disconnect } = cloud.environment();
    const owner = somebody();
    await connect(owner, provider.entry, CONNECT_REQUEST);
    await rewrite(cloud, { owner, provider: 'carrier' }, change);
    const { accessToken } = cloud.environment();
    expect(await accessToken(owner, provider.entry, NEED)).toMatchObject({
      error: { reason: 'unavailable' },
    });
    expect(await connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({
      error: { reason: 'unavailable' },
    });
    expect(await disconnect(owner, provider.entry)).toEqual({ ok: true, value: { revoked: false } });
    expect(await connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({ ok: true });
  });

  test('costs KMS one call for a user at work in five minutes, and none of another’s', async () => {
    const owner = somebody();
    await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
    const { accessToken } = cloud.environment();
    const before = cloud.kmsCalls.length;
    for (let call = 0; call < 20; call += 1) await accessToken(owner, provider.entry, NEED);
    expect(cloud.kmsCalls.slice(before)).toEqual(['DecryptCommand']);
    cloud.time.ms += 300_000;
    await accessToken(owner, provider.entry, NEED);
    expect(cloud.kmsCalls.slice(before)).toEqual(['DecryptCommand', 'DecryptCommand']);
  });

  test.for(['error', 'deny', 'throttle'] as const)(
    'is out of reach while KMS says %s, and there again after it',
    async (mode) => {
      const owner = somebody();
      await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
      cloud.faults.add({ service: 'kms', mode }, Date.now());
      onTestFinished(() => cloud.faults.clear());
      const { accessToken, connect } = cloud.environment();
      expect(await accessToken(owner, provider.entry, NEED)).toMatchObject({
        error: { reason: 'unavailable' },
      });
      expect(await connect(somebody(), provider.entry, CONNECT_REQUEST)).toMatchObject({
        error: { reason: 'unavailable' },
      });
      cloud.faults.clear();
      expect(await accessToken(owner, provider.entry, NEED)).toMatchObject({ ok: true });
    },
  );
});

describe('disconnecting', () => {
  test('revokes the refresh token at the provider, forgets, and says so', async () => {
    const { connect, disconnect, accessToken, find } = cloud.environment();
    const owner = somebody();
    await connect(owner, provider.entry, CONNECT_REQUEST);
    expect(await disconnect(owner, provider.entry)).toEqual({ ok: true, value: { revoked: true } });
    const [revocation] = provider.server.seen.filter(({ url }) => url === '/revoke');
    expect(Object.fromEntries(new URLSearchParams(revocation?.body))).toEqual({
      token: 'refresh-token-1',
      token_type_hint: 'refresh_token',
      client_id: PROVIDER_CLIENT,
      client_secret: PROVIDER_SECRET,
    });
    expect(await accessToken(owner, provider.entry, NEED)).toEqual({
      ok: false,
      error: { reason: 'not_connected' },
    });
    expect(await find(owner, provider.entry)).toEqual({ ok: true, value: undefined });
    expect(await disconnect(owner, provider.entry)).toEqual({ ok: true, value: { revoked: false } });
  });

  test('of what never was is done already', async () => {
    expect(await cloud.environment().disconnect(somebody(), provider.entry)).toEqual({
      ok: true,
      value: { revoked: false },
    });
  });

  test('revokes the access token where there is no other', async () => {
    provider.tokens = { refresh_token: undefined };
    const { connect, disconnect } = cloud.environment();
    const owner = somebody();
    await connect(owner, provider.entry, CONNECT_REQUEST);
    await disconnect(owner, provider.entry);
    const [revocation] = provider.server.seen.filter(({ url }) => url === '/revoke');
    expect(new URLSearchParams(revocation?.body).get('token')).toBe('access-token-1');
  });

  test('as GitHub has it', async () => {
    const entry = entryOf({ revocation: { style: 'github', url: `${provider.server.origin}/revoke` } });
    const { connect, disconnect } = cloud.environment();
    const owner = somebody();
    await connect(owner, entry, CONNECT_REQUEST);
    provider.instead = (request, answer) => request.url === '/revoke' && sendNothing(answer, 204);
    expect(await disconnect(owner, entry)).toMatchObject({ value: { revoked: true } });
    const [revocation] = provider.server.seen.filter(({ url }) => url === '/revoke');
    expect(revocation).toMatchObject({ method: 'DELETE', body: '{"access_token":"access-token-1"}' });
    expect(revocation?.headers.authorization).toMatch(/^Basic /);
  });

  test.for([true, false])('as Slack has it, which answers 200 to everything: %s', async (isDone) => {
    const entry = entryOf({ revocation: { style: 'slack', url: `${provider.server.origin}/revoke` } });
    const { connect, disconnect } = cloud.environment();
    const owner = somebody();
    await connect(owner, entry, CONNECT_REQUEST);
    provider.instead = (request, answer) => request.url === '/revoke' && send(answer, 200, { ok: isDone });
    expect(await disconnect(owner, entry)).toMatchObject({ value: { revoked: isDone } });
    const [revocation] = provider.server.seen.filter(({ url }) => url === '/revoke');
    expect(revocation?.headers.authorization).toBe('Bearer access-token-1');
  });

  const UNREVOKED: readonly (readonly [
    string,
    Parameters<typeof entryOf>[0],
    ScriptedProvider['instead'],
  ])[] = [
    ['has no way to revoke', { revocation: undefined }, undefined],
    ['is ill', {}, (request, answer) => request.url === '/revoke' && send(answer, 500, {})],
    ['hangs up', {}, (request, answer) => request.url === '/revoke' && hangUp(answer)],
  ];
  test.for(UNREVOKED)('forgets also where the provider %s', async ([, changes, instead]) => {
    const { connect, disconnect, find } = cloud.environment();
    const owner = somebody();
    const entry = entryOf(changes);
    await connect(owner, entry, CONNECT_REQUEST);
    provider.instead = instead;
    expect(await disconnect(owner, entry)).toEqual({ ok: true, value: { revoked: false } });
    expect(await find(owner, entry)).toEqual({ ok: true, value: undefined });
  });

  test('forgets by its name what was connected at a provider that is gone', async () => {
    const { connect, disconnect, find } = cloud.environment();
    const owner = somebody();
    await connect(owner, provider.entry, CONNECT_REQUEST);
    const gone = { name: 'carrier', isGone: true } as const;
    expect(await cloud.environment().list(owner, [])).toMatchObject({
      value: [{ provider: 'carrier', status: 'broken' }],
    });
    expect(await find(owner, gone)).toMatchObject({ value: { status: 'broken' } });
    expect(await disconnect(owner, gone)).toEqual({ ok: true, value: { revoked: false } });
    expect(await find(owner, provider.entry)).toEqual({ ok: true, value: undefined });
  });

  test('is put off while KMS is out, so that it can be revoked', async () => {
    const owner = somebody();
    await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
    cloud.faults.add({ service: 'kms', mode: 'error' }, Date.now());
    onTestFinished(() => cloud.faults.clear());
    const { disconnect } = cloud.environment();
    expect(await disconnect(owner, provider.entry)).toMatchObject({ error: { reason: 'unavailable' } });
    cloud.faults.clear();
    expect(await disconnect(owner, provider.entry)).toEqual({ ok: true, value: { revoked: true } });
  });

  test('forgets without our secret too', async () => {
    const owner = somebody();
    await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
    const { disconnect } = cloud.environment({
      secrets: { read: async () => ({ ok: false, error: { reason: 'missing', detail: '' } }) },
    });
    expect(await disconnect(owner, provider.entry)).toEqual({ ok: true, value: { revoked: false } });
  });
});

type At = { readonly owner: { readonly orgId: string; readonly subject: string }; readonly provider: string };

function keyOf({ owner, provider: name }: At) {
  const id = `${Buffer.from(owner.subject).toString('base64url')}#${name}`;
  return { pk: { S: `CONNECTION#${owner.orgId}` }, sk: { S: id } };
}

async function read(
  { table }: ConnectionCloud,
  at: At,
): Promise<Readonly<Record<string, { S?: string; N?: string }>>> {
  const got = await table.dynamo.call('GetItem', { TableName: table.tableName, Key: keyOf(at) });
  if (!got.ok) throw new Error('no item');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: an item of DynamoDB
  return (got.value as { Item: Record<string, { S?: string; N?: string }> }).Item;
}

async function rewrite(cloud: ConnectionCloud, at: At, change: (body: string) => string): Promise<void> {
  const item = await read(cloud, at);
  const { tableName, dynamo } = cloud.table;
  await dynamo.call('PutItem', {
    TableName: tableName,
    Item: { ...item, body: { S: change(item['body']?.S ?? '') } },
  });
}

async function move(cloud: ConnectionCloud, from: At, to: At): Promise<void> {
  const item = await read(cloud, from);
  await cloud.table.dynamo.call('PutItem', {
    TableName: cloud.table.tableName,
    Item: { ...item, ...keyOf(to) },
  });
}
