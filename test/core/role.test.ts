import { describe, expect, test } from 'vitest';
import { PERMISSIONS } from '../../functions/core/permission.ts';
import { BUILT_IN_ROLES, type RoleBinding, Roles } from '../../functions/core/role.ts';

const NOW = 1_800_000_000;
const binding = (role: string, changes: Partial<RoleBinding> = {}): RoleBinding => {
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
const alice = { orgId: 'acme', subject: 'corp:alice', groups: ['staff'] };

describe('the built-in roles', () => {
  test('have permissions of the catalogue, and `platform_admin` alone has every one', () => {
    for (const { name, permissions } of BUILT_IN_ROLES.values()) {
      const [first] = new Roles([], [binding(name, { groups: ['staff'] })]).of(alice, NOW);
      const has = first?.permissions ?? new Set();
      expect([...has].filter((permission) => !PERMISSIONS.has(permission))).toEqual([]);
      expect([name, has.size === PERMISSIONS.size]).toEqual([name, name === 'platform_admin']);
      if (name !== 'platform_admin') expect(has.size).toBe(new Set(permissions).size);
    }
  });

  const READING = 'a2a.read prompts.read resources.read servers.read tags.read teams.read tools.read';
  const MAKING =
    'a2a.create a2a.delete a2a.update prompts.create prompts.delete prompts.update resources.create resources.delete resources.update servers.create servers.delete servers.update tags.create tags.delete tags.update tools.create tools.delete tools.update';
  const USING =
    'a2a.invoke gateways.read prompts.execute resources.share servers.use tokens.create tokens.read tools.execute';
  const LEADING =
    'gateways.create gateways.delete gateways.update servers.manage teams.delete teams.manage_members teams.update tokens.revoke tokens.update users.invite users.read';

  test.for([
    ['viewer', `${READING} teams.join`],
    ['developer', `${READING} teams.join ${MAKING} ${USING}`],
    ['team_admin', `${READING} teams.join ${MAKING} ${USING} ${LEADING}`],
    [
      'platform_viewer',
      `${READING} admin.dashboard admin.events admin.overview gateways.read plugins.read tokens.read users.read`,
    ],
  ] as const)('`%s` has what is written of it', ([name, permissions]) => {
    expect(BUILT_IN_ROLES.get(name)?.permissions.toSorted()).toEqual(permissions.split(' ').toSorted());
  });

  test('of teams have nothing of administration, and each has what the lesser one has', () => {
    const of = (name: string) => new Set(BUILT_IN_ROLES.get(name)?.permissions);
    for (const name of ['team_admin', 'developer', 'viewer']) {
      expect([...of(name)].filter((permission) => permission.startsWith('admin.'))).toEqual([]);
    }
    expect([...of('viewer')].filter((permission) => !of('developer').has(permission))).toEqual([]);
    expect([...of('developer')].filter((permission) => !of('team_admin').has(permission))).toEqual([]);
    expect(
      [...of('platform_viewer')].filter((name) => /create|update|delete|manage|revoke/.test(name)),
    ).toEqual([]);
  });
});

describe('a role is held', () => {
  const roles = (one: RoleBinding) =>
    new Roles(
      [{ org: 'acme', name: 'auditor', scope: undefined, permissions: ['admin.security_audit'] }],
      [one],
    );

  test.for<readonly [string, RoleBinding, number]>([
    ['by name', binding('viewer', { members: ['corp:alice'] }), 1],
    ['by group', binding('viewer', { groups: ['staff'] }), 1],
    ['by nobody else', binding('viewer', { members: ['corp:bob'], groups: ['Staff', 'corp:alice'] }), 0],
    [
      'until the second at which it ends',
      binding('viewer', { groups: ['staff'], expiresAtSeconds: NOW + 1 }),
      1,
    ],
    ['not at that second', binding('viewer', { groups: ['staff'], expiresAtSeconds: NOW }), 0],
    ['in its own organisation alone', binding('viewer', { org: 'rival', groups: ['staff'] }), 0],
    ['where it is one of the organisation’s', binding('auditor', { groups: ['staff'] }), 1],
    ['where it is known at all', binding('ghost', { groups: ['staff'] }), 0],
    [
      'in its own organisation alone, though another has a role of that name',
      binding('auditor', { org: 'rival', groups: ['staff'] }),
      0,
    ],
    ['under no name of an object’s prototype', binding('constructor', { groups: ['staff'] }), 0],
  ])('%s', ([, one, held]) => {
    expect(roles(one).of(alice, NOW)).toHaveLength(held);
  });

  test('with the team that it is bound to', () => {
    expect(roles(binding('viewer', { team: 'pilots', groups: ['staff'] })).of(alice, NOW)).toMatchObject([
      { role: 'viewer', team: 'pilots' },
    ]);
  });

  test('without what is no permission, also where it was stored', () => {
    const stored = new Roles(
      [{ org: 'acme', name: 'all', scope: undefined, permissions: ['*', 'tools.*', 'tools.read'] }],
      [binding('all', { groups: ['staff'] })],
    );
    expect([...(stored.of(alice, NOW)[0]?.permissions ?? [])]).toEqual(['tools.read']);
  });

  test('never, where the organisation has none of that name', () => {
    const bare = new Roles([], [binding('auditor', { groups: ['staff'] })]);
    expect(bare.of(alice, NOW)).toEqual([]);
  });

  test('a group of one binding among many is known', () => {
    const many = new Roles(
      [],
      [binding('viewer', { groups: ['staff'] }), binding('viewer'), binding('viewer', { org: 'rival' })],
    );
    expect([many.isGroupUsed('staff'), many.isGroupUsed('crew')]).toEqual([true, false]);
  });

  test('a group that a role depends on is known, and an organisation that gives roles', () => {
    const some = roles(binding('viewer', { groups: ['staff'] }));
    expect([some.isGroupUsed('staff'), some.isGroupUsed('viewer')]).toEqual([true, false]);
    expect([some.areUsedIn('acme'), some.areUsedIn('rival')]).toEqual([true, false]);
  });
});
