import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import { revocableTeams, viewerOf } from '../../functions/core/standing.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const team = (name: string, changes: object = {}) => {
  return { org: 'acme', name, members: [], groups: [], parent: undefined, inherit: false, ...changes };
};
const bound = (role: string, changes: object = {}) => {
  return {
    org: 'acme',
    role,
    team: undefined,
    members: [],
    groups: [],
    expiresAtSeconds: undefined,
    ...changes,
  };
};
const policy = policyOf({
  idps: [identityProvider('corp')],
  clients: [clientEntry('courier', { groups: ['drivers'] }), clientEntry('broker')],
  teams: [
    team('pilots', { members: ['corp:alice', 'courier'] }),
    team('crew', { groups: ['drivers'] }),
    team('cooks', { members: ['broker'] }),
    team('night', { parent: 'cooks', inherit: true }),
  ],
  roleBindings: [
    bound('viewer', { team: 'pilots', members: ['corp:alice'] }),
    bound('developer', { team: 'cooks', members: ['corp:alice'] }),
    bound('platform_viewer', { groups: ['drivers'] }),
    bound('platform_admin', { members: ['corp:root'], expiresAtSeconds: NOW_SECONDS + 10 }),
    bound('platform_admin', { members: ['corp:chief'] }),
    bound('platform_admin', { team: 'pilots', members: ['corp:mate'] }),
  ],
});

function callerOf(claims: Changes, nowSeconds?: number) {
  const caller = Caller.fromToken(issuer.verified(claims), policy, nowSeconds);
  if (!caller.ok) throw new Error(`the test's own caller is refused: ${caller.error.reason}`);
  const { teams, isPublicOnly, roles } = caller.value;
  return { teams, isPublicOnly, roles: roles.map(({ role, team: of }) => `${role}@${of ?? 'org'}`) };
}

describe('a caller', () => {
  test.for<readonly [string, Changes, ReturnType<typeof callerOf>]>([
    [
      'that logged in has its teams, and the roles of them',
      { sub: 'corp:alice' },
      { teams: ['pilots'], isPublicOnly: false, roles: ['viewer@pilots'] },
    ],
    [
      'has teams and roles by the groups of its login',
      { sub: 'corp:bob', groups: ['drivers'] },
      { teams: ['crew'], isPublicOnly: false, roles: ['platform_viewer@org'] },
    ],
    [
      'that is an agent has none by a group that it lost',
      { groups: ['drivers', 'flight'] },
      { teams: ['pilots', 'crew'], isPublicOnly: false, roles: ['platform_viewer@org'] },
    ],
    [
      'with a token of no kind that names no team sees what is public, and keeps what is not a team’s role',
      { token_kind: undefined, groups: ['drivers'] },
      { teams: [], isPublicOnly: true, roles: ['platform_viewer@org'] },
    ],
    [
      'with a token of no kind has the team that it names',
      { token_kind: undefined, sub: 'corp:alice', teams: ['pilots', 'cooks'] },
      { teams: ['pilots'], isPublicOnly: false, roles: ['viewer@pilots'] },
    ],
    [
      'with a token of the kind `api` too',
      { token_kind: 'api', sub: 'corp:alice', teams: ['cooks'] },
      { teams: [], isPublicOnly: true, roles: [] },
    ],
    [
      'that administers the platform is in every team',
      { sub: 'corp:root' },
      { teams: ['pilots', 'crew', 'cooks', 'night'], isPublicOnly: false, roles: ['platform_admin@org'] },
    ],
    [
      'that has that role in a team alone is in none for it',
      { sub: 'corp:mate' },
      { teams: [], isPublicOnly: false, roles: [] },
    ],
  ])('%s', ([, claims, expected]) => {
    expect(callerOf(claims, NOW_SECONDS)).toEqual(expected);
  });

  test('has no role past its end, and none that ends where nobody says what time it is', () => {
    for (const nowSeconds of [NOW_SECONDS + 10, undefined]) {
      expect(callerOf({ sub: 'corp:root' }, nowSeconds)).toEqual({
        teams: [],
        isPublicOnly: false,
        roles: [],
      });
    }
  });
});

test('a party without a token is in what the configuration says', () => {
  const party = { orgId: 'acme', subject: 'corp:root', groups: [] };
  expect(viewerOf(policy, party, NOW_SECONDS).teams).toEqual(['pilots', 'crew', 'cooks', 'night']);
  expect(viewerOf(policy, { ...party, subject: 'broker' }, NOW_SECONDS)).toEqual({
    orgId: 'acme',
    subject: 'broker',
    teams: ['cooks', 'night'],
    isPublicOnly: false,
  });
});

describe('a token can be revoked by the teams', () => {
  const party = { orgId: 'acme', subject: 'corp:alice', groups: [] };

  test('though an administrator of the platform is in every team', () => {
    expect(callerOf({ sub: 'corp:chief' }, NOW_SECONDS).teams).toEqual(['pilots', 'crew', 'cooks', 'night']);
  });

  test.for<readonly [string, Parameters<typeof revocableTeams>[1], readonly string[]]>([
    ['that its subject is in', party, ['pilots']],
    ['that its groups stand for', { ...party, groups: ['drivers'] }, ['pilots', 'crew']],
    [
      'and by none that its subject is in as an administrator of the platform',
      { ...party, subject: 'corp:chief' },
      [],
    ],
    [
      'though by one that the token of such an administrator names',
      { ...party, subject: 'corp:chief', teams: ['cooks'] },
      ['cooks', 'night'],
    ],
    ['that those who act are in', { ...party, actors: ['broker'] }, ['pilots', 'cooks', 'night']],
    [
      'that its subject is in by its groups as a client',
      { ...party, subject: 'courier' },
      ['pilots', 'crew'],
    ],
    ['that who acts is in by its groups', { ...party, actors: ['courier'] }, ['pilots', 'crew']],
    [
      'that it names, known or not',
      { ...party, teams: ['cooks', 'gone'] },
      ['pilots', 'cooks', 'gone', 'night'],
    ],
  ])('%s', ([, token, expected]) => {
    expect(revocableTeams(policy, token)).toEqual(expected);
  });
});
