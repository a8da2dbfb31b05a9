import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Action, type CallArguments, readMessage } from '../../functions/core/action.ts';
import { Caller } from '../../functions/core/caller.ts';
import { decide, decideServer, isAllowed } from '../../functions/core/decide.ts';
import { isJsonObject, parseJsonText } from '../../functions/core/json.ts';
import type { Policy, Snapshot } from '../../functions/core/policy.ts';
import { createPruner } from '../../functions/core/prune.ts';
import type { DefaultRule, ScopeRule } from '../../functions/core/rules/rule.ts';
import type { VerifiedToken } from '../../functions/core/token.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const RUNS = 600;
const issuer = new TestIssuer();
const SCOPES = ['s', 't', 'u'] as const;
/** Either side of the ends of {@link WINDOWS}. */
const MOMENTS = ['2026-11-20T12:00:00Z', '2026-11-20T20:00:00Z', '2026-11-22T12:00:00Z'].map(
  (text) => Date.parse(text) / 1_000,
);
const WINDOWS = [
  { timezone: 'Europe/Berlin', days: [5] },
  { timezone: 'UTC', hours: { startMinute: 540, endMinute: 1_020 } },
  { timezone: 'UTC', notAfterSeconds: Date.parse('2026-11-21T00:00:00Z') / 1_000 },
];
const NAMES = ['a', 'b', 'tools/call', '*'] as const;
const METHODS = [
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'x/custom',
] as const;
const URIS = ['docs://acme/a', 'docs://rival/a', 'docs://acme/../a', 'DOCS://acme/a', 'docs://acme/{id}'];
const PATTERNS = ['docs://{org_id}/**', 'docs://*/a', 'docs://acme/a', '*', '**'];
const SCHEMAS = [
  { required: ['x'] },
  { properties: [['x', { type: ['integer'], maximum: '5' }]] },
  { properties: [['x', { minimum: '5' }]] },
] as const;

const list = (words: readonly string[]) => fc.subarray([...words], { maxLength: 3 });

function compact<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** A rule as the compiler stores them. */
const ruleArbitrary: fc.Arbitrary<ScopeRule> = fc
  .record({
    server: fc.constantFrom('maps', 'maps', 'mail', '*'),
    methods: fc.oneof(list([...METHODS]), fc.constantFrom(['*'], ['all'])),
    tools: list(NAMES),
    deny: fc.constantFrom(undefined, undefined, undefined, 'part' as const, 'server' as const),
    prompts: fc.option(list(NAMES), { nil: undefined, freq: 3 }),
    resources: fc.option(list(PATTERNS), { nil: undefined, freq: 3 }),
    arguments: fc.option(fc.tuple(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom(...SCHEMAS))), {
      nil: undefined,
      freq: 4,
    }),
    when: fc.option(fc.constantFrom(...WINDOWS), { nil: undefined, freq: 6 }),
  })
  .map((rule) => compact({ ...rule, at: 'scopes.yml:1' }));

const defaultArbitrary: fc.Arbitrary<DefaultRule> = fc
  .tuple(ruleArbitrary, fc.constantFrom(undefined, 'acme', 'rival'))
  .map(([rule, org]) => (org === undefined ? rule : { ...rule, org }));

type Parts = Pick<Snapshot, 'scopes' | 'defaults' | 'groups'>;

const partsArbitrary: fc.Arbitrary<Parts> = fc.record({
  scopes: fc
    .tuple(...SCOPES.map(() => fc.array(ruleArbitrary, { maxLength: 4 })))
    .map((rules) => SCOPES.map((scope, index) => [scope, rules[index] ?? []] as const)),
  defaults: fc.array(defaultArbitrary, { maxLength: 2 }),
  groups: fc.tuple(list([...SCOPES]), list([...SCOPES])).map(
    ([one, other]) =>
      [
        ['g', one],
        ['h', other],
      ] as const,
  ),
});

const argumentsArbitrary: fc.Arbitrary<CallArguments> = fc.oneof(
  fc.constantFrom('unseen' as const, 'unreadable' as const),
  fc.constantFrom('{}', '{"x":5}', '{"x":6}', '{"x":"5"}', '{"x":5.0000000000000001}').map(objectOf),
);

function objectOf(text: string): CallArguments {
  const parsed = parseJsonText(text);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : 'unreadable';
}

const actionArbitrary: fc.Arbitrary<Action> = fc.record({
  server: fc.constantFrom('maps', 'maps', 'maps', 'mail', 'context-store', 'vault'),
  kind: fc.constantFrom('request' as const, 'request' as const, 'notification' as const),
  method: fc.constantFrom(...METHODS, 'tools/call', 'notifications/cancelled'),
  name: fc.constantFrom(undefined, 'a', 'b', 'tools/call', '', ...URIS),
  arguments: argumentsArbitrary,
});

/** Everything that one decision depends on, but for the policy. */
const situationArbitrary: fc.Arbitrary<Situation> = fc.record({
  tokenScopes: list([...SCOPES]),
  groups: fc.constantFrom(['g'], ['g', 'h'], []),
  isUser: fc.boolean(),
  action: actionArbitrary,
  nowSeconds: fc.constantFrom(...MOMENTS),
});
type Situation = {
  readonly tokenScopes: readonly string[];
  readonly groups: readonly string[];
  readonly isUser: boolean;
  readonly action: Action;
  readonly nowSeconds: number;
};

function policyFor(parts: Parts): Policy {
  return policyOf({
    ...parts,
    idps: [identityProvider('corp')],
    servers: [serverEntry('maps'), serverEntry('mail'), serverEntry('vault', { org: 'rival' })],
    clients: [clientEntry('courier', { scopes: [...SCOPES] })],
  });
}

/** Signing and verifying is most of what a run costs, and there are few tokens. */
const tokens = new Map<string, VerifiedToken>();

function callerOf(policy: Policy, { tokenScopes, groups, isUser }: Situation): Caller {
  const scope = tokenScopes.join(' ');
  const claims = isUser ? { sub: 'corp:mara', scope, groups } : { scope };
  const key = JSON.stringify(claims);
  const token = tokens.get(key) ?? issuer.verified(claims);
  tokens.set(key, token);
  const caller = Caller.fromToken(token, policy);
  if (!caller.ok) throw new Error(caller.error.reason);
  return caller.value;
}

function allows(parts: Parts, situation: Situation): boolean {
  const policy = policyFor(parts);
  return isAllowed(policy, callerOf(policy, situation), situation.action, situation.nowSeconds);
}

/** All rules of a policy, one place changed. */
function changed(
  parts: Parts,
  index: number,
  change: (rules: readonly ScopeRule[]) => readonly ScopeRule[],
): Parts {
  return {
    ...parts,
    scopes: parts.scopes.map(([scope, rules], at) => [
      scope,
      at === index % SCOPES.length ? change(rules) : rules,
    ]),
  };
}

const place = fc.nat({ max: 11 });

function holds(law: (parts: Parts, situation: Situation, at: number) => void): void {
  fc.assert(fc.property(partsArbitrary, situationArbitrary, place, law), { numRuns: RUNS });
}

describe('for every policy, caller, action and moment', () => {
  test('taking a grant away allows nothing more', () => {
    holds((parts, situation, at) => {
      const fewer = changed(parts, at, (rules) =>
        rules.filter((rule, index) => rule.deny !== undefined || index !== Math.floor(at / 3)),
      );
      if (allows(fewer, situation)) expect(allows(parts, situation)).toBe(true);
    });
  });

  test('adding a deny allows nothing more, in a scope or a default', () => {
    fc.assert(
      fc.property(partsArbitrary, situationArbitrary, place, ruleArbitrary, (parts, situation, at, rule) => {
        const deny: ScopeRule = { ...rule, deny: rule.deny ?? 'part' };
        const more = [
          changed(parts, at, (rules) => [...rules, deny]),
          { ...parts, defaults: [deny, ...(parts.defaults ?? [])] },
        ];
        for (const one of more) if (allows(one, situation)) expect(allows(parts, situation)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  test('the order of rules, scopes and groups changes nothing', () => {
    holds((parts, situation) => {
      const turned: Parts = {
        scopes: parts.scopes.map(([scope, rules]) => [scope, rules.toReversed()] as const).toReversed(),
        defaults: (parts.defaults ?? []).toReversed(),
        groups: parts.groups.toReversed(),
      };
      const other = {
        ...situation,
        tokenScopes: situation.tokenScopes.toReversed(),
        groups: situation.groups.toReversed(),
      };
      expect(allows(turned, other)).toBe(allows(parts, situation));
    });
  });

  test('a token with fewer scopes may do nothing more', () => {
    holds((parts, situation, at) => {
      const tokenScopes = situation.tokenScopes.filter((_, index) => index !== at % SCOPES.length);
      if (allows(parts, { ...situation, tokenScopes })) expect(allows(parts, situation)).toBe(true);
    });
  });

  test('what holds for another organisation changes nothing', () => {
    fc.assert(
      fc.property(partsArbitrary, situationArbitrary, ruleArbitrary, (parts, situation, rule) => {
        const defaults = [{ ...rule, org: 'rival' }, ...(parts.defaults ?? [])];
        const policies = [policyFor(parts), policyFor({ ...parts, defaults })] as const;
        const [one, other] = policies.map((policy) =>
          decide(policy, callerOf(policy, situation), situation.action, situation.nowSeconds),
        );
        expect(other).toEqual(one);
      }),
      { numRuns: RUNS },
    );
  });

  test('arguments that nobody can read are allowed where any are, and none are allowed where unseen ones are not', () => {
    holds((parts, situation) => {
      const of = (given: CallArguments) =>
        allows(parts, { ...situation, action: { ...situation.action, arguments: given } });
      for (const text of ['{}', '{"x":5}', '{"x":6}', '{"x":"5"}']) {
        if (of('unreadable')) expect(of(objectOf(text))).toBe(true);
        if (of(objectOf(text))) expect(of('unseen')).toBe(true);
      }
    });
  });

  test('where nothing at all is allowed on a server, nothing is', () => {
    holds((parts, situation) => {
      const policy = policyFor(parts);
      const caller = callerOf(policy, situation);
      const { server } = situation.action;
      if (!decideServer(policy, caller, server, situation.nowSeconds).allow) {
        expect(allows(parts, situation)).toBe(false);
      }
    });
  });

  test('the same question has the same answer, and the quiet one agrees with the loud one', () => {
    holds((parts, situation) => {
      const policy = policyFor(parts);
      const caller = callerOf(policy, situation);
      const { action, nowSeconds } = situation;
      const decision = decide(policy, caller, action, nowSeconds);
      expect(decide(policy, caller, action, nowSeconds)).toEqual(decision);
      expect(isAllowed(policy, caller, action, nowSeconds)).toBe(decision.allow);
      if (!decision.allow && decision.refusal.cause?.kind === 'denied') {
        expect(decision.refusal.obtainable).toEqual([]);
      }
    });
  });

  test('a wildcard of one kind grants nothing of another', () => {
    const method = fc.constantFrom(...METHODS.filter((one) => one !== 'ping'));
    fc.assert(
      fc.property(method, fc.constantFrom('a', '*', ...URIS), (asked, name) => {
        const every = { tools: ['*'], prompts: ['*'], resources: ['*'] };
        const rule = { server: 'maps', methods: [], ...every, at: 'scopes.yml:1' };
        const policy = policyFor({ scopes: [['s', [rule]]], groups: [] });
        const situation = { tokenScopes: ['s'], groups: [], isUser: false, nowSeconds: 0 };
        const action: Action = { server: 'maps', kind: 'request', method: asked, name, arguments: new Map() };
        expect(isAllowed(policy, callerOf(policy, { ...situation, action }), action, 0)).toBe(false);
      }),
    );
  });
});

/** The lists of a server, and the call that an item stands for. */
const LISTS = [
  ['tools/list', 'tools', 'name', 'tools/call'],
  ['prompts/list', 'prompts', 'name', 'prompts/get'],
  ['resources/list', 'resources', 'uri', 'resources/read'],
  ['resources/templates/list', 'resourceTemplates', 'uriTemplate', 'resources/read'],
] as const;

test.for(LISTS)('what %s shows is what may be had', ([method, items, member, call]) => {
  const names = [...NAMES, ...URIS, 'A', ''];
  const body = new TextEncoder().encode(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }));
  const message = readMessage(body, new Headers());
  if (!message.ok) throw new Error(message.error.message);
  fc.assert(
    fc.property(partsArbitrary, situationArbitrary, (parts, situation) => {
      const policy = policyFor(parts);
      const caller = callerOf(policy, situation);
      const { nowSeconds } = situation;
      const pruner = createPruner(() => ({ policy, caller, nowSeconds }), 'maps', message.value, false);
      const answer = {
        jsonrpc: '2.0',
        id: 1,
        result: { [items]: names.map((name) => ({ [member]: name })) },
      };
      const shown = JSON.parse(pruner?.(JSON.stringify(answer)) ?? '').result[items];
      const callable = names.filter((name) => {
        const action: Action = { server: 'maps', kind: 'request', method: call, name, arguments: 'unseen' };
        return isAllowed(policy, caller, action, nowSeconds);
      });
      expect(shown).toEqual(callable.map((name) => ({ [member]: name })));
    }),
    { numRuns: RUNS / 2 },
  );
});

test('the universe of the laws allows and refuses each kind of thing', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(partsArbitrary, situationArbitrary, (parts, situation) => {
      const policy = policyFor(parts);
      const decision = decide(policy, callerOf(policy, situation), situation.action, situation.nowSeconds);
      const key = decision.allow ? 'allow' : (decision.refusal.cause?.kind ?? decision.refusal.reason);
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }),
    { numRuns: 3_000, seed: 7 },
  );
  const kinds = [
    'allow',
    'closed',
    'constrained',
    'denied',
    'no_server_access',
    'not_granted',
    'unknown_server',
  ];
  expect([...seen.keys()].sort()).toEqual(kinds);
});
