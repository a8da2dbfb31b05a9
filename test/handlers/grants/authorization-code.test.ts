import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeCode } from '../../../functions/core/authorization-code.ts';
import { err, ok } from '../../../functions/core/result.ts';
import { basic, type IssuerApp, startIssuerApp } from '../../support/issuer-app.ts';
import {
  CODE_VERIFIER,
  challengeOf,
  claimsOf,
  codeForm,
  identityProvider,
  putCode,
  REDIRECT_URI,
} from '../../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../../support/policies.ts';
import { NOW_SECONDS, ORIGIN } from '../../support/test-issuer.ts';

const grants = ['authorization_code', 'refresh_token'];
const scopes = ['maps/read', 'maps/execute', 'mail/read'];
const user = { grants, scopes, audience: 'resource', redirectUris: [REDIRECT_URI] } as const;
const rules = ['maps/read', 'maps/execute', 'mail/read', 'secret/read'].map(
  (scope) => [scope, [scopeRule('*', ['initialize'])]] as const,
);
const parts = {
  scopes: rules,
  groups: [
    ['drivers', ['maps/read', 'maps/execute', 'secret/read']],
    ['pilots', ['mail/read']],
  ],
  servers: [serverEntry('maps'), serverEntry('mail'), serverEntry('rival-only', { org: 'rival' })],
  idps: [identityProvider('corp')],
  clients: [
    clientEntry('desk', user),
    clientEntry('other', user),
    clientEntry('once', { ...user, grants: ['authorization_code'] }),
    clientEntry('hub', { ...user, audience: 'gateway' }),
    clientEntry('stranger', { ...user, org: 'rival' }),
    clientEntry('machine', { scopes }),
  ],
} as const;

let app: IssuerApp;

beforeAll(async () => {
  app = await startIssuerApp(policyOf(parts));
});

afterAll(() => app.close());

beforeEach(() => {
  app.records.length = 0;
  app.revoked.length = 0;
  app.nowSeconds = NOW_SECONDS;
});

/** The store of codes: what is under `records` of the app is its audit records. */
const store = () => ({ records: app.ports.records, nowSeconds: app.nowSeconds });
const code = (...changes: Parameters<typeof putCode> extends [unknown, ...infer Rest] ? Rest : never) =>
  putCode(store(), ...changes);

async function redeem(form: Readonly<Record<string, string>> | string, client = 'desk') {
  const response = await app.post('/oauth/token', form, basic(client));
  const body = JSON.parse(await response.text());
  return { status: response.status, body, error: body.error, claims: claimsOf(body.access_token ?? '.e30') };
}

describe('a code', () => {
  test('gives a token about the user who logged in, for what was authorized, and a refresh token', async () => {
    const { status, body, claims } = await redeem(codeForm(await code({ family: 'f-1' })));
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'maps/read maps/execute',
      refresh_token: expect.stringMatching(/^[\w-]+\.[\w-]{43}\.[\w-]{43}$/),
    });
    expect(claims).toEqual({
      iss: ORIGIN,
      sub: 'corp:sam',
      aud: `${ORIGIN}/maps/mcp`,
      client_id: 'desk',
      scope: 'maps/read maps/execute',
      org_id: 'acme',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 600,
      jti: expect.stringMatching(/^f-1\./),
      parent_iat: NOW_SECONDS,
      auth_time: NOW_SECONDS - 5,
      token_kind: 'session',
      groups: ['drivers'],
    });
    expect(app.issuer.verify(body.access_token).ok).toBe(true);
    expect(app.records).toMatchObject([
      {
        area: 'token',
        decision: 'allow',
        reason: 'authorization_code',
        subject: 'corp:sam',
        kind: 'user',
        client_id: 'desk',
        jti: claims['jti'],
      },
    ]);
  });

  test('gives no refresh token to a client that may not refresh', async () => {
    const { status, body } = await redeem(codeForm(await code({ clientId: 'once' })), 'once');
    expect([status, 'refresh_token' in body]).toEqual([200, false]);
  });

  test('gives what the groups are mapped to now, and the client may have', async () => {
    const { body } = await redeem(
      codeForm(await code({ scopes: ['maps/read', 'mail/read', 'secret/read'], groups: ['drivers'] })),
    );
    expect(body.scope).toBe('maps/read');
  });

  test('gives nothing to a user whose groups give nothing', async () => {
    const { status, error } = await redeem(codeForm(await code({ groups: ['nobodies'] })));
    expect([status, error]).toEqual([400, 'invalid_scope']);
  });

  test('of a gateway client opens every server', async () => {
    const { claims } = await redeem(codeForm(await code({ clientId: 'hub', resource: undefined })), 'hub');
    expect(claims['aud']).toBe(ORIGIN);
  });

  test('carries as many groups as a token can, and scopes of all of them', async () => {
    const groups = [...Array.from({ length: 200 }, (_, index) => `${index}`.padStart(36, '0')), 'drivers'];
    const { body, claims } = await redeem(codeForm(await code({ groups })));
    expect(body.scope).toBe('maps/read maps/execute');
    expect(app.issuer.verify(body.access_token).ok).toBe(true);
    expect(claims['groups']).toContain('drivers');
  });
});

describe('a code gives nothing', () => {
  const good = () => code();
  test.for<readonly [string, () => Promise<string>, Record<string, string | undefined>, string, string]>([
    ['without itself', good, { code: undefined }, 'desk', 'invalid_request'],
    ['without `redirect_uri`', good, { redirect_uri: undefined }, 'desk', 'invalid_request'],
    ['with another redirect URI', good, { redirect_uri: `${REDIRECT_URI}/` }, 'desk', 'invalid_grant'],
    ['without a verifier', good, { code_verifier: undefined }, 'desk', 'invalid_grant'],
    ['with a wrong verifier', good, { code_verifier: `${CODE_VERIFIER}x` }, 'desk', 'invalid_grant'],
    [
      'with the challenge for a verifier',
      good,
      { code_verifier: challengeOf(CODE_VERIFIER) },
      'desk',
      'invalid_grant',
    ],
    [
      'with a verifier of 42 characters',
      () => code({ codeChallenge: challengeOf('v'.repeat(42)) }),
      { code_verifier: 'v'.repeat(42) },
      'desk',
      'invalid_grant',
    ],
    [
      'with a verifier of 129 characters',
      () => code({ codeChallenge: challengeOf('v'.repeat(129)) }),
      { code_verifier: 'v'.repeat(129) },
      'desk',
      'invalid_grant',
    ],
    [
      'with a verifier with a reserved character',
      () => code({ codeChallenge: challengeOf(`${'v'.repeat(43)}+`) }),
      { code_verifier: `${'v'.repeat(43)}+` },
      'desk',
      'invalid_grant',
    ],
    [
      'where a plain challenge was recorded',
      () => code({ codeChallenge: CODE_VERIFIER }),
      {},
      'desk',
      'invalid_grant',
    ],
    ['to another client', good, {}, 'other', 'invalid_grant'],
    [
      'to a client of another organisation',
      () => code({ clientId: 'stranger' }),
      {},
      'stranger',
      'invalid_grant',
    ],
    ['to a client that may not use it', good, {}, 'machine', 'unauthorized_client'],
    ['for another resource', good, { resource: `${ORIGIN}/mail/mcp` }, 'desk', 'invalid_target'],
    [
      'for everything where one server was authorized',
      () => code({ clientId: 'hub' }),
      { resource: ORIGIN },
      'hub',
      'invalid_target',
    ],
    [
      'for one server where everything was authorized',
      () => code({ clientId: 'hub', resource: undefined }),
      { resource: `${ORIGIN}/maps/mcp` },
      'hub',
      'invalid_target',
    ],
    [
      'for a server that is there no more',
      () => code({ resource: `${ORIGIN}/gone/mcp` }),
      {},
      'desk',
      'invalid_target',
    ],
    [
      'for a server of another organisation',
      () => code({ resource: `${ORIGIN}/rival-only/mcp` }),
      {},
      'desk',
      'invalid_target',
    ],
    [
      'of an identity provider that is gone',
      () => code({ subject: 'gone:sam' }),
      {},
      'desk',
      'invalid_grant',
    ],
    ['of a subject without a provider', () => code({ subject: 'desk' }), {}, 'desk', 'invalid_grant'],
    [
      'that was never made',
      () => Promise.resolve(makeCode('acme', new Uint8Array(32))),
      {},
      'desk',
      'invalid_grant',
    ],
    ['that is none by its form', () => Promise.resolve('abc'), {}, 'desk', 'invalid_grant'],
    [
      'with an organisation in two spellings',
      async () => (await good()).replace('YWNtZQ', 'YWNtZR'),
      {},
      'desk',
      'invalid_grant',
    ],
  ])('%s', async ([, make, changes, client, error]) => {
    const before = await make();
    const refused = await redeem(codeForm(before, changes), client);
    expect([refused.status, refused.error]).toEqual([400, error]);
    expect(app.revoked).toEqual([]);
    expect(app.records).toMatchObject([{ decision: 'deny', reason: expect.stringContaining(error) }]);
    expect(JSON.stringify([refused.body, app.records])).not.toContain(before);
  });

  test('of two resources, although one is the authorized one', async () => {
    const form = new URLSearchParams(codeForm(await code()));
    form.append('resource', `${ORIGIN}/maps/mcp`);
    form.append('resource', `${ORIGIN}/mail/mcp`);
    expect((await redeem(form.toString())).error).toBe('invalid_target');
  });

  test('after 60 s', async () => {
    const [late, inTime] = [await code(), await code()];
    app.nowSeconds += 59;
    expect((await redeem(codeForm(inTime))).status).toBe(200);
    app.nowSeconds += 1;
    expect((await redeem(codeForm(late))).error).toBe('invalid_grant');
    expect(app.revoked).toEqual([]);
  });

  test.for([
    ['its user', { kind: 'subject', id: 'corp:ann' }],
    ['its client', { kind: 'client', id: 'once' }],
    ['its login', { kind: 'family', id: 'f-revoked' }],
  ] as const)('where %s was revoked after the login', async ([, entry]) => {
    const one = await code({ subject: 'corp:ann', clientId: 'once', family: 'f-revoked' });
    await app.ports.revocations.revoke({
      orgId: 'acme',
      beforeSeconds: NOW_SECONDS,
      forgetAtSeconds: NOW_SECONDS + 5_000,
      ...entry,
    });
    expect((await redeem(codeForm(one), 'once')).error).toBe('invalid_grant');
  });
});

describe('what is refused uses nothing up', () => {
  test.for<readonly [string, Record<string, string | undefined>, string]>([
    ['a wrong verifier', { code_verifier: 'x'.repeat(43) }, 'desk'],
    ['a wrong redirect URI', { redirect_uri: 'https://evil.example.com/' }, 'desk'],
    ['another client', {}, 'other'],
    ['another resource', { resource: `${ORIGIN}/mail/mcp` }, 'desk'],
  ])('%s', async ([, changes, client]) => {
    const one = await code();
    expect((await redeem(codeForm(one, changes), client)).status).toBe(400);
    expect((await redeem(codeForm(one))).status).toBe(200);
  });

  test.for(['signature', 'audit record', 'refresh record', 'code record'] as const)(
    'an outage before the %s',
    async (part) => {
      let isDown = true;
      const { ports } = app;
      const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));
      const flaky = await startIssuerApp(policyOf(parts), {
        records: {
          ...ports.records,
          create: (key, ...rest) =>
            isDown && part === 'refresh record' ? down() : ports.records.create(key, ...rest),
          replace: (...args) => (isDown && part === 'code record' ? down() : ports.records.replace(...args)),
        },
        audit: { write: () => (isDown && part === 'audit record' ? down() : Promise.resolve(ok(undefined))) },
        signingKey: {
          ...ports.signingKey,
          sign: (...args) => (isDown && part === 'signature' ? down() : ports.signingKey.sign(...args)),
        },
      });
      try {
        const one = await code();
        const failed = await flaky.post('/oauth/token', codeForm(one), basic('desk'));
        expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '2']);
        isDown = false;
        expect((await flaky.post('/oauth/token', codeForm(one), basic('desk'))).status).toBe(200);
      } finally {
        await flaky.close();
      }
    },
  );
});

describe('a code that comes a second time', () => {
  test.for<readonly [string, Record<string, string | undefined>]>([
    ['as it came', {}],
    ['without a verifier', { code_verifier: undefined }],
    ['with another verifier', { code_verifier: 'x'.repeat(43) }],
  ])('%s ends the login that it began', async ([, changes]) => {
    const one = await code();
    const first = await redeem(codeForm(one));
    app.nowSeconds += 900;
    const second = await redeem(codeForm(one, changes));
    expect([second.status, second.error]).toEqual([400, 'invalid_grant']);
    expect(app.revoked).toMatchObject([{ kind: 'family', orgId: 'acme' }]);
    expect(app.records.slice(1)).toMatchObject([
      {
        ...{ area: 'revocation', reason: 'code_used_twice', subject: 'corp:sam', client_id: 'desk' },
        policy_version: 1,
      },
      { area: 'token', decision: 'deny', reason: 'invalid_grant: code_used_twice' },
    ]);
    const refreshed = await redeem({ grant_type: 'refresh_token', refresh_token: first.body.refresh_token });
    expect(refreshed.error).toBe('invalid_grant');
    app.nowSeconds -= 900;
    const verified = app.issuer.verify(first.body.access_token);
    const revoked = verified.ok && (await app.ports.revocations.isRevoked(verified.value.claims));
    expect(revoked).toEqual(ok(true));
  });

  test('from another client ends nothing', async () => {
    const one = await code();
    await redeem(codeForm(one));
    expect((await redeem(codeForm(one), 'other')).error).toBe('invalid_grant');
    expect(app.revoked).toEqual([]);
  });

  test('gives nothing, and 503, while the login cannot be ended', async () => {
    const one = await code();
    await redeem(codeForm(one));
    const down = await startIssuerApp(policyOf(parts), {
      records: app.ports.records,
      revocations: {
        ...app.ports.revocations,
        revoke: () => Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' })),
      },
    });
    try {
      expect((await down.post('/oauth/token', codeForm(one), basic('desk'))).status).toBe(503);
    } finally {
      await down.close();
    }
  });
});

test('of twenty at once one is redeemed, and its login does not outlive the others', async () => {
  const one = await code({ family: 'f-race' });
  const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(codeForm(one))));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(app.revoked.length).toBeGreaterThan(0);
});

test('a redemption whose answer was lost on the way to DynamoDB is not taken for a second one', async () => {
  const { records } = app.ports;
  const losing = await startIssuerApp(policyOf(parts), {
    records: {
      ...records,
      create: async (...args) => {
        await records.create(...args);
        return records.create(...args);
      },
      replace: async (...args) => {
        await records.replace(...args);
        return records.replace(...args);
      },
    },
  });
  try {
    const response = await losing.post('/oauth/token', codeForm(await code()), basic('desk'));
    const { refresh_token = '' } = JSON.parse(await response.text());
    expect([response.status, losing.revoked]).toEqual([200, []]);
    const next = await losing.post(
      '/oauth/token',
      { grant_type: 'refresh_token', refresh_token },
      basic('desk'),
    );
    expect([next.status, losing.revoked]).toEqual([200, []]);
  } finally {
    await losing.close();
  }
});
