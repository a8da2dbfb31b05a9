import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { providerScopeWords, wantedScopes } from '../../functions/core/connect-scopes.ts';
import type { Connection } from '../../functions/core/connection.ts';
import { connectionOf, providerEntry } from '../support/connect-app.ts';
import { policyOf, serverEntry } from '../support/policies.ts';

const track = providerEntry('track');
const egress = { mode: 'user_oauth', key: 'user', fallback: 'none', provider: 'track' } as const;
const server = serverEntry('orders', { egress: { ...egress, scopes: ['read:orders', 'write:orders'] } });
const policy = policyOf({
  providers: [track, providerEntry('mail'), providerEntry('beta-only', { org: 'beta' })],
  servers: [
    server,
    serverEntry('plain', { egress }),
    serverEntry('letters', { egress: { ...egress, provider: 'mail', scopes: ['send'] } }),
  ],
  services: [
    {
      ...serverEntry('api', { egress: { ...egress, scopes: ['read:prices'] } }),
      usedBy: ['orders'],
      allow: [],
    },
  ],
});

const wanted = (target: string | undefined, connection?: Connection, name = 'track') => {
  const provider = policy.providers.get(name) ?? track;
  return wantedScopes(policy, provider, 'acme', target, connection);
};

describe('what a connection is asked for', () => {
  test.for([
    ['orders', ['read:orders', 'write:orders', 'offline_access'], ['read:orders', 'write:orders']],
    ['api', ['read:prices', 'offline_access'], ['read:prices']],
    ['plain', ['offline_access', 'read:orders']],
    ['letters', ['offline_access', 'read:orders']],
    ['gone', ['offline_access', 'read:orders']],
    [undefined, ['offline_access', 'read:orders']],
  ] as const)(
    'for %s without one: all of it, and what keeps the connection',
    ([target, asked, missing = asked]) => {
      expect(wanted(target)).toEqual({ asked, missing });
    },
  );

  test.for([
    ['atlassian', ['offline_access', 'read:me', 'read:jira-work'], ['offline_access', 'read:me']],
    ['google', ['openid', 'https://www.googleapis.com/auth/userinfo.email', 'drive'], 2],
    ['microsoft', ['openid', 'User.Read', 'Mail.Read'], 2],
    ['slack', ['identity.basic', 'identity.email'], 1],
    ['discord', ['identify', 'guilds'], 1],
    ['twitter', ['tweet.read', 'users.read', 'offline.access', 'like.read'], 3],
    ['github', ['read:user', 'user:email'], 0],
  ] as const)(
    'at %s, for a server that needs little: what tells whose account it is',
    ([name, scopes, kept]) => {
      const provider = providerEntry('track', { scopes });
      const one = policyOf({ providers: [provider], servers: [server] });
      const { asked, missing } = wantedScopes(one, provider, 'acme', 'orders', undefined);
      const expected = typeof kept === 'number' ? scopes.slice(0, kept) : kept;
      expect([name, asked.slice(2)]).toEqual([name, expected]);
      expect(missing).toEqual(['read:orders', 'write:orders']);
      // Who was asked and has not given it is not asked again and again.
      const connection = connectionOf('track', { scopes: ['read:orders', 'write:orders'] });
      expect(wantedScopes(one, provider, 'acme', 'orders', connection).missing).toEqual([]);
    },
  );

  test('beside one: what is needed, and what there is', () => {
    const connection = connectionOf('track', { scopes: ['offline_access', 'read:orders', 'other'] });
    expect(wanted('orders', connection)).toEqual({
      asked: ['read:orders', 'write:orders', 'offline_access', 'other'],
      missing: ['write:orders'],
    });
    expect(wanted(undefined, connection)).toEqual({
      asked: ['offline_access', 'read:orders', 'other'],
      missing: [],
    });
  });

  test('a sign-in scope that was asked for and is not named is there', () => {
    expect(wanted('plain', connectionOf('track', { scopes: ['read:orders'] })).missing).toEqual([]);
  });

  test('never less than what was granted', () => {
    const scopes = fc.array(fc.constantFrom('a', 'read:orders', 'write:orders', 'offline_access'));
    fc.assert(
      fc.property(fc.constantFrom(undefined, 'orders', 'api', 'letters'), scopes, (target, granted) => {
        const { asked, missing } = wanted(target, connectionOf('track', { scopes: granted }));
        expect(asked).toEqual(expect.arrayContaining(granted));
        expect(asked).toEqual(expect.arrayContaining([...missing]));
      }),
    );
  });
});

describe('a provider’s scope in words', () => {
  test.for([
    ['openid', 'know who you are there'],
    ['offline_access', 'act while you are away'],
    ['read:jira-work', 'read jira work'],
    ['manage:jira-data-provider', 'manage jira data provider'],
    ['write:component:compass', 'write component compass'],
    ['https://www.googleapis.com/auth/drive.readonly', undefined],
    ['repo', undefined],
    ['read:', undefined],
    ['constructor', undefined],
  ] as const)('%s: %s', ([scope, words]) => {
    expect(providerScopeWords(scope)).toBe(words);
  });
});
