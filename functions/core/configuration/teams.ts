import { MAX_TEAM_DEPTH, NO_TEAMS, TEAM_NAME, type TeamEntry } from '../team.ts';
import { type Mention, readMembers } from './members.ts';
import type { YamlReader } from './yaml-reader.ts';

/** Words that are no names wherever they stand: that of every one of something (contract §2), and that of none. */
const RESERVED: ReadonlySet<string> = new Set(['all', NO_TEAMS]);

/** Reads the teams of one organisation. Parents must be teams of the same one, and nobody's parent is below it. */
export function readTeams(
  org: string,
  teams: YamlReader | undefined,
  mentions: Mention[],
): readonly TeamEntry[] {
  const parents = new Map<string, YamlReader>();
  const entries = (teams?.entries() ?? []).flatMap(([name, value]) => {
    if (!TEAM_NAME.test(name) || RESERVED.has(name)) {
      return (
        value.problem(
          'a team is named by letters, digits and ._- (128 at most), and never `all` or `none`',
        ) ?? []
      );
    }
    const { members, groups, parent, inherit } = value.members('members', 'groups', 'parent', 'inherit');
    if (parent !== undefined) parents.set(name, parent);
    const inherits = inherit?.boolean() ?? false;
    if (inherits && parent === undefined) inherit?.problem('there is nobody to inherit without a `parent`');
    const entry: TeamEntry = {
      org,
      name,
      members: readMembers(org, members, mentions),
      groups: groups?.strings() ?? [],
      parent: parent?.string(),
      inherit: inherits,
    };
    return [entry];
  });
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const [name, reader] of parents) checkParent(name, byName, reader);
  return entries;
}

function checkParent(name: string, teams: ReadonlyMap<string, TeamEntry>, reader: YamlReader): undefined {
  const parent = teams.get(name)?.parent;
  if (parent === undefined) return undefined;
  if (!teams.has(parent)) return reader.problem(`there is no team \`${parent}\` in this organisation`);
  const line = [name];
  for (let at: string | undefined = parent; at !== undefined; at = teams.get(at)?.parent) {
    if (at === name) return reader.problem(`a team is not above itself: ${[...line, at].join(' → ')}`);
    // A circle further up is the problem of those in it.
    if (line.includes(at)) return undefined;
    line.push(at);
  }
  if (line.length <= MAX_TEAM_DEPTH + 1) return undefined;
  return reader.problem(`at most ${MAX_TEAM_DEPTH} teams stand above one another`);
}
