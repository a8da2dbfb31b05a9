import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { basic, type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { clientEntry, policyOf, scopeRule } from '../support/policies.ts';

const policy = policyOf({
  scopes: [['maps/read', [scopeRule('*', ['initialize'])]]],
  clients: [
    clientEntry('courier', { scopes: ['maps/read'] }),
    clientEntry('other', { scopes: ['maps/read'] }),
    clientEntry('poster', { auth: 'client_secret_post' }),
    clientEntry('reader', { grants: ['authorization_code'] }),
    clientEntry('retired', { disabled: true }),
  ],
});

let app: IssuerApp;

beforeAll(async () => {
  app = await startIssuerApp(policy);
});

afterAll(() => app.close());

beforeEach(() => {
  app.records.length = 0;
  app.revoked.length = 0;
  app.secretFailure = undefined;
});

const GRANT = 'grant_type=client_credentials';

describe('every refusal is recorded', () => {
  const malformed = [
    ['a parameter twice', `${GRANT}&${GRANT}`, undefined, 400, 'invalid_request'],
    ['a form of 20 KB', `x=${'y'.repeat(20_000)}`, undefined, 413, 'payload_too_large'],
    ['no credentials', GRANT, undefined, 401, 'invalid_client'],
    ['an unknown client', GRANT, basic('ghost'), 401, 'invalid_client'],
    ['a wrong secret', GRANT, basic('courier', 'wrong'), 401, 'invalid_client'],
    ['a disabled client', GRANT, basic('retired'), 401, 'invalid_client'],
  ] as const;

  describe.for([
    ['/oauth/token', 'token'],
    ['/oauth/revoke', 'revocation'],
  ] as const)('at %s', ([path, area]) => {
    test.for(malformed)('%s', async ([, body, authorization, status, reason]) => {
      const response = await app.post(path, body, authorization);
      expect([response.status, response.headers.get('x-request-id')]).toEqual([status, 'r-1']);
      expect(app.records).toMatchObject([{ area, decision: 'deny', reason, request_id: 'r-1' }]);
      expect(JSON.stringify(app.records)).not.toContain('wrong');
    });
  });

  test.for(['/oauth/token', '/oauth/revoke'])('at %s, another media type', async (path) => {
    const headers = { 'content-type': 'application/json', authorization: basic('courier') };
    const response = await app.fetch(path, { method: 'POST', headers, body: GRANT });
    expect(response.status).toBe(400);
    expect(app.records).toMatchObject([{ decision: 'deny', reason: 'invalid_request' }]);
  });

  test.for([
    ['courier', 'password', 'unsupported_grant_type'],
    ['courier', 'implicit', 'unsupported_grant_type'],
    ['courier', 'CLIENT_CREDENTIALS', 'unsupported_grant_type'],
    ['courier', 'client_credentials ', 'unsupported_grant_type'],
    ['courier', '', 'invalid_request'],
    ['reader', 'client_credentials', 'unauthorized_client'],
  ] as const)('at /oauth/token, that %s asks for the grant %j', async ([id, grant, error]) => {
    const response = await app.post('/oauth/token', { grant_type: grant }, basic(id));
    expect([response.status, await response.json()]).toMatchObject([400, { error }]);
    expect(app.records).toMatchObject([{ decision: 'deny', reason: error, client_id: id }]);
  });

  test('at /oauth/token, of a grant that is not given', async () => {
    await app.post('/oauth/token', 'grant_type=password', basic('courier'));
    expect(app.records).toMatchObject([
      { area: 'token', decision: 'deny', reason: 'unsupported_grant_type', client_id: 'courier' },
    ]);
  });

  test.for<readonly [string, () => string, number, string]>([
    ['a form without a token', () => 'x=y', 400, 'invalid_request'],
    ['what is no token', () => 'token=abc', 200, 'bad_token: not_a_compact_jws'],
    [
      'the token of another client',
      () => `token=${app.issuer.accessToken({ client_id: 'other', sub: 'other' })}`,
      200,
      'another_clients_token',
    ],
  ])('at /oauth/revoke, of %s', async ([, body, status, reason]) => {
    const response = await app.post('/oauth/revoke', body(), basic('courier'));
    expect(response.status).toBe(status);
    expect(app.records).toMatchObject([
      { area: 'revocation', decision: 'deny', reason, client_id: 'courier' },
    ]);
    expect(app.revoked).toEqual([]);
  });

  test('at both endpoints, of an outage', async () => {
    app.secretFailure = 'unavailable';
    for (const path of ['/oauth/token', '/oauth/revoke'] as const) {
      expect((await app.post(path, GRANT, basic('courier'))).status).toBe(503);
    }
    expect(app.records.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 2 }, () => 'unavailable: sallyport/prod/clients/courier'),
    );
  });
});

test('a token of its own client is revoked, and recorded before', async () => {
  const token = app.issuer.accessToken();
  const response = await app.post('/oauth/revoke', `token=${token}`, basic('courier'));
  expect(response.status).toBe(200);
  expect(app.records).toMatchObject([{ area: 'revocation', decision: 'allow', jti: 'j-1' }]);
  expect(app.revoked).toMatchObject([{ kind: 'jti', id: 'j-1', orgId: 'acme' }]);
});

test('a token is issued, and recorded before', async () => {
  const response = await app.post('/oauth/token', GRANT, basic('courier'));
  const { access_token: token } = JSON.parse(await response.text());
  expect(app.issuer.verify(token).ok).toBe(true);
  expect(app.records).toMatchObject([{ area: 'token', decision: 'allow', client_id: 'courier' }]);
});

describe('a client that is not there', () => {
  const work = async (authorization: string) => {
    app.secretsRead.length = 0;
    const response = await app.post('/oauth/token', GRANT, authorization);
    return { status: response.status, body: await response.json(), reads: [...app.secretsRead] };
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
    app.secrets.set('sallyport/prod/clients/@nobody', 'ghost-secret');
    onTestFinished(() => void app.secrets.delete('sallyport/prod/clients/@nobody'));
    expect((await work(basic('ghost'))).status).toBe(401);
  });
});
