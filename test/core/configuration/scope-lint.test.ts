import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';

/** What a `scopes.yml` is warned of, as `line message`; a client has the scope `s`. */
function warnings(text: string): readonly string[] {
  const scopes = /^s:/m.test(text) ? text : `${text}\ns: []`;
  const files = [
    ['scopes.yml', scopes],
    ['servers.yml', 'servers: { maps: { url: "https://maps.example.com/mcp" } }'],
    [
      'clients.yml',
      'clients: { c: { secret: { ref: "sallyport/{stage}/clients/c" }, grants: [client_credentials], scopes: [s] } }',
    ],
  ] as const;
  const compiled = compileConfiguration(new Map(files));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value.warnings.map(({ line, message }) => `${line} ${message}`);
}

const rules = (...members: readonly string[]) =>
  ['s:', ...members.map((one) => `  - { server: maps, ${one} }`)].join('\n');
const HIDDEN = 'this rule never decides: scopes.yml:2 grants all of it';

describe('a rule that never decides', () => {
  test.for([
    [
      'the same again',
      ['methods: [ping, tools/call], tools: [a, b]', 'methods: [tools/call], tools: [b]'],
      true,
    ],
    ['behind a wildcard of methods', ['methods: [all]', 'methods: [ping]'], true],
    ['with prompts of its own', ['methods: [prompts/get]', 'methods: [prompts/get], prompts: [a]'], true],
    ['with hours of its own', ['methods: [ping]', 'methods: [ping], when: { days: [mon] }'], true],
    ['with another method', ['methods: [ping]', 'methods: [ping, tools/list]'], false],
    [
      'with another tool',
      ['methods: [tools/call], tools: [a]', 'methods: [tools/call], tools: [a, b]'],
      false,
    ],
    ['behind one with hours', ['methods: [ping], when: { days: [mon] }', 'methods: [ping]'], false],
    [
      'behind one with constraints',
      ['methods: [tools/call], tools: [a], arguments: { a: {} }', 'methods: [tools/call], tools: [a]'],
      false,
    ],
    ['behind one with prompts', ['methods: [prompts/get], prompts: [a]', 'methods: [prompts/get]'], false],
    [
      'behind one with resources',
      ['methods: [resources/read], resources: [a]', 'methods: [resources/read]'],
      false,
    ],
    ['that denies', ['methods: [tools/call], tools: [a]', 'deny: true, tools: [a]'], false],
  ] as const)('%s: %s', ([, members, isHidden]) => {
    expect(warnings(rules(...members))).toEqual(isHidden ? [`3 ${HIDDEN}`] : []);
  });

  test('stands behind one of the same scope and server', () => {
    const text =
      's: [{ server: maps, methods: [ping] }, { server: "*", methods: [ping] }]\nDefaults: [{ server: maps, methods: [ping] }]';
    expect(warnings(text)).toEqual([]);
  });
});

describe('a wildcard of tools', () => {
  test.for([
    ['methods: [tools/call], tools: ["*"]', true],
    ['methods: ["*"], tools: [all]', true],
    ['methods: [tools/list], tools: ["*"]', false],
    ['methods: ["*"]', false],
  ] as const)('%s: %s', ([members, isOpen]) => {
    const message =
      '2 this grants every tool of `maps`, also those that delete and those to come; name tools, or deny some';
    expect(warnings(rules(members))).toEqual(isOpen ? [message] : []);
  });

  test('is what is meant where some are denied', () => {
    const open = '  - { server: maps, methods: [tools/call], tools: ["*"] }';
    for (const server of ['maps', '"*"']) {
      expect(warnings(`s:\n${open}\n  - { server: ${server}, deny: true, tools: [erase] }`)).toEqual([]);
    }
    expect(warnings(`s:\n${open}\n  - { server: maps, deny: true, methods: [ping] }`)).toHaveLength(1);
    expect(warnings('Defaults: [{ server: "*", methods: [all], tools: [all] }]')[0]).toMatch(
      /every tool of every server/,
    );
  });
});

describe('a scope that nobody has', () => {
  const message = '1 nobody has the scope `t`: no group is mapped to it, and no client has it';

  test('is one without a group and without a client', () => {
    expect(warnings('t: [{ server: maps, methods: [ping] }]')).toEqual([message]);
    expect(warnings('t: [{ server: maps, deny: true }]')).toEqual([message]);
    expect(warnings('s: [{ server: maps, methods: [ping] }]')).toEqual([]);
    expect(warnings('t: [{ server: maps, methods: [ping] }]\ngroup_mappings: { g: [t] }')).toEqual([]);
    expect(warnings('t: []')).toEqual([]);
  });
});

describe('a deny of what nothing grants', () => {
  const GRANTS = ['methods: [tools/call], tools: [erase]', 'methods: [prompts/get], prompts: [sign]'];

  test.for([
    ['deny: true, tools: [erase]', []],
    ['deny: true, tools: [earse, erase]', ['earse']],
    ['deny: true, prompts: [sing]', ['sing']],
    ['deny: true, prompts: [sign]', []],
    ['deny: true, tools: ["*"]', []],
    ['deny: true, prompts: ["*"]', []],
    ['deny: true', []],
  ] as const)('%s', ([members, names]) => {
    expect(warnings(rules(...GRANTS, members))).toEqual(
      names.map((name) => `4 no rule grants \`${name}\` on \`maps\`; this deny of it forbids nothing`),
    );
  });

  test('is none where a wildcard, a default or a rule for every server grants it', () => {
    const deny = 's: [{ server: maps, deny: true, tools: [a], prompts: [b] }]\n';
    for (const grant of [
      'Defaults: [{ server: maps, methods: [prompts/get, tools/call], tools: [a] }]',
      'Defaults: [{ server: maps, methods: [all], tools: [all], prompts: ["*"] }]',
      'Defaults: [{ server: "*", org: default, methods: [prompts/get, tools/call], tools: [a], prompts: [b] }]',
    ]) {
      expect(warnings(deny + grant)).toEqual([]);
    }
  });

  test('is none at the context store, where a run needs no rule, and on every server', () => {
    expect(
      warnings(
        's: [{ server: context-store, deny: true, tools: [doc_delete] }, { server: "*", deny: true, tools: [x] }]',
      ),
    ).toEqual([]);
  });
});

test('thousands of rules of one server are compared with the last few', () => {
  const many = Array.from({ length: 2_000 }, (_, index) => `methods: [tools/call], tools: [t-${index}]`);
  expect(warnings(rules(...many))).toEqual([]);
});
