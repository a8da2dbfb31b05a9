import type { Caller } from './caller.ts';
import type { PolicyRefusal } from './decide.ts';
import { type Item, visible } from './item.ts';
import { may } from './may.ts';
import type { Permission } from './permission.ts';
import { err, ok, type Result } from './result.ts';

/** A module's item is not there for this caller: there is none, or it is hidden. */
export type ItemRefusal = { readonly reason: 'unknown_item' };

/**
 * The one question of a module about one item: what the caller asked for is there for it, and its roles permit what it wants. `item` is what
 * the module found in the caller's own organisation, undefined where it found nothing; what is hidden is answered as that.
 */
export function authorizeItem<T extends Item>(
  caller: Caller,
  permission: Permission,
  item: T | undefined,
): Result<T, ItemRefusal | PolicyRefusal> {
  if (item === undefined || !visible(caller, item)) return err({ reason: 'unknown_item' });
  return may(caller, permission, item) ? ok(item) : err({ reason: 'not_granted', obtainable: [] });
}

/** Of these items, those on which the caller may do this: a list, a count and a search show what a call would be allowed. */
export function permittedItems<T extends Item>(
  caller: Caller,
  permission: Permission,
  items: readonly T[],
): readonly T[] {
  return items.filter((item) => authorizeItem(caller, permission, item).ok);
}
