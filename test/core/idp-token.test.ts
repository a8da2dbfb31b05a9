import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import { acceptedIdps, userPoolOf, verifyIdpToken } from '../../functions/core/idp-token.ts';
import { VerifiedToken } from '../../functions/core/token.ts';
import { foreignClaims, makeEcKey, makeRsaKey, signForeign } from '../support/foreign-issuer.ts';
import { cognitoEntry } from '../support/idp-entry.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const key = makeRsaKey();
const stranger = makeEcKey();
const cognito = cognitoEntry();
const { issuer } = cognito.proof;

/** What a Cognito user pool gives a client that asks for a token by itself. */
const MACHINE: Changes = {
  iss: issuer,
  sub: 'robot',
  token_use: 'access',
  scope: 'maps/read maps/write',
  auth_time: NOW_SECONDS,
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 3_600,
  version: 2,
  jti: 'j-1',
  client_id: 'robot',
};
/** What it gives a client for a user. */
const USER: Changes = {
  ...MACHINE,
  sub: 'u-1',
  username: 'ada',
  scope: 'openid email',
  client_id: 'desk',
  'cognito:groups': ['readers', 'strangers'],
};

type Expected = Partial<Parameters<typeof verifyIdpToken>[2]>;

function verify(
  claims: Changes,
  { header = {}, ...expected }: Expected & { readonly header?: Changes } = {},
) {
  const compact = signForeign(key, claims, { typ: undefined, ...header });
  return verifyIdpToken(compact, [key.published], {
    idp: cognito,
    origin: ORIGIN,
    nowSeconds: NOW_SECONDS,
    ...expected,
  });
}

function detail(claims: Changes, expected: Parameters<typeof verify>[1] = {}): string {
  const verified = verify(claims, expected);
  return verified.ok ? 'accepted' : verified.error.detail;
}

/** Claims of an IdP that names its audience, and the IdP. */
const named = { ...MACHINE, token_use: undefined, aud: 'api://sallyport' };
const plain = cognitoEntry({ accepts: { audience: 'api://sallyport' } });

describe('an access token of a user pool', () => {
  test('for a client by itself is that client', () => {
    expect(verify(MACHINE)).toEqual({
      ok: true,
      value: {
        idp: 'cognito',
        issuer,
        subject: 'robot',
        audience: ORIGIN,
        clientId: 'robot',
        orgId: 'acme',
        scopes: ['maps/read', 'maps/write'],
        groups: [],
        issuedAtSeconds: NOW_SECONDS - 60,
        expiresAtSeconds: NOW_SECONDS + 3_660,
        jti: 'cognito:j-1',
        standing: 'session',
        teams: undefined,
        namespace: undefined,
        scopeFilters: undefined,
      },
    });
  });

  test('for a user is the user of that pool, with its groups', () => {
    expect(verify(USER)).toMatchObject({
      value: { subject: 'cognito:u-1', clientId: 'desk', groups: ['readers', 'strangers'] },
    });
  });

  test('may say which teams narrow it', () => {
    expect(verify({ ...MACHINE, teams: ['pilots'] })).toMatchObject({
      value: { standing: 'session', teams: ['pilots'] },
    });
  });

  test('says nothing of namespaces, whatever it says', () => {
    expect(verify({ ...MACHINE, namespace: 'n', scope_filters: { a: 'b' }, org_id: 'rival' })).toMatchObject({
      value: { orgId: 'acme', namespace: undefined, scopeFilters: undefined },
    });
  });

  test.for([
    ['an id token', { token_use: 'id' }, 'not_an_access_token'],
    ['an id token by its capitals', { token_use: 'ID' }, 'not_an_access_token'],
    ['a use that is no text', { token_use: ['access'] }, 'not_an_access_token'],
    ['a use that is null', { token_use: null }, 'not_an_access_token'],
    ['no use and no audience', { token_use: undefined }, 'audience'],
    ['a client that is not listed', { client_id: 'other', sub: 'other' }, 'client_not_listed'],
    ['a client in capitals', { client_id: 'ROBOT' }, 'client_not_listed'],
    ['the client of the login', { client_id: 'login' }, 'client_not_listed'],
    ['teams that are null', { teams: null }, 'claims'],
    ['teams in a text', { teams: 'pilots' }, 'claims'],
    ['teams as objects', { teams: [{ id: 'pilots' }] }, 'claims'],
    ['no client', { client_id: undefined }, 'claims'],
    ['a client that is no text', { client_id: ['robot'] }, 'claims'],
    ['an empty client', { client_id: '' }, 'claims'],
    ['two clients', { azp: 'desk' }, 'claims'],
    ['no scope', { scope: undefined }, 'claims'],
    ['a scope that is no text', { scope: 7 }, 'claims'],
    ['a scope of other characters', { scope: 'maps/"read' }, 'claims'],
    ['no subject', { sub: undefined }, 'claims'],
    ['an empty subject', { sub: '' }, 'claims'],
    ['a subject that is too long', { sub: 'u'.repeat(256) }, 'claims'],
    ['a subject with a control character', { sub: 'u\n1' }, 'claims'],
    ['a key that it is bound to', { cnf: { jkt: 'x' } }, 'claims'],
    ['no `iat`', { iat: undefined }, 'claims'],
    ['another pool', { iss: `${issuer}2` }, 'issuer'],
    ['another region', { iss: issuer.replace('eu-central-1', 'us-east-1') }, 'issuer'],
    ['our own issuer', { iss: ORIGIN }, 'issuer'],
    ['another audience', { aud: 'https://other.example.com' }, 'audience'],
    ['an empty audience', { aud: [] }, 'audience'],
    ['a null audience', { aud: null }, 'audience'],
    ['a life of more than a day', { exp: NOW_SECONDS + 86_401 }, 'lifetime'],
    ['a time to come', { iat: NOW_SECONDS + 61 }, 'not_yet_valid'],
  ] as const)('with %s is refused', ([, changes, why]) => {
    expect(detail({ ...MACHINE, ...changes })).toBe(why);
  });

  test.for([
    [3_659, 'accepted'],
    [3_660, 'expired'],
  ] as const)('%d s after it was issued for 3600 s: %s', ([later, result]) => {
    const nowSeconds = NOW_SECONDS + later;
    expect(detail(MACHINE, { nowSeconds })).toBe(result);
    const compact = signForeign(key, MACHINE, { typ: undefined });
    const expected = { idp: cognito, origin: ORIGIN, nowSeconds: NOW_SECONDS };
    const verified = VerifiedToken.verifyOfIdp(compact, [key.published], expected);
    expect(verified.ok && verified.value.isExpired(nowSeconds)).toBe(result === 'expired');
  });

  test('of another key, or of more than 8,192 bytes, is refused', () => {
    const expected = { idp: cognito, origin: ORIGIN, nowSeconds: NOW_SECONDS };
    const forged = signForeign(stranger, MACHINE, { kid: 'rsa-1' });
    expect(verifyIdpToken(forged, [key.published], expected)).toMatchObject({
      error: { detail: 'unknown_key' },
    });
    expect(VerifiedToken.verifyOfIdp(forged, [key.published], expected).ok).toBe(false);
    expect(detail({ ...MACHINE, pad: 'x'.repeat(6_000) })).toBe('not_a_compact_jws');
  });

  test.for([
    ['filters', { root: 's-1' }, new Map([['root', 's-1']])],
    ['no filters', undefined, undefined],
  ] as const)('of an agent has the namespace of its registration, with %s', ([, scopeFilters, expected]) => {
    const robot = clientEntry('robot', { namespace: 'proj', scopeFilters });
    const compact = signForeign(key, MACHINE, { typ: undefined });
    const of = { idp: cognito, origin: ORIGIN, nowSeconds: NOW_SECONDS };
    const token = VerifiedToken.verifyOfIdp(compact, [key.published], of);
    const policy = policyOf({ clients: [robot], idps: [cognito] });
    const caller = token.ok ? Caller.fromToken(token.value, policy) : token;
    expect(caller.ok && caller.value.context).toEqual({
      namespace: 'proj',
      scopeFilters: expected,
    });
  });

  test('without an id is named by what was signed', () => {
    const first = verify({ ...MACHINE, jti: undefined });
    expect(first).toMatchObject({ value: { jti: expect.stringMatching(/^cognito:[A-Za-z0-9_-]{43}$/) } });
    expect(verify({ ...MACHINE, jti: undefined })).toEqual(first);
    expect(verify({ ...MACHINE, jti: undefined, exp: NOW_SECONDS + 3_599 })).not.toEqual(first);
  });
});

describe('who it is for', () => {
  const resource = `${ORIGIN}/maps/mcp`;

  test.for([
    [ORIGIN, ORIGIN],
    [[ORIGIN, 'https://other.example.com'], ORIGIN],
    [resource, resource],
    [['https://other.example.com', resource], resource],
    [[resource, `${ORIGIN}/charts/mcp`], undefined],
    [`${ORIGIN}/`, undefined],
    [`${ORIGIN}/maps/mcp/`, undefined],
    [`${ORIGIN}/a/b/mcp`, undefined],
    [`${ORIGIN}/../mcp`, undefined],
    [`${ORIGIN}//mcp`, undefined],
    [`${ORIGIN}.evil.example.com/maps/mcp`, undefined],
    ['api://sallyport', undefined],
    [[7, ORIGIN], undefined],
  ] as const)('%j is %j', ([aud, expected]) => {
    const verified = verify({ ...MACHINE, token_use: undefined, aud });
    expect(verified.ok ? verified.value.audience : undefined).toBe(expected);
  });

  test.for([
    ['api://sallyport', ORIGIN],
    [['x', 'api://sallyport'], ORIGIN],
    [ORIGIN, ORIGIN],
    [resource, undefined],
    ['x', undefined],
    [undefined, undefined],
  ] as const)('%j is %j where an audience is configured', ([aud, expected]) => {
    const verified = verify({ ...MACHINE, aud }, { idp: plain });
    expect(verified.ok ? verified.value.audience : undefined).toBe(expected);
  });
});

describe('tokens of other IdPs', () => {
  const okta = {
    cid: 'robot',
    client_id: undefined,
    scp: ['maps/read'],
    scope: undefined,
    ver: 1,
    uid: undefined,
  };
  const entra = { tid: 't-1', ver: '2.0', client_id: undefined, scope: undefined, jti: undefined, uti: 'x' };

  test.for<readonly [string, Changes, object]>([
    ['Okta', { ...okta, sub: 'robot' }, { subject: 'robot', scopes: ['maps/read'] }],
    ['Okta, of a user', { ...okta, sub: 'ada@example.com' }, { subject: 'cognito:ada@example.com' }],
    ['Auth0', { client_id: undefined, azp: 'robot', sub: 'robot@clients' }, { subject: 'robot' }],
    [
      'Auth0, of a user',
      { client_id: undefined, azp: 'desk', sub: 'auth0|1' },
      { subject: 'cognito:auth0|1' },
    ],
    [
      'Entra ID',
      { ...entra, azp: 'robot', sub: 'o-1', idtyp: 'app', roles: ['maps/read'] },
      { subject: 'robot', scopes: ['maps/read'] },
    ],
    [
      'Entra ID, of a user',
      { ...entra, azp: 'desk', sub: 'o-1', scp: 'maps/read openid', roles: ['maps/write'] },
      { subject: 'cognito:o-1', scopes: ['maps/read', 'openid'] },
    ],
    [
      'Entra ID of old',
      { ...entra, appid: 'robot', sub: 'o-1', idtyp: 'app', roles: ['maps/read'] },
      { clientId: 'robot', subject: 'robot' },
    ],
    [
      'Keycloak',
      {
        client_id: 'robot',
        azp: 'robot',
        sub: 'k-1',
        typ: 'Bearer',
        preferred_username: 'service-account-robot',
      },
      { subject: 'cognito:k-1', clientId: 'robot' },
    ],
    ['Keycloak of old', { azp: 'desk', client_id: undefined, sub: 'k-1', typ: 'Bearer', nonce: 'n' }, {}],
    ['RFC 9068', { sub: 'u-1', client_id: 'desk' }, { subject: 'cognito:u-1' }],
    ['one with a scope that is empty', { scope: '' }, { scopes: [] }],
  ])('%s is accepted', ([, changes, expected]) => {
    expect(verify({ ...named, ...changes }, { idp: plain, header: { typ: 'at+jwt' } })).toMatchObject({
      ok: true,
      value: expected,
    });
  });

  test.for<readonly [string, Changes]>([
    ['of Okta', { aud: 'robot', scope: undefined, client_id: undefined }],
    ['of Entra ID', { ...entra, nonce: 'n', roles: ['maps/read'] }],
    ['of Entra ID with roles alone', { ...entra, roles: ['maps/read'] }],
    ['of Keycloak', { azp: 'robot', typ: 'ID', nonce: 'n', at_hash: 'h' }],
    ['with a nonce', { nonce: 'n' }],
    ['with the hash of an access token', { at_hash: 'h' }],
    ['with the hash of a code', { c_hash: 'h' }],
    ['with the hash of a state', { s_hash: 'h' }],
    ['of a logout', { events: {} }],
    ['to refresh with, of Keycloak', { typ: 'Refresh' }],
    ['of a kind that is no text', { typ: ['Bearer'] }],
  ])('one that is no access token is refused: %s', ([, changes]) => {
    expect(detail({ ...named, ...changes }, { idp: plain })).toMatch(
      /^(?:not_an_access_token|claims|audience)$/,
    );
  });

  test.for(['logout+jwt', 'secevent+jwt', 'oauth-id-jag+jwt', 'dpop+jwt', 'client-authentication+jwt'])(
    'one of type %s is refused',
    (typ) => {
      expect(detail(MACHINE, { header: { typ } })).toBe('type');
    },
  );

  test.for<readonly [string, Changes]>([
    ['a name', { username: 'robot' }],
    ['groups', { 'cognito:groups': [] }],
    ['an address', { email: 'robot@example.com' }],
    ['a session', { sid: 's' }],
    ['a way of logging in', { amr: ['pwd'] }],
  ])('a user whose subject is the id of the client is a user, by %s', ([, changes]) => {
    expect(verify({ ...MACHINE, ...changes })).toMatchObject({ value: { subject: 'cognito:robot' } });
  });

  test('roles are scopes of an application of Entra ID alone', () => {
    const roles = { scope: undefined, roles: ['maps/read'] };
    expect(detail({ ...named, ...roles }, { idp: plain })).toBe('claims');
    expect(detail({ ...named, ...roles, idtyp: 'app' }, { idp: plain })).toBe('claims');
    expect(detail({ ...named, ...roles, tid: 't-1', idtyp: 'user' }, { idp: plain })).toBe('claims');
  });

  test.for([
    [
      ['a', 'b', 'a', ''],
      ['a', 'b'],
    ],
    ['a', ['a']],
    ['', []],
    [[1], []],
    [{ a: 1 }, []],
    [null, []],
    [undefined, []],
  ] as const)('groups as %j are %j', ([groups, expected]) => {
    expect(verify({ ...USER, 'cognito:groups': groups, hasgroups: true })).toMatchObject({
      error: { detail: 'groups_left_out' },
    });
    const elsewhere = { _claim_names: { groups: 'src1' } };
    expect(verify({ ...USER, 'cognito:groups': groups, ...elsewhere }).ok).toBe(false);
    expect(verify({ ...USER, 'cognito:groups': groups })).toMatchObject({ value: { groups: expected } });
  });
});

test('an address is a group only where it was verified', () => {
  const proof = { ...cognito.proof, groupsClaim: 'email' };
  const groupsOf = (changes: Changes) =>
    verify({ ...USER, email: 'ada@example.com', ...changes }, { idp: cognitoEntry({ proof }) });
  expect(groupsOf({ email_verified: true })).toMatchObject({ value: { groups: ['ada@example.com'] } });
  for (const email_verified of [false, 'true', 1, undefined]) {
    expect(groupsOf({ email_verified })).toMatchObject({ value: { groups: [] } });
  }
});

describe('the caller', () => {
  const policy = policyOf({
    clients: [
      clientEntry('robot', {
        scopes: ['maps/read', 'charts/read'],
        namespace: 'n',
        scopeFilters: { run: 'r-1' },
      }),
      clientEntry('desk', { scopes: ['maps/read', 'maps/write'], namespace: 'n' }),
    ],
    groups: [['readers', ['maps/read', 'maps/write', 'charts/read']]],
    orgs: [{ id: 'acme', suspended: false }],
    idps: [cognito],
  });

  test.for([
    ['openid', ['maps/admin']],
    ['openid unknown', ['maps/admin']],
    ['openid maps/read', []],
    ['openid maps/admin', ['maps/admin']],
    ['maps/read maps/admin', ['maps/admin']],
    ['openid helm', []],
    ['openid tokens/issue', []],
  ] as const)('of a user is narrowed by any scope that there is: %s', ([scope, expected]) => {
    const running = policyOf({
      scopes: [
        ['maps/read', []],
        ['maps/admin', []],
      ],
      uiScopes: [['helm', []]],
      clients: [clientEntry('desk', { scopes: ['maps/admin'] })],
      groups: [['readers', ['maps/read', 'maps/admin']]],
      orgs: [{ id: 'acme', suspended: false }],
      idps: [cognito],
    });
    expect(callerOf({ ...USER, scope }, running)).toMatchObject({ ok: true, value: { scopes: expected } });
  });

  function callerOf(claims: Changes, running = policy, idp = cognito) {
    const compact = signForeign(key, claims, { typ: undefined });
    const expected = { idp, origin: ORIGIN, nowSeconds: NOW_SECONDS };
    const token = VerifiedToken.verifyOfIdp(compact, [key.published], expected);
    if (!token.ok) throw new Error(`the test's own token is refused: ${token.error.detail}`);
    return Caller.fromToken(token.value, running);
  }

  test('that is an agent has the scopes of its token that its entry has too, and the namespace of its entry', () => {
    const caller = callerOf(MACHINE);
    expect(caller.ok && Caller.is(caller.value)).toBe(true);
    expect(caller).toMatchObject({
      value: {
        kind: 'agent',
        subject: 'robot',
        clientId: 'robot',
        orgId: 'acme',
        scopes: ['maps/read'],
        context: { namespace: 'n', scopeFilters: new Map([['run', 'r-1']]) },
      },
    });
  });

  test('that is an agent is the one that our own tokens of that client stand for', () => {
    const caller = callerOf(MACHINE);
    expect(caller.ok && caller.value.key).toBe(JSON.stringify(['acme', 'robot', 'robot']));
  });

  test('that is a user has what its groups are mapped to and the client may have, and no namespace', () => {
    expect(callerOf(USER)).toMatchObject({
      value: {
        kind: 'user',
        subject: 'cognito:u-1',
        scopes: ['maps/read', 'maps/write'],
        groups: ['readers', 'strangers'],
        context: { namespace: undefined, scopeFilters: undefined },
      },
    });
  });

  test.for([
    ['openid maps/read', ['maps/read']],
    ['maps/read charts/read', ['maps/read']],
    ['charts/read', ['maps/read', 'maps/write']],
    ['', ['maps/read', 'maps/write']],
  ] as const)('that is a user with the token scope `%s` has %j', ([scope, scopes]) => {
    expect(callerOf({ ...USER, scope })).toMatchObject({ value: { scopes } });
  });

  test('that is a user gets nothing by scope that no group gives', () => {
    expect(callerOf({ ...USER, scope: 'maps/read', 'cognito:groups': ['strangers'] })).toMatchObject({
      value: { scopes: [] },
    });
  });

  test.for([
    ['is not entered', {}, 'unknown_client'],
    ['is disabled', { clients: [clientEntry('robot', { disabled: true })] }, 'client_disabled'],
    ['is of another organisation', { clients: [clientEntry('robot', { org: 'beta' })] }, 'org_mismatch'],
    [
      'is of a suspended organisation',
      { clients: [clientEntry('robot')], orgs: [{ id: 'acme', suspended: true }] },
      'org_suspended',
    ],
  ] as const)('is nobody where the client %s', ([, changes, reason]) => {
    expect(callerOf(MACHINE, policyOf({ ...changes, idps: [cognito] }))).toEqual({
      ok: false,
      error: { reason },
    });
  });
});

describe('which IdP', () => {
  const other = cognitoEntry({ name: 'other', org: 'beta' });
  const silent = { ...cognitoEntry({ name: 'silent' }), acceptAccessTokens: undefined };
  const policy = policyOf({ idps: [cognito, other, silent] });
  const find = (claimed: string | undefined, running = policy) =>
    acceptedIdps(running, ORIGIN, () => claimed).map(({ name }) => name);

  test('is found by its issuer, byte for byte, and where its access tokens are taken', () => {
    expect(find(issuer)).toEqual(['cognito', 'other']);
    for (const claimed of [undefined, '', `${issuer}/`, issuer.toUpperCase(), 'https://rival.example.com']) {
      expect(find(claimed)).toEqual([]);
    }
  });

  test('is never the one at our own origin', () => {
    const proof = { ...cognito.proof, issuer: ORIGIN };
    expect(find(ORIGIN, policyOf({ idps: [cognitoEntry({ proof })] }))).toEqual([]);
  });

  test('is not asked for where there is none', () => {
    const asked: string[] = [];
    const ask = () => {
      asked.push('asked');
      return issuer;
    };
    expect(acceptedIdps(policyOf({ idps: [silent] }), ORIGIN, ask)).toEqual([]);
    expect(asked).toEqual([]);
  });

  test.for([
    [issuer, { id: 'eu-central-1_AbC123', region: 'eu-central-1' }],
    ['http://127.0.0.1:4000/us-gov-west-1_x9', { id: 'us-gov-west-1_x9', region: 'us-gov-west-1' }],
    ['https://idp.example.com/realms/acme', undefined],
    ['https://idp.example.com/us-east-1_', undefined],
    ['https://idp.example.com', undefined],
  ] as const)('%s names the pool %j', ([text, pool]) => {
    expect(userPoolOf(text)).toEqual(pool);
  });
});

test('claims of an id token of the same IdP are refused as an access token', () => {
  expect(
    detail(foreignClaims({ iss: issuer, aud: 'login', token_use: 'id', 'cognito:username': 'ada' })),
  ).toBe('not_an_access_token');
});
