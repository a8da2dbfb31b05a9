import { describe, expect, test } from 'vitest';
import { findParties } from '../../functions/core/parties.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf } from '../support/policies.ts';

const accepted = { clientIds: ['desk'], audience: undefined };
const policy = policyOf({
  idps: [
    identityProvider('corp'),
    identityProvider('machine', { login: false, acceptAccessTokens: accepted }),
    identityProvider('rivals', { org: 'rival' }),
    identityProvider('unused', { login: false }),
  ],
  clients: [
    clientEntry('desk'),
    clientEntry('broker'),
    clientEntry('courier'),
    clientEntry('paused', { disabled: true }),
    clientEntry('stranger', { org: 'rival' }),
  ],
});

const look = (clientId: string, subject: string, actors: readonly string[] = []) => {
  const found = findParties(policy, { clientId, subject, actors, orgId: 'acme' });
  return found.ok ? [found.value.client.id, found.value.agent?.id] : found.error.reason;
};

describe('who takes part in a token', () => {
  test.for<readonly [string, Parameters<typeof look>, ReturnType<typeof look>]>([
    ['an agent by itself', ['courier', 'courier'], ['courier', 'courier']],
    ['a client for a user', ['desk', 'corp:sam'], ['desk', undefined]],
    [
      'a client for a user, by way of others',
      ['broker', 'corp:sam', ['broker', 'desk']],
      ['broker', undefined],
    ],
    ['a client for an agent', ['broker', 'courier', ['broker']], ['broker', 'courier']],
    [
      'a client for an agent, on behalf of a user',
      ['broker', 'courier', ['corp:ann']],
      ['broker', 'courier'],
    ],
    [
      'a client for a user of a provider whose tokens are taken',
      ['desk', 'machine:sam'],
      ['desk', undefined],
    ],
    ['nobody, where the user’s provider is gone', ['desk', 'gone:sam'], 'identity_provider_gone'],
    ['nobody, where it has another name', ['desk', 'corporation:sam'], 'identity_provider_gone'],
    ['nobody, where it is another organisation’s', ['desk', 'rivals:sam'], 'identity_provider_gone'],
    [
      'nobody, where it is neither for logins nor for tokens',
      ['desk', 'unused:sam'],
      'identity_provider_gone',
    ],
    [
      'nobody, where the provider of a user who acts is gone',
      ['broker', 'courier', ['gone:ann', 'broker']],
      'identity_provider_gone',
    ],
    ['nobody, where its client is gone', ['gone', 'corp:sam'], 'unknown_client'],
    ['nobody, where its client is disabled', ['paused', 'corp:sam'], 'client_disabled'],
    ['nobody, where its agent is gone', ['broker', 'gone', ['broker']], 'unknown_client'],
    ['nobody, where its agent is disabled', ['broker', 'paused', ['broker']], 'client_disabled'],
    ['a client for an agent, though nobody says that it acts', ['broker', 'courier'], ['broker', 'courier']],
    ['nobody, where such an agent is disabled', ['broker', 'paused'], 'client_disabled'],
    ['nobody, where such an agent is gone', ['broker', 'gone'], 'unknown_client'],
    ['nobody, where its agent is another organisation’s', ['broker', 'stranger', ['broker']], 'org_mismatch'],
    ['nobody, where one who acted is gone', ['broker', 'corp:sam', ['broker', 'gone']], 'unknown_client'],
    [
      'nobody, where one who acted is disabled',
      ['broker', 'corp:sam', ['broker', 'paused']],
      'client_disabled',
    ],
    [
      'nobody, where an open client acted whose class is off',
      ['broker', 'corp:sam', ['https://app.example.com/id']],
      'unknown_client',
    ],
  ])('%s', ([, asked, expected]) => {
    expect(look(...asked)).toEqual(expected);
  });
});
