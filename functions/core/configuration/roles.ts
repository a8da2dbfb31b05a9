import { PERMISSIONS } from '../permission.ts';
import { BUILT_IN_ROLES, PLATFORM_ADMIN, type RoleEntry } from '../role.ts';
import type { YamlReader } from './yaml-reader.ts';

const ROLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** How long a line of inheritance may be. */
const MAX_INHERITANCE = 8;

/** A role as it is written: what it inherits is not in its permissions yet. */
type Written = {
  readonly name: string;
  readonly scope: RoleEntry['scope'];
  readonly permissions: readonly string[];
  readonly inherits: readonly string[];
  readonly value: YamlReader;
};

/**
 * Reads the roles of one organisation, each with all that it inherits. A role inherits from others of the organisation and from the built-in
 * ones, but for `platform_admin`: who is to have every permission is given that one.
 */
export function readRoles(org: string, roles: YamlReader | undefined): readonly RoleEntry[] {
  const written = (roles?.entries() ?? []).flatMap(([name, value]) => readRole(name, value) ?? []);
  const byName = new Map(written.map((role) => [role.name, role]));
  return written.map((role) => ({
    org,
    name: role.name,
    scope: role.scope,
    permissions: [...new Set(inherit(role, byName))],
  }));
}

function readRole(name: string, value: YamlReader): Written | undefined {
  if (BUILT_IN_ROLES.has(name)) {
    return value.problem(
      `\`${name}\` is a built-in role; name yours otherwise, and let it inherit from that one`,
    );
  }
  if (!ROLE_NAME.test(name)) return value.problem('a role is named by letters, digits and ._- (128 at most)');
  const { scope, permissions, inherits, description } = value.members(
    'scope',
    'permissions',
    'inherits',
    'description',
  );
  description?.string();
  return {
    name,
    scope: scope?.oneOf('global', 'team'),
    permissions: (permissions?.items() ?? []).flatMap((item) => readPermission(item) ?? []),
    inherits: inherits?.strings() ?? [],
    value: inherits ?? value,
  };
}

function readPermission(item: YamlReader): string | undefined {
  const name = item.string();
  if (name === undefined || PERMISSIONS.has(name)) return name;
  const [category = ''] = name.split('.');
  const ofCategory = [...PERMISSIONS].filter((permission) => permission.startsWith(`${category}.`));
  if (name === '*')
    return item.problem(`\`*\` is for \`${PLATFORM_ADMIN}\` alone: give that role, or name each one`);
  if (ofCategory.length === 0) {
    const categories = [...new Set([...PERMISSIONS].map((permission) => permission.split('.')[0]))];
    return item.problem(`there is no permission \`${name}\`; the categories are ${categories.join(', ')}`);
  }
  return item.problem(`there is no permission \`${name}\`; name each one of: ${ofCategory.join(', ')}`);
}

/** All permissions of a role: those of every role that it reaches. What is wrong with one that it inherits is that one's problem. */
function inherit(role: Written, roles: ReadonlyMap<string, Written>): readonly string[] {
  const permissions = [...role.permissions];
  const ways = new Map([[role, [role.name]]]);
  for (const [at, way] of ways) {
    for (const name of at.inherits) {
      const next = roles.get(name);
      const builtIn = BUILT_IN_ROLES.get(name);
      const isInheritable = (next !== undefined || builtIn !== undefined) && name !== PLATFORM_ADMIN;
      const obstacle = isInheritable ? obstacleOf([...way, name]) : undefined;
      if (!isInheritable && at === role) {
        role.value.problem(
          name === PLATFORM_ADMIN
            ? `\`${name}\` is not inherited: give that role itself`
            : `there is no role \`${name}\` in this organisation`,
        );
      } else if (obstacle !== undefined) role.value.problem(obstacle);
      else if (builtIn !== undefined) permissions.push(...builtIn.permissions);
      else if (next !== undefined && !ways.has(next)) {
        ways.set(next, [...way, name]);
        permissions.push(...next.permissions);
      }
    }
  }
  return permissions;
}

/** Why a line of roles, each inheriting the next, is none. */
function obstacleOf(way: readonly string[]): string | undefined {
  const [first, ...others] = way;
  if (first !== undefined && others.includes(first))
    return `a role does not inherit itself: ${way.join(' → ')}`;
  return way.length > MAX_INHERITANCE
    ? `a line of inheritance is at most ${MAX_INHERITANCE} roles long`
    : undefined;
}
