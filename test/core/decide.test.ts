import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action } from '../../functions/core/action.ts';
import { type Decision, decide, decideAll, decideServer } from '../../functions/core/decide.ts';
import type { Policy } from '../../functions/core/policy.ts';
import type { ScopeRule } from '../../functions/core/rules/rule.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
/** A Saturday, 16:00 UTC. */
const NOW = 1_795_276_800;
const USE = ['initialize', 'tools/list', 'tools/call'];

function request(server: string, method: string, name?: string): Action {
  return { server, kind: 'request', method, name, arguments: 'unseen' };
}

/** A policy of these scopes over `maps`, `mail` and the rival's `vault`; the client may have them all and `spare`. */
function policyFor(scopes: Readonly<Record<string, readonly ScopeRule[]>>): Policy {
  return policyOf({
    scopes: Object.entries(scopes),
    servers: [serverEntry('maps'), serverEntry('mail'), serverEntry('vault', { org: 'rival' })],
    clients: [clientEntry('courier', { scopes: Object.keys(scopes) })],
  });
}

function ask(policy: Policy, scopes: readonly string[], action: Action): Decision {
  return decide(policy, callerOf(issuer, policy, scopes), action, NOW);
}

/** The decision under one scope with one rule on `maps`. */
function allows(methods: readonly string[], tools: readonly string[], action: Action): boolean {
  return ask(policyFor({ s: [scopeRule('maps', methods, tools)] }), ['s'], action).allow;
}

describe('the source system’s defects', () => {
  test('E1: a tool in the list is not enough, `tools/call` must be among the methods', () => {
    const call = request('maps', 'tools/call', 'route');
    expect(allows(['tools/list'], ['route'], call)).toBe(false);
    expect(allows([], ['route'], call)).toBe(false);
    expect(allows([], ['*'], call)).toBe(false);
    expect(allows(['tools/call'], [], call)).toBe(false);
    expect(allows(['tools/call'], ['route'], call)).toBe(true);
  });

  test('E1: both must be granted by one rule', () => {
    const policy = policyFor({
      methods: [scopeRule('maps', ['tools/call'], ['route'])],
      tools: [scopeRule('maps', ['tools/list'], ['erase'])],
      mixed: [scopeRule('maps', ['tools/call'], []), scopeRule('maps', [], ['erase'])],
    });
    const call = request('maps', 'tools/call', 'erase');
    for (const scope of ['methods', 'tools', 'mixed']) expect(ask(policy, [scope], call).allow).toBe(false);
    expect(ask(policy, ['methods', 'tools', 'mixed'], call).allow).toBe(false);
  });

  test('E2: a tool that is named like a method grants no method', () => {
    expect(allows(['tools/call'], ['resources/read'], request('maps', 'resources/read', 'file:///x'))).toBe(
      false,
    );
    expect(allows(['tools/call'], ['tools/list'], request('maps', 'tools/list'))).toBe(false);
  });

  test('E3: a wildcard of tools grants no method', () => {
    for (const wildcard of ['*', 'all']) {
      for (const method of [
        'initialize',
        'tools/list',
        'resources/list',
        'server/discover',
        'logging/setLevel',
      ]) {
        expect(allows(['tools/call'], [wildcard], request('maps', method))).toBe(false);
      }
    }
  });

  test.for([undefined, ''])('E4: a call without a tool’s name is refused under any wildcard: %j', (name) => {
    expect(allows(['*'], ['*'], request('maps', 'tools/call', name))).toBe(false);
    expect(allows(['all'], ['all', ''], request('maps', 'tools/call', name))).toBe(false);
  });

  test('E5: an empty configuration refuses everything', () => {
    const empty = policyOf({ clients: [clientEntry('courier')] });
    for (const method of ['initialize', 'ping', 'tools/list', 'tools/call']) {
      expect(ask(empty, [], request('context-store', method, 'x')).allow).toBe(false);
      expect(ask(empty, [], request('maps', method, 'x')).allow).toBe(false);
    }
  });

  test('E6: a request without a method is refused under any wildcard', () => {
    expect(
      allows(['*'], ['*'], {
        server: 'maps',
        kind: 'request',
        method: undefined,
        name: undefined,
        arguments: 'unseen',
      }),
    ).toBe(false);
  });

  test('E8: a scope that the policy does not know is skipped', () => {
    const policy = policyOf({
      servers: [serverEntry('maps')],
      scopes: [['s', [scopeRule('maps', USE, ['route'])]]],
      clients: [clientEntry('courier', { scopes: ['gone', '__proto__', 'constructor', 's'] })],
    });
    const call = request('maps', 'tools/call', 'route');
    expect(ask(policy, ['gone', '__proto__', 'constructor'], call).allow).toBe(false);
    expect(ask(policy, ['gone', 's'], call).allow).toBe(true);
  });
});

describe('names are exact', () => {
  test.for([
    'Route',
    'ROUTE',
    'route ',
    ' route',
    'route\n',
    'route\0',
    'rout',
    'routes',
    'rоute',
    'route\u200b',
    'ｒoute',
    '*',
    'all',
    'r*',
    '__proto__',
    'constructor',
  ])('the tool %j is not `route`', (name) => {
    expect(allows(USE, ['route'], request('maps', 'tools/call', name))).toBe(false);
  });

  test.for([
    'Tools/call',
    'tools/call ',
    'tools/Call',
    'tools',
    'tools/',
    'tools/call/route',
    'route',
    'GET',
    '',
  ])('the method %j is not `tools/call`', (method) => {
    expect(allows(['tools/call'], ['route'], request('maps', method, 'route'))).toBe(false);
  });

  test('a composed and a decomposed letter are two', () => {
    expect(allows(USE, ['caf\u00e9'], request('maps', 'tools/call', 'cafe\u0301'))).toBe(false);
  });

  test.for(['Maps', 'maps ', '/maps', 'maps/', 'map', 'mapsx', '*', 'all', '', '__proto__'])(
    'the server %j is not `maps`',
    (server) => {
      const policy = policyFor({ s: [scopeRule('maps', ['*'], ['*'])] });
      expect(ask(policy, ['s'], request(server, 'tools/list'))).toMatchObject({
        refusal: { reason: 'unknown_server', obtainable: [] },
      });
    },
  );
});

describe('wildcards', () => {
  test('a wildcard with some tools stands for the methods of the protocol, with every tool for any word', () => {
    for (const method of ['erase', 'Tools/Call', 'tools/call2', 'x']) {
      expect(allows(['*'], ['route'], request('maps', method))).toBe(false);
      expect(allows(['*'], ['*'], request('maps', method))).toBe(true);
    }
    expect(allows(['*'], ['route'], request('maps', 'completion/complete'))).toBe(true);
  });

  test.for(['*', 'all'])('`%s` among the methods is every method, and still needs the tool', (wildcard) => {
    for (const method of [
      'initialize',
      'tools/list',
      'resources/read',
      'prompts/get',
      'subscriptions/listen',
    ]) {
      expect(allows([wildcard], [], request('maps', method, 'x'))).toBe(true);
    }
    expect(allows([wildcard], ['route'], request('maps', 'tools/call', 'erase'))).toBe(false);
    expect(allows([wildcard], ['route'], request('maps', 'tools/call', 'route'))).toBe(true);
  });

  test.for(['*', 'all'])('`%s` among the tools is every tool', (wildcard) => {
    for (const tool of ['route', 'erase', '*', 'all', ' ', '__proto__']) {
      expect(allows(['tools/call'], [wildcard], request('maps', 'tools/call', tool))).toBe(true);
    }
  });

  test.for(['tools/*', 't*', '**', 'All', 'ALL', '* ', '.*'])('%j is a name, not a wildcard', (word) => {
    expect(allows([word], [], request('maps', 'tools/list'))).toBe(false);
    expect(allows(['tools/call'], [word], request('maps', 'tools/call', 'route'))).toBe(false);
  });

  test('`*` as server is every server that exists, the context store among them, and none of another organisation', () => {
    const policy = policyFor({ s: [scopeRule('*', USE, ['route'])] });
    for (const server of ['maps', 'mail', 'context-store']) {
      expect(ask(policy, ['s'], request(server, 'tools/call', 'route')).allow).toBe(true);
    }
    for (const server of ['vault', 'gone', '*']) {
      expect(ask(policy, ['s'], request(server, 'tools/call', 'route')).allow).toBe(false);
    }
  });

  test('`all` as server is a name that no server can have', () => {
    const policy = policyFor({ s: [scopeRule('all', ['*'], ['*'])] });
    expect(ask(policy, ['s'], request('maps', 'tools/list')).allow).toBe(false);
  });
});

describe('what needs access to the server alone', () => {
  const policy = policyFor({ s: [scopeRule('maps', [], [])] });
  const free: readonly Action[] = [
    request('maps', 'ping'),
    {
      server: 'maps',
      kind: 'notification',
      method: 'notifications/initialized',
      name: undefined,
      arguments: 'unseen',
    },
    {
      server: 'maps',
      kind: 'notification',
      method: 'notifications/cancelled',
      name: undefined,
      arguments: 'unseen',
    },
    { server: 'maps', kind: 'response', method: undefined, name: undefined, arguments: 'unseen' },
  ];

  test.for(free)('$kind $method', (action) => {
    expect(ask(policy, ['s'], action).allow).toBe(true);
    expect(ask(policy, ['s'], { ...action, server: 'mail' })).toMatchObject({
      refusal: { reason: 'no_server_access' },
    });
    expect(ask(policy, [], action).allow).toBe(false);
  });

  test('a request that is named like a notification is decided like any request', () => {
    expect(ask(policy, ['s'], request('maps', 'notifications/initialized')).allow).toBe(false);
  });

  test.for([
    'tools/call',
    'tools/list',
    'resources/read',
    'initialize',
    'notifications',
    'Notifications/x',
    '',
  ])('leaving the id away makes no notification of %j: a server may run it', (method) => {
    const action = {
      server: 'maps',
      kind: 'notification',
      method,
      name: 'erase',
      arguments: 'unseen',
    } as const;
    expect(ask(policy, ['s'], action).allow).toBe(false);
  });

  test('a GET or DELETE, whose body is not in sight', () => {
    expect(decideServer(policy, callerOf(issuer, policy, ['s']), 'maps', NOW).allow).toBe(true);
    expect(decideServer(policy, callerOf(issuer, policy, ['s']), 'mail', NOW).allow).toBe(false);
    expect(decideServer(policy, callerOf(issuer, policy, []), 'maps', NOW).allow).toBe(false);
  });
});

describe('discovery', () => {
  test('is granted with `initialize`, and by its own name', () => {
    expect(allows(['initialize'], [], request('maps', 'server/discover'))).toBe(true);
    expect(allows(['server/discover'], [], request('maps', 'server/discover'))).toBe(true);
  });

  test('grants nothing back', () => {
    expect(allows(['server/discover'], [], request('maps', 'initialize'))).toBe(false);
    expect(allows(['tools/list'], [], request('maps', 'server/discover'))).toBe(false);
  });
});

describe('a refusal', () => {
  const scopes = {
    look: [scopeRule('maps', ['tools/list'])],
    use: [scopeRule('maps', USE, ['route'])],
    mail: [scopeRule('mail', USE, ['send'])],
  };
  const policy = policyOf({
    scopes: [...Object.entries(scopes), ['locked', [scopeRule('maps', USE, ['erase'])]]],
    servers: [serverEntry('maps'), serverEntry('mail'), serverEntry('vault', { org: 'rival' })],
    clients: [
      clientEntry('courier', { scopes: ['look', 'use', 'mail'] }),
      clientEntry('chief', { scopes: ['locked'] }),
    ],
  });

  test.for([
    ['names the scope that the client may obtain', 'maps', 'route', 'not_granted', ['use']],
    ['names none that it may not', 'maps', 'erase', 'not_granted', []],
    ['names none for a tool that does not exist', 'maps', 'nothing', 'not_granted', []],
    ['of a whole server names the scope too', 'mail', 'send', 'no_server_access', ['mail']],
    ['of a whole server names none for a tool of nobody', 'mail', 'nothing', 'no_server_access', []],
    ['hides a server of another organisation', 'vault', 'route', 'unknown_server', []],
    ['hides a server that does not exist', 'gone', 'route', 'unknown_server', []],
  ] as const)('%s', ([, server, tool, reason, obtainable]) => {
    expect(ask(policy, ['look'], request(server, 'tools/call', tool))).toEqual({
      allow: false,
      refusal: { reason, obtainable },
    });
  });

  test('is the same for a hidden tool and for one that does not exist', () => {
    const hidden = ask(policy, ['look'], request('maps', 'tools/call', 'erase'));
    expect(hidden).toEqual(ask(policy, ['look'], request('maps', 'tools/call', 'no-such-tool')));
  });
});

test('an allow names the first granting scope in the token’s order, and its line', () => {
  const policy = policyFor({
    a: [{ ...scopeRule('maps', USE, ['route']), at: 'scopes.yml:4' }],
    b: [
      { ...scopeRule('maps', ['ping']), at: 'scopes.yml:8' },
      { ...scopeRule('maps', USE, ['route']), at: 'scopes.yml:9' },
    ],
  });
  const call = request('maps', 'tools/call', 'route');
  expect(ask(policy, ['b', 'a'], call)).toEqual({ allow: true, scope: 'b', at: 'scopes.yml:9' });
  expect(ask(policy, ['a', 'b'], call)).toEqual({ allow: true, scope: 'a', at: 'scopes.yml:4' });
});

/** The rules of formats §3.1 once more, as plain as can be, over the uncompiled rules. */
function oracle(rules: readonly ScopeRule[], servers: readonly string[], action: Action): boolean {
  if (!servers.includes(action.server)) return false;
  const here = rules.filter((rule) => rule.server === action.server || rule.server === '*');
  if (action.kind === 'response' || action.method === 'ping') return here.length > 0;
  if (action.kind === 'notification' && action.method?.startsWith('notifications/')) return here.length > 0;
  return here.some(({ methods, tools }) => {
    const any = (list: readonly string[]) => list.includes('all') || list.includes('*');
    const named = methods.includes(action.method ?? '') || any(methods);
    if (action.method === 'server/discover') return named || methods.includes('initialize');
    if (action.method !== 'tools/call') return named;
    return named && !!action.name && (tools.includes(action.name) || any(tools));
  });
}

const SERVERS = ['maps', 'mail'];
const UNIVERSE_METHODS = ['initialize', 'tools/list', 'tools/call', 'server/discover', 'ping'];
const UNIVERSE_TOOLS = ['route', 'erase', 'tools/list'];
const REQUESTS: readonly Action[] = [...SERVERS, 'vault'].flatMap((server) => [
  ...UNIVERSE_METHODS.flatMap((method) =>
    [...UNIVERSE_TOOLS, 'unknown', '', undefined].map((name) => request(server, method, name)),
  ),
  { server, kind: 'notification', method: 'notifications/initialized', name: undefined, arguments: 'unseen' },
  { server, kind: 'notification', method: 'tools/call', name: 'route', arguments: 'unseen' },
  { server, kind: 'response', method: undefined, name: undefined, arguments: 'unseen' },
]);

test('agrees with an independent oracle on every policy of two rules in a small universe', () => {
  const methodLists = [
    [],
    ['initialize'],
    ['tools/list'],
    ['tools/call'],
    ['tools/call', 'ping'],
    ['all'],
    ['*', 'x'],
  ];
  const toolLists = [[], ['route'], ['erase', 'tools/list'], ['*'], ['route', 'all']];
  const rules = [...SERVERS, '*'].flatMap((server) =>
    methodLists.flatMap((methods) => toolLists.map((tools) => scopeRule(server, methods, tools))),
  );
  const token = issuer.verified({ scope: 's t' });
  const client = clientEntry('courier', { scopes: ['s', 't'] });
  const servers = [serverEntry('maps'), serverEntry('mail'), serverEntry('vault', { org: 'rival' })];
  const caller = callerOf(issuer, policyOf({ clients: [client] }), ['s', 't']);
  expect(token.claims.scopes).toEqual(['s', 't']);
  let decisions = 0;
  const disagreements: unknown[] = [];
  const compare = (chosen: readonly ScopeRule[], policy: Policy) => {
    for (const action of REQUESTS) {
      decisions += 1;
      const allow = decide(policy, caller, action, NOW).allow;
      if (allow !== oracle(chosen, SERVERS, action)) disagreements.push({ chosen, action, allow });
    }
  };
  rules.forEach((first, index) => {
    compare([first], policyOf({ servers, clients: [client], scopes: [['s', [first]]] }));
    for (const second of rules.slice(index)) {
      const parts = { servers, clients: [client] };
      const apart = (index + rules.indexOf(second)) % 2 === 0;
      const policy = apart
        ? policyOf({
            ...parts,
            scopes: [
              ['s', [first]],
              ['t', [second]],
            ],
          })
        : policyOf({ ...parts, scopes: [['s', [first, second]]] });
      compare([first, second], policy);
    }
  });
  expect(disagreements.slice(0, 3)).toEqual([]);
  expect(decisions).toBeGreaterThan(500_000);
});

describe('laws', () => {
  const name = fc.constantFrom(
    'route',
    'erase',
    'initialize',
    'tools/list',
    'tools/call',
    '*',
    'all',
    'ping',
  );
  const rule = fc
    .tuple(
      fc.constantFrom('maps', 'mail', '*', 'vault'),
      fc.array(name, { maxLength: 3 }),
      fc.array(name, { maxLength: 3 }),
    )
    .map(([server, methods, tools]) => scopeRule(server, methods, tools));
  const scopes = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.array(rule, { maxLength: 3 }));
  const action = fc.constantFrom(...REQUESTS);
  const subset = fc.subarray(['a', 'b', 'c']);

  test('a decision depends on nothing but policy, caller and action', () => {
    fc.assert(
      fc.property(scopes, subset, action, (parts, held, asked) => {
        const first = ask(policyFor(parts), held, asked);
        expect(ask(policyFor(parts), held, Object.freeze({ ...asked }))).toEqual(first);
      }),
    );
  });

  test('another scope never takes an allow away, and one less never adds one', () => {
    fc.assert(
      fc.property(scopes, subset, fc.constantFrom('a', 'b', 'c'), action, (parts, held, more, asked) => {
        const policy = policyFor(parts);
        if (ask(policy, held, asked).allow) {
          expect(ask(policy, [...held, more], asked).allow).toBe(true);
          expect(ask(policy, [more, ...held], asked).allow).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a rule for another server changes no decision', () => {
    fc.assert(
      fc.property(scopes, subset, action, rule, (parts, held, asked, added) => {
        const elsewhere = { ...added, server: asked.server === 'mail' ? 'maps' : 'mail' };
        const { a = [] } = parts;
        const before = ask(policyFor({ ...parts, a }), held, asked);
        const after = ask(policyFor({ ...parts, a: [elsewhere, ...a] }), held, asked);
        expect(after).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  test('a server of another organisation changes no decision of this one', () => {
    fc.assert(
      fc.property(scopes, subset, action, (parts, held, asked) => {
        const base = {
          scopes: Object.entries(parts),
          clients: [clientEntry('courier', { scopes: ['a', 'b', 'c'] })],
        };
        const own = [serverEntry('maps'), serverEntry('mail')];
        const without = policyOf({ ...base, servers: own });
        const withOther = policyOf({ ...base, servers: [...own, serverEntry('vault', { org: 'rival' })] });
        expect(ask(withOther, held, asked)).toEqual(ask(without, held, asked));
      }),
    );
  });

  test('a scope is named as obtainable only where a token with it would be allowed', () => {
    fc.assert(
      fc.property(scopes, subset, action, (parts, held, asked) => {
        const policy = policyFor(parts);
        const decision = ask(policy, held, asked);
        if (decision.allow) return;
        for (const scope of decision.refusal.obtainable) {
          expect(ask(policy, [...held, scope], asked).allow).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a wildcard of methods beside a list of tools', () => {
  test.for([
    'initialize',
    'server/discover',
    'tools/list',
    'prompts/list',
    'prompts/get',
    'resources/list',
    'resources/templates/list',
    'resources/read',
    'resources/subscribe',
    'resources/unsubscribe',
    'subscriptions/listen',
    'completion/complete',
    'logging/setLevel',
    'tasks/get',
    'tasks/list',
    'tasks/result',
    'tasks/update',
    'tasks/cancel',
  ])('stands for %s, which is of the protocol', (method) => {
    expect(allows(['*'], ['route'], request('maps', method, 'a'))).toBe(true);
  });

  test.for(['', 'tasks', 'tasks/Get', 'route', 'tools/purge', 'logging/setlevel'])(
    'does not stand for %j, which a server may take for a tool',
    (method) => {
      expect(allows(['*'], ['route'], request('maps', method, 'a'))).toBe(false);
    },
  );
});

describe('what needs several rights', () => {
  const policy = policyFor({
    complete: [scopeRule('maps', ['completion/complete'])],
    prompts: [scopeRule('maps', ['prompts/get'])],
  });
  const complete = request('maps', 'completion/complete');
  const get = request('maps', 'prompts/get', 'greet');
  const read = request('maps', 'resources/read', 'doc://a');
  const askAll = (scopes: readonly string[], ...addressed: readonly Action[]) =>
    decideAll(policy, callerOf(issuer, policy, scopes), [complete, ...addressed], NOW);

  test('is granted with all of them, by the rule of its own action', () => {
    expect(askAll(['prompts', 'complete'], get)).toMatchObject({ allow: true, scope: 'complete' });
    expect(askAll(['complete'])).toMatchObject({ allow: true, scope: 'complete' });
  });

  test.for([
    [['complete'], ['prompts']],
    [['prompts'], ['complete']],
  ] as const)('is refused with %j alone, and names what else is to be had: %j', ([scopes, obtainable]) => {
    expect(askAll(scopes, get)).toEqual({ allow: false, refusal: { reason: 'not_granted', obtainable } });
  });

  test('ends with its own action where that is out of reach, whatever else is to be had', () => {
    const own = request('maps', 'sampling/createMessage');
    expect(decideAll(policy, callerOf(issuer, policy, []), [own, complete], NOW)).toEqual({
      allow: false,
      refusal: { reason: 'no_server_access', obtainable: [] },
    });
  });

  test('names every scope that is missing, once, or none where one right cannot be had', () => {
    const nothing = callerOf(issuer, policy, []);
    expect(decideAll(policy, nothing, [complete, get, get], NOW)).toEqual({
      allow: false,
      refusal: { reason: 'no_server_access', obtainable: ['complete', 'prompts'] },
    });
    expect(askAll(['complete'], get, read)).toEqual({
      allow: false,
      refusal: { reason: 'not_granted', obtainable: [] },
    });
  });
});
