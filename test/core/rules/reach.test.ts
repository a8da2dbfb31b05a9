import { describe, expect, test } from 'vitest';
import { reachOf } from '../../../functions/core/rules/reach.ts';
import { callerOf, clientEntry, policyOf, serverEntry } from '../../support/policies.ts';
import { rulesOf } from '../../support/rules.ts';
import { TestIssuer } from '../../support/test-issuer.ts';

const issuer = new TestIssuer();
/** A Friday at noon. */
const NOON = Date.parse('2026-11-20T12:00:00Z') / 1_000;

function reach(text: string, server = 'maps', nowSeconds = NOON) {
  const rules = rulesOf(text);
  const names = rules.scopes.map(([name]) => name);
  const policy = policyOf({
    ...rules,
    servers: [serverEntry('maps'), serverEntry('vault', { org: 'rival' })],
    clients: [clientEntry('courier', { scopes: names })],
  });
  return reachOf(policy, callerOf(issuer, policy, names), server, nowSeconds);
}

describe('what a catalogue shows of a server is', () => {
  test('what the rules of all scopes, and the defaults, grant there', () => {
    const text = `s:
  - { server: maps, methods: [initialize, tools/list, tools/call], tools: [route] }
  - { server: mail, methods: [tools/call], tools: [send] }
t:
  - { server: maps, methods: [tools/call, prompts/get], tools: [draw, route] }
  - { server: maps, methods: [tools/list], tools: [erase] }
Defaults:
  - { server: maps, methods: [resources/read], resources: ["docs://**"] }
  - { server: maps, org: rival, methods: [resources/list] }`;
    expect(reach(text)).toEqual({
      methods: ['initialize', 'tools/list', 'tools/call', 'prompts/get', 'resources/read'],
      tools: ['route', 'draw'],
    });
  });

  test('a wildcard where one grants it', () => {
    expect(reach('s: [{ server: "*", methods: [all], tools: [all] }]')).toEqual({ methods: '*', tools: '*' });
    expect(reach('s: [{ server: maps, methods: [tools/list], tools: ["*"] }]')).toEqual({
      methods: ['tools/list'],
      tools: [],
    });
  });

  test('less what is denied', () => {
    const text = `s:
  - { server: maps, methods: [initialize, tools/list, tools/call], tools: [route, erase] }
  - { server: maps, deny: true, tools: [erase], methods: [tools/list] }`;
    expect(reach(text)).toEqual({ methods: ['initialize', 'tools/call'], tools: ['route'] });
  });

  test('what holds at this time', () => {
    const text = `s:
  - { server: maps, methods: [initialize, tools/call], tools: [route] }
  - { server: maps, methods: [tools/call, tools/list], tools: [draw], when: { days: [mon] } }`;
    expect(reach(text)).toEqual({ methods: ['initialize', 'tools/call'], tools: ['route'] });
    expect(reach(text, 'maps', NOON + 3 * 86_400)).toMatchObject({ tools: ['route', 'draw'] });
  });
});

test('a wildcard is none at another time, or beside a deny of everything', () => {
  const base = 's:\n  - { server: maps, methods: [initialize, tools/call], tools: [route] }\n';
  expect(reach(`${base}  - { server: maps, methods: ["*"], tools: ["*"], when: { days: [mon] } }`)).toEqual({
    methods: ['initialize', 'tools/call'],
    tools: ['route'],
  });
  const all = 's:\n  - { server: maps, methods: ["*"], tools: ["*"] }\n';
  expect(reach(`${all}  - { server: maps, deny: true, tools: ["*"] }`)).toMatchObject({ tools: [] });
  expect(reach(`${all}  - { server: maps, deny: true, tools: [erase] }`)).toEqual({
    methods: '*',
    tools: '*',
  });
  const less = reach(`${all}  - { server: maps, deny: true, methods: [tools/list] }`);
  expect(less?.methods).toContain('tools/call');
  expect(less?.methods).toContain('resources/read');
  expect(less?.methods).not.toContain('tools/list');
});

test('what is addressed by its name is shown where a rule of this organisation grants the method, and nothing denies it', () => {
  const base = 's:\n  - { server: maps, methods: [initialize] }\n';
  const rival = `${base}Defaults:\n  - { server: maps, org: rival, methods: [prompts/get], prompts: [a] }`;
  expect(reach(rival)?.methods).toEqual(['initialize']);
  const own = rival.replace('org: rival', 'org: acme');
  expect(reach(own)?.methods).toEqual(['initialize', 'prompts/get']);
  const all = `${base}  - { server: maps, methods: ["*"], tools: ["*"] }\n`;
  expect(reach(all)).toEqual({ methods: '*', tools: '*' });
  const denied = reach(`${all}  - { server: maps, deny: true, methods: [prompts/get] }`);
  expect(denied?.methods).toContain('resources/read');
  expect(denied?.methods).not.toContain('prompts/get');
});

describe('a server is in no catalogue', () => {
  test.for([
    ['that no rule is about', 's: []', 'maps'],
    [
      'that is denied as a whole',
      's: [{ server: maps, methods: [ping] }, { server: maps, deny: true }]',
      'maps',
    ],
    ['that is open at another time', 's: [{ server: maps, methods: [ping], when: { days: [mon] } }]', 'maps'],
    ['of another organisation', 's: [{ server: "*", methods: ["*"] }]', 'vault'],
    ['that is not there', 's: [{ server: "*", methods: ["*"] }]', 'gone'],
  ] as const)('%s', ([, text, server]) => {
    expect(reach(text, server)).toBe(undefined);
  });
});
