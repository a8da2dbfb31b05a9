import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action } from '../../functions/core/action.ts';
import { isAllowed } from '../../functions/core/decide.ts';
import { comparePolicies } from '../../functions/core/plan/policy-changes.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import type { ArgumentSchema } from '../../functions/core/rules/argument-schema.ts';
import type { ScopeRule } from '../../functions/core/rules/rule.ts';
import type { TeamEntry } from '../../functions/core/team.ts';
import { callerOf, clientEntry, serverEntry, snapshotOf } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

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
    const isReach = (line: string) => / reach (?:the server|every server)/.test(line);
    const [there, back] = [linesOf(none, withRules(added)), linesOf(withRules(added), none)];
    expect(there.filter((line) => !isReach(line))).toEqual(words.map((one) => `gain: ${WHO} may now ${one}`));
    expect(back.filter((line) => !isReach(line))).toEqual(
      words.map((one) => `loss: ${WHO} may no longer ${one}`),
    );
    expect([there.filter(isReach).length, back.filter(isReach).length]).toEqual([1, 1]);
  });

  const bound = [['export', { required: ['limit'] }]] as const;
  test.for<readonly [string, readonly ScopeRule[], readonly ScopeRule[], readonly string[]]>([
    [
      'a constraint beside a wildcard is lifted',
      [rule({ tools: ['*'], arguments: bound })],
      [rule({ tools: ['*'] })],
      [
        `gain: ${WHO} may now call every tool on the server fin`,
        `loss: ${WHO} may no longer call every tool but export on the server fin`,
        `loss: ${WHO} may no longer call the tool export with arguments {"required":["limit"]} on the server fin`,
      ],
    ],
    [
      'a constraint beside a wildcard is lifted, and another rule says the same of the tool',
      [rule({ tools: ['*'], arguments: bound }), rule({ tools: ['export'], arguments: bound })],
      [rule({ tools: ['*'] }), rule({ tools: ['export'], arguments: bound })],
      [
        `gain: ${WHO} may now call every tool on the server fin`,
        `loss: ${WHO} may no longer call every tool but export on the server fin`,
      ],
    ],
    [
      'a deny of everything is bounded',
      [rule({ deny: 'part', tools: ['*'] })],
      [rule({ deny: 'part', tools: ['*'], arguments: bound })],
      [
        `loss: a deny now stops ${WHO}, who may not call every tool but export on the server fin`,
        `loss: a deny now stops ${WHO}, who may not call the tool export with arguments {"required":["limit"]} on the server fin`,
        `gain: a deny no longer stops ${WHO}, who could not call every tool on the server fin`,
      ],
    ],
    [
      'a rule leaves nothing out any more',
      [rule({ methods: ['*'], tools: ['*'], arguments: bound })],
      [rule({ methods: ['*'], tools: ['*'] })],
      [
        `gain: ${WHO} may now use methods that nobody knows on the server fin`,
        `gain: ${WHO} may now call every tool on the server fin`,
        `loss: ${WHO} may no longer call every tool but export on the server fin`,
        `loss: ${WHO} may no longer call the tool export with arguments {"required":["limit"]} on the server fin`,
      ],
    ],
    [
      'a rule that names no method opens the server',
      [],
      [rule({ methods: [], tools: ['x'] })],
      [`gain: ${WHO} may now reach the server fin`],
    ],
    [
      'what has no words is told as it is written',
      [rule({ methods: [], tools: ['x'] }), rule({ deny: 'part', tools: [] })],
      [rule({ methods: [], tools: ['y'], prompts: ['*'] })],
      [
        `change: a rule for ${WHO} is new as written: {"methods":[],"server":"fin","tools":["y"]}`,
        `change: a rule for ${WHO} is gone as written: {"methods":[],"server":"fin","tools":["x"]}`,
        `change: a rule for ${WHO} is gone as written: {"deny":"part","methods":["tools/call"],"server":"fin","tools":[]}`,
      ],
    ],
    [
      'the order of lists and the word for all change nothing',
      [rule({ methods: ['tools/call', 'all'], tools: ['all'], prompts: ['a', 'b'] })],
      [rule({ methods: ['*', 'tools/call'], tools: ['*', 'x'], prompts: ['b', 'a'] })],
      [],
    ],
  ])('%s', ([, before, after, lines]) => {
    expect(linesOf(withRules(...before), withRules(...after))).toEqual(lines);
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
      'gain: everyone may now reach the server fin',
      'gain: everyone may now call the tool a on the server fin',
      'gain: everyone of acme may now reach the server fin',
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
  const CALLS =
    '`egress` {"mode":"none","key":"client","fallback":"none"}, `timeout` {"connectMs":5000,"firstByteMs":30000,"silenceMs":240000,"callMs":300000}, `visibility` "org"';
  const CLIENT =
    '`auth` "client_secret_basic", `secretName` "sallyport/{stage}/clients/agent", `grants` ["client_credentials"], `audience` "gateway", `tokenTtlSeconds` 600';
  const SECRETS = { mode: 'service_account', key: 'client', fallback: 'none' } as const;
  const service = { ...serverEntry('api', { url: 'https://api.example.com/' }), usedBy: ['fin'], allow: [] };
  const { visibility: _, ...unsaid } = service;
  const LONG = ['a', 'b', 'c'].map((path) => ({ method: 'GET', path: `/a/long/way/to/${path}` }));
  const team = (name: string, more: Partial<TeamEntry> = {}): TeamEntry => ({
    org: 'acme',
    name,
    members: [],
    groups: [],
    parent: undefined,
    inherit: false,
    ...more,
  });
  test.for<readonly [string, Partial<Snapshot>, Partial<Snapshot>, readonly string[]]>([
    [
      'a client comes',
      {},
      { clients: [clientEntry('agent', { scopes: ['s'] })] },
      [`gain: the client agent of acme is new, and may have the scopes ["s"]; it has ${CLIENT}`],
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
        `gain: the server crm is new, at https://crm.internal.example.com/mcp; it has ${CALLS}`,
      ],
    ],
    [
      'a server moves whose clients have secrets',
      { servers: [serverEntry('crm', { egress: SECRETS })] },
      { servers: [serverEntry('crm', { egress: SECRETS, url: 'https://new.example.com/' })] },
      [
        'change: the server crm moves from https://crm.internal.example.com/mcp to https://new.example.com/, and secrets that were stored for it without a `url` go there too',
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
      [`gain: the service api is new, at https://api.example.com/, for ["fin"]; it has ${CALLS}`],
    ],
    [
      'a client comes disabled, with more than scopes',
      {},
      { clients: [clientEntry('agent', { disabled: true, exchangeFrom: ['x'], runNamespaces: ['ns'] })] },
      [
        `gain: the client agent of acme is new, disabled, and may have the scopes []; it has ${CLIENT}, \`runNamespaces\` ["ns"], \`exchangeFrom\` ["x"]`,
      ],
    ],
    [
      'a service allows one thing more',
      { services: [{ ...service, allow: LONG }] },
      { services: [{ ...service, allow: [...LONG, { method: 'DELETE', path: '/**' }] }] },
      ['change: the service api changes its `allow`, now with {"method":"DELETE","path":"/**"}'],
    ],
    [
      'an egress changes in one member, comes and goes',
      { servers: [serverEntry('fin')] },
      { servers: [serverEntry('fin', { egress: { mode: 'none', key: 'user', fallback: 'none' } })] },
      ['change: the server fin changes its `egress.key` from "client" to "user"'],
    ],
    [
      'a filter comes',
      { clients: [clientEntry('agent')] },
      { clients: [clientEntry('agent', { scopeFilters: { user: 'ann' } })] },
      ['change: the client agent changes its `scopeFilters.user` from nothing to "ann"'],
    ],
    [
      'something empty comes',
      { clients: [clientEntry('agent')] },
      { clients: [clientEntry('agent', { scopeFilters: {} })] },
      ['change: the client agent changes its `scopeFilters` from nothing to {}'],
    ],
    [
      'an empty list comes where there was none',
      Object.assign({ orgs: [] }, { moons: { full: undefined } }),
      Object.assign({ orgs: [] }, { moons: { full: [] } }),
      ['change: `moons` changes its `full` from nothing to []'],
    ],
    [
      'one more is accepted among many members',
      Object.assign(
        { orgs: [] },
        { suns: [{ name: 'corp', accept: { issuer: 'i'.repeat(90), ids: ['a'] } }] },
      ),
      Object.assign(
        { orgs: [] },
        {
          suns: [{ name: 'corp', accept: { issuer: 'i'.repeat(90), ids: ['a', 'evil'] } }],
        },
      ),
      ['change: the entry of `suns` corp changes its `accept.ids`, now with evil'],
    ],
    [
      'a server and a service are seen by more',
      {
        servers: [serverEntry('fin', { visibility: 'private:ann' })],
        services: [{ ...service, visibility: 'team:blue' }],
      },
      { servers: [serverEntry('fin')], services: [service] },
      [
        'gain: the server fin changes its `visibility` from "private:ann" to "org"',
        'gain: the service api changes its `visibility` from "team:blue" to "org"',
      ],
    ],
    [
      'a server is seen by others, and one that said nothing says the same',
      {
        servers: [serverEntry('fin', { visibility: 'private:ann' })],
        services: [{ ...service, visibility: 'org' }],
      },
      { servers: [serverEntry('fin', { visibility: 'team:blue' })], services: [unsaid] },
      ['change: the server fin changes its `visibility` from "private:ann" to "team:blue"'],
    ],
    [
      'a team comes whose members are in it by inheritance',
      { teams: [team('research', { members: ['courier'], groups: ['staff'] })] },
      {
        teams: [
          team('research', { members: ['courier'], groups: ['staff'] }),
          team('lab', { parent: 'research', inherit: true }),
        ],
      },
      [
        'gain: the team acme/lab is new, with courier, the group staff; it has `parent` "research", `inherit` true',
      ],
    ],
    [
      'a team inherits its members now',
      { teams: [team('research', { members: ['courier'] }), team('lab', { parent: 'research' })] },
      {
        teams: [
          team('research', { members: ['courier'] }),
          team('lab', { parent: 'research', inherit: true }),
        ],
      },
      [
        'gain: courier is now in the team acme/lab',
        'change: the team acme/lab changes its `inherit` from false to true',
      ],
    ],
    [
      'a role and a team come with many in them',
      {},
      {
        roles: [{ org: 'acme', name: 'r', scope: undefined, permissions: [...'abcdef'] }],
        teams: [team('t', { members: [...'abcdef'] })],
      },
      [
        'change: the role acme/r is new, and permits a, b, c, d, e, f',
        'gain: the team acme/t is new, with a, b, c, d, e, f',
      ],
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
        'loss: the limit of 6 requests in 1m for each org is new',
        'gain: the limit of 5 requests in 1m for each org is gone',
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

  test('against nothing, all is new', () => {
    const changes = comparePolicies(undefined, snapshotOf({ orgs: [{ id: 'acme', suspended: false }] }));
    expect(changes).toEqual([
      { effect: 'gain', part: 'orgs', name: 'acme', text: 'the organisation acme is new' },
    ]);
  });
});

test.for([
  [{ per: ['client'], requests: 1, windowSeconds: 30 }, '1 request in 30s for each client'],
  [{ per: ['tool', 'user'], requests: 5, windowSeconds: 7_200 }, '5 requests in 2h for each user and tool'],
  [{ per: ['org'], requests: 5, windowSeconds: 86_400 }, '5 requests in 1d for each org'],
  [
    {
      per: ['client'],
      requests: 20,
      windowSeconds: 90,
      server: 'fin',
      tools: ['quote', 'trade'],
      org: 'acme',
      scope: 'fin/use',
      burst: 3,
      none: undefined,
    },
    '20 requests in 90s for each client on fin calling quote, trade of acme with a right to fin/use with `burst` 3',
  ],
] as const)('a limit is said in words: %j', ([limit, words]) => {
  const limits = [{ ...limit, at: 'scopes.yml:1' }];
  expect(linesOf({}, { limits })).toEqual([`loss: the limit of ${words} is new`]);
  expect(linesOf({ limits }, {})).toEqual([`gain: the limit of ${words} is gone`]);
  expect(linesOf({ limits }, { limits: [{ ...limit, at: 'servers.yml:9' }] })).toEqual([]);
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

  test('where anything is decided otherwise, the plan says something', () => {
    const issuer = new TestIssuer();
    const tool = fc.constantFrom('a', 'b', '*');
    const some = <T>(one: fc.Arbitrary<T>) => fc.uniqueArray(one, { maxLength: 3 });
    const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
    const schema = fc.constantFrom<ArgumentSchema>({ required: ['x'] }, { required: ['y'] });
    const anyRule = fc
      .record({
        server: fc.constantFrom('fin', '*'),
        methods: some(
          fc.constantFrom('tools/call', 'ping', 'prompts/get', 'resources/read', 'odd/word', '*'),
        ),
        tools: some(tool),
        deny: maybe(fc.constantFrom('part', 'server')),
        prompts: maybe(fc.uniqueArray(fc.constantFrom('p', 'q', '*'), { minLength: 1, maxLength: 2 })),
        resources: maybe(
          fc.uniqueArray(fc.constantFrom('doc://a', 'doc://**'), { minLength: 1, maxLength: 2 }),
        ),
        arguments: maybe(
          fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b'), schema), {
            selector: ([one]) => one,
            maxLength: 2,
          }),
        ),
        when: maybe(
          fc.constantFrom({ timezone: 'UTC', days: [1] }, { timezone: 'UTC', notAfterSeconds: 1_000 }),
        ),
      })
      .map(
        ({ server, methods, tools, ...more }): ScopeRule =>
          // biome-ignore lint/nursery/noUnsafeTypeAssertion: members that are undefined are left out
          JSON.parse(JSON.stringify({ server, methods, tools, at: 'scopes.yml:1', ...more })) as ScopeRule,
      );
    const calls = ['a', 'b', 'c'].flatMap((name) =>
      ['x', 'y', 'z'].map(
        (argument): Action => ({
          server: 'fin',
          kind: 'request',
          method: 'tools/call',
          name,
          arguments: new Map([[argument, true]]),
        }),
      ),
    );
    const others = [
      ['ping', undefined],
      ['odd/word', undefined],
      ['other/word', undefined],
      ['tools/list', undefined],
      ['prompts/get', 'p'],
      ['prompts/get', 'r'],
      ['resources/read', 'doc://a'],
      ['resources/subscribe', 'doc://b'],
    ].map(
      ([method, name]): Action => ({
        server: 'fin',
        kind: 'request',
        method,
        name,
        arguments: 'unseen',
      }),
    );
    const actions = [...calls, ...others];
    const parts = (rules: readonly ScopeRule[], defaults: readonly ScopeRule[]) =>
      snapshotOf({
        servers: [serverEntry('fin')],
        clients: [clientEntry('courier', { scopes: ['s'] })],
        scopes: [['s', rules]],
        defaults,
      });
    const MONDAY = 1_800_259_200;
    const decisions = (snapshot: Snapshot) => {
      const policy = new Policy(snapshot, 1);
      const caller = callerOf(issuer, policy, ['s']);
      return [MONDAY, MONDAY + 86_400, 500]
        .flatMap((now) => actions.map((action) => isAllowed(policy, caller, action, now)))
        .join();
    };
    const rules = fc.array(anyRule, { maxLength: 3 });
    const step = fc.tuple(rules, anyRule, anyRule, rules);
    fc.assert(
      fc.property(step, fc.boolean(), ([kept, was, is, defaults], isDefault) => {
        const [before, after] = [was, is].map((one) =>
          isDefault ? parts(kept, [...defaults, one]) : parts([...kept, one], defaults),
        );
        if (before === undefined || after === undefined) return false;
        return decisions(before) === decisions(after) || comparePolicies(before, after).length > 0;
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(rules, rules, (was, is) => {
        const [before, after] = [parts(was, []), parts(is, [])];
        return decisions(before) === decisions(after) || comparePolicies(before, after).length > 0;
      }),
      { numRuns: 200 },
    );
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
