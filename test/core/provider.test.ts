import { expect, test } from 'vitest';
import { CARRIER } from '../support/carrier.ts';
import { policyOf } from '../support/policies.ts';

const EGRESS = { mode: 'user_oauth', key: 'client', fallback: 'none' } as const;

const policy = policyOf({
  orgs: [
    { id: 'acme', suspended: false },
    { id: 'globex', suspended: true },
  ],
  providers: [
    CARRIER,
    { ...CARRIER, name: 'theirs', org: 'globex' },
    { ...CARRIER, name: 'own', org: 'acme' },
  ],
});

test('an organisation’s users connect at its own providers and everybody’s, and nowhere while it is suspended', () => {
  expect(policy.providersOf('acme').map(({ name }) => name)).toEqual(['carrier', 'own']);
  expect(policy.providersOf('globex')).toEqual([]);
});

test.for([
  ['own', 'own'],
  ['carrier', 'carrier'],
  ['theirs', undefined],
  ['gone', undefined],
  [undefined, undefined],
] as const)('the egress of provider %s finds %s', ([provider, found]) => {
  const egress = provider === undefined ? EGRESS : { ...EGRESS, provider };
  expect(policy.providerFor(egress, 'acme')?.name).toBe(found);
});

test('there are none where an older version stored none', () => {
  expect(policyOf().providersOf('acme')).toEqual([]);
});
