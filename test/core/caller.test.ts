import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import { decide } from '../../functions/core/decide.ts';
import { identityProvider } from '../support/logins.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const idps = [identityProvider('corp')];
const policy = policyOf({
  idps,
  clients: [
    clientEntry('courier', { scopes: ['maps/read', 'maps/execute'] }),
    clientEntry('paused', { disabled: true }),
    clientEntry('frozen', { org: 'suspended' }),
    clientEntry('fetcher', { audience: 'resource', server: 'maps' }),
    clientEntry('__proto__'),
  ],
  orgs: [
    { id: 'acme', suspended: false },
    { id: 'suspended', suspended: true },
  ],
});

describe('who a verified token stands for', () => {
  test('an agent is a client on its own behalf', () => {
    const caller = callerOf(issuer, policy, ['maps/read']);
    expect(caller).toMatchObject({
      orgId: 'acme',
      subject: 'courier',
      clientId: 'courier',
      kind: 'agent',
      scopes: ['maps/read'],
      groups: [],
      jti: 'j-1',
      issuedAtSeconds: NOW_SECONDS,
      expiresAtSeconds: NOW_SECONDS + 300,
      audience: ORIGIN,
    });
    expect([caller.isGatewayClient, caller.server]).toEqual([true, undefined]);
    expect(caller.obtainableScopes).toEqual(['maps/read', 'maps/execute']);
  });

  test('a user acts through a client', () => {
    const caller = Caller.fromToken(issuer.verified({ sub: 'corp:alice' }), policy);
    expect(caller.ok && caller.value.kind).toBe('user');
  });

  test('a user can obtain what the groups of the login give through the client, and no more', () => {
    const mapped = policyOf({
      idps,
      clients: [clientEntry('courier', { scopes: ['maps/read', 'maps/execute'] })],
      groups: [
        ['guests', ['maps/read', 'admin']],
        ['staff', ['maps/read', 'maps/execute']],
      ],
    });
    const obtainable = (groups: readonly string[]) => {
      const caller = Caller.fromToken(issuer.verified({ sub: 'corp:alice', groups }), mapped);
      return caller.ok && caller.value.obtainableScopes;
    };
    expect(obtainable(['guests'])).toEqual(['maps/read']);
    expect(obtainable(['guests', 'staff'])).toEqual(['maps/read', 'maps/execute']);
    expect(obtainable(['visitors'])).toEqual([]);
  });

  test.for([
    [
      ['maps/read', 'maps/execute'],
      ['maps/read', 'maps/execute'],
    ],
    [
      ['maps/read', 'maps/execute', 'admin'],
      ['maps/read', 'maps/execute'],
    ],
    [['maps/execute'], ['maps/execute']],
    [[], []],
  ] as const)('a user’s live token gives what the groups are still mapped to: %j, %j', ([staff, scopes]) => {
    const clients = [clientEntry('courier', { scopes: ['maps/read', 'maps/execute'] })];
    const mapped = policyOf({ idps, clients, groups: [['staff', staff]] });
    const scopesOf = (groups: readonly string[]) => {
      const claims = { sub: 'corp:alice', scope: 'maps/read maps/execute admin', groups };
      const caller = Caller.fromToken(issuer.verified(claims), mapped);
      return caller.ok && caller.value.scopes;
    };
    expect(scopesOf(['staff', 'visitors'])).toEqual(scopes);
    expect(scopesOf(['visitors'])).toEqual([]);
  });

  test('a server that calls out is known by its registration alone', () => {
    const caller = Caller.fromToken(issuer.verified({ client_id: 'fetcher', server: 'other' }), policy);
    expect(caller.ok && [caller.value.server, caller.value.isGatewayClient]).toEqual(['maps', false]);
  });

  test('scopes that the client has no more are dropped, the token’s order stays', () => {
    const scopes = ['maps/execute', 'admin', 'maps/read', 'MAPS/read', 'maps'];
    expect(callerOf(issuer, policy, scopes).scopes).toEqual(['maps/execute', 'maps/read']);
  });
});

describe('what a live token says of the context store', () => {
  const narrowed = policyOf({
    clients: [clientEntry('courier', { namespace: 'proj-b', scopeFilters: { root: 's-1' } })],
  });
  const contextOf = (claims: Record<string, unknown>) => {
    const caller = Caller.fromToken(issuer.verified(claims), narrowed);
    return caller.ok ? caller.value.context.namespace : caller.error.reason;
  };

  test.for([
    [{ namespace: 'proj-b', scope_filters: { root: 's-1' } }, 'proj-b'],
    [{ namespace: 'proj-a', scope_filters: { root: 's-1' } }, undefined],
    [{ namespace: 'proj-b', scope_filters: { root: 's-2' } }, undefined],
    [{ namespace: 'proj-b' }, undefined],
    [{}, undefined],
  ] as const)('%j holds while the client is still given it', ([claims, namespace]) => {
    expect(contextOf(claims)).toBe(namespace);
  });

  test('what is malformed stays, to be refused as that', () => {
    const caller = Caller.fromToken(issuer.verified({ namespace: 'proj-b', scope_filters: ['x'] }), narrowed);
    expect(caller.ok && caller.value.context.scopeFilters).toEqual(['x']);
  });
});

test.for<readonly [string, Parameters<typeof clientEntry>[1], boolean]>([
  ['nothing', {}, true],
  ['the same namespace', { namespace: 'proj' }, true],
  ['a part of it that is not in the token', { namespace: 'proj', scopeFilters: { root: 's-2' } }, false],
  ['another namespace', { namespace: 'other' }, false],
])(
  'a token that was delegated reaches the namespace of its agent, where its client has %s: %j',
  ([, broker, isGiven]) => {
    const desk = clientEntry('desk', { namespace: 'proj', scopeFilters: { root: 's-1' } });
    const clients = [desk, clientEntry('broker', broker)];
    const claims = { sub: 'desk', client_id: 'broker', act: { sub: 'broker' }, namespace: 'proj' };
    const token = issuer.verified({ ...claims, scope_filters: { root: 's-1' } });
    const caller = Caller.fromToken(token, policyOf({ clients }));
    expect(caller.ok && caller.value.context.namespace).toBe(isGiven ? 'proj' : undefined);
  },
);

test('a group that the configuration took from an agent is gone from its live tokens, a user’s stays', () => {
  const grouped = policyOf({ idps, clients: [clientEntry('courier', { groups: ['drivers'] })] });
  const groupsOf = (sub: string) => {
    const caller = Caller.fromToken(issuer.verified({ sub, groups: ['drivers', 'pilots'] }), grouped);
    return caller.ok ? caller.value.groups : [];
  };
  expect(groupsOf('courier')).toEqual(['drivers']);
  expect(groupsOf('corp:alice')).toEqual(['drivers', 'pilots']);
});

describe('a verified token stands for nobody', () => {
  test.for([
    ['where the client is unknown', { client_id: 'nobody' }, 'unknown_client'],
    ['where the name is one of an object’s prototype', { client_id: 'constructor' }, 'unknown_client'],
    ['where case differs', { client_id: 'Courier' }, 'unknown_client'],
    ['where the user’s identity provider is gone', { sub: 'gone:alice' }, 'identity_provider_gone'],
    ['where the client is of another organisation', { org_id: 'rival' }, 'org_mismatch'],
    ['where the client is disabled', { client_id: 'paused' }, 'client_disabled'],
    ['where the organisation is suspended', { client_id: 'frozen', org_id: 'suspended' }, 'org_suspended'],
    [
      'where a disabled client names another organisation',
      { client_id: 'paused', org_id: 'x' },
      'org_mismatch',
    ],
  ] as const)('%s', ([, claims, reason]) => {
    expect(Caller.fromToken(issuer.verified(claims), policy)).toEqual({ ok: false, error: { reason } });
  });
});

describe('a caller cannot be forged', () => {
  const caller = callerOf(issuer, policy, ['maps/read']);

  test('only one that was made from a verified token is one', () => {
    expect(Caller.is(caller)).toBe(true);
    const forgeries = [
      { ...caller },
      Object.create(Caller.prototype),
      Object.create(caller),
      null,
      'caller',
      1,
    ];
    expect(forgeries.map((forgery) => Caller.is(forgery))).toEqual(forgeries.map(() => false));
  });

  test('a cast token makes no caller, and a cast caller gets no decision', () => {
    const served = policyOf({
      servers: [serverEntry('maps')],
      scopes: [['maps/read', [scopeRule('maps', ['*'], ['*'])]]],
    });
    const castToken = Object.create(issuer.verified());
    const castCaller = Object.assign(Object.create(Caller.prototype), {
      orgId: 'acme',
      scopes: ['maps/read'],
    });
    const action = {
      server: 'maps',
      kind: 'request',
      method: 'tools/list',
      name: undefined,
      arguments: 'unseen',
    } as const;
    expect(() => Caller.fromToken(castToken, policy)).toThrow(TypeError);
    expect(() => decide(served, castCaller, action, 0)).toThrow(TypeError);
    expect(decide(served, caller, action, 0).allow).toBe(true);
  });

  test('a literal does not compile, and neither does the constructor', () => {
    const compiled = () => {
      // @ts-expect-error: a literal has no private member
      const literal: Caller = { ...caller, key: caller.key, obtainableScopes: [], isGatewayClient: true };
      // @ts-expect-error: the constructor is private
      const made = new Caller(issuer.verified(), clientEntry('courier'));
      return [literal, made];
    };
    expect(compiled).toBeTypeOf('function');
  });
});

test('no two callers have one key, whatever their names', () => {
  const names = ['a', 'a"', '","', '\\', '', 'a","b', ' a'];
  const keys = names.flatMap((sub) => {
    const org = policyOf({
      idps: [...idps, identityProvider('theirs', { org: 'rier' })],
      clients: [clientEntry('courier'), clientEntry('cou', { org: 'rier' })],
    });
    const first = sub === '' ? [] : [issuer.verified({ sub: `corp:${sub}` })];
    return [...first, issuer.verified({ client_id: 'cou', org_id: 'rier', sub: `theirs:${sub}` })].flatMap(
      (token) => {
        const caller = Caller.fromToken(token, org);
        return caller.ok ? [caller.value.key] : [];
      },
    );
  });
  expect(keys.length).toBe(13);
  expect(new Set(keys).size).toBe(13);
});
