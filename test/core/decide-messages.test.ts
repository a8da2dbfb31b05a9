import { describe, expect, test } from 'vitest';
import type { Action } from '../../functions/core/action.ts';
import { decide, isAllowed } from '../../functions/core/decide.ts';
import type { Policy } from '../../functions/core/policy.ts';
import { callerOf, clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { rulesOf } from '../support/rules.ts';
import { NOW_SECONDS, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const USE = '{ server: maps, methods: [initialize, tools/call], tools: [route] }';
const EVERYTHING = "{ server: maps, methods: ['*'], tools: ['*'] }";

function policyFor(rules: readonly string[]): Policy {
  return policyOf({
    ...rulesOf(`use: [${rules.join(', ')}]`),
    servers: [serverEntry('maps')],
    clients: [clientEntry('courier', { scopes: ['use'] })],
    orgs: [{ id: 'acme', suspended: false }],
  });
}

function allows(rules: readonly string[], method: string, kind: Action['kind'] = 'request'): boolean {
  const policy = policyFor(rules);
  const action: Action = { server: 'maps', kind, method, name: undefined, arguments: 'unseen' };
  return isAllowed(policy, callerOf(issuer, policy, ['use']), action, NOW_SECONDS);
}

describe('a deny of a part', () => {
  const DENY = '{ server: maps, deny: true, tools: [erase] }';

  test.for([
    'notifications/initialized',
    'notifications/cancelled',
    'notifications/progress',
    'notifications/roots/list_changed',
    'notifications/tasks/status',
  ])('leaves clients `%s`, which needs any rule', (method) => {
    expect(allows([USE, DENY], method, 'notification')).toBe(true);
    expect(allows([DENY], method, 'notification')).toBe(false);
  });

  test('takes away a notification that no revision knows, but where a rule names it', () => {
    expect(allows([USE], 'notifications/x', 'notification')).toBe(true);
    expect(allows([USE, DENY], 'notifications/x', 'notification')).toBe(false);
    const named = '{ server: maps, methods: [notifications/x] }';
    expect(allows([USE, named, DENY], 'notifications/x', 'notification')).toBe(true);
  });

  test('takes away what wildcards grant of methods that no revision knows, a notification with an id too', () => {
    for (const method of ['tools/erase', 'notifications/cancelled']) {
      expect([method, allows([EVERYTHING], method)]).toEqual([method, true]);
      expect([method, allows([EVERYTHING, DENY], method)]).toEqual([method, false]);
    }
    expect(allows([EVERYTHING, DENY], 'tools/list')).toBe(true);
  });

  test('leaves what a rule names only as long as that rule holds', () => {
    const past = "{ server: maps, methods: [x/own], when: { not_after: '2020-01-01T00:00:00Z' } }";
    expect(allows([EVERYTHING, past, DENY], 'x/own')).toBe(false);
    expect(allows([EVERYTHING, '{ server: maps, methods: [x/own] }', DENY], 'x/own')).toBe(true);
  });

  test('does so at whatever time it holds', () => {
    const past = "{ server: maps, deny: true, tools: [erase], when: { not_after: '2020-01-01T00:00:00Z' } }";
    expect(allows([EVERYTHING, past], 'tools/erase')).toBe(false);
  });
});

test('constraints of a call say nothing of a prompt that has the name of the tool', () => {
  const names = 'tools: [route], prompts: [route], arguments: { route: { required: [to] } }';
  const rules = ["{ server: maps, methods: ['*'], tools: ['*'] }", `{ server: maps, deny: true, ${names} }`];
  const policy = policyFor(rules);
  const prompt: Action = {
    server: 'maps',
    kind: 'request',
    method: 'prompts/get',
    name: 'route',
    arguments: 'unseen',
  };
  const caller = callerOf(issuer, policy, ['use']);
  expect(isAllowed(policy, caller, prompt, NOW_SECONDS)).toBe(false);
  expect(isAllowed(policy, caller, { ...prompt, name: 'other' }, NOW_SECONDS)).toBe(true);
});

describe('a wildcard among the methods', () => {
  test.for(['*', 'all'])('is the name of no method: `%s`', (method) => {
    const part = `{ server: maps, methods: ['${method}'], tools: [route] }`;
    expect(allows([part], method)).toBe(false);
    expect(allows([part], 'tools/list')).toBe(true);
  });

  test.for([
    ["methods: ['*'], tools: [erase]"],
    ['methods: [all], prompts: [summarise]'],
    ["methods: ['*'], resources: ['docs://x']"],
    ["methods: ['*'], tools: [erase], arguments: { erase: { required: [all] } }"],
  ])('of a deny is every method that there may be: %s', ([parts]) => {
    const named = '{ server: maps, methods: [tools/list, x/own] }';
    const deny = `{ server: maps, deny: true, ${parts} }`;
    for (const method of ['x/own', 'tools/list', 'ping']) {
      expect([method, allows([named], method)]).toEqual([method, true]);
      expect([method, allows([named, deny], method)]).toEqual([method, false]);
    }
  });
});

test('nothing is decided for a caller that nobody verified', () => {
  const policy = policyFor([EVERYTHING]);
  const forged = { ...callerOf(issuer, policy, ['use']) };
  const action: Action = {
    server: 'maps',
    kind: 'request',
    method: 'ping',
    name: undefined,
    arguments: 'unseen',
  };
  const message = 'a decision needs a verified caller';
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: what a cast would smuggle in
  expect(() => decide(policy, forged as ReturnType<typeof callerOf>, action, 0)).toThrow(message);
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: what a cast would smuggle in
  expect(() => isAllowed(policy, forged as ReturnType<typeof callerOf>, action, 0)).toThrow(message);
});

test('a deny of `initialize` is one of the same step of the newer protocol', () => {
  const deny = '{ server: maps, deny: true, methods: [initialize] }';
  for (const method of ['initialize', 'server/discover']) {
    expect([method, allows([EVERYTHING], method)]).toEqual([method, true]);
    expect([method, allows([EVERYTHING, deny], method)]).toEqual([method, false]);
  }
});
