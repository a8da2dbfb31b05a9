import { describe, expect, test } from 'vitest';
import type { Action } from '../../../functions/core/action.ts';
import { Caller } from '../../../functions/core/caller.ts';
import { limitSubject, limitsOn } from '../../../functions/core/rules/limit.ts';
import { clientEntry, policyOf, serverEntry } from '../../support/policies.ts';
import { rulesOf } from '../../support/rules.ts';
import { TestIssuer } from '../../support/test-issuer.ts';

const issuer = new TestIssuer();

function scene(limits: string) {
  const policy = policyOf({
    ...rulesOf(`s: []\nt: []\nLimits:\n${limits}`),
    servers: [serverEntry('maps'), serverEntry('mail')],
    clients: [
      clientEntry('courier', { scopes: ['s'] }),
      clientEntry('stranger', { org: 'rival', scopes: ['t'] }),
    ],
  });
  const callerOf = (claims: Record<string, unknown> = {}) => {
    const caller = Caller.fromToken(issuer.verified({ scope: '', ...claims }), policy);
    if (!caller.ok) throw new Error(caller.error.reason);
    return caller.value;
  };
  return { policy, callerOf };
}

function action(method: string | undefined, name?: string, changes: Partial<Action> = {}): Action {
  return { server: 'maps', kind: 'request', method, name, arguments: 'unseen', ...changes };
}

/** The lines of the limits that count it. */
function counting(limits: string, asked: Action, claims: Record<string, unknown> = {}): readonly string[] {
  const { policy, callerOf } = scene(limits);
  return limitsOn(policy, callerOf(claims), asked).map(({ at }) => at);
}

const PLAIN = '  - { per: [client], requests: 1, window: 1m';

describe('a limit counts', () => {
  test.for<readonly [string, string, Action, boolean]>([
    ['every request', `${PLAIN} }`, action('tools/list'), true],
    ['a call', `${PLAIN} }`, action('tools/call', 'route'), true],
    ['a call without an id', `${PLAIN} }`, action('tools/call', 'route', { kind: 'notification' }), true],
    [
      'no notification of a client',
      `${PLAIN} }`,
      action('notifications/cancelled', undefined, { kind: 'notification' }),
      false,
    ],
    ['no answer of a client', `${PLAIN} }`, action(undefined, undefined, { kind: 'response' }), false],
    ['a request that is named like a notification', `${PLAIN} }`, action('notifications/cancelled'), true],
    ['on its server', `${PLAIN}, server: maps }`, action('ping'), true],
    ['on no other', `${PLAIN}, server: mail }`, action('ping'), false],
    ['its tools', `${PLAIN}, tools: [route] }`, action('tools/call', 'route'), true],
    ['any of its tools', `${PLAIN}, tools: [erase, route] }`, action('tools/call', 'route'), true],
    ['no other tools', `${PLAIN}, tools: [route] }`, action('tools/call', 'Route'), false],
    ['every tool', `${PLAIN}, tools: ["*"] }`, action('tools/call', 'erase'), true],
    ['no other method of a name', `${PLAIN}, tools: [route] }`, action('prompts/get', 'route'), false],
    [
      'calls where it counts by tool',
      '  - { per: [tool], requests: 1, window: 1m }',
      action('tools/call', 'x'),
      true,
    ],
    [
      'nothing else where it counts by tool',
      '  - { per: [tool], requests: 1, window: 1m }',
      action('tools/list'),
      false,
    ],
    ['no call of nothing', '  - { per: [tool], requests: 1, window: 1m }', action('tools/call'), false],
    ['its organisation', `${PLAIN}, org: acme }`, action('ping'), true],
    ['no other organisation', `${PLAIN}, org: rival }`, action('ping'), false],
    [
      'who is entitled to its scope, whatever the token carries',
      `${PLAIN}, scope: s }`,
      action('ping'),
      true,
    ],
    ['nobody who is not', `${PLAIN}, scope: t }`, action('ping'), false],
  ])('%s', ([, limit, asked, expected]) => {
    expect(counting(limit, asked)).toEqual(expected ? ['scopes.yml:4'] : []);
  });

  test('beside others, in the order of the file', () => {
    const limits = [
      `${PLAIN}, server: maps }`,
      `${PLAIN} }`,
      `${PLAIN}, server: mail }`,
      `${PLAIN}, server: maps }`,
    ];
    expect(counting(limits.join('\n'), action('ping'))).toEqual([
      'scopes.yml:4',
      'scopes.yml:5',
      'scopes.yml:7',
    ]);
  });
});

describe('a count is shared', () => {
  const subjectOf = (per: string, asked: Action, claims: Record<string, unknown> = {}) => {
    const { policy, callerOf } = scene(`  - { per: [${per}], requests: 1, window: 1m }`);
    const caller = callerOf(claims);
    const [limit] = limitsOn(policy, caller, asked);
    return limit === undefined ? [] : limitSubject(limit, caller, asked);
  };
  const route = action('tools/call', 'route');

  test.for<readonly [string, Action, Record<string, unknown>, boolean]>([
    ['org', action('tools/call', 'erase'), { jti: 'j-2' }, true],
    ['org', route, { sub: 'stranger', client_id: 'stranger', org_id: 'rival' }, false],
    ['client', action('tools/call', 'erase', { server: 'mail' }), { jti: 'j-2' }, true],
    ['client', route, { sub: 'stranger', client_id: 'stranger', org_id: 'rival' }, false],
    ['server', action('tools/call', 'erase'), {}, true],
    ['server', action('tools/call', 'route', { server: 'mail' }), {}, false],
    ['server', route, { sub: 'stranger', client_id: 'stranger', org_id: 'rival' }, false],
    ['tool', route, { jti: 'j-2' }, true],
    ['tool', action('tools/call', 'erase'), {}, false],
    ['tool', action('tools/call', 'route', { server: 'mail' }), {}, false],
    ['token', action('tools/call', 'erase'), {}, true],
    ['token', route, { jti: 'j-2' }, false],
    ['user', action('tools/call', 'erase'), { jti: 'j-2' }, true],
    ['client, tool', action('tools/call', 'erase'), {}, false],
    ['client, tool', route, { jti: 'j-2' }, true],
  ])('by %s: %j of %j: %s', ([per, other, claims, isShared]) => {
    const own = JSON.stringify(subjectOf(per, route));
    expect(JSON.stringify(subjectOf(per, other, claims)) === own).toBe(isShared);
  });

  test('by the runs of one coordinator, whatever they are called, and by nobody else', () => {
    const { policy, callerOf } = scene('  - { per: [user], requests: 1, window: 1m }');
    const countOf = (caller: Caller) => {
      const [limit] = limitsOn(policy, caller, route);
      return limit && JSON.stringify(limitSubject(limit, caller, route));
    };
    const runOf = (sub: string, client_id = 'courier', org_id = 'acme') => {
      const run = issuer.run({ sub, org_id, client_id, jti: `j-${sub}`, permissions: ['read'] });
      const caller = Caller.fromRun(run, policy);
      if (!caller.ok) throw new Error(JSON.stringify(caller.error));
      return caller.value;
    };
    expect(countOf(runOf('run-1'))).toBeDefined();
    expect(countOf(runOf('run-1'))).toBe(countOf(runOf('run-2')));
    expect(countOf(runOf('courier'))).not.toBe(countOf(callerOf()));
    expect(countOf(runOf('run-1'))).not.toBe(countOf(runOf('run-1', 'stranger', 'rival')));
  });
});
