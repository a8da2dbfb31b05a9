import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Policy } from '../../../functions/core/policy.ts';
import { makeRefreshToken, readRefreshToken } from '../../../functions/core/refresh-token.ts';
import { err, ok } from '../../../functions/core/result.ts';
import { basic, type IssuerApp, startIssuerApp } from '../../support/issuer-app.ts';
import { claimsOf, codeForm, identityProvider, putCode } from '../../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../../support/policies.ts';
import { NOW_SECONDS, ORIGIN } from '../../support/test-issuer.ts';

const DAY = 24 * 3600;
const grants = ['authorization_code', 'refresh_token'];
const scopes = ['maps/read', 'maps/execute', 'mail/read'];
const user = { grants, scopes, audience: 'resource' } as const;
const parts = {
  scopes: scopes.map((scope) => [scope, [scopeRule('*', ['initialize'])]] as const),
  groups: [
    ['drivers', ['maps/read', 'maps/execute']],
    ['pilots', ['mail/read']],
  ],
  servers: [serverEntry('maps'), serverEntry('mail')],
  idps: [identityProvider('corp')],
  clients: [
    clientEntry('desk', user),
    clientEntry('other', user),
    clientEntry('hub', { ...user, audience: 'gateway' }),
    clientEntry('stranger', { ...user, org: 'rival' }),
    clientEntry('plain', { ...user, grants: ['authorization_code'] }),
  ],
} as const;

let app: IssuerApp;
/** The running policy; a test may put another one. */
let policy: Policy;

beforeEach(async () => {
  policy = policyOf(parts);
  app = await startIssuerApp(policy, {
    rulebook: { read: () => Promise.resolve(ok({ policy, keys: app.issuer.keys })) },
  });
});

afterEach(() => app.close());

type Changes = Parameters<typeof putCode>[1];

/** Logs in and gives the first refresh token. */
async function login(changes: Changes = {}): Promise<string> {
  const code = await putCode({ records: app.ports.records, nowSeconds: app.nowSeconds }, changes);
  const response = await app.post('/oauth/token', codeForm(code), basic(changes?.clientId ?? 'desk'));
  app.records.length = 0;
  return JSON.parse(await response.text()).refresh_token;
}

async function refresh(token: string, form: Readonly<Record<string, string>> = {}, client = 'desk') {
  const body = { grant_type: 'refresh_token', refresh_token: token, ...form };
  const response = await app.post('/oauth/token', body, basic(client));
  const answer = JSON.parse(await response.text());
  const claims = claimsOf(answer.access_token ?? '.e30');
  return {
    status: response.status,
    error: answer.error,
    scope: answer.scope,
    next: answer.refresh_token,
    claims,
  };
}

describe('a refresh token', () => {
  test('gives an access token of the same line and the next refresh token', async () => {
    const first = await login({ family: 'r-1' });
    app.nowSeconds += 3600;
    const { status, next, claims } = await refresh(first);
    expect(status).toBe(200);
    expect(claims).toMatchObject({
      sub: 'corp:sam',
      aud: `${ORIGIN}/maps/mcp`,
      scope: 'maps/read maps/execute',
      iat: NOW_SECONDS + 3600,
      parent_iat: NOW_SECONDS,
      auth_time: NOW_SECONDS - 5,
      jti: expect.stringMatching(/^r-1\./),
    });
    expect(next).not.toBe(first);
    expect((await refresh(next)).status).toBe(200);
    expect(app.records).toMatchObject([
      { decision: 'allow', reason: 'refresh_token', subject: 'corp:sam' },
      { decision: 'allow', reason: 'refresh_token', subject: 'corp:sam' },
    ]);
  });

  test('narrows scopes for one access token, not for the next', async () => {
    const narrow = await refresh(await login(), { scope: 'maps/read' });
    expect([narrow.scope, narrow.claims['scope']]).toEqual(['maps/read', 'maps/read']);
    expect((await refresh(narrow.next)).scope).toBe('maps/read maps/execute');
  });

  test('for every server narrows to one', async () => {
    const all = await login({ clientId: 'hub', resource: undefined });
    const one = await refresh(all, { resource: `${ORIGIN}/mail/mcp` }, 'hub');
    expect(one.claims['aud']).toBe(`${ORIGIN}/mail/mcp`);
    expect((await refresh(one.next, { resource: ORIGIN }, 'hub')).claims['aud']).toBe(ORIGIN);
  });

  test.for([
    ['a scope that was not granted', { scope: 'maps/read mail/read' }, 'invalid_scope'],
    ['a scope in another spelling', { scope: 'maps/read  maps/execute' }, 'invalid_scope'],
    ['another server', { resource: `${ORIGIN}/mail/mcp` }, 'invalid_target'],
    ['everything instead of one server', { resource: ORIGIN }, 'invalid_target'],
    ['what is no server', { resource: 'https://elsewhere.example.com/' }, 'invalid_target'],
  ] as const)('gives nothing for %s, and stays good', async ([, form, error]) => {
    const token = await login();
    const refused = await refresh(token, form);
    expect([refused.status, refused.error]).toEqual([400, error]);
    expect(app.revoked).toEqual([]);
    expect((await refresh(token)).status).toBe(200);
  });

  test('gives nothing to another client, one of another organisation, or one that may not refresh', async () => {
    const token = await login();
    expect((await refresh(token, {}, 'other')).error).toBe('invalid_grant');
    expect((await refresh(token, {}, 'stranger')).error).toBe('invalid_grant');
    expect((await refresh(token, {}, 'plain')).error).toBe('unauthorized_client');
    expect(app.revoked).toEqual([]);
    expect((await refresh(token)).status).toBe(200);
  });

  test('gives nothing to a client that does not authenticate', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: await login(), client_id: 'desk' };
    expect((await app.post('/oauth/token', form)).status).toBe(401);
  });

  test('is missed', async () => {
    const response = await app.post('/oauth/token', { grant_type: 'refresh_token' }, basic('desk'));
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });
});

describe('a refresh token that was used', () => {
  test('ends the login: its tokens, and the newest refresh token too', async () => {
    const stolen = await login();
    const honest = await refresh(stolen);
    const reused = await refresh(stolen);
    expect([reused.status, reused.error]).toEqual([400, 'invalid_grant']);
    expect(app.revoked).toMatchObject([{ kind: 'family', orgId: 'acme' }]);
    expect(app.records.slice(1)).toMatchObject([
      { area: 'revocation', reason: 'refresh_token_reused', subject: 'corp:sam' },
      { decision: 'deny', reason: 'invalid_grant: refresh_token_reused' },
    ]);
    expect((await refresh(honest.next)).error).toBe('invalid_grant');
    const token = { ...honest.claims, orgId: 'acme', clientId: 'desk', subject: 'corp:sam' };
    const look = await app.ports.revocations.isRevoked({
      ...token,
      jti: String(honest.claims['jti']),
      issuedAtSeconds: NOW_SECONDS,
      expiresAtSeconds: NOW_SECONDS + 600,
    });
    expect(look).toEqual(ok(true));
  });

  test('long ago ends it as well', async () => {
    const stolen = await login();
    let { next } = await refresh(stolen);
    for (const days of [5, 10, 15]) {
      app.nowSeconds = NOW_SECONDS + days * DAY;
      ({ next } = await refresh(next));
    }
    expect((await refresh(stolen)).error).toBe('invalid_grant');
    expect((await refresh(next)).error).toBe('invalid_grant');
  });

  test('ends no other login of the same user', async () => {
    const [one, other] = [await login(), await login()];
    await refresh(one);
    await refresh(one);
    expect((await refresh(other)).status).toBe(200);
  });

  test('does not end a login for somebody who never had one of its tokens', async () => {
    const token = await login();
    const { handle = '', orgId = '' } = readRefreshToken(token) ?? {};
    const guessed = makeRefreshToken(orgId, `A${handle.slice(1, -1)}A`, token.split('.')[2] ?? '');
    expect((await refresh(guessed)).error).toBe('invalid_grant');
    expect(app.revoked).toEqual([]);
  });

  test('of twenty at once, one is', async () => {
    const token = await login();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(app.revoked.length).toBeGreaterThan(0);
    const [next = ''] = answers.flatMap((answer) => answer.next ?? []);
    expect((await refresh(next)).error).toBe('invalid_grant');
  });
});

describe('the time of a login', () => {
  test('ends when it is not used for seven days', async () => {
    const token = await login();
    app.nowSeconds += 7 * DAY - 1;
    const { status, next } = await refresh(token);
    expect(status).toBe(200);
    app.nowSeconds += 7 * DAY;
    expect((await refresh(next)).error).toBe('invalid_grant');
    expect(app.revoked).toEqual([]);
  });

  test('ends after thirty days, however often it is used', async () => {
    let token = await login();
    for (let days = 6; days < 30; days += 6) {
      app.nowSeconds = NOW_SECONDS + days * DAY;
      ({ next: token } = await refresh(token));
    }
    app.nowSeconds = NOW_SECONDS + 30 * DAY - 1;
    const last = await refresh(token);
    expect(last.status).toBe(200);
    app.nowSeconds += 1;
    expect((await refresh(last.next)).error).toBe('invalid_grant');
  });
});

describe('what the configuration takes', () => {
  test.for<readonly [string, Parameters<typeof policyOf>[0], readonly [number, string]]>([
    [
      'an organisation that is suspended',
      { orgs: [{ id: 'acme', suspended: true }] },
      [401, 'invalid_client'],
    ],
    [
      'a client that is disabled',
      { clients: [clientEntry('desk', { ...user, disabled: true })] },
      [401, 'invalid_client'],
    ],
    ['a client that is gone', { clients: [] }, [401, 'invalid_client']],
    ['an identity provider that is gone', { idps: [] }, [400, 'invalid_grant']],
    [
      'an identity provider of another organisation',
      { idps: [identityProvider('corp', { org: 'rival' })] },
      [400, 'invalid_grant'],
    ],
    ['a server that is gone', { servers: [] }, [400, 'invalid_target']],
    ['a group that is mapped to nothing', { groups: [] }, [400, 'invalid_scope']],
  ])('%s is gone at the next refresh, and back when it is back', async ([, changes, refused]) => {
    const token = await login();
    policy = policyOf({ ...parts, ...changes });
    const { status, error } = await refresh(token);
    expect([status, error]).toEqual(refused);
    policy = policyOf(parts);
    expect((await refresh(token)).status).toBe(200);
  });

  test('from a client or a group is gone at the next refresh', async () => {
    const token = await login();
    const without = { ...user, scopes: ['maps/read'] };
    policy = policyOf({ ...parts, clients: [clientEntry('desk', without)] });
    const byClient = await refresh(token);
    expect(byClient.scope).toBe('maps/read');
    policy = policyOf({ ...parts, groups: [['drivers', ['maps/execute', 'mail/read']]] });
    expect((await refresh(byClient.next)).scope).toBe('maps/execute');
  });
});

test.for(['subject', 'client', 'org'] as const)('a login is over when its %s is revoked', async (kind) => {
  const token = await login({ subject: `corp:${kind}`, clientId: kind === 'client' ? 'other' : 'desk' });
  const client = kind === 'client' ? 'other' : 'desk';
  const id = { subject: 'corp:subject', client: 'other', org: 'acme' }[kind];
  const { next } = await refresh(token, {}, client);
  app.nowSeconds += 100;
  const entry = {
    orgId: 'acme',
    kind,
    id,
    beforeSeconds: app.nowSeconds,
    forgetAtSeconds: NOW_SECONDS + 999,
  };
  await app.ports.revocations.revoke(entry);
  expect((await refresh(next, {}, client)).error).toBe('invalid_grant');
  app.nowSeconds += 1;
  expect((await refresh(await login({ clientId: client }), {}, client)).status).toBe(200);
});

test('without DynamoDB, KMS or the audit log nothing is given, and nothing is used up', async () => {
  const token = await login();
  const unavailable = err({ reason: 'unavailable' as const, detail: 'a test’s outage' });
  const down = () => Promise.resolve(unavailable);
  const { ports } = app;
  for (const changes of [
    { records: { ...ports.records, read: down } },
    { records: { ...ports.records, replace: down } },
    { records: ports.records, audit: { write: down } },
    { records: ports.records, signingKey: { ...ports.signingKey, sign: down } },
    { records: ports.records, revocations: { ...ports.revocations, isRevoked: down } },
  ]) {
    const flaky = await startIssuerApp(policyOf(parts), changes);
    try {
      const form = { grant_type: 'refresh_token', refresh_token: token };
      expect((await flaky.post('/oauth/token', form, basic('desk'))).status).toBe(503);
    } finally {
      await flaky.close();
    }
  }
  expect((await refresh(token)).status).toBe(200);
});

describe('the form of a refresh token', () => {
  const part = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('base64url'));

  test('reads as it was made, and only so', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), part, part, (orgId, handle, secret) => {
        const token = makeRefreshToken(orgId, handle, secret);
        expect(readRefreshToken(token)).toMatchObject({ orgId, handle });
        for (const other of [`${token}=`, ` ${token}`, `${token}\n`, `${token}.x`, token.slice(0, -1)]) {
          expect(readRefreshToken(other)).toBeUndefined();
        }
      }),
    );
  });

  test('is one alone', () => {
    const token = makeRefreshToken('acme', 'A'.repeat(43), 'A'.repeat(43));
    expect(readRefreshToken(token)).toBeDefined();
    for (const last of 'BCDPQfgvw_-'.replaceAll(/[AEIMQUYcgkosw048]/g, '')) {
      expect(readRefreshToken(`${token.slice(0, -1)}${last}`)).toBeUndefined();
    }
  });
});
