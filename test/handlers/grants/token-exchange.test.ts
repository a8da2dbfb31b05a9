import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClientEntry } from '../../../functions/core/policy.ts';
import { err, ok } from '../../../functions/core/result.ts';
import { makeRsaKey, signForeign } from '../../support/foreign-issuer.ts';
import { basic, type IssuerApp, startIssuerApp } from '../../support/issuer-app.ts';
import { claimsOf, identityProvider } from '../../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../../support/test-issuer.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const scopes = ['maps/read', 'maps/execute', 'mail/read'];
const exchanger = { grants: ['token-exchange'], scopes, exchangeFrom: ['desk', 'courier'] } as const;
const clients: readonly ClientEntry[] = [
  clientEntry('desk', { scopes, grants: ['authorization_code'] }),
  clientEntry('courier', { scopes, namespace: 'proj', scopeFilters: { team: 'a' } }),
  clientEntry('broker', exchanger),
  clientEntry('relay', { ...exchanger, exchangeFrom: ['broker'] }),
  clientEntry('third', { ...exchanger, exchangeFrom: ['relay', 'third'] }),
  clientEntry('narrow', { ...exchanger, scopes: ['maps/read'], audience: 'resource' }),
  clientEntry('scoped', { ...exchanger, namespace: 'proj', scopeFilters: { run: '1' } }),
  clientEntry('elsewhere', { ...exchanger, namespace: 'other' }),
  clientEntry('unlisted', { ...exchanger, exchangeFrom: [] }),
  clientEntry('unable', { ...exchanger, grants: ['client_credentials'] }),
  clientEntry('public', { ...exchanger, auth: 'none' }),
  clientEntry('stranger', { ...exchanger, org: 'rival' }),
];
const parts = {
  scopes: scopes.map((scope) => [scope, [scopeRule('*', ['initialize'])]] as const),
  servers: [serverEntry('maps'), serverEntry('mail'), serverEntry('rival-only', { org: 'rival' })],
  groups: [['drivers', scopes]],
  idps: [identityProvider('corp')],
  clients,
} as const;

let app: IssuerApp;
let policy = policyOf(parts);

beforeEach(async () => {
  policy = policyOf(parts);
  app = await startIssuerApp(policy, {
    rulebook: { read: () => Promise.resolve(ok({ policy, keys: app.issuer.keys })) },
  });
});

afterEach(() => app.close());

/** A user's token through `desk`, but for the changes. */
const userToken = (changes: Changes = {}) =>
  app.issuer.accessToken({
    sub: 'corp:sam',
    client_id: 'desk',
    scope: 'maps/read maps/execute',
    jti: 'login.t-1',
    groups: ['drivers'],
    ...changes,
  });
/** The token of the agent `courier` about itself, but for the changes. */
const agentToken = (changes: Changes = {}) => app.issuer.accessToken({ scope: 'maps/read', ...changes });

type Form = Readonly<Record<string, string>>;

async function exchange(subject: string, form: Form = {}, client = 'broker') {
  const body = { grant_type: GRANT, subject_token: subject, subject_token_type: ACCESS, ...form };
  const authorization = client === 'public' ? undefined : basic(client);
  const who: Form = client === 'public' ? { client_id: 'public' } : {};
  const response = await app.post('/oauth/token', { ...body, ...who }, authorization);
  const answer = JSON.parse(await response.text());
  const token = String(answer.access_token ?? '');
  return { status: response.status, answer, error: answer.error, token, claims: claimsOf(token || '.e30') };
}

function lookAt(token: string) {
  const headers = new Headers({ authorization: `Bearer ${token}` });
  return app.ports.ingress.authenticate(headers, { kind: 'gateway' }, ORIGIN);
}

describe('an exchange', () => {
  test('gives a token about the same user, in which the client acts', async () => {
    const { status, answer, claims } = await exchange(userToken());
    expect(status).toBe(200);
    expect(answer).toEqual({
      access_token: expect.any(String),
      issued_token_type: ACCESS,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'maps/read maps/execute',
      warnings: [expect.stringMatching(/^public-only: /)],
    });
    expect(claims).toEqual({
      iss: ORIGIN,
      sub: 'corp:sam',
      aud: ORIGIN,
      client_id: 'broker',
      scope: 'maps/read maps/execute',
      org_id: 'acme',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 300,
      jti: expect.stringMatching(/^login\.t-1\.[0-9a-f-]{36}$/),
      parent_iat: NOW_SECONDS,
      act: { sub: 'broker', act: { sub: 'desk' } },
      groups: ['drivers'],
    });
    expect(app.records).toMatchObject([
      {
        decision: 'allow',
        reason: GRANT,
        subject: 'corp:sam',
        kind: 'user',
        client_id: 'broker',
        actors: ['broker', 'desk'],
        jti: claims['jti'],
      },
    ]);
  });

  test('of an agent’s token names the agent, and who acts for it', async () => {
    const { token, claims } = await exchange(agentToken());
    expect(claims).toMatchObject({ sub: 'courier', client_id: 'broker', act: { sub: 'broker' } });
    const admitted = await lookAt(token);
    expect(admitted.ok && admitted.value.caller).toMatchObject({
      kind: 'agent',
      subject: 'courier',
      clientId: 'broker',
      actors: ['broker'],
    });
  });

  test('of an exchanged token makes the chain longer', async () => {
    const first = await exchange(agentToken());
    const second = await exchange(first.token, {}, 'relay');
    const third = await exchange(second.token, {}, 'third');
    expect(third.claims['act']).toEqual({ sub: 'third', act: { sub: 'relay', act: { sub: 'broker' } } });
    // Who acts already does not act twice.
    const again = await exchange(third.token, {}, 'third');
    expect(again.claims['act']).toEqual(third.claims['act']);
  });

  test('says that another client acts, even where it acted before', async () => {
    const back = agentToken({ client_id: 'desk', act: { sub: 'broker' } });
    expect((await exchange(back)).claims['act']).toEqual({ sub: 'broker', act: { sub: 'broker' } });
  });

  test.for<readonly [string, Partial<ClientEntry>]>([
    ['disabled', { disabled: true }],
    ['without the scope', { scopes: [] }],
  ])(
    'gives nothing once the agent that it is about is %s, whether or not it says who acts',
    async ([, changes]) => {
      const tokens = [(await exchange(agentToken())).token, agentToken({ client_id: 'broker' })];
      const scopesOf = async (token: string) => {
        const admitted = await lookAt(token);
        return admitted.ok ? admitted.value.caller.scopes : [];
      };
      for (const token of tokens) expect(await scopesOf(token)).toEqual(['maps/read']);
      const [first, courier, ...others] = clients;
      if (first === undefined || courier === undefined) throw new Error('the test has no courier');
      policy = policyOf({ ...parts, clients: [first, { ...courier, ...changes }, ...others] });
      for (const token of tokens) expect(await scopesOf(token)).toEqual([]);
    },
  );

  test('ends where a chain would be longer than four', async () => {
    const act = { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'relay' } } } };
    policy = policyOf({ ...parts, clients: [...clients, ...['a', 'b', 'c'].map((id) => clientEntry(id))] });
    const refused = await exchange(agentToken({ client_id: 'relay', act }), {}, 'third');
    expect([refused.status, refused.error]).toEqual([400, 'invalid_request']);
    expect(app.records).toMatchObject([{ reason: 'invalid_request: delegated_too_often' }]);
  });

  test('ends where the line of tokens would be longer than a `jti` can say', async () => {
    const refused = await exchange(agentToken({ jti: 'j'.repeat(230) }));
    expect([refused.status, refused.error]).toEqual([400, 'invalid_request']);
  });
});

describe('nothing is more than the subject’s token gave', () => {
  test.for<readonly [string, Form, string, string | undefined]>([
    ['all of it', {}, 'broker', 'maps/read maps/execute'],
    ['what is asked for', { scope: 'maps/execute' }, 'broker', 'maps/execute'],
    ['not what only the client may have', { scope: 'maps/read mail/read' }, 'broker', 'maps/read'],
    ['not what only the token has', { resource: `${ORIGIN}/maps/mcp` }, 'narrow', 'maps/read'],
    ['nothing, where there is nothing in common', { scope: 'mail/read' }, 'broker', undefined],
    ['nothing for a scope in another spelling', { scope: 'maps/read ' }, 'broker', undefined],
  ])('scopes: %s', async ([, form, client, scope]) => {
    const { status, answer, error, claims } = await exchange(userToken(), form, client);
    if (scope === undefined) expect([status, error]).toEqual([400, 'invalid_scope']);
    else expect([answer.scope, claims['scope']]).toEqual([scope, scope]);
  });

  test('whatever is asked for, scopes and end are within the subject’s', async () => {
    const some = fc.subarray([...scopes, 'secret/read']);
    await fc.assert(
      fc.asyncProperty(some, some, fc.integer({ min: 1, max: 900 }), async (has, wants, seconds) => {
        const subject = userToken({ scope: has.join(' '), exp: NOW_SECONDS + seconds });
        const { status, claims } = await exchange(
          subject,
          wants.length > 0 ? { scope: wants.join(' ') } : {},
        );
        if (status !== 200) return;
        const given = String(claims['scope']).split(' ');
        expect(given.every((scope) => has.includes(scope))).toBe(true);
        expect(Number(claims['exp'])).toBeLessThanOrEqual(NOW_SECONDS + seconds);
        expect(Number(claims['exp'])).toBeGreaterThan(NOW_SECONDS);
      }),
      { numRuns: 40 },
    );
  });

  test('a token in its last second gives nothing that outlives it', async () => {
    const { claims } = await exchange(userToken({ exp: NOW_SECONDS + 1 }));
    expect(claims['exp']).toBe(NOW_SECONDS + 1);
    expect((await exchange(userToken({ iat: NOW_SECONDS - 300, exp: NOW_SECONDS }))).error).toBe(
      'invalid_request',
    );
  });

  test.for<readonly [string, Changes, Form, string, string | undefined]>([
    ['everything stays everything', {}, {}, 'broker', ORIGIN],
    ['everything becomes one server', {}, { resource: `${ORIGIN}/mail/mcp` }, 'broker', `${ORIGIN}/mail/mcp`],
    ['one server by its name', {}, { audience: 'mail' }, 'broker', `${ORIGIN}/mail/mcp`],
    [
      'one server by both',
      {},
      { audience: 'mail', resource: `${ORIGIN}/mail/mcp` },
      'broker',
      `${ORIGIN}/mail/mcp`,
    ],
    ['one server stays it', { aud: `${ORIGIN}/maps/mcp` }, {}, 'broker', `${ORIGIN}/maps/mcp`],
    [
      'one server becomes another',
      { aud: `${ORIGIN}/maps/mcp` },
      { audience: 'mail' },
      'broker',
      `${ORIGIN}/mail/mcp`,
    ],
    [
      'one server does not become everything',
      { aud: `${ORIGIN}/maps/mcp` },
      { resource: ORIGIN },
      'broker',
      undefined,
    ],
    ['a client for one server at a time says which', {}, {}, 'narrow', undefined],
    ['it has no token for everything', {}, { resource: ORIGIN }, 'narrow', undefined],
    [
      'two targets are one too many',
      {},
      { audience: 'maps', resource: `${ORIGIN}/mail/mcp` },
      'broker',
      undefined,
    ],
    ['a server that is not there', {}, { audience: 'gone' }, 'broker', undefined],
    ['a server of another organisation', {}, { audience: 'rival-only' }, 'broker', undefined],
    ['elsewhere', {}, { audience: 'https://elsewhere.example.com/' }, 'broker', undefined],
  ])('targets: %s', async ([, changes, form, client, audience]) => {
    const { status, error, claims } = await exchange(userToken(changes), form, client);
    if (audience === undefined) expect([status, error]).toEqual([400, 'invalid_target']);
    else expect(claims['aud']).toBe(audience);
  });

  test.for<readonly [string, string, Changes]>([
    ['stay where the client has none', 'broker', { namespace: 'proj', scope_filters: { team: 'a' } }],
    ['are narrowed by the client’s', 'scoped', { namespace: 'proj', scope_filters: { team: 'a', run: '1' } }],
    ['are gone where the client has another', 'elsewhere', {}],
  ])('namespace and filters %s', async ([, client, expected]) => {
    const subject = agentToken({ namespace: 'proj', scope_filters: { team: 'a' } });
    const { token, claims } = await exchange(subject, {}, client);
    const { namespace, scope_filters } = claims;
    expect(JSON.parse(JSON.stringify({ namespace, scope_filters }))).toEqual(expected);
    const admitted = await lookAt(token);
    const context = admitted.ok ? admitted.value.caller.context : undefined;
    expect(context?.namespace).toBe(expected['namespace']);
    // They are the agent's: what it has lost since is gone.
    policy = policyOf({
      ...parts,
      clients: clients.map((one) => (one.id === 'courier' ? { ...one, namespace: 'moved' } : one)),
    });
    const later = await lookAt(token);
    expect(later.ok && later.value.caller.context.namespace).toBeUndefined();
  });
});

describe('who may exchange whose tokens', () => {
  test.for<readonly [string, () => string, string, Form, string]>([
    ['a client that is not listed', () => userToken(), 'unlisted', {}, 'unauthorized_client'],
    ['a client without the grant', () => userToken(), 'unable', {}, 'unauthorized_client'],
    ['a public client', () => userToken(), 'public', {}, 'unauthorized_client'],
    [
      'a token of a client that is not listed',
      () => agentToken({ client_id: 'relay', sub: 'relay' }),
      'broker',
      {},
      'unauthorized_client',
    ],
    ['a client of another organisation', () => userToken(), 'stranger', {}, 'invalid_request'],
    ['no subject token', () => '', 'broker', {}, 'invalid_request'],
    [
      'a type that is not known',
      () => userToken(),
      'broker',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      'invalid_request',
    ],
    [
      'a refresh token',
      () => userToken(),
      'broker',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    [
      'something else than an access token asked for',
      () => userToken(),
      'broker',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    ['an actor without a type', () => userToken(), 'broker', { actor_token: 'x' }, 'invalid_request'],
    ['the type of no actor', () => userToken(), 'broker', { actor_token_type: ACCESS }, 'invalid_request'],
    ['what is no token', () => 'abc', 'broker', {}, 'invalid_request'],
    [
      'an expired token',
      () => userToken({ iat: NOW_SECONDS - 600, exp: NOW_SECONDS - 300 }),
      'broker',
      {},
      'invalid_request',
    ],
    ['a forged token', () => `${userToken().slice(0, -4)}AAAA`, 'broker', {}, 'invalid_request'],
    ['an identity token', () => app.issuer.identityToken({ aud: ORIGIN }), 'broker', {}, 'invalid_request'],
    [
      'a token of a client that is gone',
      () => userToken({ client_id: 'gone' }),
      'broker',
      {},
      'invalid_request',
    ],
  ])('%s', async ([, subject, client, form, error]) => {
    const refused = await exchange(subject(), form, client);
    expect([refused.status, refused.error]).toEqual([400, error]);
    expect(app.records).toMatchObject([{ decision: 'deny', reason: expect.stringContaining(error) }]);
  });

  test('only one that authenticates', async () => {
    const form = { grant_type: GRANT, subject_token: userToken(), subject_token_type: ACCESS };
    expect((await app.post('/oauth/token', form, basic('broker', 'wrong'))).status).toBe(401);
  });

  test.for([ACCESS, 'urn:ietf:params:oauth:token-type:jwt'])('a token by the type %s', async (type) => {
    expect(
      (await exchange(userToken(), { subject_token_type: type, requested_token_type: type })).status,
    ).toBe(200);
  });
});

describe('an actor token', () => {
  const actorOf = (changes: Changes = {}) => ({
    actor_token: app.issuer.accessToken({ client_id: 'broker', sub: 'broker', jti: 'actor', ...changes }),
    actor_token_type: ACCESS,
  });

  test('names who acts, and bounds the time', async () => {
    const { claims } = await exchange(agentToken(), actorOf({ sub: 'corp:ann', exp: NOW_SECONDS + 60 }));
    const act = { sub: 'corp:ann', act: { sub: 'broker' } };
    expect(claims).toMatchObject({ sub: 'courier', act, exp: NOW_SECONDS + 60 });
  });

  test('names those through whom it was delegated too', async () => {
    const act = { sub: 'relay', act: { sub: 'third' } };
    const { claims } = await exchange(agentToken(), actorOf({ sub: 'corp:ann', act }));
    expect(claims['act']).toEqual({
      sub: 'corp:ann',
      act: { sub: 'relay', act: { sub: 'third', act: { sub: 'broker' } } },
    });
  });

  test('cannot hide who acts: the subject is not its own actor', async () => {
    const delegated = await exchange(agentToken());
    const hidden = await exchange(agentToken(), { actor_token: delegated.token, actor_token_type: ACCESS });
    expect([hidden.status, hidden.error]).toEqual([400, 'invalid_request']);
    expect(app.records.at(-1)).toMatchObject({ reason: 'invalid_request: actor_is_subject' });
  });

  test('of a client by itself says what is true without it', async () => {
    const { claims } = await exchange(agentToken(), actorOf());
    expect(claims).toMatchObject({ sub: 'courier', act: { sub: 'broker' } });
  });

  test.for<readonly [string, Changes]>([
    ['of another client', { client_id: 'relay', sub: 'relay' }],
    ['of another organisation', { org_id: 'rival' }],
    ['that is expired', { iat: NOW_SECONDS - 600, exp: NOW_SECONDS - 300 }],
  ])('%s is not taken', async ([, changes]) => {
    const refused = await exchange(agentToken(), actorOf(changes));
    expect([refused.status, refused.error]).toEqual([400, 'invalid_request']);
  });
});

describe('what revokes the actor’s token', () => {
  const until = { beforeSeconds: NOW_SECONDS + 300, forgetAtSeconds: NOW_SECONDS + 900 };
  const actor = () => ({
    actor_token: app.issuer.accessToken({
      client_id: 'broker',
      sub: 'corp:ann',
      jti: 'anns-login.actor',
      groups: ['drivers'],
    }),
    actor_token_type: ACCESS,
  });
  const look = async (token: string) => {
    // Beyond what the gate remembers.
    app.nowSeconds += 4;
    const admitted = await lookAt(token);
    return admitted.ok ? 'alive' : admitted.error.reason;
  };

  test.for([
    ['jti', 'anns-login.actor'],
    ['family', 'anns-login'],
  ] as const)('revokes the new one, and what is made of that: by %s %s', async ([kind, id]) => {
    const subject = userToken();
    const first = await exchange(subject, actor());
    const second = await exchange(first.token, {}, 'relay');
    expect([first.claims['act_jti'], second.claims['act_jti']]).toEqual([
      ['anns-login.actor'],
      ['anns-login.actor'],
    ]);
    expect([await look(first.token), await look(second.token)]).toEqual(['alive', 'alive']);
    await app.ports.revocations.revoke({ orgId: 'acme', kind, id, ...until });
    expect([await look(first.token), await look(second.token)]).toEqual(['revoked', 'revoked']);
    expect(await look(subject)).toBe('alive');
  });

  test('is not told by a token of another shape', async () => {
    for (const act_jti of [
      'anns-login.actor',
      [7],
      [''],
      null,
      Array.from({ length: 5 }, (_, id) => `t-${id}`),
    ]) {
      expect(await look(userToken({ act_jti })), JSON.stringify(act_jti)).toBe('bad_token');
    }
  });

  test('has room for as many as may act, and no more', async () => {
    const act_jti = ['a', 'b', 'c', 'd'];
    const full = await exchange(agentToken({ act_jti }));
    expect(full.claims['act_jti']).toEqual(act_jti);
    const refused = await exchange(agentToken({ act_jti }), actor());
    expect([refused.status, refused.error]).toEqual([400, 'invalid_request']);
    expect(app.records.at(-1)).toMatchObject({ reason: 'invalid_request: delegated_too_often' });
    const again = await exchange(agentToken({ act_jti: [...act_jti.slice(1), 'anns-login.actor'] }), actor());
    expect(again.status).toBe(200);
  });
});

test('a token that may be used so many times is not exchanged, and nobody acts by it', async () => {
  const counted = { token_kind: 'counted', max_uses: 3 };
  const actor = { actor_token: app.issuer.accessToken({ client_id: 'broker', sub: 'broker', ...counted }) };
  for (const [subject, form] of [
    [userToken(counted), {}],
    [userToken(), { ...actor, actor_token_type: ACCESS }],
  ] as const) {
    const refused = await exchange(subject, form);
    expect([refused.status, refused.error]).toEqual([400, 'invalid_request']);
    expect(app.records.at(-1)).toMatchObject({ reason: 'invalid_request: counted_token' });
  }
});

describe('a scope that a client in the chain has lost', () => {
  const without = (id: string, scope: string) =>
    policyOf({
      ...parts,
      clients: clients.map((one) =>
        one.id === id ? { ...one, scopes: one.scopes.filter((name) => name !== scope) } : one,
      ),
    });
  const scopesOf = async (token: string) => {
    const admitted = await lookAt(token);
    return admitted.ok ? admitted.value.caller.scopes : admitted.error.reason;
  };

  test.for([
    ['a user’s', 'desk', () => userToken()],
    ['a user’s', 'broker', () => userToken()],
    ['an agent’s', 'broker', () => agentToken({ scope: 'maps/read maps/execute' })],
    ['an agent’s', 'courier', () => agentToken({ scope: 'maps/read maps/execute' })],
  ] as const)('is gone from %s token, whoever carries it by now: %s', async ([, id, subject]) => {
    const first = await exchange(subject());
    const second = await exchange(first.token, {}, 'relay');
    expect(await scopesOf(second.token)).toEqual(['maps/read', 'maps/execute']);
    policy = without(id, 'maps/execute');
    expect(await scopesOf(second.token)).toEqual(['maps/read']);
    const third = await exchange(second.token, {}, 'third');
    expect(third.answer.scope).toBe('maps/read');
  });

  test('is in no token that such a client passes on', async () => {
    const first = await exchange(userToken());
    policy = without('broker', 'maps/execute');
    const second = await exchange(first.token, { scope: 'maps/execute' }, 'relay');
    expect([second.status, second.error]).toEqual([400, 'invalid_scope']);
  });
});

describe('what revokes the subject’s token revokes the new one', () => {
  const die = async (token: string) => {
    // Beyond what the gate remembers.
    app.nowSeconds += 4;
    const admitted = await lookAt(token);
    return admitted.ok ? 'alive' : admitted.error.reason;
  };

  test.for([
    ['jti', 'login.t-1'],
    ['family', 'login'],
    ['subject', 'corp:sam'],
    ['client', 'desk'],
    ['client', 'broker'],
    ['org', 'acme'],
  ] as const)('by %s %s', async ([kind, id]) => {
    const { token } = await exchange(userToken());
    expect(await die(token)).toBe('alive');
    const until = { beforeSeconds: NOW_SECONDS + 300, forgetAtSeconds: NOW_SECONDS + 900 };
    await app.ports.revocations.revoke({ orgId: 'acme', kind, id, ...until });
    expect(await die(token)).toBe('revoked');
  });

  test('by a moment before which everything of the user is revoked, though it was made after it', async () => {
    app.nowSeconds += 100;
    const { token, claims } = await exchange(userToken());
    expect(claims['iat']).toBe(NOW_SECONDS + 100);
    const until = { beforeSeconds: NOW_SECONDS + 50, forgetAtSeconds: NOW_SECONDS + 900 };
    await app.ports.revocations.revoke({ orgId: 'acme', kind: 'subject', id: 'corp:sam', ...until });
    expect(await die(token)).toBe('revoked');
  });

  test('by its client, and not the other way round', async () => {
    const subject = userToken();
    const { token } = await exchange(subject);
    await app.post('/oauth/revoke', { token }, basic('broker'));
    expect([await die(token), await die(subject)]).toEqual(['revoked', 'alive']);
    await app.post('/oauth/revoke', { token: subject }, basic('desk'));
    expect((await exchange(subject)).error).toBe('invalid_request');
  });

  test('by taking the agent, or one who acts for it, out of the configuration', async () => {
    const first = await exchange(agentToken());
    const second = await exchange(first.token, {}, 'relay');
    expect(await die(second.token)).toBe('alive');
    for (const [id, disabled] of [
      ['courier', true],
      ['courier', false],
      ['broker', true],
      ['broker', false],
      ['relay', true],
    ] as const) {
      const others = clients.filter((one) => one.id !== id);
      policy = policyOf({
        ...parts,
        clients: disabled ? [...others, clientEntry(id, { disabled })] : others,
      });
      expect(await die(second.token)).toBe(disabled ? 'client_disabled' : 'unknown_client');
    }
    const lessened = clients.map((one) => (one.id === 'courier' ? { ...one, scopes: [] } : one));
    policy = policyOf({ ...parts, clients: lessened });
    const admitted = await lookAt(second.token);
    expect(admitted.ok && admitted.value.caller.scopes).toEqual([]);
  });
});

test('an outage gives nothing and is told as one', async () => {
  const down = () => Promise.resolve(err({ reason: 'unavailable' as const, detail: 'a test’s outage' }));
  const subject = userToken();
  for (const changes of [
    { ingress: { ...app.ports.ingress, identify: down } },
    { ingress: app.ports.ingress, audit: { write: down } },
    { ingress: app.ports.ingress, signingKey: { ...app.ports.signingKey, sign: down } },
  ]) {
    const flaky = await startIssuerApp(policy, changes);
    try {
      const form = { grant_type: GRANT, subject_token: subject, subject_token_type: ACCESS };
      expect((await flaky.post('/oauth/token', form, basic('broker'))).status).toBe(503);
    } finally {
      await flaky.close();
    }
  }
});

describe('an id token', () => {
  const ID = 'urn:ietf:params:oauth:token-type:id_token';
  const ISSUER = 'https://corp.example.com';
  const key = makeRsaKey();
  const accepted = { clientIds: ['desk', 'relay'], audience: undefined };

  beforeEach(async () => {
    await app.close();
    policy = policyOf({
      ...parts,
      groups: [['drivers', ['maps/read', 'mail/read']]],
      idps: [identityProvider('corp', { acceptAccessTokens: accepted }), identityProvider('shy')],
    });
    app = await startIssuerApp(policy, { foreignKeys: { find: () => Promise.resolve(ok([key.published])) } });
  });

  const idToken = (changes: Changes = {}) =>
    signForeign(key, {
      iss: ISSUER,
      sub: 'sam',
      aud: 'desk',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 200,
      groups: ['drivers', 'others'],
      nonce: 'n',
      ...changes,
    });
  const exchangeId = (token: string, form: Form = {}, client = 'broker') =>
    exchange(token, { subject_token_type: ID, ...form }, client);

  test('gives a token about its user, for what the groups give through the client that it was given to', async () => {
    const { status, claims } = await exchangeId(idToken());
    expect(status).toBe(200);
    expect(claims).toMatchObject({
      sub: 'corp:sam',
      client_id: 'broker',
      scope: 'maps/read mail/read',
      exp: NOW_SECONDS + 200,
      act: { sub: 'broker', act: { sub: 'desk' } },
      jti: expect.stringMatching(/^corp:[\w-]{43}\./),
    });
  });

  test.for<readonly [string, Changes, string]>([
    ['of a client whose tokens are not taken', { aud: 'courier' }, 'invalid_request'],
    ['of a client that may not be exchanged', { aud: 'relay' }, 'unauthorized_client'],
    ['for two clients', { aud: ['desk', 'relay'] }, 'invalid_request'],
    ['given to another', { azp: 'relay' }, 'invalid_request'],
    ['that is an access token of Cognito', { token_use: 'access' }, 'invalid_request'],
    ['that is an access token of Keycloak', { typ: 'Bearer' }, 'invalid_request'],
    ['bound to a key', { cnf: { jkt: 'x' } }, 'invalid_request'],
    ['about nobody', { sub: '' }, 'invalid_request'],
    ['that is expired', { iat: NOW_SECONDS - 400, exp: NOW_SECONDS - 100 }, 'invalid_request'],
    ['in its last seconds by our clock', { iat: NOW_SECONDS - 400, exp: NOW_SECONDS - 1 }, 'invalid_request'],
    ['of a provider whose tokens are not taken', { iss: 'https://shy.example.com' }, 'invalid_request'],
    ['of nobody that is known', { iss: 'https://unknown.example.com' }, 'invalid_request'],
    ['of ourselves', { iss: ORIGIN }, 'invalid_request'],
    ['of a user without groups', { groups: [] }, 'invalid_scope'],
    ['whose `teams` are no list', { teams: 'crew' }, 'invalid_request'],
    ['whose `teams` are null', { teams: null }, 'invalid_request'],
    ['whose `teams` are no names', { teams: [{ name: 'crew' }] }, 'invalid_request'],
  ])('%s gives nothing', async ([, changes, error]) => {
    const refused = await exchangeId(idToken(changes));
    expect([refused.status, refused.error]).toEqual([400, error]);
  });

  test.for<readonly [string, Changes, readonly string[] | undefined]>([
    ['that says nothing of teams stands for all that its user is in', {}, ['pilots', 'crew']],
    ['that names none too', { teams: [] }, ['pilots', 'crew']],
    ['that names some stands for these', { teams: ['crew', 'cooks'] }, ['crew']],
    ['that names others alone stands for none', { teams: ['cooks'] }, undefined],
  ])('%s', async ([, changes, expected]) => {
    const team = (name: string, more: object) => {
      return { org: 'acme', name, members: [], groups: [], parent: undefined, inherit: false, ...more };
    };
    await app.close();
    const teams = [
      team('pilots', { members: ['corp:sam'] }),
      team('crew', { groups: ['drivers'] }),
      team('cooks', {}),
    ];
    const idps = [identityProvider('corp', { acceptAccessTokens: accepted })];
    policy = policyOf({ ...parts, groups: [['drivers', ['maps/read']]], idps, teams });
    app = await startIssuerApp(policy, { foreignKeys: { find: () => Promise.resolve(ok([key.published])) } });
    const { status, claims } = await exchangeId(idToken(changes));
    expect([status, claims['teams']]).toEqual([200, expected]);
  });

  test('of a user in hundreds of groups gives a token that is not too long', async () => {
    const groups = [...Array.from({ length: 200 }, (_, index) => `${index}`.padStart(36, '0')), 'drivers'];
    const { status, token, claims } = await exchangeId(idToken({ groups }));
    expect([status, claims['scope']]).toEqual([200, 'maps/read mail/read']);
    expect(app.issuer.verify(token).ok).toBe(true);
  });

  test('is none by the name of an access token, nor an access token by its name', async () => {
    expect((await exchange(idToken())).error).toBe('invalid_request');
    expect((await exchangeId(userToken())).error).toBe('invalid_request');
  });

  test('of a user who was revoked after it was made gives nothing', async () => {
    const until = { beforeSeconds: NOW_SECONDS, forgetAtSeconds: NOW_SECONDS + 900 };
    await app.ports.revocations.revoke({ orgId: 'acme', kind: 'subject', id: 'corp:sam', ...until });
    expect((await exchangeId(idToken())).error).toBe('invalid_request');
  });
});
