import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCounter } from '../../functions/aws/counter.ts';
import { toHeadKey, toPartition } from '../../functions/aws/documents/rows.ts';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import { createRecordStore } from '../../functions/aws/records.ts';
import { toRevocationKey } from '../../functions/aws/revocation-records.ts';
import { partitionOf } from '../../functions/core/audit/record-key.ts';
import { Caller } from '../../functions/core/caller.ts';
import { credentialName } from '../../functions/core/credential.ts';
import { permissionsOf } from '../../functions/core/may.ts';
import type { RecordKind } from '../../functions/core/ports.ts';
import { rateWindow } from '../../functions/core/rate-limit.ts';
import { err } from '../../functions/core/result.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();

/** What a store asks DynamoDB for, which names one item. */
async function keyAsked(ask: (dynamo: Dynamo) => Promise<unknown>): Promise<string> {
  const asked: unknown[] = [];
  await ask({
    call(_operation, input) {
      asked.push(input);
      return Promise.resolve(err({ reason: 'unavailable', detail: 'nothing is read here' }));
    },
  });
  return JSON.stringify(asked);
}

const KINDS: readonly RecordKind[] = [
  'CODE',
  'REFRESH',
  'SESSION',
  'ONCE',
  'RUN',
  'CLIENT',
  'CONNECTION',
  'CONNECT',
];
const REVOKED = ['jti', 'client', 'subject', 'org', 'run', 'team'] as const;

/** Everything that is kept under a name that has an organisation and an id in it. */
const STORES: readonly (readonly [string, (orgId: string, id: string) => string | Promise<string>])[] = [
  ...KINDS.map(
    (kind) =>
      [
        `a record ${kind}`,
        (orgId: string, id: string) =>
          keyAsked((dynamo) => createRecordStore(dynamo, 't', () => 0).read({ kind, orgId, id })),
      ] as const,
  ),
  ...REVOKED.map(
    (kind) =>
      [
        `a revocation by ${kind}`,
        (orgId: string, id: string) => JSON.stringify(toRevocationKey(orgId, kind, id)),
      ] as const,
  ),
  [
    'a count',
    (orgId, id) =>
      keyAsked((dynamo) => {
        const { id: window } = rateWindow({ name: 'n', max: 1, windowSeconds: 60 }, [orgId, id], 0);
        return createCounter(dynamo, 't', 'LIMIT').read(window);
      }),
  ],
  [
    'a client’s credential',
    (orgId, id) => credentialName('prod', 'maps', 'client', { orgId, clientId: id, subject: 's' }),
  ],
  [
    'a user’s credential',
    (orgId, id) => credentialName('prod', 'maps', 'user', { orgId, clientId: 'c', subject: id }),
  ],
];

/** Names in which every separator that a key might use occurs. */
const orgs = fc.stringMatching(/^[Aa1][Aa1.:@_-]{0,4}$/);
const ids = fc.string({
  unit: fc.constantFrom('a', 'A', '.', ':', '@', '-', '#', '/', '|', '"', ',', '\\', 'ä'),
  maxLength: 5,
});

describe('equal ids of two organisations never meet, nor do two ids of one', () => {
  test.for(STORES)('in %s', async ([, keyOf]) => {
    await fc.assert(
      fc.asyncProperty(orgs, ids, orgs, ids, async (orgA, idA, orgB, idB) => {
        const [a, b] = [await keyOf(orgA, idA), await keyOf(orgB, idB)];
        expect(a === b).toBe(orgA === orgB && idA === idB);
      }),
    );
  });

  test('in the documents of a namespace', () => {
    fc.assert(
      fc.property(orgs, orgs, orgs, orgs, (orgA, namespaceA, orgB, namespaceB) => {
        const [a, b] = [toPartition(orgA, namespaceA), toPartition(orgB, namespaceB)];
        expect(a === b).toBe(orgA === orgB && namespaceA === namespaceB);
        expect(toHeadKey(a, 'd').pk).toBe(a);
      }),
    );
    expect(() => toPartition('a#b', 'c')).toThrow(TypeError);
  });

  test('in the audit log', () => {
    fc.assert(
      fc.property(orgs, orgs, fc.nat(7), fc.nat(7), (orgA, orgB, shardA, shardB) => {
        const [a, b] = [partitionOf(orgA, '2026-11-21', shardA), partitionOf(orgB, '2026-11-21', shardB)];
        expect(a === b).toBe(orgA === orgB && shardA === shardB);
      }),
    );
  });

  test('in what is kept in memory for a caller', () => {
    const keyOf = (org: string) => {
      const policy = policyOf({ clients: [clientEntry('courier', { org })] });
      const caller = Caller.fromToken(issuer.verified({ org_id: org }), policy);
      return caller.ok ? caller.value.key : '';
    };
    fc.assert(
      fc.property(orgs, orgs, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(a === b);
      }),
      { numRuns: 20 },
    );
  });
});

describe('what another organisation writes changes nothing', () => {
  const names = fc.constantFrom('pilots', 'crew', 'cooks');
  const subjects = fc.subarray(['courier', 'corp:alice', 'spy']);
  const team = fc.record({
    name: names,
    members: subjects,
    groups: fc.subarray(['staff', 'root']),
    parent: fc.option(names, { nil: undefined }),
    inherit: fc.boolean(),
  });
  const binding = fc.record({
    role: fc.constantFrom('platform_admin', 'platform_viewer', 'viewer', 'keeper'),
    team: fc.option(names, { nil: undefined }),
    members: subjects,
    groups: fc.subarray(['staff', 'root']),
    expiresAtSeconds: fc.option(fc.constantFrom(NOW_SECONDS, NOW_SECONDS + 1), { nil: undefined }),
  });
  const tenancies = fc.record({
    teams: fc.uniqueArray(team, { selector: ({ name }) => name }),
    roles: fc.constantFrom(
      [],
      [{ name: 'keeper', scope: undefined, permissions: ['tools.read', 'admin.events'] }],
    ),
    roleBindings: fc.array(binding, { maxLength: 3 }),
  });
  type Tenancy = typeof tenancies extends fc.Arbitrary<infer T> ? T : never;
  const of = (org: string, { teams, roles, roleBindings }: Tenancy) => ({
    teams: teams.map((one) => ({ ...one, org })),
    roles: roles.map((one) => ({ ...one, org })),
    roleBindings: roleBindings.map((one) => ({ ...one, org })),
  });
  const servers = ['team:pilots', 'team:cooks', 'private:courier', 'private:spy', 'org'].flatMap(
    (visibility, index) =>
      [undefined, 'acme', 'rival'].map((org) => serverEntry(`s${index}-${org}`, { org, visibility })),
  );
  const base = {
    servers,
    idps: [identityProvider('corp')],
    clients: [clientEntry('courier', { groups: ['staff'] }), clientEntry('spy', { org: 'rival' })],
  };
  const tokens = [{ groups: ['staff', 'root'] }, { sub: 'corp:alice', groups: ['root'] }].flatMap((claims) =>
    [undefined, [], ['pilots'], ['crew', 'cooks']].flatMap((teams) =>
      ['session', undefined].map((token_kind) => issuer.verified({ ...claims, teams, token_kind })),
    ),
  );

  test('in what a caller sees, is and may do', () => {
    fc.assert(
      fc.property(tenancies, tenancies, fc.constantFrom(...tokens), (own, others, token) => {
        const mine = of('acme', own);
        const theirs = of('rival', others);
        const both = {
          teams: [...theirs.teams, ...mine.teams],
          roles: [...theirs.roles, ...mine.roles],
          roleBindings: [...theirs.roleBindings, ...mine.roleBindings],
        };
        const facts = [mine, both].map((tenancy) => {
          const policy = policyOf({ ...base, ...tenancy });
          const caller = Caller.fromToken(token, policy, NOW_SECONDS);
          if (!caller.ok) return caller.error;
          const { teams, isPublicOnly, roles } = caller.value;
          return {
            teams,
            isPublicOnly,
            roles,
            permissions: permissionsOf(caller.value),
            seen: servers.filter(({ name }) => policy.hasServer(name, caller.value)).map(({ name }) => name),
          };
        });
        expect(facts[1]).toEqual(facts[0]);
        expect(JSON.stringify(facts)).not.toMatch(/s\d-rival|s3-(undefined|acme)/);
      }),
    );
  });
});
