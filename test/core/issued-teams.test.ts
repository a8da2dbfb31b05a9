import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import { planExchange } from '../../functions/core/exchange.ts';
import { type GrantPlan, isPublicOnly, planClientCredentials } from '../../functions/core/grant.ts';
import { mintAccessToken, mintIdentityToken } from '../../functions/core/mint.ts';
import type { Result } from '../../functions/core/result.ts';
import { planUserGrant } from '../../functions/core/user-grant.ts';
import { planVending, TOKENS_ISSUE, type VendingRequest } from '../../functions/core/vending.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const scopes = ['fleet/use', TOKENS_ISSUE];
const team = (name: string, changes: object = {}) => {
  return { org: 'acme', name, members: [], groups: [], parent: undefined, inherit: false, ...changes };
};
const policy = policyOf({
  idps: [identityProvider('corp')],
  servers: [
    serverEntry('tower', { visibility: 'team:pilots' }),
    serverEntry('deck', { visibility: 'team:deck' }),
    serverEntry('diary', { visibility: 'private:courier' }),
    serverEntry('maps'),
  ],
  scopes: [['fleet/use', [scopeRule('*', ['*'], ['*'])]]],
  groups: [['staff', ['fleet/use', TOKENS_ISSUE]]],
  clients: [
    clientEntry('courier', { scopes }),
    clientEntry('loner', { scopes }),
    clientEntry('broker', { scopes, exchangeFrom: ['courier', 'desk'] }),
    clientEntry('desk', { scopes }),
  ],
  teams: [
    team('pilots', { members: ['courier'], groups: ['flight'] }),
    team('deck', { parent: 'pilots', inherit: true }),
    team('cooks'),
  ],
});
const place = { origin: ORIGIN, nowSeconds: NOW_SECONDS };

/** The token of a plan, as our own verifier and the running policy see its caller. */
function callerOf(plan: GrantPlan): Caller {
  const signing = {
    keyId: issuer.access.published.keyId,
    issuer: ORIGIN,
    nowSeconds: NOW_SECONDS,
    jti: 'j-1',
  };
  const [header = '', payload = ''] = mintAccessToken(plan, signing)
    .signingInput.split('.')
    .map((part) => Buffer.from(part, 'base64url').toString());
  const verified = issuer.verify(issuer.sign(header, payload));
  if (!verified.ok) throw new Error(`our own token is refused: ${verified.error.detail}`);
  const caller = Caller.fromToken(verified.value, policy, NOW_SECONDS);
  if (!caller.ok) throw new Error(`our own caller is refused: ${caller.error.reason}`);
  return caller.value;
}

/** Which servers a caller sees. */
function seen(caller: Caller): string {
  return ['tower', 'deck', 'diary', 'maps'].filter((name) => policy.hasServer(name, caller)).join(' ');
}

function planned<E>(plan: Result<GrantPlan, E>): GrantPlan {
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  return plan.value;
}

function machine(clientId: string, teams?: string, resources: readonly string[] = []) {
  const client = policy.clients.get(clientId) ?? clientEntry('nobody');
  return planClientCredentials(policy, client, { scope: undefined, resources, teams }, ORIGIN, NOW_SECONDS);
}

describe('a client’s own token', () => {
  test.for<readonly [string, string | undefined, string, boolean]>([
    ['courier', undefined, 'tower deck diary maps', false],
    ['courier', 'pilots', 'tower deck diary maps', false],
    ['courier', 'deck', 'deck diary maps', false],
    ['courier', 'deck deck', 'deck diary maps', false],
    ['courier', 'none', 'maps', true],
    ['loner', undefined, 'maps', false],
  ])('of %s that asks for teams %j shows %s', ([clientId, teams, expected, warned]) => {
    const plan = planned(machine(clientId, teams));
    expect([seen(callerOf(plan)), isPublicOnly(plan)]).toEqual([expected, warned]);
  });

  test.for(['cooks', 'pilots cooks', 'gone', 'pilots,deck', 'none pilots', 'pilots  deck', ' '])(
    'is none for teams %j, and does not say which of them there are',
    (teams) => {
      const refusal = { error: 'invalid_request', description: expect.stringContaining('this client is in') };
      expect(machine('courier', teams)).toEqual({ ok: false, error: refusal });
    },
  );

  test('is for no server that it would not show', () => {
    const errorOf = (clientId: string, teams: string | undefined, name: string) => {
      const plan = machine(clientId, teams, [`${ORIGIN}/${name}/mcp`]);
      return plan.ok ? 'planned' : plan.error.error;
    };
    expect(errorOf('courier', undefined, 'tower')).toBe('planned');
    expect(errorOf('courier', 'deck', 'tower')).toBe('invalid_target');
    expect(errorOf('courier', 'none', 'diary')).toBe('invalid_target');
    expect(errorOf('loner', undefined, 'tower')).toBe('invalid_target');
  });

  test('has no more teams than it has room for', () => {
    const many = Array.from({ length: 200 }, (_, index) => `team-of-many-words-${index}`);
    const crowded = policyOf({
      clients: [clientEntry('courier', { scopes })],
      teams: many.map((name) => team(name, { members: ['courier'] })),
    });
    const request = { scope: undefined, resources: [], teams: many.join(' ') };
    const plan = planClientCredentials(crowded, clientEntry('courier', { scopes }), request, ORIGIN);
    expect(plan).toMatchObject({ ok: false, error: { error: 'invalid_request' } });
  });
});

describe('a user’s token', () => {
  const login = (groups: readonly string[], resource?: string) => {
    const request = {
      subject: 'corp:alice',
      orgId: 'acme',
      groups,
      authTimeSeconds: NOW_SECONDS,
      scopes: undefined,
      resource,
    };
    return planUserGrant(
      policy,
      policy.clients.get('desk') ?? clientEntry('nobody'),
      request,
      ORIGIN,
      NOW_SECONDS,
    );
  };

  test('shows the items of the teams that its groups stand for', () => {
    expect(seen(callerOf(planned(login(['staff', 'flight']))))).toBe('tower deck maps');
    expect(seen(callerOf(planned(login(['staff']))))).toBe('maps');
  });

  test('is for no server that the user does not see', () => {
    expect(login(['staff', 'flight'], `${ORIGIN}/tower/mcp`).ok).toBe(true);
    expect(login(['staff'], `${ORIGIN}/tower/mcp`)).toMatchObject({ error: { error: 'invalid_target' } });
  });
});

describe('a token that a caller makes for itself', () => {
  const courier = callerOf(planned(machine('courier')));
  const vend = (caller: Caller, changes: Partial<VendingRequest>) =>
    planVending(
      policy,
      caller,
      { scopes: undefined, resource: undefined, ttlSeconds: undefined, teams: [], ...changes },
      place,
    );

  test('shows what is public and says so, where no team is named', () => {
    const plan = planned(vend(courier, {}));
    expect([seen(callerOf(plan)), isPublicOnly(plan)]).toEqual(['maps', true]);
  });

  test('shows the items of the teams that are named, and then its own', () => {
    const plan = planned(vend(courier, { teams: ['deck', 'deck'] }));
    expect([seen(callerOf(plan)), isPublicOnly(plan), plan.teams]).toEqual([
      'deck diary maps',
      false,
      ['deck'],
    ]);
  });

  test('never regains what the token that it is made from does not have', () => {
    const narrow = callerOf(planned(vend(courier, { teams: ['deck'], scopes })));
    expect(vend(narrow, { teams: ['pilots'] })).toMatchObject({ error: { reason: 'not_granted' } });
    expect(vend(narrow, { teams: ['deck'] }).ok).toBe(true);
    expect(vend(courier, { teams: ['cooks'] })).toMatchObject({ error: { reason: 'not_granted' } });
  });

  test('is for no server that it would not show, and says what is missing only of one that the caller sees', () => {
    const resource = `${ORIGIN}/tower/mcp`;
    const loner = callerOf(planned(machine('loner')));
    expect(vend(courier, { resource })).toMatchObject({
      error: { detail: expect.stringContaining('in `teams`') },
    });
    expect(vend(courier, { resource, teams: ['pilots'] }).ok).toBe(true);
    expect(vend(loner, { resource })).toMatchObject({ error: { detail: 'this `resource` is unknown' } });
  });

  test('names no more teams than it has room for', () => {
    const many = Array.from({ length: 200 }, (_, index) => `team-of-many-words-${index}`);
    const crowded = policyOf({
      clients: [clientEntry('courier', { scopes })],
      teams: many.map((name) => team(name, { members: ['courier'] })),
    });
    const caller = Caller.fromToken(issuer.verified({ scope: scopes.join(' ') }), crowded);
    const request = { scopes: undefined, resource: undefined, ttlSeconds: undefined, teams: many };
    expect(caller.ok && planVending(crowded, caller.value, request, place)).toMatchObject({
      error: { reason: 'invalid_argument', detail: expect.stringContaining('too many') },
    });
  });
});

describe('a token that is exchanged', () => {
  const exchange = (subject: Caller, target: string | undefined) =>
    planExchange(
      policy,
      policy.clients.get('broker') ?? clientEntry('nobody'),
      { subject, actor: undefined },
      { scope: undefined, target },
      place,
    );

  test('has the teams of the token that was exchanged', () => {
    const courier = callerOf(planned(machine('courier', 'deck')));
    expect(seen(callerOf(planned(exchange(courier, ORIGIN))))).toBe('deck diary maps');
  });

  test('of a token without teams shows what is public', () => {
    const courier = callerOf(planned(machine('courier', 'none')));
    const plan = planned(exchange(courier, ORIGIN));
    expect([seen(callerOf(plan)), isPublicOnly(plan)]).toEqual(['maps', true]);
    expect(exchange(courier, `${ORIGIN}/diary/mcp`)).toMatchObject({ error: { error: 'invalid_target' } });
  });
});

describe('an identity token', () => {
  const server = 'https://tower.internal.example.com/mcp';
  const identity = { keyId: issuer.identity.published.keyId, issuer: ORIGIN, nowSeconds: NOW_SECONDS };

  test.for<readonly [string, string | undefined]>([
    ['courier', undefined],
    ['courier', 'deck'],
    ['courier', 'none'],
    ['loner', undefined],
  ])('stands for what the token of %s with teams %j stands for', ([clientId, teams]) => {
    const caller = callerOf(planned(machine(clientId, teams)));
    const [header = '', payload = ''] = mintIdentityToken(caller, server, identity)
      .signingInput.split('.')
      .map((part) => Buffer.from(part, 'base64url').toString());
    const verified = issuer.verify(issuer.sign(header, payload, issuer.identity), NOW_SECONDS, 'identity');
    const delegated = verified.ok ? Caller.fromToken(verified.value, policy, NOW_SECONDS) : verified;
    expect(delegated.ok && [delegated.value.teams, delegated.value.isPublicOnly]).toEqual([
      caller.teams,
      caller.isPublicOnly,
    ]);
  });
});
