import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePolicies } from '../../functions/core/plan/policy-changes.ts';
import type { Snapshot } from '../../functions/core/policy.ts';
import type { ScopeRule } from '../../functions/core/rules/rule.ts';
import { clientEntry, serverEntry } from '../support/policies.ts';

const EMPTY: Snapshot = {
  format: 1,
  scopes: [],
  uiScopes: [],
  groups: [],
  servers: [],
  services: [],
  clients: [],
  orgs: [],
};

const snapshotOf = (parts: Partial<Snapshot> = {}): Snapshot => ({ ...EMPTY, ...parts });
const linesOf = (before: Partial<Snapshot>, after: Partial<Snapshot>) =>
  comparePolicies(snapshotOf(before), snapshotOf(after)).map(({ effect, text }) => `${effect}: ${text}`);

/** The lines in the one direction, which the other direction says the opposite of. */
function oppositesOf(before: Partial<Snapshot>, after: Partial<Snapshot>): void {
  const count = (lines: readonly string[], effect: string) =>
    lines.filter((line) => line.startsWith(effect)).length;
  const [there, back] = [linesOf(before, after), linesOf(after, before)];
  expect([count(back, 'gain'), count(back, 'loss')]).toEqual([count(there, 'loss'), count(there, 'gain')]);
}

const rule = (changes: Partial<ScopeRule> = {}): ScopeRule => ({
  server: 'fin',
  methods: ['tools/call'],
  tools: [],
  at: 'scopes.yml:3',
  ...changes,
});
const withRules = (...rules: readonly ScopeRule[]): Partial<Snapshot> => ({
  scopes: [['fin/use', rules]],
  clients: [clientEntry('agent', { scopes: ['fin/use'] })],
  groups: [['analysts', ['fin/use']]],
});
const WHO = 'who has the scope fin/use (client agent, group analysts)';

describe('rules are told by what somebody may now do, and no longer', () => {
  test.for<readonly [string, ScopeRule, readonly string[]]>([
    ['a tool', rule({ tools: ['quote'] }), ['call the tool quote on the server fin']],
    ['every tool', rule({ tools: ['*'] }), ['call every tool on the server fin']],
    [
      'methods',
      rule({ methods: ['tools/list', 'ping'] }),
      ['use tools/list on the server fin', 'use ping on the server fin'],
    ],
    ['every server', rule({ server: '*', methods: ['ping'] }), ['use ping on every server']],
    [
      'every method',
      rule({ methods: ['all'], tools: ['quote'] }),
      [
        'use every method that is not about a tool, prompt or resource on the server fin',
        'call the tool quote on the server fin',
        'get every prompt on the server fin',
        'read every resource on the server fin',
        'subscribe every resource on the server fin',
        'unsubscribe every resource on the server fin',
      ],
    ],
    [
      'some prompts and resources',
      rule({ methods: ['prompts/get', 'resources/read'], prompts: ['brief', '*'], resources: ['doc://{a}'] }),
      [
        'get the prompt brief on the server fin',
        'get every prompt on the server fin',
        'read the resource doc://{a} on the server fin',
      ],
    ],
    [
      'a tool with arguments, at times',
      rule({
        tools: ['quote', 'trade'],
        arguments: [['quote', { required: ['symbol'] }]],
        when: { timezone: 'UTC', days: [1, 2] },
      }),
      [
        'call the tool quote with arguments {"required":["symbol"]} on the server fin on mon, tue (UTC)',
        'call the tool trade on the server fin on mon, tue (UTC)',
      ],
    ],
    [
      'what nobody knew of when this was written',
      Object.assign(rule({ tools: ['quote'] }), { moon: 'full', sun: undefined }),
      ['call the tool quote on the server fin with `moon` "full"'],
    ],
  ])('%s', ([, added, words]) => {
    const none = withRules();
    expect(linesOf(none, withRules(added))).toEqual(words.map((one) => `gain: ${WHO} may now ${one}`));
    expect(linesOf(withRules(added), none)).toEqual(words.map((one) => `loss: ${WHO} may no longer ${one}`));
  });

  test('denies are told the other way round', () => {
    const deny = rule({ deny: 'part', tools: ['trade'] });
    expect(linesOf(withRules(), withRules(deny))).toEqual([
      `loss: a deny now stops ${WHO}, who may not call the tool trade on the server fin`,
    ]);
    expect(linesOf(withRules(deny), withRules())).toEqual([
      `gain: a deny no longer stops ${WHO}, who could not call the tool trade on the server fin`,
    ]);
    expect(linesOf(withRules(), withRules(rule({ deny: 'server', methods: [] })))).toEqual([
      `loss: a deny now stops ${WHO}, who may not do anything on the server fin`,
    ]);
  });

  test('defaults are everyone’s, or those of one organisation', () => {
    const lines = linesOf(
      {},
      { defaults: [rule({ tools: ['a'] }), { ...rule({ tools: ['b'] }), org: 'acme' }] },
    );
    expect(lines).toEqual([
      'gain: everyone may now call the tool a on the server fin',
      'gain: everyone of acme may now call the tool b on the server fin',
    ]);
  });

  test('a constraint that is added takes one thing and gives another', () => {
    const free = rule({ tools: ['quote'] });
    const bound = rule({ tools: ['quote'], arguments: [['quote', { maxLength: 3 }]] });
    expect(linesOf(withRules(free), withRules(bound)).map((line) => line.slice(0, 5))).toEqual([
      'gain:',
      'loss:',
    ]);
  });

  test('a line that moves, a rule that is split or repeated, is no change', () => {
    const one = rule({ tools: ['a', 'b'] });
    const two = [
      rule({ tools: ['b'], at: 'scopes.yml:90' }),
      rule({ tools: ['a'], at: 'x:1' }),
      rule({ tools: ['a'] }),
    ];
    expect(linesOf(withRules(one), withRules(...two))).toEqual([]);
  });

  test('of many who have a scope the first are named', () => {
    const clients = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => clientEntry(id, { scopes: ['s'] }));
    const lines = linesOf({ clients }, { clients, scopes: [['s', [rule({ tools: ['t'] })]]] });
    expect(lines[0]).toContain(
      'who has the scope s (client a, client b, client c, client d, client e and 2 more) may',
    );
    expect(linesOf({}, { scopes: [['s', [rule({ tools: ['t'] })]]] })[0]).toContain(
      's (nobody has it) may now',
    );
  });
});

describe('everything else is told by name', () => {
  const service = { ...serverEntry('api', { url: 'https://api.example.com/' }), usedBy: ['fin'], allow: [] };
  test.for<readonly [string, Partial<Snapshot>, Partial<Snapshot>, readonly string[]]>([
    [
      'a client comes',
      {},
      { clients: [clientEntry('agent', { scopes: ['s'] })] },
      ['gain: the client agent of acme is new, and may have the scopes ["s"]'],
    ],
    [
      'a client is disabled and loses a scope for another',
      { clients: [clientEntry('agent', { scopes: ['s'] })] },
      { clients: [clientEntry('agent', { scopes: ['t'], disabled: true, tokenTtlSeconds: 300 })] },
      [
        'loss: the client agent is disabled: its tokens are refused',
        'gain: the client agent may now have the scope t',
        'loss: the client agent loses the scope s, in the tokens that are out too',
        'change: the client agent changes its `tokenTtlSeconds` from 600 to 300',
      ],
    ],
    [
      'a server moves, another comes',
      { servers: [serverEntry('fin')] },
      {
        servers: [serverEntry('fin', { url: 'https://new.example.com/', private: true }), serverEntry('crm')],
      },
      [
        'change: the server fin moves from https://fin.internal.example.com/mcp to https://new.example.com/',
        'change: the server fin changes its `private` from false to true',
        'gain: the server crm is new, at https://crm.internal.example.com/mcp',
      ],
    ],
    [
      'a service is for another server',
      { services: [service] },
      { services: [{ ...service, usedBy: ['crm'] }] },
      [
        'gain: the server crm may now call the service api',
        'loss: the server fin may no longer call the service api',
      ],
    ],
    [
      'a service comes',
      {},
      { services: [service] },
      ['gain: the service api is new, at https://api.example.com/, for ["fin"]'],
    ],
    [
      'a group gives another scope',
      { groups: [['g', ['a']]] },
      { groups: [['g', ['b']]] },
      ['gain: the group g will now give the scope b', 'loss: the group g will no longer give the scope a'],
    ],
    [
      'a UI scope permits more',
      { uiScopes: [['u', [['revoke', ['all']]]]] },
      {
        uiScopes: [
          [
            'u',
            [
              ['revoke', ['all']],
              ['manage_policy', ['all']],
            ],
          ],
        ],
      },
      ['gain: the UI scope u will now permit manage_policy on all'],
    ],
    [
      'an organisation is suspended',
      { orgs: [{ id: 'acme', suspended: false }] },
      { orgs: [{ id: 'acme', suspended: true }] },
      ['loss: the organisation acme is suspended: everything of it is refused'],
    ],
    [
      'another organisation is the first',
      { orgs: [{ id: 'acme', suspended: false }] },
      {
        orgs: [
          { id: 'evil', suspended: true },
          { id: 'acme', suspended: false },
        ],
      },
      [
        'change: the platform’s own organisation is evil and no longer acme: it administers what all share',
        'gain: the organisation evil is new, and suspended',
      ],
    ],
    [
      'the only organisation goes',
      { orgs: [{ id: 'acme', suspended: false }] },
      { orgs: [] },
      [
        'change: the platform’s own organisation is none and no longer acme: it administers what all share',
        'loss: the organisation acme is gone: everything of it is refused',
      ],
    ],
    [
      'an organisation comes',
      {},
      { orgs: [{ id: 'acme', suspended: false }] },
      ['gain: the organisation acme is new'],
    ],
    [
      'a team has another member',
      { teams: [{ org: 'acme', name: 'blue', members: [], groups: [], parent: undefined, inherit: false }] },
      {
        teams: [{ org: 'acme', name: 'blue', members: ['a'], groups: [], parent: undefined, inherit: false }],
      },
      ['gain: a is now in the team acme/blue'],
    ],
    [
      'a scope has a cap',
      {},
      { scopeSettings: [['s', { tokenTtlMaxSeconds: 300 }]] },
      ['change: the entry of `scopeSettings` s is new: {"name":"s","tokenTtlMaxSeconds":300}'],
    ],
    [
      'a limit changes',
      { limits: [{ per: ['org'], requests: 5, windowSeconds: 60, at: 'scopes.yml:1' }] },
      { limits: [{ per: ['org'], requests: 6, windowSeconds: 60, at: 'scopes.yml:9' }] },
      [
        'change: the entry of `limits` {"per":["org"],"requests":5,"windowSeconds":60} is gone: {"per":["org"],"requests":5,"windowSeconds":60}',
        'change: the entry of `limits` {"per":["org"],"requests":6,"windowSeconds":60} is new: {"per":["org"],"requests":6,"windowSeconds":60}',
      ],
    ],
    [
      'what nobody knew of when this was written',
      {},
      Object.assign({ orgs: [] }, { moons: { full: true }, stars: ['x', 'x'] }),
      [
        'change: `moons` changes its `full` from nothing to true',
        'change: the entry of `stars` "x" is new: "x"',
        'change: the entry of `stars` "x" (2) is new: "x"',
      ],
    ],
    [
      'names of a list come, go and change places',
      {
        servers: [
          serverEntry('fin', { headers: ['a', 'b', 'c'] }),
          serverEntry('crm', { headers: ['a', 'b'] }),
        ],
      },
      { servers: [serverEntry('fin', { headers: ['d', 'b'] }), serverEntry('crm', { headers: ['b', 'a'] })] },
      [
        'change: the server fin changes its `headers`, now with d, no longer with a, c',
        'change: the server crm changes its `headers`, in order',
      ],
    ],
    [
      'the order of members, and lines, change nothing',
      { limits: [{ per: ['org'], requests: 5, windowSeconds: 60, at: 'scopes.yml:1' }] },
      { limits: [{ at: 'scopes.yml:2', windowSeconds: 60, requests: 5, per: ['org'] }] },
      [],
    ],
  ])('%s', ([, before, after, lines]) => {
    expect([...linesOf(before, after)].sort()).toEqual([...lines].sort());
    oppositesOf(before, after);
  });

  test('a value that is long is cut between characters', () => {
    const line = linesOf({}, { clients: [clientEntry('a', { scopes: ['💡'.repeat(90)] })] })[0] ?? '';
    expect(line).toMatch(/…$/);
    expect(line.isWellFormed()).toBe(true);
  });

  test('against nothing, all is new', () => {
    const changes = comparePolicies(undefined, snapshotOf({ orgs: [{ id: 'acme', suspended: false }] }));
    expect(changes).toEqual([
      { effect: 'gain', part: 'orgs', name: 'acme', text: 'the organisation acme is new' },
    ]);
  });
});

describe('laws', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const names = fc.uniqueArray(name);
  const arbitraryRule: fc.Arbitrary<ScopeRule> = fc.record({
    server: fc.constantFrom('fin', 'crm', '*'),
    methods: fc.uniqueArray(fc.constantFrom('tools/call', 'ping', 'all')),
    tools: names,
    at: fc.constant('scopes.yml:1'),
  });
  const arbitrary = fc.record({
    clients: fc.uniqueArray(
      fc
        .record({ id: name, scopes: names, disabled: fc.boolean() })
        .map(({ id, ...more }) => clientEntry(id, more)),
      { selector: ({ id }) => id },
    ),
    servers: fc.uniqueArray(
      name.map((one) => serverEntry(one)),
      { selector: ({ name: one }) => one },
    ),
    scopes: fc.uniqueArray(fc.tuple(name, fc.array(arbitraryRule, { maxLength: 3 })), {
      selector: ([one]) => one,
    }),
    groups: fc.uniqueArray(fc.tuple(name, names), { selector: ([one]) => one }),
    teams: fc.array(
      fc.record({
        org: name,
        name,
        members: names,
        groups: names,
        parent: fc.constant(undefined),
        inherit: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
  });

  test('a configuration changes nothing against itself', () => {
    fc.assert(fc.property(arbitrary, (parts) => linesOf(parts, structuredClone(parts)).length === 0));
  });

  test('what one direction gives, the other takes', () => {
    fc.assert(fc.property(arbitrary, arbitrary, oppositesOf));
  });

  test('nothing that an entry says changes unsaid', () => {
    fc.assert(
      fc.property(arbitrary, name, (parts, id) => {
        const clients = [...parts.clients.filter((client) => client.id !== id), clientEntry(id)];
        const members = Object.keys(clientEntry(id)).filter((member) => member !== 'id');
        for (const member of members) {
          const changed = clients.map((client) =>
            client.id === id ? { ...client, [member]: [`another ${member}`] } : client,
          );
          if (linesOf({ ...parts, clients }, { ...parts, clients: changed }).length === 0) return false;
        }
        return true;
      }),
      { numRuns: 20 },
    );
  });
});
