import { indexByNames } from './name-index.ts';
import { EVERY_PERMISSION, PERMISSIONS } from './permission.ts';

/** Where a role can be given: for the whole organisation, or within one team. */
export type RoleScope = 'global' | 'team';

/** A role of one organisation, with what it inherits (`orgs.yml`). */
export type RoleEntry = {
  readonly org: string;
  readonly name: string;
  /** Undefined: either. */
  readonly scope: RoleScope | undefined;
  readonly permissions: readonly string[];
};

/** Who holds a role (`orgs.yml`). */
export type RoleBinding = {
  readonly org: string;
  readonly role: string;
  /** Undefined: for the whole organisation. */
  readonly team: string | undefined;
  readonly members: readonly string[];
  readonly groups: readonly string[];
  readonly expiresAtSeconds: number | undefined;
};

/** A role that somebody holds now. */
export type HeldRole = {
  readonly role: string;
  readonly team: string | undefined;
  readonly permissions: ReadonlySet<string>;
};

/** The role that has every permission and is in every team, and still sees nobody else's private items. */
export const PLATFORM_ADMIN = 'platform_admin';

const READING = [
  'teams.read',
  'tools.read',
  'resources.read',
  'prompts.read',
  'servers.read',
  'a2a.read',
  'tags.read',
];
const VIEWING = [...READING, 'teams.join'];
const WORKING = ['tools', 'resources', 'prompts', 'a2a', 'tags'].flatMap((category) =>
  ['create', 'update', 'delete'].map((action) => `${category}.${action}`),
);
const DEVELOPING = [
  ...VIEWING,
  ...WORKING,
  'tools.execute',
  'prompts.execute',
  'a2a.invoke',
  'resources.share',
  'servers.use',
  'servers.create',
  'servers.update',
  'servers.delete',
  'gateways.read',
  'tokens.create',
  'tokens.read',
];
const LEADING = [
  ...DEVELOPING,
  'teams.update',
  'teams.delete',
  'teams.manage_members',
  'users.read',
  'users.invite',
  'servers.manage',
  'gateways.create',
  'gateways.update',
  'gateways.delete',
  'tokens.update',
  'tokens.revoke',
];
const WATCHING = [
  ...READING,
  'users.read',
  'plugins.read',
  'gateways.read',
  'tokens.read',
  'admin.overview',
  'admin.dashboard',
  'admin.events',
];

/** The roles that every organisation has; their names are reserved. */
export const BUILT_IN_ROLES: ReadonlyMap<string, Omit<RoleEntry, 'org'>> = new Map(
  [
    { name: PLATFORM_ADMIN, scope: 'global' as const, permissions: [EVERY_PERMISSION] },
    { name: 'platform_viewer', scope: 'global' as const, permissions: WATCHING },
    { name: 'team_admin', scope: 'team' as const, permissions: LEADING },
    { name: 'developer', scope: 'team' as const, permissions: DEVELOPING },
    { name: 'viewer', scope: 'team' as const, permissions: VIEWING },
  ].map((role) => [role.name, role]),
);

/** The roles and bindings of every organisation, indexed. Equal names of two organisations never meet. Immutable. */
export class Roles {
  readonly #permissions: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;
  readonly #bindings: ReadonlyMap<string, OrgBindings>;

  constructor(roles: readonly RoleEntry[], bindings: readonly RoleBinding[]) {
    const byOrg = Map.groupBy(roles, ({ org }) => org);
    this.#permissions = new Map([...byOrg].map(([org, custom]) => [org, new Map(custom.map(toPermissions))]));
    const bound = Map.groupBy(bindings, ({ org }) => org);
    this.#bindings = new Map([...bound].map(([org, ofOrg]) => [org, indexBindings(ofOrg)]));
  }

  /** Does this organisation give roles at all? Then administration takes one, beside its scope. */
  areUsedIn(orgId: string): boolean {
    return this.#bindings.has(orgId);
  }

  /**
   * The roles that a subject holds at a moment, by name or by group; a binding ends at its very second. A role that is bound and not
   * known gives nothing. Does NOT check that the subject is in the team that a role is bound to.
   */
  of(
    {
      orgId,
      subject,
      groups,
    }: { readonly orgId: string; readonly subject: string; readonly groups: readonly string[] },
    nowSeconds: number,
  ): readonly HeldRole[] {
    const org = this.#bindings.get(orgId);
    const named = org?.bySubject.get(subject) ?? [];
    return [...new Set([...named, ...groups.flatMap((group) => org?.byGroup.get(group) ?? [])])]
      .filter(({ expiresAtSeconds: ends }) => ends === undefined || nowSeconds < ends)
      .flatMap(({ role, team }) => {
        const permissions = this.#permissionsOf(orgId, role);
        return permissions === undefined ? [] : [{ role, team, permissions }];
      });
  }

  /** Does a role depend on this group anywhere? */
  isGroupUsed(group: string): boolean {
    return [...this.#bindings.values()].some(({ byGroup }) => byGroup.has(group));
  }

  #permissionsOf(orgId: string, role: string): ReadonlySet<string> | undefined {
    return BUILT_IN.get(role) ?? this.#permissions.get(orgId)?.get(role);
  }
}

/** Who is named in the bindings of one organisation. */
type OrgBindings = {
  readonly bySubject: ReadonlyMap<string, readonly RoleBinding[]>;
  readonly byGroup: ReadonlyMap<string, readonly RoleBinding[]>;
};

function indexBindings(bindings: readonly RoleBinding[]): OrgBindings {
  return {
    bySubject: indexByNames(bindings, ({ members }) => members),
    byGroup: indexByNames(bindings, ({ groups }) => groups),
  };
}

const BUILT_IN: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...BUILT_IN_ROLES.values()].map((role) => [
    role.name,
    new Set(role.permissions.includes(EVERY_PERMISSION) ? PERMISSIONS : role.permissions),
  ]),
);

function toPermissions({ name, permissions }: RoleEntry): readonly [string, ReadonlySet<string>] {
  // What is stored is not trusted to be of the catalogue: `*` would be every permission.
  return [name, new Set(permissions.filter((permission) => PERMISSIONS.has(permission)))];
}
