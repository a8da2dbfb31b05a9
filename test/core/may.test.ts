import { describe, expect, test } from 'vitest';
import type { Item } from '../../functions/core/item.ts';
import { type Actor, may, mayAdminister, permissionsOf } from '../../functions/core/may.ts';
import { ADMINISTRATION, type AdministrationAction, PERMISSIONS } from '../../functions/core/permission.ts';
import type { HeldRole } from '../../functions/core/role.ts';
import { policyOf } from '../support/policies.ts';

const role = (team: string | undefined, ...permissions: readonly string[]): HeldRole => {
  return { role: 'r', team, permissions: new Set(permissions) };
};
const actor = (roles: readonly HeldRole[], changes: Partial<Actor> = {}): Actor => {
  return {
    orgId: 'acme',
    subject: 'corp:alice',
    teams: ['pilots', 'crew'],
    isPublicOnly: false,
    roles,
    ...changes,
  };
};
const item = (visibility: string, orgId = 'acme'): Item => ({ orgId, visibility });

describe('what needs a permission is allowed', () => {
  const global = actor([role(undefined, 'tools.read', 'admin.events')]);
  const inTeam = actor([role('pilots', 'tools.read', 'admin.events')]);

  test.for<readonly [string, Actor, string, Item | undefined, boolean]>([
    ['by a role of the organisation', global, 'tools.read', undefined, true],
    ['by it on what the caller sees', global, 'tools.read', item('team:pilots'), true],
    ['by no other permission', global, 'tools.update', undefined, false],
    ['by no part of its name', global, 'tools', undefined, false],
    ['by no wildcard', global, 'tools.*', undefined, false],
    ['on nothing that is hidden', global, 'tools.read', item('private:corp:bob'), false],
    ['on nothing of another team', global, 'tools.read', item('team:cooks'), false],
    ['on nothing of another organisation', global, 'tools.read', item('public', 'rival'), false],
    ['by nothing, to who has no role', actor([]), 'tools.read', item('public'), false],
    ['by a role of the team that the item is for', inTeam, 'tools.read', item('team:pilots'), true],
    ['by it on no other team’s item', inTeam, 'tools.read', item('team:crew'), false],
    ['by it on nothing that everyone has', inTeam, 'tools.read', item('org'), false],
    [
      'by it on no item of every organisation',
      inTeam,
      'tools.read',
      { orgId: undefined, visibility: 'team:pilots' },
      false,
    ],
    ['by it on nothing of the organisation itself', inTeam, 'tools.read', undefined, false],
    ['by it on no private item of the caller’s own', inTeam, 'tools.read', item('private:corp:alice'), false],
  ])('%s', ([, caller, permission, on, expected]) => {
    expect(may(caller, permission, on)).toBe(expected);
  });

  test('to a public-only token, but for administration', () => {
    const narrowed = { ...global, teams: [], isPublicOnly: true };
    expect(may(narrowed, 'tools.read', item('public'))).toBe(true);
    expect(may(narrowed, 'admin.events')).toBe(false);
    expect(permissionsOf(narrowed)).toEqual(['tools.read']);
  });
});

test('the permissions of a caller are those of its roles for the organisation, sorted', () => {
  const caller = actor([
    role(undefined, 'tools.read', 'a2a.read'),
    role(undefined, 'tools.read'),
    role('pilots', 'tools.update'),
  ]);
  expect(permissionsOf(caller)).toEqual(['a2a.read', 'tools.read']);
});

describe('administration', () => {
  const roleless = policyOf();
  const withRoles = policyOf({
    roleBindings: [
      {
        org: 'acme',
        role: 'viewer',
        team: 'pilots',
        members: ['x'],
        groups: [],
        expiresAtSeconds: undefined,
      },
    ],
  });
  const actions = Object.keys(ADMINISTRATION).filter(
    (name): name is AdministrationAction => name in ADMINISTRATION,
  );

  test.for(actions)('`%s` takes its permission, where the organisation gives roles', (action) => {
    const permission = ADMINISTRATION[action];
    expect(PERMISSIONS.has(permission)).toBe(true);
    const others = [...PERMISSIONS].filter((other) => other !== permission);
    expect(mayAdminister(withRoles, actor([role(undefined, permission)]), action)).toBe(true);
    expect(mayAdminister(withRoles, actor([role(undefined, ...others)]), action)).toBe(false);
    expect(mayAdminister(withRoles, actor([role('pilots', permission)]), action)).toBe(false);
    expect(mayAdminister(withRoles, actor([]), action)).toBe(false);
    expect(mayAdminister(roleless, actor([]), action)).toBe(true);
    expect(mayAdminister(withRoles, actor([], { orgId: 'rival' }), action)).toBe(true);
  });

  test.for(actions)('`%s` is nothing for a public-only token', (action) => {
    const caller = actor([role(undefined, ...PERMISSIONS)], { isPublicOnly: true });
    expect([mayAdminister(withRoles, caller, action), mayAdminister(roleless, caller, action)]).toEqual([
      false,
      false,
    ]);
  });
});
