import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileConfiguration } from '../../functions/core/configuration/compile.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'scopes.md'), 'utf8');
const EXAMPLES = Array.from(PAGE.matchAll(/```yaml\n(.*?)```/gs), ([, text = '']) => text);
const SERVERS =
  'servers: { tickets: { url: "https://t.example.com/mcp" }, payroll: { url: "https://p.example.com/mcp" } }';

test('the page has an example of everything', () => {
  const keys = [
    'deny',
    'methods',
    'tools',
    'prompts',
    'resources',
    'arguments',
    'when',
    'org',
    'Defaults',
    'Scope-Settings',
    'Limits',
    'Scope-Documents',
    'group_mappings',
  ];
  expect(keys.filter((key) => !EXAMPLES.join().includes(`${key}:`))).toEqual([]);
});

test.for(EXAMPLES)('an example loads, without a warning: %#', (example) => {
  const files = [
    ['scopes.yml', example],
    ['servers.yml', SERVERS],
    ['clients.yml', ''],
    ['orgs.yml', 'orgs: { acme: {} }'],
  ] as const;
  const compiled = compileConfiguration(new Map(files));
  // Who has the scopes of an example, the page leaves open.
  const warnings = compiled.ok ? compiled.value.warnings : compiled.error;
  expect(warnings.filter(({ message }) => !message.startsWith('nobody has the scope'))).toEqual([]);
});
