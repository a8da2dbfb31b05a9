import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GATEWAY_REQUIREMENTS } from './gateway-requirements.ts';
import { ISSUER_REQUIREMENTS } from './issuer-requirements.ts';

const TESTS = join(import.meta.dirname, '..');

describe.for([
  ['the gateway', GATEWAY_REQUIREMENTS],
  ['the issuer', ISSUER_REQUIREMENTS],
] as const)('what is asked of %s', ([, requirements]) => {
  test.for([...requirements])('$clause has its tests: $says', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const [file, title] of tests) {
      const path = join(TESTS, file);
      expect(existsSync(path), file).toBe(true);
      expect(readFileSync(path, 'utf8').includes(title), `${file} has a test \`${title}\``).toBe(true);
    }
  });

  test('is written down once', () => {
    const said = requirements.map(({ says }) => says);
    expect(new Set(said).size).toBe(said.length);
  });
});
