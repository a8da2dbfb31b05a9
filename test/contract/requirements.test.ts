import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ADMINISTRATION_REQUIREMENTS } from './administration-requirements.ts';
import { CONNECT_REQUIREMENTS } from './connect-requirements.ts';
import { CONNECTION_REQUIREMENTS } from './connection-requirements.ts';
import { CONTEXT_REQUIREMENTS } from './context-requirements.ts';
import { EGRESS_REQUIREMENTS } from './egress-requirements.ts';
import { GATEWAY_REQUIREMENTS } from './gateway-requirements.ts';
import { ISSUER_REQUIREMENTS } from './issuer-requirements.ts';
import { LAYER_REQUIREMENTS } from './layer-requirements.ts';
import { LEAK_REQUIREMENTS } from './leak-requirements.ts';
import { BASIC_OP, FAPI2 } from './openid-checklist.ts';
import { RULE_REQUIREMENTS } from './rules-requirements.ts';
import { SECRET_REQUIREMENTS } from './secret-requirements.ts';

const TESTS = join(import.meta.dirname, '..');

function expectTests(tests: readonly (readonly [file: string, title: string])[]): void {
  expect(tests.length).toBeGreaterThan(0);
  for (const [file, title] of tests) {
    const path = join(TESTS, file);
    expect(existsSync(path), file).toBe(true);
    expect(readFileSync(path, 'utf8').includes(title), `${file} has a test \`${title}\``).toBe(true);
  }
}

describe.for([
  ['the gateway', GATEWAY_REQUIREMENTS],
  ['the issuer', ISSUER_REQUIREMENTS],
  ['the two layers', LAYER_REQUIREMENTS],
  ['the way out', EGRESS_REQUIREMENTS],
  ['service accounts', SECRET_REQUIREMENTS],
  ['what must not leak or be called', LEAK_REQUIREMENTS],
  ['connections', CONNECTION_REQUIREMENTS],
  ['connecting', CONNECT_REQUIREMENTS],
  ['the context store', CONTEXT_REQUIREMENTS],
  ['administration', ADMINISTRATION_REQUIREMENTS],
  ['who may do what', RULE_REQUIREMENTS],
] as const)('what is asked of %s', ([, requirements]) => {
  test.for([...requirements])('$clause has its tests: $says', ({ tests }) => expectTests(tests));

  test('is written down once', () => {
    const said = requirements.map(({ says }) => says);
    expect(new Set(said).size).toBe(said.length);
  });
});

describe.for([
  ['Basic OP', BASIC_OP],
  ['FAPI 2.0', FAPI2],
] as const)('what the OpenID conformance suite asks: %s', ([, modules]) => {
  const asked = modules.flatMap((one) => ('tests' in one ? [one] : []));
  test.for(asked)('$module is asked by tests of ours', ({ tests }) => expectTests(tests));

  test('is written down once', () => {
    expect(new Set(modules.map(({ module }) => module)).size).toBe(modules.length);
  });
});
