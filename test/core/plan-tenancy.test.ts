import { expect, test } from 'vitest';
import { compareTenancy } from '../../functions/core/plan/tenancy.ts';
import type { Snapshot } from '../../functions/core/policy.ts';
import { snapshotOf } from '../support/policies.ts';

const team = (changes: object = {}) => {
  return {
    org: 'acme',
    name: 'blue',
    members: ['a'],
    groups: ['g'],
    parent: undefined,
    inherit: false,
    ...changes,
  };
};
const role = (permissions: readonly string[]) => {
  return { org: 'acme', name: 'helper', scope: undefined, permissions };
};
const binding = (changes: object = {}) => {
  return {
    org: 'acme',
    role: 'platform_admin',
    team: undefined,
    members: ['root'],
    groups: [],
    expiresAtSeconds: undefined,
    ...changes,
  };
};
const USED = 'loss: acme gives roles now: who administers it needs one beside the UI scope';
const UNUSED = 'gain: acme gives no roles any more: a UI scope alone administers it';

test.for<readonly [string, Partial<Snapshot>, Partial<Snapshot>, readonly string[]]>([
  ['nothing', { teams: [team()] }, { teams: [team()] }, []],
  ['a team comes', {}, { teams: [team()] }, ['gain: the team acme/blue is new, with a, the group g']],
  [
    'a team comes of nobody',
    {},
    { teams: [team({ members: [], groups: [] })] },
    ['gain: the team acme/blue is new, with nobody in it'],
  ],
  [
    'a team goes',
    { teams: [team()] },
    {},
    ['loss: the team acme/blue is gone: what is for it is hidden from everybody'],
  ],
  [
    'members come and go',
    { teams: [team()] },
    { teams: [team({ members: ['g'], groups: [] })] },
    [
      'gain: g is now in the team acme/blue',
      'loss: a is no longer in the team acme/blue',
      'loss: the group g is no longer in the team acme/blue',
    ],
  ],
  [
    'a team inherits',
    { teams: [team()] },
    { teams: [team({ inherit: true })] },
    ['change: the team acme/blue changes its `inherit` from false to true'],
  ],
  [
    'the same name in another organisation',
    { teams: [team()] },
    { teams: [team(), team({ org: 'rival' })] },
    ['gain: the team rival/blue is new, with a, the group g'],
  ],
  [
    'a role comes',
    {},
    { roles: [role(['tools.read'])] },
    ['change: the role acme/helper is new, and permits tools.read'],
  ],
  [
    'an empty role comes',
    {},
    { roles: [role([])] },
    ['change: the role acme/helper is new, and permits nothing'],
  ],
  ['a role goes', { roles: [role([])] }, {}, ['change: the role acme/helper is gone']],
  [
    'a role permits other things',
    { roles: [role(['tools.read', 'tags.read'])] },
    { roles: [role(['tools.read', 'tools.update'])] },
    [
      'gain: the role acme/helper now permits tools.update',
      'loss: the role acme/helper no longer permits tags.read',
    ],
  ],
  [
    'the first role is given',
    {},
    { roleBindings: [binding()] },
    [USED, 'gain: now root is platform_admin of acme'],
  ],
  [
    'the last role is taken',
    { roleBindings: [binding()] },
    {},
    [UNUSED, 'loss: no longer root is platform_admin of acme'],
  ],
  [
    'a role goes from one to another, in a team',
    { roleBindings: [binding(), binding({ role: 'viewer', team: 'blue', members: ['a'] })] },
    { roleBindings: [binding(), binding({ role: 'viewer', team: 'blue', members: [], groups: ['a'] })] },
    [
      'gain: now the group a is viewer of the team acme/blue',
      'loss: no longer a is viewer of the team acme/blue',
    ],
  ],
  [
    'a role ends some day',
    { roleBindings: [binding()] },
    { roleBindings: [binding({ expiresAtSeconds: 1_800_000_000 })] },
    [
      'gain: now root is platform_admin of acme until 2027-01-15T08:00:00.000Z',
      'loss: no longer root is platform_admin of acme',
    ],
  ],
  [
    'two bindings say what one did',
    { roleBindings: [binding({ members: ['root', 'chief'] })] },
    { roleBindings: [binding(), binding({ members: ['chief'] })] },
    [],
  ],
])('%s', ([, before, after, expected]) => {
  const changes = compareTenancy(snapshotOf(before), snapshotOf(after));
  expect(changes.map(({ effect, text }) => `${effect}: ${text}`)).toEqual(expected);
});
