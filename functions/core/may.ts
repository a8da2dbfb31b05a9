import { type Item, teamOf, type Viewer, visible } from './item.ts';
import { ADMINISTRATION, type AdministrationAction, isAdministrative } from './permission.ts';
import type { Policy } from './policy.ts';
import type { HeldRole } from './role.ts';

/** Who acts: a `Caller`, as far as the two layers ask. */
export type Actor = Viewer & { readonly roles: readonly HeldRole[] };

/**
 * May this caller do what needs a permission, to an item or to the organisation itself? It takes a role: one for the whole
 * organisation, or one in the very team that the item is for. What it cannot see it can do nothing to, whatever its roles. A token without teams
 * has no permission `admin.*`. Default deny.
 */
export function may(caller: Actor, permission: string, item?: Item): boolean {
  if (caller.isPublicOnly && isAdministrative(permission)) return false;
  if (item !== undefined && !visible(caller, item)) return false;
  return caller.roles.some((role) => covers(role, caller, item) && role.permissions.has(permission));
}

/** Every permission that a caller has for its whole organisation, sorted. */
export function permissionsOf(caller: Actor): readonly string[] {
  const all = new Set(caller.roles.flatMap((role) => [...role.permissions]));
  return [...all].filter((permission) => may(caller, permission)).sort();
}

/**
 * What the second layer says of an administrative action, which its UI scope (contract §9) permits already: a token without teams
 * administers nothing, and where the organisation gives roles, it takes one with the permission of {@link ADMINISTRATION} too.
 */
export function mayAdminister(policy: Policy, caller: Actor, action: AdministrationAction): boolean {
  if (caller.isPublicOnly) return false;
  return !policy.roles.areUsedIn(caller.orgId) || may(caller, ADMINISTRATION[action]);
}

/** A role of a team is about what that team alone owns: never about the organisation, and never about what others share. */
function covers({ team }: HeldRole, caller: Actor, item: Item | undefined): boolean {
  if (team === undefined) return true;
  return item !== undefined && item.orgId === caller.orgId && teamOf(item) === team;
}
