import { describe, expect, test } from 'vitest';
import { Caller } from '../../../functions/core/caller.ts';
import { authorizeContextAdmin, openNamespace } from '../../../functions/core/documents/namespace-access.ts';
import {
  isReservedPartition,
  parsePartition,
  toWirePartition,
} from '../../../functions/core/documents/partition.ts';
import { clientEntry, policyOf } from '../../support/policies.ts';
import { NOW_SECONDS, TestIssuer } from '../../support/test-issuer.ts';

const issuer = new TestIssuer();
const ADMIN = 'context/admin';

/** A caller with these scopes of those that its client has, and these context claims. */
function callerWith(
  scopes: readonly string[],
  context: object,
  clientScopes: readonly string[] = scopes,
): Caller {
  const policy = policyOf({
    clients: [
      clientEntry('courier', { scopes: [...clientScopes], namespace: 'alpha', scopeFilters: { run: '1' } }),
    ],
  });
  const caller = Caller.fromToken(issuer.verified({ scope: scopes.join(' '), ...context }), policy);
  if (!caller.ok) throw new Error(caller.error.reason);
  return caller.value;
}

/** A run whose coordinator may open runs for `alpha`, or for what `registration` says. */
function runOf(
  permissions: readonly string[],
  section: object = { namespace: 'alpha' },
  registration = {},
): Caller {
  const coordinator = clientEntry('coordinator', {
    scopes: ['runs/issue', ADMIN],
    runNamespaces: ['alpha'],
    ...registration,
  });
  const run = issuer.run({ permissions, services: { 'context-store': section } });
  const caller = Caller.fromRun(run, policyOf({ clients: [coordinator] }));
  if (!caller.ok) throw new Error(caller.error.reason);
  return caller.value;
}

const OWN = { namespace: 'alpha', scope_filters: { run: '1' } };
const refusal = (reason: string, obtainable: readonly string[] = []) => ({
  ok: false,
  error: reason === 'not_granted' ? { reason, obtainable } : { reason },
});

describe('a namespace', () => {
  test('that is the token’s own is opened as the token says, named or not', () => {
    for (const named of [undefined, 'alpha']) {
      expect(openNamespace(callerWith([], OWN), named)).toMatchObject({
        ok: true,
        value: {
          orgId: 'acme',
          namespace: 'alpha',
          scopeFilters: new Map([['run', '1']]),
          permissions: 'write',
        },
      });
      expect(openNamespace(callerWith([ADMIN], OWN), named)).toMatchObject({
        ok: true,
        value: { scopeFilters: new Map([['run', '1']]) },
      });
      expect(openNamespace(runOf(['read']), named)).toMatchObject({
        ok: true,
        value: { permissions: 'read' },
      });
      expect(openNamespace(runOf(['read', 'write']), named)).toMatchObject({
        value: { permissions: 'write' },
      });
    }
  });

  test('of others is opened to administrators, as a whole', () => {
    for (const context of [OWN, {}]) {
      expect(openNamespace(callerWith([ADMIN], context), 'beta')).toMatchObject({
        ok: true,
        value: { orgId: 'acme', namespace: 'beta', scopeFilters: new Map(), permissions: 'write' },
      });
    }
  });

  test('of others is closed to everybody else', () => {
    expect(openNamespace(callerWith([], OWN), 'beta')).toEqual(refusal('not_granted'));
    expect(openNamespace(callerWith([], OWN), 'Alpha')).toEqual(refusal('not_granted'));
    expect(openNamespace(callerWith([], OWN, [ADMIN]), 'beta')).toEqual(refusal('not_granted', [ADMIN]));
    expect(openNamespace(callerWith([], {}), 'beta')).toEqual(refusal('not_granted'));
    expect(openNamespace(runOf(['read', 'write']), 'beta')).toEqual(refusal('not_granted'));
  });

  test('that is malformed is nobody’s', () => {
    for (const named of ['', 'a#b', '../x']) {
      expect(openNamespace(callerWith([ADMIN], {}), named)).toEqual(refusal('not_granted'));
    }
  });

  test('is not opened by a token without one, nor by one whose scope is malformed', () => {
    expect(openNamespace(callerWith([ADMIN], {}), undefined)).toEqual(refusal('no_namespace'));
    const malformed = { namespace: 'alpha', scope_filters: 'x' };
    for (const named of [undefined, 'alpha', 'beta']) {
      expect(openNamespace(callerWith([ADMIN], malformed), named)).toEqual(refusal('malformed_scope'));
    }
  });

  const malformed = { namespace: 'alpha', scope_filters: ['x'] };
  test.for<readonly [string, object, object, string]>([
    ['with filters that are malformed', malformed, {}, 'malformed_scope'],
    ['with a namespace that is malformed', { namespace: 7 }, {}, 'malformed_scope'],
    ['without a namespace', {}, {}, 'no_namespace'],
    ['whose coordinator has lost the namespace', malformed, { runNamespaces: ['beta'] }, 'no_namespace'],
    ['whose coordinator may open no runs any more', { namespace: 7 }, { scopes: [ADMIN] }, 'no_namespace'],
  ])('is not opened by a run %s', ([, section, registration, reason]) => {
    expect(openNamespace(runOf(['read', 'write'], section, registration), undefined)).toEqual(
      refusal(reason),
    );
  });

  test('and partitions are for those with the scope, and for no run', () => {
    expect(authorizeContextAdmin(callerWith([ADMIN], {})).ok).toBe(true);
    const api = { token_kind: 'api' };
    expect(authorizeContextAdmin(callerWith([ADMIN], api))).toEqual(refusal('not_granted'));
    expect(authorizeContextAdmin(callerWith([], api, [ADMIN]))).toEqual(refusal('not_granted'));
    expect(openNamespace(callerWith([ADMIN], api), 'beta')).toEqual(refusal('not_granted'));
    expect(authorizeContextAdmin(callerWith([], {}, [ADMIN]))).toEqual(refusal('not_granted', [ADMIN]));
    expect(authorizeContextAdmin(runOf(['read', 'write']))).toEqual(refusal('not_granted'));
  });
});

describe('a partition', () => {
  test('has a name and may have a lifetime', () => {
    expect(parsePartition({ name: 'proj_a' })).toEqual({
      ok: true,
      value: { name: 'proj_a', ttlSeconds: null },
    });
    const parsed = parsePartition({ name: 'b', ttl_seconds: 60 });
    expect(parsed).toEqual({ ok: true, value: { name: 'b', ttlSeconds: 60 } });
    expect(toWirePartition({ name: 'b', ttlSeconds: 60, createdAtSeconds: NOW_SECONDS })).toEqual({
      name: 'b',
      created_at: '2027-01-15T08:00:00.000Z',
      ttl_seconds: 60,
    });
  });

  test.for<[unknown, string]>([
    [7, 'arguments'],
    [{}, 'name'],
    [{ name: 'a#b' }, 'name'],
    [{ name: '_global' }, 'name'],
    [{ name: 'default' }, 'name'],
    [{ name: 'a', ttl_seconds: 0 }, 'ttl_seconds'],
    [{ name: 'a', namespace: 'b' }, 'namespace'],
  ])('is refused: %j', ([input, field]) => {
    expect(parsePartition(input)).toMatchObject({ ok: false, error: { field } });
  });

  test('is reserved by two names', () => {
    expect(['_global', 'default', 'global'].map(isReservedPartition)).toEqual([true, true, false]);
  });
});
