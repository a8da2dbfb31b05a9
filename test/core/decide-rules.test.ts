import { describe, expect, test } from 'vitest';
import type { Action, CallArguments } from '../../functions/core/action.ts';
import { Caller } from '../../functions/core/caller.ts';
import { type Decision, decide, decideAll, decideServer, isAllowed } from '../../functions/core/decide.ts';
import { isJsonObject, parseJsonText } from '../../functions/core/json.ts';
import type { Policy } from '../../functions/core/policy.ts';
import { PROTOCOL_METHODS } from '../../functions/core/rules/match.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { rulesOf } from '../support/rules.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
/** A Friday. */
const NOON = Date.parse('2026-11-20T12:00:00Z') / 1_000;

function argumentsOf(text: string): CallArguments {
  const parsed = parseJsonText(text);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : 'unreadable';
}

function action(method: string, name?: string, given: CallArguments = 'unseen'): Action {
  return { server: 'maps', kind: 'request', method, name, arguments: given };
}

function call(name: string, text = '{}'): Action {
  return action('tools/call', name, argumentsOf(text));
}

type Scene = { readonly scopes?: readonly string[]; readonly clientScopes?: readonly string[] };

/** The policy of a `scopes.yml`, and what may stand in the clients' registrations. */
function policyFor(text: string, { clientScopes }: Scene = {}): Policy {
  const rules = rulesOf(text);
  const all = rules.scopes.map(([name]) => name);
  return policyOf({
    ...rules,
    idps: [identityProvider('corp')],
    servers: [serverEntry('maps'), serverEntry('mail'), serverEntry('vault', { org: 'rival' })],
    clients: [
      clientEntry('courier', { scopes: clientScopes ?? all }),
      clientEntry('helper', { scopes: all }),
      clientEntry('bare', { scopes: [] }),
      clientEntry('stranger', { org: 'rival', scopes: all }),
    ],
    orgs: [
      { id: 'acme', suspended: false },
      { id: 'rival', suspended: false },
    ],
  });
}

function callerWith(policy: Policy, claims: Record<string, unknown>): Caller {
  const caller = Caller.fromToken(issuer.verified(claims), policy);
  if (!caller.ok) throw new Error(caller.error.reason);
  return caller.value;
}

function ask(text: string, asked: Action, scene: Scene = {}, nowSeconds = NOON): Decision {
  const policy = policyFor(text, scene);
  const scope = scene.scopes ?? rulesOf(text).scopes.map(([name]) => name);
  return decide(policy, callerWith(policy, { scope: scope.join(' ') }), asked, nowSeconds);
}

function allows(text: string, asked: Action, scene: Scene = {}, nowSeconds = NOON): boolean {
  return ask(text, asked, scene, nowSeconds).allow;
}

const EVERYTHING = '  - { server: "*", methods: ["*"], tools: ["*"] }\n';

describe('a deny wins over every grant', () => {
  test.for([
    ['before the grant', `s:\n  - { server: maps, deny: true, tools: [erase] }\n${EVERYTHING}`],
    ['after the grant', `s:\n${EVERYTHING}  - { server: maps, deny: true, tools: [erase] }`],
    ['in another scope', `s:\n${EVERYTHING}t:\n  - { server: maps, deny: true, tools: [erase] }`],
    ['for every server', `s:\n${EVERYTHING}  - { server: "*", deny: true, tools: [erase] }`],
    ['in the defaults', `s:\n${EVERYTHING}Defaults:\n  - { server: maps, deny: true, tools: [erase] }`],
    [
      'in the defaults of the organisation',
      `s:\n${EVERYTHING}Defaults:\n  - { server: maps, org: acme, deny: true, tools: [erase] }`,
    ],
    [
      'beside a grant of just this',
      `s:\n  - { server: maps, methods: [tools/call], tools: [erase] }\n  - { server: maps, deny: true, tools: [erase] }\n${EVERYTHING}`,
    ],
  ] as const)('%s', ([, text]) => {
    expect(allows(text, call('erase'))).toBe(false);
    expect(allows(text, call('route'))).toBe(true);
    expect(allows(text, { ...call('erase'), kind: 'notification' })).toBe(false);
  });

  test('but not of another organisation, and not on another server', () => {
    const elsewhere = `s:\n${EVERYTHING}  - { server: mail, deny: true }\nDefaults:\n  - { server: maps, org: rival, deny: true }`;
    expect(allows(elsewhere, call('erase'))).toBe(true);
  });

  const whole = `s:\n${EVERYTHING}  - { server: maps, deny: true }`;

  test.for<Action>([
    action('initialize'),
    action('server/discover'),
    action('ping'),
    action('tools/list'),
    call('route'),
    action('x/custom'),
    { ...action('notifications/initialized'), kind: 'notification' },
    { ...action('x'), kind: 'response', method: undefined },
  ])('of a whole server leaves nothing of it: $kind $method', (asked) => {
    expect(ask(whole, asked)).toEqual({
      allow: false,
      refusal: {
        reason: 'no_server_access',
        obtainable: [],
        cause: { kind: 'denied', scope: 's', at: 'scopes.yml:3' },
      },
    });
    expect(allows(whole, { ...asked, server: 'mail' })).toBe(true);
  });

  test('of a server, or of every method, is one for a request whose body is not in sight; a deny of a part is not', () => {
    const decided = (text: string) => {
      const policy = policyFor(text);
      return decideServer(policy, callerWith(policy, { scope: 's' }), 'maps', NOON);
    };
    const deny = (members: string) =>
      decided(`s:\n${EVERYTHING}  - { server: maps, deny: true, ${members} }`);
    expect(decided(whole).allow).toBe(false);
    expect(deny('methods: ["*"]')).toMatchObject({ refusal: { reason: 'no_server_access' } });
    for (const part of [
      'methods: ["*"], tools: [erase]',
      'methods: ["*"], prompts: [a]',
      'methods: ["*"], resources: ["a:b"]',
      'methods: ["*"], tools: ["*"], arguments: { pay: {} }',
      'tools: ["*"]',
    ]) {
      expect(deny(part).allow).toBe(true);
    }
  });

  const everyOtherMethod = [...PROTOCOL_METHODS]
    .filter((method) => !/ping|tools.call/.test(method))
    .join(', ');
  const streamOf = (denies: readonly string[], grant = EVERYTHING) => {
    const policy = policyFor(
      `s:\n${grant}${denies.map((deny) => `  - { server: maps, deny: true, ${deny} }\n`).join('')}`,
    );
    return decideServer(policy, callerWith(policy, { scope: 's' }), 'maps', NOON);
  };

  test.for([
    ['the methods but some tools, and every tool', ['methods: ["*"], tools: [erase]', 'tools: ["*"]']],
    ['one after the other', ['tools: ["*"]', 'methods: ["*"], tools: [a], prompts: [a]', 'prompts: ["*"]']],
    ['resources apart', ['methods: ["*"], resources: ["a:b"]', 'resources: ["*"]']],
    ['by name', [`methods: [${everyOtherMethod}]`, 'methods: [tools/call]']],
    [
      'one with and one without constraints',
      ['methods: ["*"], tools: ["*"], arguments: { pay: {} }', 'tools: ["*"]'],
    ],
  ] as const)('of every method by several together leaves no stream: %s', ([, denies]) => {
    expect(streamOf(denies)).toMatchObject({
      refusal: {
        reason: 'no_server_access',
        cause: { kind: 'denied', at: expect.stringMatching(/^scopes.yml:/) },
      },
    });
    for (const [index] of denies.entries()) {
      expect(streamOf(denies.filter((_, at) => at !== index)).allow).toBe(true);
    }
  });

  test.for([
    ['a tool is left', ['methods: ["*"], tools: [erase]', 'tools: [route]']],
    ['a prompt is left', ['methods: ["*"], prompts: [a]', 'prompts: [b]']],
    ['a resource is left', ['methods: ["*"], resources: ["a:b"]', 'resources: ["a:c"]']],
    ['arguments are left', ['methods: ["*"], tools: [a]', 'tools: ["*"], arguments: { pay: {} }']],
    [
      'another time is left',
      ['methods: ["*"], tools: [a]', 'tools: ["*"], when: { not_after: "2020-01-01T00:00:00Z" }'],
    ],
  ] as const)('of several that leave something leave a stream: %s', ([, denies]) => {
    expect(streamOf(denies).allow).toBe(true);
  });

  test('of every method but ping by several together leaves ping, which is asked for by its name', () => {
    const others = [...PROTOCOL_METHODS].filter((method) => method !== 'ping' && method !== 'tools/call');
    const text = `s:\n${EVERYTHING}  - { server: maps, deny: true, methods: [${others.join(', ')}] }
  - { server: maps, deny: true, methods: [tools/call] }`;
    expect(allows(text, action('ping'))).toBe(true);
    expect(allows(text, action('tools/call', 'route'))).toBe(false);
  });

  test('of every method of the protocol leaves a stream where a grant names another one', () => {
    const denies = [`methods: [${everyOtherMethod}]`, 'methods: [tools/call]'];
    const granting = (method: string) => `${EVERYTHING}  - { server: maps, methods: [${method}] }\n`;
    expect(streamOf(denies, granting('x/custom')).allow).toBe(true);
    expect(streamOf([...denies, 'methods: [x/custom]'], granting('x/custom')).allow).toBe(false);
    expect(streamOf(denies, granting('notifications/x')).allow).toBe(false);
    expect(streamOf(denies, granting('ping')).allow).toBe(false);
    expect(streamOf(denies, granting('initialize, notifications/initialized, ping, tools/list')).allow).toBe(
      false,
    );
    const rival = `${EVERYTHING}Defaults:\n  - { server: maps, org: rival, methods: [x/custom] }\n`;
    expect(streamOf(denies, rival).allow).toBe(false);
  });

  test.for([
    ['methods: [tools/list]', ['tools/list'], ['tools/call', 'prompts/list', 'ping']],
    ['methods: [initialize]', ['initialize', 'server/discover'], ['ping', 'tools/list']],
    ['methods: [server/discover]', ['server/discover'], ['initialize']],
    ['methods: [ping]', ['ping'], ['initialize']],
    ['methods: [tools/call]', ['tools/call'], ['tools/list']],
    [
      'methods: ["*"]',
      ['initialize', 'ping', 'tools/list', 'tools/call', 'prompts/get', 'resources/read', 'x'],
      [],
    ],
    [
      'methods: [all], tools: [erase]',
      ['initialize', 'ping', 'prompts/get', 'resources/read'],
      ['tools/call'],
    ],
    ['prompts: ["*"]', ['prompts/get'], ['prompts/list', 'tools/call']],
    [
      'resources: ["*"]',
      ['resources/read', 'resources/subscribe', 'resources/unsubscribe'],
      ['resources/list', 'tools/call'],
    ],
  ] as const)('of %s forbids %j and leaves %j', ([members, forbidden, left]) => {
    const text = `s:\n${EVERYTHING}  - { server: maps, deny: true, ${members} }`;
    expect(forbidden.filter((method) => allows(text, action(method, 'route')))).toEqual([]);
    expect(left.filter((method) => !allows(text, action(method, 'route')))).toEqual([]);
  });

  test('leaves a wildcard no words outside the protocol, which a server may take for a tool', () => {
    const cut = `s:\n${EVERYTHING}  - { server: maps, deny: true, tools: [erase] }`;
    for (const word of ['erase', 'Tools/Call', 'x/custom']) {
      expect(allows(`s:\n${EVERYTHING}`, action(word))).toBe(true);
      expect(allows(cut, action(word))).toBe(false);
    }
    const named = `${cut}\n  - { server: maps, methods: [x/custom] }`;
    expect([allows(named, action('x/custom')), allows(named, action('erase'))]).toEqual([true, false]);
    expect(
      allows(
        `s:\n${EVERYTHING}Defaults: [{ server: maps, org: rival, deny: true, tools: [a] }]`,
        action('x'),
      ),
    ).toBe(true);
  });

  test.for([
    ['{ per: [client], requests: 1, window: 1m, server: maps, tools: [erase] }', false],
    ['{ per: [tool], requests: 1, window: 1m }', false],
    ['{ per: [tool], requests: 1, window: 1m, scope: s }', false],
    ['{ per: [tool], requests: 1, window: 1m, scope: t }', true],
    ['{ per: [tool], requests: 1, window: 1m, org: rival }', true],
    ['{ per: [tool], requests: 1, window: 1m, server: mail }', true],
    ['{ per: [client], requests: 1, window: 1m }', true],
  ] as const)(
    'and beside a limit of tools no words by which a call is not counted: %s',
    ([limit, isLeft]) => {
      const text = `s:\n${EVERYTHING}t: []\nLimits: [${limit}]`;
      expect(allows(text, action('Tools/Call'), { scopes: ['s'], clientScopes: ['s'] })).toBe(isLeft);
      expect(allows(text, action('tools/list'), { scopes: ['s'] })).toBe(true);
    },
  );

  test('says nothing to the caller but where it stands, for the record', () => {
    const text = `s:\n${EVERYTHING}t:\n  - { server: maps, deny: true, tools: [erase] }`;
    expect(ask(text, call('erase'), { scopes: ['s'] })).toEqual({
      allow: false,
      refusal: {
        reason: 'not_granted',
        obtainable: [],
        cause: { kind: 'denied', scope: 't', at: 'scopes.yml:4' },
      },
    });
  });

  test('of what was not granted anyway is no access to the server', () => {
    const text = 's: []\nt:\n  - { server: maps, deny: true, tools: [erase] }';
    expect(ask(text, call('erase'))).toMatchObject({ refusal: { reason: 'no_server_access' } });
  });
});

describe('a deny holds for whoever is entitled to its scope', () => {
  const text = `use:\n${EVERYTHING}strict:\n  - { server: "*", deny: true, tools: [erase, doc_delete] }
group_mappings: { staff: [use, strict], boss: [use] }`;

  test('an agent whose token leaves the scope out', () => {
    expect(allows(text, call('erase'), { scopes: ['use'] })).toBe(false);
    expect(allows(text, call('erase'), { scopes: ['use'], clientScopes: ['use'] })).toBe(true);
  });

  test('an agent by way of another one that may call', () => {
    const policy = policyOf({
      ...rulesOf(text),
      servers: [serverEntry('maps')],
      clients: [
        clientEntry('courier', { scopes: ['use'] }),
        clientEntry('helper', { scopes: ['use', 'strict'] }),
      ],
    });
    const erases = (claims: Record<string, unknown>) =>
      isAllowed(policy, callerWith(policy, { scope: 'use', ...claims }), call('erase'), NOON);
    expect(erases({})).toBe(true);
    // About the helper, in the courier's hands; and about the courier, in the helper's.
    expect(erases({ sub: 'helper', client_id: 'courier' })).toBe(false);
    expect(erases({ sub: 'courier', client_id: 'helper' })).toBe(false);
  });

  test('a user by the groups of the login, whether or not the client may carry the scope', () => {
    for (const clientScopes of [['use'], ['use', 'strict']]) {
      const policy = policyFor(text, { clientScopes });
      const erases = (groups: readonly string[]) => {
        const caller = callerWith(policy, { sub: 'corp:mara', scope: 'use', groups });
        return [
          isAllowed(policy, caller, call('route'), NOON),
          isAllowed(policy, caller, call('erase'), NOON),
        ];
      };
      expect(erases(['staff'])).toEqual([true, false]);
      expect(erases(['boss'])).toEqual([true, true]);
      expect(erases(['boss', 'staff'])).toEqual([true, false]);
    }
  });

  test.for([
    ['strict', false],
    ['use', true],
  ] as const)('a run by the registration of who opened it, with %s: %s', ([scope, expected]) => {
    const policy = policyOf({
      ...rulesOf(text),
      clients: [clientEntry('coordinator', { scopes: ['runs/issue', scope], runNamespaces: ['alpha'] })],
    });
    expect(isAllowed(policy, runCaller(policy), inDocuments('doc_delete'), NOON)).toBe(expected);
    expect(isAllowed(policy, runCaller(policy), inDocuments('doc_read'), NOON)).toBe(true);
  });

  test('a run by the defaults, of which no grant opens it anything', () => {
    const policy = policyOf({
      ...rulesOf(`Defaults:\n  - { server: "*", deny: true, tools: [doc_read] }\n${EVERYTHING}`),
      servers: [serverEntry('maps')],
      clients: [clientEntry('coordinator', { scopes: ['runs/issue'], runNamespaces: ['alpha'] })],
    });
    const decided = (asked: Action) => decide(policy, runCaller(policy), asked, NOON);
    expect(decided(inDocuments('doc_read'))).toMatchObject({
      refusal: { cause: { scope: 'Defaults', at: 'scopes.yml:2' } },
    });
    expect(decided(inDocuments('doc_info'))).toEqual({ allow: true, scope: 'run', at: 'run:read,write' });
    expect(decided(call('route')).allow).toBe(false);
  });
});

function inDocuments(name: string): Action {
  return { ...action('tools/call', name), server: 'context-store' };
}

function runCaller(policy: Policy): Caller {
  const caller = Caller.fromRun(issuer.run(), policy);
  if (!caller.ok) throw new Error(caller.error.reason);
  return caller.value;
}

describe('defaults', () => {
  const text = `Defaults:
  - { server: maps, methods: [initialize, tools/list] }
  - { server: mail, org: acme, methods: [ping] }
  - { server: context-store, org: rival, methods: [ping] }
s: []`;

  test('grant whoever has a token, with the line of the rule', () => {
    expect(ask(text, action('tools/list'), { scopes: [], clientScopes: [] })).toEqual({
      allow: true,
      scope: 'Defaults',
      at: 'scopes.yml:2',
    });
    expect(allows(text, action('ping'), { scopes: [] })).toBe(true);
    expect(allows(text, call('route'), { scopes: [] })).toBe(false);
  });

  test('of one organisation are nothing to another, and give it no access', () => {
    const policy = policyFor(text);
    const pings = (claims: Record<string, unknown>, server: string) =>
      decide(policy, callerWith(policy, claims), { ...action('ping'), server }, NOON);
    expect(pings({ scope: '' }, 'mail').allow).toBe(true);
    expect(pings({ scope: '' }, 'context-store')).toMatchObject({ refusal: { reason: 'no_server_access' } });
    const stranger = { sub: 'stranger', client_id: 'stranger', org_id: 'rival', scope: '' };
    expect(pings(stranger, 'context-store').allow).toBe(true);
    expect(pings(stranger, 'mail')).toMatchObject({ refusal: { reason: 'no_server_access' } });
  });

  test('come after the token’s own scopes', () => {
    const both =
      'Defaults: [{ server: maps, methods: [ping, initialize] }]\ns: [{ server: maps, methods: [initialize] }]';
    expect(ask(both, action('initialize'))).toMatchObject({ scope: 's' });
  });

  test('open no server of another organisation', () => {
    const everywhere = `Defaults:\n${EVERYTHING}`;
    expect(allows(everywhere, call('route'))).toBe(true);
    expect(ask(everywhere, { ...call('route'), server: 'vault' })).toMatchObject({
      refusal: { reason: 'unknown_server' },
    });
  });
});

describe('prompts and resources', () => {
  test.for([
    ['methods: [prompts/get]', 'prompts/get', 'greet', true],
    ['methods: [prompts/get], prompts: [greet]', 'prompts/get', 'greet', true],
    ['methods: [prompts/get], prompts: [greet]', 'prompts/get', 'Greet', false],
    ['methods: [prompts/get], prompts: []', 'prompts/get', 'greet', false],
    ['methods: [prompts/get], prompts: ["*"]', 'prompts/get', 'greet', true],
    ['methods: [prompts/get], prompts: [all]', 'prompts/get', 'greet', true],
    ['methods: [prompts/list], prompts: [greet]', 'prompts/get', 'greet', false],
    ['methods: ["*"], prompts: [greet]', 'prompts/get', 'sign', false],
    ['methods: ["*"], prompts: [greet]', 'prompts/list', undefined, true],
    ['methods: [prompts/get], prompts: [greet]', 'prompts/get', undefined, false],
    ['methods: [resources/read]', 'resources/read', 'docs://a/../b', true],
    ['methods: [resources/read], resources: ["*"]', 'resources/read', 'docs://a/../b', true],
    [
      'methods: [resources/read], resources: ["docs://{org_id}/**"]',
      'resources/read',
      'docs://acme/a/b',
      true,
    ],
    [
      'methods: [resources/read], resources: ["docs://{org_id}/**"]',
      'resources/read',
      'docs://rival/a',
      false,
    ],
    [
      'methods: [resources/read], resources: ["docs://{subject}/**"]',
      'resources/read',
      'docs://courier/a',
      true,
    ],
    [
      'methods: [resources/read], resources: ["docs://{client_id}/**"]',
      'resources/read',
      'docs://courier/a',
      true,
    ],
    ['methods: [resources/read], resources: ["docs://**"]', 'resources/read', 'docs://a/../b', false],
    ['methods: [resources/read], resources: []', 'resources/read', 'docs://a', false],
    ['methods: [resources/read], resources: [a, "docs://**"]', 'resources/read', 'docs://b', true],
    ['methods: [resources/subscribe], resources: ["docs://a"]', 'resources/subscribe', 'docs://a', true],
    ['methods: [resources/subscribe], resources: ["docs://a"]', 'resources/subscribe', 'docs://b', false],
    ['methods: [resources/subscribe], resources: ["docs://a"]', 'resources/subscribe', undefined, false],
    ['methods: [resources/unsubscribe], resources: ["docs://a"]', 'resources/unsubscribe', 'docs://b', false],
    ['methods: [resources/read], resources: ["docs://a"]', 'resources/subscribe', 'docs://a', false],
    ['methods: ["*"], resources: ["docs://a"]', 'resources/list', undefined, true],
  ] as const)('%s, %s of %s: %s', ([members, method, name, expected]) => {
    expect(allows(`s: [{ server: maps, ${members} }]`, action(method, name))).toBe(expected);
  });

  test.for([
    ['prompts: [sign]', action('prompts/get', 'sign'), action('prompts/get', 'greet')],
    [
      'resources: ["docs://secret/**"]',
      action('resources/read', 'DOCS://secret/a'),
      action('resources/read', 'docs://open/a'),
    ],
    [
      'resources: ["docs://secret/**"]',
      action('resources/read', 'docs://x/../secret'),
      action('resources/list'),
    ],
    [
      'resources: ["docs://{org_id}/**"]',
      action('resources/subscribe', 'docs://acme/x'),
      action('resources/subscribe', 'docs://rival/x'),
    ],
    ['resources: ["docs://secret/**"]', action('resources/subscribe'), action('prompts/list')],
    ['prompts: [sign]', action('prompts/get'), action('prompts/list')],
  ] as const)('a deny of %s', ([members, denied, left]) => {
    const text = `s:\n${EVERYTHING}  - { server: maps, deny: true, ${members} }`;
    expect([allows(text, denied), allows(text, left)]).toEqual([false, true]);
  });

  test('a wildcard that leaves prompts or resources out stands for no word outside the protocol', () => {
    for (const members of ['prompts: [a]', 'resources: ["a:b"]', 'arguments: { a: {} }']) {
      expect(
        allows(`s: [{ server: maps, methods: ["*"], tools: ["*"], ${members} }]`, action('x/custom')),
      ).toBe(false);
    }
    expect(
      allows(
        's: [{ server: maps, methods: ["*"], tools: ["*"], prompts: [all], resources: ["*"] }]',
        action('x/custom'),
      ),
    ).toBe(true);
  });
});

describe('arguments', () => {
  const limited = `s:
  - server: maps
    methods: [tools/call, tools/list]
    tools: [route, erase]
    arguments:
      route: { required: [limit], properties: { limit: { type: integer, maximum: 100 } } }`;

  test.for([
    ['{"limit":100}', true],
    ['{"limit":1e2}', true],
    ['{"limit":100,"more":1}', true],
    ['{"limit":101}', false],
    ['{"limit":1e400}', false],
    ['{"limit":"100"}', false],
    ['{"limit":99.5}', false],
    ['{}', false],
    ['[]', false],
  ] as const)('a grant holds for those that are as it says: %s: %s', ([text, expected]) => {
    expect(allows(limited, call('route', text))).toBe(expected);
    expect(allows(limited, call('erase', text))).toBe(true);
  });

  test('which one, and which constraint, is said, without the value', () => {
    expect(ask(limited, call('route', '{"limit":4711}'))).toEqual({
      allow: false,
      refusal: {
        reason: 'not_granted',
        obtainable: [],
        cause: {
          kind: 'constrained',
          scope: 's',
          at: 'scopes.yml:2',
          failure: { argument: 'limit', constraint: 'must be at most 100', isKnown: true },
        },
      },
    });
    expect(ask(limited, call('route', '[]'))).toMatchObject({
      refusal: { cause: { failure: { argument: '', constraint: 'must be an object', isKnown: false } } },
    });
  });

  test('that nobody has seen yet are left to who sends them', () => {
    expect(allows(limited, action('tools/call', 'route'))).toBe(true);
    expect(allows(limited, action('tools/list'))).toBe(true);
  });

  test('another grant without the constraint grants all of them', () => {
    expect(
      allows(`${limited}\n  - { server: maps, methods: [tools/call], tools: [route] }`, call('route')),
    ).toBe(true);
  });

  test('a scope that would take these is named, where the client may obtain it', () => {
    const wider = `${limited}\nt: [{ server: maps, methods: [tools/call], tools: [route] }]`;
    expect(ask(wider, call('route'), { scopes: ['s'] })).toMatchObject({
      refusal: { obtainable: ['t'], cause: { kind: 'constrained' } },
    });
  });

  const capped = `s:\n${EVERYTHING}  - { server: maps, deny: true, tools: [pay, erase], arguments: { pay: { properties: { amount: { minimum: 1000 } } } } }`;

  test.for([
    ['{"amount":999.99}', true],
    ['{"amount":1000}', false],
    ['{"amount":"5"}', false],
    ['{"amount":1e999}', false],
    [`{"amount":${'9'.repeat(500)}}`, false],
    ['{}', false],
    ['[]', false],
  ] as const)(
    'a deny holds for those that are as it says, and where that cannot be told: %s: %s',
    ([text, expected]) => {
      expect(allows(capped, call('pay', text))).toBe(expected);
      expect(allows(capped, call('erase', text))).toBe(false);
    },
  );

  test('a value listed in a deny forbids that value alone, whatever its type', () => {
    const seven = `s:\n${EVERYTHING}  - { server: maps, deny: true, tools: [pay], arguments: { pay: { properties: { amount: { const: 7 } } } } }`;
    const verdicts = ['7', '7.0', '"7"', '[7]'].map((amount) =>
      allows(seven, call('pay', `{"amount":${amount}}`)),
    );
    expect(verdicts).toEqual([false, false, true, true]);
  });

  test('what may be looked at is for all rules of one decision, and where it is used up nothing passes', () => {
    const pattern = '^(a|aa|aaa|[ab]*)*c$';
    const rule = (more: string) =>
      `  - { server: maps, methods: [tools/call], tools: [pay], ${more}arguments: { pay: { properties: { note: { type: string, pattern: "${pattern}" } } } } }\n`;
    const asked = (length: number) => call('pay', `{"note":"${'a'.repeat(length)}"}`);
    const one = `s:\n${EVERYTHING}${rule('deny: true, ')}`;
    const many = `s:\n${EVERYTHING}${rule('deny: true, ').repeat(100)}`;
    expect([allows(one, asked(5_000)), allows(many, asked(50)), allows(many, asked(5_000))]).toEqual([
      true,
      true,
      false,
    ]);
    const last = `  - { server: maps, methods: [tools/call], tools: [pay], arguments: { pay: { properties: { note: { type: string, pattern: "^a*$" } } } } }`;
    const granted = `s:\n${rule('').repeat(100)}${last}`;
    expect([allows(granted, asked(50)), allows(granted, asked(5_000))]).toEqual([true, false]);
  });

  test('a deny says nothing of what nobody has seen yet', () => {
    expect(allows(capped, action('tools/call', 'pay'))).toBe(true);
    expect(allows(capped, action('tools/call', 'erase'))).toBe(false);
  });
});

describe('time', () => {
  const office = `s:
  - { server: maps, methods: [tools/call, initialize], tools: [route], when: { days: [fri], hours: "09:00-17:00" } }`;
  const EVENING = NOON + 6 * 3_600;

  test('a grant holds in its window', () => {
    expect([allows(office, call('route')), allows(office, call('route'), {}, EVENING)]).toEqual([
      true,
      false,
    ]);
  });

  test('when it would hold is said to whoever has it, and the server stays one of theirs', () => {
    expect(ask(office, call('route'), {}, EVENING)).toEqual({
      allow: false,
      refusal: {
        reason: 'not_granted',
        obtainable: [],
        cause: {
          kind: 'closed',
          scope: 's',
          at: 'scopes.yml:2',
          when: { days: [5], hours: { startMinute: 540, endMinute: 1_020 }, timezone: 'UTC' },
          isOver: false,
        },
      },
    });
    expect(ask(office, action('ping'), {}, EVENING)).toMatchObject({
      refusal: { cause: { kind: 'closed' } },
    });
    expect(ask(office, call('erase'), {}, EVENING)).toEqual({
      allow: false,
      refusal: { reason: 'not_granted', obtainable: [] },
    });
  });

  const over =
    '{ server: maps, methods: [tools/call], tools: [route], when: { not_after: "2026-11-20T12:00:00Z" } }';
  const later =
    '{ server: maps, methods: [tools/call], tools: [route], when: { not_before: "2027-01-01T00:00:00Z" } }';

  test.for([
    ['is over', [over], 2, true],
    ['is to come', [later], 2, false],
    ['is to come, before one that is over', [later, over], 2, false],
    ['is to come, behind one that is over', [over, later], 3, false],
  ] as const)('what is said is a time that %s', ([, rules, line, isOver]) => {
    const text = `s:\n${rules.map((rule) => `  - ${rule}`).join('\n')}`;
    expect(ask(text, call('route'), {}, NOON + 1)).toMatchObject({
      refusal: { cause: { kind: 'closed', at: `scopes.yml:${line}`, isOver } },
    });
  });

  test('a deny holds in its window, and with constraints in it alone', () => {
    const frozen = `s:\n${EVERYTHING}  - { server: maps, deny: true, when: { not_after: "2026-11-20T12:00:00Z" } }`;
    expect([allows(frozen, call('route')), allows(frozen, call('route'), {}, NOON + 1)]).toEqual([
      false,
      true,
    ]);
  });

  test('of the constraint and the window the constraint is said', () => {
    const both = `s:
  - { server: maps, methods: [tools/call], tools: [route], when: { days: [mon] } }
  - { server: maps, methods: [tools/call], tools: [route], arguments: { route: { required: [limit] } } }`;
    expect(ask(both, call('route'))).toMatchObject({
      refusal: { cause: { kind: 'constrained', at: 'scopes.yml:3' } },
    });
  });
});

test('of all that one message needs the first refusal is told, with its cause', () => {
  const text = `s:
  - { server: maps, methods: [completion/complete, prompts/get], prompts: [greet] }
  - { server: maps, deny: true, prompts: [sign] }`;
  const policy = policyFor(text);
  const caller = callerWith(policy, { scope: 's' });
  const complete = (name: string) =>
    decideAll(policy, caller, [action('completion/complete'), action('prompts/get', name)], NOON);
  expect(complete('greet')).toMatchObject({ allow: true, at: 'scopes.yml:2' });
  expect(complete('sign')).toMatchObject({
    allow: false,
    refusal: { reason: 'not_granted', cause: { kind: 'denied', at: 'scopes.yml:3' } },
  });
});

test('a cast caller is refused by whoever asks quietly, too', () => {
  const policy = policyFor('s: []');
  const cast = Object.assign(Object.create(Caller.prototype), { orgId: 'acme', scopes: ['s'] });
  expect(() => isAllowed(policy, cast, call('route'), NOON)).toThrow(TypeError);
});

test.for([
  ['"*"', 'maps'],
  ['maps', '"*"'],
] as const)(
  'of two rules of a scope that grant or deny the same, for %s and for %s, the first decides',
  ([first, second]) => {
    const rule = (server: string, members = '') =>
      `  - { server: ${server}, methods: ["*"], tools: ["*"]${members} }\n`;
    const granted = `s:\n${rule(first)}${rule(second)}`;
    expect(ask(granted, call('route'))).toMatchObject({ allow: true, at: 'scopes.yml:2' });
    const denied = `s:\n${EVERYTHING}${rule(first, ', deny: true')}${rule(second, ', deny: true')}`;
    expect(ask(denied, call('route'))).toMatchObject({
      allow: false,
      refusal: { cause: { at: 'scopes.yml:3' } },
    });
  },
);
