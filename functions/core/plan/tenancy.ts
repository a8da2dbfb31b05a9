import type { Snapshot } from '../policy.ts';
import type { RoleBinding, RoleEntry } from '../role.ts';
import { type TeamEntry, Teams } from '../team.ts';
import { type Change, compareNames } from './change.ts';
import { compareEntries, type Part } from './entries.ts';

/** What changes in who is in which team, and who holds which role. */
export function compareTenancy(before: Snapshot, after: Snapshot): readonly Change[] {
  return [
    ...compareEntries(TEAMS, withInherited(before.teams ?? []), withInherited(after.teams ?? [])),
    ...compareEntries(ROLES, before.roles ?? [], after.roles ?? []),
    ...compareBindings(before.roleBindings ?? [], after.roleBindings ?? []),
  ];
}

/** Teams with everybody who is in them, by inheritance too. */
function withInherited(entries: readonly TeamEntry[]): readonly TeamEntry[] {
  const teams = new Teams(entries);
  const keyOf = (org: string, name: string) => JSON.stringify([org, name]);
  const above = new Map<string, TeamEntry[]>(entries.map(({ org, name }) => [keyOf(org, name), []]));
  for (const team of entries) {
    for (const below of teams.expand(team.org, [team.name])) above.get(keyOf(team.org, below))?.push(team);
  }
  return entries.map((team) => {
    const all = above.get(keyOf(team.org, team.name));
    const union = (member: 'members' | 'groups') => [...new Set(all?.flatMap((one) => one[member]))];
    return { ...team, members: union('members'), groups: union('groups') };
  });
}

const TEAMS: Part<TeamEntry> = {
  part: 'teams',
  noun: 'team',
  nameOf,
  added: { effect: 'gain', words: (team) => `is new, with ${whoIn(team).join(', ') || 'nobody in it'}` },
  removed: { effect: 'loss', words: () => 'is gone: what is for it is hidden from everybody' },
  told: ['org', 'name', 'members', 'groups'],
  handled: ['members', 'groups'],
  compare: (before, after) => {
    const name = nameOf(after);
    const { gained, lost } = compareNames(whoIn(before), whoIn(after));
    return [
      ...gained.map((who) => changeOf('gain', 'teams', name, `${who} is now in the team ${name}`)),
      ...lost.map((who) => changeOf('loss', 'teams', name, `${who} is no longer in the team ${name}`)),
    ];
  },
};

const ROLES: Part<RoleEntry> = {
  part: 'roles',
  noun: 'role',
  nameOf,
  added: {
    effect: 'change',
    words: ({ permissions }) => `is new, and permits ${permissions.join(', ') || 'nothing'}`,
  },
  removed: { effect: 'change', words: () => 'is gone' },
  told: ['org', 'name', 'permissions'],
  handled: ['permissions'],
  compare: (before, after) => {
    const name = nameOf(after);
    const { gained, lost } = compareNames(before.permissions, after.permissions);
    return [
      ...gained.map((one) => changeOf('gain', 'roles', name, `the role ${name} now permits ${one}`)),
      ...lost.map((one) => changeOf('loss', 'roles', name, `the role ${name} no longer permits ${one}`)),
    ];
  },
};

function compareBindings(before: readonly RoleBinding[], after: readonly RoleBinding[]): readonly Change[] {
  const { gained, lost } = compareNames(before.flatMap(held), after.flatMap(held));
  const orgsOf = (bindings: readonly RoleBinding[]) => bindings.map(({ org }) => org);
  const using = compareNames(orgsOf(before), orgsOf(after));
  const part = 'roleBindings';
  return [
    ...using.gained.map((org) =>
      changeOf('loss', part, org, `${org} gives roles now: who administers it needs one beside the UI scope`),
    ),
    ...using.lost.map((org) =>
      changeOf('gain', part, org, `${org} gives no roles any more: a UI scope alone administers it`),
    ),
    ...gained.map((one) => changeOf('gain', part, one, `now ${one}`)),
    ...lost.map((one) => changeOf('loss', part, one, `no longer ${one}`)),
  ];
}

/** What a binding gives to each whom it names, in words. */
function held({ org, role, team, expiresAtSeconds, ...whom }: RoleBinding): readonly string[] {
  const place = team === undefined ? org : `the team ${org}/${team}`;
  const until =
    expiresAtSeconds === undefined ? '' : ` until ${new Date(expiresAtSeconds * 1000).toISOString()}`;
  return whoIn(whom).map((who) => `${who} is ${role} of ${place}${until}`);
}

/** Members by their subjects, and groups as groups: a group may have the name of a client. */
function whoIn({ members, groups }: Pick<TeamEntry, 'members' | 'groups'>): readonly string[] {
  return [...members, ...groups.map((group) => `the group ${group}`)];
}

function nameOf({ org, name }: { readonly org: string; readonly name: string }): string {
  return `${org}/${name}`;
}

function changeOf(effect: Change['effect'], part: string, name: string, text: string): Change {
  return { effect, part, name, text };
}
