import { describe, expect, test } from 'vitest';
import { MAX_TEAM_DEPTH, TEAM_NAME, type TeamEntry, Teams } from '../../functions/core/team.ts';

/** A team of `acme` that nobody is in. */
function team(name: string, changes: Partial<TeamEntry> = {}): TeamEntry {
  return { org: 'acme', name, members: [], groups: [], parent: undefined, inherit: false, ...changes };
}

describe('a subject is in a team', () => {
  const teams = new Teams([
    team('pilots', { members: ['courier', 'corp:alice'] }),
    team('crew', { groups: ['flight', 'flight', 'Flight'] }),
    team('cooks'),
    team('pilots', { org: 'rival', members: ['spy'] }),
  ]);

  test.for<readonly [string, string, string, readonly string[], readonly string[]]>([
    ['by its client id', 'acme', 'courier', [], ['pilots']],
    ['by its subject', 'acme', 'corp:alice', [], ['pilots']],
    ['by a group', 'acme', 'corp:bob', ['flight'], ['crew']],
    ['by both, once each', 'acme', 'corp:alice', ['flight', 'Flight'], ['pilots', 'crew']],
    ['in no other case', 'acme', 'corp:Alice', ['FLIGHT'], []],
    ['never for another organisation’s team of that name', 'acme', 'spy', [], []],
    ['in its own organisation', 'rival', 'spy', [], ['pilots']],
    ['never in an organisation that has no teams', 'elsewhere', 'courier', ['flight'], []],
    ['never by a name of an object’s prototype', 'acme', 'constructor', ['__proto__'], []],
  ])('%s', ([, orgId, subject, groups, expected]) => {
    expect(teams.of(orgId, subject, groups)).toEqual(expected);
  });

  test('every team has its name in its organisation', () => {
    expect(teams.namesOf('acme')).toEqual(['pilots', 'crew', 'cooks']);
    expect(teams.namesOf('elsewhere')).toEqual([]);
  });

  test('a group that a team depends on is known', () => {
    expect(['flight', 'pilots', 'constructor'].map((group) => teams.isGroupUsed(group))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('a parent', () => {
  const teams = new Teams([
    team('all', { members: ['chief'] }),
    team('north', { parent: 'all', inherit: true, members: ['scout'] }),
    team('port', { parent: 'north', inherit: true }),
    team('south', { parent: 'all', inherit: false }),
    team('cape', { parent: 'south', inherit: true }),
    team('north', { org: 'rival', parent: 'all', inherit: true }),
  ]);

  test('opens what inherits below it, at any depth, and nothing that does not', () => {
    expect(teams.of('acme', 'chief', [])).toEqual(['all', 'north', 'port']);
  });

  test('is not opened by its child', () => {
    expect(teams.of('acme', 'scout', [])).toEqual(['north', 'port']);
    expect(teams.expand('acme', ['port'])).toEqual(['port']);
    expect(teams.expand('acme', ['cape', 'south'])).toEqual(['cape', 'south']);
  });

  test('of another organisation opens nothing', () => {
    expect(teams.expand('rival', ['all'])).toEqual([]);
    expect(teams.expand('acme', ['gone', '__proto__'])).toEqual([]);
    expect(teams.expand('elsewhere', ['all'])).toEqual([]);
  });

  test('in a circle, which no compiled policy has, ends', () => {
    const circle = new Teams([
      team('a', { parent: 'b', inherit: true }),
      team('b', { parent: 'c', inherit: true }),
      team('c', { parent: 'b', inherit: true }),
    ]);
    expect(circle.expand('acme', ['b'])).toEqual(['b', 'a', 'c']);
  });

  test('opens no more levels than a policy may have', () => {
    const deep = new Teams(
      Array.from({ length: MAX_TEAM_DEPTH + 3 }, (_, level) =>
        team(`t${level}`, level === 0 ? {} : { parent: `t${level - 1}`, inherit: true }),
      ),
    );
    expect(deep.expand('acme', ['t0'])).toHaveLength(MAX_TEAM_DEPTH + 1);
  });
});

test.for([
  ['pilots', true],
  ['9', true],
  ['A.b_c-d', true],
  ['a'.repeat(128), true],
  ['a'.repeat(129), false],
  ['', false],
  ['.a', false],
  ['-a', false],
  ['a b', false],
  ['a/b', false],
  ['a:b', false],
  ['ä', false],
  [' a', false],
  ['a\n', false],
] as const)('%j is the name of a team: %s', ([name, expected]) => {
  expect(TEAM_NAME.test(name)).toBe(expected);
});
