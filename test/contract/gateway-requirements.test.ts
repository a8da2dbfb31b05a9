import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GATEWAY_REQUIREMENTS } from './gateway-requirements.ts';

const TESTS = join(import.meta.dirname, '..');

test.for(GATEWAY_REQUIREMENTS)('§$clause has its tests: $says', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const [file, title] of tests) {
    const path = join(TESTS, file);
    expect(existsSync(path), file).toBe(true);
    expect(readFileSync(path, 'utf8').includes(title), `${file} has a test \`${title}\``).toBe(true);
  }
});

test('no promise is written down twice', () => {
  const said = GATEWAY_REQUIREMENTS.map(({ says }) => says);
  expect(new Set(said).size).toBe(said.length);
});
