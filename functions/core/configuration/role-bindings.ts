import { BUILT_IN_ROLES, type RoleBinding, type RoleEntry } from '../role.ts';
import type { TeamEntry } from '../team.ts';
import { type Mention, readMembers } from './members.ts';
import { isOnCalendar } from './time-windows.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** RFC 3339 §5.6, in seconds. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})$/;

/** Reads the bindings of one organisation; the roles and teams that they name must exist. */
export function readRoleBindings(
  org: string,
  bindings: YamlReader | undefined,
  known: { readonly roles: readonly RoleEntry[]; readonly teams: readonly TeamEntry[] },
  mentions: Mention[],
  warnings: ConfigurationProblem[],
): readonly RoleBinding[] {
  return (bindings?.items() ?? []).flatMap((value) => {
    const { role, team, members, groups, expires_at } = value.members(
      'role',
      'team',
      'members',
      'groups',
      'expires_at',
    );
    const name = role?.string();
    if (name === undefined)
      return role === undefined ? (value.problem('name the role: `role: viewer`') ?? []) : [];
    const entry = BUILT_IN_ROLES.get(name) ?? known.roles.find((one) => one.name === name);
    if (entry === undefined) {
      return (
        role?.problem(
          `there is no role \`${name}\`; built in are ${[...BUILT_IN_ROLES.keys()].join(', ')}`,
        ) ?? []
      );
    }
    if (entry.scope === 'team' && team === undefined) {
      value.problem(`\`${name}\` is given within one team: write \`team: NAME\``);
    }
    if (entry.scope === 'global')
      team?.problem(`\`${name}\` is for the whole organisation; leave \`team\` out`);
    const inTeam = team?.string();
    if (inTeam !== undefined && !known.teams.some((one) => one.name === inTeam)) {
      team?.problem(`there is no team \`${inTeam}\` in this organisation`);
    }
    const binding: RoleBinding = {
      org,
      role: name,
      team: inTeam,
      members: readMembers(org, members, mentions),
      groups: groups?.strings() ?? [],
      expiresAtSeconds: readInstant(expires_at),
    };
    if (binding.members.length + binding.groups.length === 0) {
      value.warn('this gives the role to nobody: name `members` or `groups`', warnings);
    }
    return [binding];
  });
}

function readInstant(reader: YamlReader | undefined): number | undefined {
  const text = reader?.string();
  if (text === undefined) return undefined;
  const milliseconds = INSTANT.test(text) && isOnCalendar(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds)
    ? reader?.problem('write a time such as 2027-01-31T18:00:00Z')
    : milliseconds / 1000;
}
