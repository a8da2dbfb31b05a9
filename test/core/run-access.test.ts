import { describe, expect, test } from 'vitest';
import type { Action } from '../../functions/core/action.ts';
import { Caller } from '../../functions/core/caller.ts';
import { decide } from '../../functions/core/decide.ts';
import { VerifiedRunToken } from '../../functions/core/run-token.ts';
import { ServiceRun } from '../../functions/core/service-run.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const coordinator = clientEntry('coordinator', { scopes: ['runs/issue'], runNamespaces: ['alpha'] });

function callerIn(clients = [coordinator], changes: Record<string, unknown> = {}) {
  return Caller.fromRun(issuer.run(changes), policyOf({ clients }));
}

function decided(action: Partial<Action>, permissions: readonly string[] = ['read', 'write']): string {
  const policy = policyOf({ clients: [coordinator], servers: [serverEntry('maps')] });
  const caller = Caller.fromRun(issuer.run({ permissions }), policy);
  if (!caller.ok) return caller.error.reason;
  const whole = {
    server: 'context-store',
    kind: 'request',
    method: 'tools/call',
    name: undefined,
    arguments: 'unseen',
    ...action,
  } as const;
  const decision = decide(policy, caller.value, whole, 0);
  return decision.allow ? decision.at : decision.refusal.reason;
}

describe('a run', () => {
  test.for(['doc_query', 'doc_search', 'doc_info', 'doc_read', 'doc_pull'])('may call %s to read', (name) => {
    expect(decided({ name }, ['read'])).toBe('run:read');
  });

  test.for([
    'doc_create',
    'doc_write',
    'doc_edit',
    'doc_push',
    'doc_delete',
    'doc_link',
    'doc_unknown',
    'doc_Read',
  ])('may call %s only to write', (name) => {
    expect(decided({ name }, ['read'])).toBe('not_granted');
    expect(decided({ name })).toBe('run:read,write');
  });

  test.for<readonly [string, Partial<Action>, string]>([
    ['initializes', { method: 'initialize' }, 'run:read,write'],
    ['discovers', { method: 'server/discover' }, 'run:read,write'],
    ['lists tools', { method: 'tools/list' }, 'run:read,write'],
    ['notifies', { kind: 'notification', method: 'notifications/initialized' }, 'run:read,write'],
    ['answers', { kind: 'response', method: undefined }, 'run:read,write'],
    ['asks for nothing without a method', { method: undefined }, 'not_granted'],
    ['calls no tool without a name', {}, 'not_granted'],
    ['calls no tool with an empty name', { name: '' }, 'not_granted'],
    ['sends no other request', { method: 'resources/list' }, 'not_granted'],
    [
      'sends no other method as a notification',
      { kind: 'notification', method: 'tools/purge' },
      'not_granted',
    ],
    ['reaches no other server', { server: 'maps', method: 'initialize' }, 'not_granted'],
    ['reaches no server that is not there', { server: 'ghost', method: 'initialize' }, 'unknown_server'],
  ])('%s', ([, action, outcome]) => {
    expect(decided(action)).toBe(outcome);
  });

  test('has no scopes, can obtain none, and is not its coordinator', () => {
    const caller = callerIn();
    const own = Caller.fromToken(
      issuer.verified({ sub: 'run-1', client_id: 'run-1' }),
      policyOf({ clients: [clientEntry('run-1')] }),
    );
    expect(caller).toMatchObject({
      value: { kind: 'run', subject: 'run-1', scopes: [], obtainableScopes: [] },
    });
    expect(caller.ok && own.ok && caller.value.key !== own.value.key).toBe(true);
  });

  test('without a section for the context store has no access to it', () => {
    const policy = policyOf({ clients: [coordinator] });
    const run = issuer.run({ aud: ['charts'], services: { charts: { namespace: 'alpha' } } });
    const caller = Caller.fromRun(run, policy);
    if (!caller.ok) throw new Error(caller.error.reason);
    const action = {
      server: 'context-store',
      kind: 'request',
      method: 'initialize',
      name: undefined,
    } as const;
    expect(decide(policy, caller.value, { ...action, arguments: 'unseen' }, 0)).toEqual({
      allow: false,
      refusal: { reason: 'no_server_access', obtainable: [] },
    });
  });

  test('is nobody once its coordinator is', () => {
    expect(callerIn([])).toMatchObject({ error: { reason: 'unknown_client' } });
    expect(callerIn([{ ...coordinator, disabled: true }])).toMatchObject({
      error: { reason: 'client_disabled' },
    });
    expect(callerIn([{ ...coordinator, org: 'globex' }])).toMatchObject({
      error: { reason: 'org_mismatch' },
    });
    const suspended = policyOf({ clients: [coordinator], orgs: [{ id: 'acme', suspended: true }] });
    expect(Caller.fromRun(issuer.run(), suspended)).toMatchObject({
      error: { reason: 'org_suspended' },
    });
    const caller = callerIn();
    expect(caller.ok && caller.value.under(suspended, NOW_SECONDS)).toMatchObject({
      error: { reason: 'org_suspended' },
    });
  });

  test('has no namespace that its coordinator has lost', () => {
    for (const lost of [
      { ...coordinator, runNamespaces: ['beta'] },
      { ...coordinator, scopes: [] },
    ]) {
      expect(callerIn([lost])).toMatchObject({ value: { context: { namespace: undefined } } });
    }
  });

  test('of another service has none here', () => {
    const changes = { aud: ['charts'], services: { charts: { namespace: 'alpha' } } };
    expect(callerIn([coordinator], changes)).toMatchObject({ value: { context: { namespace: undefined } } });
  });

  test('is made of a verified run token and nothing else', () => {
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: the cast that must not pass
    const forged = { claims: issuer.run().claims } as unknown as VerifiedRunToken;
    expect(() => new ServiceRun(forged, 'context-store')).toThrow(TypeError);
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: another cast that must not pass
    const cast = { ...issuer.run() } as unknown as ServiceRun;
    for (const value of [cast, null, 'run']) expect(ServiceRun.is(value)).toBe(false);
    expect(() => Caller.fromRun(cast, policyOf())).toThrow(TypeError);
  });

  test('stays what its token says, whoever holds it', () => {
    const run = issuer.run();
    if (!run.scope.ok) throw new Error(run.scope.error.reason);
    const other = { orgId: 'globex', namespace: 'beta', permissions: 'write' };
    for (const [target, source] of [
      [run, { scope: other, context: { namespace: 'beta' }, section: new Map() }],
      [run.context, { namespace: 'beta' }],
      [run.scope, { value: other }],
      [run.scope.value, other],
    ] as const) {
      expect(() => Object.assign(target, source)).toThrow(TypeError);
    }
    expect(Object.isFrozen(issuer.run({ services: {} }).scope)).toBe(true);
    class Other extends ServiceRun {}
    const expected = { issuer: ORIGIN, keys: issuer.keys, nowSeconds: NOW_SECONDS };
    const token = VerifiedRunToken.verify(issuer.runToken(), expected);
    if (!token.ok) throw new Error(token.error.detail);
    expect(() => new Other(token.value, 'context-store')).toThrow(TypeError);
  });
});
