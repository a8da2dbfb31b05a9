import { describe, expect, test } from 'vitest';
import type { Item } from '../../functions/core/item.ts';
import { authorizeItem, permittedItems } from '../../functions/core/spi.ts';
import { callerOf, clientEntry, policyOf } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const policy = policyOf({
  clients: [clientEntry('courier')],
  roles: [{ org: 'acme', name: 'editor', scope: undefined, permissions: ['tools.read', 'tools.update'] }],
  roleBindings: [
    {
      org: 'acme',
      role: 'editor',
      team: undefined,
      members: ['courier'],
      groups: [],
      expiresAtSeconds: undefined,
    },
  ],
});
const caller = callerOf(new TestIssuer(), policy, []);
const item = (visibility: string, orgId = 'acme'): Item => ({ orgId, visibility });
const open = item('org');

describe('a module asks about one item', () => {
  test('and gets it where the caller sees it and a role permits what it wants', () => {
    expect(authorizeItem(caller, 'tools.update', open)).toEqual({ ok: true, value: open });
  });

  test('and is told of no difference between what is hidden and what is not there', () => {
    const none = authorizeItem(caller, 'tools.update', undefined);
    expect(none).toEqual({ ok: false, error: { reason: 'unknown_item' } });
    for (const hidden of [item('private:corp:bob'), item('team:cooks'), item('public', 'rival')])
      expect(authorizeItem(caller, 'tools.update', hidden)).toEqual(none);
  });

  test('and is refused where it is seen and no role permits it', () => {
    expect(authorizeItem(caller, 'tools.delete', open)).toEqual({
      ok: false,
      error: { reason: 'not_granted', obtainable: [] },
    });
  });
});

test('a list shows what a call would be allowed, in its order', () => {
  const items = [item('public'), item('team:cooks'), open, item('org', 'rival')];
  expect(permittedItems(caller, 'tools.read', items)).toEqual([items[0], open]);
  expect(permittedItems(caller, 'tools.delete', items)).toEqual([]);
});
