import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileConfiguration } from '../../functions/core/configuration/compile.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'connections.md'), 'utf8');

/** The example that begins with the name of its file. */
function exampleOf(file: string): string {
  const found = Array.from(PAGE.matchAll(/```yaml\n(.*?)```/gs), ([, text = '']) => text);
  const example = found.find((text) => text.startsWith(`# ${file}\n`));
  if (example === undefined) throw new Error(`the page has no ${file}`);
  return example;
}

function compile(providers: string) {
  return compileConfiguration(
    new Map([
      ['scopes.yml', ''],
      ['clients.yml', ''],
      ['servers.yml', exampleOf('servers.yml')],
      ['providers.yml', providers],
    ]),
  );
}

test('the examples load together, without a warning', () => {
  const compiled = compile(exampleOf('providers.yml'));
  expect(compiled.ok ? compiled.value.warnings : compiled.error).toEqual([]);
});

test('a server whose provider is off is an error that says what to do', () => {
  const off = exampleOf('providers.yml').replace(/ {4}client_id: .*\n/, '');
  const compiled = compile(off);
  expect(compiled.ok ? [] : compiled.error.map(({ message }) => message)).toEqual([
    expect.stringContaining('`github` of providers.yml: it has no `client_id` there: register an app'),
  ]);
});

test('every key of an entry is on the page', () => {
  const compiled = compile(`${exampleOf('providers.yml')}    no_such_key: 1\n`);
  const [problem] = compiled.ok
    ? []
    : compiled.error.filter(({ message }) => message.includes('unknown key'));
  const keys = problem?.message.split('known here: ')[1]?.split(', ') ?? [];
  expect(keys.length).toBeGreaterThan(20);
  const section = PAGE.slice(PAGE.indexOf('## `providers.yml`'), PAGE.indexOf('What is known of a provider'));
  expect(keys.filter((key) => !section.includes(`\`${key}\``))).toEqual([]);
});
