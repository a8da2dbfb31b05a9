import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Action } from '../../functions/core/action.ts';
import { Caller } from '../../functions/core/caller.ts';
import { decide, decideFor, isAllowed } from '../../functions/core/decide.ts';
import { hypotheticalParty } from '../../functions/core/hypothetical.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, TestIssuer } from '../support/test-issuer.ts';

const CORE = join(import.meta.dirname, '..', '..', 'functions');
const issuer = new TestIssuer();
const call: Action = { server: 'fin', kind: 'request', method: 'tools/call', name: 'a', arguments: 'unseen' };
const scopes = ['fin/a', 'fin/b', 'fin/deny'];
const policy = policyOf({
  servers: [
    serverEntry('fin'),
    serverEntry('team', { org: 'acme', visibility: 'team:blue' }),
    serverEntry('own', { org: 'acme', visibility: 'private:corp:ann' }),
  ],
  scopes: [
    ['fin/a', [scopeRule('fin', ['tools/call'], ['a']), scopeRule('team', ['tools/call'], ['a'])]],
    ['fin/b', [scopeRule('*', ['tools/call'], ['b'])]],
    ['fin/deny', [{ ...scopeRule('fin', ['tools/call'], ['b']), deny: 'part' }]],
  ],
  groups: [
    ['readers', ['fin/a']],
    ['writers', ['fin/a', 'fin/b', 'fin/deny']],
  ],
  teams: [
    {
      org: 'acme',
      name: 'blue',
      members: ['courier'],
      groups: ['writers'],
      parent: undefined,
      inherit: false,
    },
  ],
  clients: [
    clientEntry('courier', { scopes: ['fin/a', 'fin/b'], groups: ['readers', 'writers'] }),
    clientEntry('desk', { scopes, groups: [] }),
    clientEntry('lorry', { groups: ['writers'] }),
    clientEntry('gone', { disabled: true }),
    clientEntry('foreign', { org: 'globex' }),
  ],
  idps: [identityProvider('corp')],
});

test('a hypothetical party is decided on as the caller of a fresh token is', () => {
  const groups = fc.subarray(['readers', 'writers']);
  const party = fc.oneof(
    fc.record({
      clientId: fc.constant('courier'),
      groups: fc.constant(['readers', 'writers']),
      scopes: fc.subarray(scopes),
    }),
    fc.record({
      clientId: fc.constant('desk'),
      subject: fc.constant('corp:ann'),
      groups,
      scopes: fc.subarray(scopes),
    }),
  );
  const action: fc.Arbitrary<Action> = fc.record({
    server: fc.constantFrom('fin', 'team', 'own', 'nothing'),
    kind: fc.constantFrom<Action['kind']>('request', 'notification'),
    method: fc.constantFrom('tools/call', 'tools/list', 'ping', undefined),
    name: fc.constantFrom('a', 'b', 'c', undefined),
    arguments: fc.constant<Action['arguments']>('unseen'),
  });
  fc.assert(
    fc.property(party, action, (claims, asked) => {
      const { clientId, groups: held, scopes: carried } = claims;
      const subject = 'subject' in claims ? claims.subject : clientId;
      const token = issuer.verified({
        sub: subject,
        client_id: clientId,
        scope: carried.join(' '),
        groups: held,
        token_kind: 'session',
      });
      const caller = Caller.fromToken(token, policy, NOW_SECONDS);
      const assumed = hypotheticalParty(policy, { orgId: 'acme', ...claims, teams: [] }, NOW_SECONDS);
      if (!caller.ok || !assumed.ok) throw new Error('the test’s own party is refused');
      expect(decideFor(policy, assumed.value, asked, NOW_SECONDS)).toEqual(
        decide(policy, caller.value, asked, NOW_SECONDS),
      );
    }),
  );
});

test('what is not said is what the configuration gives', () => {
  const agent = hypotheticalParty(policy, { orgId: 'acme', clientId: 'courier' }, NOW_SECONDS);
  expect(agent).toMatchObject({
    ok: true,
    value: { kind: 'agent', scopes: ['fin/a', 'fin/b'], teams: ['blue'] },
  });
  const user = hypotheticalParty(
    policy,
    { orgId: 'acme', clientId: 'desk', subject: 'corp:ann' },
    NOW_SECONDS,
  );
  expect(user).toMatchObject({ ok: true, value: { kind: 'user', scopes: [], teams: [] } });
});

test.for<readonly [readonly string[] | undefined, readonly string[]]>([
  [undefined, ['blue']],
  [['writers', 'readers'], ['blue']],
  [['readers'], []],
  [[], []],
])(
  'an agent of the group of a team, with the groups %j in its token, is in the teams %j',
  ([groups, teams]) => {
    const said = groups === undefined ? {} : { groups };
    const agent = hypotheticalParty(policy, { orgId: 'acme', clientId: 'lorry', ...said }, NOW_SECONDS);
    expect(agent.ok && agent.value.teams).toEqual(teams);
  },
);

test('an agent is in no team by a group that is not its own, a user is in those of the groups that are said', () => {
  const teamsOf = (claims: { clientId: string; subject?: string }) => {
    const party = hypotheticalParty(policy, { orgId: 'acme', groups: ['writers'], ...claims }, NOW_SECONDS);
    return party.ok && party.value.teams;
  };
  expect(teamsOf({ clientId: 'desk' })).toEqual([]);
  expect(teamsOf({ clientId: 'desk', subject: 'corp:ann' })).toEqual(['blue']);
});

test('a user may obtain and is entitled to what the groups give, an agent to what it and its client may have', () => {
  const entitled = (claims: { clientId: string; subject: string; groups?: readonly string[] }) => {
    const party = hypotheticalParty(policy, { orgId: 'acme', ...claims }, NOW_SECONDS);
    if (!party.ok) throw new Error(party.error.reason);
    const { obtainableScopes, isEntitledTo } = party.value;
    return [obtainableScopes, scopes.filter((scope) => isEntitledTo(scope))];
  };
  expect(entitled({ clientId: 'desk', subject: 'corp:ann', groups: ['readers'] })).toEqual([
    ['fin/a'],
    ['fin/a'],
  ]);
  expect(entitled({ clientId: 'courier', subject: 'corp:ann', groups: ['writers'] })).toEqual([
    ['fin/a', 'fin/b'],
    scopes,
  ]);
  expect(entitled({ clientId: 'desk', subject: 'courier' })).toEqual([scopes, scopes]);
  expect(entitled({ clientId: 'lorry', subject: 'courier' })).toEqual([[], ['fin/a', 'fin/b']]);
});

test.for([
  [{ clientId: 'nobody' }, 'unknown_client'],
  [{ clientId: 'gone' }, 'client_disabled'],
  [{ clientId: 'foreign' }, 'org_mismatch'],
  [{ clientId: 'desk', subject: 'other:ann' }, 'identity_provider_gone'],
] as const)('%j is no party: %s', ([claims, reason]) => {
  expect(hypotheticalParty(policy, { orgId: 'acme', ...claims }, NOW_SECONDS)).toEqual({
    ok: false,
    error: { reason },
  });
});

test('a hypothetical party opens nothing: it is no caller, and no cast makes it one', () => {
  const assumed = hypotheticalParty(policy, { orgId: 'acme', clientId: 'courier' }, NOW_SECONDS);
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: what the test is about
  const cast = (assumed.ok ? assumed.value : undefined) as unknown as Caller;
  expect(Caller.is(cast)).toBe(false);
  expect(Caller.is(Object.setPrototypeOf({ ...cast }, Caller.prototype))).toBe(false);
  expect(() => decide(policy, cast, call, NOW_SECONDS)).toThrow(TypeError);
  expect(() => isAllowed(policy, cast, call, NOW_SECONDS)).toThrow(TypeError);
});

test('only the explanation asks for a decision about a party that may be nobody', () => {
  const asking = globSync('**/*.ts', { cwd: CORE }).filter((path) =>
    /\b(?:decideFor|hypotheticalParty)\b/.test(readFileSync(join(CORE, path), 'utf8')),
  );
  expect(asking.sort()).toEqual([
    'core/decide.ts',
    'core/explain.ts',
    'core/hypothetical.ts',
    'core/remedy.ts',
    'handlers/explain.ts',
  ]);
});
