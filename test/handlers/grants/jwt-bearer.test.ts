import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { err, ok } from '../../../functions/core/result.ts';
import { makeEcKey, makeRsaKey, signForeign } from '../../support/foreign-issuer.ts';
import { basic, type IssuerApp, startIssuerApp } from '../../support/issuer-app.ts';
import { claimsOf, identityProvider } from '../../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../../support/test-issuer.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const CORP = 'https://corp.example.com';
const scopes = ['maps/read', 'maps/execute', 'mail/read'];
const desk = { grants: ['jwt-bearer', 'refresh_token'], scopes, audience: 'resource' } as const;
const key = makeRsaKey();
const stranger = makeRsaKey();
const policy = policyOf({
  scopes: scopes.map((scope) => [scope, [scopeRule('*', ['initialize'])]] as const),
  groups: [['drivers', ['maps/read', 'maps/execute']]],
  servers: [serverEntry('maps'), serverEntry('mail')],
  idps: [
    identityProvider('corp'),
    identityProvider('rival', { org: 'rival' }),
    identityProvider('hub', {
      proof: { kind: 'github', userInfoUrl: 'https://hub.example.com/user', groupsClaim: undefined },
    }),
    identityProvider('office', { login: false, acceptAssertions: true }),
    identityProvider('gate', { login: false }),
    identityProvider('mute', { acceptAssertions: false }),
    identityProvider('self', {
      proof: { kind: 'id_token', issuer: ORIGIN, jwksUrl: `${CORP}/jwks`, groupsClaim: 'groups' },
    }),
  ],
  clients: [
    clientEntry('desk', desk),
    clientEntry('hall', { ...desk, audience: 'gateway' }),
    clientEntry('unable', { ...desk, grants: ['client_credentials'] }),
    clientEntry('public', { ...desk, auth: 'none' }),
  ],
});

let app: IssuerApp;
/** The sets of keys that were asked for. */
let asked: string[] = [];

beforeEach(async () => {
  asked = [];
  app = await startIssuerApp(policy, {
    foreignKeys: {
      find(jwksUri) {
        asked.push(jwksUri);
        return Promise.resolve(ok([key.published]));
      },
    },
  });
});

afterEach(() => app.close());

let assertions = 0;

/** An assertion of `corp` about its user `sam` for `desk`, but for the changes. */
function assertion(claims: Changes = {}, header: Changes = {}, signer = key): string {
  assertions += 1;
  const honest = {
    iss: CORP,
    sub: 'sam',
    aud: ORIGIN,
    client_id: 'desk',
    jti: `a-${assertions}`,
    iat: NOW_SECONDS - 1,
    exp: NOW_SECONDS + 299,
    scope: 'maps/read maps/execute',
    resource: `${ORIGIN}/maps/mcp`,
    groups: ['drivers'],
  };
  return signForeign(signer, { ...honest, ...claims }, { typ: 'oauth-id-jag+jwt', ...header });
}

async function grant(text: string, form: Readonly<Record<string, string>> = {}, client = 'desk') {
  const isPublic = client === 'public';
  const body = { grant_type: GRANT, assertion: text, ...form, ...(isPublic ? { client_id: client } : {}) };
  const response = await app.post('/oauth/token', body, isPublic ? undefined : basic(client));
  const answer = JSON.parse(await response.text());
  const claims = claimsOf(answer.access_token ?? '.e30');
  return { status: response.status, answer, error: answer.error, claims };
}

describe('an identity assertion', () => {
  test('gives a token about its user, and no refresh token', async () => {
    const { status, answer, claims } = await grant(assertion());
    expect(status).toBe(200);
    expect(answer).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'maps/read maps/execute',
      resource: `${ORIGIN}/maps/mcp`,
    });
    expect(claims).toMatchObject({
      sub: 'corp:sam',
      aud: `${ORIGIN}/maps/mcp`,
      client_id: 'desk',
      org_id: 'acme',
      groups: ['drivers'],
    });
    expect(asked).toEqual([`${CORP}/jwks`]);
    expect(app.records).toMatchObject([
      { decision: 'allow', reason: GRANT, subject: 'corp:sam', kind: 'user', client_id: 'desk' },
    ]);
  });

  test('may be of a provider at which nobody logs in, where its entry says so', async () => {
    const office = await grant(assertion({ iss: 'https://office.example.com' }));
    expect([office.status, office.claims['sub']]).toEqual([200, 'office:sam']);
    const token = new Headers({ authorization: `Bearer ${office.answer.access_token}` });
    const admission = await app.ports.ingress.authenticate(token, { kind: 'mcp', server: 'maps' }, ORIGIN);
    expect(admission.ok && admission.value.caller.subject).toBe('office:sam');
    for (const name of ['gate', 'mute']) {
      const refused = await grant(assertion({ iss: `https://${name}.example.com` }));
      expect(refused.error).toBe('invalid_grant');
    }
  });

  test('may name the organisation', async () => {
    expect((await grant(assertion({ aud_tenant: 'acme' }))).status).toBe(200);
  });

  test.for<readonly [string, Changes, Readonly<Record<string, string>>, string]>([
    ['of the assertion', { scope: 'maps/read' }, {}, 'maps/read'],
    ['of the request', {}, { scope: 'maps/execute mail/read' }, 'maps/execute'],
    ['of the groups', { scope: 'maps/read mail/read' }, {}, 'maps/read'],
    [
      'of the groups alone where nothing else says anything',
      { scope: undefined },
      {},
      'maps/read maps/execute',
    ],
  ])('gives the scopes %s', async ([, claims, form, scope]) => {
    expect((await grant(assertion(claims), form)).answer.scope).toBe(scope);
  });

  test.for<readonly [string, Changes, Readonly<Record<string, string>>, string, string | undefined]>([
    [
      'one of several',
      { resource: [`${ORIGIN}/mail/mcp`, `${ORIGIN}/maps/mcp`] },
      { resource: `${ORIGIN}/maps/mcp` },
      'desk',
      `${ORIGIN}/maps/mcp`,
    ],
    ['in a list', { resource: [`${ORIGIN}/maps/mcp`] }, {}, 'desk', `${ORIGIN}/maps/mcp`],
    [
      'of the request where it names none',
      { resource: undefined },
      { resource: `${ORIGIN}/mail/mcp` },
      'desk',
      `${ORIGIN}/mail/mcp`,
    ],
    [
      'everything, for a client of everything',
      { resource: undefined, client_id: 'hall' },
      {},
      'hall',
      ORIGIN,
    ],
    ['not another', {}, { resource: `${ORIGIN}/mail/mcp` }, 'desk', undefined],
    ['not several', { resource: [`${ORIGIN}/mail/mcp`, `${ORIGIN}/maps/mcp`] }, {}, 'desk', undefined],
    ['not one that is not there', { resource: `${ORIGIN}/gone/mcp` }, {}, 'desk', undefined],
    ['not one of somebody else', { resource: 'https://elsewhere.example.com/' }, {}, 'desk', undefined],
    ['not nothing', { resource: undefined }, {}, 'desk', undefined],
  ])('is for the resource: %s', async ([, changes, form, client, audience]) => {
    const { status, error, claims } = await grant(assertion(changes), form, client);
    if (audience === undefined) expect([status, error]).toEqual([400, 'invalid_target']);
    else expect(claims['aud']).toBe(audience);
  });
});

describe('an assertion is refused', () => {
  test.for<readonly [string, () => string, string]>([
    ['of another type', () => assertion({}, { typ: 'JWT' }), 'type'],
    ['without a type', () => assertion({}, { typ: undefined }), 'type'],
    ['as a logout token', () => assertion({}, { typ: 'logout+jwt' }), 'type'],
    ['for another', () => assertion({ aud: 'https://other.example.com' }), 'audience'],
    ['for the token endpoint', () => assertion({ aud: `${ORIGIN}/oauth/token` }), 'audience'],
    ['for several', () => assertion({ aud: [ORIGIN, 'https://other.example.com'] }), 'audience'],
    ['for another client', () => assertion({ client_id: 'hall' }), 'client_id'],
    ['for no client', () => assertion({ client_id: undefined }), 'client_id'],
    ['with a key that nobody has', () => assertion({}, {}, stranger), 'signature'],
    ['with a curve that the provider has not', () => assertion({}, {}, makeEcKey()), 'unknown_key'],
    ['bound to a key', () => assertion({ cnf: { jkt: 'x' } }), 'cnf'],
    ['of one of many tenants', () => assertion({ tenant: 'acme' }), 'tenant'],
    ['for another organisation', () => assertion({ aud_tenant: 'rival' }), 'aud_tenant'],
    [
      'with details that nobody reads',
      () => assertion({ authorization_details: [] }),
      'authorization_details',
    ],
    ['about nobody', () => assertion({ sub: undefined }), 'sub'],
    ['about nobody at all', () => assertion({ sub: '' }), 'sub'],
    ['without an id', () => assertion({ jti: undefined }), 'jti'],
    ['without an end', () => assertion({ exp: undefined }), 'claims'],
    ['without a beginning', () => assertion({ iat: undefined }), 'claims'],
    ['after its end', () => assertion({ iat: NOW_SECONDS - 400, exp: NOW_SECONDS - 61 }), 'expired'],
    ['before its time', () => assertion({ iat: NOW_SECONDS + 61 }), 'not_yet_valid'],
    ['for more than an hour', () => assertion({ exp: NOW_SECONDS + 3601 }), 'lifetime'],
    ['of an issuer that is unknown', () => assertion({ iss: 'https://unknown.example.com' }), 'issuer'],
    ['of another organisation’s provider', () => assertion({ iss: 'https://rival.example.com' }), 'issuer'],
    ['of a provider that signs nothing', () => assertion({ iss: 'https://hub.example.com' }), 'issuer'],
    ['of ourselves', () => assertion({ iss: ORIGIN }), 'issuer'],
    ['as one of our own tokens', () => app.issuer.accessToken(), 'issuer'],
    ['as what is none', () => 'abc', 'header'],
    ['without a signature', () => `${assertion().split('.').slice(0, 2).join('.')}.`, 'header'],
  ])('%s', async ([, make, cause]) => {
    const refused = await grant(make());
    expect([refused.status, refused.error]).toEqual([400, 'invalid_grant']);
    expect(app.records).toMatchObject([{ decision: 'deny', reason: `invalid_grant: ${cause}` }]);
    if (cause === 'issuer') expect(asked).toEqual([]);
  });

  test.for<readonly [string, () => string, RegExp]>([
    ['its type', () => assertion({}, { typ: 'JWT' }), /`typ` of the assertion has to be `oauth-id-jag\+jwt`/],
    ['its audience', () => assertion({ aud: `${ORIGIN}/oauth/token` }), /`aud` .* issuer identifier/],
    ['its issuer', () => assertion({ iss: 'https://rival.example.com' }), /`iss` .* no identity provider/],
    ['its client', () => assertion({ client_id: 'hall' }), /`client_id`/],
    ['its end', () => assertion({ iat: NOW_SECONDS - 400, exp: NOW_SECONDS - 61 }), /expired/],
    ['a claim', () => assertion({ cnf: { jkt: 'x' } }), /`cnf` is not taken/],
    ['no more of its key', () => assertion({}, {}, makeEcKey()), /^the assertion is not accepted$/],
    ['no more of its signature', () => assertion({}, {}, stranger), /^the assertion is not accepted$/],
  ])('and its developer reads %s', async ([, make, words]) => {
    const { answer } = await grant(make());
    expect(answer.error_description).toMatch(words);
    expect(answer.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  test('where its scopes are no text, or in another spelling', async () => {
    expect((await grant(assertion({ scope: ['maps/read'] }))).error).toBe('invalid_grant');
    expect((await grant(assertion({ scope: 'maps/read  x' }))).error).toBe('invalid_scope');
    expect((await grant(assertion({ scope: 'mail/read' }))).error).toBe('invalid_scope');
    expect((await grant(assertion({ groups: undefined }))).error).toBe('invalid_scope');
  });

  test('from a client that may not, is public, or sends none', async () => {
    expect((await grant(assertion({ client_id: 'unable' }), {}, 'unable')).error).toBe('unauthorized_client');
    expect((await grant(assertion({ client_id: 'public' }), {}, 'public')).error).toBe('unauthorized_client');
    expect((await grant('')).error).toBe('invalid_request');
  });

  test('where its user was revoked after it was made', async () => {
    const until = { beforeSeconds: NOW_SECONDS, forgetAtSeconds: NOW_SECONDS + 900 };
    await app.ports.revocations.revoke({ orgId: 'acme', kind: 'subject', id: 'corp:sam', ...until });
    expect((await grant(assertion())).error).toBe('invalid_grant');
    app.nowSeconds += 120;
    expect((await grant(assertion({ iat: NOW_SECONDS + 120 }))).status).toBe(200);
  });
});

describe('an assertion is used once', () => {
  test('and never again, whoever sends it', async () => {
    const one = assertion();
    expect((await grant(one)).status).toBe(200);
    const again = await grant(one);
    expect([again.status, again.error]).toEqual([400, 'invalid_grant']);
    expect(app.records.at(-1)).toMatchObject({
      event: 'outcome',
      decision: 'deny',
      reason: 'invalid_grant: assertion_used_twice',
    });
  });

  test('until it is expired, with the tolerance for clocks', async () => {
    const one = assertion();
    expect((await grant(one)).status).toBe(200);
    app.nowSeconds = NOW_SECONDS + 299 + 59;
    expect((await grant(one)).error).toBe('invalid_grant');
    expect(app.records.at(-1)?.reason).toBe('invalid_grant: assertion_used_twice');
  });

  test('of twenty at once, once', async () => {
    const one = assertion();
    const answers = await Promise.all(Array.from({ length: 20 }, () => grant(one)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('and is not used up by what is refused, or fails', async () => {
    const one = assertion();
    expect((await grant(one, { resource: `${ORIGIN}/mail/mcp` })).status).toBe(400);
    const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));
    const { records, foreignKeys } = app.ports;
    for (const changes of [
      { records, foreignKeys: { find: down } },
      { records, foreignKeys, audit: { write: down } },
      { records, foreignKeys, signingKey: { ...app.ports.signingKey, sign: down } },
      { records: { ...records, create: down }, foreignKeys },
    ]) {
      const flaky = await startIssuerApp(policy, changes);
      try {
        const form = { grant_type: GRANT, assertion: one };
        expect((await flaky.post('/oauth/token', form, basic('desk'))).status).toBe(503);
      } finally {
        await flaky.close();
      }
    }
    expect((await grant(one)).status).toBe(200);
  });
});
