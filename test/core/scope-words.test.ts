import { expect, test } from 'vitest';
import { scopeWords } from '../../functions/core/scope-words.ts';
import { policyOf, scopeRule, serverEntry } from '../support/policies.ts';

const policy = policyOf({
  servers: [serverEntry('maps'), serverEntry('tides')],
  scopes: [
    ['look', [scopeRule('maps', ['initialize', 'tools/list'])]],
    ['call', [scopeRule('maps', ['tools/call'], ['draw'])]],
    ['call-nothing', [scopeRule('maps', ['tools/call'])]],
    ['tools-without-calls', [scopeRule('maps', ['tools/list'], ['draw'])]],
    ['read', [scopeRule('tides', ['resources/read']), scopeRule('maps', ['prompts/get'])]],
    ['everything', [scopeRule('*', ['*'], ['*'])]],
    ['of-an-absent-server', [scopeRule('ghost', ['tools/call'], ['*'])]],
    ['runs/issue', [scopeRule('maps', ['tools/call'], ['draw'])]],
  ],
  uiScopes: [
    [
      'admin',
      [
        ['manage_policy', ['all']],
        ['revoke', ['all']],
        ['toggle_service', ['all']],
        ['constructor', ['all']],
      ],
    ],
    ['nobody', []],
  ],
});

test.for([
  ['look', ['See which tools, resources and prompts there are']],
  ['call', ['Use tools']],
  ['call-nothing', ['See which tools, resources and prompts there are']],
  ['tools-without-calls', ['See which tools, resources and prompts there are']],
  ['read', ['Read resources', 'Read prompts']],
  ['everything', ['Use tools', 'Read resources', 'Read prompts']],
  ['admin', ['Change who may do what', 'Revoke tokens', 'Administer servers']],
  ['nobody', ['Nothing today']],
  ['runs/issue', ['Open runs, and give tokens for them to other programs', 'Use tools']],
  ['context/admin', ['Reach every namespace of the context store']],
  ['unknown', ['Nothing today']],
  ['constructor', ['Nothing today']],
] as const)('%s', ([scope, words]) => {
  expect(scopeWords(policy, scope)).toEqual({ scope, words });
});

test('a scope that is described is said in those words', () => {
  const described = policyOf({
    scopes: [['call', [scopeRule('maps', ['tools/call'], ['draw'])]]],
    scopeSettings: [['call', { description: 'Draw maps for you' }]],
  });
  expect(scopeWords(described, 'call')).toEqual({ scope: 'call', words: ['Draw maps for you'] });
});

test('no scope tells which servers or tools there are', () => {
  const scopes = ['look', 'call', 'read', 'everything', 'admin'];
  const text = JSON.stringify(scopes.map((scope) => scopeWords(policy, scope).words));
  expect(text).not.toMatch(/maps|tides|draw|ghost/);
});
