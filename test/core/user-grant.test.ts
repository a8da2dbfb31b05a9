import { describe, expect, test } from 'vitest';
import {
  fittingGroups,
  isForEverybody,
  loginScopes,
  planUserGrant,
} from '../../functions/core/user-grant.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { ORIGIN } from '../support/test-issuer.ts';

const client = clientEntry('desk', { scopes: ['maps/read'], grants: ['authorization_code'] });
const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}-${'x'.repeat(20)}`);
const plain = named('plain', 200);
const mapped = named('mapped', 60);
const denying = named('denying', 60);

const policy = policyOf(rulesOf(denying));
const bytesOf = (groups: readonly string[]) => JSON.stringify(groups).length;

describe('the groups that a token carries', () => {
  test('are all of them where they fit, in their order', () => {
    const few = [plain[0] ?? '', mapped[0] ?? '', denying[0] ?? ''];
    expect(fittingGroups(policy, few)).toEqual(few);
    expect(fittingGroups(policy, [])).toEqual([]);
  });

  test('are at first those that something is forbidden to, then those that are mapped to something', () => {
    const fitting = fittingGroups(policy, [...plain, ...mapped, ...denying.slice(0, 5)]) ?? [];
    expect(bytesOf(fitting)).toBeLessThanOrEqual(3_000);
    expect(fitting.slice(0, 5)).toEqual(denying.slice(0, 5));
    expect(fitting.slice(5, 65)).toEqual(mapped);
    expect(fitting.slice(65).every((group) => plain.includes(group))).toBe(true);
    expect(fitting.length).toBeGreaterThan(65);
  });

  test('lose no group that something is forbidden to: where those are too many there are none', () => {
    const many = [...plain, ...denying];
    expect(bytesOf(denying)).toBeLessThan(3_000);
    expect(fittingGroups(policy, many)?.slice(0, 60)).toEqual(denying);
    const all = policyOf(rulesOf(named('denying', 150)));
    expect(fittingGroups(all, named('denying', 150))).toBeUndefined();
  });

  test('lose no group that a limit counts: whoever it leaves out would be counted no more', () => {
    const limit = { per: ['client'], requests: 1, windowSeconds: 60, scope: 'maps/read', at: 'l' } as const;
    const limited = policyOf({ ...rulesOf([]), limits: [limit] });
    expect(fittingGroups(limited, [...plain, ...mapped])?.slice(0, 60)).toEqual(mapped);
    const groups = named('counted', 150);
    const more = groups.map((group) => [group, ['maps/read']] as const);
    const all = policyOf({ ...rulesOf([]), groups: more, limits: [limit] });
    expect(fittingGroups(all, groups)).toBeUndefined();
  });

  test('are none of a user who gets no token', () => {
    const groups = [...mapped.slice(0, 1), ...named('denying', 150)];
    const request = { subject: 'corp:ann', orgId: 'acme', groups, authTimeSeconds: 1, scopes: undefined };
    const all = policyOf(rulesOf(named('denying', 150)));
    const plan = planUserGrant(all, client, { ...request, resource: undefined }, ORIGIN);
    expect(plan).toMatchObject({ ok: false, error: { error: 'invalid_scope' } });
  });
});

describe('the scopes that a login gives', () => {
  const both = clientEntry('both', { scopes: ['maps/read', 'notes/read'] });
  const open = policyOf({
    scopes: [
      ['maps/read', [scopeRule('maps', ['tools/list'])]],
      ['notes/read', [scopeRule('notes', ['tools/list'])]],
    ],
    groups: [['staff', ['maps/read', 'notes/read']]],
    servers: [serverEntry('maps'), serverEntry('notes'), serverEntry('board')],
    defaults: [scopeRule('board', ['tools/list'])],
  });
  const given = (scopes: readonly string[] | undefined, server: string | undefined) =>
    loginScopes(open, both, { orgId: 'acme', groups: ['staff'] }, { scopes, server });

  test.for<readonly [readonly string[] | undefined, string | undefined, readonly string[]]>([
    [undefined, undefined, ['maps/read', 'notes/read']],
    [undefined, 'maps', ['maps/read']],
    [undefined, 'board', ['maps/read', 'notes/read']],
    [undefined, 'ghost', []],
    [['notes/read'], 'maps', ['notes/read']],
    [['notes/read', 'admin'], undefined, ['notes/read']],
  ])('to who asks for %j on %s are %j', ([scopes, server, expected]) => {
    expect(given(scopes, server)).toEqual(expected);
  });

  test('do not open what only everybody else is granted', () => {
    expect(isForEverybody(open, 'board', 'acme')).toBe(true);
    expect(isForEverybody(open, 'maps', 'acme')).toBe(false);
  });
});

describe('a token about a user', () => {
  const request = {
    subject: 'corp:ann',
    orgId: 'acme',
    groups: ['g'],
    authTimeSeconds: 1,
    scopes: undefined,
  };
  const known = policyOf({
    groups: [['g', ['maps/read']]],
    scopes: [['maps/read', [scopeRule('maps', ['tools/list'])]]],
    servers: [serverEntry('maps')],
  });
  const bound = clientEntry('bound', { scopes: ['maps/read'], audience: 'resource' });

  test('is for a server that the user may know of, or for all where its client is for all', () => {
    for (const [who, resource] of [
      [client, undefined],
      [client, ORIGIN],
      [bound, `${ORIGIN}/maps/mcp`],
    ] as const)
      expect(planUserGrant(known, who, { ...request, resource }, ORIGIN)).toMatchObject({
        value: { audience: resource ?? ORIGIN, kind: 'user', scopes: ['maps/read'], authTimeSeconds: 1 },
      });
  });

  test.for<readonly [typeof client, string | undefined, string]>([
    [bound, undefined, `name the server: \`resource=${ORIGIN}/{server}/mcp\``],
    [bound, ORIGIN, `name the server: \`resource=${ORIGIN}/{server}/mcp\``],
    [client, `${ORIGIN}/ghost/mcp`, 'resource'],
    [client, 'https://elsewhere.example', 'resource'],
  ])('is none of %o for %s', ([who, resource, words]) => {
    const plan = planUserGrant(known, who, { ...request, resource }, ORIGIN);
    expect(plan).toMatchObject({ error: { error: 'invalid_target' } });
    expect(!plan.ok && plan.error.description).toContain(words);
  });

  test('is none without a scope', () => {
    const plan = planUserGrant(known, client, { ...request, groups: [], resource: undefined }, ORIGIN);
    expect(plan).toMatchObject({ error: { error: 'invalid_scope' } });
  });
});

/** The policy above, with so many groups that something is forbidden to. */
function rulesOf(groups: readonly string[]) {
  return {
    scopes: [
      ['maps/read', [scopeRule('*', ['initialize'])]],
      ['maps/never', [{ ...scopeRule('*', []), deny: 'server' as const }]],
    ] as const,
    groups: [
      ...mapped.map((group) => [group, ['maps/read']] as const),
      ...groups.map((group) => [group, ['maps/never']] as const),
    ],
    clients: [client],
  };
}
