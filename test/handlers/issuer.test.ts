import { sign } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { RevocationEntry, SecretFailure, SigningKey } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createIssuer } from '../../functions/handlers/issuer.ts';
import { clientEntry, policyOf, scopeRule } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const policy = policyOf({
  scopes: [['maps/read', [scopeRule('*', ['initialize'])]]],
  clients: [
    clientEntry('courier', { scopes: ['maps/read'] }),
    clientEntry('other', { scopes: ['maps/read'] }),
    clientEntry('poster', { auth: 'client_secret_post' }),
    clientEntry('retired', { disabled: true }),
  ],
});
const SECRETS = new Map(
  ['courier', 'other', 'poster', 'retired'].map((id) => [`sallyport/prod/clients/${id}`, `${id}-secret`]),
);
const signingKey: SigningKey = {
  publicKey: () => Promise.resolve(ok(issuer.access.published)),
  sign(input) {
    const signature = sign('RSA-SHA256', Buffer.from(input), issuer.access.privateKey);
    return Promise.resolve(ok(signature.toString('base64url')));
  },
};

let records: AuditRecord[];
let revoked: RevocationEntry[];
let secretsRead: string[];
let secretFailure: SecretFailure['reason'] | undefined;

beforeEach(() => {
  records = [];
  revoked = [];
  secretsRead = [];
  secretFailure = undefined;
});

const app = createIssuer({
  rulebook: { read: () => Promise.resolve(ok({ policy, keys: issuer.keys })) },
  revocations: {
    isRevoked: () => Promise.resolve(ok(false)),
    revoke(entry) {
      revoked.push(entry);
      return Promise.resolve(ok(undefined));
    },
  },
  audit: {
    write(record) {
      records.push(record);
      return Promise.resolve(ok(undefined));
    },
  },
  secrets: {
    read(name, { stage = 'AWSCURRENT', fresh = false } = {}) {
      secretsRead.push(`${name} ${stage} ${fresh}`);
      const text = stage === 'AWSCURRENT' ? SECRETS.get(name) : undefined;
      if (secretFailure !== undefined) return Promise.resolve(err({ reason: secretFailure, detail: name }));
      return Promise.resolve(
        text === undefined
          ? err({ reason: 'missing', detail: name })
          : ok({ value: new Secret(text), versionId: 'v' }),
      );
    },
  },
  signingKey,
  keys: { publish: () => Promise.resolve(ok([issuer.access.published])) },
  stage: 'prod',
  now: () => NOW_SECONDS * 1000,
  randomId: () => 'j-9',
  log: () => {},
});

const FORM = 'application/x-www-form-urlencoded';
const basic = (id: string, secret = `${id}-secret`) => `Basic ${btoa(`${id}:${secret}`)}`;

function post(
  path: '/oauth/token' | '/oauth/revoke',
  body: string,
  { authorization, type = FORM }: { authorization?: string; type?: string } = {},
): Promise<Response> {
  const { signal } = new AbortController();
  const invocation: Invocation = {
    requestId: 'r-1',
    origin: ORIGIN,
    sourceIp: '192.0.2.1',
    signal,
    waitUntil: () => {},
  };
  const headers = { 'content-type': type, ...(authorization === undefined ? {} : { authorization }) };
  return Promise.resolve(
    app.fetch(new Request(ORIGIN + path, { method: 'POST', headers, body }), invocation),
  );
}

const GRANT = 'grant_type=client_credentials';

describe('every refusal is recorded', () => {
  const malformed = [
    ['another media type', GRANT, { type: 'application/json' }, 400, 'invalid_request'],
    ['a parameter twice', `${GRANT}&${GRANT}`, {}, 400, 'invalid_request'],
    ['a form of 20 KB', `x=${'y'.repeat(20_000)}`, {}, 413, 'payload_too_large'],
    ['no credentials', GRANT, {}, 401, 'invalid_client'],
    ['an unknown client', GRANT, { authorization: basic('ghost') }, 401, 'invalid_client'],
    ['a wrong secret', GRANT, { authorization: basic('courier', 'wrong') }, 401, 'invalid_client'],
    ['a disabled client', GRANT, { authorization: basic('retired') }, 401, 'invalid_client'],
  ] as const;

  describe.for([
    ['/oauth/token', 'token'],
    ['/oauth/revoke', 'revocation'],
  ] as const)('at %s', ([path, area]) => {
    test.for(malformed)('%s', async ([, body, options, status, reason]) => {
      const response = await post(path, body, options);
      expect([response.status, response.headers.get('x-request-id')]).toEqual([status, 'r-1']);
      expect(records).toMatchObject([{ area, decision: 'deny', reason, request_id: 'r-1' }]);
      expect(JSON.stringify(records)).not.toContain('wrong');
    });
  });

  test('at /oauth/token, of a grant that is not given', async () => {
    await post('/oauth/token', 'grant_type=password', { authorization: basic('courier') });
    expect(records).toMatchObject([
      { area: 'token', decision: 'deny', reason: 'unsupported_grant_type', client_id: 'courier' },
    ]);
  });

  test.for<readonly [string, () => string, number, string]>([
    ['a form without a token', () => 'x=y', 400, 'invalid_request'],
    ['what is no token', () => 'token=abc', 200, 'bad_token: not_a_compact_jws'],
    [
      'the token of another client',
      () => `token=${issuer.accessToken({ client_id: 'other', sub: 'other' })}`,
      200,
      'another_clients_token',
    ],
  ])('at /oauth/revoke, of %s', async ([, body, status, reason]) => {
    const response = await post('/oauth/revoke', body(), { authorization: basic('courier') });
    expect(response.status).toBe(status);
    expect(records).toMatchObject([{ area: 'revocation', decision: 'deny', reason, client_id: 'courier' }]);
    expect(revoked).toEqual([]);
  });

  test('at both endpoints, of an outage', async () => {
    secretFailure = 'unavailable';
    for (const path of ['/oauth/token', '/oauth/revoke'] as const) {
      expect((await post(path, GRANT, { authorization: basic('courier') })).status).toBe(503);
    }
    expect(records.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 2 }, () => 'unavailable: sallyport/prod/clients/courier'),
    );
  });
});

test('a token of its own client is revoked, and recorded before', async () => {
  const token = issuer.accessToken();
  const response = await post('/oauth/revoke', `token=${token}`, { authorization: basic('courier') });
  expect(response.status).toBe(200);
  expect(records).toMatchObject([{ area: 'revocation', decision: 'allow', jti: 'j-1' }]);
  expect(revoked).toMatchObject([{ kind: 'jti', id: 'j-1', orgId: 'acme' }]);
});

test('a token is issued, and recorded before', async () => {
  const response = await post('/oauth/token', GRANT, { authorization: basic('courier') });
  const { access_token: token } = JSON.parse(await response.text());
  expect(issuer.verify(token).ok).toBe(true);
  expect(records).toMatchObject([{ area: 'token', decision: 'allow', jti: 'j-9', client_id: 'courier' }]);
});

describe('a client that is not there', () => {
  const work = async (authorization: string) => {
    secretsRead = [];
    const response = await post('/oauth/token', GRANT, { authorization });
    return { status: response.status, body: await response.json(), reads: secretsRead };
  };
  const withoutName = (reads: readonly string[]) => reads.map((read) => read.replace(/^\S+/, ''));

  test.for<readonly [string, string]>([
    ['an unknown one', basic('ghost')],
    ['one with another method', basic('poster')],
  ])('is %s: the same answer after the same work as a wrong secret', async ([, authorization]) => {
    const wrong = await work(basic('courier', 'wrong'));
    const unknown = await work(authorization);
    expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body]);
    expect(withoutName(unknown.reads)).toEqual(withoutName(wrong.reads));
    expect(new Set(unknown.reads.map((read) => read.split(' ')[0]))).toEqual(
      new Set(['sallyport/prod/clients/@nobody']),
    );
  });

  test('has no secret, whatever lies under the name that is read for it', async () => {
    SECRETS.set('sallyport/prod/clients/@nobody', 'ghost-secret');
    onTestFinished(() => void SECRETS.delete('sallyport/prod/clients/@nobody'));
    expect((await work(basic('ghost'))).status).toBe(401);
  });
});
