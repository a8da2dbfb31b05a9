import type { Snapshot } from '../policy.ts';
import { PLATFORM_ADMIN, type RoleBinding, type RoleEntry } from '../role.ts';
import type { TeamEntry } from '../team.ts';
import type { Mention } from './members.ts';
import { readRoleBindings } from './role-bindings.ts';
import { readRoles } from './roles.ts';
import { readTeams } from './teams.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** The grammar of organisations and namespaces (contract §2). */
export const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

/** The one organisation of an installation that lists none. */
export const DEFAULT_ORG = 'default';

/** What `orgs.yml` holds. */
export type OrgsFile = {
  readonly orgs: Snapshot['orgs'];
  readonly teams: readonly TeamEntry[];
  readonly roles: readonly RoleEntry[];
  readonly roleBindings: readonly RoleBinding[];
  /** Who is named in it, to be looked at when clients and providers are known. */
  readonly mentions: readonly Mention[];
};

const OF_AN_ORG = ['teams', 'roles', 'role_bindings'] as const;

type Members = Partial<Record<(typeof OF_AN_ORG)[number], YamlReader>>;

/**
 * Reads `orgs.yml`. Teams, roles and their bindings stand in an organisation, or, where there is no more than one, beside `orgs`.
 */
export function readOrgs(file: YamlReader, warnings: ConfigurationProblem[]): OrgsFile {
  const { orgs, ...beside } = file.members('orgs', ...OF_AN_ORG);
  const found = new Map<string, Members>();
  const entries = (orgs?.entries() ?? []).flatMap(([id, value]) => {
    if (!IDENTIFIER.test(id)) {
      return value.problem('an organisation is named by letters, digits and ._:@-') ?? [];
    }
    const { suspended, display_name, ...members } = value.members('suspended', 'display_name', ...OF_AN_ORG);
    found.set(id, members);
    return [{ id, suspended: suspended?.boolean() ?? false }];
  });
  const [first] = entries;
  for (const name of OF_AN_ORG) {
    const reader = beside[name];
    if (reader === undefined) continue;
    const id = first?.id ?? DEFAULT_ORG;
    if (entries.length > 1 || found.get(id)?.[name] !== undefined) {
      reader.problem(`say whose: write \`${name}\` within an organisation`);
    } else found.set(id, { ...found.get(id), [name]: reader });
  }
  const mentions: Mention[] = [];
  const parts = [...found].map(([id, members]) => readTenancy(id, members, mentions, warnings));
  return {
    orgs: entries,
    teams: parts.flatMap(({ teams }) => teams),
    roles: parts.flatMap(({ roles }) => roles),
    roleBindings: parts.flatMap(({ roleBindings }) => roleBindings),
    mentions,
  };
}

function readTenancy(
  org: string,
  members: Members,
  mentions: Mention[],
  warnings: ConfigurationProblem[],
): Omit<OrgsFile, 'orgs' | 'mentions'> {
  const teams = readTeams(org, members.teams, mentions);
  const roles = readRoles(org, members.roles);
  const roleBindings = readRoleBindings(org, members.role_bindings, { teams, roles }, mentions, warnings);
  const isForGood = ({ role, members: who, groups, expiresAtSeconds }: RoleBinding) =>
    role === PLATFORM_ADMIN && who.length + groups.length > 0 && expiresAtSeconds === undefined;
  if (roleBindings.length > 0 && !roleBindings.some(isForGood)) {
    members.role_bindings?.warn(
      `nobody is \`${PLATFORM_ADMIN}\` of \`${org}\` for good: what no other role permits, nobody may administer`,
      warnings,
    );
  }
  return { teams, roles, roleBindings };
}

/** Reads a reference to an organisation, which must exist where `orgs.yml` lists any. */
export function readOrganisation(org: YamlReader, orgs: Snapshot['orgs']): string | undefined {
  const id = org.string();
  if (id === undefined) return undefined;
  if (!IDENTIFIER.test(id)) return org.problem('an organisation is named by letters, digits and ._:@-');
  if (orgs.length === 0 || orgs.some((known) => known.id === id)) return id;
  return org.problem(`there is no organisation \`${id}\` in orgs.yml`);
}
