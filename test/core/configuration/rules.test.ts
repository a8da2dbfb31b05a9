import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';
import type { Snapshot } from '../../../functions/core/policy.ts';

const BESIDE = [
  ['servers.yml', 'servers: { maps: { url: "https://maps.example.com/mcp" } }'],
  ['clients.yml', ''],
  ['orgs.yml', 'orgs: { acme: {}, rival: {} }'],
] as const;

function compile(scopes: string) {
  return compileConfiguration(new Map([['scopes.yml', scopes], ...BESIDE]));
}

function snapshotOf(scopes: string): Snapshot {
  const compiled = compile(scopes);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value.snapshot;
}

/** The problems, as `line message`. */
function problems(scopes: string): readonly string[] {
  const compiled = compile(scopes);
  return compiled.ok ? [] : compiled.error.map(({ line, message }) => `${line} ${message}`);
}

/** One rule of the scope `s`, on the second line. */
function ruleOf(members: string) {
  return snapshotOf(`s:\n  - { server: maps, ${members} }`).scopes[0]?.[1][0];
}

const RESOURCE_METHODS = ['resources/read', 'resources/subscribe', 'resources/unsubscribe'];

describe('a deny is stored with all that it forbids:', () => {
  test.for([
    ['deny: true', { deny: 'server', methods: [], tools: [] }],
    ['deny: true, methods: [tools/call]', { deny: 'part', methods: ['tools/call'], tools: ['*'] }],
    ['deny: true, methods: ["*"]', { deny: 'part', methods: ['*'], tools: ['*'] }],
    [
      'deny: true, methods: [all], tools: [a]',
      { deny: 'part', methods: ['all', 'tools/call'], tools: ['a'] },
    ],
    ['deny: true, tools: [a, b]', { deny: 'part', methods: ['tools/call'], tools: ['a', 'b'] }],
    [
      'deny: true, methods: [ping], tools: [a]',
      { deny: 'part', methods: ['ping', 'tools/call'], tools: ['a'] },
    ],
    ['deny: true, methods: [tools/list]', { deny: 'part', methods: ['tools/list'], tools: [] }],
    ['deny: true, prompts: [p]', { deny: 'part', methods: ['prompts/get'], tools: [], prompts: ['p'] }],
    [
      'deny: true, resources: ["docs://**"]',
      { deny: 'part', methods: RESOURCE_METHODS, tools: [], resources: ['docs://**'] },
    ],
    [
      'deny: true, tools: [a], arguments: { a: { required: [x] } }',
      { deny: 'part', methods: ['tools/call'], tools: ['a'], arguments: [['a', { required: ['x'] }]] },
    ],
  ] as const)('%s', ([members, stored]) => {
    expect(ruleOf(members)).toEqual({ server: 'maps', ...stored, at: 'scopes.yml:2' });
  });

  test('`deny: false` is a grant', () => {
    expect(ruleOf('deny: false, methods: [ping]')).toEqual({
      server: 'maps',
      methods: ['ping'],
      tools: [],
      at: 'scopes.yml:2',
    });
  });
});

describe('a grant', () => {
  test('keeps apart what it does not say and what it says is nothing', () => {
    expect(ruleOf('methods: [prompts/get]')).not.toHaveProperty('prompts');
    expect(ruleOf('methods: [prompts/get], prompts: [], resources: []')).toMatchObject({
      prompts: [],
      resources: [],
    });
  });

  test('has its constraints with numbers as they are written', () => {
    const scopes = `s:
  - server: maps
    methods: [tools/call]
    tools: [a]
    arguments:
      a:
        type: object
        required: [limit]
        additionalProperties: false
        properties:
          limit: { type: integer, minimum: 1, maximum: 9007199254740993, description: how many }
          kind: { enum: [a, 1.50, true, ~] }
          one: { const: x }
          name: { type: string, minLength: 1, maxLength: 9, pattern: '^[a-z]+$' }
          ids: { type: array, items: { type: number, exclusiveMinimum: 0, exclusiveMaximum: 1e400 }, minItems: 1, maxItems: 3 }
          some: { type: [integer, number] , minimum: -0.5 }
          rest: { type: object, additionalProperties: { type: string } }
          open: { type: object, additionalProperties: true }
`;
    expect(snapshotOf(scopes).scopes[0]?.[1][0]?.arguments).toEqual([
      [
        'a',
        {
          type: ['object'],
          required: ['limit'],
          additionalProperties: false,
          properties: [
            ['limit', { type: ['integer'], minimum: '1', maximum: '9007199254740993' }],
            ['kind', { enum: ['"a"', '1.50', 'true', 'null'] }],
            ['one', { enum: ['"x"'] }],
            ['name', { type: ['string'], minLength: 1, maxLength: 9, pattern: '^[a-z]+$' }],
            [
              'ids',
              {
                type: ['array'],
                items: { type: ['number'], exclusiveMinimum: '0', exclusiveMaximum: '1e400' },
                minItems: 1,
                maxItems: 3,
              },
            ],
            ['some', { type: ['integer', 'number'], minimum: '-0.5' }],
            ['rest', { type: ['object'], additionalProperties: { type: ['string'] } }],
            ['open', { type: ['object'] }],
          ],
        },
      ],
    ]);
  });

  test('has its window in minutes and seconds', () => {
    const when =
      '{ days: [mon, sun], hours: "22:00-06:30", timezone: Europe/Berlin, not_before: "2026-12-01T00:00Z", not_after: "2027-01-01T00:00:00+01:00" }';
    expect(ruleOf(`methods: [ping], when: ${when}`)?.when).toEqual({
      days: [1, 0],
      hours: { startMinute: 1_320, endMinute: 390 },
      timezone: 'Europe/Berlin',
      notBeforeSeconds: Date.parse('2026-12-01T00:00:00Z') / 1_000,
      notAfterSeconds: Date.parse('2026-12-31T23:00:00Z') / 1_000,
    });
    expect(ruleOf('methods: [ping], when: { hours: 00:00-24:00 }')?.when).toEqual({
      hours: { startMinute: 0, endMinute: 1_440 },
      timezone: 'UTC',
    });
  });
});

/** The members of a rule, and what is wrong with them. */
const WRONG_RULES: readonly (readonly [string, RegExp])[] = [
  ['deny: yes', /`s\[0\].deny`: write true or false/],
  ['deny: true, methods: []', /a deny of none denies nothing; leave `methods` out/],
  ['deny: true, tools: []', /leave `tools` out/],
  ['deny: true, prompts: []', /leave `prompts` out/],
  ['deny: true, resources: []', /leave `resources` out/],
  ['deny: true, arguments: { a: {} }', /`a` is not among the `tools` of this rule/],
  ['methods: [tools/call], tools: [a], arguments: { b: {} }', /`b` is not among the `tools` of this rule/],
  ['methods: [tools/call], arguments: { b: {} }', /`b` is not among the `tools`/],
  ['tools: [a], arguments: [a]', /write a map here/],
  ['tools: [a], arguments: { a: }', /write a schema/],
  ['tools: [a], arguments: ', /name a tool and write a schema/],
  ['tools: [a], arguments: {}', /name a tool and write a schema/],
  ['deny: true, tools: [a], arguments: {}', /name a tool and write a schema/],
  ['tools: [a], arguments: { a: { properties: { limit: } } }', /write a schema here/],
  ['tools: [a], arguments: { a: { properties: { x: { type: array, items: } } } }', /write a schema here/],
  ['tools: [a], arguments: { a: { properties: } }', /write what is asked for/],
  ['tools: [a], arguments: { a: { required: } }', /write what is asked for/],
  ['tools: [a], arguments: { a: [x] }', /write a schema/],
  ['tools: [a], arguments: { a: { requires: [x] } }', /unknown key `requires`/],
  ['tools: [a], arguments: { a: { $ref: x } }', /unknown key `\$ref`/],
  ['tools: [a], arguments: { a: { anyOf: [] } }', /unknown key `anyOf`/],
  ['tools: [a], arguments: { a: { type: array, required: [x] } }', /write `type: object` beside it/],
  ['tools: [a], arguments: { a: { properties: { x: { maximum: 1 } } } }', /write `type: number` beside it/],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: [number, string], maximum: 1 } } } }',
    /of another type `maximum` says nothing/,
  ],
  ['tools: [a], arguments: { a: { properties: { x: { type: float } } } }', /write one of: null, boolean/],
  ['tools: [a], arguments: { a: { properties: { x: { type: [] } } } }', /name a type/],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: number, maximum: "1" } } } }',
    /write a number here/,
  ],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: number, maximum: 0x10 } } } }',
    /write a number here/,
  ],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: number, maximum: .inf } } } }',
    /write a number here/,
  ],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: number, maximum: .5 } } } }',
    /write a number here/,
  ],
  [
    `tools: [a], arguments: { a: { properties: { x: { type: number, maximum: ${'9'.repeat(101)} } } } }`,
    /write a number here/,
  ],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: string, maxLength: -1 } } } }',
    /write a whole number/,
  ],
  ['tools: [a], arguments: { a: { properties: { x: { enum: [] } } } }', /name a value/],
  [
    'tools: [a], arguments: { a: { properties: { x: { enum: [[1]] } } } }',
    /write a text, a number, true, false or null/,
  ],
  ['tools: [a], arguments: { a: { properties: { x: { enum: [0x10] } } } }', /write a number here/],
  ['tools: [a], arguments: { a: { properties: { x: { enum: [a], const: a } } } }', /write `enum` or `const`/],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: string, pattern: "[a" } } } }',
    /a class is not closed/,
  ],
  [
    'tools: [a], arguments: { a: { properties: { x: { type: string, pattern: "a+" } } } }',
    /begin with \^ and end with \$/,
  ],
  ['tools: [a], arguments: { a: { properties: { x: { type: string, pattern: 1 } } } }', /write a text here/],
  ['tools: [a], arguments: { a: { additionalProperties: no } }', /write true or false/],
  [`tools: [a], arguments: { a: { required: [${'x,'.repeat(201)}] } }`, /write 200 names at most/],
  [
    `tools: [a], arguments: { a: { properties: { x: { enum: [${'x,'.repeat(201)}] } } } }`,
    /write 200 values at most/,
  ],
  [
    `tools: [a], arguments: { a: ${'{ properties: { x: '.repeat(9)}{}${' } }'.repeat(9)} }`,
    /schemas nest 8 deep at most/,
  ],
  [
    `tools: [a], arguments: { a: { properties: { ${Array.from({ length: 101 }, (_, index) => `p${index}: {}`).join(', ')} } } }`,
    /write 100 schemas for a tool at most/,
  ],
  [`resources: ["${'x'.repeat(513)}"]`, /write a pattern of 512 characters and 8 stars at most/],
  [`resources: ["${'a*'.repeat(9)}"]`, /8 stars at most/],
  ['resources: ["a***"]', /write `\*` within a segment, `\*\*` across segments/],
  [
    'resources: ["docs://{org}/x"]',
    /`\{org\}` stands for nothing; there are \{org_id\}, \{subject\}, \{client_id\}/,
  ],
  ['resources: ["docs://{org_id"]', /`\{org_id` stands for nothing/],
  ['resources: ["docs://org_id}"]', /`\}` stands for nothing/],
  ['resources: docs', /write a list here/],
  ['when: {}', /write when the rule holds/],
  ['when: { timezone: UTC }', /write when the rule holds/],
  ['when: always', /write a map here/],
  ['when: { days: [] }', /name a day/],
  ['when: { days: [monday] }', /write one of: sun, mon, tue/],
  ['when: { hours: 9-17 }', /write hours such as "09:00-17:00"/],
  ['when: { hours: "09:00-09:00" }', /write hours/],
  ['when: { hours: "24:00-09:00" }', /write hours/],
  ['when: { hours: "09:00-24:01" }', /write hours/],
  ['when: { hours: "09:60-10:00" }', /write hours/],
  ['when: { days: [mon], timezone: Mars/Olympus }', /write a name of the IANA time zone database/],
  ['when: { days: [mon], timezone: "+02:00" }', /write a name of the IANA time zone database/],
  ['when: { days: [mon], timezone: 2 }', /write a text here/],
  ['when: { not_before: "2026-12-01" }', /write an instant with its offset/],
  ['when: { not_before: "2026-12-01T00:00:00" }', /write an instant with its offset/],
  ['when: { not_before: "2026-13-01T00:00:00Z" }', /write an instant with its offset/],
  ['when: { not_after: "2027-02-30T00:00:00Z" }', /write an instant with its offset/],
  ['when: { not_after: "2027-02-29T00:00:00+01:00" }', /write an instant with its offset/],
  ['when: { not_after: 1796083200 }', /write a text here/],
  [
    'when: { not_before: "2027-01-01T00:00:00Z", not_after: "2026-01-01T00:00:00Z" }',
    /the rule would never hold/,
  ],
  ['org: acme', /unknown key `org`/],
];

describe('what is wrong with a rule is found, with its line:', () => {
  test.for(WRONG_RULES)('%s', ([members, message]) => {
    const found = problems(`# a comment\ns:\n  - { server: maps, ${members} }`);
    expect(found).not.toEqual([]);
    for (const problem of found) expect(problem).toMatch(/^3 /);
    expect(found.join('\n')).toMatch(message);
  });

  test('once', () => {
    expect(problems('s: [{ server: maps, when: { days: [monday, tue] } }]')).toHaveLength(1);
  });

  test('a pattern that is found anywhere is good enough for a deny, and a type need not be said', () => {
    const schema = '{ properties: { x: { pattern: "secret", maxLength: 9 } } }';
    expect(ruleOf(`deny: true, tools: [a], arguments: { a: ${schema} }`)?.arguments).toEqual([
      ['a', { properties: [['x', { maxLength: 9, pattern: 'secret' }]] }],
    ]);
  });
});

describe('Defaults', () => {
  test('are rules that may be for one organisation', () => {
    const { defaults, format } = snapshotOf(
      'Defaults:\n  - { server: maps, org: acme, methods: [ping] }\n  - { server: "*", deny: true, tools: [erase] }',
    );
    expect(format).toBe(2);
    expect(defaults).toEqual([
      { server: 'maps', methods: ['ping'], tools: [], at: 'scopes.yml:2', org: 'acme' },
      { server: '*', methods: ['tools/call'], tools: ['erase'], deny: 'part', at: 'scopes.yml:3' },
    ]);
  });

  test.for([
    ['Defaults: { server: maps }', /write a list here/],
    ['Defaults: [{ methods: [ping] }]', /name the server/],
    ['Defaults: [{ server: maps, org: nobody }]', /there is no organisation `nobody`/],
    ['Defaults: [{ server: maps, org: }]', /write a text here/],
    ['Defaults: [{ server: maps, scope: s }]', /unknown key `scope`/],
  ] as const)('%s', ([text, message]) => {
    expect(problems(text).join()).toMatch(message);
  });
});

describe('Scope-Settings', () => {
  test('are kept by scope', () => {
    const text =
      's: []\nUI-Scopes: { u: {} }\nScope-Settings:\n  s: { token_ttl_max: 60, description: Look at maps }\n  u: {}\n  runs/issue: { token_ttl_max: 900 }';
    const { scopeSettings, format } = snapshotOf(text);
    expect(scopeSettings).toEqual([
      ['s', { tokenTtlMaxSeconds: 60, description: 'Look at maps' }],
      ['u', {}],
      ['runs/issue', { tokenTtlMaxSeconds: 900 }],
    ]);
    expect(format).toBe(2);
    expect(snapshotOf('s: []\nScope-Settings: { s: { description: Maps } }').format).toBe(1);
  });

  test.for([
    ['Scope-Settings: { s: {} }', /there is no scope `s`/],
    ['s: []\nScope-Settings: { s: { token_ttl_max: 59 } }', /write a whole number from 60 to 900/],
    ['s: []\nScope-Settings: { s: { token_ttl_max: 901 } }', /write a whole number from 60 to 900/],
    ['s: []\nScope-Settings: { s: { ttl: 60 } }', /unknown key `ttl`/],
    ['s: []\nScope-Settings: { s: { description: "a\\nb" } }', /write one line of 200 characters at most/],
    [
      `s: []\nScope-Settings: { s: { description: ${'x'.repeat(201)} } }`,
      /write one line of 200 characters at most/,
    ],
    ['s: []\nScope-Settings: { s: { description: 1 } }', /write a text here/],
  ] as const)('%s', ([text, message]) => {
    expect(problems(text).join()).toMatch(message);
  });
});

describe('Limits', () => {
  test('are kept in their order, with what counts in its own', () => {
    const text = `s: []
Limits:
  - { per: [tool, client, tool], requests: 60, window: 1m, server: /maps/, tools: [a], org: acme, scope: s }
  - { per: [org], requests: 1, window: 1d, server: '*' }`;
    const { limits, format } = snapshotOf(text);
    expect(limits).toEqual([
      {
        per: ['client', 'tool'],
        requests: 60,
        windowSeconds: 60,
        server: 'maps',
        tools: ['a'],
        org: 'acme',
        scope: 's',
        at: 'scopes.yml:3',
      },
      { per: ['org'], requests: 1, windowSeconds: 86_400, at: 'scopes.yml:4' },
    ]);
    expect(format).toBe(2);
  });

  test.for([
    ['1s', 1],
    ['90s', 90],
    ['15m', 900],
    ['24h', 86_400],
  ] as const)('a window of %s', ([window, seconds]) => {
    const { limits } = snapshotOf(`Limits: [{ per: [org], requests: 1, window: ${window} }]`);
    expect(limits?.[0]?.windowSeconds).toBe(seconds);
  });

  test.for([
    [
      '{ requests: 1, window: 1m }',
      /write what is counted by: `per: \[client\]`, of org, client, user, server, tool, token/,
    ],
    ['{ per: [], requests: 1, window: 1m }', /write what is counted by/],
    ['{ per: client, requests: 1, window: 1m }', /write a list here/],
    ['{ per: [ip], requests: 1, window: 1m }', /write one of: org, client/],
    ['{ per: [org], window: 1m }', /write how many in which time/],
    ['{ per: [org], requests: 1 }', /write how many in which time/],
    ['{ per: [org], requests: 0, window: 1m }', /write a whole number from 1 to 1000000/],
    ['{ per: [org], requests: 1.5, window: 1m }', /write a whole number/],
    ['{ per: [org], requests: 1, window: 0s }', /write a window such as 30s, 1m or 1h, of 1 day at most/],
    ['{ per: [org], requests: 1, window: 2d }', /of 1 day at most/],
    ['{ per: [org], requests: 1, window: 500ms }', /write a window/],
    ['{ per: [org], requests: 1, window: 60 }', /write a text here/],
    ['{ per: [org], requests: 1, window: 1m, server: / }', /name the server, or leave `server` out/],
    ['{ per: [org], requests: 1, window: 1m, tools: [] }', /name a tool, or leave `tools` out/],
    ['{ per: [org], requests: 1, window: 1m, org: nobody }', /there is no organisation `nobody`/],
    ['{ per: [org], requests: 1, window: 1m, scope: none }', /there is no scope `none`/],
    ['{ per: [org], requests: 1, window: 1m, burst: 5 }', /unknown key `burst`/],
  ] as const)('%s', ([limit, message]) => {
    expect(problems(`Limits: [${limit}]`).join()).toMatch(message);
  });

  test('are 200 at most', () => {
    const limit = '  - { per: [org], requests: 1, window: 1m }\n';
    expect(problems(`Limits:\n${limit.repeat(200)}`)).toEqual([]);
    expect(problems(`Limits:\n${limit.repeat(201)}`).join()).toMatch(/write 200 limits at most/);
  });
});

test('what names a server that is not there is worth a warning', () => {
  const text = `s:
  - { server: mail, methods: [ping] }
  - { server: mail, deny: true }
Defaults: [{ server: mail, deny: true }]
Limits: [{ per: [org], requests: 1, window: 1m, server: mail }]`;
  const compiled = compile(text);
  expect(compiled.ok && compiled.value.warnings.map(({ line, message }) => `${line} ${message}`)).toEqual([
    '2 servers.yml has no server `mail`; this rule grants nothing',
    '3 servers.yml has no server `mail`; this deny forbids nothing',
    '4 servers.yml has no server `mail`; this deny forbids nothing',
    '5 servers.yml has no server `mail`; this limit counts nothing',
    '2 nobody has the scope `s`: no group is mapped to it, and no client has it',
  ]);
});

describe('the format', () => {
  test.for([
    ['methods: [tools/call], tools: [a]', 1],
    ['deny: true', 2],
    ['methods: [ping], prompts: []', 2],
    ['methods: [ping], resources: []', 2],
    ['methods: [ping], when: { days: [mon] }', 2],
    ['tools: [a], arguments: { a: {} }', 2],
  ] as const)('of a rule with %s is %s', ([members, format]) => {
    expect(snapshotOf(`s: [{ server: maps, ${members} }]`).format).toBe(format);
  });

  test('of limits is 2: who reads past them counts nothing', () => {
    expect(snapshotOf('Limits: [{ per: [org], requests: 1, window: 1m }]').format).toBe(2);
  });

  test('of what older files say is 1, and nothing new is in it', () => {
    expect(Object.keys(snapshotOf('s: []'))).not.toContain('defaults');
    expect(Object.keys(snapshotOf('s: []\nDefaults: []\nLimits: []'))).not.toContain('limits');
  });
});

test('the names of the sections are no scopes', () => {
  const { scopes } = snapshotOf('Defaults: []\nLimits: []\nScope-Settings: {}\ns: []');
  expect(scopes.map(([name]) => name)).toEqual(['s']);
});
