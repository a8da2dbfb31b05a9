import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileConfiguration } from '../../functions/core/configuration/compile.ts';
import { SERVICE_METHODS } from '../../functions/core/service-url.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'egress.md'), 'utf8');
const EXAMPLES = Array.from(PAGE.matchAll(/```yaml\n(.*?)```/gs), ([, text = '']) => text);

test('the page shows a server that takes a token of the caller’s own, and a perimeter', () => {
  expect(EXAMPLES.map((text) => /mode: passthrough|^perimeter:/m.exec(text)?.[0])).toEqual([
    'mode: passthrough',
    'perimeter:',
  ]);
});

test.for(EXAMPLES)('an example loads, without a warning: %#', (example) => {
  const files = [
    ['scopes.yml', ''],
    ['servers.yml', example],
    ['clients.yml', ''],
  ] as const;
  const compiled = compileConfiguration(new Map(files));
  expect(compiled.ok ? compiled.value.warnings : compiled.error).toEqual([]);
});

test('the page names the methods that reach an API', () => {
  expect(PAGE).toContain(`\`${SERVICE_METHODS.join(' ')}\``);
});
