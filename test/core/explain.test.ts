import { describe, expect, test } from 'vitest';
import type { Action } from '../../functions/core/action.ts';
import { explainFully, explainToCaller } from '../../functions/core/explain.ts';
import { type HypotheticalClaims, hypotheticalParty } from '../../functions/core/hypothetical.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import { findRemedies } from '../../functions/core/remedy.ts';
import type { ScopeRule } from '../../functions/core/rules/rule.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, serverEntry } from '../support/policies.ts';

/** A Friday at 08:00 UTC. */
const NOW = 1_800_000_000;
const rule = (at: number, changes: Partial<ScopeRule>): ScopeRule => ({
  server: 'fin',
  methods: ['tools/call'],
  tools: [],
  at: `scopes.yml:${at}`,
  ...changes,
});

const SNAPSHOT: Snapshot = {
  format: 2,
  scopes: [
    ['fin/quote', [rule(1, { tools: ['quote'] })]],
    [
      'fin/trade',
      [rule(2, { tools: ['trade'], arguments: [['trade', { properties: [['lots', { maximum: '5' }]] }]] })],
    ],
    [
      'fin/late',
      [
        rule(3, {
          tools: ['close'],
          when: { timezone: 'UTC', hours: { startMinute: 1_200, endMinute: 1_260 } },
        }),
      ],
    ],
    ['fin/deny', [rule(4, { deny: 'part', tools: ['wipe'] })]],
    ['fin/wipe', [rule(5, { tools: ['wipe'] })]],
    ['fin/all', [rule(6, { server: '*', methods: ['all'], tools: ['all'] })]],
    [
      'fin/look',
      [
        rule(7, {
          methods: ['tools/list', 'prompts/get', 'resources/read'],
          prompts: ['a'],
          resources: ['doc://a'],
        }),
      ],
    ],
    ['fin/list', [rule(8, { methods: ['tools/list'], tools: ['wire'] })]],
    ['fin/every', [rule(9, { methods: ['tools/list'], tools: ['*'] })]],
  ],
  uiScopes: [],
  groups: [['traders', ['fin/quote', 'fin/trade']]],
  servers: [
    serverEntry('fin'),
    serverEntry('tower', { org: 'acme', visibility: 'team:pilots' }),
    serverEntry('diary', { org: 'acme', visibility: 'private:corp:ann' }),
    serverEntry('theirs', { org: 'globex', visibility: 'team:pilots' }),
    serverEntry('open'),
  ],
  services: [],
  clients: [
    clientEntry('quoter', { scopes: ['fin/quote'] }),
    clientEntry('trader', { scopes: ['fin/quote', 'fin/trade', 'fin/late'] }),
    clientEntry('wiper', { scopes: ['fin/wipe', 'fin/deny'] }),
    clientEntry('looker', { scopes: ['fin/look'] }),
    clientEntry('lister', { scopes: ['fin/list', 'fin/every'] }),
    clientEntry('desk', { scopes: ['fin/quote', 'fin/trade'] }),
    clientEntry('nobody', {}),
  ],
  orgs: [],
  idps: [identityProvider('corp')],
};

const actionOf = (name: string | undefined, changes: Partial<Action> = {}): Action => ({
  server: 'fin',
  kind: 'request',
  method: 'tools/call',
  name,
  arguments: 'unseen',
  ...changes,
});

function ask(
  claims: Omit<HypotheticalClaims, 'orgId'>,
  action: Action,
  snapshot = SNAPSHOT,
  isOfPlatform = false,
) {
  const policy = new Policy(snapshot, 1);
  const party = hypotheticalParty(policy, { orgId: 'acme', ...claims }, NOW);
  if (!party.ok) throw new Error(party.error.reason);
  const told = explainFully(policy, party.value, action, NOW);
  const remedies = findRemedies(snapshot, party.value, action, NOW, isOfPlatform).map(
    ({ kind, text }) => `${kind}: ${text}`,
  );
  return { ...told, remedies };
}

describe('a decision is explained', () => {
  test('that allows: by the scope and the line that grant', () => {
    expect(ask({ clientId: 'quoter' }, actionOf('quote'))).toEqual({
      decision: 'allow',
      reason: 'granted',
      text: 'this is allowed',
      scopes: ['fin/quote'],
      rule: { scope: 'fin/quote', at: 'scopes.yml:1', words: 'granted by the scope fin/quote' },
      remedies: [],
    });
  });

  test('that allows by a default: there is no scope to have', () => {
    const open = { ...SNAPSHOT, defaults: [rule(20, { tools: ['status'] })] };
    expect(ask({ clientId: 'nobody' }, actionOf('status'), open)).toMatchObject({
      decision: 'allow',
      scopes: [],
      rule: { scope: 'Defaults', at: 'scopes.yml:20', words: 'granted by `Defaults`' },
    });
  });

  test('that a deny made: only taking the deny away would help, whatever scopes there are', () => {
    expect(ask({ clientId: 'wiper' }, actionOf('wipe'))).toMatchObject({
      decision: 'deny',
      reason: 'not_granted',
      text: 'access denied: this operation is not available to you',
      rule: { scope: 'fin/deny', at: 'scopes.yml:4', words: 'denied by the scope fin/deny' },
      remedies: ['remove_deny: remove the deny at scopes.yml:4 (the scope fin/deny)'],
    });
  });

  test('that a deny made of what nothing grants: taking it away would not help either', () => {
    const both = { ...SNAPSHOT, scopes: SNAPSHOT.scopes.filter(([name]) => name !== 'fin/wipe') };
    expect(ask({ clientId: 'wiper' }, actionOf('wipe'), both).remedies).toEqual([]);
  });

  test('that a default deny made', () => {
    const shut = { ...SNAPSHOT, defaults: [rule(21, { deny: 'part', tools: ['quote'] })] };
    expect(ask({ clientId: 'quoter' }, actionOf('quote'), shut)).toMatchObject({
      rule: { words: 'denied by `Defaults`' },
      remedies: ['remove_deny: remove the deny at scopes.yml:21 (`Defaults`)'],
    });
  });

  test('that arguments made', () => {
    const lots = actionOf('trade', { arguments: new Map([['lots', 'many']]) });
    expect(ask({ clientId: 'trader' }, lots).decision).toBe('allow');
    const typed: Snapshot = {
      ...SNAPSHOT,
      scopes: [
        ['fin/trade', [rule(2, { tools: ['trade'], arguments: [['trade', { required: ['lots'] }]] })]],
      ],
    };
    expect(ask({ clientId: 'trader' }, actionOf('trade', { arguments: new Map() }), typed)).toMatchObject({
      decision: 'deny',
      text: 'access denied: the argument `lots` is required',
      rule: {
        at: 'scopes.yml:2',
        words: 'granted by the scope fin/trade with other arguments: `lots` is required',
      },
      remedies: ['change_arguments: by the rule at scopes.yml:2, the argument `lots` is required'],
    });
    expect(ask({ clientId: 'trader' }, actionOf('trade', { arguments: 'unreadable' }), typed)).toMatchObject({
      rule: { words: 'granted by the scope fin/trade with other arguments: the arguments must be an object' },
      remedies: ['change_arguments: by the rule at scopes.yml:2, the arguments must be an object'],
    });
  });

  test('that the hour made', () => {
    expect(ask({ clientId: 'trader' }, actionOf('close'))).toMatchObject({
      decision: 'deny',
      text: 'access denied now: this is allowed from 20:00 to 21:00 (UTC)',
      rule: {
        at: 'scopes.yml:3',
        words: 'granted by the scope fin/late at another time: from 20:00 to 21:00 (UTC)',
      },
      remedies: [
        'wait: wait: the rule at scopes.yml:3 allows this from 20:00 to 21:00 (UTC)',
        'give_scope: give the scope fin/all to the client trader',
      ],
    });
  });

  test('that a narrow token made: it may ask for more', () => {
    expect(ask({ clientId: 'trader', scopes: ['fin/quote'] }, actionOf('trade'))).toMatchObject({
      decision: 'deny',
      scopes: ['fin/trade'],
      remedies: [
        'ask_for_scope: ask for a token with the scope fin/trade: this client may have it',
        'extend_rule: add the tool trade to `tools` in the rule at scopes.yml:1 (the scope fin/quote)',
        'give_scope: give the scope fin/all to the client trader',
      ],
    });
  });

  test('that nothing grants: a name more in a rule, or a scope', () => {
    expect(ask({ clientId: 'quoter' }, actionOf('wire')).remedies).toEqual([
      'extend_rule: add the tool wire to `tools` in the rule at scopes.yml:1 (the scope fin/quote)',
      'give_scope: give the scope fin/all to the client quoter',
    ]);
  });

  test('about a user: by the groups', () => {
    const ann = { clientId: 'desk', subject: 'corp:ann' };
    expect(ask({ ...ann, groups: ['traders'] }, actionOf('quote')).decision).toBe('allow');
    expect(ask(ann, actionOf('quote'))).toMatchObject({
      reason: 'no_server_access',
      remedies: [
        'give_scope: give the scope fin/quote to a group of the user corp:ann (group_mappings), and to the client desk',
        'give_scope: give the scope fin/all to a group of the user corp:ann (group_mappings), and to the client desk',
      ],
    });
  });

  test.for<readonly [string, Action, readonly string[]]>([
    [
      'a prompt',
      actionOf('b', { method: 'prompts/get' }),
      ['add the prompt b to `prompts` in the rule at scopes.yml:7 (the scope fin/look)'],
    ],
    [
      'a resource',
      actionOf('doc://b', { method: 'resources/read' }),
      ['add doc://b to `resources` in the rule at scopes.yml:7 (the scope fin/look)'],
    ],
    [
      'a method about resources',
      actionOf('doc://b', { method: 'resources/subscribe' }),
      [
        'add doc://b to `resources` and resources/subscribe to `methods` in the rule at scopes.yml:7 (the scope fin/look)',
      ],
    ],
    [
      'a method',
      actionOf(undefined, { method: 'prompts/list' }),
      ['add prompts/list to `methods` in the rule at scopes.yml:7 (the scope fin/look)'],
    ],
    [
      'a call',
      actionOf('wire'),
      [
        'add the tool wire to `tools` and tools/call to `methods` in the rule at scopes.yml:7 (the scope fin/look)',
      ],
    ],
    ['a call of nothing', actionOf(undefined), []],
  ])('%s that nothing grants', ([, action, texts]) => {
    const { remedies } = ask({ clientId: 'looker' }, action);
    expect(remedies.filter((one) => one.startsWith('extend_rule'))).toEqual(
      texts.map((text) => `extend_rule: ${text}`),
    );
  });

  test('a tool is in the rule, and its method is not', () => {
    const { remedies } = ask({ clientId: 'lister' }, actionOf('wire'));
    expect(remedies.slice(0, 2)).toEqual([
      'extend_rule: add tools/call to `methods` in the rule at scopes.yml:8 (the scope fin/list)',
      'extend_rule: add tools/call to `methods` in the rule at scopes.yml:9 (the scope fin/every)',
    ]);
  });

  test.for([
    ['tower', []],
    ['diary', []],
    ['theirs', []],
    ['nowhere', []],
  ] as const)('that a server is not there: %s', ([server, remedies]) => {
    expect(ask({ clientId: 'quoter' }, actionOf('x', { server }))).toEqual({
      decision: 'deny',
      reason: 'unknown_server',
      text: 'there is nothing here',
      scopes: [],
      remedies,
    });
  });
});

test.for<readonly [string, string | undefined]>([
  ['tower', 'acme'],
  ['harbour', undefined],
])('who joins the team of a server is told so where that alone is enough: %s', ([server, org]) => {
  const open = {
    ...SNAPSHOT,
    scopes: [
      ...SNAPSHOT.scopes,
      ['tower/call', [rule(40, { server, tools: ['x'] })]] as const,
      ['tower/deny', [rule(41, { server, tools: ['x'], deny: 'part' })]] as const,
    ],
    servers: [serverEntry(server, { org, visibility: 'team:pilots' })],
    clients: [clientEntry('pilot', { scopes: ['tower/call'] })],
  };
  expect(ask({ clientId: 'pilot' }, actionOf('x', { server }), open).remedies).toEqual([
    `join_team: make pilot a member of the team pilots (orgs.yml): the server ${server} is for that team`,
  ]);
});

test('a rule is not extended where it has all that the message names', () => {
  const { decision, remedies } = ask({ clientId: 'quoter' }, actionOf(undefined));
  expect(decision).toBe('deny');
  expect(remedies.filter((one) => one.startsWith('extend_rule'))).toEqual([]);
});

test('a rule about another server is not extended', () => {
  expect(ask({ clientId: 'quoter' }, actionOf('x', { server: 'open' })).remedies).toEqual([
    'give_scope: give the scope fin/all to the client quoter',
  ]);
});

test('nobody is told to wait for a window that is over, that a deny covers, or that never opens', () => {
  const at = (when: NonNullable<ScopeRule['when']>, deny: readonly ScopeRule[] = []) => {
    const late: Snapshot = {
      ...SNAPSHOT,
      scopes: [['fin/late', [rule(3, { tools: ['close'], when }), ...deny]]],
    };
    return ask({ clientId: 'trader' }, actionOf('close'), late).remedies.filter((one) => /^wait/.test(one));
  };
  const hours = { startMinute: 1_200, endMinute: 1_260 };
  expect(at({ timezone: 'UTC', notAfterSeconds: NOW - 1 })).toEqual([]);
  expect(at({ timezone: 'UTC', hours, notAfterSeconds: NOW + 60 })).toEqual([]);
  expect(at({ timezone: 'UTC', days: [] })).toEqual([]);
  expect(at({ timezone: 'UTC', notBeforeSeconds: NOW + 90_000_000 })).toHaveLength(1);
  const deny = rule(4, { deny: 'part', tools: ['close'], when: { timezone: 'UTC', hours } });
  expect(at({ timezone: 'UTC', hours }, [deny])).toEqual([]);
});

test('a scope that may be had is named before those that must be given, wherever it stands', () => {
  const names = ['a0', 'a1', 'a2', 'z'];
  const many: Snapshot = {
    ...SNAPSHOT,
    scopes: names.map((name, index) => [name, [rule(30 + index, { tools: ['wire'] })]] as const),
    clients: [clientEntry('wirer', { scopes: ['z'] })],
  };
  expect(ask({ clientId: 'wirer', scopes: [] }, actionOf('wire'), many).remedies[0]).toBe(
    'ask_for_scope: ask for a token with the scope z: this client may have it',
  );
});

test('a scope that only clients of another organisation have is named to the platform alone', () => {
  const merger: Snapshot = {
    ...SNAPSHOT,
    scopes: [['globex-merger-data', [rule(30, { tools: ['wire'] })]]],
    clients: [
      clientEntry('nobody'),
      clientEntry('theirs', { org: 'globex', scopes: ['globex-merger-data'] }),
    ],
  };
  expect(ask({ clientId: 'nobody' }, actionOf('wire'), merger).remedies).toEqual([]);
  expect(ask({ clientId: 'nobody' }, actionOf('wire'), merger, true).remedies).toEqual([
    'give_scope: give the scope globex-merger-data to the client nobody',
  ]);
});

test('every remedy that changes the configuration is one after which it is allowed', () => {
  const { remedies } = ask({ clientId: 'quoter' }, actionOf('wire'));
  expect(remedies.length).toBeGreaterThan(0);
  const [scope, rules] = SNAPSHOT.scopes[0] ?? ['', []];
  const changed = {
    ...SNAPSHOT,
    scopes: [[scope, rules.map((one) => ({ ...one, tools: [...one.tools, 'wire'] }))] as const],
  };
  expect(ask({ clientId: 'quoter' }, actionOf('wire'), changed).decision).toBe('allow');
});

test('of many scopes that would do only the first are named', () => {
  const scopes = Array.from(
    { length: 9 },
    (_, index) => [`s-${index}`, [rule(30 + index, { tools: ['wire'] })]] as const,
  );
  const { remedies } = ask({ clientId: 'nobody' }, actionOf('wire'), { ...SNAPSHOT, scopes });
  expect(remedies).toEqual(
    ['s-0', 's-1', 's-2'].map((one) => `give_scope: give the scope ${one} to the client nobody`),
  );
});

test('a caller is not told that it has nothing on a server: it is told as of one thing that it has not', () => {
  const told = (reason: 'no_server_access' | 'not_granted' | 'unknown_server') =>
    explainToCaller({ allow: false, refusal: { reason, obtainable: [] } });
  expect(told('no_server_access')).toEqual(told('not_granted'));
  expect(told('not_granted')).toEqual({
    decision: 'deny',
    reason: 'not_granted',
    text: 'access denied: this operation is not available to you',
    scopes: [],
  });
  expect(told('unknown_server')).toMatchObject({ reason: 'unknown_server', text: 'there is nothing here' });
});

test('what a run may do is by no scope that could be asked for', () => {
  expect(explainToCaller({ allow: true, scope: 'run', at: 'run:read' }).scopes).toEqual([]);
  expect(explainToCaller({ allow: true, scope: 'maps/read', at: 's' }).scopes).toEqual(['maps/read']);
});
