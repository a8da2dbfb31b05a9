import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';
import type { Snapshot } from '../../../functions/core/policy.ts';

const BESIDE = [
  ['servers.yml', 'servers: { maps: { url: "https://maps.example.com/mcp" } }'],
  [
    'clients.yml',
    'clients: { pilot: { secret: { ref: "sallyport/{stage}/clients/pilot" }, grants: [client_credentials], groups: [pilots] } }',
  ],
] as const;

function compile(scopes: string) {
  return compileConfiguration(new Map([['scopes.yml', scopes], ...BESIDE]));
}

function compiled(scopes: string) {
  const result = compile(scopes);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function problems(scopes: string): readonly string[] {
  const result = compile(scopes);
  return result.ok ? [] : result.error.map(({ line, message }) => `${line} ${message}`);
}

/** What the source system's tools write: JSON, with members that are about other things. */
const PILOTS = {
  _id: 'pilots/use',
  group_mappings: ['pilots', 'captains'],
  server_access: [
    { server: '/maps', methods: ['initialize', 'tools/call'], tools: ['route'] },
    { agents: { actions: [{ action: 'list_agents', resources: ['all'] }] } },
  ],
  ui_permissions: { list_service: ['all'], list_agents: ['all'] },
  create_in_idp: true,
  custom_scopes: ['maps/access'],
  created_at: '2026-01-01',
  updated_at: null,
};
const LOOKERS = {
  _id: { $oid: '0a1b' },
  scope_name: 'look',
  description: 'Look at maps',
  server_access: [
    { server: 'maps', methods: ['tools/list'] },
    { server: 'maps', deny: true, tools: ['erase'] },
  ],
};

describe('one document per scope', () => {
  const { snapshot, warnings } = compiled(JSON.stringify([PILOTS, LOOKERS], null, 1));

  test('is a scope, its groups, its permissions and its words', () => {
    const expected: Partial<Snapshot> = {
      format: 2,
      scopes: [
        [
          'pilots/use',
          [{ server: 'maps', methods: ['initialize', 'tools/call'], tools: ['route'], at: 'scopes.yml:9' }],
        ],
        [
          'look',
          [
            { server: 'maps', methods: ['tools/list'], tools: [], at: expect.any(String) },
            {
              server: 'maps',
              methods: ['tools/call'],
              tools: ['erase'],
              deny: 'part',
              at: expect.any(String),
            },
          ],
        ],
      ],
      uiScopes: [
        [
          'pilots/use',
          [
            ['list_service', ['all']],
            ['list_agents', ['all']],
          ],
        ],
      ],
      groups: [
        ['pilots', ['pilots/use']],
        ['captains', ['pilots/use']],
      ],
      scopeSettings: [['look', { description: 'Look at maps' }]],
    };
    expect(snapshot).toMatchObject(expected);
    expect(snapshot.clients[0]?.scopes).toEqual(['pilots/use']);
  });

  test('says that it grants nothing on agents, of which there are none here', () => {
    expect(warnings.map(({ message }) => message).filter((one) => one.includes('agents'))).toEqual([
      'there are no `agents` here; this entry grants nothing',
    ]);
  });

  test('may stand beside the scopes of the older form', () => {
    const text = `use: [{ server: maps, methods: [ping] }]
UI-Scopes: { chief: { manage_policy: [all] } }
group_mappings: { pilots: [use, chief] }
Scope-Settings: { look: { token_ttl_max: 300 } }
Scope-Documents:
  - { scope_name: look, description: Look, server_access: [{ server: maps, methods: [ping] }], group_mappings: [pilots] }`;
    const { snapshot: both } = compiled(text);
    expect(both.scopes.map(([name]) => name)).toEqual(['use', 'look']);
    expect(both.uiScopes.map(([name]) => name)).toEqual(['chief']);
    expect(both.groups).toEqual([['pilots', ['use', 'chief', 'look']]]);
    expect(both.scopeSettings).toEqual([['look', { description: 'Look', tokenTtlMaxSeconds: 300 }]]);
  });

  test.for([
    ['[{ server_access: [] }]', /name the scope: `scope_name: my-scope`/],
    ['[{ _id: { $oid: x } }]', /write a text here/],
    ['[{ scope_name: "a b" }]', /a scope name has no spaces/],
    ['[{ scope_name: Limits }]', /there is a `Limits` already/],
    ['[{ scope_name: s }, { scope_name: s }]', /there is a `s` already/],
    ['s: []\nScope-Documents: [{ scope_name: s }]', /^2 .*there is a `s` already/],
    [
      'UI-Scopes: { s: {} }\nScope-Documents: [{ scope_name: s, ui_permissions: { a: [b] } }]',
      /there is a UI scope `s` already/,
    ],
    ['[{ scope_name: s, rules: [] }]', /unknown key `rules`/],
    ['[{ scope_name: s, server_access: [{ methods: [ping] }] }]', /name the server/],
    [
      '[{ scope_name: s, server_access: [{ server: maps, method: [ping] }] }]',
      /unknown key `method`; known here: agents, server/,
    ],
    ['[{ scope_name: s, ui_permissions: { a: b } }]', /write a list here/],
    ['[{ scope_name: s, description: "a\\nb" }]', /write one line/],
    ['[s]', /write a map here/],
  ] as const)('%s', ([text, message]) => {
    expect(problems(text).join('\n')).toMatch(message);
  });
});
