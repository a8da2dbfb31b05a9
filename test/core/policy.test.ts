import { describe, expect, test } from 'vitest';
import { CONTEXT_STORE, Policy } from '../../functions/core/policy.ts';
import { identityProvider } from '../support/logins.ts';
import { policyOf, scopeRule, serverEntry } from '../support/policies.ts';

/** A party that no token narrows, in no team. */
const courier = { orgId: 'acme', subject: 'courier', teams: [], isPublicOnly: false };

describe('rules', () => {
  const policy = policyOf({
    servers: [serverEntry('maps'), serverEntry('mail')],
    scopes: [
      ['s', [scopeRule('maps', ['a']), scopeRule('*', ['b']), scopeRule('maps', ['c'])]],
      ['__proto__', [scopeRule('maps', ['d'])]],
    ],
  });
  const methods = (scope: string, server: string) =>
    policy.rules(scope, server).flatMap((rule) => [...rule.methods]);

  test('stand under each server that they mean, in the order of the file', () => {
    expect(methods('s', 'maps')).toEqual(['a', 'b', 'c']);
    expect(methods('s', 'mail')).toEqual(['b']);
    expect(methods('s', CONTEXT_STORE)).toEqual(['b']);
  });

  test('are none for what does not exist', () => {
    for (const [scope, server] of [
      ['s', 'gone'],
      ['s', '*'],
      ['S', 'maps'],
      ['', 'maps'],
      ['toString', 'maps'],
    ] as const) {
      expect(policy.rules(scope, server)).toEqual([]);
    }
  });

  test('of a scope that is named like an object’s prototype are like any others', () => {
    expect(methods('__proto__', 'maps')).toEqual(['d']);
    expect(methods('constructor', 'maps')).toEqual([]);
  });

  test('for ten thousand scopes decide about one as for ten', () => {
    const many = policyOf({
      servers: [serverEntry('maps')],
      scopes: Array.from(
        { length: 10_000 },
        (_, index) => [`s-${index}`, [scopeRule('maps', [`m-${index}`])]] as const,
      ),
    });
    expect(many.rules('s-9999', 'maps').flatMap((rule) => [...rule.methods])).toEqual(['m-9999']);
  });
});

test('a UI scope permits an action on `all` or by name, and nothing else', () => {
  const policy = policyOf({
    uiScopes: [
      ['chief', [['manage_policy', ['all']]]],
      ['helper', [['list_service', ['maps', '__proto__']]]],
    ],
  });
  const asked = [
    ['chief', 'manage_policy', 'all', true],
    ['chief', 'manage_policy', 'maps', true],
    ['chief', 'list_service', 'maps', false],
    ['helper', 'list_service', 'maps', true],
    ['helper', 'list_service', 'mail', false],
    ['helper', 'list_service', 'all', false],
    ['helper', 'list_service', 'Maps', false],
    ['nobody', 'list_service', 'maps', false],
    ['constructor', 'toString', 'all', false],
  ] as const;
  for (const [scope, action, target, allowed] of asked)
    expect(policy.permits(scope, action, target)).toBe(allowed);
});

test('a server of another organisation is as good as absent', () => {
  const policy = policyOf({
    servers: [
      serverEntry('maps'),
      serverEntry('own', { org: 'acme' }),
      serverEntry('vault', { org: 'rival' }),
    ],
    orgs: [{ id: 'frozen', suspended: true }],
  });
  expect(
    ['maps', 'own', 'vault', 'gone', CONTEXT_STORE, '__proto__'].map((name) =>
      policy.hasServer(name, courier),
    ),
  ).toEqual([true, true, false, false, true, false]);
  expect([policy.isSuspended('frozen'), policy.isSuspended('acme'), policy.isSuspended('Frozen')]).toEqual([
    true,
    false,
    false,
  ]);
});

test('a snapshot decides the same after it was stored as JSON', () => {
  const snapshot = {
    format: 1,
    scopes: [['__proto__', [scopeRule('maps', ['x'])]]],
    uiScopes: [['__proto__', [['__proto__', ['all']]]]],
    groups: [],
    servers: [serverEntry('maps')],
    services: [],
    clients: [],
    orgs: [],
  } as const;
  const stored = new Policy(JSON.parse(JSON.stringify(snapshot)), 3);
  expect(stored.version).toBe(3);
  expect(stored.rules('__proto__', 'maps')).toEqual(new Policy(snapshot, 3).rules('__proto__', 'maps'));
  expect(stored.permits('__proto__', '__proto__', 'x')).toBe(true);
});

test('a service is there for whom it is visible to', () => {
  const service = (name: string, visibility?: string, org?: string) => {
    const { url, egress, timeout } = serverEntry(name);
    const common = { name, url, org, private: false, egress, headers: [], timeout, usedBy: [], allow: [] };
    return visibility === undefined ? common : { ...common, visibility };
  };
  const policy = policyOf({
    services: [
      service('plain'),
      service('ours', 'team:pilots'),
      service('mine', 'private:courier'),
      service('theirs', undefined, 'rival'),
    ],
  });
  const seen = (teams: readonly string[]) =>
    ['plain', 'ours', 'mine', 'theirs', 'gone'].filter((name) =>
      policy.hasService(name, { ...courier, teams }),
    );
  expect([seen([]), seen(['pilots'])]).toEqual([
    ['plain', 'mine'],
    ['plain', 'ours', 'mine'],
  ]);
});

test('a server that is private to somebody, or for a team, is as good as absent to everybody else', () => {
  const policy = policyOf({
    servers: [
      serverEntry('open', { visibility: 'public' }),
      serverEntry('mine', { visibility: 'private:courier' }),
      serverEntry('yours', { visibility: 'private:other' }),
      serverEntry('ours', { visibility: 'team:pilots' }),
    ],
  });
  const seen = ['open', 'mine', 'yours', 'ours'].filter((name) => policy.hasServer(name, courier));
  expect(seen).toEqual(['open', 'mine']);
});

test('nobody vouches for the users of a suspended organisation', () => {
  const idps = [{ ...identityProvider('corp'), acceptAssertions: true as const }];
  const [open, suspended] = [false, true].map((one) =>
    policyOf({ idps, orgs: [{ id: 'acme', suspended: one }] }),
  );
  expect(open?.assertingIdpsOf('acme').map(({ name }) => name)).toEqual(['corp']);
  expect(suspended?.assertingIdpsOf('acme')).toEqual([]);
});
