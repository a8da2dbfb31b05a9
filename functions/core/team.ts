import { indexByNames } from './name-index.ts';

/** A team of one organisation (`orgs.yml`). */
export type TeamEntry = {
  readonly org: string;
  readonly name: string;
  /** Subjects: client ids, and users as `{idp}:{sub}`. */
  readonly members: readonly string[];
  /** Whoever has one of these groups is a member too. */
  readonly groups: readonly string[];
  readonly parent: string | undefined;
  /** Are the members of the parent members here? */
  readonly inherit: boolean;
};

/** How many teams may stand above one another. */
export const MAX_TEAM_DEPTH = 8;

/** The word for no team at all, which is the name of none. */
export const NO_TEAMS = 'none';

/** The names of teams, and what `visibility: team:NAME` may name. */
export const TEAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The teams of every organisation, indexed. Equal names of two organisations never meet. Immutable. */
export class Teams {
  readonly #orgs: ReadonlyMap<string, OrgTeams>;

  constructor(entries: readonly TeamEntry[]) {
    const byOrg = Map.groupBy(entries, ({ org }) => org);
    this.#orgs = new Map([...byOrg].map(([org, teams]) => [org, indexTeams(teams)]));
  }

  /** Every team of an organisation, in the order of the file. */
  namesOf(orgId: string): readonly string[] {
    return [...(this.#orgs.get(orgId)?.below.keys() ?? [])];
  }

  /** The teams in which a subject is now, by name or by group, with all that this opens below them. */
  of(orgId: string, subject: string, groups: readonly string[]): readonly string[] {
    const org = this.#orgs.get(orgId);
    if (org === undefined) return [];
    const named = org.bySubject.get(subject) ?? [];
    const all = [...named, ...groups.flatMap((group) => org.byGroup.get(group) ?? [])];
    return this.expand(
      orgId,
      all.map(({ name }) => name),
    );
  }

  /** These teams and those below that inherit their members, each once. A child never opens its parent; an unknown name opens nothing. */
  expand(orgId: string, names: readonly string[]): readonly string[] {
    const below = this.#orgs.get(orgId)?.below;
    return [...new Set(names.flatMap((name) => below?.get(name) ?? []))];
  }

  /** Does membership of a team depend on this group anywhere? */
  isGroupUsed(group: string): boolean {
    return [...this.#orgs.values()].some(({ byGroup }) => byGroup.has(group));
  }
}

/** The teams of one organisation: what each opens, and who is named in which. */
type OrgTeams = {
  readonly below: ReadonlyMap<string, readonly string[]>;
  readonly bySubject: ReadonlyMap<string, readonly TeamEntry[]>;
  readonly byGroup: ReadonlyMap<string, readonly TeamEntry[]>;
};

function indexTeams(teams: readonly TeamEntry[]): OrgTeams {
  const below = new Map<string, string[]>(teams.map(({ name }) => [name, [name]]));
  const byName = new Map(teams.map((team) => [team.name, team]));
  for (const team of teams)
    for (const above of openingAncestors(team, byName)) below.get(above)?.push(team.name);
  return {
    below,
    bySubject: indexByNames(teams, ({ members }) => members),
    byGroup: indexByNames(teams, ({ groups }) => groups),
  };
}

/** The teams whose members are members of this one: up the parents for as long as each step is flagged as inheriting. */
function openingAncestors(team: TeamEntry, byName: ReadonlyMap<string, TeamEntry>): readonly string[] {
  const found = new Set<string>();
  for (
    let at: TeamEntry | undefined = team;
    at?.inherit && at.parent !== undefined;
    at = byName.get(at.parent)
  ) {
    // The compiler refuses circles; what is stored is not trusted to have none.
    if (found.has(at.parent) || found.size === MAX_TEAM_DEPTH) break;
    found.add(at.parent);
  }
  return [...found];
}
