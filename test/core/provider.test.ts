import { expect, test } from 'vitest';
import type { Provider } from '../../functions/core/provider.ts';
import { policyOf } from '../support/policies.ts';

const CARRIER: Provider = {
  name: 'carrier',
  displayName: 'The carrier',
  org: undefined,
  private: false,
  clientId: 'c-1',
  clientSecretName: undefined,
  tokenAuth: 'client_secret_post',
  authUrl: 'https://carrier.example/authorize',
  tokenUrl: 'https://carrier.example/token',
  scopes: ['parcels.read'],
  scopeSeparator: ' ',
  authParams: [],
  tokenHeaders: [],
  pkce: true,
};
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
